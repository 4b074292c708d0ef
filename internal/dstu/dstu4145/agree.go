package dstu4145

import (
	"errors"

	"brama/internal/dstu/internal/gf2m"
)

var (
	// ErrOtherCurve refuses to agree with a key on another curve.
	ErrOtherCurve = errors.New("dstu4145: the keys are on different curves")
	// ErrInfinity refuses a shared secret that would be the point at infinity. Keys that were checked never give it.
	ErrInfinity = errors.New("dstu4145: the shared point is at infinity")
)

// ECDH returns the x coordinate of d·Q, where Q is the key of the other side, big-endian, PointSize bytes (ДСТУ ISO/IEC
// 15946-3, Diffie and Hellman's scheme). The sign in Q = −dP does not matter: both sides get the same. Constant time in
// d. A peer was checked when it was made (on the curve, not O, of order n), so that no part of d leaks through points of
// small order; the only error that remains is ErrOtherCurve.
func (k *PrivateKey) ECDH(peer *PublicKey) ([]byte, error) { return k.agree(peer, 0) }

// CofactorECDH is [PrivateKey.ECDH] with h·d in place of d, where the cofactor h is 4 on curves with a = 0, else 2.
func (k *PrivateKey) CofactorECDH(peer *PublicKey) ([]byte, error) {
	return k.agree(peer, 2-k.pub.curve.a)
}

func (k *PrivateKey) agree(peer *PublicKey, doublings int) ([]byte, error) {
	c := k.pub.curve
	if peer == nil || peer.curve != c {
		return nil, ErrOtherCurve
	}
	f := c.field
	var x, z gf2m.Element
	c.ladder(&x, &z, &k.d, &peer.point.X)
	for range doublings {
		c.ladderDouble(&x, &z)
	}
	if z.IsZero() == 1 {
		return nil, ErrInfinity
	}
	f.Inv(&z, &z)
	f.Mul(&x, &x, &z)
	secret := reversed(f.AppendBytes(make([]byte, 0, f.Bytes()), &x))
	x, z = gf2m.Element{}, gf2m.Element{}
	return secret, nil
}

// ladder sets x/z to the x coordinate of k·q, q being the point with x coordinate qx, by Montgomery's method in the form of
// López and Dahab ("Fast multiplication on elliptic curves over GF(2^m) without precomputation", 1999): one addition and
// one doubling for every bit of n, whatever k is. O is z = 0, x ≠ 0, and the formulas are right for it.
func (c *Curve) ladder(x, z *gf2m.Element, k *scalar, qx *gf2m.Element) {
	f := c.field
	x0, z0 := gf2m.Element{1}, gf2m.Element{} // i·q, where i are the bits so far
	x1, z1 := *qx, gf2m.Element{1}            // (i+1)·q
	swapped := 0
	for i := c.n.bits - 1; i >= 0; i-- {
		bit := int(k[i/64] >> (i % 64) & 1)
		swap(bit^swapped, &x0, &x1)
		swap(bit^swapped, &z0, &z1)
		swapped = bit
		// The sum of two points that differ by q.
		var s, t gf2m.Element
		f.Mul(&s, &x0, &z1)
		f.Mul(&t, &x1, &z0)
		z1.Add(&s, &t)
		f.Sqr(&z1, &z1)
		f.Mul(&s, &s, &t)
		f.Mul(&x1, qx, &z1)
		x1.Add(&x1, &s)
		c.ladderDouble(&x0, &z0)
	}
	swap(swapped, &x0, &x1)
	swap(swapped, &z0, &z1)
	*x, *z = x0, z0
}

// ladderDouble doubles the point with x coordinate x/z: x⁴ + b·z⁴ over x²·z².
func (c *Curve) ladderDouble(x, z *gf2m.Element) {
	f := c.field
	var x2, z2 gf2m.Element
	f.Sqr(&x2, x)
	f.Sqr(&z2, z)
	f.Mul(z, &x2, &z2)
	f.Sqr(&x2, &x2)
	f.Sqr(&z2, &z2)
	f.Mul(&z2, &z2, &c.b)
	x.Add(&x2, &z2)
}

// swap exchanges a and b if cond is 1.
func swap(cond int, a, b *gf2m.Element) {
	old := *a
	a.Select(cond, b, a)
	b.Select(cond, &old, b)
}
