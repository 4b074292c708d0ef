package gost34311

import (
	"math/bits"

	"brama/internal/dstu/internal/feistel"
)

func add64(x, y, carry uint64) (sum, carryOut uint64) { return bits.Add64(x, y, carry) }

// Constant C₃ of the key generation; C₂ and C₄ are zero.
var c3 = [4]uint64{0xff00ff00ff00ff00, 0x00ff00ff00ff00ff, 0xff0000ff00ffff00, 0xff00ffff000000ff}

// step is the step function of the standard: h becomes χ(m, h).
func step(t *feistel.Table, h, m *[4]uint64) {
	u0, u1, u2, u3 := h[0], h[1], h[2], h[3]
	v0, v1, v2, v3 := m[0], m[1], m[2], m[3]
	var k [4][8]uint32

	// Key generation: Kᵢ = P(Uᵢ ⊕ Vᵢ), U ← A(U) ⊕ Cᵢ, V ← A(A(V)), where A moves the words down by one and fills
	// the top with the sum of the lowest two. The four encryptions of the words of h go side by side.
	permute(&k[0], u0^v0, u1^v1, u2^v2, u3^v3)
	u0, u1, u2, u3 = u1, u2, u3, u0^u1
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(&k[1], u0^v0, u1^v1, u2^v2, u3^v3)

	u0, u1, u2, u3 = u1^c3[0], u2^c3[1], u3^c3[2], u0^u1^c3[3]
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(&k[2], u0^v0, u1^v1, u2^v2, u3^v3)
	u0, u1, u2, u3 = u1, u2, u3, u0^u1
	v0, v1, v2, v3 = v2, v3, v0^v1, v1^v2
	permute(&k[3], u0^v0, u1^v1, u2^v2, u3^v3)
	s := *h
	t.Encrypt4(&k, &s)

	// Mixing: χ = ψ⁶¹(h ⊕ ψ(m ⊕ ψ¹²(s))).
	x0, x1, x2, x3 := s[0], s[1], s[2], s[3]
	for range 3 {
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
	}
	x0, x1, x2, x3 = psi(x0^m[0], x1^m[1], x2^m[2], x3^m[3])
	x0, x1, x2, x3 = psi(x0^h[0], x1^h[1], x2^h[2], x3^h[3])
	for range 3 {
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
		x0, x1, x2, x3 = x1, x2, x3, psi4(x0, x1, x3)
	}
	h[0], h[1], h[2], h[3] = x0, x1, x2, x3
}

// permute is the byte permutation P: byte i of key word j is byte j of word i.
func permute(k *[8]uint32, w0, w1, w2, w3 uint64) {
	const m8, m16 = 0x00ff00ff00ff00ff, 0x0000ffff0000ffff
	a := w0&m8 | w1&m8<<8
	b := w0>>8&m8 | w1&^m8
	c := w2&m8 | w3&m8<<8
	d := w2>>8&m8 | w3&^m8
	e := a&m16 | c&m16<<16
	f := b&m16 | d&m16<<16
	g := a>>16&m16 | c&^m16
	i := b>>16&m16 | d&^m16
	k[0], k[1], k[2], k[3] = uint32(e), uint32(f), uint32(g), uint32(i)
	k[4], k[5], k[6], k[7] = uint32(e>>32), uint32(f>>32), uint32(g>>32), uint32(i>>32)
}

// psi is one step of the shift register ψ over sixteen 16-bit words y₁ (lowest) … y₁₆:
// y₁ ⊕ y₂ ⊕ y₃ ⊕ y₄ ⊕ y₁₃ ⊕ y₁₆ enters at the top.
func psi(x0, x1, x2, x3 uint64) (uint64, uint64, uint64, uint64) {
	y := x0 ^ x0>>16
	y ^= y>>32 ^ x3 ^ x3>>48
	return x0>>16 | x1<<48, x1>>16 | x2<<48, x2>>16 | x3<<48, x3>>16 | y<<48
}

// psi4 is four steps of ψ at once: the words that enter. Each of them contains the one before (it was y₁₆ then), hence
// the running sum at the end.
func psi4(x0, x1, x3 uint64) uint64 {
	y := x0 ^ (x0>>16 | x1<<48) ^ (x0>>32 | x1<<32) ^ (x0>>48 | x1<<16) ^ x3 ^ x3>>48
	y ^= y << 16
	return y ^ y<<32
}
