//go:build !purego

package gf2m

import "testing"

// assembled are the fields with routines of their own, and the same fields without.
func assembled(t testing.TB) (fast, slow []*Field) {
	t.Helper()
	if !haveAsm {
		t.Skip("this processor has no carry-less multiplication")
	}
	for _, p := range [][]int{{257, 12}, {431, 1, 3, 5}} {
		f := New(p[0], p[1:]...)
		fast, slow = append(fast, f), append(slow, f.Portable())
	}
	return fast, slow
}

// FuzzFormulas compares the point routines with the portable formulas. They do the same steps, so that coordinates must
// be equal and not only the points, whether or not the input is on a curve.
func FuzzFormulas(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint8(1))
	ones := make([]byte, 5*54)
	for i := range ones {
		ones[i] = 0xff
	}
	f.Add(ones, uint8(9))
	fast, slow := assembled(f)
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		for i := range fast {
			var e [5]Element
			for j := range e {
				fast[i].SetBytesCut(&e[j], data[j*len(data)/5:])
			}
			q, r := Point{e[0], e[1], e[2]}, Affine{e[3], e[4]}
			a := fast[i].curveA()
			if !fast[i].curveAsm(a) {
				t.Fatal("the routines are not used")
			}
			doublings := int(n)%8 + 1
			var got, want Point
			fast[i].Double(&got, &q, a, doublings)
			if slow[i].Double(&want, &q, a, doublings); got != want {
				t.Fatalf("M%d: %d doublings: got %x, want %x", fast[i].m, doublings, got, want)
			}
			fast[i].AddMixed(&got, &q, &r)
			if slow[i].AddMixed(&want, &q, &r); got != want {
				t.Fatalf("M%d: sum: got %x, want %x", fast[i].m, got, want)
			}
			fast[i].DoubleAddMixed(&got, &q, &r, a)
			if slow[i].DoubleAddMixed(&want, &q, &r, a); got != want {
				t.Fatalf("M%d: double and add: got %x, want %x", fast[i].m, got, want)
			}
			var x, y Element
			fast[i].SqrN(&x, &e[0], int(n))
			if slow[i].SqrN(&y, &e[0], int(n)); x != y {
				t.Fatalf("M%d: %d squarings: got %x, want %x", fast[i].m, n, x, y)
			}
		}
	})
}
