package gf2m

// A Point is a point of y² + xy = x³ + ax² + b in projective λ-coordinates: x = X/Z and λ = x + y/x = L/Z (Oliveira,
// López, Aranha, Rodríguez-Henríquez, "Two is the fastest prime: lambda coordinates for binary elliptic curves", 2014).
// The point O has Z = 0. The point of order two, with x = 0, has no λ and cannot be represented; the formulas never
// meet it among points of odd order.
type Point struct{ X, L, Z Element }

// An Affine is a point with Z = 1. It cannot be O.
type Affine struct{ X, L Element }

// SetAffine sets p to q.
func (p *Point) SetAffine(q *Affine) {
	p.X, p.L, p.Z = q.X, q.L, Element{1}
}

// Double sets p = 2^n·q, n ≥ 1, on the curve with coefficient a, 0 or 1. It is complete: O gives O. They may be the same.
// Each doubling takes 4 multiplications and 4 squarings.
func (f *Field) Double(p, q *Point, a, n int) {
	if f.curveAsm(a) {
		f.doubleAsm(p, q, n)
		return
	}
	f.double(p, q, a)
	for range n - 1 {
		f.double(p, p, a)
	}
}

func (f *Field) double(p, q *Point, a int) {
	var lz, zz, t, u Element
	f.Mul(&lz, &q.L, &q.Z)
	f.Sqr(&zz, &q.Z)
	f.Sqr(&t, &q.L)
	t.Add(&t, &lz)
	addIf(&t, &zz, a) // T = L² + LZ + aZ²
	f.Mul(&u, &q.X, &q.Z)
	f.Sqr(&u, &u)        // (XZ)²
	f.Sqr(&p.X, &t)      // X' = T²
	f.Mul(&p.Z, &t, &zz) // Z' = TZ²
	f.Mul(&t, &t, &lz)   // TLZ
	p.L.Add(&u, &p.X)    // L' = (XZ)² + X' + TLZ + Z'
	p.L.Add(&p.L, &t)
	p.L.Add(&p.L, &p.Z)
}

// AddMixed sets p = q + r. It is not complete: Z comes out as zero if q is O, r or −r, of which only the last is right.
// They must be distinct variables or p the same as q. 8 multiplications, 2 squarings.
func (f *Field) AddMixed(p, q *Point, r *Affine) {
	// The formula does not depend on the coefficient.
	if f.asm {
		f.addMixedAsm(p, q, r)
		return
	}
	var a, b, xz, ax, t Element
	f.Mul(&a, &r.L, &q.Z)
	a.Add(&a, &q.L) // A = L + λZ
	f.Mul(&xz, &r.X, &q.Z)
	b.Add(&q.X, &xz)
	f.Sqr(&b, &b)       // B = (X + xZ)²
	f.Mul(&ax, &a, &xz) // AxZ
	f.Mul(&t, &a, &q.X)
	f.Mul(&a, &a, &b) // AB
	b.Add(&b, &ax)
	f.Sqr(&b, &b) // (AxZ + B)²
	xz.Add(&q.L, &q.Z)
	f.Mul(&xz, &xz, &a)   // AB(L + Z)
	f.Mul(&p.X, &t, &ax)  // X' = AxZ·AX
	f.Mul(&p.Z, &a, &q.Z) // Z' = ABZ
	p.L.Add(&b, &xz)      // L' = (AxZ + B)² + AB(L + Z)
}

// DoubleAddMixed sets p = 2q + r on the curve with coefficient a. Like AddMixed it gives Z = 0 where q is O or 2q is r
// or −r. p may be the same as q. 10 multiplications, 6 squarings: two multiplications fewer than one after the other.
func (f *Field) DoubleAddMixed(p, q *Point, r *Affine, a int) {
	if f.curveAsm(a) {
		f.doubleAddMixedAsm(p, q, r)
		return
	}
	var ll, zz, t, aa, xz, b Element
	f.Sqr(&zz, &q.Z)
	f.Sqr(&ll, &q.L)
	f.Mul(&t, &q.L, &q.Z)
	t.Add(&t, &ll)
	addIf(&t, &zz, a) // T = L² + LZ + aZ²
	f.Mul(&aa, &r.L, &zz)
	aa.Add(&aa, &ll)
	addIf(&aa, &zz, 1-a) // L² + (a + 1 + λ)Z²
	f.Mul(&aa, &aa, &t)
	f.Sqr(&xz, &q.X)
	f.Mul(&xz, &xz, &zz)
	aa.Add(&aa, &xz) // A = X²Z² + T(L² + (a + 1 + λ)Z²)
	f.Mul(&xz, &r.X, &zz)
	b.Add(&xz, &t)
	f.Sqr(&b, &b) // B = (xZ² + T)²
	f.Sqr(&ll, &aa)
	f.Mul(&p.X, &xz, &ll) // X' = xZ²A²
	f.Mul(&ll, &aa, &b)
	f.Mul(&p.Z, &ll, &zz) // Z' = ABZ²
	aa.Add(&aa, &b)
	f.Sqr(&aa, &aa)
	f.Mul(&aa, &aa, &t)
	ll = r.L
	ll[0] ^= 1
	f.Mul(&ll, &ll, &p.Z)
	p.L.Add(&aa, &ll) // L' = T(A + B)² + (λ + 1)Z'
}

// addIf adds x to z if a is 1. The coefficient is public.
func addIf(z, x *Element, a int) {
	if a == 1 {
		z.Add(z, x)
	}
}
