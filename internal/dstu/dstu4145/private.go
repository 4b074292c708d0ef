package dstu4145

import (
	"crypto"
	"errors"
	"io"
	"sync/atomic"

	"brama/internal/dstu/internal/gf2m"
)

var (
	// ErrPrivateKey refuses a private key that is not in 0 < d < n, or is too long.
	ErrPrivateKey = errors.New("dstu4145: invalid private key")
	// ErrNoRandomness refuses to sign or to make a key without a source of randomness.
	ErrNoRandomness = errors.New("dstu4145: no source of randomness")
	// ErrFault says that a signature just made did not verify and was thrown away: the machine erred, or was made to.
	ErrFault = errors.New("dstu4145: computation fault while signing")
)

// A PrivateKey implements crypto.Signer. It may be used by several goroutines. It has no String method and must not be
// printed.
type PrivateKey struct {
	pub *PublicKey
	d   scalar
	// check verifies our own signatures faster than pub does, once there were checkAfter of them.
	signed atomic.Int32
	check  atomic.Pointer[PublicKey]
}

// checkAfter is the number of signatures after which the tables of Precompute have paid for themselves.
const checkAfter = 32

var _ crypto.Signer = (*PrivateKey)(nil)

// NewPrivateKey takes d, little-endian, at most PointSize bytes, zero bytes at the end allowed; 0 < d < n, else the
// error is ErrPrivateKey. It computes the public key, in constant time.
func NewPrivateKey(c *Curve, d []byte) (*PrivateKey, error) {
	k := new(PrivateKey)
	if len(d) > c.PointSize() || !c.n.setBytes(&k.d, d) || c.n.inRange(&k.d) == 0 {
		return nil, ErrPrivateKey
	}
	// Q = −dP: for odd d the negated product, for even d the product with n − d.
	var odd scalar
	var q gf2m.Point
	even := c.n.odd(&odd, &k.d)
	c.mulFixed(&q, &odd, c.signTable())
	pub := &PublicKey{curve: c}
	c.affine(&pub.point, &q)
	pub.point.L[0] ^= uint64(1 ^ even)
	pub.compressed = c.compress(nil, &pub.point)
	k.pub = pub
	return k, nil
}

// GenerateKey makes a key with randomness of rand: ⌈bitlen(n)/8⌉ bytes a try, cut to bitlen(n) bits, tried again while
// out of range. The errors are ErrNoRandomness for nil and those of rand.
func GenerateKey(c *Curve, rand io.Reader) (*PrivateKey, error) {
	if rand == nil {
		return nil, ErrNoRandomness
	}
	b := make([]byte, c.n.bytes)
	defer clear(b)
	for range maxTries {
		if _, err := io.ReadFull(rand, b); err != nil {
			return nil, err
		}
		b[len(b)-1] &= 0xff >> (8*len(b) - c.n.bits)
		if k, err := NewPrivateKey(c, b); err == nil {
			return k, nil
		}
	}
	return nil, ErrNoRandomness
}

// maxTries bounds the loops that draw a number below n. One try succeeds at least every second time, so that many fail
// in a row only if the source repeats itself.
const maxTries = 256

// Public returns the *PublicKey.
func (k *PrivateKey) Public() crypto.PublicKey { return k.pub }

// PublicKey is Public with its type.
func (k *PrivateKey) PublicKey() *PublicKey { return k.pub }

// Curve returns the curve of k.
func (k *PrivateKey) Curve() *Curve { return k.pub.curve }

// verifier returns the key to verify our own signatures with.
func (k *PrivateKey) verifier() *PublicKey {
	if p := k.check.Load(); p != nil {
		return p
	}
	if k.signed.Add(1) == checkAfter {
		k.check.Store(k.pub.precompute(ownWidth))
	}
	return k.pub
}

// Bytes returns d, little-endian, ⌈bitlen(n)/8⌉ bytes.
func (k *PrivateKey) Bytes() []byte { return k.pub.curve.n.appendBytes(nil, &k.d) }

// Equal reports whether x is a *PrivateKey of the same curve and number, in constant time.
func (k *PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*PrivateKey)
	return ok && o != nil && k.pub.curve == o.pub.curve &&
		(*gf2m.Element)(&k.d).Equal((*gf2m.Element)(&o.d)) == 1
}
