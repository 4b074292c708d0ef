package gf2m

import "sync"

// A frobenius is the map x → x^(2^n), which is linear: row i is the image of the power i of the polynomial variable. To
// apply it costs as much as about a dozen squarings without special instructions, whatever n is, and takes constant
// time: every row is read and masked.
type frobenius [257][5]uint64

// powers are the maps for n = 32, 64 and 128 in GF(2^257), 10 KiB each. They are made when they are first needed.
var powers struct {
	once sync.Once
	maps [3]frobenius
}

// leastPower is the first n for which powers has a map; each further one is for twice as many squarings.
const leastPower = 32

func frobenius257() *[len(powers.maps)]frobenius {
	powers.once.Do(func() {
		f := New(257, 12).Portable()
		for i := range powers.maps[0] {
			var x Element
			x[i/64] = 1 << (i % 64)
			for range leastPower {
				f.sqrGeneric(&x, &x)
			}
			powers.maps[0][i] = [5]uint64(x[:5])
		}
		for n := range powers.maps[1:] {
			half, whole := &powers.maps[n], &powers.maps[n+1]
			for i, row := range half {
				var x Element
				copy(x[:], row[:])
				half.apply(&x, &x)
				whole[i] = [5]uint64(x[:5])
			}
		}
	})
	return &powers.maps
}

// apply sets z to the image of x. They may be the same.
func (m *frobenius) apply(z, x *Element) {
	last := &m[256]
	k := -x[4]
	r0, r1, r2, r3, r4 := last[0]&k, last[1]&k, last[2]&k, last[3]&k, last[4]&k
	for w := range 4 {
		v := x[w]
		rows := (*[64][5]uint64)(m[64*w:])
		for i := range rows {
			k := -(v & 1)
			v >>= 1
			row := &rows[i]
			r0 ^= row[0] & k
			r1 ^= row[1] & k
			r2 ^= row[2] & k
			r3 ^= row[3] & k
			r4 ^= row[4] & k
		}
	}
	*z = Element{r0, r1, r2, r3, r4}
}

// A nibbles is a frobenius as a table: row 16·i + v is the image of v·x^(4i). It is for public values only.
type nibbles [65 * 16][5]uint64

// leastTable is the first n of the maps that powerTables makes: 16, 32, 64 and 128, 41 KiB each.
const leastTable = 16

var powerTables struct {
	once sync.Once
	maps [4]nibbles
}

func nibbles257() *[len(powerTables.maps)]nibbles {
	powerTables.once.Do(func() {
		f := New(257, 12).Portable()
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
							f.sqrGeneric(&x, &x)
						}
					} else {
						powerTables.maps[n-1].applyVarTime(&x, &x)
						powerTables.maps[n-1].applyVarTime(&x, &x)
					}
					for v := range bit {
						for w := range 5 {
							t[16*i+bit+v][w] = t[16*i+v][w] ^ x[w]
						}
					}
				}
			}
		}
	})
	return &powerTables.maps
}

// applyVarTime sets z to the image of x. They may be the same.
func (t *nibbles) applyVarTime(z, x *Element) {
	last := &t[64*16+int(x[4]&1)]
	r0, r1, r2, r3, r4 := last[0], last[1], last[2], last[3], last[4]
	for w := range 4 {
		v := x[w]
		rows := (*[256][5]uint64)(t[256*w:])
		for i := 0; i < 256; i += 16 {
			row := &rows[i+int(v&15)]
			v >>= 4
			r0 ^= row[0]
			r1 ^= row[1]
			r2 ^= row[2]
			r3 ^= row[3]
			r4 ^= row[4]
		}
	}
	*z = Element{r0, r1, r2, r3, r4}
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
		f.sqrN257Generic(&t, &r, e)
		f.Mul(&r, &t, &r)
	}
	for i := range maps {
		maps[i].applyVarTime(&t, &r)
		f.Mul(&r, &t, &r)
	}
	f.Sqr(z, &r)
}

// sqrN257Generic sets z = x^(2^n). They may be the same.
func (f *Field) sqrN257Generic(z, x *Element, n int) {
	*z = *x
	if n >= leastPower {
		maps := frobenius257()
		for i := len(maps) - 1; i >= 0; i-- {
			for ; n >= leastPower<<i; n -= leastPower << i {
				maps[i].apply(z, z)
			}
		}
	}
	for range n {
		f.sqrGeneric(z, z)
	}
}
