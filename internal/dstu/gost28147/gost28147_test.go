package gost28147

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"brama/internal/vectors"
)

var (
	_ cipher.Block  = (*Cipher)(nil)
	_ cipher.Stream = (*Stream)(nil)
)

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type vectorFile struct {
	SBoxes map[string]struct {
		Rows [8][16]byte
	}
	Vectors []struct {
		ID, Mode, SBox                                                  string
		Key, IV, Plaintext, Ciphertext, Message, MAC, KEK, CEK, Wrapped hexBytes
	}
}

func loadVectors(t testing.TB) *vectorFile {
	t.Helper()
	f := new(vectorFile)
	if err := json.Unmarshal(vectors.Read(t, "algo/gost28147.json"), f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return f
}

func pack(rows [8][16]byte) []byte {
	var out []byte
	for _, r := range rows {
		for i := 0; i < 16; i += 2 {
			out = append(out, r[i]<<4|r[i+1])
		}
	}
	return out
}

func TestVectors(t *testing.T) {
	f := loadVectors(t)
	for _, v := range f.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			box, err := ParseSBox(pack(f.SBoxes[v.SBox].Rows))
			if err != nil {
				t.Fatal(err)
			}
			equal := func(what string, got, want []byte) {
				t.Helper()
				if !bytes.Equal(got, want) {
					t.Errorf("%s: got %x, want %x", what, got, want)
				}
			}
			switch v.Mode {
			case "ecb":
				c, err := NewCipher(v.Key, box)
				if err != nil {
					t.Fatal(err)
				}
				got := bytes.Clone(v.Plaintext)
				for i := 0; i < len(got); i += BlockSize {
					c.Encrypt(got[i:], got[i:])
				}
				equal("encrypt", got, v.Ciphertext)
				for i := 0; i < len(got); i += BlockSize {
					c.Decrypt(got[i:], got[i:])
				}
				equal("decrypt", got, v.Plaintext)
			case "ctr", "cfb":
				enc, dec := NewCFBEncrypter, NewCFBDecrypter
				if v.Mode == "ctr" {
					enc, dec = NewCTR, NewCTR
				}
				s, err := enc(v.Key, box, v.IV)
				if err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(v.Plaintext))
				s.XORKeyStream(got, v.Plaintext)
				equal("encrypt", got, v.Ciphertext)
				if s, err = dec(v.Key, box, v.IV); err != nil {
					t.Fatal(err)
				}
				s.XORKeyStream(got, got)
				equal("decrypt", got, v.Plaintext)
			case "mac":
				got, err := MAC(v.Key, box, v.Message)
				if err != nil {
					t.Fatal(err)
				}
				equal("MAC", got[:], v.MAC)
			case "wrap":
				got, err := WrapKey(v.KEK, box, v.CEK, bytes.NewReader(v.IV))
				if err != nil {
					t.Fatal(err)
				}
				equal("wrap", got, v.Wrapped)
				got, err = UnwrapKey(v.KEK, box, v.Wrapped)
				if err != nil {
					t.Fatal(err)
				}
				equal("unwrap", got, v.CEK)
			default:
				t.Fatalf("unknown mode %q", v.Mode)
			}
		})
	}
}

// slowRound is the round function nibble by nibble, as the standard draws it.
func slowRound(rows *[8][16]byte, x uint32) uint32 {
	var y uint32
	for i, r := range rows {
		y |= uint32(r[x>>(4*i)&15]) << (4 * i)
	}
	return y<<11 | y>>21
}

func slowEncrypt(rows *[8][16]byte, key []byte, block []byte) []byte {
	a, b := load32(block), load32(block[4:])
	for i := range 32 {
		j := i % 8
		if i >= 24 {
			j = 31 - i
		}
		a, b = b^slowRound(rows, a+load32(key[4*j:])), a
	}
	out := make([]byte, 8)
	store32(out, b)
	store32(out[4:], a)
	return out
}

func slowMode(rows *[8][16]byte, m mode, key, iv, src []byte) []byte {
	reg := bytes.Clone(iv)
	if m == ctr {
		reg = slowEncrypt(rows, key, reg)
	}
	out := bytes.Clone(src)
	for i := range out {
		if i%8 == 0 {
			if m == ctr {
				store32(reg, load32(reg)+0x01010101)
				n := uint64(load32(reg[4:])) + 0x01010104
				if n >= 1<<32 {
					n -= 1<<32 - 1
				}
				store32(reg[4:], uint32(n))
			} else if i > 0 {
				reg = bytes.Clone(src[i-8 : i])
				if m == cfbEncrypt {
					reg = bytes.Clone(out[i-8 : i])
				}
			}
		}
		out[i] ^= slowEncrypt(rows, key, reg)[i%8]
	}
	return out
}

func FuzzStreams(f *testing.F) {
	file := loadVectors(f)
	rows := file.SBoxes["GOST34311-A3"].Rows
	box, err := ParseSBox(pack(rows))
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range file.Vectors {
		f.Add([]byte(v.Key), []byte(v.Plaintext), uint8(3), uint8(9))
	}
	f.Fuzz(func(t *testing.T, seed, data []byte, a, b uint8) {
		if len(data) > 1024 {
			return
		}
		key := make([]byte, KeySize)
		copy(key, seed)
		iv := key[8:16]
		for m, start := range map[mode]func([]byte, *SBox, []byte) (*Stream, error){
			cfbEncrypt: NewCFBEncrypter, cfbDecrypt: NewCFBDecrypter, ctr: NewCTR,
		} {
			s, err := start(key, box, iv)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(data))
			done := 0
			for _, n := range []uint8{a, b, 255} {
				k := min(int(n), len(data)-done)
				s.XORKeyStream(got[done:], data[done:done+k])
				done += k
			}
			s.XORKeyStream(got[done:], data[done:])
			if want := slowMode(&rows, m, key, iv, data); !bytes.Equal(got, want) {
				t.Fatalf("mode %d: got %x, want %x", m, got, want)
			}
		}
	})
}

