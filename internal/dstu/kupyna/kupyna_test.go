package kupyna

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math/rand/v2"
	"testing"

	"brama/internal/vectors"
)

func newOf(bits int) hash.Hash {
	switch {
	case bits <= 256:
		return New256()
	case bits == 384:
		return New384()
	default:
		return New512()
	}
}

func TestVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			ID, Type        string
			OutBits         int `json:"out_bits"`
			Message, Digest string
		}
	}
	if err := json.Unmarshal(vectors.Read(t, "algo/kupyna.json"), &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, v := range file.Vectors {
		if v.Type != "hash" {
			continue
		}
		ran++
		message, err := hex.DecodeString(v.Message)
		if err != nil {
			t.Fatal(err)
		}
		h := newOf(v.OutBits)
		h.Write(message)
		got := h.Sum(nil)
		if want := v.OutBits / 8; want < len(got) {
			got = got[len(got)-want:] // a shorter digest is the end of the state
		}
		if hex.EncodeToString(got) != v.Digest {
			t.Errorf("%s: got %x, want %s", v.ID, got, v.Digest)
		}
	}
	if ran < 15 {
		t.Fatalf("only %d vectors ran", ran)
	}
}

// The empty message, from the standard's reference digests.
func TestEmpty(t *testing.T) {
	got := Sum256(nil)
	if want := "cd5101d1ccdf0d1d1f4ada56e888cd724ca1a0838a3521e7131d4fb78d0f5eb6"; hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestSumsAgreeWithHash(t *testing.T) {
	data := make([]byte, 1000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for n := range len(data) {
		s256, s384, s512 := Sum256(data[:n]), Sum384(data[:n]), Sum512(data[:n])
		for _, c := range []struct {
			h    hash.Hash
			want []byte
		}{{New256(), s256[:]}, {New384(), s384[:]}, {New512(), s512[:]}} {
			c.h.Write(data[:n])
			if got := c.h.Sum(nil); !bytes.Equal(got, c.want) {
				t.Fatalf("%d bytes: got %x, want %x", n, got, c.want)
			}
		}
	}
}

func TestSumDoesNotChangeState(t *testing.T) {
	h := New384()
	h.Write([]byte("one"))
	first := h.Sum(nil)
	if again := h.Sum(nil); !bytes.Equal(first, again) {
		t.Errorf("second Sum gives %x, first gave %x", again, first)
	}
	h.Reset()
	h.Write([]byte("one"))
	if again := h.Sum(nil); !bytes.Equal(first, again) {
		t.Errorf("after Reset %x, before %x", again, first)
	}
}

func TestNoAllocations(t *testing.T) {
	h, block, out := New256(), make([]byte, 4096), make([]byte, 0, 32)
	if n := testing.AllocsPerRun(10, func() { h.Write(block); out = h.Sum(out[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSplitWrites(f *testing.F) {
	f.Add([]byte("the message"), uint64(1))
	f.Add(make([]byte, 300), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		for _, h := range []hash.Hash{New256(), New384(), New512()} {
			h.Write(data)
			want := h.Sum(nil)
			h.Reset()
			for rest := data; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				h.Write(rest[:n])
				rest = rest[n:]
			}
			if got := h.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("split writes give %x, one write %x", got, want)
			}
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 16<<10)
	for _, c := range []struct {
		name string
		h    hash.Hash
	}{{"Kupyna256", New256()}, {"Kupyna512", New512()}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				c.h.Reset()
				c.h.Write(data)
				c.h.Sum(nil)
			}
		})
	}
}
