package gf2m

// clmul is the product of two polynomials of degree below 64. WebAssembly has no product of 128 bits, so it is made of
// three products of 32 by 32 bits (Karatsuba): the low halves a·d, the high halves b·e, the sums c·f. Each is an integer
// multiplication of bits four apart, where there is room for the carries of 8 terms. They are written out because a call
// costs as much as a third of one here.
func clmul(x, y uint64) (hi, lo uint64) {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	const h0, h1, h2, h3 = m0 >> 32, m1 >> 32, m2 >> 32, m3 >> 32
	a0, a1, a2, a3 := x&h0, x&h1, x&h2, x&h3
	d0, d1, d2, d3 := y&h0, y&h1, y&h2, y&h3
	lo = (a0*d0^a1*d3^a2*d2^a3*d1)&m0 |
		(a0*d1^a1*d0^a2*d3^a3*d2)&m1 |
		(a0*d2^a1*d1^a2*d0^a3*d3)&m2 |
		(a0*d3^a1*d2^a2*d1^a3*d0)&m3
	x >>= 32
	y >>= 32
	b0, b1, b2, b3 := x&h0, x&h1, x&h2, x&h3
	e0, e1, e2, e3 := y&h0, y&h1, y&h2, y&h3
	hi = (b0*e0^b1*e3^b2*e2^b3*e1)&m0 |
		(b0*e1^b1*e0^b2*e3^b3*e2)&m1 |
		(b0*e2^b1*e1^b2*e0^b3*e3)&m2 |
		(b0*e3^b1*e2^b2*e1^b3*e0)&m3
	a0, a1, a2, a3 = a0^b0, a1^b1, a2^b2, a3^b3
	d0, d1, d2, d3 = d0^e0, d1^e1, d2^e2, d3^e3
	mid := (a0*d0^a1*d3^a2*d2^a3*d1)&m0 |
		(a0*d1^a1*d0^a2*d3^a3*d2)&m1 |
		(a0*d2^a1*d1^a2*d0^a3*d3)&m2 |
		(a0*d3^a1*d2^a2*d1^a3*d0)&m3
	mid ^= lo ^ hi
	return hi ^ mid>>32, lo ^ mid<<32
}

// clmulVarTime has nothing to gain from public values here.
func clmulVarTime(x, y uint64) (hi, lo uint64) { return clmul(x, y) }
