package gost34311

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"hash"
	"testing"

	"brama/internal/dstu/internal/feistel"
	"brama/internal/vectors"
)

var (
	_ hash.Hash = (*digest)(nil)
	_ hash.Hash = (*hmac)(nil)
)

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type vectorFile struct {
	SBoxes map[string]struct {
		Rows     [8][16]byte
		Packed64 hexBytes
	}
	Vectors []struct {
		ID, Type, SBox                        string
		Sync, Message, Digest, Key, MAC, Salt hexBytes
		Password                              string
		Iterations, DKLen                     int
	}
}

func loadVectors(t testing.TB) *vectorFile {
	t.Helper()
	f := new(vectorFile)
	// The container derivation has its password as text and its key as hex, like the others.
	if err := json.Unmarshal(vectors.Read(t, "algo/gost34311.json"), f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return f
}

func TestVectors(t *testing.T) {
	f := loadVectors(t)
	for _, v := range f.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			box := f.SBoxes[v.SBox]
			start := [4]uint64{load64(v.Sync), load64(v.Sync[8:]), load64(v.Sync[16:]), load64(v.Sync[24:])}
			plain := v.SBox == "DKE1" && start == [4]uint64{}
			if !plain && v.Type != "hash" {
				t.Fatalf("%s with other parameters is not expected", v.Type)
			}
			var got, want []byte
			switch v.Type {
			case "hash":
				h := newDigest(feistel.Expand(&box.Rows), start)
				h.Write(v.Message)
				got, want = h.Sum(nil), v.Digest
				if plain {
					if sum := Sum(v.Message); !bytes.Equal(sum[:], want) {
						t.Errorf("Sum: got %x, want %x", sum, want)
					}
				}
			case "hmac":
				h := NewHMAC(v.Key)
				h.Write(v.Message)
				got, want = h.Sum(nil), v.MAC
			case "pbkdf2":
				got, want = PBKDF2([]byte(v.Password), v.Salt, v.Iterations, v.DKLen), v.Key
			case "iit-kdf":
				key := ContainerKey([]byte(v.Password), v.Iterations)
				got, want = key[:], v.Key
			default:
				t.Fatalf("unknown type %q", v.Type)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %x, want %x", got, want)
			}
		})
	}
}

func TestDKE1(t *testing.T) {
	f := loadVectors(t)
	if box := f.SBoxes["DKE1"]; string(box.Packed64) != feistel.DKE1 || *feistel.Unpack(feistel.DKE1) != box.Rows {
		t.Error("the built-in S-box differs from the vectors'")
	}
}

// The two readings of the standard give different digests of nothing; ours must not change unnoticed.
func TestEmptyMessage(t *testing.T) {
	const want = "da37bdf41145e39e34111775b40646e8059c2e969c1460bb98abccb26f0f76a5"
	if got := Sum(nil); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

// slowPBKDF2 is RFC 8018 word for word over hash.Hash.
func slowPBKDF2(password, salt []byte, iterations, size int) (out []byte) {
	prf := func(parts ...[]byte) []byte {
		key := password
		if len(key) > BlockSize {
			s := Sum(key)
			key = s[:]
		}
		in, ou := bytes.Repeat([]byte{0x36}, BlockSize), bytes.Repeat([]byte{0x5c}, BlockSize)
		for i, b := range key {
			in[i] ^= b
			ou[i] ^= b
		}
		h := New()
		h.Write(in)
		for _, p := range parts {
			h.Write(p)
		}
		inner := h.Sum(nil)
		h.Reset()
		h.Write(ou)
		h.Write(inner)
		return h.Sum(nil)
	}
	for i := byte(1); len(out) < size; i++ {
		u := prf(salt, []byte{0, 0, 0, i})
		sum := bytes.Clone(u)
		for range iterations - 1 {
			u = prf(u)
			for j := range sum {
				sum[j] ^= u[j]
			}
		}
		out = append(out, sum...)
	}
	return out[:size]
}

func TestPBKDF2AgainstSlow(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 33, 100} {
		password := bytes.Repeat([]byte{'p'}, n)
		salt := bytes.Repeat([]byte{'s'}, n)
		got, want := PBKDF2(password, salt, 3, 70), slowPBKDF2(password, salt, 3, 70)
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
	if PBKDF2(nil, nil, 1, 0) != nil {
		t.Error("size 0 gives bytes")
	}
}

func TestSumDoesNotFinish(t *testing.T) {
	for _, h := range []hash.Hash{New(), NewHMAC([]byte("key"))} {
		fresh := h.Sum(nil)
		h.Write([]byte("one"))
		h.Sum(nil)
		h.Write([]byte("two"))
		got := h.Sum([]byte("prefix"))
		h.Reset()
		if !bytes.Equal(h.Sum(nil), fresh) {
			t.Error("Reset does not return to the start")
		}
		h.Write([]byte("onetwo"))
		if want := h.Sum([]byte("prefix")); !bytes.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
	}
}

func FuzzSplitWrite(f *testing.F) {
	for _, v := range loadVectors(f).Vectors {
		f.Add([]byte(v.Message), uint16(7), uint16(33))
	}
	f.Fuzz(func(t *testing.T, data []byte, a, b uint16) {
		want := Sum(data)
		h := New()
		rest := data
		for _, n := range []uint16{a, b, a} {
			k := min(int(n), len(rest))
			h.Write(rest[:k])
			rest = rest[k:]
		}
		h.Write(rest)
		if got := h.Sum(nil); !bytes.Equal(got, want[:]) {
			t.Errorf("split writes: got %x, want %x", got, want)
		}
	})
}

func TestAllocations(t *testing.T) {
	data := make([]byte, 1000)
	h := New()
	out := make([]byte, 0, Size)
	if n := testing.AllocsPerRun(10, func() {
		h.Reset()
		h.Write(data)
		out = h.Sum(out[:0])
		Sum(data)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	// The result, and nothing per iteration.
	if n := testing.AllocsPerRun(5, func() { PBKDF2(data[:8], data[:32], 50, 32) }); n > 2 {
		t.Errorf("PBKDF2: %v allocations, want at most 2", n)
	}
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 8192)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		Sum(data)
	}
}

func BenchmarkPBKDF2(b *testing.B) {
	password, salt := []byte("password"), make([]byte, 32)
	for b.Loop() {
		PBKDF2(password, salt, 10000, 32)
	}
}

func BenchmarkContainerKey(b *testing.B) {
	password := []byte("password")
	for b.Loop() {
		ContainerKey(password, 10000)
	}
}
