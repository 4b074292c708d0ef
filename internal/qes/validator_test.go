package qes

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	for _, detached := range []bool{true, false} {
		signature := login(t, key, c, func(o *cms.Options) { o.Detached = detached })
		res, err := w.validator(t, Policy{RequirePurpose: true}).Verify(t.Context(), signature, challenge)
		if err != nil {
			t.Fatal(err)
		}
		if res.Indication != Passed || res.Code != "" || res.SubIndication != "" || !res.Signer.Equal(c) || !res.Issuer.Equal(w.issuer) ||
			!res.Anchor.Equal(w.issuer) || res.Purpose != "login" || res.SignatureAlgorithm != "ECDSA-SHA256" || !res.CheckedAt.Equal(now) ||
			!res.UnverifiedSigningTime.Equal(now) || res.Revocation.Status != StatusGood {
			t.Errorf("detached %v: %+v", detached, res)
		}
	}
	if w.asked != 2 {
		t.Errorf("asked %d times", w.asked)
	}
}

type refusal struct {
	name       string
	world      func(*world)
	person     func(*x509.Certificate)
	options    func(*cms.Options)
	content    []byte
	bytes      func([]byte) []byte
	code       Code
	indication Indication
	sub        SubIndication
	asked      int
	signer     bool // res.Signer is set: the value verified
}

func subject(attributes ...pkix.AttributeTypeAndValue) func(*x509.Certificate) {
	return func(x *x509.Certificate) { x.Subject = pkix.Name{CommonName: "Тест", ExtraNames: attributes} }
}

func serialNumber(v string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: v}
}

func company(v string) pkix.AttributeTypeAndValue {
	return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: v}
}

