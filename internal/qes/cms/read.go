package cms

import (
	"errors"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// Limits bound a message before its meaning is looked at. A zero field is no allowance at all.
type Limits struct {
	Size         int // octets of the whole message, before BER is rewritten
	Signers      int
	Certificates int // and as many CRLs and other revocation values
}

// The limits in use.
var (
	// LoginLimits are for a signature that a page of ours posts (threats.md T94). Two signers are read so that they can be
	// refused for what they are.
	LoginLimits = Limits{Size: 64 << 10, Signers: 2, Certificates: 8}
	// UploadLimits leave room for validation data that other programs put in.
	UploadLimits = Limits{Size: 256 << 10, Signers: 2, Certificates: 8}
	// DocumentLimits are for the verbs of the command line, where the person chose the file.
	DocumentLimits = Limits{Size: 256 << 20, Signers: 64, Certificates: 256}
	// BundleLimits are for certificate bundles; the national one had 827 certificates in 2026.
	BundleLimits = Limits{Size: 16 << 20, Signers: 1, Certificates: 8192}
)

// Limits without a knob: no real message comes near them.
const (
	maxAlgorithms     = 16
	maxAttributes     = 64
	maxSignatureValue = 4096 // RSA-32768
)

// Errors of the reader, each one cause (errors.Is). What is not one of them wraps an error of package der.
var (
	ErrTooBig        = errors.New("cms: message is too large")
	ErrTooMany       = errors.New("cms: too many signers, certificates or attributes")
	ErrNotCMS        = errors.New("cms: not a CMS message")
	ErrEnveloped     = errors.New("cms: this is an encrypted message, not a signed one")
	ErrNotSignedData = errors.New("cms: not a signed message")
	ErrMalformed     = errors.New("cms: malformed SignedData")
)

// A SignedData is what RFC 5652 5.1 describes. Slices alias the message, or a copy of it if it came in BER.
type SignedData struct {
	DigestAlgorithms []spki.Algorithm
	ContentType      der.OID
	// Content is the octets of eContent; Detached says that there is none (an empty eContent is not nil).
	Content  []byte
	Detached bool
	// UnverifiedCertificates are the X.509 certificates in the message, DER, not read yet. Attribute certificates and other
	// forms are skipped.
	UnverifiedCertificates [][]byte
	// UnverifiedCRLs and UnverifiedOCSP (RFC 5940 OCSPResponse) stand beside the signatures; a login never looks at them.
	UnverifiedCRLs, UnverifiedOCSP [][]byte
	Signers                        []SignerInfo
}

// A SignerInfo is one signature (RFC 5652 5.3).
type SignerInfo struct {
	// The signer is named by RawIssuer (Name, DER) and Serial (content octets of the INTEGER), or by SubjectKeyID.
	RawIssuer, Serial []byte
	SubjectKeyID      []byte
	Digest            spki.Algorithm
	// RawSignedAttributes is the SET OF Attribute as it came, with the outer tag that is signed (RFC 5652 5.4); nil if the
	// signature is over the content alone.
	RawSignedAttributes []byte
	Algorithm           spki.Algorithm
	Signature           []byte
	rawUnsigned         []byte // content of the SET OF, nil if absent
}

// Parse reads a ContentInfo that holds a SignedData (RFC 5652 3, 5). BER is taken (RFC 5652 allows it around the DER
// parts); a ContentInfo without signers is a bundle of certificates.
func Parse(b []byte, limits Limits) (*SignedData, error) {
	if len(b) > limits.Size {
		return nil, ErrTooBig
	}
	if len(b) == 0 || b[0] != byte(der.Sequence) {
		return nil, ErrNotCMS
	}
	b, err := der.Normalize(b)
	if err != nil {
		return nil, malformed(err)
	}
	outer := der.NewReader(b)
	info := outer.Sequence()
	contentType := info.OID()
	if info.Err() != nil {
		return nil, ErrNotCMS
	}
	switch contentType {
	case OIDSignedData:
	case OIDEnvelopedData:
		return nil, ErrEnveloped
	default:
		return nil, ErrNotSignedData
	}
	explicit := info.Nested(der.Constructed(0))
	body := explicit.Sequence()
	sd, err := parseSignedData(body, limits)
	for _, r := range []*der.Reader{body, explicit, info, outer} {
		if err == nil {
			err = r.Done()
		}
	}
	if err != nil {
		return nil, malformed(err)
	}
	return sd, nil
}

// A malformedError is ErrMalformed and its cause.
type malformedError struct{ err error }

func (e *malformedError) Error() string   { return ErrMalformed.Error() + ": " + e.err.Error() }
func (e *malformedError) Unwrap() []error { return []error{ErrMalformed, e.err} }

func malformed(err error) error {
	if errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooMany) {
		return err
	}
	return &malformedError{err}
}

