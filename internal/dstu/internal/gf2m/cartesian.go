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
const maxPairs = 64

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
	// products[i] is that of the denominators before i.
	var products [maxPairs]Element
	acc := f.one
	var d, inv, slope, x Element
	for i := range p {
		products[i] = acc
		d.Add(&p[i].X, &q[i*step].X)
		f.Mul(&acc, &acc, &d)
	}
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
		f.Mul(&inv, &acc, &products[i])
		f.Mul(&acc, &acc, &d)
		slope.Add(&p.Y, &q.Y)
		f.Mul(&slope, &slope, &inv)
		f.Sqr(&x, &slope)
		x.Add(&x, &slope)
		x.Add(&x, &d)
		x[0] ^= uint64(a) // x₃ = s² + s + x₁ + x₂ + a
		d.Add(&p.X, &x)
		f.Mul(&d, &d, &slope)
		d.Add(&d, &x)
		p.Y.Add(&p.Y, &d) // y₃ = s(x₁ + x₃) + x₃ + y₁
		p.X = x
	}
	return true
}

// Sum sets p to the sum of the points on the curve with coefficient a, in constant time; there are from 1 to 2·maxPairs
// + 1, and they are overwritten. The caller knows that no two disjoint sums of them are the same or opposite, of which
// the last is added to all others only.
func (f *Field) Sum(p *Point, points []XY, a int) { f.sum(p, points, a, false) }

// SumVarTime is Sum for public points, whatever they are. It returns false, with p unspecified, if it met points that are
// the same or opposite.
func (f *Field) SumVarTime(p *Point, points []XY, a int) bool { return f.sum(p, points, a, true) }

func (f *Field) sum(p *Point, points []XY, a int, public bool) bool {
	cost := 24 // of an inversion, in multiplications, of which a pair saves three
	if public {
		cost = 14
	}
	last := &points[len(points)-1]
	rest := points[:len(points)-1]
	for n := len(rest); n/2*3 > cost; n = len(rest) {
		// The first half takes the second; the one in the middle may be left over.
		if !f.addPairs(rest[:n/2], rest[(n+1)/2:], 1, a, public) {
			return false
		}
		rest = rest[:(n+1)/2]
	}
	q := projective{z: f.one}
	if len(rest) == 0 {
		q.x, q.y = last.X, last.Y
	} else {
		q.x, q.y = rest[0].X, rest[0].Y
		for i := range rest[1:] {
			if f.addProjective(&q, &rest[1+i], a) == 0 && public {
				return false
			}
		}
		if f.addProjective(&q, last, a) == 0 && public {
			return false
		}
	}
	// λ = x + y/x = (X² + Y)/XZ
	f.Sqr(&p.X, &q.x)
	p.L.Add(&p.X, &q.y)
	f.Mul(&p.Z, &q.x, &q.z)
	return true
}

// A projective is a point in the coordinates of López and Dahab, x = X/Z, y = Y/Z².
type projective struct{ x, y, z Element }

// addProjective sets p += q in 8 multiplications and 5 squarings. It returns 0 if they are the same or opposite, with
// another p, else 1.
func (f *Field) addProjective(p *projective, q *XY, a int) int {
	var s, t, b, c, e Element
	f.Sqr(&s, &p.z)
	f.Mul(&t, &q.Y, &s)
	p.y.Add(&p.y, &t) // A = Y + y·Z²
	f.Mul(&b, &q.X, &p.z)
	b.Add(&b, &p.x) // B = X + x·Z
	different := 1 ^ b.IsZero()
	f.Mul(&c, &p.z, &b) // C = ZB
	f.Mul(&e, &p.y, &c) // E = AC
	f.Sqr(&p.x, &p.y)
	f.Sqr(&b, &b)
	t = c
	addIf(&t, &s, a)
	f.Mul(&b, &b, &t)
	p.x.Add(&p.x, &b)
	p.x.Add(&p.x, &e) // X' = A² + B²(C + aZ²) + E
	f.Sqr(&p.z, &c)   // Z' = C²
	f.Mul(&t, &q.X, &p.z)
	t.Add(&t, &p.x) // F = X' + x·Z'
	e.Add(&e, &p.z)
	f.Mul(&t, &t, &e)
	f.Sqr(&s, &p.z)
	b.Add(&q.X, &q.Y)
	f.Mul(&s, &s, &b)
	p.y.Add(&t, &s) // Y' = (E + Z')F + (x + y)Z'²
	return different
}

// CheapInversion says whether sums of points are faster with x and y than in λ-coordinates.
func (f *Field) CheapInversion() bool { return f.shape == shape257 && !f.asm }