func TestStreamsInPieces(t *testing.T) {
	rows := loadVectors(t).SBoxes["GOST34311-A3"].Rows
	box, err := ParseSBox(pack(rows))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	key, iv, data := make([]byte, KeySize), make([]byte, BlockSize), make([]byte, 200)
	for range 50 {
		for _, b := range [][]byte{key, iv, data} {
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
		}
		for m, start := range map[mode]func([]byte, *SBox, []byte) (*Stream, error){
			cfbEncrypt: NewCFBEncrypter, cfbDecrypt: NewCFBDecrypter, ctr: NewCTR,
		} {
			s, err := start(key, box, iv)
			if err != nil {
				t.Fatal(err)
			}
			got := bytes.Clone(data)
			for rest := got; len(rest) > 0; {
				n := rng.IntN(min(len(rest), 40)) + 1
				s.XORKeyStream(rest, rest[:n])
				rest = rest[n:]
			}
			if want := slowMode(&rows, m, key, iv, data); !bytes.Equal(got, want) {
				t.Fatalf("mode %d: got %x, want %x", m, got, want)
			}
		}
	}
}

// The second half of the counter is a sum modulo 2³²−1.
func TestCounterCarry(t *testing.T) {
	s := Stream{n2: 0xffffffff - ctrC1}
	if s.count(); s.n2 != 0xffffffff {
		t.Errorf("got %#x, want 2³²−1 itself to stay", s.n2)
	}
	if s.count(); s.n2 != ctrC1 {
		t.Errorf("got %#x, want %#x", s.n2, uint32(ctrC1))
	}
}

func TestUnwrapRefuses(t *testing.T) {
	kek, cek := make([]byte, KeySize), bytes.Repeat([]byte{7}, KeySize)
	wrapped, err := WrapKey(kek, nil, cek, bytes.NewReader(make([]byte, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := UnwrapKey(kek, nil, wrapped); err != nil || !bytes.Equal(got, cek) {
		t.Fatalf("got %x, %v", got, err)
	}
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		if _, err := UnwrapKey(kek, nil, bad); !errors.Is(err, ErrUnwrap) {
			t.Errorf("byte %d changed: got %v, want ErrUnwrap", i, err)
		}
	}
	for _, bad := range [][]byte{nil, wrapped[:43], append(bytes.Clone(wrapped), 0)} {
		if _, err := UnwrapKey(kek, nil, bad); !errors.Is(err, ErrUnwrap) {
			t.Errorf("%d bytes: got %v, want ErrUnwrap", len(bad), err)
		}
	}
	if _, err := WrapKey(kek, nil, cek, bytes.NewReader(nil)); err == nil {
		t.Error("wrapped without randomness")
	}
	if _, err := WrapKey(kek, nil, cek[:31], bytes.NewReader(make([]byte, 8))); !errors.Is(err, ErrKeySize) {
		t.Errorf("short key: got %v, want ErrKeySize", err)
	}
}

func TestSizes(t *testing.T) {
	key := make([]byte, KeySize)
	if _, err := NewCipher(key[1:], nil); !errors.Is(err, ErrKeySize) {
		t.Errorf("got %v, want ErrKeySize", err)
	}
	if _, err := MAC(nil, nil, nil); !errors.Is(err, ErrKeySize) {
		t.Errorf("got %v, want ErrKeySize", err)
	}
	for _, start := range []func([]byte, *SBox, []byte) (*Stream, error){NewCFBEncrypter, NewCFBDecrypter, NewCTR} {
		if _, err := start(key, nil, key); !errors.Is(err, ErrIVSize) {
			t.Errorf("got %v, want ErrIVSize", err)
		}
		if _, err := start(nil, nil, key[:8]); !errors.Is(err, ErrKeySize) {
			t.Errorf("got %v, want ErrKeySize", err)
		}
	}
}

func TestParseSBox(t *testing.T) {
	packed := DKE1().Bytes()
	if s, err := ParseSBox(packed); err != nil || s != DKE1() {
		t.Errorf("ДКЕ № 1: got %p, %v", s, err)
	}
	degenerate := bytes.Clone(packed)
	degenerate[8] = degenerate[9]
	for name, bad := range map[string][]byte{"nil": nil, "short": packed[:63], "zeros": make([]byte, 64), "repeated entry": degenerate} {
		if _, err := ParseSBox(bad); !errors.Is(err, ErrSBox) {
			t.Errorf("%s: got %v, want ErrSBox", name, err)
		}
	}
}

func TestAllocations(t *testing.T) {
	s, err := NewCFBDecrypter(make([]byte, KeySize), nil, make([]byte, BlockSize))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 1001)
	if n := testing.AllocsPerRun(10, func() { s.XORKeyStream(data, data) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func benchmark(b *testing.B, start func([]byte, *SBox, []byte) (*Stream, error)) {
	s, err := start(make([]byte, KeySize), nil, make([]byte, BlockSize))
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 8192)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s.XORKeyStream(data, data)
	}
}

func BenchmarkCFB(b *testing.B) {
	b.Run("encrypt", func(b *testing.B) { benchmark(b, NewCFBEncrypter) })
	b.Run("decrypt", func(b *testing.B) { benchmark(b, NewCFBDecrypter) })
}

func BenchmarkCTR(b *testing.B) { benchmark(b, NewCTR) }
