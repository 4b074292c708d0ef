package dstu4145

import (
	"crypto"
	"io"

	"brama/internal/dstu/internal/gf2m"
)

// noiseSize is the number of random bytes in a nonce.
const noiseSize = 32

// Sign returns a signature of digest, what a hash of any kind gave: r || s, each little-endian, SignatureSize bytes in
// all (ДСТУ 4145-2002, clause 12). opts may be nil; that the digest's length fits the hash is the caller's to check.
//
// The nonce is hedged: it is the deterministic nonce of RFC 6979 (HMAC_DRBG with SHA-256 over d and the digest) with 32
// bytes of rand as the additional data k' of its section 3.6. Rand that is predictable or repeats leaves RFC 6979, which
// needs no randomness; rand that is good keeps an attacker who can cause faults or watch repeated computations from
// seeing the same nonce twice. If rand is nil or fails there is no signature (ErrNoRandomness, or rand's error).
//
// The signature is verified before it is returned (ErrFault): one wrong signature can give the key away.
//
// What that costs on M257 without special instructions, in multiplications M of the field (107 ns; a squaring is 0.17 M):
// eP is a sum of 37 points, 18 and then 9 pairs at 5.2 M with an inversion of 24 M each time, the other 9 at up to 8.8 M,
// and an inversion for x: 280 M; every entry of the tables is read besides, for about 60 M. The check adds 26 + 29 points
// once the key has tables, in three levels of pairs with inversions of 13 M and 7 points at up to 8.8 M: 330 M, at 0.93 of
// the price because they are public. The nonce takes 18 blocks of SHA-256, and 9 more every time that a candidate is not
// below n, which is every second one on M257: about 60 M. Measured were 85 us, of which the check takes 38; a signature
// of P-256 in assembler took 34 us.
func (k *PrivateKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if rand == nil {
		return nil, ErrNoRandomness
	}
	var noise [noiseSize]byte
	if _, err := io.ReadFull(rand, noise[:]); err != nil {
		return nil, err
	}
	c := k.pub.curve
	var h gf2m.Element
	c.hashElement(&h, digest)
	var buf [8 * gf2m.MaxWords]byte
	var nonces nonceSource
	nonces.init(reversed(k.Bytes()), c.field.AppendBytes(buf[:0], &h), noise[:])
	defer nonces.wipe()

	for range maxTries {
		var e scalar
		nonces.next(&e, &c.n)
		if c.n.inRange(&e) == 0 {
			continue
		}
		if sig := k.signWith(&h, &e); sig != nil {
			if !k.verifier().Verify(digest, sig) {
				return nil, ErrFault
			}
			return sig, nil
		}
	}
	return nil, ErrNoRandomness
}

// signWith signs with the nonce e, 0 < e < n, or returns nil if r or s comes out as zero. Constant time.
func (k *PrivateKey) signWith(h *gf2m.Element, e *scalar) []byte {
	c := k.pub.curve
	f := c.field
	// F = x(eP). For even e take n − e: the point is the negative one, with the same x.
	var odd, r, s scalar
	var x, z gf2m.Element
	c.n.odd(&odd, e)
	c.mulFixedX(&x, &z, &odd, c.signTable())
	f.Inv(&z, &z)
	f.Mul(&x, &x, &z)
	// r = h·F, cut to bitlen(n)−1 bits.
	f.Mul(&x, &x, h)
	kept := c.n.bits - 1
	r = scalar(x)
	for i := range r {
		switch {
		case i == kept/64:
			r[i] &= 1<<(kept%64) - 1
		case i > kept/64:
			r[i] = 0
		}
	}
	// s = (e + d·r) mod n
	c.n.mul(&s, &k.d, &r)
	c.n.add(&s, &s, e)
	if r.isZero()|s.isZero() == 1 {
		return nil
	}
	return c.n.appendBytes(c.n.appendBytes(make([]byte, 0, c.SignatureSize()), &r), &s)
}
