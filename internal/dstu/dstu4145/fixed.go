package dstu4145

import "brama/internal/dstu/internal/gf2m"

// Widths of the windows. A wider one means fewer additions, but in constant time the whole table is read.
const (
	signWidth  = 6  // P, when signing
	pairsWidth = 7  // P, when signing by sums of pairs
	knownWidth = 8  // a known key, when verifying
	ownWidth   = 9  // a key that signs, when verifying what it signed
	wideWidth  = 10 // P, when verifying with a known key
)

// A fixedTable holds multiples of one point q: for each window i the odd ones (2j+1)·2^(width·i)·q, j below 2^(width−1).
// A multiplication is a sum of one entry a window, without doublings.
type fixedTable struct {
	points  *gf2m.Table
	width   int
	windows int
	xy      bool // the entries are x and y
}

// entries is the number of points in a window.
func (t *fixedTable) entries() int { return 1 << (t.width - 1) }

// newFixedTable makes the table of q, of x and y or of x and λ. Variable time: q is public.
func (c *Curve) newFixedTable(q *gf2m.Affine, width int, xy bool) *fixedTable {
	f := c.public
	t := &fixedTable{width: width, windows: (c.n.bits + width - 1) / width, xy: xy}
	t.points = f.NewTable(t.windows * t.entries())

	// 2^(width·i)·q and twice that.
	starts := make([]gf2m.Point, 2*t.windows)
	var p gf2m.Point
	p.SetAffine(q)
	for i := range t.windows {
		starts[i] = p
		f.Double(&starts[t.windows+i], &p, c.a, 1)
		f.Double(&p, &p, c.a, width)
	}
	flat := make([]gf2m.Affine, len(starts))
	c.affineAll(flat, starts, make([]gf2m.Element, len(starts)))
	cur := make([]gf2m.XY, len(flat))
	for i := range cur {
		f.XY(&cur[i], &flat[i])
	}
	cur, step := cur[:t.windows], cur[t.windows:]
	// Each step adds in all windows at once.
	for j := range t.entries() {
		if j > 0 && !f.AddPairsVarTime(cur, step, 1, c.a) {
			panic("dstu4145: internal error: table of a point of small order")
		}
		for i := range cur {
			f.Store(t.points, i*t.entries()+j, &gf2m.Affine{X: cur[i].X, L: cur[i].Y})
		}
	}
	if !xy {
		c.toLambda(t)
	}
	return t
}

// toLambda writes λ = x + y/x for every y of t.
func (c *Curve) toLambda(t *fixedTable) {
	f := c.public
	products := make([]gf2m.Element, t.windows*t.entries())
	acc := gf2m.Element{1}
	var p gf2m.Affine
	var inv gf2m.Element
	for i := range products {
		products[i] = acc
		f.LoadVarTime(&p, t.points, i)
		f.Mul(&acc, &acc, &p.X)
	}
	f.InvVarTime(&acc, &acc)
	for i := len(products) - 1; i >= 0; i-- {
		f.LoadVarTime(&p, t.points, i)
		f.Mul(&inv, &acc, &products[i])
		f.Mul(&acc, &acc, &p.X)
		f.Mul(&p.L, &p.L, &inv)
		p.L.Add(&p.L, &p.X)
		f.Store(t.points, i, &p)
	}
}

// digits writes the odd number k, below 2^(width·windows), as Σ d[i]·2^(width·i) with every d[i] odd and below 2^width in
// magnitude: d = 2b − (2^width − 1) where b are the windows of (k + 2^(width·windows) − 1)/2.
// It returns each as the index |d|/2 and the sign, 1 for negative. Constant time.
func (t *fixedTable) digits(index, sign *[maxWindows]int, k *scalar) {
	// (k−1)/2 + 2^(top), top = width·windows − 1; the power is above every bit of k/2.
	var b scalar
	for i := range b {
		b[i] = k[i] >> 1
		if i+1 < len(b) {
			b[i] |= k[i+1] << 63
		}
	}
	top := t.width*t.windows - 1
	b[top/64] |= 1 << (top % 64)
	for i := range t.windows {
		pos := t.width * i
		v := b[pos/64] >> (pos % 64)
		if pos%64 > 64-t.width && pos/64+1 < len(b) {
			v |= b[pos/64+1] << (64 - pos%64)
		}
		negative := ^v >> (t.width - 1) & 1
		index[i] = int((v ^ -negative) & (1<<(t.width-1) - 1))
		sign[i] = int(negative)
	}
}

const maxWindows = (64*gf2m.MaxWords + signWidth - 1) / signWidth

// mulFixed sets p = k·q, q the point of t, for odd k, 0 < k < n, in constant time. Two sums of different windows below
// the last are never the same point nor opposite: they are even a different number of times, and together less than n.
// What is added in the last window, w·q, may be the same as the sum before it for one number k = 2w mod n of all (on M431,
// not on M257); only for that number a branch is taken. It cannot be the opposite, since k is not zero.
func (c *Curve) mulFixed(p *gf2m.Point, k *scalar, t *fixedTable) {
	if t.xy {
		var terms [gf2m.MaxTerms]gf2m.XY
		c.field.Sum(p, c.terms(&terms, k, t), c.a)
		return
	}
	var index, sign [maxWindows]int
	t.digits(&index, &sign, k)
	var q gf2m.Affine
	for i := range t.windows {
		c.field.Lookup(&q, t.points, i*t.entries(), t.entries(), index[i])
		q.L[0] ^= uint64(sign[i])
		if i == 0 {
			p.SetAffine(&q)
			continue
		}
		if i < t.windows-1 {
			c.field.AddMixed(p, p, &q)
			continue
		}
		before := *p
		if c.field.AddMixed(p, &before, &q); p.Z.IsZero() == 1 {
			c.field.Double(p, &before, c.a, 1)
		}
	}
}

