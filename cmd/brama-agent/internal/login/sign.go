package login

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/pkcs11"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// sign makes the SignedData over the challenge. A key that wants the PIN for each signature gets a window for it.
func (a *attempt) sign(ctx context.Context, token *pkcs11.Token, p pair) ([]byte, error) {
	s, err := newSigner(p.certificate)
	if err != nil {
		return nil, refuse(TokenUnsupported, err)
	}
	s.value = func(in pkcs11.Input) ([]byte, error) {
		value, _, err := a.used.Sign(ctx, p.key, in, nil)
		if errors.Is(err, pkcs11.ErrAuthentication) {
			err = a.withPIN(ctx, token, a.w.PINAgain, func(pin []byte) (*pkcs11.Token, error) {
				if pin == nil {
					pin = []byte{} // a PIN pad: the login is wanted, without a PIN of ours
				}
				var now *pkcs11.Token
				var failed error
				value, now, failed = a.used.Sign(ctx, p.key, in, pin)
				return now, failed
			})
		}
		return value, err
	}
	signature, err := cms.Sign(s, cms.Options{
		Certificate: p.certificate.Raw,
		Content:     a.Text,
		Detached:    true,
		Purpose:     cms.PurposeLogin,
		SigningTime: a.Now(),
	})
	if err != nil {
		return nil, err
	}
	return signature, nil
}

// A signer is the token's key as package cms wants it.
type signer struct {
	certificate       *cert.Certificate
	digest, signature spki.Algorithm
	scheme            cert.Scheme
	hash              pkcs11.Hash
	value             func(pkcs11.Input) ([]byte, error)
}

var _ cms.Signer = (*signer)(nil)

// A suite is how keys of one kind sign here.
type suite struct {
	hash              pkcs11.Hash
	digest, signature der.OID
	null              bool // RSA: the parameters are NULL (RFC 4055 5)
}

var (
	suiteDSTU = suite{pkcs11.GOST34311, spki.OIDGOST34311, cms.OIDDSTUWithGOST34311, false}
	suiteRSA  = suite{pkcs11.SHA256, cms.OIDSHA256, der.NewOID("1.2.840.113549.1.1.11"), true}
	// The hash of the curve's own strength (RFC 5753 8).
	suiteECDSA = map[int]suite{
		256: {pkcs11.SHA256, cms.OIDSHA256, der.NewOID("1.2.840.10045.4.3.2"), false},
		384: {pkcs11.SHA384, cms.OIDSHA384, der.NewOID("1.2.840.10045.4.3.3"), false},
		521: {pkcs11.SHA512, cms.OIDSHA512, der.NewOID("1.2.840.10045.4.3.4"), false},
	}
)

func newSigner(c *cert.Certificate) (*signer, error) {
	key, err := c.Key()
	if err != nil {
		return nil, err
	}
	var with suite
	switch k := key.(type) {
	case *dstu4145.PublicKey:
		with = suiteDSTU
	case *ecdsa.PublicKey:
		with = suiteECDSA[k.Params().BitSize]
	case *rsa.PublicKey:
		with = suiteRSA
	}
	if with.hash == "" {
		return nil, fmt.Errorf("key of type %T", key)
	}
	s := &signer{certificate: c, hash: with.hash, digest: spki.Algorithm{OID: with.digest}, signature: spki.Algorithm{OID: with.signature}}
	if with.null {
		s.signature.Parameters = der.EncodeNull()
	}
	s.scheme, err = cert.SchemeOf(s.signature, with.digest)
	return s, err
}

func (s *signer) DigestAlgorithm() spki.Algorithm    { return s.digest }
func (s *signer) SignatureAlgorithm() spki.Algorithm { return s.signature }

func (s *signer) Digest(data []byte) ([]byte, error) {
	newHash, _ := cert.DigestOf(s.digest.OID)
	if newHash == nil {
		return nil, cert.ErrAlgorithm
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil), nil
}

// Sign has the token sign, and verifies: a module's word is not enough that a signature is one, and of this key.
func (s *signer) Sign(data []byte) ([]byte, error) {
	digest, err := s.Digest(data)
	if err != nil {
		return nil, err
	}
	value, err := s.value(pkcs11.Input{Hash: s.hash, Digest: digest, Message: data})
	if err != nil {
		return nil, err
	}
	if err := s.certificate.Verify(s.scheme, data, value); err != nil {
		return nil, fmt.Errorf("%w: what the token returned does not verify: %w", pkcs11.ErrFault, err)
	}
	return value, nil
}
