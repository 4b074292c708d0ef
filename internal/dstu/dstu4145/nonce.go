package dstu4145

// A nonceSource is HMAC_DRBG with SHA-256 as RFC 6979, section 3.2, runs it to make nonces.
type nonceSource struct {
	k     hmac256
	v     [32]byte
	again bool
}

// maxSeed bounds what is fed at once: V, one byte, the key, the digest, the noise.
const maxSeed = 32 + 1 + 2*54 + noiseSize

// init seeds the source (steps b to g) with the private key x, big-endian, the digest h1 and the additional data
// (section 3.6).
func (n *nonceSource) init(x, h1, additional []byte) {
	*n = nonceSource{}
	for i := range n.v {
		n.v[i] = 1
	}
	n.k.set(new([32]byte))
	for separator := range byte(2) {
		var buf [maxSeed]byte
		m := append(buf[:0], n.v[:]...)
		m = append(m, separator)
		m = append(m, x...)
		m = append(m, h1...)
		m = append(m, additional...)
		n.rekey(m)
		clear(buf[:])
	}
	clear(x)
}

// next sets e to the next candidate, bitlen(n) bits (step h). It may be out of range.
func (n *nonceSource) next(e *scalar, o *order) {
	if n.again {
		var buf [33]byte
		copy(buf[:], n.v[:])
		n.rekey(buf[:])
	}
	n.again = true
	// The leftmost bits of V || V' || …, big-endian.
	*e = scalar{}
	for i := 0; i < o.bytes; i++ {
		if i%32 == 0 {
			n.v = n.k.sum(n.v[:])
		}
		j := o.bytes - 1 - i
		e[j/8] |= uint64(n.v[i%32]) << (j % 8 * 8)
	}
	shift := uint(8*o.bytes - o.bits)
	for i := range e {
		e[i] >>= shift
		if i+1 < len(e) {
			e[i] |= e[i+1] << (64 - shift)
		}
	}
}

// rekey makes the next K of a message, and the next V.
func (n *nonceSource) rekey(m []byte) {
	k := n.k.sum(m)
	n.k.set(&k)
	n.v = n.k.sum(n.v[:])
	clear(k[:])
}

func (n *nonceSource) wipe() { *n = nonceSource{} }
