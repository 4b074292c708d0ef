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

// Lookup sets p to entry index of table, which holds affine points as 2·Words words each, x then λ. It reads the whole
// table: index is secret. An index outside the table gives zero.
func (f *Field) Lookup(p *Affine, table []uint64, index int) {
	if f.asm {
		f.lookupAsm(p, table, index)
		return
	}
	if f.words == 5 {
		lookup5(p, table, index)
		return
	}
	*p = Affine{}
	w := f.words
	want := uint64(index)
	for j := uint64(0); len(table) >= 2*w; j++ {
		mask := -uint64(isZero(j ^ want))
		for i := range w {
			p.X[i] |= table[i] & mask
			p.L[i] |= table[w+i] & mask
		}
		table = table[2*w:]
	}
}

// lookup5 is Lookup in tables of M257, the sums kept out of memory.
func lookup5(p *Affine, table []uint64, index int) {
	var x0, x1, x2, x3, x4, l0, l1, l2, l3, l4 uint64
	for left := int64(index); len(table) >= 10; left-- {
		e := (*[10]uint64)(table)
		mask := ^uint64((left | -left) >> 63) // all ones if left is 0
		x0 |= e[0] & mask
		x1 |= e[1] & mask
		x2 |= e[2] & mask
		x3 |= e[3] & mask
		x4 |= e[4] & mask
		l0 |= e[5] & mask
		l1 |= e[6] & mask
		l2 |= e[7] & mask
		l3 |= e[8] & mask
		l4 |= e[9] & mask
		table = table[10:]
	}
	p.X = Element{x0, x1, x2, x3, x4}
	p.L = Element{l0, l1, l2, l3, l4}
}
