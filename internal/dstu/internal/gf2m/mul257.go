package gf2m

// Mul sets z = x·y. All may be the same.
//
// What follows is the product in M257 without special instructions, of nine products of words as in mul4, and the
// reduction by x^257 + x^12 + 1. It stands here, in one piece, because a call costs a hundredth of it, and what goes
// through memory a tenth.
func (f *Field) Mul(z, x, y *Element) {
	if f.shape != shape257 || f.asm {
		f.mulOther(z, x, y)
		return
	}
	x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
	y0, y1, y2, y3 := y[0], y[1], y[2], y[3]
	// The products of the words, of pairs' sums, of the sum of all.
	var a0, b0, c0, d0, e0, f0, g0, h0, i0 uint64
	var a1, b1, c1, d1, e1, f1, g1, h1, i1 uint64
	if f.public {
		a1, a0 = clmulVarTime(x0, y0)
		b1, b0 = clmulVarTime(x1, y1)
		c1, c0 = clmulVarTime(x2, y2)
		d1, d0 = clmulVarTime(x3, y3)
		e1, e0 = clmulVarTime(x0^x1, y0^y1)
		f1, f0 = clmulVarTime(x2^x3, y2^y3)
		g1, g0 = clmulVarTime(x0^x2, y0^y2)
		h1, h0 = clmulVarTime(x1^x3, y1^y3)
		i1, i0 = clmulVarTime(x0^x1^x2^x3, y0^y1^y2^y3)
	} else {
		a1, a0 = clmul(x0, y0)
		b1, b0 = clmul(x1, y1)
		c1, c0 = clmul(x2, y2)
		d1, d0 = clmul(x3, y3)
		e1, e0 = clmul(x0^x1, y0^y1)
		f1, f0 = clmul(x2^x3, y2^y3)
		g1, g0 = clmul(x0^x2, y0^y2)
		h1, h0 = clmul(x1^x3, y1^y3)
		i1, i0 = clmul(x0^x1^x2^x3, y0^y1^y2^y3)
	}
	mx, my := -x[4], -y[4] // the fifth word is one bit
	t8 := x[4] & y[4]
	t7 := d1 ^ y3&mx ^ x3&my
	f0, f1 = f0^c0^d0, f1^c1^d1 // of words 2 and 3: c0, c1 + f0, d0 + f1, d1
	t6 := d0 ^ f1 ^ y2&mx ^ x2&my
	e0, e1 = e0^a0^b0, e1^a1^b1 // of words 0 and 1: a0, a1 + e0, b0 + e1, b1
	i0, i1 = i0^g0^h0, i1^g1^h1 // of the sums: g0, g1 + i0, h0 + i1, h1
	m, n := b0^e1^c0, b1^c1^f0
	t2 := m ^ a0 ^ g0
	t3 := n ^ a1 ^ e0 ^ g1 ^ i0
	t4 := m ^ d0 ^ f1 ^ h0 ^ i1 ^ y0&mx ^ x0&my
	t5 := n ^ d1 ^ h1 ^ y1&mx ^ x1&my
	// x^(64·i) = x^(64·(i−5)+63) + x^(64·(i−4)+11)
	t3 ^= t8<<63 ^ t7>>1 ^ t7<<11 ^ t6>>53
	t4 ^= t8>>1 ^ t8<<11 ^ t7>>53
	t5 ^= t8 >> 53
	t1 := a1 ^ e0 ^ t6<<63 ^ t5>>1 ^ t5<<11
	t2 ^= t7<<63 ^ t6>>1 ^ t6<<11 ^ t5>>53
	v := t4 >> 1
	z[0] = a0 ^ t5<<63 ^ v ^ v<<12
	z[1], z[2], z[3], z[4], z[5], z[6] = t1^v>>52, t2, t3, t4&1, 0, 0
}

// mulOther is Mul in the other fields and with special instructions.
func (f *Field) mulOther(z, x, y *Element) {
	if f.asm {
		f.mulAsm(z, x, y)
		return
	}
	f.mulGeneric(z, x, y)
}

// sqr257Generic sets z = x² in M257 without special instructions, reduced as in Mul. They may be the same.
func sqr257Generic(z, x *Element) {
	t7, t6, t5 := spread(x[3]>>32), spread(x[3]&0xffffffff), spread(x[2]>>32)
	t4 := spread(x[2] & 0xffffffff)
	t3 := spread(x[1] >> 32)
	t8 := x[4]
	t3 ^= t8 << 63
	t4 ^= t8>>1 ^ t8<<11
	t5 ^= t8 >> 53
	t3 ^= t7>>1 ^ t7<<11
	t4 ^= t7 >> 53
	t2 := spread(x[1]&0xffffffff) ^ t7<<63 ^ t6>>1 ^ t6<<11
	t3 ^= t6 >> 53
	t1 := spread(x[0]>>32) ^ t6<<63 ^ t5>>1 ^ t5<<11
	t2 ^= t5 >> 53
	v := t4 >> 1
	z[0] = spread(x[0]&0xffffffff) ^ t5<<63 ^ v ^ v<<12
	z[1], z[2], z[3], z[4], z[5], z[6] = t1^v>>52, t2, t3, t4&1, 0, 0
}
