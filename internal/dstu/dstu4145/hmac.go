package dstu4145

// A portableHMAC is HMAC-SHA-256 with a key of 32 bytes, as the states after the two blocks that the key makes.
type portableHMAC struct{ inner, outer sha256State }

// set takes the key.
func (h *portableHMAC) set(key *[32]byte) {
	*h = portableHMAC{initial256, initial256}
	var b [64]byte
	for i := range b {
		b[i] = 0x36
	}
	for i, v := range key {
		b[i] ^= v
	}
	h.inner.block(&b)
	for i := range b {
		b[i] ^= 0x36 ^ 0x5c
	}
	h.outer.block(&b)
	clear(b[:])
}

// sum returns the MAC of m.
func (h *portableHMAC) sum(m []byte) [32]byte {
	inner := h.inner.finish(m, 64)
	return h.outer.finish(inner[:], 64)
}
