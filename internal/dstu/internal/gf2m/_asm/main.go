// Command asm writes ../gf2m_amd64.s and ../stubs_amd64.go: fields and point formulas with carry-less multiplication.
// Pointers are to the first word of an Element, Point or Affine.
// Run it by `go generate` in the package above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementSize is the size of an Element in bytes; a Point is X, L, Z and an Affine X, L.
const elementSize = 56

// A value is an element in registers: two words each, the last may be half used (its high half is zero then).
type value []reg.VecVirtual

// A field knows how to multiply. Elements in memory are operand.Mem at their first word; words that the field does not
// have are zero.
type field interface {
	name() string
	a() int // the coefficient of its curve
	load(m operand.Mem) value
	store(v value, m operand.Mem)
	// storeTemp stores where nobody but this field looks.
	storeTemp(v value, m operand.Mem)
	mul(x, y operand.Mem) value
	sqr(x value) value
	// mulWide, sqrWide and reduce are the parts of mul and sqr.
	mulWide(x, y operand.Mem) value
	sqrWide(x value) value
	reduce(x value) value
	tempSize() int
}

func main() {
	ConstraintExpr("!purego")
	cpuid()
	for _, f := range []field{
		&m257{one: constant("one", 1, 0)},
		&m431{low47: constant("low47", 1<<47-1, 0), fold: constant("fold431", 0x2b<<17, 0)},
	} {
		mul(f)
		sqr(f)
		sqrN(f)
		double(f)
		addMixed(f)
		doubleAddMixed(f)
	}
	lookup257()
	lookup431()
	Generate()
}

func element(param string) operand.Mem { return operand.Mem{Base: Load(Param(param), GP64())} }

func add(x, y value) value {
	z := make(value, len(x))
	for i := range x {
		z[i] = XMM()
		VPXOR(x[i], y[i], z[i])
	}
	return z
}

// storeWide stores an unreduced product, addWide adds a stored one to another. Sums of products are reduced once.
func storeWide(v value, m operand.Mem) {
	for i, r := range v {
		VMOVDQU(r, m.Offset(16*i))
	}
}

func addWide(v value, m operand.Mem) value {
	for i, r := range v {
		VPXOR(m.Offset(16*i), r, r)
	}
	return v
}

func mul(f field) {
	TEXT("mul"+f.name(), NOSPLIT, "func(z, x, y *uint64)")
	Pragma("noescape")
	Doc("mul" + f.name() + " sets z = x·y. All may be the same.")
	f.store(f.mul(element("x"), element("y")), element("z"))
	RET()
}

func sqr(f field) {
	TEXT("sqr"+f.name(), NOSPLIT, "func(z, x *uint64)")
	Pragma("noescape")
	Doc("sqr" + f.name() + " sets z = x². They may be the same.")
	f.store(f.sqr(f.load(element("x"))), element("z"))
	RET()
}

func sqrN(f field) {
	TEXT("sqrN"+f.name(), NOSPLIT, "func(z, x *uint64, n int)")
	Pragma("noescape")
	Doc("sqrN" + f.name() + " sets z = x^(2^n), n ≥ 0. They may be the same.")
	v := f.load(element("x"))
	n := Load(Param("n"), GP64())
	Label("loop")
	TESTQ(n, n)
	JZ(operand.LabelRef("done"))
	w := f.sqr(v)
	for i := range v {
		VMOVDQA(w[i], v[i])
	}
	DECQ(n)
	JMP(operand.LabelRef("loop"))
	Label("done")
	f.store(v, element("z"))
	RET()
}

// A point gives the three coordinates at a pointer.
func point(param string) (x, l, z operand.Mem) {
	m := element(param)
	return m, m.Offset(elementSize), m.Offset(2 * elementSize)
}

// wideSize is the size of a stored unreduced product.
const wideSize = 7 * 16

// temps allocates temporary elements on the stack.
func temps(f field, n int) []operand.Mem {
	m := AllocLocal(n * f.tempSize())
	t := make([]operand.Mem, n)
	for i := range t {
		t[i] = m.Offset(i * f.tempSize())
	}
	return t
}

