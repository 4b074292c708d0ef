package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// m431 is GF(2^431) modulo x^431 + x^5 + x^3 + x + 1. A value is words 0 and 1, 2 and 3, 4 and 5, and 6.
type m431 struct {
	low47 operand.Mem // 2^47 − 1
	fold  operand.Mem // x^17·(x^5 + x^3 + x + 1)
}

func (*m431) name() string  { return "431" }
func (*m431) a() int        { return 1 }
func (*m431) tempSize() int { return 64 }

func (*m431) load(m operand.Mem) value {
	v := value{XMM(), XMM(), XMM(), XMM()}
	VMOVDQU(m, v[0])
	VMOVDQU(m.Offset(16), v[1])
	VMOVDQU(m.Offset(32), v[2])
	VMOVQ(m.Offset(48), v[3])
	return v
}

func (*m431) store(v value, m operand.Mem) {
	VMOVDQU(v[0], m)
	VMOVDQU(v[1], m.Offset(16))
	VMOVDQU(v[2], m.Offset(32))
	VMOVQ(v[3], m.Offset(48))
}

func (f *m431) storeTemp(v value, m operand.Mem) { f.store(v, m) }

// mulWide takes pairs of words as the digits of Karatsuba's method on two levels; the fourth digit is one word.
func (f *m431) mulWide(x, y operand.Mem) value {
	// The seven pairs of the result.
	r := make(value, 7)
	put := func(i int, v reg.VecVirtual) {
		if r[i] == nil {
			r[i] = XMM()
			VMOVDQA(v, r[i])
			return
		}
		VPXOR(v, r[i], r[i])
	}
	digit := func(m operand.Mem, i int) reg.VecVirtual {
		z := XMM()
		if i == 3 {
			VMOVQ(m.Offset(48), z)
		} else {
			VMOVDQU(m.Offset(16*i), z)
		}
		return z
	}
	sum := func(m operand.Mem, digits ...int) reg.VecVirtual {
		z := digit(m, digits[0])
		for _, i := range digits[1:] {
			if i == 3 {
				VPXOR(digit(m, 3), z, z)
			} else {
				VPXOR(m.Offset(16*i), z, z)
			}
		}
		return z
	}
	// product of two pairs: low and high half.
	product := func(digits ...int) (lo, hi reg.VecVirtual) {
		a, b := sum(x, digits...), sum(y, digits...)
		lo, hi = clmul(a, b, 0x00), clmul(a, b, 0x11)
		mid := clmul(folded(a), folded(b), 0x00)
		VPXOR(lo, mid, mid)
		VPXOR(hi, mid, mid)
		VPXOR(up(mid), lo, lo)
		VPXOR(down(mid), hi, hi)
		return lo, hi
	}
	// A product of single digits counts at four places in a row, a product of sums of two at the places given.
	four := func(at int, lo, hi reg.VecVirtual) {
		put(at, lo)
		put(at+4, hi)
		VPXOR(hi, lo, lo)
		put(at+1, lo)
		put(at+2, lo)
		put(at+3, lo)
	}
	at := func(lo, hi reg.VecVirtual, places ...int) {
		for _, i := range places {
			put(i, lo)
			put(i+1, hi)
		}
	}
	lo, hi := product(0)
	four(0, lo, hi)
	lo, hi = product(1)
	four(1, lo, hi)
	lo, hi = product(2)
	four(2, lo, hi)
	lo = clmul(digit(x, 3), digit(y, 3), 0x00)
	for i := 3; i <= 6; i++ {
		put(i, lo)
	}
	lo, hi = product(0, 1)
	at(lo, hi, 1, 3)
	lo, hi = product(2, 3)
	at(lo, hi, 3, 5)
	lo, hi = product(0, 2)
	at(lo, hi, 2, 3)
	lo, hi = product(1, 3)
	at(lo, hi, 3, 4)
	lo, hi = product(0, 1, 2, 3)
	at(lo, hi, 3)
	return r
}

func (f *m431) mul(x, y operand.Mem) value { return f.reduce(f.mulWide(x, y)) }
func (f *m431) sqr(x value) value          { return f.reduce(f.sqrWide(x)) }

func (f *m431) sqrWide(x value) value {
	var r value
	for i := range 7 {
		r = append(r, clmul(x[i/2], x[i/2], []uint8{0x00, 0x11}[i%2]))
	}
	return r
}

// reduce takes words 0 to 13 in pairs. Word i ≥ 7 is worth itself times x^17·(x^5 + x^3 + x + 1), seven words down.
// Word 13 has less than 30 bits, so nothing comes back above word 6.
func (f *m431) reduce(r value) value {
	c := XMM()
	VMOVDQU(f.fold, c)
	low := func(i int) reg.VecVirtual { return clmul(r[i], c, 0x00) }
	high := func(i int) reg.VecVirtual { return clmul(r[i], c, 0x01) }
	t8, t10, t12 := low(4), low(5), low(6)
	r0 := xor(r[0], high(3), up(t8))
	r1 := xor(r[1], high(4), middle(t8, t10))
	r2 := xor(r[2], high(5), middle(t10, t12))
	r3 := xor(r[3], high(6), down(t12))
	// Word 6 has 47 bits; the rest is folded into word 0.
	v := shr(r3, 47)
	VPAND(f.low47, r3, r3)
	VMOVQ(v, v) // only word 6 of the pair
	r0 = xor(r0, v, shl(v, 1), shl(v, 3), shl(v, 5))
	return value{r0, r1, r2, r3}
}
