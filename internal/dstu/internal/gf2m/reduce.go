package gf2m

// reduce sets z to t modulo the polynomial of the field.
func (f *Field) reduce(z *Element, t *[2 * MaxWords]uint64) {
	if f.shape == shape431 {
		reduce431(z, t)
		return
	}
	// A word at 64·i is worth the same 64·i − m + k bits up, for k = 0 and each middle term. No exponent is above
	// m−64 (New), so a word is never folded into itself.
	for i := 2*f.words - 1; i >= f.words; i-- {
		v := t[i]
		fold(t, v, 64*i-f.m)
		for _, k := range f.k {
			fold(t, v, 64*i-f.m+k)
		}
	}
	top := f.words - 1
	v := t[top] >> (f.m - 64*top)
	t[top] &= f.topMask()
	fold(t, v, 0)
	for _, k := range f.k {
		fold(t, v, k)
	}
	*z = Element{}
	copy(z[:f.words], t[:f.words])
}

// fold adds v at bit position pos.
func fold(t *[2 * MaxWords]uint64, v uint64, pos int) {
	i, s := pos/64, uint(pos%64)
	t[i] ^= v << s
	t[i+1] ^= v >> (64 - s)
}

// reduce431 reduces by x^431 + x^5 + x^3 + x + 1. x^(64·i) = x^(64·(i−7)+17)·(x^5 + x^3 + x + 1).
func reduce431(z *Element, t *[2 * MaxWords]uint64) {
	for i := 13; i >= 7; i-- {
		v := t[i]
		t[i-7] ^= v<<17 ^ v<<18 ^ v<<20 ^ v<<22
		t[i-6] ^= v>>47 ^ v>>46 ^ v>>44 ^ v>>42
	}
	v := t[6] >> 47
	z[0] = t[0] ^ v ^ v<<1 ^ v<<3 ^ v<<5
	z[1], z[2], z[3], z[4], z[5] = t[1], t[2], t[3], t[4], t[5]
	z[6] = t[6] & (1<<47 - 1)
}

// spread puts the low 32 bits of v at the even bits.
func spread(v uint64) uint64 {
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	v = (v | v<<2) & 0x3333333333333333
	return (v | v<<1) & 0x5555555555555555
}

// sqrGeneric sets z = x² without special instructions, in the fields that have no routine of their own for it.
func (f *Field) sqrGeneric(z, x *Element) {
	var t [2 * MaxWords]uint64
	for i := range f.words {
		t[2*i], t[2*i+1] = spread(x[i]&0xffffffff), spread(x[i]>>32)
	}
	f.reduce(z, &t)
}
