package kalyna

import (
	"bytes"
	"math/big"
	"math/rand"
	"testing"

	"brama/internal/dstu/internal/spn"
)

// twin is the cipher as the standard describes it: a state of bytes, one step after another, no tables but the
// substitutions. It shares nothing with the package but those.
type twin struct {
	nb     int
	rounds int
	keys   [][]byte
}

func twinMul(a, b byte) byte {
	p := 0
	for i := range 8 {
		if b>>i&1 == 1 {
			p ^= int(a) << i
		}
	}
	for i := 15; i >= 8; i-- {
		if p>>i&1 == 1 {
			p ^= 0x11d << (i - 8)
		}
	}
	return byte(p)
}

func (t *twin) substitute(s []byte) {
	for i := range s {
		s[i] = spn.Sboxes[i%8%4][s[i]]
	}
}

func (t *twin) unsubstitute(s []byte) {
	for i := range s {
		s[i] = byte(bytes.IndexByte([]byte(spn.Sboxes[i%8%4]), s[i]))
	}
}

func (t *twin) shift(s []byte, back bool) {
	old := bytes.Clone(s)
	for row := range 8 {
		by := row * t.nb * 64 / 512
		for col := range t.nb {
			to := (col + by) % t.nb
			if back {
				s[8*col+row] = old[8*to+row]
			} else {
				s[8*to+row] = old[8*col+row]
			}
		}
	}
}

func (t *twin) matrix(s []byte, first [8]byte) {
	old := bytes.Clone(s)
	for col := range t.nb {
		for row := range 8 {
			var v byte
			for k := range 8 {
				v ^= twinMul(first[(k-row+8)%8], old[8*col+k])
			}
			s[8*col+row] = v
		}
	}
}

func (t *twin) add(s, k []byte, sign int64) {
	for col := range t.nb {
		w := func(b []byte) *big.Int {
			r := bytes.Clone(b[8*col : 8*col+8])
			for i := range 4 {
				r[i], r[7-i] = r[7-i], r[i]
			}
			return new(big.Int).SetBytes(r)
		}
		sum := w(s)
		sum.Add(sum, new(big.Int).Mul(big.NewInt(sign), w(k)))
		sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 64))
		for i := range 8 {
			s[8*col+i] = byte(new(big.Int).Rsh(sum, uint(8*i)).Uint64())
		}
	}
}

func (t *twin) xor(s, k []byte) {
	for i := range s {
		s[i] ^= k[i]
	}
}

var (
	twinMatrix  = [8]byte{1, 1, 5, 1, 8, 6, 7, 4}
	twinInverse = [8]byte{0xad, 0x95, 0x76, 0xa8, 0x2f, 0x49, 0xd7, 0xca}
)

func (t *twin) round(s []byte) {
	t.substitute(s)
	t.shift(s, false)
	t.matrix(s, twinMatrix)
}

func newTwin(key []byte, block int) *twin {
	t := &twin{nb: block / 8, rounds: map[int]int{16: 10, 32: 14, 64: 18}[len(key)]}
	k0, k1 := key[:block], key[len(key)-block:]
	kt := make([]byte, block)
	kt[0] = byte(t.nb + len(key)/8 + 1)
	t.add(kt, k0, 1)
	t.round(kt)
	t.xor(kt, k1)
	t.round(kt)
	t.add(kt, k0, 1)
	t.round(kt)
	t.keys = make([][]byte, t.rounds+1)
	for i := 0; i <= t.rounds; i += 2 {
		constant := bytes.Repeat([]byte{1, 0}, block/2)
		for j := range constant {
			if j%2 == 0 { // 2^(i/2) in words of 16 bits
				constant[j], constant[j+1] = byte(uint16(1)<<(i/2)), byte(uint16(1)<<(i/2)>>8)
			}
		}
		id := bytes.Clone(kt)
		t.add(id, constant, 1)
		var part []byte
		if len(key) == block {
			turn := i / 2 * 8 % len(key)
			part = append(bytes.Clone(key[turn:]), key[:turn]...)
		} else {
			turn := i / 4 * 8 % len(key)
			part = append(bytes.Clone(key[turn:]), key[:turn]...)
			part = part[i/2%2*block:][:block]
		}
		t.add(part, id, 1)
		t.round(part)
		t.xor(part, id)
		t.round(part)
		t.add(part, id, 1)
		t.keys[i] = part
	}
	for i := 1; i < t.rounds; i += 2 {
		by := block/4 + 3
		t.keys[i] = append(bytes.Clone(t.keys[i-1][by:]), t.keys[i-1][:by]...)
	}
	return t
}

