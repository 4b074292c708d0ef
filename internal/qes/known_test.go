package qes_test

import (
	"errors"
	"runtime"
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
	if n := first.TableSize(); n != 0 {
		t.Errorf("tables of %d octets for who came once", n)
	}
	k.Remember(first)
	if n, want := first.TableSize(), first.PublicKey.DSTU.PrecomputeSmall().TableSize(); n != want || n > 8<<10 {
		t.Errorf("tables of %d octets for who came twice, want %d", n, want) // 0 on machines without the instructions
	}
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

// TestMemoryOfManySigners: a thousand persons leave no more behind than the bound of what is remembered and the tables of
// their issuer's key: tables of seven persons' keys would be beyond it.
func TestMemoryOfManySigners(t *testing.T) {
	const persons, most = 1000, 2 << 20
	s := newSite(t, qes.Policy{})
	store, err := s.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: always(qes.StatusGood)})
	if err != nil {
		t.Fatal(err)
	}
	signatures := make([][]byte, persons)
	for i := range signatures {
		signatures[i] = sign(t, s.issue(t, qestest.Request{RNOKPP: "1234567899"}))
	}
	if _, err := v.Verify(t.Context(), signatures[0], challenge); err != nil { // tables of the curve are made once
		t.Fatal(err)
	}
	before := heap()
	for _, b := range signatures {
		if _, err := v.Verify(t.Context(), b, challenge); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > most {
		t.Errorf("%d persons leave %d KiB behind, want at most %d", persons, grown>>10, most>>10)
	} else {
		t.Logf("%d persons leave %d KiB behind", persons, grown>>10)
	}
	runtime.KeepAlive(signatures)
	runtime.KeepAlive(v)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
