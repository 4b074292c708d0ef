package gf2m

import "sync"

// A frobenius is the map x → x^(2^n), which is linear: row i is the image of the power i of the polynomial variable,
// without its highest word, which is one bit: tops has bit i set where that is one. To apply it costs as much as a score
// of squarings without special instructions, whatever n is, and takes constant time: every row is read and masked.
type frobenius struct {
	rows [257][4]uint64
	tops Element
}

// powers are the maps for n = 32, 64 and 128 in GF(2^257), 8 KiB each. They are made when they are first needed.
var powers struct {
	once sync.Once
	maps [3]frobenius
}

// leastPower is the first n for which powers has a map; each further one is for twice as many squarings.
const leastPower = 32

func frobenius257() *[len(powers.maps)]frobenius {
	powers.once.Do(func() {
		for i := range powers.maps[0].rows {
			var x Element
			x[i/64] = 1 << (i % 64)
			for range leastPower {
				sqr257Generic(&x, &x)
			}
			powers.maps[0].set(i, &x)
		}
		for n := range powers.maps[1:] {
			half, whole := &powers.maps[n], &powers.maps[n+1]
			for i := range half.rows {
				var x Element
				copy(x[:], half.rows[i][:])
				x[4] = half.tops[i/64] >> (i % 64) & 1
				half.apply(&x, &x)
				whole.set(i, &x)
			}
		}
	})
	return &powers.maps
}

// set makes x the row i, which was zero.
func (m *frobenius) set(i int, x *Element) {
	copy(m.rows[i][:], x[:])
	m.tops[i/64] |= x[4] << (i % 64)
}

// apply sets z to the image of x. They may be the same.
func (m *frobenius) apply(z, x *Element) {
	last := &m.rows[256]
	k := -x[4]
	r0, r1, r2, r3 := last[0]&k, last[1]&k, last[2]&k, last[3]&k
	for w := range 4 {
		v := int64(x[w])
		rows := (*[64][4]uint64)(m.rows[64*w:])
		for i := 63; i >= 0; i-- {
			k := uint64(v >> 63)
			v <<= 1
			row := &rows[i&63]
			r0 ^= row[0] & k
			r1 ^= row[1] & k
			r2 ^= row[2] & k
			r3 ^= row[3] & k
		}
	}
	*z = Element{r0, r1, r2, r3, uint64(oddBits(x, &m.tops))}
}

// A nibbles is a frobenius as a table: row 16·i + v is the image of v·x^(4i). It is for public values only.
type nibbles struct {
	rows [65 * 16][4]uint64
	tops Element
}

// leastTable is the first n of the maps that powerTables makes: 8, 16, 32, 64 and 128, 33 KiB each.
const leastTable = 8

var powerTables struct {
	once sync.Once
	maps [5]nibbles
}

func nibbles257() *[len(powerTables.maps)]nibbles {
	powerTables.once.Do(func() {
		for n := range powerTables.maps {
			t := &powerTables.maps[n]
			for i := range 65 {
				for bit := 1; bit < 16; bit *= 2 {
					var x Element
					x[i/16] = uint64(bit) << (i % 16 * 4)
					if i == 64 && bit > 1 {
						break
					}
					if n == 0 {
						for range leastTable {
							sqr257Generic(&x, &x)
						}
					} else {
						powerTables.maps[n-1].applyVarTime(&x, &x)
						powerTables.maps[n-1].applyVarTime(&x, &x)
					}
					for v := range bit {
						for w := range 4 {
							t.rows[16*i+bit+v][w] = t.rows[16*i+v][w] ^ x[w]
						}
					}
					t.tops[i/16] |= x[4] * uint64(bit) << (i % 16 * 4)
				}
			}
		}
	})
	return &powerTables.maps
}

// applyVarTime sets z to the image of x. They may be the same.
func (t *nibbles) applyVarTime(z, x *Element) {
	last := &t.rows[64*16+int(x[4]&1)]
	r0, r1, r2, r3 := last[0], last[1], last[2], last[3]
	for w := range 4 {
		v := x[w]
		rows := (*[256][4]uint64)(t.rows[256*w:])
		for i := 0; i < 256; i += 16 {
			row := &rows[i+int(v&15)]
			v >>= 4
			r0 ^= row[0]
			r1 ^= row[1]
			r2 ^= row[2]
			r3 ^= row[3]
		}
	}
	*z = Element{r0, r1, r2, r3, uint64(oddBits(x, &t.tops))}
}

// InvVarTime is Inv for public values.
func (f *Field) InvVarTime(z, x *Element) {
	if f.shape != shape257 || f.asm {
		f.Inv(z, x)
		return
	}
	maps := nibbles257()
	r, t := *x, Element{}
	for e := 1; e < leastTable; e *= 2 { // 256 = 2⁸: e doubles to the end
		f.SqrN(&t, &r, e)
		f.Mul(&r, &t, &r)
	}
	for i := range maps {
		maps[i].applyVarTime(&t, &r)
		f.Mul(&r, &t, &r)
	}
	f.Sqr(z, &r)
}

// sqrNByMaps sets z = x^(2^n). They may be the same.
func (f *Field) sqrNByMaps(z, x *Element, n int) {
	*z = *x
	maps := frobenius257()
	for i := len(maps) - 1; i >= 0; i-- {
		for ; n >= leastPower<<i; n -= leastPower << i {
			maps[i].apply(z, z)
		}
	}
	if f.asm {
		f.sqrNAsm(z, z, n)
		return
	}
	for range n {
		sqr257Generic(z, z)
	}
}
