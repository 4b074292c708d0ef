package dstu4145

import "math/bits"

// A sha256State is SHA-256 after a number of blocks, in constant time. It is written out for the browser program, where
// importing crypto/sha256 costs 100 KB of download (it brings the whole FIPS module with it), and because HMAC begins
// again and again from the same state; a test compares it with the library.
type sha256State [8]uint32

// initial256 is the state before the first block.
var initial256 = sha256State{
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

// finish returns the hash of what led to s, prior bytes in whole blocks, and m after it. s is not changed.
func (s *sha256State) finish(m []byte, prior int) (out [32]byte) {
	h, length := *s, uint64(prior+len(m))*8
	for len(m) >= 64 {
		h.block((*[64]byte)(m))
		m = m[64:]
	}
	var last [64]byte
	n := copy(last[:], m)
	last[n] = 0x80
	if n >= 56 {
		h.block(&last)
		last = [64]byte{}
	}
	for i := range 8 {
		last[63-i] = byte(length >> (8 * i))
	}
	h.block(&last)
	for i, v := range h {
		out[4*i], out[4*i+1], out[4*i+2], out[4*i+3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	}
	return out
}

// block adds a block. The rounds are written out sixteen at a time, so that nothing is moved between the variables.
func (s *sha256State) block(p *[64]byte) {
	var w [16]uint32
	for i := range w {
		w[i] = uint32(p[4*i])<<24 | uint32(p[4*i+1])<<16 | uint32(p[4*i+2])<<8 | uint32(p[4*i+3])
	}
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i := 0; ; i += 16 {
		rc := (*[16]uint32)(constants256[i:])
		d, h = round256(a, b, c, d, e, f, g, h, rc[0]+w[0])
		c, g = round256(h, a, b, c, d, e, f, g, rc[1]+w[1])
		b, f = round256(g, h, a, b, c, d, e, f, rc[2]+w[2])
		a, e = round256(f, g, h, a, b, c, d, e, rc[3]+w[3])
		h, d = round256(e, f, g, h, a, b, c, d, rc[4]+w[4])
		g, c = round256(d, e, f, g, h, a, b, c, rc[5]+w[5])
		f, b = round256(c, d, e, f, g, h, a, b, rc[6]+w[6])
		e, a = round256(b, c, d, e, f, g, h, a, rc[7]+w[7])
		d, h = round256(a, b, c, d, e, f, g, h, rc[8]+w[8])
		c, g = round256(h, a, b, c, d, e, f, g, rc[9]+w[9])
		b, f = round256(g, h, a, b, c, d, e, f, rc[10]+w[10])
		a, e = round256(f, g, h, a, b, c, d, e, rc[11]+w[11])
		h, d = round256(e, f, g, h, a, b, c, d, rc[12]+w[12])
		g, c = round256(d, e, f, g, h, a, b, c, rc[13]+w[13])
		f, b = round256(c, d, e, f, g, h, a, b, rc[14]+w[14])
		e, a = round256(b, c, d, e, f, g, h, a, rc[15]+w[15])
		if i == 48 {
			break
		}
		w[0] += schedule256(w[1], w[9], w[14])
		w[1] += schedule256(w[2], w[10], w[15])
		w[2] += schedule256(w[3], w[11], w[0])
		w[3] += schedule256(w[4], w[12], w[1])
		w[4] += schedule256(w[5], w[13], w[2])
		w[5] += schedule256(w[6], w[14], w[3])
		w[6] += schedule256(w[7], w[15], w[4])
		w[7] += schedule256(w[8], w[0], w[5])
		w[8] += schedule256(w[9], w[1], w[6])
		w[9] += schedule256(w[10], w[2], w[7])
		w[10] += schedule256(w[11], w[3], w[8])
		w[11] += schedule256(w[12], w[4], w[9])
		w[12] += schedule256(w[13], w[5], w[10])
		w[13] += schedule256(w[14], w[6], w[11])
		w[14] += schedule256(w[15], w[7], w[12])
		w[15] += schedule256(w[0], w[8], w[13])
	}
	s[0], s[1], s[2], s[3] = s[0]+a, s[1]+b, s[2]+c, s[3]+d
	s[4], s[5], s[6], s[7] = s[4]+e, s[5]+f, s[6]+g, s[7]+h
}

// round256 is one round: it returns the two variables that change, d and h. kw is the constant and the word of the round.
func round256(a, b, c, d, e, f, g, h, kw uint32) (uint32, uint32) {
	h += (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (g ^ e&(f^g)) + kw
	return d + h, h + (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b | c&(a|b))
}

// schedule256 is what is added to word i−16 to make word i, of words i−15, i−7 and i−2.
func schedule256(x, y, z uint32) uint32 {
	return (bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) + y + (bits.RotateLeft32(z, -17) ^ bits.RotateLeft32(z, -19) ^ z>>10)
}

// constants256 are the round constants of FIPS 180-4, section 4.2.2.
var constants256 = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
