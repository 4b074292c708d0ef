//go:build (amd64 || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x) && !purego

package dstu4145

import "crypto/sha256"

// hmac256 is HMAC-SHA-256 with a key of 32 bytes over at most maxSeed bytes. The library's SHA-256 has assembler here,
// which makes up for its states being out of reach.
type hmac256 [32]byte

func (h *hmac256) set(key *[32]byte) { *h = *key }

func (h *hmac256) sum(m []byte) [32]byte {
	var buf [64 + maxSeed]byte
	for i := range 64 {
		buf[i] = 0x36
	}
	for i, b := range h {
		buf[i] ^= b
	}
	inner := sha256.Sum256(buf[:64+copy(buf[64:], m)])
	for i := range 64 {
		buf[i] ^= 0x36 ^ 0x5c
	}
	out := sha256.Sum256(buf[:64+copy(buf[64:], inner[:])])
	clear(buf[:])
	return out
}
