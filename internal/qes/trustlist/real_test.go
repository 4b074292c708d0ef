package trustlist

import (
	"errors"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// realConfig is what a server of ours would have: the national pins, the directory, and the public bundle.
func realConfig(t testing.TB) Config {
	t.Helper()
	candidates, err := ParseBundle(vectors.ReadTrust(t, "CACertificates.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	return Config{Pins: NationalPins(), Candidates: candidates, Directory: Directory()}
}

func mustNew(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readCertificate(t testing.TB, name string) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(vectors.Read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRealBundle(t *testing.T) {
	s := mustNew(t, realConfig(t))
	if s.Skipped() != 0 {
		t.Errorf("%d certificates of the bundle could not be read", s.Skipped())
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	providers := s.Providers(at)
	if len(providers) != len(Directory()) {
		t.Errorf("got %d providers with a proven CA, want all %d", len(providers), len(Directory()))
	}
	// Every CA in force under a pinned root is named by the directory, or is known here to issue to no person.
	listed := make(map[string]bool)
	for _, c := range s.all {
		search := search{store: s, at: at, budget: maxVerified}
		if !c.mayIssue(at, 0) || s.anchors[c.id] {
			continue
		}
		_, ok := search.prove(c, 0)
		if ok && c.provider == nil && c.cn != "National Bank of Ukraine CA ECDSA for OpenBanking" {
			t.Errorf("proven, but not in the directory: %s", c.cn)
		}
		listed[c.cn] = listed[c.cn] || ok
	}
	for _, cn := range []string{"КНЕДП EDIN ID ТОВ “АТС”", "QTSP-RSA of JSC \"BANK ALLIANCE\"", "QTSP-ECDSA of JSC \"BANK ALLIANCE\""} {
		if !listed[cn] {
			t.Errorf("%q stands in the directory and in no certificate", cn)
		}
	}
}

// Every server certificate of the bundle that is in force finds its service, Купина-signed ones included.
func TestRealServers(t *testing.T) {
	s := mustNew(t, realConfig(t))
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	kupyna := 0
	for _, c := range s.all {
		if c.provider == nil || s.anchors[c.id] || !c.mayIssue(at, 0) {
			continue
		}
		services, err := s.Services(qes.ServiceRoot, c.Certificate, at)
		if err != nil || len(services) != 1 {
			t.Errorf("%s: got %d roots, %v", c.cn, len(services), err)
			continue
		}
		if c.SignatureAlgorithm.OID.String() == "1.2.804.2.1.1.1.1.3.6.1.1" {
			kupyna++
		}
	}
	if kupyna == 0 {
		t.Error("no CA signed with Купина was proven")
	}
}

func TestRealPersonCertificate(t *testing.T) {
	cfg := realConfig(t)
	cfg.Candidates = append(cfg.Candidates, vectors.Read(t, "certs/diia-ca.cer"), vectors.Read(t, "certs/cao-root.cer"))
	s := mustNew(t, cfg)
	leaf := readCertificate(t, "certs/diia-test-sign.cer")
	at := time.Date(2023, 9, 19, 18, 17, 18, 0, time.UTC)
	services, err := s.Services(qes.ServiceCAQC, leaf, at)
	if err != nil || len(services) != 1 {
		t.Fatalf("got %d services, %v", len(services), err)
	}
	got := services[0]
	if got.OCSP != "http://ca.informjust.ua/services/ocsp/" || got.Name != Directory()[0].Name() ||
		got.Anchor.SubjectAttribute(tbs.OIDCommonName) != "Центральний засвідчувальний орган" || got.Anchor.Fingerprint() != NationalPins()[8].Fingerprint {
		t.Errorf("got %q, %q under %s", got.Name, got.OCSP, got.Anchor.SubjectAttribute(tbs.OIDCommonName))
	}
	for _, outside := range []time.Time{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)} {
		if services, err := s.Services(qes.ServiceCAQC, leaf, outside); err != nil || len(services) != 0 {
			t.Errorf("at %s: got %d services, %v", outside, len(services), err)
		}
	}
	if services, err := s.Services(qes.ServiceTSA, readCertificate(t, "certs/diia-tsp-2023.cer"), at); err != nil || len(services) != 1 {
		t.Errorf("TSA: got %d services, %v", len(services), err)
	}
	if services, err := s.Services(qes.ServiceTSA, leaf, at); err != nil || len(services) != 0 {
		t.Errorf("a signer as TSA: got %d services, %v", len(services), err)
	}
	if services, err := s.Services(qes.ServiceOCSP, readCertificate(t, "certs/diia-ocsp.cer"), at); err != nil || len(services) != 1 {
		t.Errorf("OCSP: got %d services, %v", len(services), err)
	}
}

// T17: whatever stands in a bundle, self-signed roots included, vouches for nothing by standing there.
func TestBundleGivesNoAnchors(t *testing.T) {
	cfg := realConfig(t)
	cfg.Pins = cfg.Pins[:1] // the root of 2012 alone
	s := mustNew(t, cfg)
	at := time.Date(2023, 9, 19, 0, 0, 0, 0, time.UTC)
	if services, err := s.Services(qes.ServiceCAQC, readCertificate(t, "certs/diia-test-sign.cer"), at); err != nil || len(services) != 0 {
		t.Errorf("got %d services, %v: the root of 2020 is not pinned", len(services), err)
	}
	if got := s.Providers(at); len(got) != 0 {
		t.Errorf("%d providers proven under an expired root", len(got))
	}
	if _, err := New(Config{Candidates: cfg.Candidates, Directory: cfg.Directory}); err == nil {
		t.Error("a store without pins")
	}
}

func TestTestRootRefusedInServe(t *testing.T) {
	for _, p := range testPins() {
		cfg := realConfig(t)
		cfg.Pins = append(cfg.Pins, p)
		if _, err := New(cfg); !errors.Is(err, ErrTestRoot) {
			t.Errorf("%q as an anchor: got %v, want ErrTestRoot", p.Name, err)
		}
		cfg.Pins[len(cfg.Pins)-1].Name = "Центральний засвідчувальний орган" // under an honest name
		if _, err := New(cfg); !errors.Is(err, ErrTestRoot) {
			t.Errorf("%q renamed: got %v, want ErrTestRoot", p.Name, err)
		}
	}
	// A test root under a fingerprint that is not known yet is left out by its name, even if pinned.
	cfg := realConfig(t)
	leaf := readCertificate(t, "certs/xlong-signer.cer") // of the ЦЗО's test CA
	at := time.Date(2025, 6, 12, 9, 50, 35, 0, time.UTC)
	cfg.Pins = append(cfg.Pins, testPins()...)
	cfg.AllowUnlisted = true
	cfg.AllowTest = true
	if services, err := mustNew(t, cfg).Services(qes.ServiceCAQC, leaf, at); err != nil || len(services) != 1 {
		t.Fatalf("for tests: got %d services, %v", len(services), err)
	}
	cfg.AllowTest = false
	cfg.Pins = NationalPins()
	s := mustNew(t, cfg)
	for _, c := range s.all {
		if isTestName(c.cn) {
			t.Fatalf("%q is a candidate", c.cn)
		}
	}
	if services, err := s.Services(qes.ServiceCAQC, leaf, at); err != nil || len(services) != 0 {
		t.Errorf("in serve: got %d services, %v", len(services), err)
	}
}

func TestStaleStore(t *testing.T) {
	cfg := realConfig(t)
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	cfg.NextUpdate, cfg.Now = now, func() time.Time { return now }
	s := mustNew(t, cfg)
	leaf := readCertificate(t, "certs/diia-test-sign.cer")
	if _, err := s.Services(qes.ServiceCAQC, leaf, now); err != nil {
		t.Errorf("in time: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := s.Services(qes.ServiceCAQC, leaf, now); !errors.Is(err, qes.ErrTrustListStale) {
		t.Errorf("got %v, want ErrTrustListStale", err)
	}
}

func TestWithdrawn(t *testing.T) {
	cfg := realConfig(t)
	cfg.Candidates = append(cfg.Candidates, vectors.Read(t, "certs/diia-ca.cer"))
	at := time.Date(2023, 9, 19, 0, 0, 0, 0, time.UTC)
	leaf := readCertificate(t, "certs/diia-test-sign.cer")
	ca := FingerprintOf(vectors.Read(t, "certs/diia-ca.cer"))
	for since, want := range map[time.Time]int{at: 0, at.Add(time.Hour): 1, {}: 0} {
		cfg.Withdrawn = map[Fingerprint]time.Time{ca: since}
		if services, err := mustNew(t, cfg).Services(qes.ServiceCAQC, leaf, at); err != nil || len(services) != want {
			t.Errorf("withdrawn since %s: got %d services, %v, want %d", since, len(services), err, want)
		}
	}
}