func double(f field) {
	TEXT("double"+f.name(), NOSPLIT, "func(p, q *uint64, n int)")
	Pragma("noescape")
	Doc("double" + f.name() + " sets p = 2^n·q, n ≥ 1. They may be the same.")
	px, pl, pz := point("p")
	x, l, z := point("q")
	n := Load(Param("n"), GP64())
	t := temps(f, 3)
	lz, zz, tt := t[0], t[1], t[2]
	wide := AllocLocal(wideSize)

	Label("loop")
	vz := f.sqr(f.load(z))
	f.storeTemp(vz, zz)
	v := f.sqr(f.load(l))
	if f.a() == 1 {
		v = add(v, f.load(zz))
	}
	f.storeTemp(v, tt)
	v = f.mul(l, z)
	f.storeTemp(v, lz)
	v = add(v, f.load(tt))
	f.storeTemp(v, tt)                                       // T = L² + LZ + aZ²
	storeWide(f.sqrWide(add(f.mul(x, z), f.load(tt))), wide) // (XZ + T)²
	f.store(f.sqr(f.load(tt)), px)                           // X' = T²
	f.store(f.mul(tt, zz), pz)                               // Z' = TZ²
	v = f.reduce(addWide(f.mulWide(tt, lz), wide))
	f.store(add(v, f.load(pz)), pl) // L' = TLZ + (XZ + T)² + Z'
	// Further doublings are of p.
	MOVQ(px.Base, x.Base)
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	RET()
}

func addMixed(f field) {
	TEXT("addMixed"+f.name(), NOSPLIT, "func(p, q, r *uint64)")
	Pragma("noescape")
	Doc("addMixed" + f.name() + " is AddMixed.")
	px, pl, pz := point("p")
	x, l, z := point("q")
	rx, rl, _ := point("r")
	t := temps(f, 5)
	a, b, xz, ax, u := t[0], t[1], t[2], t[3], t[4]
	wide := AllocLocal(wideSize)

	v := add(f.mul(rl, z), f.load(l))
	f.storeTemp(v, a) // A = L + λZ
	v = f.mul(rx, z)
	f.storeTemp(v, xz)
	f.storeTemp(f.sqr(add(v, f.load(x))), b) // B = (X + xZ)²
	f.storeTemp(f.mul(a, xz), ax)            // AxZ
	f.storeTemp(f.mul(a, x), u)              // AX
	f.storeTemp(add(f.load(l), f.load(z)), xz)
	f.storeTemp(f.mul(a, b), a) // AB
	f.store(f.mul(u, ax), px)   // X' = AxZ·AX
	storeWide(f.sqrWide(add(f.load(b), f.load(ax))), wide)
	f.store(f.mul(a, z), pz)                               // Z' = ABZ
	f.store(f.reduce(addWide(f.mulWide(a, xz), wide)), pl) // L' = (AxZ + B)² + AB(L + Z)
	RET()
}

