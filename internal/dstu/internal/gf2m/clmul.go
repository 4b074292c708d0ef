//go:build !wasm

package gf2m

import "math/bits"

// clmul is the product of two polynomials of degree below 64, by integer multiplication: four bits apart there is room
// for the carries of 15 terms. A seventh, x times the top four bits of y, is done apart, else there would be 16.
func clmul(x, y uint64) (hi, lo uint64) {
	const m0, m1, m2, m3 = 0x1111111111111111, 0x2222222222222222, 0x4444444444444444, 0x8888888888888888
	lo = x<<60&-(y>>60&1) ^ x<<61&-(y>>61&1) ^ x<<62&-(y>>62&1) ^ x<<63&-(y>>63)
	hi = x>>4&-(y>>60&1) ^ x>>3&-(y>>61&1) ^ x>>2&-(y>>62&1) ^ x>>1&-(y>>63)
	x0, x1, x2, x3 := x&m0, x&m1, x&m2, x&m3
	y0, y1, y2, y3 := y&(m0>>4), y&(m1>>4), y&(m2>>4), y&(m3>>4)

	h0, l0 := bits.Mul64(x0, y0)
	h1, l1 := bits.Mul64(x1, y3)
	h2, l2 := bits.Mul64(x2, y2)
	h3, l3 := bits.Mul64(x3, y1)
	hi ^= (h0 ^ h1 ^ h2 ^ h3) & m0
	lo ^= (l0 ^ l1 ^ l2 ^ l3) & m0

	h0, l0 = bits.Mul64(x0, y1)
	h1, l1 = bits.Mul64(x1, y0)
	h2, l2 = bits.Mul64(x2, y3)
	h3, l3 = bits.Mul64(x3, y2)
	hi ^= (h0 ^ h1 ^ h2 ^ h3) & m1
	lo ^= (l0 ^ l1 ^ l2 ^ l3) & m1

	h0, l0 = bits.Mul64(x0, y2)
	h1, l1 = bits.Mul64(x1, y1)
	h2, l2 = bits.Mul64(x2, y0)
	h3, l3 = bits.Mul64(x3, y3)
	hi ^= (h0 ^ h1 ^ h2 ^ h3) & m2
	lo ^= (l0 ^ l1 ^ l2 ^ l3) & m2

	h0, l0 = bits.Mul64(x0, y3)
	h1, l1 = bits.Mul64(x1, y2)
	h2, l2 = bits.Mul64(x2, y1)
	h3, l3 = bits.Mul64(x3, y0)
	hi ^= (h0 ^ h1 ^ h2 ^ h3) & m3
	lo ^= (l0 ^ l1 ^ l2 ^ l3) & m3
	return hi, lo
}
