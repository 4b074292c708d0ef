package gf2m

// An XY is an affine point by its coordinates x and y, x ≠ 0. Where many are added up and an inversion costs few
// multiplications, sums by pairs are cheaper than in λ-coordinates: an addition takes 2 multiplications and an inverse,
// and an inverse takes 3 where many are made together (Montgomery), so 5 where it would be 8.
type XY struct{ X, Y Element }

// XY sets p to q.
func (f *Field) XY(p *XY, q *Affine) {
	p.Y.Add(&q.L, &q.X)
	p.X = q.X
	f.Mul(&p.Y, &p.Y, &q.X)
}

// maxPairs bounds what is added with one inversion.
const maxPairs = 32

// MaxTerms is the most points that Sum and its like take.
const MaxTerms = 2*maxPairs + 1

// AddPairsVarTime sets p[i] += q[i·step] on the curve with coefficient a, for all of p, with one inversion for every
// maxPairs of them. It returns false, with p unspecified, if two points are the same or opposite.
func (f *Field) AddPairsVarTime(p, q []XY, step, a int) bool {
	for ; len(p) > maxPairs; p, q = p[maxPairs:], q[maxPairs*step:] {
		if !f.AddPairsVarTime(p[:maxPairs], q, step, a) {
			return false
		}
	}
	return f.addPairs(p, q, step, a, true)
}

// addPairs does what AddPairsVarTime does, for at most maxPairs. If public is false it takes constant time, and the
// caller knows that no points are the same or opposite.
func (f *Field) addPairs(p, q []XY, step, a int, public bool) bool {
	if len(p) == 0 {
		return true
	}
	// products[i] is that of the denominators up to i.
	var products [maxPairs]Element
	var acc, d, inv, slope, x Element
	products[0].Add(&p[0].X, &q[0].X)
	for i := 1; i < len(p); i++ {
		d.Add(&p[i].X, &q[i*step].X)
		f.Mul(&products[i], &products[i-1], &d)
	}
	acc = products[len(p)-1]
	if public {
		if acc.IsZero() == 1 {
			return false
		}
		f.InvVarTime(&acc, &acc)
	} else {
		f.Inv(&acc, &acc)
	}
	for i := len(p) - 1; i >= 0; i-- {
		p, q := &p[i], &q[i*step]
		d.Add(&p.X, &q.X)
		if i == 0 {
			inv = acc
		} else {
			f.Mul(&inv, &acc, &products[i-1])
			f.Mul(&acc, &acc, &d)
		}
		slope.Add(&p.Y, &q.Y)
		f.Mul(&slope, &slope, &inv)
		f.Sqr(&x, &slope)
		x.add3(&x, &slope, &d)
		x[0] ^= uint64(a) // x₃ = s² + s + x₁ + x₂ + a
		d.Add(&p.X, &x)
		f.Mul(&d, &d, &slope)
		p.Y.add3(&p.Y, &d, &x) // y₃ = s(x₁ + x₃) + x₃ + y₁
		p.X = x
	}
	return true
}

// Sum sets p to the sum of the points on the curve with coefficient a, in constant time; there are from 1 to MaxTerms,
// and they are overwritten. The caller knows that no two disjoint sums of them are the same or opposite, of which
// the last is added to all others only.
func (f *Field) Sum(p *Point, points []XY, a int) {
	var q projective
	f.sum(&q, points, a, whole)
	// λ = x + y/x = (X² + Y)/XZ
	f.Sqr(&p.X, &q.x)
	p.L.Add(&p.X, &q.y)
	f.Mul(&p.Z, &q.x, &q.z)
}

// SumX is Sum for the x coordinate alone, which it sets to x/z.
func (f *Field) SumX(x, z *Element, points []XY, a int) {
	var q projective
	f.sum(&q, points, a, onlyX)
	*x, *z = q.x, q.z
}

