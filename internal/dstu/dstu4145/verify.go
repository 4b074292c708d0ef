package dstu4145

import (
	"errors"

	"brama/internal/dstu/internal/gf2m"
)

var (
	// ErrSignatureSize refuses a signature that has not exactly SignatureSize bytes.
	ErrSignatureSize = errors.New("dstu4145: invalid signature size")
	// ErrSignatureRange refuses r or s that is zero, or n or more.
	ErrSignatureRange = errors.New("dstu4145: signature value out of range")
	// ErrSignatureInfinity refuses a signature for which sP + rQ = O, which has no x to compare.
	ErrSignatureInfinity = errors.New("dstu4145: signature leads to the point at infinity")
	// ErrSignature refuses a signature that was not made by this key over this digest.
	ErrSignature = errors.New("dstu4145: invalid signature")
)

// Verify reports whether sig (r || s, each little-endian and half of SignatureSize bytes) is a signature of digest by
// k (ДСТУ 4145-2002, clause 13). Variable time.
func (k *PublicKey) Verify(digest, sig []byte) bool { return k.VerifyVarTime(digest, sig) == nil }

// VerifyVarTime is Verify with a reason: nil, ErrSignatureSize, ErrSignatureRange, ErrSignatureInfinity or ErrSignature.
// digest is what the hash gave, of any length, read as a little-endian integer and cut to m bits. It takes variable time.
func (k *PublicKey) VerifyVarTime(digest, sig []byte) error {
	c := k.curve
	if len(sig) != c.SignatureSize() {
		return ErrSignatureSize
	}
	var r, s scalar
	half := c.n.bytes
	if !c.n.setBytes(&r, sig[:half]) || !c.n.setBytes(&s, sig[half:]) || c.n.inRange(&r)&c.n.inRange(&s) == 0 {
		return ErrSignatureRange
	}
	var h gf2m.Element
	c.hashElement(&h, digest)

	// R = sP + rQ
	var sum gf2m.Point
	switch {
	case k.windows != nil:
		c.sumKnownVarTime(&sum, &s, &r, k.windows, &k.point)
	case splits && k.split != nil:
		c.mulSplitVarTime(&sum, &r, k.split)
		c.accumulateVarTime(&sum, &s, c.wideTable())
	default:
		c.sumVarTime(&sum, &s, &r, &k.point)
	}
	// Before any comparison: with Z = 0 the next one reads 0 = 0.
	if sum.Z.IsZero() == 1 {
		return ErrSignatureInfinity
	}
	if !c.matches(&h, &sum, &r) {
		return ErrSignature
	}
	return nil
}

// hashElement sets h to digest as a field element: little-endian, cut to m bits, one if that is zero (clause 5.9).
func (c *Curve) hashElement(h *gf2m.Element, digest []byte) {
	c.field.SetBytesCut(h, digest)
	h[0] |= uint64(h.IsZero())
}

// matches reports whether h·x(R), cut to bitlen(n)−1 bits, is r, for R other than O. It does not divide: h·X must be
// (r + e)·Z for one of the values e of the bits that are cut off, of which there are one or two.
func (c *Curve) matches(h *gf2m.Element, sum *gf2m.Point, r *scalar) bool {
	f := c.public
	kept := c.n.bits - 1
	if r[kept/64]>>(kept%64) != 0 {
		return false
	}
	var left, right, top, step gf2m.Element
	f.Mul(&left, h, &sum.X)
	re := gf2m.Element(*r)
	f.Mul(&right, &re, &sum.Z)
	left.Add(&left, &right) // what e·Z must be
	if left.IsZero() == 1 {
		return true
	}
	top[kept/64] = 1 << (kept % 64)
	f.Mul(&step, &top, &sum.Z)
	if left == step {
		return true
	}
	if f.Bits()-kept < 2 {
		return false
	}
	top = gf2m.Element{}
	top[(kept+1)/64] = 1 << ((kept + 1) % 64)
	f.Mul(&right, &top, &sum.Z)
	if left == right {
		return true
	}
	right.Add(&right, &step)
	return left == right
}

const (
	keyWidth  = 5 // width of the recoding of r: 8 points of the key
	baseWidth = 10
	maxDigits = 64*gf2m.MaxWords + 1
)

// sumVarTime sets sum = s·P + r·q by interleaved signed sliding windows (Shamir, wNAF).
func (c *Curve) sumVarTime(sum *gf2m.Point, s, r *scalar, q *gf2m.Affine) {
	f := c.public
	baseTable := c.baseTable()
	var keyTable [1 << (keyWidth - 2)]gf2m.Affine
	c.oddMultiples(keyTable[:], q)

	var sd, rd [maxDigits]int16
	i := max(recode(&sd, s, baseWidth), recode(&rd, r, keyWidth)) - 1

	// Two points, since a step that turns out to be an exceptional case is done again from where it began.
	var pair [2]gf2m.Point
	cur, next := &pair[0], &pair[1]
	var q1, q2 gf2m.Affine
	for ; i >= 0; i-- {
		switch {
		case sd[i] == 0 && rd[i] == 0:
			n := 1
			for ; i > 0 && sd[i-1] == 0 && rd[i-1] == 0; i-- {
				n++
			}
			f.Double(next, cur, c.a, n)
		case sd[i] == 0 || rd[i] == 0:
			if rd[i] != 0 {
				pick(&q1, keyTable[:], rd[i])
			} else {
				pick(&q1, baseTable, sd[i])
			}
			c.doubleAdd(next, cur, &q1)
		default:
			pick(&q1, keyTable[:], rd[i])
			pick(&q2, baseTable, sd[i])
			c.doubleAdd(next, cur, &q1)
			cur, next = next, cur
			c.addVarTime(next, cur, &q2)
		}
		cur, next = next, cur
	}
	*sum = *cur
}

