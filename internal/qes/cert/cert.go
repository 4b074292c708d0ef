package cert

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/tbs"
)

// A Certificate is a certificate that was parsed strictly by package tbs and, where crypto/x509 takes it, by Go as well.
type Certificate struct {
	*tbs.Certificate
	X509    *x509.Certificate // nil where Go refuses it (some old test certificates); Warning says so
	Warning string

	once sync.Once
	read person

	tables atomic.Pointer[dstu4145.PublicKey] // the key with its tables, after Precompute
}

// ErrParsersDiffer says that crypto/x509 and package tbs read different things in the same bytes (threat T26).
var ErrParsersDiffer = errors.New("cert: two readers disagree about the certificate")

// Parse reads one certificate in DER, at most tbs.MaxSize octets. A certificate that only crypto/x509 refuses is returned
// with a Warning and without X509; one that the two read differently is an error.
func Parse(b []byte) (*Certificate, error) {
	t, err := tbs.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	c := &Certificate{Certificate: t}
	x, err := x509.ParseCertificate(b)
	if err != nil {
		c.Warning = err.Error()
		return c, nil //nolint:nilerr // what Go refuses is readable here, with a warning
	}
	if err := sameFields(t, x); err != nil {
		return nil, err
	}
	c.X509 = x
	return c, nil
}

// sameFields compares every field that anybody takes from Go with ours.
func sameFields(t *tbs.Certificate, x *x509.Certificate) error {
	serial := der.NewReader(der.Element(der.Integer, t.Serial))
	same := bytes.Equal(t.RawTBS, x.RawTBSCertificate) &&
		bytes.Equal(t.RawIssuer, x.RawIssuer) &&
		bytes.Equal(t.RawSubject, x.RawSubject) &&
		bytes.Equal(t.PublicKey.Raw, x.RawSubjectPublicKeyInfo) &&
		bytes.Equal(t.Signature, x.Signature) &&
		bytes.Equal(serial.Unsigned(), x.SerialNumber.Bytes()) && serial.Done() == nil &&
		t.NotBefore.Equal(x.NotBefore) && t.NotAfter.Equal(x.NotAfter) &&
		t.Version == x.Version &&
		len(t.Extensions) == len(x.Extensions)
	for i := 0; same && i < len(t.Extensions); i++ {
		ours, theirs := t.Extensions[i], x.Extensions[i]
		same = sameOID(ours.OID, theirs.Id) && ours.Critical == theirs.Critical && bytes.Equal(ours.Value, theirs.Value)
	}
	if !same {
		return ErrParsersDiffer
	}
	if bits, _ := t.KeyUsage(); bits != uint16(x.KeyUsage) {
		return fmt.Errorf("%w: key usage", ErrParsersDiffer)
	}
	return nil
}

// sameOID compares our octets with Go's numbers, by writing the numbers as octets.
func sameOID(o der.OID, id asn1.ObjectIdentifier) bool {
	if len(id) < 2 {
		return false
	}
	rest := string(o)
	for i, arc := range id[1:] {
		v := uint64(arc)
		if i == 0 {
			v += 40 * uint64(id[0])
		}
		for n := (max(bits.Len64(v), 1) - 1) / 7; n >= 0; n-- {
			octet := byte(v >> (7 * n) & 0x7f)
			if n > 0 {
				octet |= 0x80
			}
			if rest == "" || rest[0] != octet {
				return false
			}
			rest = rest[1:]
		}
	}
	return rest == ""
}

// Equal reports whether both are the same certificate octet for octet.
func (c *Certificate) Equal(other *Certificate) bool {
	return c != nil && other != nil && bytes.Equal(c.Raw, other.Raw)
}

// Fingerprint is the SHA-256 of the whole certificate, as pins name it.
func (c *Certificate) Fingerprint() [sha256.Size]byte { return sha256.Sum256(c.Raw) }

// CheckSignatureFrom verifies c's signature by parent's key and nothing else (names, usage and path are the caller's).
func (c *Certificate) CheckSignatureFrom(parent *Certificate) error {
	return parent.VerifySignature(dropDSTUParameters(c.SignatureAlgorithm), c.RawTBS, c.Signature)
}
