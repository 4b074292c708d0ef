package gf2m

import (
	"math/rand/v2"
	"testing"
)

// multiplesOf returns p, 3p, 5p, …: no two disjoint sums of the first few are the same on a curve of large order, but
// some are.
func multiplesOf(f *Field, p xy, n, a int) []xy {
	p2 := addXY(f, &p, &p, a)
	all := make([]xy, n)
	for i := range all {
		all[i] = p
		p = addXY(f, &p2, &p, a)
	}
	return all
}

// The sums give what the textbook gives, whatever is left over at each level.
func TestSum(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(12, uint64(f.m)))
		for _, n := range []int{1, 2, 3, 4, 21, 38, 43, 55, MaxTerms} {
			a := n % 2
			// Powers of two, so that no two disjoint sums are the same.
			p := xy{*random(f, r), *random(f, r)}
			want := p
			points := make([]XY, n)
			for i := range points {
				points[i] = XY{p.x, p.y}
				if i > 0 {
					want = addXY(f, &want, &p, a)
				}
				p = addXY(f, &p, &p, a)
			}
			again := append([]XY(nil), points...)
			var got Point
			f.Sum(&got, points, a)
			if fromPoint(f, &got) != want {
				t.Fatalf("%d points, a = %d: wrong sum", n, a)
			}
			var x, z Element
			isX := func() bool { f.Mul(&z, &z, &want.x); return x == z && z.IsZero() == 0 }
			for _, run := range []func(points []XY) bool{
				func(points []XY) bool { f.SumX(&x, &z, points, a); return true },
				func(points []XY) bool { return f.SumXVarTime(&x, &z, points, a) },
			} {
				if !run(append([]XY(nil), again...)) || !isX() {
					t.Fatalf("%d points, a = %d: wrong x", n, a)
				}
			}
		}
	})
}

// Points that are the same or opposite are reported, wherever they meet.
func TestSumExceptional(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(13, uint64(f.m)))
		p := multiplesOf(f, xy{*random(f, r), *random(f, r)}, 43, 0)
		for _, test := range []struct{ n, i, j int }{
			{2, 0, 1},    // with the last
			{3, 0, 1},    // in projective coordinates
			{43, 0, 21},  // in the first pairs
			{43, 20, 41}, // in the last of them
		} {
			for _, opposite := range []bool{false, true} {
				points := make([]XY, test.n)
				for k := range points {
					points[k] = XY{p[k].x, p[k].y}
				}
				points[test.j] = points[test.i]
				if opposite {
					points[test.j].Y.Add(&points[test.i].Y, &points[test.i].X)
				}
				var x, z Element
				if f.SumXVarTime(&x, &z, points, 0) {
					t.Fatalf("%+v, opposite %v: not reported", test, opposite)
				}
			}
		}
	})
}

func TestAddPairs(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(14, uint64(f.m)))
		p := multiplesOf(f, xy{*random(f, r), *random(f, r)}, 2*(maxPairs+9), 1)
		n := maxPairs + 9
		left, right := make([]XY, n), make([]XY, 2*n)
		for i := range left {
			left[i] = XY{p[i].x, p[i].y}
			right[2*i] = XY{p[i+n].x, p[i+n].y}
		}
		if !f.AddPairsVarTime(left, right, 2, 1) {
			t.Fatal("refused")
		}
		for i := range left {
			if want := addXY(f, &p[i], &p[i+n], 1); left[i] != (XY{want.x, want.y}) {
				t.Fatalf("wrong sum %d", i)
			}
		}
		if left[3] = right[6]; f.AddPairsVarTime(left, right, 2, 1) {
			t.Error("the same points are not reported")
		}
	})
}

func TestInvVarTime(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(15, uint64(f.m)))
		var got, want Element
		tries := 4
		if f.CheapInversion() { // it has its own
			tries = 2 * f.m
		}
		for i := range tries {
			x := *random(f, r)
			if i < f.m {
				x = Element{}
				x[i/64] = 1 << (i % 64)
			}
			f.Inv(&want, &x)
			if f.InvVarTime(&got, &x); got != want {
				t.Fatalf("1/%x: got %x, want %x", toBig(&x), toBig(&got), toBig(&want))
			}
			if f.InvVarTime(&x, &x); x != want {
				t.Fatal("in place")
			}
		}
	})
}
