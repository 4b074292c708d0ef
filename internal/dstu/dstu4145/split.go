package dstu4145

import (
	"runtime"

	"brama/internal/dstu/internal/gf2m"
)

// splits says whether there are keys with small tables at all: the browser program meets nobody twice.
const splits = runtime.GOARCH != "wasm"

// splitRows is the number of parts that a number is cut into for a multiplication by a splitTable.
const splitRows = 8

// A splitTable holds, for each of splitRows parts of a number, the odd multiples of 2^(step·part)·q: all parts are multiplied
// with the doublings of one.
type splitTable struct {
	points *gf2m.Table // 2^(keyWidth−2) of a part
	step   int
}

// PrecomputeSmall returns a key with small tables for the key of a person who comes again: 4 KiB (M257) to 9 KiB (M431) and
// the time of a verification, for verifications of about a third of the time. A key with tables is returned itself, and so
// is one on a field whose inversions are cheap, where only the large tables are of use. k is not changed.
func (k *PublicKey) PrecomputeSmall() *PublicKey {
	if !splits || k.windows != nil || k.split != nil || k.curve.field.CheapInversion() {
		return k
	}
	p := *k
	p.split = k.curve.newSplitTable(&k.point)
	return &p
}

// newSplitTable makes the table of q. Variable time: q is public.
func (c *Curve) newSplitTable(q *gf2m.Affine) *splitTable {
	const entries = 1 << (keyWidth - 2)
	f := c.public
	t := &splitTable{points: f.NewTable(splitRows * entries), step: (c.n.bits + splitRows) / splitRows} // a digit more than bits
	var row [entries]gf2m.Affine
	start := *q
	for i := range splitRows {
		if i > 0 {
			var p gf2m.Point
			p.SetAffine(&start)
			f.Double(&p, &p, c.a, t.step)
			c.affine(&start, &p)
		}
		c.oddMultiples(row[:], &start)
		for j := range row {
			f.Store(t.points, i*entries+j, &row[j])
		}
	}
	return t
}

// mulSplitVarTime sets p = k·q, q the point of t.
func (c *Curve) mulSplitVarTime(p *gf2m.Point, k *scalar, t *splitTable) {
	const entries = 1 << (keyWidth - 2)
	var d [maxDigits]int16
	recode(&d, k, keyWidth)
	var pair [2]gf2m.Point
	cur, next := &pair[0], &pair[1]
	var q gf2m.Affine
	for i := t.step - 1; i >= 0; i-- {
		doubled := i == t.step-1 // O is
		for row := range splitRows {
			digit := d[row*t.step+i]
			if digit == 0 {
				continue
			}
			negated := uint64(0)
			if digit < 0 {
				digit, negated = -digit, 1
			}
			c.public.LoadVarTime(&q, t.points, row*entries+int(digit>>1))
			q.L[0] ^= negated
			if doubled {
				c.addVarTime(next, cur, &q)
			} else {
				c.doubleAdd(next, cur, &q)
				doubled = true
			}
			cur, next = next, cur
		}
		if !doubled {
			c.public.Double(cur, cur, c.a, 1)
		}
	}
	*p = *cur
}