func doubleAddMixed(f field) {
	TEXT("doubleAddMixed"+f.name(), NOSPLIT, "func(p, q, r *uint64)")
	Pragma("noescape")
	Doc("doubleAddMixed" + f.name() + " is DoubleAddMixed.")
	px, pl, pz := point("p")
	x, l, z := point("q")
	rx, rl, _ := point("r")
	t := temps(f, 6)
	zz, tt, aa, b, u, ll := t[0], t[1], t[2], t[3], t[4], t[5]
	wide := AllocLocal(wideSize)

	f.storeTemp(f.sqr(f.load(z)), zz)
	v := f.sqr(f.load(l))
	if f.a() == 0 {
		f.storeTemp(v, ll)
		f.storeTemp(add(v, f.load(zz)), aa)
	} else {
		f.storeTemp(v, aa)
		f.storeTemp(add(v, f.load(zz)), ll)
	}
	f.storeTemp(add(f.mul(l, z), f.load(ll)), tt)   // T = L² + LZ + aZ²
	f.storeTemp(add(f.mul(rl, zz), f.load(aa)), aa) // L² + (a + 1 + λ)Z²
	storeWide(f.mulWide(aa, tt), wide)
	f.storeTemp(f.sqr(f.load(x)), u)
	f.storeTemp(f.reduce(addWide(f.mulWide(u, zz), wide)), aa) // A = X²Z² + T(L² + (a + 1 + λ)Z²)
	v = f.mul(rx, zz)
	f.storeTemp(v, u)                         // xZ²
	f.storeTemp(f.sqr(add(v, f.load(tt))), b) // B = (xZ² + T)²
	f.storeTemp(f.sqr(f.load(aa)), ll)
	f.store(f.mul(u, ll), px) // X' = xZ²A²
	f.storeTemp(f.mul(aa, b), u)
	f.storeTemp(f.sqr(add(f.load(aa), f.load(b))), aa)
	v = f.mul(u, zz)
	f.storeTemp(v, u)
	f.store(v, pz) // Z' = ABZ²
	storeWide(f.mulWide(rl, u), wide)
	v = f.reduce(addWide(f.mulWide(aa, tt), wide))
	f.store(add(v, f.load(u)), pl) // L' = T(A + B)² + (λ + 1)Z'
	RET()
}

// cpuid says whether this machine has what the rest needs.
func cpuid() {
	TEXT("hasCarrylessMultiply", NOSPLIT, "func() bool")
	Doc("hasCarrylessMultiply reports whether the processor has PCLMULQDQ and AVX, and the system saves its registers.")
	MOVL(operand.U32(1), reg.EAX)
	XORL(reg.ECX, reg.ECX)
	CPUID()
	// PCLMULQDQ is bit 1, OSXSAVE 27, AVX 28.
	const want = 1<<1 | 1<<27 | 1<<28
	ANDL(operand.U32(want), reg.ECX)
	CMPL(reg.ECX, operand.U32(want))
	JNE(operand.LabelRef("no"))
	XORL(reg.ECX, reg.ECX)
	XGETBV()
	ANDL(operand.U32(6), reg.EAX)
	CMPL(reg.EAX, operand.U32(6))
	JNE(operand.LabelRef("no"))
	yes, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	MOVB(operand.U8(1), yes.Addr)
	RET()
	Label("no")
	MOVB(operand.U8(0), yes.Addr)
	RET()
}

// constant is a 16-byte constant in memory.
func constant(name string, lo, hi uint64) operand.Mem {
	m := GLOBL(name, RODATA|NOPTR)
	DATA(0, operand.U64(lo))
	DATA(8, operand.U64(hi))
	return m
}

func clmul(x, y reg.VecVirtual, imm uint8) reg.VecVirtual {
	z := XMM()
	VPCLMULQDQ(operand.U8(imm), y, x, z)
	return z
}

func xor(x reg.VecVirtual, more ...reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPXOR(x, more[0], z)
	for _, y := range more[1:] {
		VPXOR(y, z, z)
	}
	return z
}

func shl(x reg.VecVirtual, n uint8) reg.VecVirtual {
	z := XMM()
	VPSLLQ(operand.U8(n), x, z)
	return z
}

func shr(x reg.VecVirtual, n uint8) reg.VecVirtual {
	z := XMM()
	VPSRLQ(operand.U8(n), x, z)
	return z
}

// middle is [high word of x, low word of y].
func middle(x, y reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPALIGNR(operand.U8(8), x, y, z)
	return z
}

// up is [0, low word of x], down is [high word of x, 0].
func up(x reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPSLLDQ(operand.U8(8), x, z)
	return z
}

func down(x reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPSRLDQ(operand.U8(8), x, z)
	return z
}

// folded has x's low + high word in both halves.
func folded(x reg.VecVirtual) reg.VecVirtual {
	z := XMM()
	VPSHUFD(operand.U8(0x4e), x, z)
	VPXOR(x, z, z)
	return z
}
