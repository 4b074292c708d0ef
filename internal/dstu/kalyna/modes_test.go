package kalyna

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand"
	"testing"
)

func TestSizesRefused(t *testing.T) {
	for block := range 70 {
		for key := range 140 {
			_, err := NewCipher(make([]byte, key), block)
			want := ErrBlockSize
			if block == 16 || block == 32 || block == 64 {
				want = ErrKeySize
			}
			for _, s := range sizes {
				if s.block == block && s.key == key {
					want = nil
				}
			}
			if err != want {
				t.Errorf("block %d, key %d: %v, want %v", block, key, err, want)
			}
		}
	}
	c := mustCipher(t, make([]byte, 32), 32)
	for _, n := range []int{0, 31, 33} {
		iv := make([]byte, n)
		_, e1 := NewCTR(c, iv)
		_, e2 := NewOFB(c, iv)
		e3 := EncryptCFB(c, nil, nil, iv)
		e4 := DecryptCFB(c, nil, nil, iv)
		e5 := NewXTS(c).Encrypt(make([]byte, 32), make([]byte, 32), iv)
		for i, err := range []error{e1, e2, e3, e4, e5} {
			if err != ErrIVSize {
				t.Errorf("%d: iv of %d bytes: %v", i, n, err)
			}
		}
	}
	for _, n := range []int{-1, 0, 7, 33} {
		_, e1 := NewCMAC(c, n)
		_, e2 := NewGMAC(c, n)
		_, e3 := NewGCM(c, n)
		for i, err := range []error{e1, e2, e3} {
			if err != ErrTagSize {
				t.Errorf("%d: tag of %d bytes: %v", i, n, err)
			}
		}
	}
	if err := EncryptCFB(c, make([]byte, 5), make([]byte, 6), make([]byte, 32)); err != ErrSize {
		t.Errorf("CFB into another length: %v", err)
	}
	if err := NewXTS(c).Decrypt(make([]byte, 31), make([]byte, 31), make([]byte, 32)); err != ErrSize {
		t.Errorf("XTS of less than a block: %v", err)
	}
}

// TestCFBEnd: the example of the standard whose message is one byte longer than whole blocks (blocks of 256 bits, key of
// 512). The byte meets the last byte of the gamma.
func TestCFBEnd(t *testing.T) {
	count := func(from byte, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = from + byte(i)
		}
		return b
	}
	want, _ := hex.DecodeString("0008f28a82d2d01d23bfb2f8bb4f06d8fe73ba4f48a2977585570ed3818323a6dbad3d9dd580d9d8f787ce55fab90735" +
		"f6b2d6152d56c0c787e6f4b6a2f557df707a671d06aed196dd7d7e2320d8e45c4c")
	c, p := mustCipher(t, count(0, 64), 32), count(0x60, len(want))
	got := make([]byte, len(p))
	if err := EncryptCFB(c, got, p, count(0x40, 32)); err != nil {
		t.Fatal(err)
	}
	check(t, "encrypt", got, want)
	if err := DecryptCFB(c, got, got, count(0x40, 32)); err != nil {
		t.Fatal(err)
	}
	check(t, "decrypt", got, p)
}

// TestCFBEveryLength: round trips, in place and apart.
func TestCFBEveryLength(t *testing.T) {
	for _, size := range sizes {
		c, iv := mustCipher(t, bytes.Repeat([]byte{7}, size.key), size.block), bytes.Repeat([]byte{9}, size.block)
		for n := range 3 * size.block {
			p := make([]byte, n)
			rand.New(rand.NewSource(int64(n))).Read(p)
			out, place := make([]byte, n), bytes.Clone(p)
			if err := errors.Join(EncryptCFB(c, out, p, iv), EncryptCFB(c, place, place, iv)); err != nil {
				t.Fatal(err)
			}
			check(t, "in place", place, out)
			if err := errors.Join(DecryptCFB(c, place, out, iv), DecryptCFB(c, out, out, iv)); err != nil {
				t.Fatal(err)
			}
			check(t, "decrypt", place, p)
			check(t, "decrypt in place", out, p)
		}
	}
}

// TestCMACPadding: a message and the same message with its padding written out must not share a tag.
func TestCMACPadding(t *testing.T) {
	c := mustCipher(t, make([]byte, 32), 32)
	seen := map[string]int{}
	for n := range 70 {
		for _, end := range [][]byte{nil, {0x80}} {
			m, _ := NewCMAC(c, 32)
			m.Write(make([]byte, n))
			m.Write(end)
			tag := string(m.Sum(nil))
			if other, ok := seen[tag]; ok {
				t.Errorf("messages of %d and %d bytes share a tag", other, n+len(end))
			}
			seen[tag] = n + len(end)
		}
	}
}

func TestXTSEveryLength(t *testing.T) {
	for _, size := range sizes {
		c := mustCipher(t, bytes.Repeat([]byte{7}, size.key), size.block)
		x, iv := NewXTS(c), bytes.Repeat([]byte{9}, size.block)
		for n := size.block; n < 4*size.block; n++ {
			p := make([]byte, n)
			rand.New(rand.NewSource(int64(n))).Read(p)
			out, back := make([]byte, n), make([]byte, n)
			if err := errors.Join(x.Encrypt(out, p, iv), x.Decrypt(back, out, iv)); err != nil {
				t.Fatal(err)
			}
			check(t, "round trip", back, p)
			if bytes.Equal(out, p) {
				t.Errorf("%d bytes were not encrypted", n)
			}
		}
	}
}

