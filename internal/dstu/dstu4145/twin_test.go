package dstu4145

import (
	"math/big"

	"brama/internal/dstu/internal/gf2m"
)

// A twin is the textbook: affine points over big.Int, bit by bit, everything done the slow and obvious way.
type twin struct {
	m, a    int
	poly, b *big.Int
	n       *big.Int
	p       *twinPoint
}

// A twinPoint is (x, y); nil is O.
type twinPoint struct{ x, y *big.Int }

func twinOf(c *Curve) *twin {
	p := c.Params()
	w := &twin{m: p.M, a: p.A, poly: big.NewInt(1), b: leInt(p.B), n: new(big.Int).SetBytes(p.N)}
	for _, k := range append(p.K, p.M) {
		w.poly.SetBit(w.poly, k, 1)
	}
	w.p = toTwin(c, &c.base)
	return w
}

func toTwin(c *Curve, p *gf2m.Affine) *twinPoint {
	var y gf2m.Element
	y.Add(&p.L, &p.X)
	c.field.Mul(&y, &y, &p.X)
	return &twinPoint{leInt(c.field.AppendBytes(nil, &p.X)), leInt(c.field.AppendBytes(nil, &y))}
}

// fromTwin makes the package's point of a twin's, which must have x ≠ 0.
func (w *twin) fromTwin(c *Curve, p *twinPoint) *gf2m.Affine {
	l := new(big.Int).Xor(p.x, w.mul(p.y, w.inv(p.x)))
	q := new(gf2m.Affine)
	if !c.field.SetBytes(&q.X, leBytes(p.x, c.PointSize())) || !c.field.SetBytes(&q.L, leBytes(l, c.PointSize())) {
		panic("twin point out of range")
	}
	return q
}

func leInt(b []byte) *big.Int {
	return new(big.Int).SetBytes(reversed(append([]byte(nil), b...)))
}

func leBytes(x *big.Int, size int) []byte { return reversed(x.FillBytes(make([]byte, size))) }

func (w *twin) mod(x *big.Int) *big.Int {
	x = new(big.Int).Set(x)
	t := new(big.Int)
	for n := x.BitLen(); n > w.m; n = x.BitLen() {
		x.Xor(x, t.Lsh(w.poly, uint(n-1-w.m)))
	}
	return x
}

func (w *twin) mul(x, y *big.Int) *big.Int {
	z, t := new(big.Int), new(big.Int)
	for i := range y.BitLen() {
		if y.Bit(i) == 1 {
			z.Xor(z, t.Lsh(x, uint(i)))
		}
	}
	return w.mod(z)
}

// inv is Euclid's algorithm for polynomials.
func (w *twin) inv(x *big.Int) *big.Int {
	u, v := new(big.Int).Set(x), new(big.Int).Set(w.poly)
	g, h, t := big.NewInt(1), new(big.Int), new(big.Int)
	for u.BitLen() > 1 {
		if u.BitLen() < v.BitLen() {
			u, v, g, h = v, u, h, g
		}
		j := uint(u.BitLen() - v.BitLen())
		u.Xor(u, t.Lsh(v, j))
		g.Xor(g, t.Lsh(h, j))
	}
	return w.mod(g)
}

func (w *twin) trace(x *big.Int) uint {
	sum, t := new(big.Int), x
	for range w.m {
		sum.Xor(sum, t)
		t = w.mul(t, t)
	}
	return uint(sum.Int64())
}

func (w *twin) onCurve(p *twinPoint) bool {
	x2 := w.mul(p.x, p.x)
	left := new(big.Int).Xor(w.mul(p.y, p.y), w.mul(p.x, p.y))
	right := new(big.Int).Xor(w.mul(x2, p.x), w.b)
	if w.a == 1 {
		right.Xor(right, x2)
	}
	return left.Cmp(right) == 0
}

func (w *twin) neg(p *twinPoint) *twinPoint {
	if p == nil {
		return nil
	}
	return &twinPoint{p.x, new(big.Int).Xor(p.x, p.y)}
}

func (w *twin) add(p, q *twinPoint) *twinPoint {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	l, x := new(big.Int), new(big.Int)
	if p.x.Cmp(q.x) != 0 {
		l = w.mul(new(big.Int).Xor(p.y, q.y), w.inv(new(big.Int).Xor(p.x, q.x)))
		x.Xor(p.x, q.x)
	} else if p.y.Cmp(q.y) == 0 && p.x.Sign() != 0 {
		l.Xor(p.x, w.mul(p.y, w.inv(p.x)))
	} else {
		return nil
	}
	x.Xor(x, w.mul(l, l)).Xor(x, l).Xor(x, big.NewInt(int64(w.a)))
	y := w.mul(l, new(big.Int).Xor(p.x, x))
	y.Xor(y, x).Xor(y, p.y)
	return &twinPoint{x, y}
}

func (w *twin) scalarMul(k *big.Int, p *twinPoint) *twinPoint {
	var r *twinPoint
	for i := k.BitLen() - 1; i >= 0; i-- {
		r = w.add(r, r)
		if k.Bit(i) == 1 {
			r = w.add(r, p)
		}
	}
	return r
}

func (w *twin) hash(digest []byte) *big.Int {
	h := leInt(digest)
	h.And(h, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(w.m)), big.NewInt(1)))
	if h.Sign() == 0 {
		h.SetInt64(1)
	}
	return h
}

func (w *twin) cut(x *big.Int) *big.Int {
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(w.n.BitLen()-1)), big.NewInt(1))
	return mask.And(mask, x)
}

// verify is the whole verification, r and s included.
func (w *twin) verify(digest []byte, r, s *big.Int, q *twinPoint) bool {
	for _, v := range []*big.Int{r, s} {
		if v.Sign() <= 0 || v.Cmp(w.n) >= 0 {
			return false
		}
	}
	p := w.add(w.scalarMul(s, w.p), w.scalarMul(r, q))
	return p != nil && w.cut(w.mul(w.hash(digest), p.x)).Cmp(r) == 0
}

// decompress is the standard's procedure; ok is false where there is no such point of the curve.
func (w *twin) decompress(b []byte) (p *twinPoint, ok bool) {
	x := leInt(b)
	if x.Sign() == 0 || x.BitLen() > w.m {
		return nil, false
	}
	bit := x.Bit(0)
	x.SetBit(x, 0, 0)
	if w.trace(x) != uint(w.a) {
		x.SetBit(x, 0, 1)
	}
	if x.Sign() == 0 {
		return nil, false
	}
	xi := w.inv(x)
	c := new(big.Int).Xor(x, w.mul(w.b, w.mul(xi, xi)))
	c.Xor(c, big.NewInt(int64(w.a)))
	if w.trace(c) != 0 {
		return nil, false
	}
	z, t := new(big.Int), c
	for range (w.m + 1) / 2 {
		z.Xor(z, t)
		t = w.mul(t, t)
		t = w.mul(t, t)
	}
	if w.trace(z) != bit {
		z.Xor(z, big.NewInt(1))
	}
	return &twinPoint{x, w.mul(x, z)}, true
}