func (t *twin) encrypt(p []byte) []byte {
	s := bytes.Clone(p)
	t.add(s, t.keys[0], 1)
	for i := 1; i < t.rounds; i++ {
		t.round(s)
		t.xor(s, t.keys[i])
	}
	t.round(s)
	t.add(s, t.keys[t.rounds], 1)
	return s
}

func (t *twin) decrypt(p []byte) []byte {
	s := bytes.Clone(p)
	t.add(s, t.keys[t.rounds], -1)
	for i := t.rounds - 1; i >= 0; i-- {
		t.matrix(s, twinInverse)
		t.shift(s, true)
		t.unsubstitute(s)
		if i > 0 {
			t.xor(s, t.keys[i])
		}
	}
	t.add(s, t.keys[0], -1)
	return s
}

var sizes = []struct{ block, key int }{{16, 16}, {16, 32}, {32, 32}, {32, 64}, {64, 64}}

func compareWithTwin(t *testing.T, key, block []byte) {
	t.Helper()
	c, slow := mustCipher(t, key, len(block)), newTwin(key, len(block))
	got := make([]byte, len(block))
	c.Encrypt(got, block)
	check(t, "encrypt", got, slow.encrypt(block))
	c.Decrypt(got, got)
	check(t, "round trip", got, block)
	c.Decrypt(got, block)
	check(t, "decrypt", got, slow.decrypt(block))
}

func TestTwin(t *testing.T) {
	r := rand.New(rand.NewSource(7624))
	for _, size := range sizes {
		for range 50 {
			key, block := make([]byte, size.key), make([]byte, size.block)
			r.Read(key)
			r.Read(block)
			compareWithTwin(t, key, block)
		}
	}
}

func FuzzTwin(f *testing.F) {
	for i := range sizes {
		f.Add(byte(i), bytes.Repeat([]byte{0xff}, 128))
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		size := sizes[int(which)%len(sizes)]
		if len(data) < size.key+size.block {
			return
		}
		compareWithTwin(t, data[:size.key], data[size.key:][:size.block])
	})
}

// TestMultiply compares the field of GCM with polynomials in math/big.
func TestMultiply(t *testing.T) {
	exponents := map[int][]int{2: {128, 7, 2, 1, 0}, 4: {256, 10, 5, 2, 0}, 8: {512, 8, 5, 2, 0}}
	r := rand.New(rand.NewSource(1))
	toBig := func(w []uint64) *big.Int {
		n := new(big.Int)
		for i := len(w) - 1; i >= 0; i-- {
			n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w[i]))
		}
		return n
	}
	for nb, exp := range exponents {
		f := new(big.Int)
		for _, e := range exp {
			f.SetBit(f, e, 1)
		}
		for range 20 {
			g := ghash{c: &Cipher{nb: nb}}
			for i := range nb {
				g.h[i], g.sum[i] = r.Uint64(), r.Uint64()
			}
			a, b, p := toBig(g.h[:nb]), toBig(g.sum[:nb]), new(big.Int)
			for i := range b.BitLen() {
				if b.Bit(i) == 1 {
					p.Xor(p, new(big.Int).Lsh(a, uint(i)))
				}
			}
			for p.BitLen() > exp[0] {
				p.Xor(p, new(big.Int).Lsh(f, uint(p.BitLen()-1-exp[0])))
			}
			g.multiply()
			if got := toBig(g.sum[:nb]); got.Cmp(p) != 0 {
				t.Fatalf("%d words: got %x, want %x", nb, got, p)
			}
		}
	}
}
