package cms

import (
	"errors"
	"slices"
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

// A Prepared signer has its certificate read and hashed, and what is the same in all messages written, for many signatures.
// It is safe for concurrent use if its Signer is.
type Prepared struct {
	signer Signer
	// Parts of the message, DER, in the order of their use.
	digests      []byte // SET OF DigestAlgorithmIdentifier
	certificate  []byte
	certificates []byte // [0] IMPLICIT CertificateSet, of the certificate alone
	signerHead   []byte // version, issuerAndSerialNumber and digestAlgorithm of SignerInfo
	algorithm    []byte // signatureAlgorithm
	// Attributes that are always the same.
	contentType, signingCertificate, purposeLogin []byte
}

// Prepare reads the certificate of s, DER.
func Prepare(s Signer, certificate []byte) (*Prepared, error) {
	c, err := tbs.Parse(certificate)
	if err != nil {
		return nil, err
	}
	hash, err := s.Digest(c.Raw)
	if err != nil {
		return nil, err
	}
	digest := s.DigestAlgorithm().Encode()
	p := &Prepared{
		signer:      s,
		digests:     der.Element(der.Set, digest),
		certificate: c.Raw,
		signerHead: slices.Concat(
			der.EncodeInt(1), // v1: issuerAndSerialNumber (RFC 5652 5.3)
			der.EncodeSequence(c.RawIssuer, encodeSerial(c)),
			digest,
		),
		algorithm:          s.SignatureAlgorithm().Encode(),
		contentType:        attribute(oidContentType, der.EncodeOID(OIDData)),
		signingCertificate: attribute(oidSigningCertificateV2, signingCertificate(s.DigestAlgorithm(), hash, c)),
		purposeLogin:       attribute(oidCommitmentType, der.EncodeSequence(der.EncodeOID(oidCommitmentLogin))),
	}
	p.certificates = p.certificateSet(nil)
	return p, nil
}

// Sign is the function Sign with the certificate of p; o.Certificate is left aside.
func (p *Prepared) Sign(o Options) ([]byte, error) {
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
	value, err := p.signer.Sign(attributes)
	if err != nil {
		return nil, err
	}
	// RFC 5652 5.4: signed is the SET OF with its own tag; the message has it under [0] IMPLICIT.
	attributes[0] = byte(der.Constructed(0))
	return p.message(o, attributes, value), nil
}

// message writes the ContentInfo. Sizes are summed from the inside out, so that it is written once.
func (p *Prepared) message(o Options, attributes, value []byte) []byte {
	certificates := p.certificates
	if len(o.Chain) > 0 {
		certificates = p.certificateSet(o.Chain)
	}
	signerInfo := len(p.signerHead) + len(attributes) + len(p.algorithm) + der.Size(len(value))
	content := der.Size(len(OIDData))
	if !o.Detached {
		content += der.Size(der.Size(len(o.Content)))
	}
	signedData := versionSize + len(p.digests) + der.Size(content) + len(certificates) + der.Size(der.Size(signerInfo))
	whole := der.Size(len(OIDSignedData)) + der.Size(der.Size(signedData))

	b := make([]byte, 0, der.Size(whole))
	b = der.AppendHead(b, der.Sequence, whole) // ContentInfo
	b = der.AppendOID(b, OIDSignedData)
	b = der.AppendHead(b, der.Constructed(0), der.Size(signedData))
	b = der.AppendHead(b, der.Sequence, signedData)
	b = append(b, byte(der.Integer), 1, 1) // version
	b = append(b, p.digests...)
	b = der.AppendHead(b, der.Sequence, content) // EncapsulatedContentInfo
	b = der.AppendOID(b, OIDData)
	if !o.Detached {
		b = der.AppendHead(b, der.Constructed(0), der.Size(len(o.Content)))
		b = der.Append(b, der.OctetString, o.Content)
	}
	b = append(b, certificates...)
	b = der.AppendHead(b, der.Set, der.Size(signerInfo)) // SignerInfos
	b = der.AppendHead(b, der.Sequence, signerInfo)
	b = append(b, p.signerHead...)
	b = append(b, attributes...)
	b = append(b, p.algorithm...)
	return der.Append(b, der.OctetString, value)
}

// versionSize is the size of a version.
const versionSize = 3

func (p *Prepared) certificateSet(chain [][]byte) []byte {
	b := der.EncodeSetOf(append([][]byte{p.certificate}, chain...)...)
	b[0] = byte(der.Constructed(0)) // IMPLICIT
	return b
}

func encodeSerial(c *tbs.Certificate) []byte { return der.Element(der.Integer, c.Serial) }

// signedAttributes encodes the SET OF Attribute (RFC 5652 11, RFC 5126 5.7) in DER order.
func (p *Prepared) signedAttributes(o Options) ([]byte, error) {
	digest, err := p.signer.Digest(o.Content)
	if err != nil {
		return nil, err
	}
	var roomDigest [128]byte
	var roomTime [64]byte
	list := [5][]byte{p.contentType, p.signingCertificate, appendAttribute(roomDigest[:0], oidMessageDigest, der.OctetString, digest)}
	n := 3
	if !o.SigningTime.IsZero() {
		tag, layout, err := timeForm(o.SigningTime)
		if err != nil {
			return nil, err
		}
		var text [len("20060102150405Z")]byte
		list[n] = appendAttribute(roomTime[:0], oidSigningTime, tag, o.SigningTime.UTC().AppendFormat(text[:0], layout))
		n++
	}
	if o.Purpose == PurposeLogin {
		list[n] = p.purposeLogin
		n++
	}
	der.SortSetOf(list[:n])
	return der.Element(der.Set, list[:n]...), nil
}

func attribute(t der.OID, value []byte) []byte {
	return der.EncodeSequence(der.EncodeOID(t), der.Element(der.Set, value))
}

// appendAttribute appends an attribute with one value, of the given tag and content.
func appendAttribute(b []byte, t der.OID, tag der.Tag, content []byte) []byte {
	value := der.Size(len(content))
	b = der.AppendHead(b, der.Sequence, der.Size(len(t))+der.Size(value))
	b = der.AppendOID(b, t)
	b = der.AppendHead(b, der.Set, value)
	return der.Append(b, tag, content)
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

// timeForm is how Time is written: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5652 11.3).
func timeForm(t time.Time) (tag der.Tag, layout string, err error) {
	switch year := t.UTC().Year(); {
	case year < 0 || year > 9999:
		return 0, "", errors.New("cms: signing time cannot be written")
	case year < 1950 || year >= 2050:
		return der.GeneralizedTime, "20060102150405Z", nil
	}
	return der.UTCTime, "060102150405Z", nil
}