func TestKWEveryLength(t *testing.T) {
	for _, size := range sizes {
		c := mustCipher(t, bytes.Repeat([]byte{7}, size.key), size.block)
		for n := 1; n < 3*size.block; n++ {
			p := make([]byte, n)
			rand.New(rand.NewSource(int64(n))).Read(p)
			wrapped, err := WrapKW(c, p)
			if err != nil {
				t.Fatal(err)
			}
			back, err := UnwrapKW(c, wrapped, n)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "round trip", back, p)
			for _, other := range []int{n - 1, n + 1} {
				if other == 0 || other%size.block == 0 { // there the padding counts as part of the key
					continue
				}
				if _, err := UnwrapKW(c, wrapped, other); err != ErrKeyWrap {
					t.Errorf("block %d: %d bytes unwrapped as %d: %v", size.block, n, other, err)
				}
			}
		}
		if _, err := WrapKW(c, nil); err != ErrSize {
			t.Errorf("nothing: %v", err)
		}
	}
}

func TestWrapKey(t *testing.T) {
	kek, key := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	wrapped, err := WrapKey(kek, key, rand.New(rand.NewSource(3)))
	if err != nil || len(wrapped) != WrappedKeySize {
		t.Fatal(len(wrapped), err)
	}
	back, err := UnwrapKey(kek, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "unwrap", back, key)
	for i := range wrapped {
		wrapped[i] ^= 0x20
		if k, err := UnwrapKey(kek, wrapped); err != ErrKeyWrap || k != nil {
			t.Errorf("byte %d changed: %v", i, err)
		}
		wrapped[i] ^= 0x20
	}
	if _, err := UnwrapKey(key, wrapped); err != ErrKeyWrap {
		t.Errorf("another key: %v", err)
	}
	if _, err := UnwrapKey(kek, wrapped[:95]); err != ErrKeyWrap {
		t.Errorf("cut: %v", err)
	}
	if _, err := UnwrapKey(kek[:31], wrapped); err != ErrKeySize {
		t.Errorf("short key: %v", err)
	}
	if _, err := WrapKey(kek, key, bytes.NewReader(nil)); err == nil {
		t.Error("wrapped without randomness")
	}
}

func FuzzUnwrapKey(f *testing.F) {
	kek := bytes.Repeat([]byte{1}, 32)
	wrapped, err := WrapKey(kek, bytes.Repeat([]byte{2}, 32), rand.New(rand.NewSource(3)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wrapped)
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, err := UnwrapKey(kek, b); err == nil && !bytes.Equal(b, wrapped) {
			t.Errorf("%x unwrapped to %x", b, k)
		}
		c := mustCipher(t, kek, 32)
		for _, n := range []int{1, 32, 40} {
			if k, err := UnwrapKW(c, b, n); err != nil && k != nil {
				t.Error("key beside an error")
			}
		}
	})
}

func TestNoAllocationPerBlock(t *testing.T) {
	c := mustCipher(t, make([]byte, 32), 32)
	b := make([]byte, 4096)
	r, _ := NewCTR(c, b[:32])
	if n := testing.AllocsPerRun(10, func() {
		c.Encrypt(b, b)
		c.Decrypt(b, b)
		EncryptCFB(c, b, b, b[:32])
		r.XORKeyStream(b, b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCipher(b *testing.B) {
	names := map[int]string{16: "128", 32: "256", 64: "512"}
	for _, size := range sizes {
		c := mustCipher(b, make([]byte, size.key), size.block)
		buf := make([]byte, size.block)
		for what, fn := range map[string]func(dst, src []byte){"Encrypt": c.Encrypt, "Decrypt": c.Decrypt} {
			b.Run(what+"/"+names[size.block]+"-"+names[size.key], func(b *testing.B) {
				b.SetBytes(int64(size.block))
				for b.Loop() {
					fn(buf, buf)
				}
			})
		}
	}
}

func BenchmarkModes(b *testing.B) {
	c := mustCipher(b, make([]byte, 32), 32)
	buf := make([]byte, 64<<10)
	ctr, _ := NewCTR(c, buf[:32])
	mac, _ := NewCMAC(c, 32)
	gmac, _ := NewGMAC(c, 32)
	for _, m := range []struct {
		name string
		fn   func()
	}{
		{"CTR", func() { ctr.XORKeyStream(buf, buf) }},
		{"CFB", func() { EncryptCFB(c, buf, buf, buf[:32]) }},
		{"CMAC", func() { mac.Write(buf) }},
		{"GMAC", func() { gmac.Write(buf) }},
	} {
		b.Run(m.name, func(b *testing.B) {
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				m.fn()
			}
		})
	}
}

func BenchmarkNewCipher(b *testing.B) {
	key := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewCipher(key, 32); err != nil {
			b.Fatal(err)
		}
	}
}
