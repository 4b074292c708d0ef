// Package gf2m is arithmetic in the binary fields GF(2^m) of ДСТУ 4145-2002 in polynomial basis, and the point formulas
// in λ-coordinates that are built on it (they live here because on some machines each is one routine).
//
// It does not own curves, scalars, encodings of points or the question whether a point is valid: see package dstu4145.
//
// All arithmetic takes constant time: no branch and no memory index depends on the value of an element. What varies with
// values has VarTime in its name.
package gf2m

// MaxWords is the number of 64-bit words of an element of the largest field (m = 431).
const MaxWords = 7

// An Element is a polynomial over GF(2) of degree below m, the coefficient of x^i in bit i%64 of word i/64. Bits from m
// upward are zero. The zero value is zero. Elements are comparable with ==, which is not constant-time; use Equal where
// the value is secret.
type Element [MaxWords]uint64

// A Field is GF(2^m) modulo a trinomial or pentanomial. It is immutable and may be shared.
type Field struct {
	m     int
	words int   // ⌈m/64⌉
	bytes int   // ⌈m/8⌉
	k     []int // exponents of the middle terms, ascending
	shape shape
	asm   bool
	// public says that products may take variable time.
	public bool
	one    Element
	// traces has bit i set where Tr(x^i) = 1.
	traces Element
}

// shape chooses the routines that are written for one polynomial.
type shape uint8

const (
	shapeAny shape = iota
	shape257       // x^257 + x^12 + 1
	shape431       // x^431 + x^5 + x^3 + x + 1
)

// New returns the field of the polynomial x^m + Σ x^k + 1; k has one or three exponents, ascending. It panics where the
// reduction would not work: m must be odd, from 129 to 447, and no exponent may be above m−64. Whether the polynomial is
// irreducible is not checked: only constants come here.
func New(m int, k ...int) *Field {
	if m%2 == 0 || m < 129 || m > 64*MaxWords-1 || len(k) != 1 && len(k) != 3 || k[len(k)-1] > m-64 {
		panic("gf2m: internal error: field polynomial")
	}
	f := &Field{m: m, words: (m + 63) / 64, bytes: (m + 7) / 8, k: k, one: Element{1}}
	switch {
	case m == 257 && len(k) == 1 && k[0] == 12:
		f.shape = shape257
	case m == 431 && len(k) == 3 && k[0] == 1 && k[1] == 3 && k[2] == 5:
		f.shape = shape431
	}
	f.asm = haveAsm && f.shape != shapeAny
	f.initTraces()
	return f
}

// Portable returns f without the routines written for this machine, for tests and measurements.
func (f *Field) Portable() *Field {
	p := *f
	p.asm = false
	return &p
}

// VarTime returns f for public values: where it saves something, multiplications take variable time.
func (f *Field) VarTime() *Field {
	p := *f
	p.public = true
	return &p
}

// Bits is m.
func (f *Field) Bits() int { return f.m }

// Bytes is ⌈m/8⌉, the length of an encoded element.
func (f *Field) Bytes() int { return f.bytes }

// Words is ⌈m/64⌉, the number of words of an element that may be other than zero.
func (f *Field) Words() int { return f.words }

// SetBytes sets z to the element encoded in b, little-endian, exactly Bytes bytes. If b has another length or a bit from
// m upward is set, it returns false and z is unchanged.
func (f *Field) SetBytes(z *Element, b []byte) bool {
	if len(b) != f.bytes || b[f.bytes-1]>>(f.m-8*(f.bytes-1)) != 0 {
		return false
	}
	*z = Element{}
	for i, v := range b {
		z[i/8] |= uint64(v) << (i % 8 * 8)
	}
	return true
}

// SetBytesCut sets z to the low m bits of b, little-endian, of any length.
func (f *Field) SetBytesCut(z *Element, b []byte) {
	*z = Element{}
	for i, v := range b[:min(len(b), f.bytes)] {
		z[i/8] |= uint64(v) << (i % 8 * 8)
	}
	z[f.words-1] &= f.topMask()
}

// AppendBytes appends x to b, little-endian, Bytes bytes.
func (f *Field) AppendBytes(b []byte, x *Element) []byte {
	for i := range f.bytes {
		b = append(b, byte(x[i/8]>>(i%8*8)))
	}
	return b
}

// topMask covers the bits of the highest word that are below m.
func (f *Field) topMask() uint64 { return 1<<(f.m-64*(f.words-1)) - 1 }

// Add sets z = x + y. All may be the same.
func (z *Element) Add(x, y *Element) {
	// Written out: a loop costs WebAssembly more than what it does.
	z[0], z[1], z[2], z[3] = x[0]^y[0], x[1]^y[1], x[2]^y[2], x[3]^y[3]
	z[4], z[5], z[6] = x[4]^y[4], x[5]^y[5], x[6]^y[6]
}

