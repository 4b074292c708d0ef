package gf2m

// A Table holds affine points of one field close together, because in constant time all of them are read. What stands in
// L may be λ or y. The zero value is no table; NewTable makes one.
type Table struct {
	points []uint64
	// tops are the highest words of M257, which are bits: those of X of 64 points, of L of these, of X of the next.
	tops []uint64
}

// tableWords is the number of words of points that a point takes.
func (f *Field) tableWords() int {
	if f.shape == shape257 {
		return 8
	}
	return 2 * f.words
}

// NewTable returns a table of n points, all zero.
func (f *Field) NewTable(n int) *Table {
	t := &Table{points: make([]uint64, n*f.tableWords())}
	if f.shape == shape257 {
		t.tops = make([]uint64, (n+63)/64*2)
	}
	return t
}

// Size is the number of bytes that t takes.
func (t *Table) Size() int { return 8 * (len(t.points) + len(t.tops)) }

// Store sets point i of t to p.
func (f *Field) Store(t *Table, i int, p *Affine) {
	n := f.tableWords()
	w := t.points[i*n:][:n]
	copy(w, p.X[:n/2])
	copy(w[n/2:], p.L[:n/2])
	if f.shape == shape257 {
		tops, at := t.tops[i/64*2:], i%64
		tops[0] = tops[0]&^(1<<at) | p.X[4]<<at
		tops[1] = tops[1]&^(1<<at) | p.L[4]<<at
	}
}

// LoadVarTime sets p to point i of t. The index is public.
func (f *Field) LoadVarTime(p *Affine, t *Table, i int) {
	if f.shape == shape257 {
		w, tops, at := (*[8]uint64)(t.points[8*i:]), (*[2]uint64)(t.tops[i/64*2:]), i%64
		p.X = Element{w[0], w[1], w[2], w[3], tops[0] >> at & 1}
		p.L = Element{w[4], w[5], w[6], w[7], tops[1] >> at & 1}
		return
	}
	*p = Affine{}
	n := f.words
	w := t.points[2*n*i:][:2*n]
	copy(p.X[:], w[:n])
	copy(p.L[:], w[n:])
}

// Lookup sets p to point first + index of t, 0 ≤ index < n, and reads all n points from first on: index is secret.
func (f *Field) Lookup(p *Affine, t *Table, first, n, index int) {
	if n == 0 {
		return
	}
	size := f.tableWords()
	points := t.points[first*size:][:n*size]
	if f.asm {
		f.lookupAsm(p, points, index)
	} else if f.shape == shape257 {
		lookup257Generic(p, points, index)
	} else {
		f.lookupGeneric(p, points, index)
	}
	if f.shape != shape257 {
		return
	}
	var x, l uint64
	at := first + index
	for j := first / 64; j <= (first+n-1)/64; j++ {
		mask := -uint64(isZero(uint64(j ^ at/64)))
		x |= t.tops[2*j] & mask
		l |= t.tops[2*j+1] & mask
	}
	p.X[4], p.X[5], p.X[6] = x>>(at&63)&1, 0, 0
	p.L[4], p.L[5], p.L[6] = l>>(at&63)&1, 0, 0
}

func (f *Field) lookupGeneric(p *Affine, points []uint64, index int) {
	*p = Affine{}
	w := f.words
	want := uint64(index)
	for j := uint64(0); len(points) >= 2*w; j++ {
		mask := -uint64(isZero(j ^ want))
		for i := range w {
			p.X[i] |= points[i] & mask
			p.L[i] |= points[w+i] & mask
		}
		points = points[2*w:]
	}
}

// lookup257Generic does all but the highest words, two points at a time, the sums kept out of memory.
func lookup257Generic(p *Affine, points []uint64, index int) {
	var x0, x1, x2, x3, l0, l1, l2, l3 uint64
	left := uint64(index)
	for ; len(points) >= 16; points = points[16:] {
		e := (*[16]uint64)(points)
		a, b := maskZero(left), maskZero(left-1)
		left -= 2
		x0 |= e[0]&a | e[8]&b
		x1 |= e[1]&a | e[9]&b
		x2 |= e[2]&a | e[10]&b
		x3 |= e[3]&a | e[11]&b
		l0 |= e[4]&a | e[12]&b
		l1 |= e[5]&a | e[13]&b
		l2 |= e[6]&a | e[14]&b
		l3 |= e[7]&a | e[15]&b
	}
	if len(points) >= 8 {
		e := (*[8]uint64)(points)
		a := maskZero(left)
		x0, x1, x2, x3 = x0|e[0]&a, x1|e[1]&a, x2|e[2]&a, x3|e[3]&a
		l0, l1, l2, l3 = l0|e[4]&a, l1|e[5]&a, l2|e[6]&a, l3|e[7]&a
	}
	p.X[0], p.X[1], p.X[2], p.X[3] = x0, x1, x2, x3
	p.L[0], p.L[1], p.L[2], p.L[3] = l0, l1, l2, l3
}

// maskZero is all ones if v is 0, else zero.
func maskZero(v uint64) uint64 { return (v|-v)>>63 - 1 }
