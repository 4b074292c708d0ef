package revocation

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// Limits of a CRL: a large authority's full list has a few megabytes.
const (
	MaxCRL     = 20 << 20
	maxEntries = 1_000_000
	maxSerial  = 64 // octets; RFC 5280 says 20
)

var (
	oidCRLNumber      = der.NewOID("2.5.29.20")
	oidReasonCode     = der.NewOID("2.5.29.21")
	oidInvalidityDate = der.NewOID("2.5.29.24")
	oidDeltaIndicator = der.NewOID("2.5.29.27")
	oidIssuingPoint   = der.NewOID("2.5.29.28")
	oidAuthorityKeyID = der.NewOID("2.5.29.35")
	oidFreshestCRL    = der.NewOID("2.5.29.46")
)

// CRLReason values that matter (RFC 5280 5.3.1).
const (
	reasonHold   = 6
	reasonRemove = 8
)

// A crl is a CertificateList (RFC 5280 5.1) as it stands, nothing in it verified.
type crl struct {
	raw, tbs               []byte
	algorithm              spki.Algorithm
	signature              []byte
	issuer                 []byte // Name, whole element
	thisUpdate, nextUpdate time.Time
	number                 []byte // magnitude, big-endian; nil if absent
	base                   []byte // BaseCRLNumber of a delta; nil in a full list
	point                  *issuingPoint
	freshest               []string // URLs of the delta
	revoked                []byte   // content of revokedCertificates, which index reads
	entries                *entries // nil before index: the list says nothing of anybody

	// Of a list that is kept: when it was had, and whose signature on it was verified.
	fetched time.Time
	signer  [sha256.Size]byte

	// Of a delta that is kept: the evidence that it makes with the list it was last used with.
	mu       sync.Mutex
	with     *crl
	together []byte
}

// An issuingPoint is IssuingDistributionPoint (RFC 5280 5.2.5).
type issuingPoint struct {
	urls                []string
	named               bool // it has a distributionPoint at all
	onlyUser, onlyCA    bool
	onlyAttribute, some bool
	indirect            bool
}

// parseCRL reads a CRL but for its entries: index does that once the signature is verified. A critical extension that is
// not known here, of the list or of an entry, is an error: what it would restrict must not be read as unrestricted (5.2,
// 5.3).
func parseCRL(b []byte) (*crl, error) {
	if len(b) > MaxCRL {
		return nil, fmt.Errorf("%w: CRL is larger than %d bytes", ErrMalformed, MaxCRL)
	}
	out := &crl{raw: b}
	r := der.NewReader(b)
	s := r.Sequence()
	list := s.Read(der.Sequence)
	out.tbs = list.Full
	out.algorithm = spki.ParseAlgorithm(s)
	out.signature = s.BitString()
	if err := errors.Join(s.Done(), r.Done()); err != nil {
		return nil, fmt.Errorf("%w: CRL: %w", ErrMalformed, err)
	}
	if err := out.read(list.Reader()); err != nil {
		return nil, fmt.Errorf("%w: CRL: %w", ErrMalformed, err)
	}
	return out, nil
}

func (c *crl) read(r *der.Reader) error {
	if r.Peek(der.Integer) && r.Int() != 1 {
		return errors.New("version")
	}
	inner := spki.ParseAlgorithm(r)
	c.issuer = r.Read(der.Sequence).Full
	c.thisUpdate = tbs.ReadTime(r)
	if r.Peek(der.UTCTime) || r.Peek(der.GeneralizedTime) {
		c.nextUpdate = tbs.ReadTime(r)
	}
	if err := r.Err(); err != nil {
		return err
	}
	if !inner.Equal(c.algorithm) {
		return errors.New("two signature algorithms")
	}
	if lines, ok := r.Optional(der.Sequence); ok {
		c.revoked = lines.Bytes
	}
	err := readExtensions(r, der.Constructed(0), c.readExtension)
	return errors.Join(err, r.Done())
}

func (c *crl) readExtension(x extension) error {
	r := der.NewReader(x.value)
	switch x.oid {
	case oidCRLNumber:
		c.number = append([]byte{}, r.Unsigned()...)
	case oidDeltaIndicator:
		c.base = append([]byte{}, r.Unsigned()...)
	case oidIssuingPoint:
		point, err := readIssuingPoint(r.Sequence())
		if err != nil {
			return err
		}
		c.point = point
	case oidFreshestCRL:
		urls, err := distributionURLs(x.value)
		c.freshest = urls
		return err
	case oidAuthorityKeyID:
		return nil // the signature decides whose list it is
	default:
		if x.critical {
			return errUnknownExtension
		}
		return nil
	}
	return r.Done()
}

func readIssuingPoint(r *der.Reader) (*issuingPoint, error) {
	out := &issuingPoint{}
	for r.More() {
		v := r.Next()
		flag := len(v.Bytes) == 1 && v.Bytes[0] == 0xff
		switch v.Tag {
		case der.Constructed(0):
			out.named = true
			urls, err := pointURLs(v)
			if err != nil {
				return nil, err
			}
			out.urls = urls
		case der.Context(1):
			out.onlyUser = flag
		case der.Context(2):
			out.onlyCA = flag
		case der.Context(3):
			out.some = true
		case der.Context(4):
			out.indirect = flag
		case der.Context(5):
			out.onlyAttribute = flag
		default:
			return nil, der.ErrTag
		}
	}
	return out, r.Done()
}

// distributionURLs reads CRLDistributionPoints (RFC 5280 4.2.1.13) and returns the http and https addresses in it.
func distributionURLs(value []byte) ([]string, error) {
	r := der.NewReader(value)
	list := r.Sequence()
	var out []string
	for list.More() {
		point := list.Sequence()
		if name, ok := point.Optional(der.Constructed(0)); ok {
			urls, err := pointURLs(name)
			if err != nil {
				return nil, err
			}
			out = append(out, urls...)
		}
		point.Optional(der.Context(1))     // reasons
		point.Optional(der.Constructed(2)) // cRLIssuer
		if err := point.Done(); err != nil {
			return nil, err
		}
	}
	return out, errors.Join(list.Done(), r.Done())
}

// pointURLs reads a DistributionPointName in [0]: fullName [0] GeneralNames, of which the URIs are returned.
func pointURLs(v der.Value) ([]string, error) {
	r := v.Reader()
	name := r.Next()
	if err := r.Done(); err != nil {
		return nil, err
	}
	if name.Tag != der.Constructed(0) { // nameRelativeToCRLIssuer
		return nil, nil
	}
	var out []string
	names := name.Reader()
	for names.More() {
		if general := names.Next(); general.Tag == der.Context(6) {
			out = append(out, string(general.Bytes))
		}
	}
	return out, names.Done()
}

// covers reports whether the list's scope has certificates of persons and organisations in it, whole, and this one's
// distribution point if it is named.
func (c *crl) covers(leafURLs []string) bool {
	p := c.point
	if p == nil {
		return true
	}
	if p.onlyCA || p.onlyAttribute || p.some || p.indirect {
		return false
	}
	if !p.named {
		return true
	}
	for _, u := range p.urls {
		for _, l := range leafURLs {
			if u == l {
				return true
			}
		}
	}
	return false
}

// compareNumbers compares two magnitudes without leading zeros.
func compareNumbers(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}
