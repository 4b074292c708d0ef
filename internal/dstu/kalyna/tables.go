package kalyna

import "sync"

// tables join the steps of a round that work on single bytes. For a byte x in row i of a column,
//
//	enc[i][x] = ψ · πi(x)      the substitution, then its share of the column under the matrix ψ
//	dec[i][x] = ψ⁻¹ · πi⁻¹(x)  the same backwards
//	inv[i][x] = πi⁻¹(x)        the substitution backwards alone, for the last round
//
// so that a round is eight lookups a column. 34 KiB, made once at the first use.
type tables struct {
	enc, dec [8][256]uint64
	inv      [4][256]byte
}

var loadTables = sync.OnceValue(buildTables)

// The first rows of the circulant matrices ψ and ψ⁻¹ over GF(2⁸) (clause 6.5), as they multiply rows 0 to 7.
var (
	mds        = [8]byte{0x01, 0x01, 0x05, 0x01, 0x08, 0x06, 0x07, 0x04}
	mdsInverse = [8]byte{0xad, 0x95, 0x76, 0xa8, 0x2f, 0x49, 0xd7, 0xca}
)

// reduction is x⁸ + x⁴ + x³ + x² + 1 without its highest term.
const reduction = 0x1d

func buildTables() *tables {
	t := new(tables)
	for i := range 4 {
		for x := range 256 {
			t.inv[i][sboxes[i][x]] = byte(x)
		}
	}
	for i := range 8 {
		for x := range 256 {
			t.enc[i][x] = column(&mds, i, sboxes[i%4][x])
			t.dec[i][x] = column(&mdsInverse, i, t.inv[i%4][x])
		}
	}
	return t
}

// column is the column that the matrix makes of v in row i and zeros elsewhere: element (k, i) of a circulant matrix is
// the first row at i−k.
func column(first *[8]byte, i int, v byte) uint64 {
	var c uint64
	for k := range 8 {
		c |= uint64(mul(first[(i-k+8)%8], v)) << (8 * k)
	}
	return c
}

// mul multiplies in GF(2⁸). It is for making the tables, whose inputs are public.
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
