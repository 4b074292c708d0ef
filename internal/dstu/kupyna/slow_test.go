package kupyna

import (
	"bytes"
	"testing"

	"brama/internal/dstu/internal/spn"
)

// slow is the hash as the standard draws it, on a matrix of bytes.
func slow(size int, message []byte) []byte {
	columns, rounds := 8, 10
	if size > 32 {
		columns, rounds = 16, 14
	}
	type state [16][8]byte
	permute := func(s state, plus bool) state {
		for r := range rounds {
			for j := range columns {
				if !plus {
					s[j][0] ^= byte(j<<4 ^ r)
					continue
				}
				constant := [8]byte{0xf3, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, byte((columns-1-j)<<4 + r)}
				carry := 0
				for i := range 8 {
					carry += int(s[j][i]) + int(constant[i])
					s[j][i] = byte(carry)
					carry >>= 8
				}
			}
			var shifted state
			for j := range columns {
				for i := range 8 {
					by := i
					if i == 7 && columns == 16 {
						by = 11
					}
					shifted[(j+by)%columns][i] = spn.Sboxes[i%4][s[j][i]]
				}
			}
			row := [8]byte{1, 1, 5, 1, 8, 6, 7, 4}
			s = state{}
			for j := range columns {
				for i := range 8 {
					for k := range 8 {
						s[j][i] ^= slowMultiply(row[(k-i+8)%8], shifted[j][k])
					}
				}
			}
		}
		return s
	}
	block := 8 * columns
	padded := append(bytes.Clone(message), 0x80)
	for len(padded)%block != block-12 {
		padded = append(padded, 0)
	}
	for i := range 12 {
		padded = append(padded, byte(uint64(len(message))*8>>(8*min(i, 7))>>(8*(i-min(i, 7)))))
	}
	var h state
	h[0][0] = byte(block)
	for ; len(padded) > 0; padded = padded[block:] {
		x, m := h, state{}
		for j := range columns {
			for i := range 8 {
				m[j][i] = padded[8*j+i]
				x[j][i] ^= m[j][i]
			}
		}
		x, m = permute(x, false), permute(m, true)
		for j := range columns {
			for i := range 8 {
				h[j][i] ^= x[j][i] ^ m[j][i]
			}
		}
	}
	x := permute(h, false)
	var out []byte
	for j := range columns {
		for i := range 8 {
			out = append(out, x[j][i]^h[j][i])
		}
	}
	return out[block-size:]
}

func slowMultiply(a, b byte) byte {
	p := 0
	for i := range 8 {
		if a>>i&1 == 1 {
			p ^= int(b) << i
		}
	}
	for i := 15; i >= 8; i-- {
		if p>>i&1 == 1 {
			p ^= 0x11d << (i - 8)
		}
	}
	return byte(p)
}

func TestAgainstSlow(t *testing.T) {
	message := make([]byte, 300)
	for i := range message {
		message[i] = byte(i*i + i>>3)
	}
	for _, size := range []int{1, 28, 32, 33, 48, 64} {
		for n := 0; n <= len(message); n += 7 {
			h := newDigest(size)
			h.Write(message[:n])
			if got, want := h.Sum(nil), slow(size, message[:n]); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes to %d: got %x, want %x", n, size, got, want)
			}
		}
	}
}

// The digest of messages whose padding just fits and just does not.
func TestPaddingEdges(t *testing.T) {
	for _, n := range []int{50, 51, 52, 53, 63, 64, 65, 114, 115, 116, 117, 127, 128, 129} {
		m := bytes.Repeat([]byte{0xa5}, n)
		a, b := Sum256(m), Sum512(m)
		if want := slow(32, m); !bytes.Equal(a[:], want) {
			t.Errorf("%d bytes, 256: got %x, want %x", n, a, want)
		}
		if want := slow(64, m); !bytes.Equal(b[:], want) {
			t.Errorf("%d bytes, 512: got %x, want %x", n, b, want)
		}
	}
}
