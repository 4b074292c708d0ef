package main

// SHA-1 and SHA-256 (FIPS 180-4), for the key derivations and checks of containers. The standard library's bring 100 KB
// of other packages into a download; WebCrypto's are promises, which is nothing to call ten thousand times in a row.
// SHA-1 is what the formats of containers are made of; no signature is judged by it.

func rotate(v uint32, n int) uint32 { return v<<n | v>>(32-n) }

// blocks calls f for every block of data with its padding (FIPS 180-4 5.1.1).
func blocks(data []byte, f func(w []uint32)) {
	length := uint64(len(data)) * 8
	tail := append([]byte(nil), data[len(data)/64*64:]...)
	tail = append(tail, 0x80)
	for len(tail)%64 != 56 {
		tail = append(tail, 0)
	}
	for i := 56; i >= 0; i -= 8 {
		tail = append(tail, byte(length>>i))
	}
	w := make([]uint32, 80)
	for _, part := range [2][]byte{data[:len(data)/64*64], tail} {
		for ; len(part) > 0; part = part[64:] {
			for i := range 16 {
				w[i] = uint32(part[4*i])<<24 | uint32(part[4*i+1])<<16 | uint32(part[4*i+2])<<8 | uint32(part[4*i+3])
			}
			f(w)
		}
	}
	clear(tail)
	clear(w)
}

func words(h []uint32) []byte {
	out := make([]byte, 0, 4*len(h))
	for _, v := range h {
		out = append(out, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return out
}

func sha1Sum(data []byte) []byte {
	h := [5]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}
	blocks(data, func(w []uint32) {
		for i := 16; i < 80; i++ {
			w[i] = rotate(w[i-3]^w[i-8]^w[i-14]^w[i-16], 1)
		}
		a, b, c, d, e := h[0], h[1], h[2], h[3], h[4]
		for i := range 80 {
			var f, k uint32
			switch {
			case i < 20:
				f, k = b&c|^b&d, 0x5a827999
			case i < 40:
				f, k = b^c^d, 0x6ed9eba1
			case i < 60:
				f, k = b&c|b&d|c&d, 0x8f1bbcdc
			default:
				f, k = b^c^d, 0xca62c1d6
			}
			a, b, c, d, e = rotate(a, 5)+f+e+k+w[i], a, rotate(b, 30), c, d
		}
		h[0], h[1], h[2], h[3], h[4] = h[0]+a, h[1]+b, h[2]+c, h[3]+d, h[4]+e
	})
	return words(h[:])
}

func sha256Sum(data []byte) []byte {
	h := [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
	blocks(data, func(w []uint32) {
		for i := 16; i < 64; i++ {
			s0 := rotate(w[i-15], 25) ^ rotate(w[i-15], 14) ^ w[i-15]>>3
			s1 := rotate(w[i-2], 15) ^ rotate(w[i-2], 13) ^ w[i-2]>>10
			w[i] = w[i-16] + s0 + w[i-7] + s1
		}
		a, b, c, d, e, f, g, i := h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
		for t := range 64 {
			s1 := rotate(e, 26) ^ rotate(e, 21) ^ rotate(e, 7)
			t1 := i + s1 + (e&f ^ ^e&g) + sha256K[t] + w[t]
			s0 := rotate(a, 30) ^ rotate(a, 19) ^ rotate(a, 10)
			t2 := s0 + (a&b ^ a&c ^ b&c)
			a, b, c, d, e, f, g, i = t1+t2, a, b, c, d+t1, e, f, g
		}
		for n, v := range [8]uint32{a, b, c, d, e, f, g, i} {
			h[n] += v
		}
	})
	return words(h[:])
}

var sha256K = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
