package gf2m

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
)

// polynomials are the fields of the ten named curves, and m = 283 of a published vector.
var polynomials = [][]int{
	{163, 3, 6, 7}, {167, 6}, {173, 1, 2, 10}, {179, 1, 2, 4}, {191, 9}, {233, 1, 4, 9}, {257, 12}, {283, 5, 7, 12},
	{307, 2, 4, 8}, {367, 21}, {431, 1, 3, 5},
}

func eachField(t *testing.T, run func(t *testing.T, f *Field, w *twin)) {
	for _, p := range polynomials {
		f := New(p[0], p[1:]...)
		w := newTwin(p)
		eachBackend(t, f, fmt.Sprint("M", p[0]), func(t *testing.T, f *Field) { run(t, f, w) })
	}
}

// eachBackend runs a test with every implementation that this machine has for f.
func eachBackend(t *testing.T, f *Field, name string, run func(t *testing.T, f *Field)) {
	t.Run(name+"/portable", func(t *testing.T) { run(t, f.Portable()) })
	t.Run(name+"/public", func(t *testing.T) { run(t, f.Portable().VarTime()) })
	if f.asm {
		t.Run(name+"/assembler", func(t *testing.T) { run(t, f) })
	}
}

// A twin is the same field over big.Int, bit by bit.
type twin struct {
	m    int
	poly *big.Int
}

func newTwin(p []int) *twin {
	w := &twin{m: p[0], poly: big.NewInt(1)}
	for _, k := range p {
		w.poly.SetBit(w.poly, k, 1)
	}
	return w
}

func (w *twin) mod(x *big.Int) *big.Int {
	x = new(big.Int).Set(x)
	for i := x.BitLen() - 1; i >= w.m; i-- {
		if x.Bit(i) == 1 {
			x.Xor(x, new(big.Int).Lsh(w.poly, uint(i-w.m)))
		}
	}
	return x
}

func (w *twin) mul(x, y *big.Int) *big.Int {
	z := new(big.Int)
	for i := range y.BitLen() {
		if y.Bit(i) == 1 {
			z.Xor(z, new(big.Int).Lsh(x, uint(i)))
		}
	}
	return w.mod(z)
}

func (w *twin) trace(x *big.Int) int {
	sum, t := new(big.Int), x
	for range w.m {
		sum.Xor(sum, t)
		t = w.mul(t, t)
	}
	return int(sum.Int64())
}

func toBig(x *Element) *big.Int {
	z := new(big.Int)
	for i, v := range x {
		z.Or(z, new(big.Int).Lsh(new(big.Int).SetUint64(v), uint(64*i)))
	}
	return z
}

// random returns elements of several kinds: dense, sparse, nearly full.
func random(f *Field, r *rand.Rand) *Element {
	x := new(Element)
	kind := r.IntN(6)
	for i := range f.words {
		switch kind {
		case 0:
			x[i] = 1 << r.IntN(64)
		case 1:
			x[i] = ^uint64(0)
		case 3: // all ones, four apart
			x[i] = r.Uint64() | 0x1111111111111111<<(i%4)
		default:
			x[i] = r.Uint64()
		}
	}
	if kind == 2 {
		clear(x[1:])
	}
	x[f.words-1] &= f.topMask()
	return x
}

func check(t *testing.T, what string, got *Element, want *big.Int) {
	t.Helper()
	if toBig(got).Cmp(want) != 0 {
		t.Fatalf("%s: got %x, want %x", what, toBig(got), want)
	}
}

func TestAgainstTwin(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, w *twin) {
		r := rand.New(rand.NewPCG(1, uint64(f.m)))
		for range 60 {
			x, y := random(f, r), random(f, r)
			bx, by := toBig(x), toBig(y)
			var z Element
			f.Mul(&z, x, y)
			check(t, "Mul", &z, w.mul(bx, by))
			f.Sqr(&z, x)
			check(t, "Sqr", &z, w.mul(bx, bx))
			f.SqrN(&z, x, 3)
			b2 := w.mul(bx, bx)
			b4 := w.mul(b2, b2)
			check(t, "SqrN", &z, w.mul(b4, b4))
			f.SqrN(&z, x, 0)
			check(t, "SqrN 0", &z, bx)
			z.Add(x, y)
			check(t, "Add", &z, new(big.Int).Xor(bx, by))
		}
	})
}