var refusals = []refusal{
	{name: "expired", person: func(x *x509.Certificate) { x.NotAfter = now.Add(-time.Second) }, code: CertExpired, indication: Failed, sub: SubExpired, signer: true},
	{name: "not yet valid", person: func(x *x509.Certificate) { x.NotBefore = now.Add(time.Second) }, code: CertNotYetValid, indication: Failed, sub: SubNotYetValid, signer: true},
	{name: "seal", person: func(x *x509.Certificate) {
		x.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 804, 2, 1, 1, 1, 3, 9}}
	},
		code: CertSeal, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "company alone", person: subject(company("NTRUA-43395033")), code: CertSeal, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "agreement", person: func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageKeyAgreement }, code: CertUsage, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "no key usage", person: func(x *x509.Certificate) { x.KeyUsage = 0 }, code: CertUsage, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "OCSP server", person: func(x *x509.Certificate) { x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} }, code: CertUsage, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "authority", person: func(x *x509.Certificate) { x.BasicConstraintsValid, x.IsCA = true, true }, code: CertUsage, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "unresolved critical extension", person: func(x *x509.Certificate) {
		x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
	}, code: CertUsage, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "not qualified", person: func(x *x509.Certificate) { x.ExtraExtensions = nil }, code: CertNotQualified, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "nobody", person: subject(), code: CertNoTaxNo, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "placeholder", person: subject(serialNumber("TINUA-0000000000"), pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 4}, Value: "Тест"}),
		code: CertNoTaxNo, indication: Failed, sub: SubChainConstraints, signer: true},
	{name: "numbers disagree", person: subject(serialNumber("TINUA-3184710691"), serialNumber("TINUA-1122334455")),
		code: CertIdentifiersDisagree, indication: Failed, sub: SubChainConstraints, signer: true},

	{name: "issuer unknown", world: func(w *world) { w.trusted, w.known = false, false }, code: KeyIssuerUntrusted, indication: Indeterminate, sub: SubNoChain, signer: true},
	{name: "expired of an unknown issuer", world: func(w *world) { w.trusted, w.known = false, false },
		person: func(x *x509.Certificate) { x.NotAfter = now.Add(-time.Second) }, code: KeyIssuerUntrusted, indication: Indeterminate, sub: SubNoChain, signer: true},
	{name: "no granted path", world: func(w *world) { w.trusted = false }, code: ChainNotFound, indication: Indeterminate, sub: SubNoChain, signer: true},
	{name: "expired without a path", world: func(w *world) { w.trusted = false },
		person: func(x *x509.Certificate) { x.NotAfter = now.Add(-time.Second) }, code: CertExpired, indication: Failed, sub: SubExpired, signer: true},
	{name: "list stale", world: func(w *world) { w.stale = fmt.Errorf("now: %w", ErrTrustListStale) }, code: TrustListStale, indication: Indeterminate, sub: SubTryLater, signer: true},
	{name: "list broken", world: func(w *world) { w.stale = errDown }, code: Internal, indication: Indeterminate, sub: SubCertificateChainGeneralFailure, signer: true},

	{name: "revoked", world: func(w *world) { w.status = Revocation{Status: StatusRevoked, RevokedAt: now.Add(-time.Hour)} }, code: CertRevoked, indication: Failed, sub: SubRevoked, asked: 1, signer: true},
	{name: "suspended", world: func(w *world) { w.status.Status = StatusSuspended }, code: CertSuspended, indication: Failed, sub: SubRevoked, asked: 1, signer: true},
	{name: "unknown to the responder", world: func(w *world) { w.status = Revocation{} }, code: CertStatusUnknown, indication: Indeterminate, sub: SubTryLater, asked: 1, signer: true},
	{name: "unreachable", world: func(w *world) { w.down = fmt.Errorf("%w: %w", ErrRevocationUnavailable, errDown) }, code: CertStatusUnreachable, indication: Indeterminate, sub: SubTryLater, asked: 1, signer: true},
	{name: "good with an error", world: func(w *world) { w.down = errDown }, code: CertStatusUnreachable, indication: Indeterminate, sub: SubTryLater, asked: 1, signer: true},

	{name: "other content", content: []byte("brama-login-v1\nother"), code: SigInvalid, indication: Failed, sub: SubHashFailure},
	{name: "other content, attached", options: func(o *cms.Options) { o.Detached = false }, content: []byte("brama-login-v1\nother"), code: SigInvalid, indication: Failed, sub: SubHashFailure},
	{name: "empty content", content: []byte{}, code: SigInvalid, indication: Failed, sub: SubSigConstraints},
	{name: "no purpose", options: func(o *cms.Options) { o.Purpose = "" }, code: SigInvalid, indication: Failed, sub: SubSigConstraints},
	{name: "truncated", bytes: func(b []byte) []byte { return b[:len(b)-1] }, code: CMSMalformed, indication: Failed, sub: SubFormatFailure},
	{name: "nothing", bytes: func([]byte) []byte { return nil }, code: CMSMalformed, indication: Failed, sub: SubFormatFailure},
	{name: "too big", bytes: func(b []byte) []byte { return append(b, make([]byte, cms.LoginLimits.Size)...) }, code: CMSMalformed, indication: Failed, sub: SubFormatFailure},
	{name: "last octet flipped", bytes: func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, code: SigInvalid, indication: Failed, sub: SubSigCryptoFailure},
}

func (r refusal) run(t *testing.T) {
	w := newWorld(t)
	if r.world != nil {
		r.world(w)
	}
	key, c := w.person(t, r.person)
	content := r.content
	if content == nil {
		content = challenge
	}
	b := login(t, key, c, r.options)
	if r.bytes != nil {
		b = r.bytes(b)
	}
	res, err := w.validator(t, Policy{RequirePurpose: true}).Verify(t.Context(), b, content)
	var refused *Error
	if !errors.As(err, &refused) || !errors.Is(err, r.code) || CodeOf(err) != r.code {
		t.Fatalf("got %v, want %s", err, r.code)
	}
	if res.Code != r.code || res.Indication != r.indication || res.SubIndication != r.sub || refused.Indication != r.indication {
		t.Errorf("got %s %v %s, want %s %v %s", res.Code, res.Indication, res.SubIndication, r.code, r.indication, r.sub)
	}
	if (res.Signer != nil) != r.signer {
		t.Errorf("signer is there: %v", res.Signer != nil)
	}
	if w.asked != r.asked {
		t.Errorf("the responder was asked %d times, want %d", w.asked, r.asked)
	}
	for _, forbidden := range []string{"3184710691", "1122334455", "Тест Особа"} {
		if strings.Contains(err.Error(), forbidden) {
			t.Errorf("the error holds %q", forbidden)
		}
	}
}

