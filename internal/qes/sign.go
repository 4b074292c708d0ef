package qes

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// NewSigner returns a writer of signature values for a key of any kind that is validated here: ДСТУ 4145 with ГОСТ 34.311,
// ECDSA with the digest of the size of its curve, RSA PKCS #1 v1.5 with SHA-256. It is for the server's side and the command
// line; the browser has WebCrypto.
func NewSigner(key crypto.Signer) (cms.Signer, error) {
	s := &stdSigner{key: key}
	switch k := key.(type) {
	case *dstu4145.PrivateKey:
		return cms.NewDSTUSigner(k, cms.OIDDSTUWithGOST34311, rand.Reader)
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			s.hash, s.digest.OID, s.algorithm.OID = crypto.SHA256, cms.OIDSHA256, oidECDSAWithSHA256
		case elliptic.P384():
			s.hash, s.digest.OID, s.algorithm.OID = crypto.SHA384, cms.OIDSHA384, oidECDSAWithSHA384
		case elliptic.P521():
			s.hash, s.digest.OID, s.algorithm.OID = crypto.SHA512, cms.OIDSHA512, oidECDSAWithSHA512
		default:
			return nil, errors.New("qes: elliptic curve is not taken")
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() < cert.MinRSABits || k.N.BitLen() > cert.MaxRSABits {
			return nil, errors.New("qes: RSA key is too small or too large")
		}
		s.hash, s.digest.OID = crypto.SHA256, cms.OIDSHA256
		s.algorithm = spki.Algorithm{OID: oidRSAWithSHA256, Parameters: der.EncodeNull()} // RFC 4055 5
	default:
		return nil, errors.New("qes: kind of key is not taken")
	}
	return s, nil
}

var (
	oidECDSAWithSHA256 = der.NewOID("1.2.840.10045.4.3.2")
	oidECDSAWithSHA384 = der.NewOID("1.2.840.10045.4.3.3")
	oidECDSAWithSHA512 = der.NewOID("1.2.840.10045.4.3.4")
	oidRSAWithSHA256   = der.NewOID("1.2.840.113549.1.1.11")
)

type stdSigner struct {
	key               crypto.Signer
	hash              crypto.Hash
	digest, algorithm spki.Algorithm
}

var _ cms.Signer = (*stdSigner)(nil)

func (s *stdSigner) DigestAlgorithm() spki.Algorithm    { return s.digest }
func (s *stdSigner) SignatureAlgorithm() spki.Algorithm { return s.algorithm }

func (s *stdSigner) Digest(data []byte) ([]byte, error) {
	h := s.hash.New()
	h.Write(data)
	return h.Sum(nil), nil
}

func (s *stdSigner) Sign(data []byte) ([]byte, error) {
	d, err := s.Digest(data)
	if err != nil {
		return nil, err
	}
	return s.key.Sign(rand.Reader, d, s.hash)
}