// oddMultiples sets t[i] = (2i+1)·q, for 2^(keyWidth−2) or 2^(baseWidth−2) points.
func (c *Curve) oddMultiples(t []gf2m.Affine, q *gf2m.Affine) {
	const most = 1 << (baseWidth - 2)
	if len(t) > 1<<(keyWidth-2) {
		multiples, scratch := make([]gf2m.Point, 2*most), make([]gf2m.Element, 2*most)
		c.multiples(t, q, multiples, scratch)
		return
	}
	var multiples [1 << (keyWidth - 1)]gf2m.Point
	var scratch [1 << (keyWidth - 1)]gf2m.Element
	c.multiples(t, q, multiples[:], scratch[:])
}

// multiples is oddMultiples with room for twice as many points: k·q is 2·(k/2·q), plus q where k is odd.
func (c *Curve) multiples(t []gf2m.Affine, q *gf2m.Affine, m []gf2m.Point, scratch []gf2m.Element) {
	f := c.public
	n := len(t)
	m[1].SetAffine(q)
	for k := 2; k < 2*n; k++ {
		if k%2 == 0 {
			if k <= n {
				f.Double(&m[k], &m[k/2], c.a, 1)
			}
			continue
		}
		f.DoubleAddMixed(&m[k], &m[k/2], q, c.a)
	}
	for k := 3; k < 2*n; k += 2 {
		m[k/2] = m[k] // the place of a multiple that is done with
	}
	t[0] = *q
	c.affineAll(t[1:], m[1:n], scratch)
}

// pick sets p to the digit's multiple: table[|d|/2], negated if d is negative.
func pick(p *gf2m.Affine, table []gf2m.Affine, d int16) {
	if d > 0 {
		*p = table[d>>1]
		return
	}
	*p = table[-d>>1]
	p.L[0] ^= 1 // −(x, λ) = (x, λ + 1)
}

// doubleAdd sets p = 2q + r whatever the points are; p and q are distinct.
func (c *Curve) doubleAdd(p, q *gf2m.Point, r *gf2m.Affine) {
	if q.Z.IsZero() == 1 { // as it is at the first digit: 2·O + r
		p.SetAffine(r)
		return
	}
	c.public.DoubleAddMixed(p, q, r, c.a)
	if p.Z.IsZero() == 1 {
		var d gf2m.Point
		c.public.Double(&d, q, c.a, 1)
		c.addVarTime(p, &d, r)
	}
}

// addVarTime sets p = q + r whatever the points are; p and q are distinct.
func (c *Curve) addVarTime(p, q *gf2m.Point, r *gf2m.Affine) {
	f := c.public
	if q.Z.IsZero() == 1 {
		p.SetAffine(r)
		return
	}
	f.AddMixed(p, q, r)
	if p.Z.IsZero() == 0 {
		return
	}
	// q is r or −r; of two points with one λ and different x the sum would be of order two, which the key check
	// excludes.
	var x, l gf2m.Element
	f.Mul(&x, &r.X, &q.Z)
	f.Mul(&l, &r.L, &q.Z)
	if x == q.X && l == q.L {
		f.Double(p, q, c.a, 1)
		return
	}
	*p = gf2m.Point{}
}

// recode writes k as Σ d[i]·2^i with digits that are zero or odd and below 2^(width−1) in magnitude, at least width−1
// zeros after each. It returns the number of digits. Variable time.
func recode(d *[maxDigits]int16, k *scalar, width uint) int {
	carry := uint64(0)
	length := 0
	for i := uint(0); i < maxDigits-1; {
		if k[i/64]>>(i%64)&1 == carry {
			i++
			continue
		}
		v := k[i/64] >> (i % 64)
		if i%64 > 64-width && i/64+1 < gf2m.MaxWords {
			v |= k[i/64+1] << (64 - i%64)
		}
		v = v&(1<<width-1) + carry
		carry = v >> (width - 1) & 1
		d[i] = int16(v) - int16(carry<<width)
		length = int(i) + 1
		i += width
	}
	return length
}

// baseTable returns the odd multiples of P.
func (c *Curve) baseTable() []gf2m.Affine {
	c.verifyOnce.Do(func() {
		t := make([]gf2m.Affine, 1<<(baseWidth-2))
		c.oddMultiples(t, &c.base)
		c.verifyTable = t
	})
	return c.verifyTable
}
