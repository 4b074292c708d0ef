package qes

import (
	"bytes"
	"crypto/subtle"
	"errors"

	"brama/internal/der"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// A signer is one SignerInfo on its way to a certificate.
type signer struct {
	info        *cms.SignerInfo
	attributes  *cms.SignedAttributes // nil if there are none
	scheme      cert.Scheme
	certificate *cert.Certificate
}

// readSigner reads the attributes and the algorithms of one signature over content of type contentType.
func readSigner(info *cms.SignerInfo, contentType der.OID) (*signer, *Error) {
	s := &signer{info: info}
	var err error
	if s.attributes, err = info.SignedAttributes(); err != nil {
		return nil, fail(CMSMalformed, SubFormatFailure, err)
	}
	if a := s.attributes; a != nil && (a.ContentType != contentType || a.MessageDigest == nil) {
		// RFC 5652 5.3: both are there, and contentType is that of the content.
		return nil, fail(CMSMalformed, SubFormatFailure, errors.New("contentType or messageDigest is not as it must be"))
	}
	if s.scheme, err = schemeOf(info); err != nil {
		return nil, unsupported("algorithm", info.Algorithm.OID.String(), SubCryptoConstraints)
	}
	return s, nil
}

// schemeOf looks both algorithms up; the digest must be the one that the signature algorithm fixes (threat T11).
func schemeOf(info *cms.SignerInfo) (cert.Scheme, error) {
	if !plain(info.Digest) {
		return cert.Scheme{}, cert.ErrAlgorithm
	}
	return cert.SchemeOf(info.Algorithm, info.Digest.OID)
}

// plain reports whether a digest algorithm has no parameters, or NULL (RFC 5754 2).
func plain(a spki.Algorithm) bool {
	return a.Parameters == nil || bytes.Equal(a.Parameters, der.EncodeNull())
}

// covers reports whether messageDigest is that of content, by length and value.
func (s *signer) covers(content []byte) bool {
	d := cert.SumOf(s.scheme.Digest, content)
	return d != nil && subtle.ConstantTimeCompare(d, s.attributes.MessageDigest) == 1
}

// named reports whether the SignerInfo names c: by issuer and serial number, both octet for octet, or by subject key
// identifier.
func (s *signer) named(c *cert.Certificate) bool {
	if s.info.SubjectKeyID != nil {
		return sameKeyID(c, s.info.SubjectKeyID)
	}
	return bytes.Equal(c.RawIssuer, s.info.RawIssuer) && bytes.Equal(c.Serial, s.info.Serial)
}

// sameKeyID compares with the extension, and for a ДСТУ key with both identifiers that its key can have.
func sameKeyID(c *cert.Certificate, id []byte) bool {
	if bytes.Equal(c.SubjectKeyID(), id) {
		return true
	}
	k := c.PublicKey.DSTU
	return k != nil && (bytes.Equal(spki.KeyID(k), id) || bytes.Equal(spki.KeyIDKupyna(k), id))
}

// matches reports whether the first reference of signing-certificate-v2 is c: the hash over the whole certificate, and
// issuerSerial where it is given (RFC 5035 3, threat T15).
func matches(id cms.CertificateID, c *cert.Certificate) bool {
	if !plain(id.Hash) || !c.HasDigest(id.Hash.OID, id.Value) {
		return false
	}
	return id.RawIssuer == nil || bytes.Equal(id.RawIssuer, c.RawIssuer) && bytes.Equal(id.Serial, c.Serial)
}

// errOtherCertificate says that the certificate which the SignerInfo names is not the one under the signature.
var errOtherCertificate = errors.New("signing-certificate-v2 is of another certificate")

// choose takes, from the message, the certificate that the SignerInfo names and signing-certificate-v2 fixes. parse is
// cert.Parse or does the same.
func (s *signer) choose(unverified [][]byte, parse func([]byte) (*cert.Certificate, error)) *Error {
	found := false
	for _, b := range unverified {
		c, err := parse(b)
		if err != nil {
			return fail(CMSMalformed, SubFormatFailure, err)
		}
		if !s.named(c) {
			continue
		}
		found = true
		if matches(s.attributes.SigningCertificates[0], c) {
			s.certificate = c
			return nil
		}
	}
	if found {
		return fail(SigInvalid, SubSigConstraints, errOtherCertificate)
	}
	return fail(CertMissing, SubNoSigningCertificate, nil)
}
