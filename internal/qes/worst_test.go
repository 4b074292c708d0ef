package qes_test

import (
	"errors"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// worstLogin bounds the CPU of one hostile login on a slow machine (T94).
const worstLogin = 2 * time.Second

// worstMessage is a login on the largest curve with as many and as large certificates as the limits let through, and more
// of them if more is not 0.
func worstMessage(t testing.TB, s *site, more int) []byte {
	t.Helper()
	i := s.issue(t, qestest.Request{Authority: qestest.Second, Algorithm: qestest.M431, RNOKPP: "1234567899"})
	var chain [][]byte
	for len(chain) < cms.LoginLimits.Certificates-1+more {
		chain = append(chain, s.issue(t, qestest.Request{Authority: qestest.Second, Algorithm: qestest.M431, RNOKPP: "1234567899"}).Certificate.Raw)
	}
	b, err := cms.Sign(i.Key, cms.Options{Certificate: i.Certificate.Raw, Chain: chain, Content: challenge})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWorstLogin: the worst login is bounded, and one certificate more is refused.
func TestWorstLogin(t *testing.T) {
	s := newSite(t, qes.Policy{})
	b := worstMessage(t, s, 0)
	start := time.Now()
	if _, err := s.validator.Verify(t.Context(), b, challenge); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > worstLogin {
		t.Errorf("took %v", took)
	}
	if _, err := s.validator.Verify(t.Context(), worstMessage(t, s, 1), challenge); !errors.Is(err, qes.CMSMalformed) {
		t.Errorf("nine certificates: %v", err)
	}
}

// BenchmarkWorstLogin is the same without the network: of a login that passes, and of one that fails as late as it can.
func BenchmarkWorstLogin(b *testing.B) {
	s := newSite(b, qes.Policy{})
	store, err := s.TrustStore()
	if err != nil {
		b.Fatal(err)
	}
	message := worstMessage(b, s, 0)
	for _, test := range []struct {
		name   string
		status qes.RevocationStatus
		want   qes.Code
	}{{"passed", qes.StatusGood, ""}, {"revoked", qes.StatusRevoked, qes.CertRevoked}} {
		b.Run(test.name, func(b *testing.B) {
			v, err := qes.New(qes.Config{Trust: store, Revocation: always(test.status)})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if res, _ := v.Verify(b.Context(), message, challenge); res.Code != test.want {
					b.Fatalf("got %q, want %q", res.Code, test.want)
				}
			}
			if each := b.Elapsed() / time.Duration(b.N); each > worstLogin {
				b.Errorf("%v each, want at most %v", each, worstLogin)
			}
		})
	}
}
