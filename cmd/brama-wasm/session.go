package main

import (
	"errors"
	"io"
	"time"

	"brama/internal/challenge"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// A session is one opened key. The zero one has no container.
type session struct {
	primitives keystore.Primitives
	// newSigner makes a signer for a key that is not ДСТУ. Its Sign verifies the value with the certificate's key before
	// it returns it.
	newSigner func(k *keystore.Key, c *tbs.Certificate) (cms.Signer, error)
	rand      io.Reader
	now       func() time.Time

	container    *keystore.Container
	certificates []*tbs.Certificate
	candidates   []keystore.Candidate
}

// A code is the refusal that the page shows; see worker.js.
type code string

func (c code) Error() string { return string(c) }

// Codes that are this program's own; the others come from keystore's errors.
const (
	codeForeignIssuer      code = "ISSUER_FOREIGN"
	codeChallengeMalformed code = "CHALLENGE_MALFORMED"
	codeMismatch           code = "KEY_CERT_MISMATCH"
	codeUsage              code = "CERT_USAGE"
	codeNoCertificate      code = "KEY_CERT_NOT_FOUND"
	codeRandom             code = "RANDOM_UNAVAILABLE"
	codeInternal           code = "INTERNAL"
)

// codeOf maps an error to its code and, for KEY_NOT_A_KEY, to the kind of thing the file is.
func codeOf(err error) (c code, kind string) {
	if errors.As(err, &c) {
		return c, ""
	}
	for _, known := range []struct {
		err  error
		code code
		kind string
	}{
		{keystore.ErrPassword, "KEY_PASSWORD_WRONG", ""},
		{keystore.ErrDamaged, "KEY_DAMAGED", ""},
		{keystore.ErrTooBig, "KEY_TOO_BIG", ""},
		{keystore.ErrCertificate, "KEY_NOT_A_KEY", "certificate"},
		{keystore.ErrSigned, "KEY_NOT_A_KEY", "signed"},
		{keystore.ErrArchive, "KEY_NOT_A_KEY", "archive"},
		{keystore.ErrUnknown, "KEY_NOT_A_KEY", "other"},
		{keystore.ErrNoKey, "KEY_NOT_A_KEY", "other"},
		{keystore.ErrUnsupported, "FORMAT_UNSUPPORTED", ""},
	} {
		if errors.Is(err, known.err) {
			return known.code, known.kind
		}
	}
	return codeInternal, ""
}

// open opens the container; an earlier one is forgotten first.
func (s *session) open(data, password []byte) error {
	s.container, s.certificates, s.candidates = nil, nil, nil
	c, err := keystore.Open(s.primitives, data, password)
	if errors.Is(err, keystore.ErrPassword) && len(password) == 0 {
		return code("KEY_PASSWORD_MISSING")
	}
	if err != nil {
		return err
	}
	s.container = c
	s.add(c.Certificates)
	return nil
}

// add takes what can be read as a certificate and fits a key; it returns how many were new.
func (s *session) add(list [][]byte) int {
	added := 0
next:
	for _, raw := range list {
		c, err := tbs.Parse(raw)
		if err != nil {
			continue
		}
		for _, have := range s.certificates {
			if string(have.Raw) == string(raw) {
				continue next
			}
		}
		if len(keystore.Match(s.container.Keys, []*tbs.Certificate{c}, s.now())) > 0 && len(s.certificates) < keystore.MaxCertificates {
			s.certificates = append(s.certificates, c)
			added++
		}
	}
	s.candidates = keystore.Match(s.container.Keys, s.certificates, s.now())
	return added
}

// addCertificates takes certificates and bundles of them from outside.
func (s *session) addCertificates(files [][]byte) error {
	if s.container == nil {
		return codeInternal
	}
	found := 0
	for _, f := range files {
		list, err := keystore.ReadCertificates(f)
		if err != nil {
			continue
		}
		found += s.add(list)
	}
	if found == 0 && len(s.candidates) == 0 {
		return codeNoCertificate
	}
	return nil
}

// sign makes the login signature with candidate number index over exactly text.
func (s *session) sign(index int, text []byte, origin string) ([]byte, error) {
	if s.container == nil || index < 0 || index >= len(s.candidates) {
		return nil, codeNoCertificate
	}
	c, err := challenge.Parse(text)
	if err != nil {
		return nil, codeChallengeMalformed
	}
	if c.Origin() != origin { // T4: a challenge that another site passes on
		return nil, codeForeignIssuer
	}
	chosen := s.candidates[index]
	if usage, ok := chosen.Certificate.KeyUsage(); !ok || usage&tbs.NonRepudiation == 0 {
		return nil, codeUsage
	}
	signer, err := s.signer(&s.container.Keys[chosen.Key], chosen.Certificate)
	if err != nil {
		return nil, err
	}
	return cms.Sign(signer, cms.Options{
		Certificate: chosen.Certificate.Raw,
		Content:     text,
		Purpose:     cms.PurposeLogin,
		SigningTime: s.now().UTC().Truncate(time.Second),
	})
}

// signer holds the key against the certificate once more, by the public key computed from the private one: a container
// without a check value can open to garbage (T39).
func (s *session) signer(k *keystore.Key, c *tbs.Certificate) (cms.Signer, error) {
	if !k.Fits(c) {
		return nil, codeMismatch
	}
	if k.DSTU == nil {
		return s.newSigner(k, c)
	}
	again, err := dstu4145.NewPrivateKey(c.PublicKey.DSTU.Curve(), k.DSTU.Bytes())
	if err != nil || !c.PublicKey.DSTU.Equal(again.Public()) {
		return nil, codeMismatch
	}
	algorithm := cms.OIDDSTUWithGOST34311
	if spki.SignatureDigest(c.SignatureAlgorithm.OID) == spki.OIDKupyna256 {
		algorithm = cms.OIDDSTUWithKupyna256 // what the issuer signs with, its subscribers' programs can read
	}
	return cms.NewDSTUSigner(k.DSTU, algorithm, s.rand)
}

// close forgets the key.
func (s *session) close() {
	if s.container != nil {
		for _, k := range s.container.Keys {
			clear(k.PKCS8)
		}
	}
	s.container, s.certificates, s.candidates = nil, nil, nil
}
