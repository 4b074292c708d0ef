package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// m257 is GF(2^257) modulo x^257 + x^12 + 1. A value is words 0 and 1, 2 and 3, and 4, which is one bit.
type m257 struct {
	one operand.Mem // 1
}

func (*m257) name() string  { return "257" }
func (*m257) a() int        { return 0 }
func (*m257) tempSize() int { return 48 }

func (*m257) load(m operand.Mem) value {
	v := value{XMM(), XMM(), XMM()}
	VMOVDQU(m, v[0])
	VMOVDQU(m.Offset(16), v[1])
	VMOVQ(m.Offset(32), v[2])
	return v
}

func (*m257) storeTemp(v value, m operand.Mem) {
	VMOVDQU(v[0], m)
	VMOVDQU(v[1], m.Offset(16))
	VMOVDQU(v[2], m.Offset(32))
}

func (f *m257) store(v value, m operand.Mem) {
	f.storeTemp(v, m)
	MOVQ(operand.U32(0), m.Offset(48))
}

// mask is all ones in both words if the bit at m is set, else zero.
func mask(m operand.Mem) reg.VecVirtual {
	bit, z := XMM(), XMM()
	VMOVDDUP(m, bit)
	VPXOR(z, z, z)
	VPSUBQ(bit, z, z)
	return z
}

func and(x, y reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPAND(x, y, z)
	return z
}

// mulWide is Karatsuba's method on two levels, nine products, and the two highest bits apart.
func (f *m257) mulWide(x, y operand.Mem) value {
	a0, a1, b0, b1 := XMM(), XMM(), XMM(), XMM()
	VMOVDQU(x, a0)
	VMOVDQU(x.Offset(16), a1)
	VMOVDQU(y, b0)
	VMOVDQU(y.Offset(16), b1)

	// Words 0 and 1; 2 and 3; each pair's sums; the sums of the pairs.
	sums := func(lo, hi reg.VecVirtual) reg.VecVirtual { // [w0 + w1, w2 + w3]
		l, h := XMM(), XMM()
		VPUNPCKLQDQ(hi, lo, l)
		VPUNPCKHQDQ(hi, lo, h)
		VPXOR(h, l, l)
		return l
	}
	ea, eb := sums(a0, a1), sums(b0, b1)
	p01, p23 := clmul(ea, eb, 0x00), clmul(ea, eb, 0x11)
	q01 := clmul(folded(ea), folded(eb), 0x00)
	ca, cb := xor(a0, a1), xor(b0, b1)
	q0, q1 := clmul(ca, cb, 0x00), clmul(ca, cb, 0x11)
	p00, p11 := clmul(a0, b0, 0x00), clmul(a0, b0, 0x11)
	p22, p33 := clmul(a1, b1, 0x00), clmul(a1, b1, 0x11)

	ml := xor(p01, p00, p11)
	mh := xor(p23, p22, p33)
	o3 := xor(q01, q0, q1, ml, mh)
	s := xor(p11, p22)
	r1 := xor(q0, s, p00, middle(ml, o3))
	r2 := xor(q1, s, p33, middle(o3, mh))
	r0 := xor(p00, up(ml))
	r3 := xor(p33, down(mh))

	ma, mb := mask(x.Offset(32)), mask(y.Offset(32))
	r2 = xor(r2, and(b0, ma), and(a0, mb))
	r3 = xor(r3, and(b1, ma), and(a1, mb))
	r4 := XMM() // word 8 is one bit
	VPAND(ma, mb, r4)
	VPSRLQ(operand.U8(63), r4, r4)
	return value{r0, r1, r2, r3, r4}
}

func (f *m257) mul(x, y operand.Mem) value { return f.reduce(f.mulWide(x, y)) }
func (f *m257) sqr(x value) value          { return f.reduce(f.sqrWide(x)) }

func (f *m257) sqrWide(x value) value {
	top := XMM()
	VMOVDQA(x[2], top)
	return value{clmul(x[0], x[0], 0x00), clmul(x[0], x[0], 0x11), clmul(x[1], x[1], 0x00), clmul(x[1], x[1], 0x11), top}
}

// reduce takes words 0 to 7 in pairs, and word 8, which is one bit, in the low word of the fifth.
func (f *m257) reduce(t value) value {
	t0, t1, t2, t3, t4 := t[0], t[1], t[2], t[3], t[4]
	// H is what stands from bit 257 upward, four words; it is worth H + H·x^12.
	h0 := xor(shr(t2, 1), shl(middle(t2, t3), 63))
	h1 := xor(shr(t3, 1), shl(middle(t3, t4), 63))
	// H·x^12 has bits from 257 upward again, which come from bit 245 of H upward: bit 244 goes to word 4.
	k := shr(down(h1), 52)
	w4 := xor(t2, k)
	VPAND(f.one, w4, w4)
	o := shr(k, 1)
	r0 := xor(t0, h0, shl(h0, 12), shr(up(h0), 52), o, shl(o, 12))
	r1 := xor(t1, h1, shl(h1, 12), shr(middle(h0, h1), 52))
	return value{r0, r1, w4}
}
