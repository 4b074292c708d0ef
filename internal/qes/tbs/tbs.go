package tbs

import (
	"bytes"
	"errors"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// Limits of one certificate. The largest of the 827 in the bundle of February 2026 has under 3 KB.
const (
	MaxSize       = 64 << 10
	MaxExtensions = 64
	MaxAttributes = 64 // of one Name
	maxSerial     = 64 // octets; RFC 5280 says 20
)

// usualExtensions is how many the certificates of persons have.
const usualExtensions = 12

// Errors of Parse (errors.Is). What lies under ErrMalformed names the fault of form.
var (
	ErrMalformed = errors.New("tbs: malformed certificate")
	ErrTooBig    = errors.New("tbs: certificate is too large")
)

// A Certificate holds the fields of RFC 5280 4.1. All byte slices alias Raw.
type Certificate struct {
	Raw, RawTBS           []byte
	Version               int    // 1, 2 or 3
	Serial                []byte // content octets of the INTEGER as they stand (may be negative as DER); compare as bytes
	SignatureAlgorithm    spki.Algorithm
	Signature             []byte // content octets of the BIT STRING
	RawIssuer, RawSubject []byte // Name, whole element
	NotBefore, NotAfter   time.Time
	PublicKey             *spki.Info
	Extensions            []Extension
}

// An Extension of RFC 5280 4.2. Value is the content of the OCTET STRING.
type Extension struct {
	OID      der.OID
	Critical bool
	Value    []byte
}

// Parse reads exactly one certificate in DER. Nothing is returned with an error.
func Parse(b []byte) (*Certificate, error) {
	if len(b) > MaxSize {
		return nil, ErrTooBig
	}
	outer := der.NewReader(b)
	cert := outer.Sequence()
	c := &Certificate{Raw: b}
	body := cert.Read(der.Sequence)
	c.RawTBS = body.Full
	c.SignatureAlgorithm = spki.ParseAlgorithm(cert)
	c.Signature = cert.BitString()
	if err := errors.Join(cert.Done(), outer.Done()); err != nil {
		return nil, errors.Join(ErrMalformed, err)
	}
	if err := c.parseTBS(body.Reader()); err != nil {
		return nil, errors.Join(ErrMalformed, err)
	}
	return c, nil
}

func (c *Certificate) parseTBS(r *der.Reader) error {
	c.Version = 1
	if version, ok := r.Optional(der.Constructed(0)); ok {
		v := version.Reader()
		c.Version = v.Int() + 1
		if err := v.Done(); err != nil {
			return err
		}
		if c.Version > 3 {
			return der.ErrValue
		}
	}
	c.Serial = r.Integer()
	inner := spki.ParseAlgorithm(r)
	c.RawIssuer = r.Read(der.Sequence).Full
	validity := r.Sequence()
	c.NotBefore, c.NotAfter = ReadTime(validity), ReadTime(validity)
	c.RawSubject = r.Read(der.Sequence).Full
	key := r.Read(der.Sequence).Full
	r.Optional(der.Context(1)) // issuerUniqueID
	r.Optional(der.Context(2)) // subjectUniqueID
	if extensions, ok := r.Optional(der.Constructed(3)); ok {
		outer := extensions.Reader()
		list := outer.Sequence()
		c.readExtensions(list)
		r.Fail(errors.Join(list.Done(), outer.Done()))
	}
	if err := errors.Join(r.Done(), validity.Done()); err != nil {
		return err
	}
	if len(c.Serial) > maxSerial || c.Extensions != nil && c.Version != 3 {
		return der.ErrValue
	}
	// RFC 5280 4.1.1.2: the unsigned copy must say the same. An old root adds the curve to one of the two; for ДСТУ 4145
	// that is without meaning, since the curve is the key's.
	outer := c.SignatureAlgorithm
	if inner.OID != outer.OID || !inner.Equal(outer) && spki.SignatureDigest(outer.OID) == "" {
		return errors.New("tbs: signature algorithms disagree")
	}
	if err := errors.Join(checkName(c.RawIssuer), checkName(c.RawSubject)); err != nil {
		return err
	}
	var err error
	c.PublicKey, err = spki.Parse(key)
	return err
}

// readExtensions refuses an OID that stands twice (RFC 5280 4.2): two readers could choose differently. An explicit
// critical FALSE is not DER, but stands in real certificates and changes nothing.
func (c *Certificate) readExtensions(r *der.Reader) {
	for r.More() {
		seq := r.Sequence()
		e := Extension{OID: seq.OID()}
		if seq.Peek(der.Boolean) {
			e.Critical = seq.Boolean()
		}
		e.Value = seq.OctetString()
		if err := seq.Done(); err != nil {
			r.Fail(err)
			return
		}
		if len(c.Extensions) == MaxExtensions || c.Extension(e.OID) != nil {
			r.Fail(der.ErrValue)
			return
		}
		if c.Extensions == nil {
			c.Extensions = make([]Extension, 0, usualExtensions)
		}
		c.Extensions = append(c.Extensions, e)
	}
}

// Extension returns the extension with the given OID, or nil.
func (c *Certificate) Extension(oid der.OID) *Extension {
	for i := range c.Extensions {
		if c.Extensions[i].OID == oid {
			return &c.Extensions[i]
		}
	}
	return nil
}

// Key usage bits as [Certificate.KeyUsage] returns them (RFC 5280 4.2.1.3).
const (
	DigitalSignature uint16 = 1 << iota
	NonRepudiation
	KeyEncipherment
	DataEncipherment
	KeyAgreement
	KeyCertSign
	CRLSign
	EncipherOnly
	DecipherOnly
)

// oidKeyUsage is 2.5.29.15.
var oidKeyUsage = der.NewOID("2.5.29.15")

// KeyUsage returns the bits of the key usage extension, 1<<0 for digitalSignature; ok is false if the extension is
// absent or unreadable.
func (c *Certificate) KeyUsage() (bits uint16, ok bool) {
	e := c.Extension(oidKeyUsage)
	if e == nil {
		return 0, false
	}
	r := der.NewReader(e.Value)
	octets, _ := r.Bits()
	if r.Done() != nil || len(octets) > 2 {
		return 0, false
	}
	for i := range 8 * len(octets) {
		if octets[i/8]&(0x80>>(i%8)) != 0 {
			bits |= 1 << i
		}
	}
	if bits > DecipherOnly<<1-1 {
		return 0, false // a usage that nobody has defined
	}
	return bits, true
}

// SameSerial reports whether the serial number of c is the given content octets.
func (c *Certificate) SameSerial(serial []byte) bool { return bytes.Equal(c.Serial, serial) }