// TestRefusals: one fixture per cause and its code; the kinds of certificates have TestCertificateKinds.
func TestRefusals(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, r.run)
	}
}

func TestRefusalValues(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, func(x *x509.Certificate) { x.NotAfter = now.Add(-time.Second) })
	_, err := w.validator(t, Policy{}).Verify(t.Context(), login(t, key, c, nil), challenge)
	var refused *Error
	if !errors.As(err, &refused) || refused.Values["date"] != "2026-06-01T11:59:59Z" {
		t.Errorf("values %v", refused.Values)
	}
	w.known, w.trusted = false, false
	_, err = w.validator(t, Policy{}).Verify(t.Context(), login(t, key, c, nil), challenge)
	if !errors.As(err, &refused) || refused.Values["issuer"] != "Тестовий надавач" {
		t.Errorf("values %v", refused.Values)
	}
}

// parts of a message, for messages that our writer does not make.
type parts struct {
	info         []byte // SignerInfo
	certificates [][]byte
	content      []byte // eContent, nil if detached
	contentType  der.OID
}

func (p parts) encode(infos ...[]byte) []byte {
	encapsulated := der.EncodeOID(p.contentType)
	if p.content != nil {
		encapsulated = append(encapsulated, der.Element(der.Constructed(0), der.EncodeOctetString(p.content))...)
	}
	sd := der.EncodeSequence(der.EncodeInt(1), der.Element(der.Set, der.EncodeSequence(der.EncodeOID(cms.OIDSHA256))),
		der.EncodeSequence(encapsulated), der.Element(der.Constructed(0), p.certificates...),
		der.Element(der.Set, append([][]byte{p.info}, infos...)...))
	return der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0), sd))
}

// takeApart reads a message of ours into parts.
func takeApart(t testing.TB, b []byte) parts {
	t.Helper()
	r := der.NewReader(b).Sequence()
	r.OID()
	sd := r.Nested(der.Constructed(0)).Sequence()
	sd.Int()
	sd.Set()
	encapsulated := sd.Sequence()
	p := parts{contentType: encapsulated.OID()}
	if encapsulated.More() {
		p.content = encapsulated.Nested(der.Constructed(0)).OctetString()
	}
	certificates := sd.Nested(der.Constructed(0))
	for certificates.More() {
		p.certificates = append(p.certificates, certificates.Next().Full)
	}
	p.info = sd.Set().Next().Full
	if sd.Err() != nil || p.info == nil {
		t.Fatal("cannot take the message apart")
	}
	return p
}

// TestTwoSigners: a login has one signer; which of two would be shown is not a question (T9).
func TestTwoSigners(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	other, otherCert := w.person(t, nil)
	a, b := takeApart(t, login(t, key, c, nil)), takeApart(t, login(t, other, otherCert, nil))
	a.certificates = append(a.certificates, b.certificates...)
	for name, message := range map[string][]byte{
		"two persons": a.encode(b.info),
		"one twice":   a.encode(a.info),
	} {
		_, err := w.validator(t, Policy{}).Verify(t.Context(), message, challenge)
		if !errors.Is(err, FormatUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), a.encode(), challenge); err != nil {
		t.Errorf("one signer beside a stranger's certificate: %v", err)
	}
	a.info = nil
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), a.encode(), challenge); !errors.Is(err, CMSMalformed) {
		t.Errorf("no signer: %v", err)
	}
	if w.asked != 1 {
		t.Errorf("asked %d times", w.asked)
	}
}

