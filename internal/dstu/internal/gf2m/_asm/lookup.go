package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lookup257 reads a whole table of n points of two times four words and keeps the one at index: every point is masked
// and added up. (The instructions on 256 bits are those of floating point, which AVX has already.)
func lookup257() {
	TEXT("lookup257", NOSPLIT, "func(p, points *uint64, n, index int)")
	Pragma("noescape")
	Doc("lookup257 is Lookup in n ≥ 1 points, without their highest words.")
	p := element("p")
	points := element("points")
	n := Load(Param("n"), GP64())
	want, count, one := counters()
	x, l := YMM(), YMM()
	VXORPD(x, x, x)
	VXORPD(l, l, l)
	Label("loop")
	hit := YMM()
	VPCMPEQQ(want, count, hit.AsX())
	VPADDQ(one, count, count)
	VINSERTF128(operand.U8(1), hit.AsX(), hit, hit)
	for i, sum := range []reg.VecVirtual{x, l} {
		v := YMM()
		VANDPD(points.Offset(32*i), hit, v)
		VXORPD(v, sum, sum)
	}
	ADDQ(operand.U32(64), points.Base)
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	VMOVUPD(x, p)
	VMOVUPD(l, p.Offset(elementSize))
	VZEROUPPER()
	RET()
}

// lookup431 does the same with points of two times seven words.
func lookup431() {
	const words = 7
	TEXT("lookup431", NOSPLIT, "func(p, points *uint64, n, index int)")
	Pragma("noescape")
	Doc("lookup431 is Lookup in n ≥ 1 points.")
	p := element("p")
	points := element("points")
	n := Load(Param("n"), GP64())
	want, count, one := counters()
	sums := make([]reg.VecVirtual, words)
	for i := range sums {
		sums[i] = XMM()
		VPXOR(sums[i], sums[i], sums[i])
	}
	Label("loop")
	hit := XMM()
	VPCMPEQQ(want, count, hit)
	VPADDQ(one, count, count)
	for i := range sums {
		v := XMM()
		VPAND(points.Offset(16*i), hit, v)
		VPXOR(v, sums[i], sums[i])
	}
	ADDQ(operand.U32(16*words), points.Base)
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	// The word in the middle belongs to x, the next one to λ.
	const half = words / 2
	for i := range half {
		VMOVDQU(sums[i], p.Offset(16*i))
		VMOVDQU(sums[half+1+i], p.Offset(elementSize+8+16*i))
	}
	VMOVQ(sums[half], p.Offset(16*half))
	VMOVHPD(sums[half], p.Offset(elementSize))
	RET()
}

// counters are, twice each, the parameter index, zero and one.
func counters() (want, count, one reg.VecVirtual) {
	want, count, one = XMM(), XMM(), XMM()
	index, err := Param("index").Resolve()
	if err != nil {
		panic(err)
	}
	VMOVDDUP(index.Addr, want)
	VPXOR(count, count, count)
	VPCMPEQD(one, one, one)
	VPSRLQ(operand.U8(63), one, one)
	return want, count, one
}
