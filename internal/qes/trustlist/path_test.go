package trustlist_test

import (
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/qestest"
	"brama/internal/qes/trustlist"
)

func newProvider(t *testing.T) *qestest.Provider {
	t.Helper()
	p, err := qestest.New(qestest.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func issue(t *testing.T, p *qestest.Provider, r qestest.Request) *qestest.Issued {
	t.Helper()
	r.FamilyName, r.GivenName, r.RNOKPP = "Тестенко", "Олена", "1234567899"
	issued, err := p.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func services(t *testing.T, cfg trustlist.Config, kind qes.ServiceType, c *cert.Certificate) []qes.Service {
	t.Helper()
	s, err := trustlist.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Services(kind, c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestServices(t *testing.T) {
	p := newProvider(t)
	for authority, want := range map[string]int{
		qestest.Main: 1, qestest.Second: 1, qestest.Kupyna: 1, qestest.ECDSA: 1, qestest.Stranger: 0,
	} {
		leaf := issue(t, p, qestest.Request{Authority: authority}).Certificate
		got := services(t, p.TrustConfig(), qes.ServiceCAQC, leaf)
		if len(got) != want {
			t.Errorf("%s: got %d services, want %d", authority, len(got), want)
			continue
		}
		if want == 1 && (string(got[0].Certificate.Raw) != string(p.CACertificate(authority)) || string(got[0].Anchor.Raw) != string(p.RootCertificate(authority)) ||
			got[0].OCSP == "" || got[0].TSP == "" || got[0].CMP == "" || got[0].Name == "") {
			t.Errorf("%s: got %+v", authority, got[0])
		}
	}
}

// T17, T92: the very store of a server, with nothing of a test in it, knows none of the test provider's people.
func TestNationalPinsRefuseTestProvider(t *testing.T) {
	p := newProvider(t)
	cfg := p.TrustConfig()
	cfg.Pins = trustlist.NationalPins()
	cfg.AllowTest = false
	leaf := issue(t, p, qestest.Request{}).Certificate
	if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != 0 {
		t.Errorf("got %d services", len(got))
	}
	cfg.Pins = p.Pins() // pinned by a careless operator
	if _, err := trustlist.New(cfg); err == nil {
		t.Error("a test root is an anchor outside dev")
	}
	for i := range cfg.Pins {
		cfg.Pins[i].Name = "an honest root"
	}
	if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != 0 {
		t.Errorf("pinned under another name: got %d services", len(got))
	}
}

// T19: an authority of the same name and the same key identifiers, but another key.
func TestSameSKIOtherKey(t *testing.T) {
	p, impostor := newProvider(t), newProvider(t) // equal names, other keys
	leaf := issue(t, impostor, qestest.Request{}).Certificate
	cfg := p.TrustConfig()
	cfg.Candidates = append(cfg.Candidates, impostor.Candidates()...)
	if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != 0 {
		t.Errorf("by name: got %d services", len(got))
	}
	forged := issue(t, impostor, qestest.Request{Forge: &qestest.Forgery{AuthorityKeyID: keyIDOf(t, p.CACertificate(qestest.Main))}}).Certificate
	if got := services(t, cfg, qes.ServiceCAQC, forged); len(got) != 0 {
		t.Errorf("by name and key identifier: got %d services", len(got))
	}
	honest := issue(t, p, qestest.Request{}).Certificate
	if got := services(t, cfg, qes.ServiceCAQC, honest); len(got) != 1 {
		t.Errorf("the honest one beside it: got %d services", len(got))
	}
}

func keyIDOf(t *testing.T, der []byte) []byte {
	t.Helper()
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c.SubjectKeyID()
}

// T19: a person's certificate, or a CA's without the right, as an issuer. Each stands among the candidates.
func TestLeafAsCA(t *testing.T) {
	p := newProvider(t)
	for name, test := range map[string]struct {
		forge qestest.Forgery
		want  int
	}{
		"a real intermediate":           {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: -1}, 1},
		"a person":                      {qestest.Forgery{Intermediate: true}, 0},
		"basicConstraints alone":        {qestest.Forgery{Intermediate: true, CA: true, PathLen: -1}, 0},
		"keyCertSign alone":             {qestest.Forgery{Intermediate: true, KeyCertSign: true}, 0},
		"unknown critical extension":    {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: -1, Critical: true}, 0},
		"below a CA that may have none": {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: -1, UnderCA: true}, 0},
		"path of length 0, leaf below":  {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: 0}, 1},
		"expired":                       {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: -1, Expired: true}, 0},
		"not yet valid when it signed":  {qestest.Forgery{Intermediate: true, CA: true, KeyCertSign: true, PathLen: -1, Young: true}, 0},
	} {
		leaf, intermediate, err := p.IssueBelow(test.forge)
		if err != nil {
			t.Fatal(err)
		}
		cfg := p.TrustConfig()
		cfg.Candidates = append(cfg.Candidates, intermediate)
		if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != test.want {
			t.Errorf("%s: got %d services, want %d", name, len(got), test.want)
		}
	}
}

// T19: what a service may do, and since when.
func TestServiceTypeAndStatus(t *testing.T) {
	p := newProvider(t)
	leaf := issue(t, p, qestest.Request{}).Certificate
	responder, tsa, ca := parse(t, p.ResponderCertificate(qestest.Main)), parse(t, p.TSACertificate(qestest.Main)), parse(t, p.CACertificate(qestest.Main))
	for _, test := range []struct {
		name string
		kind qes.ServiceType
		c    *cert.Certificate
		want int
	}{
		{"person of a CA", qes.ServiceCAQC, leaf, 1},
		{"person of a root", qes.ServiceRoot, leaf, 0},
		{"CA of a root", qes.ServiceRoot, ca, 1},
		{"responder", qes.ServiceOCSP, responder, 1},
		{"responder as TSA", qes.ServiceTSA, responder, 0},
		{"TSA", qes.ServiceTSA, tsa, 1},
		{"TSA as responder", qes.ServiceOCSP, tsa, 0},
		{"person as TSA", qes.ServiceTSA, leaf, 0},
	} {
		if got := services(t, p.TrustConfig(), test.kind, test.c); len(got) != test.want {
			t.Errorf("%s: got %d services, want %d", test.name, len(got), test.want)
		}
	}
	// A CA that the directory does not name is not granted to issue to persons, though its path is good.
	cfg := p.TrustConfig()
	cfg.Directory = cfg.Directory[1:]
	if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != 0 {
		t.Errorf("not in the directory: got %d services", len(got))
	}
	cfg.AllowUnlisted = true
	if got := services(t, cfg, qes.ServiceCAQC, leaf); len(got) != 1 || got[0].OCSP != "" {
		t.Errorf("by hand: got %+v", got)
	}
	s, err := trustlist.New(p.TrustConfig())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Services("CA/WEB", leaf, time.Now()); err == nil {
		t.Error("an unknown type of service is answered")
	}
}

func parse(t *testing.T, b []byte) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A certificate whose signature was changed, or that names another issuer, has no service.
func TestBrokenLeaf(t *testing.T) {
	p := newProvider(t)
	leaf := issue(t, p, qestest.Request{}).Certificate
	broken := append([]byte{}, leaf.Raw...)
	broken[len(broken)-3] ^= 1
	if got := services(t, p.TrustConfig(), qes.ServiceCAQC, parse(t, broken)); len(got) != 0 {
		t.Errorf("got %d services", len(got))
	}
	if v, err := der.Parse(leaf.Raw); err != nil || v.Tag != der.Sequence {
		t.Fatal("not a certificate")
	}
}
