package cms

import (
	"errors"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// A Signer makes signature values. It is asked for digests too, so that SHA can come from WebCrypto in the browser.
type Signer interface {
	// DigestAlgorithm identifies the digest of the content and of the certificate.
	DigestAlgorithm() spki.Algorithm
	// SignatureAlgorithm is what SignerInfo.signatureAlgorithm says.
	SignatureAlgorithm() spki.Algorithm
	// Digest returns the digest of data under DigestAlgorithm.
	Digest(data []byte) ([]byte, error)
	// Sign signs data, which it hashes itself, and returns the value in the form of CMS: r || s for ДСТУ 4145, DER of
	// ECDSA-Sig-Value (RFC 5753 7.2) for ECDSA, the octets for RSA.
	Sign(data []byte) ([]byte, error)
}

// A Purpose says what a signature is for; "" is a document.
type Purpose string

// PurposeLogin marks a signature that signs a person in and is no signed document. It stands in the signed attribute
// commitment-type-indication (RFC 5126 5.11.1) as a commitment type of our own. The identifier has a 128-bit arc, which
// some programs cannot write back when they encode attributes anew; in the value of an attribute it is opaque to them.
const PurposeLogin Purpose = "login"

// Options say what is signed and how. Certificate and Content are required.
type Options struct {
	Certificate []byte   // the signer's, DER; it goes into the message
	Chain       [][]byte // further certificates for the message, DER
	Content     []byte   // not empty: implementations disagree on the national digest of nothing
	Detached    bool     // leave Content out of the message
	Purpose     Purpose
	SigningTime time.Time // the signer's claim; zero leaves the attribute out
}

// ErrEmptyContent refuses to sign nothing (see Options.Content).
var ErrEmptyContent = errors.New("cms: empty content")

// Sign makes a ContentInfo with a CAdES-BES SignedData of one signer (RFC 5652 5, RFC 5126 4.3.1). The certificate must be
// the one of s's key, which is not checked here.
func Sign(s Signer, o Options) ([]byte, error) {
	p, err := Prepare(s, o.Certificate)
	if err != nil {
		return nil, err
	}
	return p.Sign(o)
}

// A Prepared signer has its certificate read and hashed, for many signatures. It is safe for concurrent use if its Signer is.
type Prepared struct {
	signer      Signer
	certificate *tbs.Certificate
	digest      []byte // of the certificate
}

// Prepare reads the certificate of s, DER.
func Prepare(s Signer, certificate []byte) (*Prepared, error) {
	c, err := tbs.Parse(certificate)
	if err != nil {
		return nil, err
	}
	digest, err := s.Digest(c.Raw)
	if err != nil {
		return nil, err
	}
	return &Prepared{signer: s, certificate: c, digest: digest}, nil
}

// Sign is the function Sign with the certificate of p; o.Certificate is left aside.
func (p *Prepared) Sign(o Options) ([]byte, error) {
	s, certificate := p.signer, p.certificate
	if len(o.Content) == 0 {
		return nil, ErrEmptyContent
	}
	if o.Purpose != "" && o.Purpose != PurposeLogin {
		return nil, errors.New("cms: unknown purpose")
	}
	attributes, err := p.signedAttributes(o)
	if err != nil {
		return nil, err
	}
	// RFC 5652 5.4: signed is the SET OF with its own tag; the message has it under [0] IMPLICIT.
	value, err := s.Sign(attributes)
	if err != nil {
		return nil, err
	}
	inMessage := append([]byte(nil), attributes...)
	inMessage[0] = byte(der.Constructed(0))
	digest := s.DigestAlgorithm().Encode()
	signerInfo := der.EncodeSequence(
		der.EncodeInt(1), // v1: issuerAndSerialNumber (5.3)
		der.EncodeSequence(certificate.RawIssuer, encodeSerial(certificate)),
		digest,
		inMessage,
		s.SignatureAlgorithm().Encode(),
		der.EncodeOctetString(value),
	)
	content := der.EncodeOID(OIDData)
	if !o.Detached {
		content = append(content, der.Element(der.Constructed(0), der.EncodeOctetString(o.Content))...)
	}
	certificates := der.EncodeSetOf(append([][]byte{certificate.Raw}, o.Chain...)...)
	certificates[0] = byte(der.Constructed(0)) // IMPLICIT
	signedData := der.EncodeSequence(
		der.EncodeInt(1),
		der.Element(der.Set, digest),
		der.EncodeSequence(content),
		certificates,
		der.Element(der.Set, signerInfo),
	)
	return der.EncodeSequence(der.EncodeOID(OIDSignedData), der.Element(der.Constructed(0), signedData)), nil
}

func encodeSerial(c *tbs.Certificate) []byte { return der.Element(der.Integer, c.Serial) }

// signedAttributes encodes the SET OF Attribute (RFC 5652 11, RFC 5126 5.7) in DER order.
func (p *Prepared) signedAttributes(o Options) ([]byte, error) {
	digest, err := p.signer.Digest(o.Content)
	if err != nil {
		return nil, err
	}
	attributes := [][]byte{
		attribute(oidContentType, der.EncodeOID(OIDData)),
		attribute(oidMessageDigest, der.EncodeOctetString(digest)),
		attribute(oidSigningCertificateV2, signingCertificate(p.signer.DigestAlgorithm(), p.digest, p.certificate)),
	}
	if !o.SigningTime.IsZero() {
		t, err := encodeTime(o.SigningTime)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, attribute(oidSigningTime, t))
	}
	if o.Purpose == PurposeLogin {
		attributes = append(attributes, attribute(oidCommitmentType, der.EncodeSequence(der.EncodeOID(oidCommitmentLogin))))
	}
	return der.EncodeSetOf(attributes...), nil
}

func attribute(t der.OID, value []byte) []byte {
	return der.EncodeSequence(der.EncodeOID(t), der.Element(der.Set, value))
}

// signingCertificate encodes SigningCertificateV2 with one ESSCertIDv2 (RFC 5035 3). The hash algorithm is left out where it
// is the default, SHA-256, as DER wants; the national ones are always explicit.
func signingCertificate(digest spki.Algorithm, hash []byte, c *tbs.Certificate) []byte {
	algorithm := digest.Encode()
	if digest.OID == OIDSHA256 {
		algorithm = nil
	}
	issuer := der.EncodeSequence(der.Element(der.Constructed(4), c.RawIssuer)) // GeneralNames of one directoryName
	return der.EncodeSequence(der.EncodeSequence(der.EncodeSequence(
		algorithm,
		der.EncodeOctetString(hash),
		der.EncodeSequence(issuer, encodeSerial(c)),
	)))
}

// encodeTime encodes Time: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5652 11.3).
func encodeTime(t time.Time) ([]byte, error) {
	t = t.UTC()
	year, tag, layout := t.Year(), der.UTCTime, "060102150405Z"
	if year < 1950 || year >= 2050 {
		tag, layout = der.GeneralizedTime, "20060102150405Z"
	}
	if year < 0 || year > 9999 {
		return nil, errors.New("cms: signing time cannot be written")
	}
	return der.EncodeString(tag, t.Format(layout)), nil
}
