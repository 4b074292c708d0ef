package seal

import (
	"strconv"
	"sync"
	"testing"
)

// Nonces never repeat: values sealed at once share the first half of it until that has been used often enough, and every
// process opens them.
func TestHalves(t *testing.T) {
	s, other := newSealer(t, testKey(1)), newSealer(t, testKey(1))
	const values = 200
	sealed := make([][]byte, values)
	var wg sync.WaitGroup
	for i := range values {
		wg.Go(func() {
			if i == values/2 {
				if h := s.sealing.Load(); h != nil {
					h.left.Store(3)
				}
			}
			sealed[i] = s.Seal("p", []byte(strconv.Itoa(i)))
		})
	}
	wg.Wait()
	nonces, halves := map[string]bool{}, map[string]int{}
	for i, v := range sealed {
		nonce := string(v[1+keyIDSize : 1+keyIDSize+nonceSize])
		nonces[nonce] = true
		halves[nonce[:halfSize]]++
		for _, x := range []*Sealer{s, other} {
			if got, err := x.Open("p", v); err != nil || string(got) != strconv.Itoa(i) {
				t.Fatalf("value %d: %q, %v", i, got, err)
			}
		}
	}
	if len(nonces) != values {
		t.Errorf("%d nonces for %d values", len(nonces), values)
	}
	if len(halves) > values/2 {
		t.Errorf("%d halves for %d values: a key is made for each", len(halves), values)
	}
	before := s.sealing.Load()
	before.left.Store(0)
	s.Seal("p", nil)
	if s.sealing.Load() == before {
		t.Error("a half that was used often enough is used on")
	}
}

// What does not open is not remembered.
func TestUnopenedHalf(t *testing.T) {
	s := newSealer(t, testKey(1))
	v := newSealer(t, testKey(1)).Seal("p", []byte("value"))
	nonce := v[1+keyIDSize:]
	v[len(v)-1] ^= 1
	if _, err := s.Open("p", v); err == nil || s.keys[0].place(nonce).Load() != nil {
		t.Errorf("%v, and the half is kept", err)
	}
	v[len(v)-1] ^= 1
	if _, err := s.Open("p", v); err != nil || s.keys[0].place(nonce).Load() == nil {
		t.Errorf("%v, and the half is not kept", err)
	}
}

func BenchmarkSealAndOpen(b *testing.B) {
	s, err := New(testKey(1))
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 300)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Open("login", s.Seal("login", value)); err != nil {
			b.Fatal(err)
		}
	}
}