func TestInv(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, w *twin) {
		r := rand.New(rand.NewPCG(2, uint64(f.m)))
		var z, p Element
		for range 5 {
			x := random(f, r)
			if x.IsZero() == 1 {
				continue
			}
			f.Inv(&z, x)
			f.Mul(&p, &z, x)
			check(t, "x·1/x", &p, big.NewInt(1))
		}
		z = Element{5}
		f.Inv(&z, new(Element))
		check(t, "1/0", &z, new(big.Int))
	})
}

// SqrN is repeated squaring, also where it takes a short way.
func TestSqrN(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(11, uint64(f.m)))
		want := *random(f, r)
		x := want
		for n := range 300 {
			var got Element
			if f.SqrN(&got, &x, n); got != want {
				t.Fatalf("%d squarings: got %x, want %x", n, toBig(&got), toBig(&want))
			}
			got = x
			if f.SqrN(&got, &got, n); got != want {
				t.Fatalf("%d squarings in place: got %x, want %x", n, toBig(&got), toBig(&want))
			}
			f.Sqr(&want, &want)
		}
	})
}

func TestTraceAndQuadratic(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, w *twin) {
		r := rand.New(rand.NewPCG(3, uint64(f.m)))
		seen := [2]int{}
		for range 12 {
			x := random(f, r)
			tr := f.Trace(x)
			if want := w.trace(toBig(x)); tr != want {
				t.Fatalf("Trace: got %d, want %d", tr, want)
			}
			seen[tr]++
			var z, s Element
			f.SolveQuadratic(&z, x)
			f.Sqr(&s, &z)
			s.Add(&s, &z)
			if solved := s.Equal(x) == 1; solved != (tr == 0) {
				t.Fatalf("trace %d, solved: %v", tr, solved)
			}
		}
		if seen[0] == 0 || seen[1] == 0 {
			t.Fatalf("only one kind of trace was met: %v", seen)
		}
	})
}

// Every way in which the arguments may be one variable gives what distinct ones give.
func TestAliasing(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(4, uint64(f.m)))
		unary := map[string]func(z, x *Element){
			"Sqr": f.Sqr, "Inv": f.Inv, "SolveQuadratic": f.SolveQuadratic,
			"SqrN": func(z, x *Element) { f.SqrN(z, x, 5) },
		}
		binary := map[string]func(z, x, y *Element){
			"Mul": f.Mul, "Add": (*Element).Add,
			"Select1": func(z, x, y *Element) { z.Select(1, x, y) },
			"Select0": func(z, x, y *Element) { z.Select(0, x, y) },
		}
		for range 10 {
			x, y := random(f, r), random(f, r)
			for name, op := range unary {
				var want Element
				op(&want, x)
				got := *x
				op(&got, &got)
				if got != want {
					t.Fatalf("%s: z = x differs", name)
				}
			}
			for name, op := range binary {
				var want, square Element
				op(&want, x, y)
				got := *x
				if op(&got, &got, y); got != want {
					t.Fatalf("%s: z = x differs", name)
				}
				got = *y
				if op(&got, x, &got); got != want {
					t.Fatalf("%s: z = y differs", name)
				}
				z := *x
				op(&square, &z, &z)
				if op(&z, &z, &z); z != square {
					t.Fatalf("%s: z = x = y differs", name)
				}
			}
		}
	})
}

func TestSelectAndCompare(t *testing.T) {
	f := New(257, 12)
	r := rand.New(rand.NewPCG(5, 5))
	x, y := random(f, r), random(f, r)
	var z Element
	if z.Select(1, x, y); z != *x {
		t.Error("Select(1) is not the first")
	}
	if z.Select(0, x, y); z != *y {
		t.Error("Select(0) is not the second")
	}
	if x.Equal(x) != 1 || x.Equal(y) != 0 || x.IsZero() != 0 || new(Element).IsZero() != 1 {
		t.Error("wrong comparison")
	}
	for i := range MaxWords {
		var e Element
		e[i] = 1 << 63
		if e.IsZero() != 0 || e.Equal(new(Element)) != 0 {
			t.Errorf("word %d is not looked at", i)
		}
	}
}

