package qes_test

import (
	"errors"
	"testing"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// withEvidence writes a login again with more in it: unsigned attributes of its one signer, and revocation data beside the
// certificates.
func withEvidence(t *testing.T, message []byte, unsigned, crls []byte) []byte {
	t.Helper()
	r := der.NewReader(message).Sequence()
	oid := r.Next().Full
	sd := r.Nested(der.Constructed(0)).Sequence()
	version, digests, content, certificates := sd.Next().Full, sd.Next().Full, sd.Next().Full, sd.Next().Full
	info := sd.Set().Sequence().Rest()
	if err := sd.Err(); err != nil || info == nil {
		t.Fatalf("cannot take the message apart: %v", err)
	}
	return der.EncodeSequence(oid, der.Element(der.Constructed(0), der.EncodeSequence(version, digests, content, certificates, crls,
		der.Element(der.Set, der.EncodeSequence(info, unsigned)))))
}

// TestEmbeddedOCSPIgnored: a genuine, fresh "good" that the signer brings with the signature does not stand in for a question
// to the responder, which knows better by now or cannot be reached (T23).
func TestEmbeddedOCSPIgnored(t *testing.T) {
	s := newSite(t, qes.Policy{RequirePurpose: true})
	who := s.issue(t, qestest.Request{RNOKPP: "1234567899"})
	login := sign(t, who)
	res, err := s.validator.Verify(t.Context(), login, challenge)
	if err != nil || len(res.Revocation.Evidence) == 0 {
		t.Fatalf("the base of this test: %v", err)
	}
	basic := res.Revocation.Evidence
	full := der.EncodeSequence(der.Element(der.Enumerated, []byte{0}),
		der.Element(der.Constructed(0), der.EncodeSequence(der.EncodeOID(der.NewOID("1.3.6.1.5.5.7.48.1.1")), der.EncodeOctetString(basic))))
	attribute := func(oid string, value []byte) []byte {
		return der.Element(der.Constructed(1), der.EncodeSequence(der.EncodeOID(der.NewOID(oid)), der.Element(der.Set, value)))
	}
	messages := map[string][]byte{
		// RFC 5126 6.3.4, as CAdES-XL writers do.
		"revocation-values": withEvidence(t, login, attribute("1.2.840.113549.1.9.16.2.24",
			der.EncodeSequence(der.Element(der.Constructed(1), der.EncodeSequence(basic)))), nil),
		// RFC 5940 2.1: OtherRevocationInfoFormat with id-ri-ocsp-response.
		"crls": withEvidence(t, login, nil, der.Element(der.Constructed(1),
			der.Element(der.Constructed(1), der.EncodeOID(der.NewOID("1.3.6.1.5.5.7.16.2")), full))),
	}
	for name, message := range messages {
		asked := s.Asked(qestest.ServiceOCSP)
		if _, err := s.validator.Verify(t.Context(), message, challenge); err != nil || s.Asked(qestest.ServiceOCSP) != asked+1 {
			t.Errorf("%s: %v, asked %d times", name, err, s.Asked(qestest.ServiceOCSP)-asked)
		}
	}
	s.SetDown(qestest.ServiceOCSP, true)
	s.SetDown(qestest.ServiceCRL, true)
	for name, message := range messages {
		res, err := s.validator.Verify(t.Context(), message, challenge)
		if !errors.Is(err, qes.CertStatusUnreachable) || res.Indication != qes.Indeterminate {
			t.Errorf("%s with the responder down: %v", name, err)
		}
	}
	s.SetDown(qestest.ServiceOCSP, false)
	s.SetStatus(who, qestest.Revoked)
	for name, message := range messages {
		if _, err := s.validator.Verify(t.Context(), message, challenge); !errors.Is(err, qes.CertRevoked) {
			t.Errorf("%s after the revocation: %v", name, err)
		}
	}
}

// withoutAttributes takes the signed attributes out of a message and returns both: what is left is a signature over the
// attributes that says to be one over the content.
func withoutAttributes(t *testing.T, message []byte) (bare, attributes []byte) {
	t.Helper()
	r := der.NewReader(message).Sequence()
	oid := r.Next().Full
	sd := r.Nested(der.Constructed(0)).Sequence()
	version, digests, content, certificates := sd.Next().Full, sd.Next().Full, sd.Next().Full, sd.Next().Full
	info := sd.Set().Sequence()
	infoVersion, id, digest := info.Next().Full, info.Next().Full, info.Next().Full
	signed := info.Read(der.Constructed(0))
	rest := info.Rest()
	if err := errors.Join(sd.Err(), info.Err()); err != nil || rest == nil {
		t.Fatalf("cannot take the message apart: %v", err)
	}
	return der.EncodeSequence(oid, der.Element(der.Constructed(0), der.EncodeSequence(version, digests, content, certificates,
		der.Element(der.Set, der.EncodeSequence(infoVersion, id, digest, rest))))), der.Element(der.Set, signed.Bytes)
}

// TestNoSignedAttrs: a login bears signed attributes; and a signature over attributes, of a login or a document, is not taken
// for one over a file that holds just them (T10).
func TestNoSignedAttrs(t *testing.T) {
	d := newDesk(t)
	who := d.issue(t, qestest.Request{RNOKPP: "1234567899"})
	detached := func(o *cms.Options) { o.Detached = true }
	for name, message := range map[string][]byte{"login": sign(t, who), "document": document(t, who, detached)} {
		bare, attributes := withoutAttributes(t, message)
		// The mathematics is right: this is the forgery, not a broken message.
		sd, err := cms.Parse(bare, cms.LoginLimits)
		if err != nil || sd.Signers[0].RawSignedAttributes != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := who.Certificate.VerifySignature(sd.Signers[0].Algorithm, attributes, sd.Signers[0].Signature); err != nil {
			t.Fatalf("%s: the forgery does not verify: %v", name, err)
		}
		for _, content := range [][]byte{attributes, challenge} {
			if res, err := d.validator.Verify(t.Context(), bare, content); !errors.Is(err, qes.FormatUnsupported) || res.Indication != qes.Failed {
				t.Errorf("%s as a login: %v", name, err)
			}
		}
		report := d.online.Validate(t.Context(), qes.Document{Signature: bare, Content: attributes})
		if report.Indication != qes.Failed || report.Code != qes.SigInvalid {
			t.Errorf("%s as a document: %v %s", name, report.Indication, report.Code)
		}
	}
}