// terms sets terms to the points whose sum mulFixed makes, of a table of x and y.
func (c *Curve) terms(terms *[gf2m.MaxTerms]gf2m.XY, k *scalar, t *fixedTable) []gf2m.XY {
	var index, sign [maxWindows]int
	t.digits(&index, &sign, k)
	for i := range t.windows {
		var q gf2m.Affine
		c.field.Lookup(&q, t.points, i*t.entries(), t.entries(), index[i]) // x and y
		setTerm(&terms[i], &q, sign[i])
	}
	return terms[:t.windows]
}

// setTerm sets p to q of a table of x and y, or to −q = (x, x + y) if negated is 1.
func setTerm(p *gf2m.XY, q *gf2m.Affine, negated int) {
	mask := -uint64(negated)
	p.X = q.X
	for j, v := range q.X {
		p.Y[j] = q.L[j] ^ v&mask
	}
}

// mulFixedX is mulFixed for the x coordinate alone, which it sets to x/z.
func (c *Curve) mulFixedX(x, z *gf2m.Element, k *scalar, t *fixedTable) {
	if t.xy {
		var terms [gf2m.MaxTerms]gf2m.XY
		c.field.SumX(x, z, c.terms(&terms, k, t), c.a)
		return
	}
	var p gf2m.Point
	c.mulFixed(&p, k, t)
	*x, *z = p.X, p.Z
}

// sumKnownVarTime sets X/Z of sum to the x coordinate of s·P + r·Q, and Z to zero for O, t the table of Q = q, without
// doublings.
func (c *Curve) sumKnownVarTime(sum *gf2m.Point, s, r *scalar, t *fixedTable, q *gf2m.Affine) {
	base := c.wideTable()
	if !t.xy {
		*sum = gf2m.Point{}
		c.accumulateVarTime(sum, s, base)
		c.accumulateVarTime(sum, r, t)
		return
	}
	var terms [gf2m.MaxTerms]gf2m.XY
	n := c.pickAll(terms[:], s, base)
	n += c.pickAll(terms[n:], r, t)
	if !c.public.SumXVarTime(&sum.X, &sum.Z, terms[:n], c.a) {
		c.sumVarTime(sum, s, r, q) // which has no exceptional cases
	}
}

// pickAll sets terms to points whose sum is k·q, q the point of t, and returns how many there are. Variable time.
func (c *Curve) pickAll(terms []gf2m.XY, k *scalar, t *fixedTable) int {
	var index, sign [maxWindows]int
	var odd scalar
	negated := c.n.odd(&odd, k) // k·q = −(n−k)·q
	t.digits(&index, &sign, &odd)
	for i := range t.windows {
		var q gf2m.Affine
		c.public.LoadVarTime(&q, t.points, i*t.entries()+index[i])
		setTerm(&terms[i], &q, sign[i]^negated)
	}
	return t.windows
}

// maxKnownWindows is the number of windows of knownWidth on the largest field.
const maxKnownWindows = (431 + knownWidth - 1) / knownWidth

// accumulateVarTime adds k·q to sum, q the point of t. The table is large and mostly in no cache: all entries are fetched
// before the first is needed, so that the processor waits for them at once and not for one after another.
func (c *Curve) accumulateVarTime(sum *gf2m.Point, k *scalar, t *fixedTable) {
	var index, sign [maxWindows]int
	var odd scalar
	negated := c.n.odd(&odd, k) // k·q = −(n−k)·q
	t.digits(&index, &sign, &odd)
	var terms [maxKnownWindows]gf2m.Affine
	for i := range t.windows {
		c.public.LoadVarTime(&terms[i], t.points, i*t.entries()+index[i])
		terms[i].L[0] ^= uint64(sign[i] ^ negated)
	}
	var other gf2m.Point
	cur, next := sum, &other
	for i := range t.windows {
		c.addVarTime(next, cur, &terms[i])
		cur, next = next, cur
	}
	if cur != sum {
		*sum = *cur
	}
}

// signTable returns the table of P for signing.
func (c *Curve) signTable() *fixedTable {
	c.signOnce.Do(func() {
		pairs, width := c.field.CheapInversion(), signWidth
		if pairs {
			width = pairsWidth
		}
		c.sign = c.newFixedTable(&c.base, width, pairs)
		c.field.ForLookup(c.sign.points)
	})
	return c.sign
}

// wideTable returns the table of P for verification with a known key.
func (c *Curve) wideTable() *fixedTable {
	c.wideOnce.Do(func() { c.wide = c.newFixedTable(&c.base, wideWidth, c.field.CheapInversion()) })
	return c.wide
}
