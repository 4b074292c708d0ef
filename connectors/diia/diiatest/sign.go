package diiatest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// A person has a certificate of each algorithm.
type person struct {
	id, name    string
	dstu, ecdsa *qestest.Issued
}

func newPerson(p *qestest.Provider, who Person) (person, error) {
	r := who.Request
	one := person{id: who.ID, name: r.FamilyName + " " + r.GivenName + " " + r.MiddleName}
	r.Authority, r.Algorithm = qestest.Diia, qestest.M257
	var err error
	if one.dstu, err = p.Issue(r); err != nil {
		return one, err
	}
	r.Authority, r.Algorithm = qestest.DiiaECDSA, qestest.P256
	one.ecdsa, err = p.Issue(r)
	return one, err
}

// placeholder stands for the content that the telephone does not have.
var placeholder = []byte("\x00the content stays with the acquirer")

// A hashSigner signs a digest without its content, as the application does.
type hashSigner struct {
	cms.Signer
	hash []byte
}

// Digest returns the digest that was asked for in place of that of the placeholder.
func (h hashSigner) Digest(data []byte) ([]byte, error) {
	if bytes.Equal(data, placeholder) {
		return h.hash, nil
	}
	return h.Signer.Digest(data)
}

// sign makes a detached CAdES-T over a digest.
func (s *Server) sign(p person, algorithm string, hash []byte) ([]byte, error) {
	issued, authority := p.dstu, qestest.Diia
	if algorithm == "ECDSA" {
		issued, authority = p.ecdsa, qestest.DiiaECDSA
	}
	now := s.cfg.Now()
	message, err := cms.Sign(hashSigner{issued.Key, hash}, cms.Options{
		Certificate: issued.Certificate.Raw, Content: placeholder, Detached: true, SigningTime: now,
	})
	if err != nil {
		return nil, fmt.Errorf("diiatest: signing: %w", err)
	}
	return s.stamp(message, authority, now)
}

// oidSignatureTimeStamp is the unsigned attribute signature-time-stamp (RFC 5126 6.1.1).
var oidSignatureTimeStamp = der.NewOID("1.2.840.113549.1.9.16.2.14")

// stamp makes a CAdES-BES of one signer a CAdES-T.
func (s *Server) stamp(message []byte, authority string, at time.Time) ([]byte, error) {
	parsed, err := cms.Parse(message, cms.LoginLimits)
	if err != nil {
		return nil, fmt.Errorf("diiatest: stamping: %w", err)
	}
	token, err := s.cfg.Provider.TimeStamp(authority, parsed.Signers[0].Signature, at)
	if err != nil {
		return nil, fmt.Errorf("diiatest: stamping: %w", err)
	}
	info := der.NewReader(message).Sequence()
	info.OID()
	data := info.Nested(der.Constructed(0)).Sequence()
	parts := [][]byte{data.Next().Full, data.Next().Full, data.Next().Full, data.Next().Full} // version, digests, content, certificates
	signer := data.Set().Sequence()
	if signer.Err() != nil || data.Err() != nil {
		return nil, errors.New("diiatest: stamping: not a signature of ours")
	}
	attribute := der.EncodeSequence(der.EncodeOID(oidSignatureTimeStamp), der.Element(der.Set, token))
	stamped := der.EncodeSequence(signer.Rest(), der.Element(der.Constructed(1), attribute))
	parts = append(parts, der.Element(der.Set, stamped))
	return der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0), der.EncodeSequence(parts...))), nil
}
