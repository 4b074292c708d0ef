// Package dstu4145 is the signature of ДСТУ 4145-2002 over the ten named curves in polynomial basis.
package dstu4145

import (
	"crypto"
	"io"
)

// A Curve is one of the ten named curves. Curves are compared by pointer.
type Curve struct{ name string }

// Curves returns the ten curves in the order of their OIDs (index 0 is M163, 6 is M257, 9 is M431).
func Curves() []*Curve { panic("unimplemented") }

func M257() *Curve { panic("unimplemented") }
func M431() *Curve { panic("unimplemented") }

// Name is "M257" and so on.
func (c *Curve) Name() string { return c.name }

// Index is the last arc of the curve's OID 1.2.804.2.1.1.1.1.3.1.1.2.N.
func (c *Curve) Index() int { panic("unimplemented") }

// FieldBits is m.
func (c *Curve) FieldBits() int { panic("unimplemented") }

// PointSize is ⌈m/8⌉, the length of a compressed point.
func (c *Curve) PointSize() int { panic("unimplemented") }

// SignatureSize is 2·⌈bitlen(n)/8⌉.
func (c *Curve) SignatureSize() int { panic("unimplemented") }

// Params are the curve's numbers for comparison with explicit parameters.
type Params struct {
	M    int
	K    []int  // 1 or 3 exponents, ascending: x^m + … + x^K[0] + 1
	A    int    // 0 or 1
	B    []byte // little-endian, ⌈m/8⌉ bytes
	N    []byte // big-endian magnitude
	Base []byte // compressed, little-endian, ⌈m/8⌉ bytes
}

func (c *Curve) Params() Params { panic("unimplemented") }

// A PublicKey is a point that was checked: on the curve, not O, of order n.
type PublicKey struct{ curve *Curve }

// ParsePublicKey decompresses and checks a point of exactly PointSize bytes, little-endian.
func ParsePublicKey(c *Curve, compressed []byte) (*PublicKey, error) { panic("unimplemented") }

func (k *PublicKey) Curve() *Curve                 { return k.curve }
func (k *PublicKey) Bytes() []byte                 { panic("unimplemented") } // compressed
func (k *PublicKey) Equal(x crypto.PublicKey) bool { panic("unimplemented") }

// Verify reports whether sig (r || s, both little-endian, SignatureSize bytes) is a signature of digest. Variable time.
func (k *PublicKey) Verify(digest, sig []byte) bool { panic("unimplemented") }

// A PrivateKey implements crypto.Signer; Sign takes a digest of any hash and returns SignatureSize bytes r || s.
type PrivateKey struct{ pub *PublicKey }

// NewPrivateKey takes d little-endian (at most PointSize bytes, zero bytes at the end allowed), 0 < d < n.
func NewPrivateKey(c *Curve, d []byte) (*PrivateKey, error) { panic("unimplemented") }

// GenerateKey makes a key with randomness of rand.
func GenerateKey(c *Curve, rand io.Reader) (*PrivateKey, error) { panic("unimplemented") }

func (k *PrivateKey) Public() crypto.PublicKey { return k.pub }
func (k *PrivateKey) Bytes() []byte            { panic("unimplemented") } // d, little-endian, ⌈bitlen(n)/8⌉ bytes

// Sign makes a hedged deterministic signature: the nonce comes from the key, the digest and 32 bytes of rand. It
// verifies the result before returning it.
func (k *PrivateKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	panic("unimplemented")
}

var _ crypto.Signer = (*PrivateKey)(nil)