// add3 sets z = x + y + w. All may be the same.
func (z *Element) add3(x, y, w *Element) {
	z[0], z[1], z[2], z[3] = x[0]^y[0]^w[0], x[1]^y[1]^w[1], x[2]^y[2]^w[2], x[3]^y[3]^w[3]
	z[4], z[5], z[6] = x[4]^y[4]^w[4], x[5]^y[5]^w[5], x[6]^y[6]^w[6]
}

// IsZero returns 1 if x is zero, else 0.
func (x *Element) IsZero() int {
	return isZero(x[0] | x[1] | x[2] | x[3] | x[4] | x[5] | x[6])
}

// Equal returns 1 if x and y are the same, else 0.
func (x *Element) Equal(y *Element) int {
	var v uint64
	for i := range x {
		v |= x[i] ^ y[i]
	}
	return isZero(v)
}

// Select sets z to x if cond is 1 and to y if it is 0. All may be the same.
func (z *Element) Select(cond int, x, y *Element) {
	m := -uint64(cond)
	for i := range z {
		z[i] = y[i] ^ m&(x[i]^y[i])
	}
}

func isZero(v uint64) int { return int(1 ^ (v|-v)>>63) }

// Sqr sets z = x². They may be the same.
func (f *Field) Sqr(z, x *Element) {
	switch {
	case f.asm:
		f.sqrAsm(z, x)
	case f.shape == shape257:
		sqr257Generic(z, x)
	default:
		f.sqrGeneric(z, x)
	}
}

// SqrN sets z = x^(2^n), n ≥ 0. They may be the same.
func (f *Field) SqrN(z, x *Element, n int) {
	switch {
	case f.shape == shape257 && (n >= 2*leastPower || n >= leastPower && !f.asm):
		f.sqrNByMaps(z, x, n)
		return
	case f.asm:
		f.sqrNAsm(z, x, n)
		return
	}
	*z = *x
	for range n {
		f.Sqr(z, z)
	}
}

// Inv sets z = 1/x, and zero for zero. They may be the same. (Itoh and Tsujii: x^(2^m − 2), about log m multiplications
// and m−1 squarings.)
func (f *Field) Inv(z, x *Element) {
	// r = x^(2^e − 1), where e runs through the leading bits of m−1.
	base, r, t := *x, *x, Element{}
	e := 1
	for i := topBit(f.m-1) - 1; i >= 0; i-- {
		f.SqrN(&t, &r, e)
		f.Mul(&r, &t, &r)
		e *= 2
		if (f.m-1)>>i&1 == 1 {
			f.Sqr(&t, &r)
			f.Mul(&r, &t, &base)
			e++
		}
	}
	f.Sqr(z, &r)
}

func topBit(n int) int {
	i := 0
	for n > 1 {
		n >>= 1
		i++
	}
	return i
}

// Trace returns Tr(x) = x + x² + x⁴ + … + x^(2^(m−1)), 0 or 1.
func (f *Field) Trace(x *Element) int { return oddBits(x, &f.traces) }

// oddBits returns 1 if x and y have an odd number of bits in common, else 0.
func oddBits(x, y *Element) int {
	var v uint64
	for i := range x {
		v ^= x[i] & y[i]
	}
	v ^= v >> 32
	v ^= v >> 16
	v ^= v >> 8
	v ^= v >> 4
	v ^= v >> 2
	v ^= v >> 1
	return int(v & 1)
}

// initTraces finds the traces of the powers of x, which are the power sums of the polynomial's roots, by Newton's
// identities: p_i = Σ e_j·p_(i−j) + i·e_i, where e_j is the coefficient of x^(m−j).
func (f *Field) initTraces() {
	bit := func(i int) uint64 { return f.traces[i/64] >> (i % 64) & 1 }
	f.traces[0] = 1 // Tr(1) = m mod 2
	for i := 1; i < f.m; i++ {
		var p uint64
		for _, k := range f.k {
			switch j := f.m - k; {
			case j < i:
				p ^= bit(i - j)
			case j == i:
				p ^= uint64(i & 1)
			}
		}
		f.traces[i/64] |= p << (i % 64)
	}
}

// SolveQuadratic sets z to a solution of z² + z = c; the other one is z+1. There is one if Tr(c) = 0, which is the
// caller's to check. (m is odd: the half-trace c + c⁴ + c¹⁶ + … + c^(2^(m−1)) is a solution.) They may be the same.
func (f *Field) SolveQuadratic(z, c *Element) {
	h, c0 := *c, *c
	for range (f.m - 1) / 2 {
		f.SqrN(&h, &h, 2)
		h.Add(&h, &c0)
	}
	*z = h
}
