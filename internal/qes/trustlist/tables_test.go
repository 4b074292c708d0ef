package trustlist_test

import (
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/qestest"
	"brama/internal/qes/trustlist"
)

// TestTables: the key of an issuer gets tables after many genuine certificates, verifies and refuses by them, and a forged
// certificate counts for nothing.
func TestTables(t *testing.T) {
	p := newProvider(t)
	issued := issue(t, p, qestest.Request{Authority: qestest.Main})
	s, err := trustlist.New(p.TrustConfig())
	if err != nil {
		t.Fatal(err)
	}
	forged := *issued.Certificate.Certificate
	forged.Signature = append([]byte{}, forged.Signature...)
	forged.Signature[10] ^= 1
	ask := func(c *cert.Certificate, want int) {
		t.Helper()
		if got, err := s.Services(qes.ServiceCAQC, c, time.Now()); err != nil || len(got) != want {
			t.Fatalf("%d services, %v", len(got), err)
		}
	}
	for range 2 * trustlist.ManyIssued {
		ask(&cert.Certificate{Certificate: &forged}, 0)
	}
	if n := s.TableOctets(); n != 0 {
		t.Fatalf("forged certificates made tables of %d octets", n)
	}
	for range 2 * trustlist.ManyIssued {
		ask(issued.Certificate, 1) // one certificate is verified once
	}
	if n := s.TableOctets(); n != 0 {
		t.Fatalf("one certificate made tables of %d octets", n)
	}
	for range trustlist.ManyIssued {
		ask(&cert.Certificate{Certificate: issued.Certificate.Certificate}, 1)
	}
	made := s.TableOctets()
	if made <= 0 || made > 768<<10 {
		t.Fatalf("tables of %d octets", made)
	}
	for range 2 * trustlist.ManyIssued {
		ask(&cert.Certificate{Certificate: issued.Certificate.Certificate}, 1)
		ask(&cert.Certificate{Certificate: &forged}, 0)
	}
	if n := s.TableOctets(); n != made {
		t.Errorf("tables of %d octets, then of %d", made, n)
	}
}

// TestTrustIsJudgedAnew: that a key signed a certificate is verified once; whether the key vouches is asked each time (T17).
func TestTrustIsJudgedAnew(t *testing.T) {
	p := newProvider(t)
	c := issue(t, p, qestest.Request{Authority: qestest.Main}).Certificate
	good := services(t, p.TrustConfig(), qes.ServiceCAQC, c)
	if len(good) != 1 || !c.IssuedBy(good[0].Certificate) {
		t.Fatalf("%d services", len(good))
	}
	withdrawn := p.TrustConfig()
	withdrawn.Withdrawn = map[trustlist.Fingerprint]time.Time{good[0].Certificate.Fingerprint(): {}}
	if n := len(services(t, withdrawn, qes.ServiceCAQC, c)); n != 0 {
		t.Errorf("%d services of a withdrawn issuer", n)
	}
	others := p.TrustConfig()
	others.Pins = []trustlist.Pin{{Fingerprint: c.Fingerprint(), Name: "another"}}
	if n := len(services(t, others, qes.ServiceCAQC, c)); n != 0 {
		t.Errorf("%d services under another anchor", n)
	}
}
