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
