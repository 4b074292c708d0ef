package gf2m

import (
	"math/rand/v2"
	"testing"
)

// xy is a point by the textbook, in affine coordinates.
type xy struct{ x, y Element }

func (p *xy) affine(f *Field) *Affine {
	var l Element
	f.Inv(&l, &p.x)
	f.Mul(&l, &l, &p.y)
	l.Add(&l, &p.x)
	return &Affine{X: p.x, L: l}
}

func fromPoint(f *Field, p *Point) xy {
	var zi, x, y Element
	f.Inv(&zi, &p.Z)
	f.Mul(&x, &p.X, &zi)
	f.Mul(&y, &p.L, &zi)
	y.Add(&y, &x)
	f.Mul(&y, &y, &x)
	return xy{x, y}
}

func addXY(f *Field, p, q *xy, a int) xy {
	var l, x, y, t Element
	if *p == *q {
		f.Inv(&l, &p.x)
		f.Mul(&l, &l, &p.y)
		l.Add(&l, &p.x)
		f.Sqr(&x, &l)
		x.Add(&x, &l)
	} else {
		t.Add(&p.x, &q.x)
		f.Inv(&t, &t)
		l.Add(&p.y, &q.y)
		f.Mul(&l, &l, &t)
		f.Sqr(&x, &l)
		x.Add(&x, &l)
		x.Add(&x, &p.x)
		x.Add(&x, &q.x)
	}
	x[0] ^= uint64(a)
	t.Add(&p.x, &x)
	f.Mul(&y, &l, &t)
	y.Add(&y, &x)
	y.Add(&y, &p.y)
	return xy{x, y}
}

// scaled is p with a random Z.
func scaled(f *Field, p *Affine, r *rand.Rand) *Point {
	var q Point
	q.Z = *random(f, r)
	q.Z[0] |= 1
	f.Mul(&q.X, &p.X, &q.Z)
	f.Mul(&q.L, &p.L, &q.Z)
	return &q
}

// The formulas give what the textbook gives, on a curve through a random point, for both coefficients.
func TestFormulas(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(8, uint64(f.m)))
		for i := range 8 {
			a := i % 2
			p := xy{*random(f, r), *random(f, r)}
			if p.x.IsZero() == 1 {
				continue
			}
			p2 := addXY(f, &p, &p, a)
			p3 := addXY(f, &p2, &p, a)
			p5 := addXY(f, &p2, &p3, a)

			var got Point
			check := func(what string, want xy) {
				t.Helper()
				if fromPoint(f, &got) != want {
					t.Fatalf("a = %d: wrong %s", a, what)
				}
			}
			q := scaled(f, p.affine(f), r)
			f.Double(&got, q, a, 1)
			check("double", p2)
			got = *q
			f.Double(&got, &got, a, 1)
			check("double in place", p2)
			p8 := addXY(f, &p2, &p2, a)
			p8 = addXY(f, &p8, &p8, a)
			f.Double(&got, q, a, 3)
			check("three doublings", p8)
			got = *q
			f.Double(&got, &got, a, 3)
			check("three doublings in place", p8)

			q = scaled(f, p2.affine(f), r)
			f.AddMixed(&got, q, p3.affine(f))
			check("sum", p5)
			got = *q
			f.AddMixed(&got, &got, p3.affine(f))
			check("sum in place", p5)

			f.DoubleAddMixed(&got, q, p.affine(f), a)
			check("double and add", p5)
			got = *q
			f.DoubleAddMixed(&got, &got, p.affine(f), a)
			check("double and add in place", p5)
		}
	})
}

// The cases for which the formulas are not complete all give Z = 0.
func TestFormulasAtInfinity(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(9, uint64(f.m)))
		for a := range 2 {
			p := xy{*random(f, r), *random(f, r)}
			p.x[0] |= 1
			pa := p.affine(f)
			negative := *pa
			negative.L[0] ^= 1 // −P has λ + 1
			p2 := addXY(f, &p, &p, a)
			minus2 := *p2.affine(f)
			minus2.L[0] ^= 1
			var o, got Point
			o.X, o.L = *random(f, r), *random(f, r)
			zero := func(what string) {
				t.Helper()
				if got.Z.IsZero() != 1 {
					t.Errorf("a = %d: %s has Z other than zero", a, what)
				}
			}
			f.Double(&got, &o, a, 1)
			zero("2·O")
			f.AddMixed(&got, &o, pa)
			zero("O + P")
			f.AddMixed(&got, scaled(f, pa, r), pa)
			zero("P + P")
			f.AddMixed(&got, scaled(f, pa, r), &negative)
			zero("P − P")
			f.DoubleAddMixed(&got, &o, pa, a)
			zero("2·O + P")
			f.DoubleAddMixed(&got, scaled(f, pa, r), &minus2, a)
			zero("2P − 2P")
			f.DoubleAddMixed(&got, scaled(f, pa, r), p2.affine(f), a)
			zero("2P + 2P")
		}
	})
}

// A table gives back what was stored, by both ways, from any part of it.
func TestLookup(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(10, uint64(f.m)))
		const n = 64 * 3
		var points [n]Affine
		table := f.NewTable(n)
		for i := range points {
			points[i] = Affine{*random(f, r), *random(f, r)}
			f.Store(table, i, random2(f, r)) // which is overwritten
			f.Store(table, i, &points[i])
		}
		lookup := func(first, n int) {
			for i := range n {
				got := Affine{Element{1, 2, 3, 4, 5, 6, 7}, Element{1, 2, 3, 4, 5, 6, 7}}
				f.Lookup(&got, table, first, n, i)
				if want := points[first+i]; got != want {
					t.Fatalf("%d from %d, point %d: got %x, want %x", n, first, i, got, want)
				}
			}
		}
		for _, part := range [][2]int{{0, n}, {0, 1}, {n - 1, 1}, {32, 32}, {64, 64}, {50, 30}, {3, 130}} {
			lookup(part[0], part[1])
		}
		for i := range points {
			var got Affine
			if f.LoadVarTime(&got, table, i); got != points[i] {
				t.Fatalf("point %d: got %x, want %x", i, got, points[i])
			}
		}
		f.ForLookup(table)
		f.ForLookup(table) // which changes nothing
		for _, part := range [][2]int{{0, n}, {0, 2}, {n - 2, 2}, {64, 64}, {50, 30}} {
			lookup(part[0], part[1])
		}
	})
}

func random2(f *Field, r *rand.Rand) *Affine { return &Affine{*random(f, r), *random(f, r)} }

func BenchmarkLookup(b *testing.B) {
	benchmarkField(b, func(b *testing.B, f *Field, x, y *Element) {
		table := f.NewTable(32)
		f.ForLookup(table)
		var p Affine
		for b.Loop() {
			f.Lookup(&p, table, 0, 32, 5)
		}
	})
}

func BenchmarkPoint(b *testing.B) {
	benchmarkField(b, func(b *testing.B, f *Field, x, y *Element) {
		p, q := Point{*x, *y, *x}, Affine{*x, *y}
		b.Run("double", func(b *testing.B) {
			for b.Loop() {
				f.Double(&p, &p, f.curveA(), 1)
			}
		})
		b.Run("add", func(b *testing.B) {
			for b.Loop() {
				f.AddMixed(&p, &p, &q)
			}
		})
		b.Run("doubleadd", func(b *testing.B) {
			for b.Loop() {
				f.DoubleAddMixed(&p, &p, &q, f.curveA())
			}
		})
	})
}

// curveA is the coefficient of the named curve over f, for benchmarks.
func (f *Field) curveA() int { return f.words % 5 / 2 }
