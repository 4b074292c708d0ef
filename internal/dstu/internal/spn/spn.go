// Package spn is what the cipher ДСТУ 7624:2014 and the hash ДСТУ 7564:2014 have in common: four substitutions and the
// linear layer ψ over GF(2⁸), joined into tables. Rounds, keys and modes are the callers'.
//
// Look-ups by state bytes depend on the data: where that is a secret, its cache timing is not constant.
package spn

import "sync"

// Forward[i][x] is ψ · π(x) for a byte x in row i of a column: the substitution, then its share of the column, row k in
// bits 8k to 8k+7. A round is eight look-ups a column. 16 KiB, made once at the first use.
type Forward [8][256]uint64

// Tables returns the forward tables.
var Tables = sync.OnceValue(func() *Forward {
	t := new(Forward)
	for i := range 8 {
		for x := range 256 {
			t[i][x] = Column(&MDS, i, Sboxes[i%4][x])
		}
	}
	return t
})

// MDS and MDSInverse are the first rows of the circulant matrices ψ and ψ⁻¹, as they multiply rows 0 to 7.
var (
	MDS        = [8]byte{0x01, 0x01, 0x05, 0x01, 0x08, 0x06, 0x07, 0x04}
	MDSInverse = [8]byte{0xad, 0x95, 0x76, 0xa8, 0x2f, 0x49, 0xd7, 0xca}
)

// reduction is x⁸ + x⁴ + x³ + x² + 1 without its highest term.
const reduction = 0x1d

// Column is the column that a circulant matrix makes of v in row i and zeros elsewhere: element (k, i) is the first row
// at i−k.
func Column(first *[8]byte, i int, v byte) uint64 {
	var c uint64
	for k := range 8 {
		c |= uint64(mul(first[(i-k+8)%8], v)) << (8 * k)
	}
	return c
}

// mul multiplies in GF(2⁸). It is for making tables, whose inputs are public.
func mul(a, b byte) byte {
	var p byte
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		carry := a >> 7
		a = a<<1 ^ carry*reduction
	}
	return p
}
