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
	for range trustlist.ManyIssued {
		ask(issued.Certificate, 1)
	}
	made := s.TableOctets()
	if made <= 0 || made > 768<<10 {
		t.Fatalf("tables of %d octets", made)
	}
	for range 2 * trustlist.ManyIssued {
		ask(issued.Certificate, 1)
		ask(&cert.Certificate{Certificate: &forged}, 0)
	}
	if n := s.TableOctets(); n != made {
		t.Errorf("tables of %d octets, then of %d", made, n)
	}
}