func parseSignedData(r *der.Reader, limits Limits) (*SignedData, error) {
	sd := new(SignedData)
	if version := r.Int(); r.Err() == nil && (version < 1 || version > 5 || version == 2) {
		return nil, der.ErrValue
	}
	algorithms := r.Set()
	for algorithms.More() {
		if len(sd.DigestAlgorithms) == maxAlgorithms {
			return nil, ErrTooMany
		}
		sd.DigestAlgorithms = append(sd.DigestAlgorithms, spki.ParseAlgorithm(algorithms))
	}
	if err := algorithms.Done(); err != nil {
		return nil, err
	}
	encapsulated := r.Sequence()
	sd.ContentType = encapsulated.OID()
	if encapsulated.Peek(der.Constructed(0)) {
		explicit := encapsulated.Nested(der.Constructed(0))
		sd.Content = explicit.OctetString()
		if err := explicit.Done(); err != nil {
			return nil, err
		}
	} else {
		sd.Detached = true
	}
	if err := encapsulated.Done(); err != nil {
		return nil, err
	}
	if certificates, ok := r.Optional(der.Constructed(0)); ok {
		if err := sd.parseCertificates(certificates.Reader(), limits.Certificates); err != nil {
			return nil, err
		}
	}
	if crls, ok := r.Optional(der.Constructed(1)); ok {
		if err := sd.parseCRLs(crls.Reader(), limits.Certificates); err != nil {
			return nil, err
		}
	}
	signers := r.Set()
	for signers.More() {
		if len(sd.Signers) == limits.Signers {
			return nil, ErrTooMany
		}
		si, err := parseSignerInfo(signers.Sequence())
		if err != nil {
			return nil, err
		}
		sd.Signers = append(sd.Signers, si)
	}
	if err := signers.Done(); err != nil {
		return nil, err
	}
	return sd, r.Err()
}

// parseCertificates reads CertificateSet (RFC 5652 10.2.3).
func (sd *SignedData) parseCertificates(r *der.Reader, limit int) error {
	for n := 0; r.More(); n++ {
		if n == limit {
			return ErrTooMany
		}
		v := r.Next()
		switch v.Tag {
		case der.Sequence:
			sd.UnverifiedCertificates = append(sd.UnverifiedCertificates, v.Full)
		case der.Constructed(0), der.Constructed(1), der.Constructed(2), der.Constructed(3):
		default:
			r.Fail(der.ErrTag)
		}
	}
	return r.Done()
}

// oidOCSPResponse is id-ri-ocsp-response, 1.3.6.1.5.5.7.16.2 (RFC 5940 2.1).
const oidOCSPResponse der.OID = "\x2b\x06\x01\x05\x05\x07\x10\x02"

// parseCRLs reads RevocationInfoChoices (RFC 5652 10.2.1).
func (sd *SignedData) parseCRLs(r *der.Reader, limit int) error {
	for n := 0; r.More(); n++ {
		if n == limit {
			return ErrTooMany
		}
		v := r.Next()
		switch v.Tag {
		case der.Sequence:
			sd.UnverifiedCRLs = append(sd.UnverifiedCRLs, v.Full)
		case der.Constructed(1):
			other := v.Reader()
			if oid := other.OID(); oid == oidOCSPResponse {
				sd.UnverifiedOCSP = append(sd.UnverifiedOCSP, other.Next().Full)
				r.Fail(other.Done())
			}
		default:
			r.Fail(der.ErrTag)
		}
	}
	return r.Done()
}

func parseSignerInfo(r *der.Reader) (si SignerInfo, err error) {
	if version := r.Int(); r.Err() == nil && version != 1 && version != 3 {
		return si, der.ErrValue
	}
	if id, ok := r.Optional(der.Context(0)); ok {
		if si.SubjectKeyID = id.Bytes; len(id.Bytes) == 0 {
			return si, der.ErrValue
		}
	} else {
		id := r.Sequence()
		si.RawIssuer = id.Read(der.Sequence).Full
		si.Serial = id.Integer()
		if err := id.Done(); err != nil {
			return si, err
		}
	}
	si.Digest = spki.ParseAlgorithm(r)
	if signed, ok := r.Optional(der.Constructed(0)); ok {
		if len(signed.Bytes) == 0 {
			return si, der.ErrValue
		}
		si.RawSignedAttributes = append([]byte(nil), signed.Full...)
		si.RawSignedAttributes[0] = byte(der.Set)
	}
	si.Algorithm = spki.ParseAlgorithm(r)
	si.Signature = r.OctetString()
	if unsigned, ok := r.Optional(der.Constructed(1)); ok {
		si.rawUnsigned = unsigned.Bytes
	}
	if err := r.Done(); err != nil {
		return si, err
	}
	if len(si.Signature) == 0 || len(si.Signature) > maxSignatureValue {
		return si, der.ErrValue
	}
	return si, nil
}

// DSTUSignature returns the size octets r || s of a ДСТУ 4145 signature value. Some programs put them into a further OCTET
// STRING. The exact length decides, since r may begin with what looks like such a header: size octets are the value
// itself, size + 2 are the nested form, and nothing else is a signature. size is below 128 for every curve.
func DSTUSignature(value []byte, size int) ([]byte, bool) {
	switch len(value) {
	case size:
		return value, true
	case size + 2:
		if value[0] == byte(der.OctetString) && int(value[1]) == size {
			return value[2:], true
		}
	}
	return nil, false
}