// TestEContentDiffers: content comes from the server; what the message carries must be equal to it (T9).
func TestEContentDiffers(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	p := takeApart(t, login(t, key, c, nil))
	p.content = []byte("brama-login-v1\nother")
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), p.encode(), challenge); !errors.Is(err, SigInvalid) {
		t.Errorf("other eContent: %v", err)
	}
	p.content = []byte{}
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), p.encode(), challenge); !errors.Is(err, SigInvalid) {
		t.Errorf("empty eContent: %v", err)
	}
	p.content, p.contentType = nil, cms.OIDTSTInfo
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), p.encode(), challenge); !errors.Is(err, FormatUnsupported) {
		t.Errorf("other content type: %v", err)
	}
}

// A handmade SignerInfo: every part of it can be wrong.
type handmade struct {
	cert       *cert.Certificate
	attributes [][]byte // SET OF, in this order; nil signs the content alone
	digest     []byte   // AlgorithmIdentifier
	algorithm  []byte
	unsigned   []byte
	keyID      []byte
}

var sha256Algorithm = der.EncodeSequence(der.EncodeOID(cms.OIDSHA256))

func attribute(oid string, values ...[]byte) []byte {
	return der.EncodeSequence(der.EncodeOID(der.NewOID(oid)), der.Element(der.Set, values...))
}

const (
	typeAttribute   = "1.2.840.113549.1.9.3"
	digestAttribute = "1.2.840.113549.1.9.4"
	certAttribute   = "1.2.840.113549.1.9.16.2.47"
)

// usual are the attributes of an ordinary upload, without a time and without our purpose.
func usual(c *cert.Certificate) [][]byte {
	hash := cert.SumOf(cms.OIDSHA256, c.Raw)
	return [][]byte{
		attribute(typeAttribute, der.EncodeOID(cms.OIDData)),
		attribute(digestAttribute, der.EncodeOctetString(cert.SumOf(cms.OIDSHA256, challenge))),
		attribute(certAttribute, der.EncodeSequence(der.EncodeSequence(der.EncodeSequence(der.EncodeOctetString(hash))))),
	}
}

func (h handmade) message(t testing.TB, key interface {
	Sign([]byte) ([]byte, error)
}) []byte {
	t.Helper()
	signed := challenge
	var attributes []byte
	if h.attributes != nil {
		signed = der.Element(der.Set, h.attributes...)
		attributes = bytes.Clone(signed)
		attributes[0] = 0xa0
	}
	value, err := key.Sign(signed)
	if err != nil {
		t.Fatal(err)
	}
	if h.digest == nil {
		h.digest = sha256Algorithm
	}
	if h.algorithm == nil {
		h.algorithm = der.EncodeSequence(der.EncodeOID(oidECDSAWithSHA256))
	}
	id := der.EncodeSequence(h.cert.RawIssuer, der.Element(der.Integer, h.cert.Serial))
	if h.keyID != nil {
		id = der.Element(der.Context(0), h.keyID)
	}
	info := der.EncodeSequence(der.EncodeInt(1), id, h.digest, attributes, h.algorithm, der.EncodeOctetString(value), h.unsigned)
	return parts{info: info, certificates: [][]byte{h.cert.Raw}, contentType: cms.OIDData}.encode()
}

