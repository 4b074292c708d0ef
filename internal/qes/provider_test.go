package qes_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/internal/qes/trustlist"
	"brama/internal/vectors"
)

var challenge = []byte("brama-login-v1\nлише для входу, не є документом\nhttps://id.example.ua\n")

// A site is a provider over real HTTP and a validator that trusts it, as `brama dev` wires them.
type site struct {
	*qestest.Provider
	validator *qes.Validator
	now       time.Time
}

func newSite(t testing.TB, policy qes.Policy) *site {
	t.Helper()
	s := &site{now: time.Now()}
	server := httptest.NewUnstartedServer(nil)
	clock := func() time.Time { return s.now }
	var err error
	s.Provider, err = qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String(), Now: clock, RSA: true})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.Handler()
	server.Start()
	t.Cleanup(server.Close)
	store, err := s.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost, CacheFor: -1, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if s.validator, err = qes.New(qes.Config{Trust: store, Revocation: checker, Policy: policy, Now: clock}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) issue(t testing.TB, r qestest.Request) *qestest.Issued {
	t.Helper()
	r.FamilyName, r.GivenName, r.MiddleName = "Тестенко", "Олена", "Петрівна"
	issued, err := s.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func sign(t testing.TB, i *qestest.Issued) []byte {
	t.Helper()
	b, err := cms.Sign(i.Key, cms.Options{Certificate: i.Certificate.Raw, Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLoginByEveryAlgorithm signs in with a key of every kind that is taken, through the real trust store and responder.
func TestLoginByEveryAlgorithm(t *testing.T) {
	s := newSite(t, qes.Policy{RequirePurpose: true})
	for _, test := range []struct {
		authority string
		algorithm qestest.Algorithm
		want      string
	}{
		{qestest.Main, qestest.M257, "DSTU4145-GOST34311"},
		{qestest.Second, qestest.M431, "DSTU4145-GOST34311"},
		{qestest.Kupyna, qestest.M257Kupyna, "DSTU4145-KUPYNA256"},
		{qestest.Kupyna, qestest.M431Kupyna, "DSTU4145-KUPYNA256"},
		{qestest.ECDSA, qestest.P256, "ECDSA-SHA256"},
		{qestest.RSA, qestest.RSA2048, "RSA-SHA256"},
	} {
		i := s.issue(t, qestest.Request{Authority: test.authority, Algorithm: test.algorithm, RNOKPP: "1234567899"})
		res, err := s.validator.Verify(t.Context(), sign(t, i), challenge)
		if err != nil {
			t.Errorf("%s: %v", test.algorithm, err)
			continue
		}
		if res.SignatureAlgorithm != test.want || !res.Signer.Equal(i.Certificate) || !bytes.Equal(res.Issuer.Raw, s.CACertificate(test.authority)) ||
			!bytes.Equal(res.Anchor.Raw, s.RootCertificate(test.authority)) || res.Revocation.Status != qes.StatusGood || res.Revocation.Evidence == nil {
			t.Errorf("%s: %+v", test.algorithm, res)
		}
	}
}

// TestOutcomes: one key of each kind and its code, as `brama dev` has them.
func TestOutcomes(t *testing.T) {
	s := newSite(t, qes.Policy{})
	hour := time.Hour
	for _, test := range []struct {
		name string
		r    qestest.Request
		want qes.Code
	}{
		{"valid", qestest.Request{RNOKPP: "1234567899"}, ""},
		{"old", qestest.Request{RNOKPP: "1234567899", Old: true}, ""},
		{"official", qestest.Request{Kind: qestest.Employee, RNOKPP: "1234567899", EDRPOU: "12345678", Organization: "ТОВ «Тест»", Title: "директор"}, ""},
		{"sole trader", qestest.Request{Kind: qestest.Entrepreneur, RNOKPP: "1234567899"}, ""},
		{"seal", qestest.Request{Kind: qestest.Seal, EDRPOU: "12345678", Organization: "ТОВ «Тест»"}, qes.CertSeal},
		{"encryption", qestest.Request{Kind: qestest.Encryption, RNOKPP: "1234567899"}, qes.CertUsage},
		{"expired", qestest.Request{RNOKPP: "1234567899", NotBefore: s.now.Add(-48 * hour), NotAfter: s.now.Add(-24 * hour)}, qes.CertExpired},
		{"not yet valid", qestest.Request{RNOKPP: "1234567899", NotBefore: s.now.Add(24 * hour), NotAfter: s.now.Add(48 * hour)}, qes.CertNotYetValid},
		{"revoked", qestest.Request{RNOKPP: "1234567899", Status: qestest.Revoked}, qes.CertRevoked},
		{"suspended", qestest.Request{RNOKPP: "1234567899", Status: qestest.Suspended}, qes.CertSuspended},
		{"unknown", qestest.Request{RNOKPP: "1234567899", Status: qestest.Unknown}, qes.CertStatusUnknown},
		{"not qualified", qestest.Request{RNOKPP: "1234567899", NotQualified: true}, qes.CertNotQualified},
		{"stranger", qestest.Request{Authority: qestest.Stranger, RNOKPP: "1234567899"}, qes.KeyIssuerUntrusted},
		{"small curve", qestest.Request{Algorithm: qestest.M191, RNOKPP: "1234567899"}, qes.FormatUnsupported},
		{"only a demographic number", qestest.Request{UNZR: "19700102-00017"}, ""},
		{"no number at all", qestest.Request{}, qes.CertNoTaxNo},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := s.issue(t, test.r)
			asked := s.Asked(qestest.ServiceOCSP)
			res, err := s.validator.Verify(t.Context(), sign(t, i), challenge)
			if test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if res.Code != test.want || (res.Indication == qes.Passed) != (test.want == "") {
				t.Errorf("%+v", res)
			}
			local := test.want != "" && test.want != qes.CertRevoked && test.want != qes.CertSuspended && test.want != qes.CertStatusUnknown
			if n := s.Asked(qestest.ServiceOCSP) - asked; local != (n == 0) {
				t.Errorf("the responder was asked %d times", n)
			}
		})
	}
	s.SetDown(qestest.ServiceOCSP, true)
	s.SetDown(qestest.ServiceCRL, true)
	i := s.issue(t, qestest.Request{RNOKPP: "1234567899"})
	if res, err := s.validator.Verify(t.Context(), sign(t, i), challenge); !errors.Is(err, qes.CertStatusUnreachable) || res.Indication != qes.Indeterminate {
		t.Errorf("down: %v", err)
	}
}

// TestServeRefusesDemoKeys: the national pins know nothing of a test provider, whatever its keys are like.
func TestServeRefusesDemoKeys(t *testing.T) {
	s := newSite(t, qes.Policy{})
	store, err := trustlist.New(trustlist.Config{Pins: trustlist.NationalPins(), Candidates: s.Candidates(), Directory: trustlist.Directory()})
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []qestest.Request{
		{RNOKPP: "1234567899"}, {Kind: qestest.Seal, EDRPOU: "12345678"}, {RNOKPP: "1234567899", NotAfter: s.now.Add(-time.Hour)},
		{RNOKPP: "1234567899", NotBefore: s.now.Add(time.Hour)}, {RNOKPP: "1234567899", Status: qestest.Revoked}, {}, {Authority: qestest.Stranger, RNOKPP: "1234567899"},
		{Authority: qestest.ECDSA, Algorithm: qestest.P256, RNOKPP: "1234567899"},
	} {
		if _, err := v.Verify(t.Context(), sign(t, s.issue(t, r)), challenge); !errors.Is(err, qes.KeyIssuerUntrusted) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// nobody is a checker that must not be asked.
type nobody struct{ qes.RevocationChecker }

// TestM191RefusedAtLogin: the real key on a small curve, in a certificate of a trusted issuer (T12).
func TestM191RefusedAtLogin(t *testing.T) {
	container, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/GovAuction-Key-6.dat"), []byte("12345677"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, qes.Policy{})
	for i := range container.Keys {
		key := container.Keys[i].DSTU
		if container.Keys[i].Curve != "M191" {
			continue
		}
		signer, err := qes.NewSigner(key)
		if err != nil {
			t.Fatal(err)
		}
		issued := s.issue(t, qestest.Request{Algorithm: qestest.M191, RNOKPP: "1234567899"})
		// The certificate is for a key of the same curve; the signature is by the real one. Both are refused for the curve.
		b, err := cms.Sign(signer, cms.Options{Certificate: issued.Certificate.Raw, Content: challenge})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.validator.Verify(t.Context(), b, challenge)
		var refused *qes.Error
		if !errors.As(err, &refused) || refused.Code != qes.FormatUnsupported || refused.Values["kind"] != "curve" || refused.Values["name"] != "M191" {
			t.Errorf("%v %v", err, refused)
		}
		return
	}
	t.Fatal("no key on M191 in the container")
}

// TestRealSignaturesAtLogin: of the real signatures none signs in, and none makes anybody ask a responder (T95).
func TestRealSignaturesAtLogin(t *testing.T) {
	bundle, err := trustlist.ParseBundle(vectors.ReadTrust(t, "CACertificates.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2023, 9, 20, 0, 0, 0, 0, time.UTC)
	store, err := trustlist.New(trustlist.Config{Pins: trustlist.NationalPins(), Candidates: bundle, Directory: trustlist.Directory(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: nobody{}, Policy: qes.Policy{Limits: cms.UploadLimits}, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	fox := vectors.Read(t, "cms/fox.txt")
	for name, want := range map[string]qes.Code{
		"bes-attached.p7s":             qes.CertSeal,
		"bes-detached.p7s":             qes.CertSeal,
		"t-attached.p7s":               qes.CertSeal,
		"neg-bes-attached-content.p7s": qes.SigInvalid,
		"neg-bes-attached-sig.p7s":     qes.SigInvalid,
		"xlong-attached.p7s":           qes.SigInvalid,
		"jkurwa-detached.p7s":          qes.SigInvalid,
		"p256-detached.p7s":            qes.KeyIssuerUntrusted,
		"rsa-detached.p7s":             qes.KeyIssuerUntrusted,
		"kupyna-contentunknown.p7s":    qes.SigInvalid,
		"env-ephemeral.p7e":            qes.FormatUnsupported,
		"fox.txt":                      qes.CMSMalformed,
	} {
		if _, err := v.Verify(t.Context(), vectors.Read(t, "cms/"+name), fox); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// TestRealDirector: the director of a real container signs in at a time inside the validity of its certificate, with the CA
// trusted by the test and a double for revocation; the seal beside it does not.
func TestRealDirector(t *testing.T) {
	container, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/privatbank-test-boss.jks"), []byte("1111111111"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
	var pins []trustlist.Pin
	var parsed []*cert.Certificate
	for _, b := range container.Certificates {
		c, err := cert.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, c)
		if isCA, _ := c.BasicConstraints(); isCA {
			pins = append(pins, trustlist.Pin{Fingerprint: trustlist.FingerprintOf(b), Name: c.IssuerName(), Origin: "the container"})
		}
	}
	store, err := trustlist.New(trustlist.Config{Pins: pins, Candidates: container.Certificates, AllowUnlisted: true, AllowTest: true, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: always(qes.StatusGood), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	signed := map[cert.Kind]int{}
	for _, c := range parsed {
		for i := range container.Keys {
			if !container.Keys[i].Fits(c.Certificate) || c.Kind() == cert.KindEncryption {
				continue
			}
			signer, err := qes.NewSigner(container.Keys[i].DSTU)
			if err != nil {
				t.Fatal(err)
			}
			b, err := cms.Sign(signer, cms.Options{Certificate: c.Raw, Content: challenge})
			if err != nil {
				t.Fatal(err)
			}
			res, err := v.Verify(t.Context(), b, challenge)
			signed[c.Kind()]++
			switch c.Kind() {
			case cert.KindEmployee:
				if err != nil {
					t.Errorf("the director: %v", err)
					continue
				}
				subject, err := res.Signer.Subject()
				if err != nil || len(subject.Identifier(cert.RNOKPP)) != 10 || len(subject.Identifier(cert.EDRPOU)) != 8 {
					t.Errorf("the director has no numbers: %v", err)
				}
			case cert.KindSeal:
				if !errors.Is(err, qes.CertSeal) {
					t.Errorf("the seal: %v", err)
				}
			default:
				t.Errorf("kind %v", c.Kind())
			}
		}
	}
	if signed[cert.KindEmployee] != 1 || signed[cert.KindSeal] != 1 {
		t.Errorf("signed with %v", signed)
	}
}

// FuzzLoginResult: whatever is done to a valid login, what is still accepted says the same of the same person (threats.md 5,
// number 2).
func FuzzLoginResult(f *testing.F) {
	s := newSite(f, qes.Policy{})
	var seeds [][]byte
	for _, r := range []qestest.Request{{}, {Authority: qestest.ECDSA, Algorithm: qestest.P256}} {
		r.RNOKPP = "1234567899"
		seeds = append(seeds, sign(f, s.issue(f, r)))
	}
	original := make([]*qes.Result, len(seeds))
	store, err := s.TrustStore()
	if err != nil {
		f.Fatal(err)
	}
	at := s.now
	v, err := qes.New(qes.Config{Trust: store, Revocation: always(qes.StatusGood), Now: func() time.Time { return at }})
	if err != nil {
		f.Fatal(err)
	}
	for i, seed := range seeds {
		if original[i], err = v.Verify(f.Context(), seed, challenge); err != nil {
			f.Fatal(err)
		}
		f.Add(i, 10, byte(1), 0)
		f.Add(i, len(seed)-1, byte(0x80), 0)
		f.Add(i, 100, byte(0), 50)
	}
	f.Fuzz(func(t *testing.T, which, position int, flip byte, cut int) {
		i := abs(which) % len(seeds)
		b := bytes.Clone(seeds[i])
		b[abs(position)%len(b)] ^= flip
		if cut > 0 && cut < len(b) {
			b = append(b[:len(b)-cut], b[len(b)-cut/2:]...)
		}
		res, err := v.Verify(t.Context(), b, challenge)
		if (err == nil) != (res.Indication == qes.Passed) {
			t.Fatalf("%v with %v", res.Indication, err)
		}
		if err == nil && (!res.Signer.Equal(original[i].Signer) || res.Purpose != "login" || res.SignatureAlgorithm != original[i].SignatureAlgorithm) {
			t.Fatal("accepted with another meaning")
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

// BenchmarkValidateLogin is a login without the network, of a person who signed in before. "first" are persons of whom no
// certificate is remembered. The last is the measure for the others.
func BenchmarkValidateLogin(b *testing.B) {
	s := newSite(b, qes.Policy{})
	store, err := s.TrustStore()
	if err != nil {
		b.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: always(qes.StatusGood)})
	if err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct {
		authority string
		algorithm qestest.Algorithm
	}{{qestest.Main, qestest.M257}, {qestest.Second, qestest.M431}, {qestest.ECDSA, qestest.P256}, {qestest.RSA, qestest.RSA2048}} {
		b.Run(string(test.algorithm), func(b *testing.B) {
			signature := sign(b, s.issue(b, qestest.Request{Authority: test.authority, Algorithm: test.algorithm, RNOKPP: "1234567899"}))
			cpu := cpuTime(b)
			for b.Loop() {
				if _, err := v.Verify(b.Context(), signature, challenge); err != nil {
					b.Fatal(err)
				}
			}
			cpu()
		})
	}
	b.Run(string(qestest.M257)+" first", func(b *testing.B) {
		signatures := make([][]byte, qes.MaxKnown+1)
		for i := range signatures {
			signatures[i] = sign(b, s.issue(b, qestest.Request{Authority: qestest.Main, Algorithm: qestest.M257, RNOKPP: "1234567899"}))
		}
		cpu := cpuTime(b)
		for i := 0; b.Loop(); i++ {
			if _, err := v.Verify(b.Context(), signatures[i%len(signatures)], challenge); err != nil {
				b.Fatal(err)
			}
		}
		cpu()
	})
	b.Run("P-256 verify alone", func(b *testing.B) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256(challenge)
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		cpu := cpuTime(b)
		for b.Loop() {
			if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
				b.Fatal("refused")
			}
		}
		cpu()
	})
}

// TestDoubleOctetString: a ДСТУ value in a further OCTET STRING, as an OpenSSL engine writes it, is the same signature; other
// lengths are none (T14).
func TestDoubleOctetString(t *testing.T) {
	s := newSite(t, qes.Policy{})
	i := s.issue(t, qestest.Request{RNOKPP: "1234567899"})
	b := sign(t, i)
	sd, err := cms.Parse(b, cms.LoginLimits)
	if err != nil {
		t.Fatal(err)
	}
	value := sd.Signers[0].Signature
	for name, test := range map[string]struct {
		value []byte
		want  qes.Code
	}{
		"raw":       {value, ""},
		"nested":    {der.EncodeOctetString(value), ""},
		"twice":     {der.EncodeOctetString(der.EncodeOctetString(value)), qes.SigInvalid},
		"one more":  {append(bytes.Clone(value), 0), qes.SigInvalid},
		"one less":  {value[:63], qes.SigInvalid},
		"zero":      {make([]byte, 64), qes.SigInvalid},
		"swapped":   {append(bytes.Clone(value[32:]), value[:32]...), qes.SigInvalid},
		"bitstring": {append([]byte{3, 64}, value...), qes.SigInvalid},
	} {
		if _, err := s.validator.Verify(t.Context(), replaceSignature(t, b, value, test.value), challenge); test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// replaceSignature writes the message again with another signature value.
func replaceSignature(t *testing.T, message, old, value []byte) []byte {
	t.Helper()
	var rewrite func(v der.Value) []byte
	replaced := 0
	rewrite = func(v der.Value) []byte {
		if v.Tag == der.OctetString && bytes.Equal(v.Bytes, old) {
			replaced++
			return der.EncodeOctetString(value)
		}
		if !v.Tag.IsConstructed() {
			return v.Full
		}
		var parts [][]byte
		for r := v.Reader(); r.More(); {
			parts = append(parts, rewrite(r.Next()))
		}
		return der.Element(v.Tag, parts...)
	}
	v, err := der.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	out := rewrite(v)
	if replaced != 1 {
		t.Fatal(fmt.Errorf("%d values replaced", replaced))
	}
	return out
}