func TestBytes(t *testing.T) {
	eachField(t, func(t *testing.T, f *Field, _ *twin) {
		r := rand.New(rand.NewPCG(6, uint64(f.m)))
		x := random(f, r)
		b := f.AppendBytes(nil, x)
		if len(b) != f.Bytes() {
			t.Fatalf("got %d bytes, want %d", len(b), f.Bytes())
		}
		z := Element{9}
		if !f.SetBytes(&z, b) || z != *x {
			t.Fatal("round trip failed")
		}
		bad := append([]byte(nil), b...)
		bad[len(bad)-1] |= 1 << (f.m % 8)
		for _, bad := range [][]byte{bad, b[1:], append(b, 0), nil} {
			if z = (Element{9}); f.SetBytes(&z, bad) || z != (Element{9}) {
				t.Fatalf("accepted %x, or changed the element", bad)
			}
		}
		all := make([]byte, 80)
		for i := range all {
			all[i] = 0xff
		}
		f.SetBytesCut(&z, all)
		if toBig(&z).Cmp(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(f.m)), big.NewInt(1))) != 0 {
			t.Fatalf("cut to %x", toBig(&z))
		}
		f.SetBytesCut(&z, []byte{1, 2})
		if z != (Element{0x201}) {
			t.Fatalf("short input gives %x", toBig(&z))
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for _, p := range [][]int{{256, 12}, {449, 12}, {127, 1}, {257, 194}, {257, 1, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("polynomial %v was accepted", p)
				}
			}()
			New(p[0], p[1:]...)
		}()
	}
}

// FuzzMul compares multiplication and squaring with the twin, in every field and on every back end.
func FuzzMul(f *testing.F) {
	f.Add([]byte{1}, []byte{2})
	f.Add(make([]byte, 54), []byte{0xff, 0xff, 0xff})
	type pair struct {
		f *Field
		w *twin
	}
	var pairs []pair
	for _, p := range polynomials {
		fast, w := New(p[0], p[1:]...), newTwin(p)
		pairs = append(pairs, pair{fast.Portable(), w}, pair{fast.Portable().VarTime(), w})
		if fast.asm {
			pairs = append(pairs, pair{fast, w})
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, p := range pairs {
			var x, y, z Element
			p.f.SetBytesCut(&x, a)
			p.f.SetBytesCut(&y, b)
			p.f.Mul(&z, &x, &y)
			check(t, "Mul", &z, p.w.mul(toBig(&x), toBig(&y)))
			p.f.Sqr(&z, &x)
			check(t, "Sqr", &z, p.w.mul(toBig(&x), toBig(&x)))
		}
	})
}

func benchmarkField(b *testing.B, run func(b *testing.B, f *Field, x, y *Element)) {
	for _, p := range [][]int{{257, 12}, {431, 1, 3, 5}} {
		f := New(p[0], p[1:]...)
		r := rand.New(rand.NewPCG(7, 7))
		x, y := random(f, r), random(f, r)
		b.Run(fmt.Sprint("M", p[0], "/portable"), func(b *testing.B) { run(b, f.Portable(), x, y) })
		if f.asm {
			b.Run(fmt.Sprint("M", p[0], "/assembler"), func(b *testing.B) { run(b, f, x, y) })
		}
	}
}

func BenchmarkMul(b *testing.B) {
	benchmarkField(b, func(b *testing.B, f *Field, x, y *Element) {
		for b.Loop() {
			f.Mul(x, x, y)
		}
	})
}

func BenchmarkSqr(b *testing.B) {
	benchmarkField(b, func(b *testing.B, f *Field, x, _ *Element) {
		for b.Loop() {
			f.Sqr(x, x)
		}
	})
}

func BenchmarkInv(b *testing.B) {
	benchmarkField(b, func(b *testing.B, f *Field, x, _ *Element) {
		for b.Loop() {
			f.Inv(x, x)
		}
	})
}