// TestSignedAttributes: what must stand under a login signature, and how (T10, T11, T15).
func TestSignedAttributes(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	good := usual(c)
	oldCertificate := attribute("1.2.840.113549.1.9.16.2.12", der.EncodeSequence(der.EncodeSequence(der.EncodeSequence(der.EncodeOctetString(make([]byte, 20))))))
	unknownAttribute := attribute("1.2.3.4", der.EncodeNull())
	reference := func(parts ...[]byte) []byte {
		return attribute(certAttribute, der.EncodeSequence(der.EncodeSequence(der.EncodeSequence(parts...))))
	}
	hash := der.EncodeOctetString(cert.SumOf(cms.OIDSHA256, c.Raw))
	issuerSerial := func(issuer, serial []byte) []byte {
		return der.EncodeSequence(der.EncodeSequence(der.Element(der.Constructed(4), issuer)), der.Element(der.Integer, serial))
	}
	for _, test := range []struct {
		name string
		h    handmade
		want Code // "" is passed
	}{
		{"usual", handmade{attributes: good}, ""},
		{"out of order", handmade{attributes: [][]byte{good[2], good[0], good[1]}}, ""},
		{"none", handmade{}, FormatUnsupported},
		{"no contentType", handmade{attributes: good[1:]}, CMSMalformed},
		{"no messageDigest", handmade{attributes: [][]byte{good[0], good[2]}}, CMSMalformed},
		{"no signing certificate", handmade{attributes: good[:2]}, FormatUnsupported},
		{"old signing certificate", handmade{attributes: [][]byte{good[0], good[1], oldCertificate}}, FormatUnsupported},
		{"other contentType", handmade{attributes: [][]byte{attribute(typeAttribute, der.EncodeOID(cms.OIDTSTInfo)), good[1], good[2]}}, CMSMalformed},
		{"contentType twice", handmade{attributes: [][]byte{good[0], good[0], good[1], good[2]}}, CMSMalformed},
		{"two digests", handmade{attributes: [][]byte{good[0], good[1], attribute(digestAttribute, der.EncodeOctetString(make([]byte, 32))), good[2]}}, CMSMalformed},
		{"two certificates", handmade{attributes: [][]byte{good[0], good[1], good[2], reference(der.EncodeOctetString(make([]byte, 32)))}}, CMSMalformed},
		{"an unknown one twice", handmade{attributes: [][]byte{good[0], good[1], good[2], unknownAttribute, unknownAttribute}}, CMSMalformed},
		{"an unknown one", handmade{attributes: [][]byte{good[0], good[1], good[2], unknownAttribute}}, ""},
		{"short digest", handmade{attributes: [][]byte{good[0], attribute(digestAttribute, der.EncodeOctetString(cert.SumOf(cms.OIDSHA256, challenge)[:20])), good[2]}}, SigInvalid},
		{"empty digest", handmade{attributes: [][]byte{good[0], attribute(digestAttribute, der.EncodeOctetString(nil)), good[2]}}, SigInvalid},
		{"other certificate's hash", handmade{attributes: [][]byte{good[0], good[1], reference(der.EncodeOctetString(cert.SumOf(cms.OIDSHA256, w.issuer.Raw)))}}, SigInvalid},
		{"issuer and serial", handmade{attributes: [][]byte{good[0], good[1], reference(hash, issuerSerial(c.RawIssuer, c.Serial))}}, ""},
		{"other serial", handmade{attributes: [][]byte{good[0], good[1], reference(hash, issuerSerial(c.RawIssuer, w.issuer.Serial))}}, SigInvalid},
		{"explicit SHA-256", handmade{attributes: [][]byte{good[0], good[1], reference(sha256Algorithm, hash)}}, ""},
		{"SHA-1 under the new name", handmade{attributes: [][]byte{good[0], good[1], reference(der.EncodeSequence(der.EncodeOID(der.NewOID("1.3.14.3.2.26"))), der.EncodeOctetString(make([]byte, 20)))}}, SigInvalid},
		{"attributes that are no attributes", handmade{attributes: [][]byte{der.EncodeNull()}}, CMSMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := test.h
			h.cert = c
			res, err := w.validator(t, Policy{}).Verify(t.Context(), h.message(t, s), challenge)
			if test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if test.want != "" && res.Signer != nil {
				t.Error("a signer before the value was verified")
			}
		})
	}
}

