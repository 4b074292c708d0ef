package dstu4145

import "brama/internal/dstu/internal/gf2m"

// Widths of the windows. A wider one means fewer additions, but in constant time the whole table is read.
const (
	signWidth  = 6 // P, when signing
	knownWidth = 7 // a known key, when verifying
	wideWidth  = 8 // P, when verifying with a known key
)

// A fixedTable holds multiples of one point q: for each window i the odd ones (2j+1)·2^(width·i)·q, j below 2^(width−1). A multiplication is a sum of one entry a window, without doublings. The entries lie close together,
// x then λ, only the words of the field, because in constant time all of them are read.
type fixedTable struct {
	words   []uint64
	width   int
	windows int
}

// window returns the entries of window i.
func (t *fixedTable) window(i int) []uint64 {
	n := len(t.words) / t.windows
	return t.words[i*n : (i+1)*n]
}

// newFixedTable makes the table of q. Variable time: q is public.
func (c *Curve) newFixedTable(q *gf2m.Affine, width int) *fixedTable {
	f := c.field
	t := &fixedTable{width: width, windows: (c.n.bits + width - 1) / width}
	w, entries := f.Words(), 1<<(width-1)
	t.words = make([]uint64, t.windows*entries*2*w)

	// 2^(width·i)·q and twice that.
	starts := make([]gf2m.Point, 2*t.windows)
	var p gf2m.Point
	p.SetAffine(q)
	for i := range t.windows {
		starts[2*i] = p
		f.Double(&starts[2*i+1], &p, c.a, 1)
		f.Double(&p, &p, c.a, width)
	}
	flat := make([]gf2m.Affine, len(starts))
	c.affineAll(flat, starts, make([]gf2m.Element, len(starts)))

	points := make([]gf2m.Point, t.windows*entries)
	for i := range t.windows {
		p.SetAffine(&flat[2*i])
		for j := range entries {
			points[i*entries+j] = p
			f.AddMixed(&p, &p, &flat[2*i+1])
		}
	}
	all := make([]gf2m.Affine, len(points))
	c.affineAll(all, points, make([]gf2m.Element, len(points)))
	for i := range all {
		entry := t.words[i*2*w : (i+1)*2*w]
		copy(entry, all[i].X[:w])
		copy(entry[w:], all[i].L[:w])
	}
	return t
}

// digits writes the odd number k, below 2^(width·windows), as Σ d[i]·2^(width·i) with every d[i] odd and below 2^width in
// magnitude: d = 2b − (2^width − 1) where b are the windows of (k + 2^(width·windows) − 1)/2.
// It returns each as the index |d|/2 and the sign, 1 for negative. Constant time.
func (t *fixedTable) digits(index, sign *[maxWindows]uint8, k *scalar) {
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
		index[i] = uint8((v ^ -negative) & (1<<(t.width-1) - 1))
		sign[i] = uint8(negative)
	}
}

const maxWindows = (64*gf2m.MaxWords + signWidth - 1) / signWidth

// mulFixed sets p = k·q, q the point of t, for odd k, 0 < k < n, in constant time. The sum never meets an exceptional
// case of the formulas: before window i it is less than 2^(width·i) in magnitude, and what is added is not.
func (c *Curve) mulFixed(p *gf2m.Point, k *scalar, t *fixedTable) {
	var index, sign [maxWindows]uint8
	t.digits(&index, &sign, k)
	var q gf2m.Affine
	for i := range t.windows {
		c.field.Lookup(&q, t.window(i), int(index[i]))
		q.L[0] ^= uint64(sign[i])
		if i == 0 {
			p.SetAffine(&q)
			continue
		}
		c.field.AddMixed(p, p, &q)
	}
}

// sumKnownVarTime sets sum = s·P + r·q, q the point of t, without doublings.
func (c *Curve) sumKnownVarTime(sum *gf2m.Point, s, r *scalar, t *fixedTable) {
	*sum = gf2m.Point{}
	c.accumulateVarTime(sum, s, c.wideTable())
	c.accumulateVarTime(sum, r, t)
}

func (c *Curve) accumulateVarTime(sum *gf2m.Point, k *scalar, t *fixedTable) {
	var index, sign [maxWindows]uint8
	var odd scalar
	negated := uint8(c.n.odd(&odd, k)) // k·q = −(n−k)·q
	t.digits(&index, &sign, &odd)
	var q gf2m.Affine
	var other gf2m.Point
	cur, next := sum, &other
	w := c.field.Words()
	for i := range t.windows {
		entry := t.window(i)[int(index[i])*2*w:]
		copy(q.X[:w], entry[:w])
		copy(q.L[:w], entry[w:2*w])
		q.L[0] ^= uint64(sign[i] ^ negated)
		c.addVarTime(next, cur, &q)
		cur, next = next, cur
	}
	if cur != sum {
		*sum = *cur
	}
}

// signTable returns the table of P for signing.
func (c *Curve) signTable() *fixedTable {
	c.signOnce.Do(func() { c.sign = c.newFixedTable(&c.base, signWidth) })
	return c.sign
}

// wideTable returns the table of P for verification with a known key.
func (c *Curve) wideTable() *fixedTable {
	c.wideOnce.Do(func() { c.wide = c.newFixedTable(&c.base, wideWidth) })
	return c.wide
}
