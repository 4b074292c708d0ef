package dstu4145

import (
	"errors"

	"brama/internal/dstu/internal/gf2m"
)

var (
	// ErrPointSize refuses an encoded point that has not exactly PointSize bytes.
	ErrPointSize = errors.New("dstu4145: invalid point size")
	// ErrPointEncoding refuses an encoded point with a bit from m upward.
	ErrPointEncoding = errors.New("dstu4145: invalid point encoding")
	// ErrPointZero refuses the encoding of all zero bytes: O, or the point of order two with x = 0.
	ErrPointZero = errors.New("dstu4145: point at infinity or of order two")
	// ErrNotOnCurve refuses an x for which the curve has no point.
	ErrNotOnCurve = errors.New("dstu4145: point is not on the curve")
	// ErrSubgroup refuses a point of the curve that is not a multiple of P.
	ErrSubgroup = errors.New("dstu4145: point is not of order n")
)

// decompress sets p to the point that b encodes, in the manner of ДСТУ 4145-2002, clause 6.10 (compression is 6.9), and
// checks it: afterwards p is on the curve, is not O, and n·p = O.
func (c *Curve) decompress(p *gf2m.Affine, b []byte) error {
	f := c.public
	if len(b) != f.Bytes() {
		return ErrPointSize
	}
	var x, y, t, z gf2m.Element
	if !f.SetBytes(&x, b) {
		return ErrPointEncoding
	}
	if x.IsZero() == 1 {
		return ErrPointZero
	}
	// The lowest bit was replaced by Tr(y/x). Points of order n have Tr(x) = Tr(a), and Tr(1) = 1, so that restores
	// the bit.
	bit := int(x[0] & 1)
	x[0] &^= 1
	if f.Trace(&x) != c.a {
		x[0] |= 1
	}
	if x.IsZero() == 1 {
		return ErrPointZero
	}
	// y = xz, where z² + z = x + a + b/x². The right side must have trace 0.
	f.Inv(&t, &x)
	f.Sqr(&t, &t)
	f.Mul(&t, &t, &c.b)
	t.Add(&t, &x)
	t[0] ^= uint64(c.a)
	if f.Trace(&t) != 0 {
		return ErrNotOnCurve
	}
	f.SolveQuadratic(&z, &t)
	z[0] ^= uint64(f.Trace(&z) ^ bit)
	f.Mul(&y, &x, &z)
	if !c.inSubgroup(&x, &y) {
		return ErrSubgroup
	}
	p.X = x
	p.L.Add(&x, &z) // λ = x + y/x
	return nil
}

// inSubgroup reports whether n·(x, y) = O for a point of the curve with Tr(x) = Tr(a), x ≠ 0, without n doublings.
//
// The group of the curve is cyclic of order h·n, so the points of order n are the multiples of h, the cofactor. A point
// (x, y) is twice another one if and only if Tr(x) = Tr(a). With a = 1, h is 2 and nothing is left to check. With a = 0,
// h is 4 and a half must be twice another point again: the halves (u, v) have μ² + μ = x + a with μ = u + v/u, and
// u² = y + (μ+1)x. Both have the same Tr(u) = Tr(u²), since their difference is Tr(x) = 0.
func (c *Curve) inSubgroup(x, y *gf2m.Element) bool {
	f := c.public
	if f.Trace(x) != c.a {
		return false
	}
	if c.a == 1 {
		return true
	}
	var u gf2m.Element
	f.SolveQuadratic(&u, x)
	u[0] ^= 1
	f.Mul(&u, &u, x)
	u.Add(&u, y)
	return f.Trace(&u) == 0
}

// compress appends the encoding of p to b.
func (c *Curve) compress(b []byte, p *gf2m.Affine) []byte {
	x := p.X
	var z gf2m.Element
	z.Add(&p.L, &p.X) // y/x
	x[0] = x[0]&^1 | uint64(c.field.Trace(&z))
	return c.field.AppendBytes(b, &x)
}

// affine sets p to q, which must not be O, in constant time.
func (c *Curve) affine(p *gf2m.Affine, q *gf2m.Point) {
	var zi gf2m.Element
	c.field.Inv(&zi, &q.Z)
	c.field.Mul(&p.X, &q.X, &zi)
	c.field.Mul(&p.L, &q.L, &zi)
}

// affineAll sets p[i] to q[i] with one inversion for all (Montgomery). None may be O. scratch has the length of q.
func (c *Curve) affineAll(p []gf2m.Affine, q []gf2m.Point, scratch []gf2m.Element) {
	f := c.public
	acc := q[0].Z
	for i := range q {
		if i > 0 {
			scratch[i] = acc
			f.Mul(&acc, &acc, &q[i].Z)
		}
	}
	f.Inv(&acc, &acc)
	for i := len(q) - 1; i >= 0; i-- {
		zi := acc
		if i > 0 {
			f.Mul(&zi, &acc, &scratch[i])
			f.Mul(&acc, &acc, &q[i].Z)
		}
		f.Mul(&p[i].X, &q[i].X, &zi)
		f.Mul(&p[i].L, &q[i].L, &zi)
	}
}
