package gf2m

// A Table holds affine points of one field close together, because in constant time all of them are read. What stands in
// L may be λ or y. The zero value is no table; NewTable makes one.
type Table struct {
	points []uint64
	// tops are the highest words of M257, which are bits: those of X of 64 points, of L of these, of X of the next.
	tops []uint64
	// paired says that a point at an odd place is kept as its difference from the one before, but for the tops.
	paired bool
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

// ForLookup makes look-ups in t quicker where that can be, after which nothing is stored nor loaded: only Lookup works,
// in parts that begin at even places and are of even length.
func (f *Field) ForLookup(t *Table) {
	if f.shape != shape257 || f.asm || t.paired {
		return
	}
	t.paired = true
	for p := t.points; len(p) >= 16; p = p[16:] {
		for i := range 8 {
			p[8+i] ^= p[i]
		}
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
	} else if t.paired {
		lookup257Paired(p, points, index)
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

// lookup257Generic does all but the highest words.
func lookup257Generic(p *Affine, points []uint64, index int) {
	*p = Affine{}
	for left := uint64(index); len(points) >= 8; left-- {
		mask := maskZero(left)
		for i := range 4 {
			p.X[i] |= points[i] & mask
			p.L[i] |= points[4+i] & mask
		}
		points = points[8:]
	}
}

// lookup257Paired does the same after ForLookup: it takes one pair of all, and from that the first or the sum of both.
func lookup257Paired(p *Affine, points []uint64, index int) {
	var x0, x1, x2, x3, l0, l1, l2, l3 uint64
	odd := -uint64(index & 1)
	for left := uint64(index) >> 1; len(points) >= 16; points = points[16:] {
		e := (*[16]uint64)(points)
		mask := maskZero(left)
		left--
		x0 |= (e[8]&odd ^ e[0]) & mask
		x1 |= (e[9]&odd ^ e[1]) & mask
		x2 |= (e[10]&odd ^ e[2]) & mask
		x3 |= (e[11]&odd ^ e[3]) & mask
		l0 |= (e[12]&odd ^ e[4]) & mask
		l1 |= (e[13]&odd ^ e[5]) & mask
		l2 |= (e[14]&odd ^ e[6]) & mask
		l3 |= (e[15]&odd ^ e[7]) & mask
	}
	p.X[0], p.X[1], p.X[2], p.X[3] = x0, x1, x2, x3
	p.L[0], p.L[1], p.L[2], p.L[3] = l0, l1, l2, l3
}

// maskZero is all ones if v is 0, else zero.
func maskZero(v uint64) uint64 { return (v|-v)>>63 - 1 }