// SumXVarTime is SumX for public points, whatever they are. It returns false, with x and z unspecified, if it met points
// that are the same or opposite.
func (f *Field) SumXVarTime(x, z *Element, points []XY, a int) bool {
	var q projective
	ok := f.sum(&q, points, a, onlyX|public)
	*x, *z = q.x, q.z
	return ok
}

// How a sum is made.
const (
	whole  = 0
	onlyX  = 1 << iota // y is not wanted
	public             // variable time, and exceptional cases are reported
)

func (f *Field) sum(q *projective, points []XY, a, how int) bool {
	last := &points[len(points)-1]
	rest := points[:len(points)-1]
	cost := 18 // of an inversion, in multiplications
	if how&public != 0 {
		cost = 14
	}
	// A pair saves 3.6 multiplications, the first one 3 more.
	for n := len(rest); 3+n/2*18/5 > cost; n = len(rest) {
		// The first half takes the second; the one in the middle may be left over.
		if !f.addPairs(rest[:n/2], rest[(n+1)/2:], 1, a, how&public != 0) {
			return false
		}
		rest = rest[:(n+1)/2]
	}
	rest = points[:len(rest)+1]
	rest[len(rest)-1] = *last
	*q = projective{rest[0].X, rest[0].Y, f.one}
	for i := range rest[1:] {
		p, y := &rest[1+i], how&onlyX == 0 || 2+i < len(rest)
		var different int
		if i == 0 {
			different = f.addAffine(q, p, a, y)
		} else {
			different = f.addProjective(q, p, a, y)
		}
		if different == 0 && how&public != 0 {
			return false
		}
	}
	return true
}

// A projective is a point in the coordinates of López and Dahab, x = X/Z, y = Y/Z².
type projective struct{ x, y, z Element }

// addProjective sets p += q in 8 multiplications and 5 squarings, in 5 and 3 without y. It returns 0 if they are the same
// or opposite, with another p, else 1.
func (f *Field) addProjective(p *projective, q *XY, a int, y bool) int {
	var s, t, b, c Element
	f.Sqr(&s, &p.z)
	f.Mul(&t, &q.Y, &s)
	p.y.Add(&p.y, &t) // A = Y + y·Z²
	f.Mul(&b, &q.X, &p.z)
	b.Add(&b, &p.x)     // B = X + x·Z
	f.Mul(&c, &p.z, &b) // C = ZB
	t = c
	addIf(&t, &s, a)
	return f.finishSum(p, q, &b, &c, &t, y)
}

// addAffine is addProjective for p with Z = 1, in 5 multiplications and 3 squarings, or 2 and 2.
func (f *Field) addAffine(p *projective, q *XY, a int, y bool) int {
	p.y.Add(&p.y, &q.Y)
	var b, t Element
	b.Add(&p.x, &q.X)
	t = b
	addIf(&t, &f.one, a)
	return f.finishSum(p, q, &b, &b, &t, y)
}

// finishSum ends addProjective, A being in p.y, from B, C and C + aZ².
func (f *Field) finishSum(p *projective, q *XY, b, c, ca *Element, y bool) int {
	different := 1 ^ b.IsZero()
	var bb, e, s, t Element
	f.Mul(&e, &p.y, c) // E = AC
	f.Sqr(&p.x, &p.y)
	f.Sqr(&bb, b)
	f.Mul(&bb, &bb, ca)
	p.x.add3(&p.x, &bb, &e) // X' = A² + B²(C + aZ²) + E
	f.Sqr(&p.z, c)          // Z' = C²
	if !y {
		return different
	}
	f.Mul(&t, &q.X, &p.z)
	t.Add(&t, &p.x) // F = X' + x·Z'
	e.Add(&e, &p.z)
	f.Mul(&t, &t, &e)
	f.Sqr(&s, &p.z)
	bb.Add(&q.X, &q.Y)
	f.Mul(&s, &s, &bb)
	p.y.Add(&t, &s) // Y' = (E + Z')F + (x + y)Z'²
	return different
}

// CheapInversion says whether sums of points are faster with x and y than in λ-coordinates.
func (f *Field) CheapInversion() bool { return f.shape == shape257 && !f.asm }
