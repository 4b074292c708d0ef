package qes_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/qestest"
)

// issued are n certificates of different octets.
func issued(t *testing.T, n int) []*cert.Certificate {
	t.Helper()
	p, err := qestest.New(qestest.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	list := make([]*cert.Certificate, n)
	for i := range list {
		issued, err := p.Issue(qestest.Request{Authority: qestest.Main, Algorithm: qestest.M257, RNOKPP: "1234567899", FamilyName: "Тестенко", GivenName: "Олена"})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = issued.Certificate
	}
	return list
}

// TestKnown: what is remembered is the reading of the very same octets, and no more of it than maxKnown.
func TestKnown(t *testing.T) {
	list := issued(t, qes.MaxKnown+3)
	var k qes.Known
	first, err := k.Parse(list[0].Raw)
	if err != nil || k.Len() != 0 {
		t.Fatalf("reading remembers %d, %v", k.Len(), err)
	}
	k.Remember(first)
	k.Remember(first)
	again, err := k.Parse(list[0].Raw)
	if err != nil || again != first || k.Len() != 1 {
		t.Fatalf("%d remembered, %v", k.Len(), err)
	}
	if &again.Raw[0] == &list[0].Raw[0] {
		t.Error("the octets of the message are kept")
	}
	// One octet after the certificate, or another in it, is another certificate or none.
	if _, err := k.Parse(append(append([]byte(nil), list[0].Raw...), 0)); err == nil {
		t.Error("an octet behind is taken")
	}
	for _, c := range list[1:] {
		k.Remember(c)
	}
	if k.Len() != qes.MaxKnown {
		t.Errorf("%d remembered, want %d", k.Len(), qes.MaxKnown)
	}
	for i, c := range list {
		if got, want := k.Has(c), i >= len(list)-qes.MaxKnown; got != want {
			t.Errorf("certificate %d of %d: remembered %v, want %v", i, len(list), got, want)
		}
	}
}

func TestKnownRace(t *testing.T) {
	list := issued(t, 8)
	var k qes.Known
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for j := range 50 {
				c, err := k.Parse(list[(i+j)%len(list)].Raw)
				if err != nil {
					t.Error(err)
					return
				}
				k.Remember(c)
			}
		})
	}
	all.Wait()
	if k.Len() != len(list) {
		t.Errorf("%d remembered, want %d", k.Len(), len(list))
	}
}

// TestKnownIsJudgedAnew: a certificate that is remembered expires like any other.
func TestKnownIsJudgedAnew(t *testing.T) {
	s := newSite(t, qes.Policy{})
	i := s.issue(t, qestest.Request{RNOKPP: "1234567899"})
	b := sign(t, i)
	for range 2 {
		if _, err := s.validator.Verify(t.Context(), b, challenge); err != nil {
			t.Fatal(err)
		}
	}
	s.now = i.Certificate.NotAfter.Add(time.Second)
	if _, err := s.validator.Verify(t.Context(), b, challenge); !errors.Is(err, qes.CertExpired) {
		t.Errorf("after its end: %v", err)
	}
}
