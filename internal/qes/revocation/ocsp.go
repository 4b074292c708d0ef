package revocation

import (
	"errors"
	"fmt"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// Limits of a response. A real one has half a kilobyte, two with the responder's certificate.
const (
	MaxOCSP         = 64 << 10
	maxCertificates = 8
	maxSingle       = 16
	maxExtensions   = 16
)

// ErrMalformed says that bytes are no OCSP response or CRL in the form that this package takes.
var ErrMalformed = errors.New("revocation: malformed")

var (
	oidBasic = der.NewOID("1.3.6.1.5.5.7.48.1.1")
	oidNonce = der.NewOID("1.3.6.1.5.5.7.48.1.2")
)

// A response is a BasicOCSPResponse (RFC 6960 4.2.1) as it stands, nothing in it verified.
type response struct {
	raw, tbs     []byte
	algorithm    spki.Algorithm
	signature    []byte
	certificates [][]byte // DER, not parsed
	byName       []byte   // responder's Name, whole element; nil if byKey
	byKey        []byte
	producedAt   time.Time
	single       []single
	nonce        []byte // content of the extension; nil if absent
}

// A single is a SingleResponse.
type single struct {
	id                     certID
	status                 certStatus
	revokedAt              time.Time
	reason                 int       // −1 if not given
	thisUpdate, nextUpdate time.Time // nextUpdate is zero if absent
}

type certStatus int

const (
	statusUnknown certStatus = iota
	statusGood
	statusRevoked
)

// A ResponseStatusError is an OCSPResponseStatus other than successful (RFC 6960 4.2.1): the responder has said nothing of
// the certificate.
type ResponseStatusError int

// Error returns the name of the status.
func (e ResponseStatusError) Error() string {
	names := map[ResponseStatusError]string{1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
	if name := names[e]; name != "" {
		return "revocation: responder says " + name
	}
	return fmt.Sprintf("revocation: responder says %d", int(e))
}

// parseResponse reads an OCSPResponse. A status other than successful is a ResponseStatusError.
func parseResponse(b []byte) (*response, error) {
	if len(b) > MaxOCSP {
		return nil, fmt.Errorf("%w: OCSP response is larger than %d bytes", ErrMalformed, MaxOCSP)
	}
	r := der.NewReader(b)
	s := r.Sequence()
	status := s.Read(der.Enumerated)
	if err := errors.Join(s.Err(), r.Done()); err != nil {
		return nil, fmt.Errorf("%w: OCSP response: %w", ErrMalformed, err)
	}
	if len(status.Bytes) != 1 {
		return nil, fmt.Errorf("%w: OCSP response: status", ErrMalformed)
	}
	if status.Bytes[0] != 0 {
		return nil, ResponseStatusError(status.Bytes[0])
	}
	wrapped := s.Nested(der.Constructed(0))
	bytes := wrapped.Sequence()
	kind := bytes.OID()
	basic := bytes.OctetString()
	if err := errors.Join(s.Done(), wrapped.Done(), bytes.Done()); err != nil {
		return nil, fmt.Errorf("%w: OCSP response: %w", ErrMalformed, err)
	}
	if kind != oidBasic {
		return nil, fmt.Errorf("%w: OCSP response type %s", ErrMalformed, kind)
	}
	return parseBasic(basic)
}

// parseBasic reads a BasicOCSPResponse.
func parseBasic(b []byte) (*response, error) {
	if len(b) > MaxOCSP {
		return nil, fmt.Errorf("%w: OCSP response is larger than %d bytes", ErrMalformed, MaxOCSP)
	}
	out := &response{raw: b}
	r := der.NewReader(b)
	s := r.Sequence()
	data := s.Read(der.Sequence)
	out.tbs = data.Full
	out.algorithm = spki.ParseAlgorithm(s)
	out.signature = s.BitString()
	if s.More() {
		field := s.Nested(der.Constructed(0))
		list := field.Sequence()
		for list.More() {
			out.certificates = append(out.certificates, list.Read(der.Sequence).Full)
		}
		if err := errors.Join(list.Done(), field.Done()); err != nil {
			s.Fail(err)
		}
	}
	if err := errors.Join(s.Done(), r.Done()); err != nil {
		return nil, fmt.Errorf("%w: OCSP response: %w", ErrMalformed, err)
	}
	if len(out.certificates) > maxCertificates {
		return nil, fmt.Errorf("%w: %d certificates in an OCSP response", ErrMalformed, len(out.certificates))
	}
	if err := out.readData(data.Reader()); err != nil {
		return nil, fmt.Errorf("%w: OCSP response data: %w", ErrMalformed, err)
	}
	return out, nil
}

var errUnknownExtension = errors.New("unknown critical extension")

// readData reads ResponseData.
func (o *response) readData(r *der.Reader) error {
	if r.Peek(der.Constructed(0)) {
		version := r.Nested(der.Constructed(0))
		if version.Int() != 0 || version.Done() != nil {
			return errors.New("version")
		}
	}
	switch {
	case r.Peek(der.Constructed(1)):
		id := r.Nested(der.Constructed(1))
		o.byName = id.Read(der.Sequence).Full
		if err := id.Done(); err != nil {
			return err
		}
	default:
		id := r.Nested(der.Constructed(2))
		o.byKey = id.OctetString()
		if err := id.Done(); err != nil {
			return err
		}
	}
	o.producedAt = readGeneralized(r)
	list := r.Sequence()
	for list.More() {
		one, err := readSingle(list)
		if err != nil {
			return err
		}
		if o.single = append(o.single, one); len(o.single) > maxSingle {
			return errors.New("too many answers")
		}
	}
	if err := list.Done(); err != nil {
		return err
	}
	err := readExtensions(r, der.Constructed(1), func(x extension) error {
		switch {
		case x.oid == oidNonce:
			o.nonce = x.value
		case x.critical:
			return errUnknownExtension
		}
		return nil
	})
	return errors.Join(err, r.Done())
}

func readSingle(list *der.Reader) (single, error) {
	out := single{reason: -1}
	s := list.Sequence()
	out.id = readCertID(s)
	switch v := s.Next(); v.Tag {
	case der.Context(0):
		out.status = statusGood
		if len(v.Bytes) != 0 {
			return single{}, der.ErrEncoding
		}
	case der.Constructed(1):
		out.status = statusRevoked
		info := v.Reader()
		out.revokedAt = readGeneralized(info)
		if info.Peek(der.Constructed(0)) {
			reason := info.Nested(der.Constructed(0))
			out.reason = readEnumerated(reason)
			if err := reason.Done(); err != nil {
				return single{}, err
			}
		}
		if err := info.Done(); err != nil {
			return single{}, err
		}
	case der.Context(2):
		out.status = statusUnknown
	default:
		return single{}, errors.Join(der.ErrTag, s.Err())
	}
	out.thisUpdate = readGeneralized(s)
	if s.Peek(der.Constructed(0)) {
		next := s.Nested(der.Constructed(0))
		out.nextUpdate = readGeneralized(next)
		if err := next.Done(); err != nil {
			return single{}, err
		}
	}
	err := readExtensions(s, der.Constructed(1), func(x extension) error {
		if x.critical {
			return errUnknownExtension
		}
		return nil
	})
	return out, errors.Join(err, s.Done())
}

type extension struct {
	oid      der.OID
	critical bool
	value    []byte
}

// readExtensions reads an optional EXPLICIT Extensions and calls f for each; one that stands twice is an error.
func readExtensions(r *der.Reader, tag der.Tag, f func(extension) error) error {
	if !r.Peek(tag) {
		return nil
	}
	field := r.Nested(tag)
	err := eachExtension(field.Sequence(), f)
	return errors.Join(err, field.Done(), r.Err())
}

// eachExtension walks the content of Extensions.
func eachExtension(list *der.Reader, f func(extension) error) error {
	seen := make(map[der.OID]bool)
	for list.More() {
		s := list.Sequence()
		x := extension{oid: s.OID()}
		if s.Peek(der.Boolean) {
			x.critical = s.Boolean()
		}
		x.value = s.OctetString()
		if err := s.Done(); err != nil {
			return err
		}
		if seen[x.oid] || len(seen) >= maxExtensions {
			return errors.New("extension stands twice, or there are too many")
		}
		seen[x.oid] = true
		if err := f(x); err != nil {
			return err
		}
	}
	return list.Done()
}

// readGeneralized takes a GeneralizedTime in the form of RFC 6960 4.2.2.1 (RFC 5280 4.1.2.5.2): seconds, Z, no fraction.
func readGeneralized(r *der.Reader) time.Time {
	v := r.Read(der.GeneralizedTime)
	if r.Err() != nil {
		return time.Time{}
	}
	t, err := time.Parse("20060102150405Z", string(v.Bytes))
	if err != nil || len(v.Bytes) != len("20060102150405Z") {
		r.Fail(der.ErrValue)
		return time.Time{}
	}
	return t
}

// readEnumerated takes an ENUMERATED of one octet, as CRLReason is.
func readEnumerated(r *der.Reader) int {
	v := r.Read(der.Enumerated)
	if r.Err() == nil && (len(v.Bytes) != 1 || v.Bytes[0] >= 0x80) {
		r.Fail(der.ErrValue)
	}
	if r.Err() != nil {
		return -1
	}
	return int(v.Bytes[0])
}
