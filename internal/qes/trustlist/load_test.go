package trustlist

import (
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/vectors"
)

func TestLoad(t *testing.T) {
	bundle := filepath.Join(vectors.Trust(t), "CACertificates.p7b")
	der := filepath.Join(vectors.Dir(t), "certs", "cao-root.cer")
	inPEM := filepath.Join(t.TempDir(), "two.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: vectors.Read(t, "certs/cao-root.cer")})
	if err := os.WriteFile(inPEM, append(block, block...), 0o600); err != nil {
		t.Fatal(err)
	}
	early, late := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	got, next, err := Load([]Source{
		{Path: bundle, SHA256: strings.ToUpper(ComparedBundle), NextUpdate: late}, {Path: der, NextUpdate: early}, {Path: inPEM},
	})
	if err != nil || len(got) != 827+1+2 || !next.Equal(early) {
		t.Errorf("got %d certificates, next update %s, %v", len(got), next, err)
	}
	if _, next, err := Load([]Source{{Path: der}}); err != nil || !next.IsZero() {
		t.Errorf("no next update: got %s, %v", next, err)
	}
	// T103: a file that is not the recorded one is not read at all.
	if got, _, err := Load([]Source{{Path: bundle, SHA256: ComparedList}}); !errors.Is(err, ErrDigest) || got != nil {
		t.Errorf("got %d certificates, %v, want ErrDigest", len(got), err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, filepath.Join(vectors.Trust(t), "CAs.json"), filepath.Join(vectors.Dir(t), "keys", "diia-test.p12"), "/absent"} {
		if got, _, err := Load([]Source{{Path: path}}); err == nil || got != nil {
			t.Errorf("%s: got %d certificates", filepath.Base(path), len(got))
		}
	}
}

func FuzzParseCertificates(f *testing.F) {
	f.Add(vectors.ReadTrust(f, "CACertificates.Test.p7b"))
	f.Add(vectors.Read(f, "certs/cao-root.cer"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: vectors.Read(f, "certs/cao-root.cer")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseCertificates(b)
		if err != nil && got != nil || err == nil && len(got) > MaxBundleCertificates {
			t.Fatalf("got %d certificates, %v", len(got), err)
		}
	})
}

// Certificates that cannot be read are left out and counted; the same one given twice stands once.
func TestCandidates(t *testing.T) {
	root := vectors.Read(t, "certs/cao-root.cer")
	s := mustNew(t, Config{Pins: NationalPins(), Candidates: [][]byte{root, root, root[:100], []byte("x"), nil}})
	if s.Len() != 1 || s.Skipped() != 3 {
		t.Errorf("got %d in use and %d skipped, want 1 and 3", s.Len(), s.Skipped())
	}
}

func TestDirectoryRefusals(t *testing.T) {
	entry := func(edrpou, cn string) Provider {
		return Provider{EDRPOU: edrpou, Host: "a.example", IssuerCNs: []string{cn}}
	}
	for name, directory := range map[string][]Provider{
		"code twice":   {entry("1", "A"), entry("1", "B")},
		"name twice":   {entry("1", "A"), entry("2", "A")},
		"no name":      {{EDRPOU: "1"}},
		"no code":      {{IssuerCNs: []string{"A"}}},
		"bad address":  {{EDRPOU: "1", IssuerCNs: []string{"A"}, OCSP: "ldap://a.example/"}},
		"no host":      {{EDRPOU: "1", IssuerCNs: []string{"A"}, TSP: "http:///x"}},
		"query in URL": {{EDRPOU: "1", IssuerCNs: []string{"A"}, CMP: "http://a.example/?x"}},
	} {
		if _, err := New(Config{Pins: NationalPins(), Directory: directory}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(Config{Pins: NationalPins(), Directory: Directory()}); err != nil {
		t.Errorf("our own: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	const s = "810faa0088c3ffd9faed3315ea5ed8b059337134885e8f473b04b88920913b5e"
	want := NationalPins()[0].Fingerprint
	for _, form := range []string{s, strings.ToUpper(s), s[:2] + ":" + s[2:4] + " " + s[4:]} {
		if got, err := ParseFingerprint(form); err != nil || got != want || got.String() != s {
			t.Errorf("%s: got %s, %v", form, got, err)
		}
	}
	for _, form := range []string{"", s[:62], s + "00", strings.Repeat("g", 64)} {
		if _, err := ParseFingerprint(form); err == nil {
			t.Errorf("%q is taken", form)
		}
	}
}
