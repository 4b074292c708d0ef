//go:build !wasm

package gf2m

import "math/bits"

// clmul is the product of two polynomials of degree below 64, by integer multiplication: four bits apart there is room
// for the carries of 15 terms. The top four bits of y, with which there would be 16, are done apart: four bits side by
// side times bits four apart have no carries at all.
func clmul(x, y uint64) (hi, lo uint64) {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	x0, x1, x2, x3 := x&m0, x&m1, x&m2, x&m3
	top := y & (15 << 60)
	hi, lo = bits.Mul64(x0, top)
	h, l := bits.Mul64(x1, top)
	hi, lo = hi^h, lo^l
	h, l = bits.Mul64(x2, top)
	hi, lo = hi^h, lo^l
	h, l = bits.Mul64(x3, top)
	hi, lo = hi^h, lo^l
	y0, y1, y2, y3 := y&(m0>>4), y&(m1>>4), y&(m2>>4), y&(m3>>4)

	H, L := bits.Mul64(x0, y0)
	h, l = bits.Mul64(x1, y3)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y2)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y1)
	H, L = H^h, L^l
	hi, lo = hi^H&m0, lo^L&m0

	H, L = bits.Mul64(x0, y1)
	h, l = bits.Mul64(x1, y0)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y3)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y2)
	H, L = H^h, L^l
	hi, lo = hi^H&m1, lo^L&m1

	H, L = bits.Mul64(x0, y2)
	h, l = bits.Mul64(x1, y1)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y0)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y3)
	H, L = H^h, L^l
	hi, lo = hi^H&m2, lo^L&m2

	H, L = bits.Mul64(x0, y3)
	h, l = bits.Mul64(x1, y2)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y1)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y0)
	H, L = H^h, L^l
	hi, lo = hi^H&m3, lo^L&m3
	return hi, lo
}

// clmulVarTime is clmul for public values: the top four bits of y are done apart only where they must be, which is where
// sixteen bits of y four apart are all ones.
func clmulVarTime(x, y uint64) (hi, lo uint64) {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	y0, y1, y2, y3 := y&m0, y&m1, y&m2, y&m3
	if y0 == m0 || y1 == m1 || y2 == m2 || y3 == m3 {
		return clmul(x, y)
	}
	x0, x1, x2, x3 := x&m0, x&m1, x&m2, x&m3

	H, L := bits.Mul64(x0, y0)
	h, l := bits.Mul64(x1, y3)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y2)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y1)
	H, L = H^h, L^l
	hi, lo = H&m0, L&m0

	H, L = bits.Mul64(x0, y1)
	h, l = bits.Mul64(x1, y0)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y3)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y2)
	H, L = H^h, L^l
	hi, lo = hi^H&m1, lo^L&m1

	H, L = bits.Mul64(x0, y2)
	h, l = bits.Mul64(x1, y1)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y0)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y3)
	H, L = H^h, L^l
	hi, lo = hi^H&m2, lo^L&m2

	H, L = bits.Mul64(x0, y3)
	h, l = bits.Mul64(x1, y2)
	H, L = H^h, L^l
	h, l = bits.Mul64(x2, y1)
	H, L = H^h, L^l
	h, l = bits.Mul64(x3, y0)
	H, L = H^h, L^l
	hi, lo = hi^H&m3, lo^L&m3
	return hi, lo
}
