package gf2m

// mul2, mul3 and mul4 are products of 2, 3 and 4 words by Karatsuba's method: 3, 6 and 9 products of words.

func mul2(x0, x1, y0, y1 uint64) (z0, z1, z2, z3 uint64) {
	z1, z0 = clmul(x0, y0)
	z3, z2 = clmul(x1, y1)
	h, l := clmul(x0^x1, y0^y1)
	l ^= z0 ^ z2
	h ^= z1 ^ z3
	return z0, z1 ^ l, z2 ^ h, z3
}

func mul3(z *[6]uint64, x0, x1, x2, y0, y1, y2 uint64) {
	h0, l0 := clmul(x0, y0)
	h1, l1 := clmul(x1, y1)
	h2, l2 := clmul(x2, y2)
	h01, l01 := clmul(x0^x1, y0^y1)
	h02, l02 := clmul(x0^x2, y0^y2)
	h12, l12 := clmul(x1^x2, y1^y2)
	z[0] = l0
	z[1] = h0 ^ l01 ^ l0 ^ l1
	z[2] = h01 ^ h0 ^ h1 ^ l02 ^ l0 ^ l1 ^ l2
	z[3] = h02 ^ h0 ^ h1 ^ h2 ^ l12 ^ l1 ^ l2
	z[4] = h12 ^ h1 ^ h2 ^ l2
	z[5] = h2
}

func mul4(z *[8]uint64, x0, x1, x2, x3, y0, y1, y2, y3 uint64) {
	a0, a1, a2, a3 := mul2(x0, x1, y0, y1)
	b0, b1, b2, b3 := mul2(x2, x3, y2, y3)
	c0, c1, c2, c3 := mul2(x0^x2, x1^x3, y0^y2, y1^y3)
	z[0], z[1] = a0, a1
	z[2] = a2 ^ c0 ^ a0 ^ b0
	z[3] = a3 ^ c1 ^ a1 ^ b1
	z[4] = b0 ^ c2 ^ a2 ^ b2
	z[5] = b1 ^ c3 ^ a3 ^ b3
	z[6], z[7] = b2, b3
}

// mulGeneric sets z = x·y without special instructions, in the fields that have no routine of their own for it.
func (f *Field) mulGeneric(z, x, y *Element) {
	var t [2 * MaxWords]uint64
	switch f.words {
	case 3:
		mul3((*[6]uint64)(t[:6]), x[0], x[1], x[2], y[0], y[1], y[2])
	case 4:
		mul4((*[8]uint64)(t[:8]), x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3])
	case 5, 6:
		var mid, high [6]uint64
		mul3((*[6]uint64)(t[:6]), x[0], x[1], x[2], y[0], y[1], y[2])
		mul3(&high, x[3], x[4], x[5], y[3], y[4], y[5])
		mul3(&mid, x[0]^x[3], x[1]^x[4], x[2]^x[5], y[0]^y[3], y[1]^y[4], y[2]^y[5])
		for i := range mid {
			mid[i] ^= t[i] ^ high[i]
		}
		for i := range mid {
			t[3+i] ^= mid[i]
			t[6+i] ^= high[i]
		}
	case 7:
		var mid [8]uint64
		var high [6]uint64
		mul4((*[8]uint64)(t[:8]), x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3])
		mul3(&high, x[4], x[5], x[6], y[4], y[5], y[6])
		mul4(&mid, x[0]^x[4], x[1]^x[5], x[2]^x[6], x[3], y[0]^y[4], y[1]^y[5], y[2]^y[6], y[3])
		for i := range high {
			mid[i] ^= high[i]
			t[8+i] = high[i]
		}
		for i := range mid {
			mid[i] ^= t[i]
		}
		for i := range mid {
			t[4+i] ^= mid[i]
		}
	default:
		panic("gf2m: internal error: field size")
	}
	f.reduce(z, &t)
}