// TestAttrsAsContent: a signature over attributes is none over a content that looks like them (T10).
func TestAttrsAsContent(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	p := takeApart(t, login(t, key, c, nil))
	info := der.NewReader(p.info).Sequence()
	version, id, algorithm := info.Next().Full, info.Next().Full, info.Next().Full
	attributes := bytes.Clone(info.Next().Full)
	attributes[0] = byte(der.Set)
	rest := info.Rest()
	p.info = der.EncodeSequence(version, id, algorithm, rest)
	if _, err := w.validator(t, Policy{}).Verify(t.Context(), p.encode(), attributes); !errors.Is(err, FormatUnsupported) {
		t.Errorf("%v", err)
	}
}

// TestDigestOIDMismatch: the signature algorithm fixes the digest (T11).
func TestDigestOIDMismatch(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	alg := func(oid der.OID, parameters ...[]byte) []byte {
		return der.EncodeSequence(append([][]byte{der.EncodeOID(oid)}, parameters...)...)
	}
	for _, test := range []struct {
		name              string
		digest, algorithm []byte
		want              Code
	}{
		{"equal", alg(cms.OIDSHA256), alg(oidECDSAWithSHA256), ""},
		{"digest with NULL", alg(cms.OIDSHA256, der.EncodeNull()), alg(oidECDSAWithSHA256), ""},
		{"digest with parameters", alg(cms.OIDSHA256, der.EncodeSequence()), alg(oidECDSAWithSHA256), FormatUnsupported},
		{"SHA-512 under ECDSA-SHA256", alg(cms.OIDSHA512), alg(oidECDSAWithSHA256), FormatUnsupported},
		{"SHA-256 under ГОСТ 34.311", alg(der.NewOID("1.2.804.2.1.1.1.1.2.1")), alg(oidECDSAWithSHA256), FormatUnsupported},
		{"ДСТУ over SHA-256", alg(cms.OIDSHA256), alg(cms.OIDDSTUWithGOST34311), FormatUnsupported},
		{"ДСТУ by an ECDSA key", alg(der.NewOID("1.2.804.2.1.1.1.1.2.1")), alg(cms.OIDDSTUWithGOST34311), SigInvalid},
		{"RSA by an ECDSA key", alg(cms.OIDSHA256), alg(oidRSAWithSHA256, der.EncodeNull()), SigInvalid},
		{"SHA-1", alg(der.NewOID("1.3.14.3.2.26")), alg(der.NewOID("1.2.840.10045.4.1")), FormatUnsupported},
		{"unknown", alg(cms.OIDSHA256), alg(der.NewOID("1.2.3")), FormatUnsupported},
	} {
		h := handmade{cert: c, attributes: usual(c), digest: test.digest, algorithm: test.algorithm}
		_, err := w.validator(t, Policy{}).Verify(t.Context(), h.message(t, s), challenge)
		if test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	if w.asked != 2 {
		t.Errorf("asked %d times", w.asked)
	}
}

// TestSameKeyTwoCertificates: one key, a person's and an employee's certificate: the signature names one of them (T15).
func TestSameKeyTwoCertificates(t *testing.T) {
	w := newWorld(t)
	sameSerialAndKeyID := func(x *x509.Certificate) { x.SubjectKeyId = []byte{1, 2, 3} }
	key, private := w.person(t, sameSerialAndKeyID)
	employee := w.certificate(t, key.Public(), func(x *x509.Certificate) {
		sameSerialAndKeyID(x)
		x.Subject.ExtraNames = []pkix.AttributeTypeAndValue{company("NTRUA-43395033")}
	})
	v := w.validator(t, Policy{})
	p := takeApart(t, login(t, key, private, nil))
	p.certificates = [][]byte{employee.Raw}
	if _, err := v.Verify(t.Context(), p.encode(), challenge); !errors.Is(err, CertMissing) {
		t.Errorf("the other certificate in its place: %v", err)
	}
	p.certificates = [][]byte{employee.Raw, private.Raw}
	res, err := v.Verify(t.Context(), p.encode(), challenge)
	if err != nil || !res.Signer.Equal(private) {
		t.Errorf("both: %v", err)
	}
	// By key identifier both are named; signing-certificate-v2 decides.
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	byKeyID := takeApart(t, handmade{cert: private, attributes: usual(private), keyID: []byte{1, 2, 3}}.message(t, s))
	byKeyID.certificates = [][]byte{employee.Raw, private.Raw}
	res, err = v.Verify(t.Context(), byKeyID.encode(), challenge)
	if err != nil || !res.Signer.Equal(private) {
		t.Errorf("by key identifier: %v", err)
	}
	byKeyID.certificates = [][]byte{employee.Raw}
	if _, err := v.Verify(t.Context(), byKeyID.encode(), challenge); !errors.Is(err, SigInvalid) {
		t.Errorf("by key identifier, the other alone: %v", err)
	}
}

// TestCountersignatureIgnored: unsigned attributes, readable or not, change nothing (T9, T23).
func TestCountersignatureIgnored(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, unsigned := range map[string][]byte{
		"countersignature":   attribute("1.2.840.113549.1.9.6", der.EncodeSequence(der.EncodeInt(1))),
		"revocation values":  attribute("1.2.840.113549.1.9.16.2.24", der.EncodeSequence()),
		"no attribute":       der.EncodeNull(),
		"another time-stamp": attribute("1.2.840.113549.1.9.16.2.14", der.EncodeNull()),
	} {
		h := handmade{cert: c, attributes: usual(c), unsigned: der.Element(der.Constructed(1), unsigned)}
		res, err := w.validator(t, Policy{}).Verify(t.Context(), h.message(t, s), challenge)
		if err != nil || !res.Signer.Equal(c) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOrderOfOurPrograms: what bears our purpose was written in DER order, or by somebody else (T11).
func TestOrderOfOurPrograms(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(login(t, key, c, nil), cms.LoginLimits)
	if err != nil {
		t.Fatal(err)
	}
	set, _ := der.Parse(sd.Signers[0].RawSignedAttributes)
	var attributes [][]byte
	for r := set.Reader(); r.More(); {
		attributes = append([][]byte{r.Next().Full}, attributes...)
	}
	_, err = w.validator(t, Policy{}).Verify(t.Context(), handmade{cert: c, attributes: attributes}.message(t, s), challenge)
	if !errors.Is(err, CMSMalformed) {
		t.Errorf("backwards: %v", err)
	}
}

// TestOtherCurves: only the listed curves sign in.
func TestOtherCurves(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	if key.Curve != elliptic.P256() {
		t.Fatal("fixture")
	}
	if refusal := loginStrength(c); refusal != nil {
		t.Error(refusal)
	}
}

// TestNoNetworkBeforePath: whatever is done to a message, the responder is asked only about a signature that verified, of a
// certificate with a path (T95).
func TestNoNetworkBeforePath(t *testing.T) {
	w := newWorld(t)
	key, c := w.person(t, nil)
	good := login(t, key, c, nil)
	v := w.validator(t, Policy{RequirePurpose: true})
	for i := range good {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			asked := w.asked
			res, err := v.Verify(t.Context(), bad, challenge)
			if w.asked > asked && (res.Signer == nil || !res.Signer.Equal(c)) {
				t.Fatalf("octet %d: asked about another certificate", i)
			}
			// What still passes carries the same certificate and content; the few octets that may change (the version, the
			// list of digests) are under no signature.
			if err == nil && !res.Signer.Equal(c) {
				t.Fatalf("octet %d: another signer", i)
			}
			if err != nil && w.asked > asked {
				t.Fatalf("octet %d: asked, then %v", i, err)
			}
		}
	}
	for _, change := range []func(*world){func(w *world) { w.trusted = false }, func(w *world) { w.stale = ErrTrustListStale }} {
		other := *w
		change(&other)
		other.asked = 0
		if _, err := other.validator(t, Policy{}).Verify(t.Context(), good, challenge); err == nil || other.asked != 0 {
			t.Errorf("%v, asked %d times", err, other.asked)
		}
	}
}

func TestNew(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a validator without a trust store")
	}
}
