package qestest

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes/cert"
	"brama/internal/qes/cmp"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
	"brama/internal/qes/trustlist"
)

func start(t *testing.T, change ...func(*Config)) *Provider {
	t.Helper()
	cfg := Config{}
	for _, f := range change {
		f(&cfg)
	}
	server := httptest.NewUnstartedServer(nil)
	cfg.BaseURL = "http://" + server.Listener.Addr().String()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return p
}

func olena(r Request) Request {
	r.FamilyName, r.GivenName, r.MiddleName, r.RNOKPP = "Тестенко", "Олена", "Петрівна", "1234567899"
	return r
}

func TestKinds(t *testing.T) {
	p := start(t)
	for name, test := range map[string]struct {
		request Request
		want    cert.Kind
	}{
		"person":       {Request{}, cert.KindPerson},
		"old person":   {Request{Old: true}, cert.KindPerson},
		"employee":     {Request{Kind: Employee, Organization: "ТОВ «Тест»", EDRPOU: "12345678", Title: "директор"}, cert.KindEmployee},
		"entrepreneur": {Request{Kind: Entrepreneur}, cert.KindEntrepreneur},
		"seal":         {Request{Kind: Seal, Organization: "ТОВ «Тест»", EDRPOU: "12345678"}, cert.KindSeal},
		"encryption":   {Request{Kind: Encryption}, cert.KindEncryption},
		"by ECDSA":     {Request{Authority: ECDSA, Algorithm: P256}, cert.KindPerson},
		"by Купина":    {Request{Authority: Kupyna, Algorithm: M257Kupyna}, cert.KindPerson},
	} {
		issued, err := p.Issue(olena(test.request))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c := issued.Certificate
		if got := c.Kind(); got != test.want || !c.Qualified() || c.Warning() != "" || len(c.Unresolved()) != 0 {
			t.Errorf("%s: got kind %s, qualified %v, warning %q, unresolved %v, want %s", name, got, c.Qualified(), c.Warning(), c.Unresolved(), test.want)
		}
		subject, err := c.Subject()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.want != cert.KindSeal && (subject.Identifier(cert.RNOKPP) != "1234567899" || subject.FamilyName != "Тестенко" || len(subject.Warnings) != 0) {
			t.Errorf("%s: got %+v", name, subject)
		}
		ca, _ := cert.Parse(p.CACertificate(issued.Authority))
		if err := c.CheckSignatureFrom(ca); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Go's own verifier takes the ECDSA and RSA hierarchies: what is written here is not only readable by ourselves.
func TestForeignVerifier(t *testing.T) {
	p := start(t, func(c *Config) { c.RSA = true })
	for authority, a := range map[string]Algorithm{ECDSA: P256, RSA: RSA2048} {
		issued, err := p.Issue(olena(Request{Authority: authority, Algorithm: a}))
		if err != nil {
			t.Fatal(err)
		}
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		root, _ := x509.ParseCertificate(p.RootCertificate(authority))
		ca, _ := x509.ParseCertificate(p.CACertificate(authority))
		roots.AddCert(root)
		intermediates.AddCert(ca)
		leaf, _ := x509.ParseCertificate(issued.Certificate.Raw)
		leaf.UnhandledCriticalExtensions, ca.UnhandledCriticalExtensions = nil, nil // QC statements
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
			t.Errorf("%s: %v", authority, err)
		}
		res, err := http.Get(p.url(p.byID[authority], ServiceCRL))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		res.Body.Close()
		list, err := x509.ParseRevocationList(b.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", authority, err)
		}
		if err := list.CheckSignatureFrom(ca); err != nil {
			t.Errorf("%s: CRL: %v", authority, err)
		}
	}
}

func TestContainers(t *testing.T) {
	p := start(t)
	for _, request := range []Request{{}, {WithAgreement: true}, {Algorithm: M431}, {Authority: ECDSA, Algorithm: P256}} {
		issued, err := p.Issue(olena(request))
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range Formats() {
			if issued.Key.DSTU == nil && format == FormatKey6 {
				continue
			}
			b, err := issued.Container(format, "тест-1234")
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			c, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("тест-1234"))
			if err != nil {
				t.Errorf("%s of %s: %v", format, issued.Key.Algorithm(), err)
				continue
			}
			fits := false
			for _, k := range c.Keys {
				fits = fits || k.Fits(issued.Certificate.Certificate)
			}
			inside := format == FormatPKCS12 || format == FormatJKS
			if !fits || (len(c.Certificates) > 0) != inside {
				t.Errorf("%s of %s: key fits: %v, %d certificates", format, issued.Key.Algorithm(), fits, len(c.Certificates))
			}
			if request.WithAgreement && format != FormatPKCS8 {
				const want = 2
				if len(c.Keys) != want {
					t.Errorf("%s: %d keys, want %d", format, len(c.Keys), want)
				}
			}
			if _, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("wrong")); err == nil {
				t.Errorf("%s opens with another password", format)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	p := start(t)
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := p.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	search, err := cmp.New(cmp.Config{Do: client.Do, Services: func() []cmp.Service {
		var list []cmp.Service
		for _, provider := range store.Providers(time.Now()) {
			list = append(list, cmp.Service{Issuer: provider.ID(), URL: provider.CMP})
		}
		return list
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		request Request
		issuer  string
		want    int
	}{
		"own issuer":       {Request{}, MainEDRPOU, 1},
		"other issuer":     {Request{}, SecondEDRPOU, 0},
		"all":              {Request{Authority: Second}, "", 1},
		"Купина":           {Request{Authority: Kupyna}, MainEDRPOU, 1},
		"ECDSA":            {Request{Authority: ECDSA, Algorithm: P256}, MainEDRPOU, 1},
		"not published":    {Request{Unpublished: true}, "", 0},
		"stranger's":       {Request{Authority: Stranger}, "", 0},
		"revoked is found": {Request{Status: Revoked}, MainEDRPOU, 1},
	} {
		issued, err := p.Issue(olena(test.request))
		if err != nil {
			t.Fatal(err)
		}
		got, err := search.FindCertificates(t.Context(), test.issuer, [][]byte{issued.Key.ID()})
		if len(got) != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: got %d, %v, want %d", name, len(got), err, test.want)
		}
	}
}

func TestTimeStamp(t *testing.T) {
	p := start(t)
	for _, authority := range []string{Main, Second, Kupyna, ECDSA} {
		data := []byte("підпис")
		a := p.byID[authority]
		sum, _ := a.tsa.key.Digest(data)
		imprint := der.EncodeSequence(a.tsa.key.digest.Encode(), der.EncodeOctetString(sum))
		request := der.EncodeSequence(der.EncodeInt(1), imprint, der.EncodeInt(42), der.EncodeBoolean(true))
		client, _ := fetch.New(fetch.Config{AllowLoopback: true})
		res, err := client.Do(t.Context(), fetch.Request{URL: p.url(a, ServiceTSP), Body: request, ContentType: "application/timestamp-query", PlainHTTP: true})
		if err != nil || res.Status != 200 {
			t.Fatal(err)
		}
		r := der.NewReader(res.Body)
		answer := r.Sequence()
		status := answer.Sequence()
		if status.Int() != 0 {
			t.Fatalf("%s: not granted", authority)
		}
		token := answer.Next().Full
		stamp, err := cms.ParseTimeStamp(token)
		if err != nil {
			t.Errorf("%s: %v", authority, err)
			continue
		}
		if !bytes.Equal(stamp.Imprint, sum) || time.Since(stamp.Time).Abs() > time.Minute {
			t.Errorf("%s: got %x at %s", authority, stamp.Imprint, stamp.Time)
		}
	}
}

// What a store that is not for tests would be given: the names alone betray every authority.
func TestNamesBetray(t *testing.T) {
	p := start(t)
	cfg := p.TrustConfig()
	cfg.AllowTest = false
	for i := range cfg.Pins {
		cfg.Pins[i].Name = ""
	}
	s, err := trustlist.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 0 {
		t.Errorf("%d of our certificates could vouch in serve", s.Len())
	}
	for _, b := range p.Candidates() {
		c, err := tbs.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if c.Serial[0] >= 0x80 || len(c.Serial) != 20 {
			t.Errorf("serial number %x", c.Serial)
		}
	}
}
