package dstu4145

import (
	"math/bits"

	"brama/internal/dstu/internal/gf2m"
)

// A scalar is an integer of at most bitlen(n) bits, words in little-endian order; words above the order's are zero.
type scalar [gf2m.MaxWords]uint64

// An order is a prime n with what Montgomery multiplication modulo n needs. All arithmetic modulo n takes constant time.
type order struct {
	n     scalar
	bits  int
	bytes int    // ⌈bits/8⌉
	words int    // ⌈bits/64⌉
	inv   uint64 // −1/n modulo 2^64
	rr    scalar // 2^(128·words) modulo n
}

// init sets o to the order with the magnitude n, big-endian, without leading zero bytes.
func (o *order) init(n []byte) {
	o.bytes = len(n)
	o.bits = 8*len(n) - bits.LeadingZeros8(n[0])
	o.words = (o.bits + 63) / 64
	for i, b := range n {
		j := len(n) - 1 - i
		o.n[j/8] |= uint64(b) << (j % 8 * 8)
	}
	// Newton: each step doubles the number of right bits, of which n·n ≡ 1 gives three to begin with.
	inv := o.n[0]
	for range 5 {
		inv *= 2 - o.n[0]*inv
	}
	o.inv = -inv
	o.rr[0] = 1
	for range 128 * o.words {
		o.add(&o.rr, &o.rr, &o.rr)
	}
}

// setBytes sets x to b, little-endian. It returns false, with x unspecified, if b does not fit the words of n; whether
// x is below n is another question.
func (o *order) setBytes(x *scalar, b []byte) bool {
	*x = scalar{}
	var excess byte
	for i, v := range b {
		if i < 8*o.words {
			x[i/8] |= uint64(v) << (i % 8 * 8)
		} else {
			excess |= v
		}
	}
	return excess == 0
}

// appendBytes appends x to b, little-endian, ⌈bits/8⌉ bytes.
func (o *order) appendBytes(b []byte, x *scalar) []byte {
	for i := range o.bytes {
		b = append(b, byte(x[i/8]>>(i%8*8)))
	}
	return b
}

// inRange returns 1 if 0 < x < n, else 0.
func (o *order) inRange(x *scalar) int {
	var d scalar
	return int(o.sub(&d, x, &o.n)) & (1 ^ x.isZero())
}

func (x *scalar) isZero() int { return (*gf2m.Element)(x).IsZero() }

// sub sets z = x − y modulo 2^(64·words) and returns the borrow.
func (o *order) sub(z, x, y *scalar) (borrow uint64) {
	for i := range o.words {
		z[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow
}

// reduceOnce sets z to x + carry·2^(64·words), which is below 2n, modulo n.
func (o *order) reduceOnce(z, x *scalar, carry uint64) {
	var d scalar
	borrow := o.sub(&d, x, &o.n)
	// x < n if the difference borrows and there is no carry to pay it.
	keep := int(borrow &^ carry & 1)
	(*gf2m.Element)(z).Select(keep, (*gf2m.Element)(x), (*gf2m.Element)(&d))
}

// add sets z = x + y modulo n, for x and y below n. All may be the same.
func (o *order) add(z, x, y *scalar) {
	var s scalar
	var carry uint64
	for i := range o.words {
		s[i], carry = bits.Add64(x[i], y[i], carry)
	}
	o.reduceOnce(z, &s, carry)
}

// mul sets z = x·y modulo n, for x and y below n. All may be the same.
func (o *order) mul(z, x, y *scalar) {
	var t scalar
	o.montgomery(&t, x, y)
	o.montgomery(z, &t, &o.rr)
}

// montgomery sets z = x·y/2^(64·words) modulo n. All may be the same.
func (o *order) montgomery(z, x, y *scalar) {
	var t [gf2m.MaxWords + 2]uint64
	w := o.words
	for i := range w {
		var c uint64
		for j := range w {
			t[j], c = mulAdd(x[j], y[i], t[j], c)
		}
		var carry uint64
		t[w], carry = bits.Add64(t[w], c, 0)
		t[w+1] = carry

		q := t[0] * o.inv
		_, c = mulAdd(q, o.n[0], t[0], 0)
		for j := 1; j < w; j++ {
			t[j-1], c = mulAdd(q, o.n[j], t[j], c)
		}
		t[w-1], carry = bits.Add64(t[w], c, 0)
		t[w] = t[w+1] + carry
	}
	var s scalar
	copy(s[:w], t[:w])
	o.reduceOnce(z, &s, t[w])
}

// mulAdd returns x·y + a + b as low and high word; it cannot overflow.
func mulAdd(x, y, a, b uint64) (lo, hi uint64) {
	hi, lo = bits.Mul64(x, y)
	var c uint64
	lo, c = bits.Add64(lo, a, 0)
	hi += c
	lo, c = bits.Add64(lo, b, 0)
	return lo, hi + c
}

// odd sets z to x if x is odd and to n − x if it is even, and returns 1 in the second case. n is odd, so z is odd.
func (o *order) odd(z, x *scalar) (negated int) {
	var d scalar
	o.sub(&d, &o.n, x)
	negated = int(1 ^ x[0]&1)
	(*gf2m.Element)(z).Select(negated, (*gf2m.Element)(&d), (*gf2m.Element)(x))
	return negated
}
