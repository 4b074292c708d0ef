package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lookup reads a whole table of n entries of 2·words words, words odd, x then λ, and keeps the one at index: every
// entry is masked and added up.
func lookup(f field, words int) {
	TEXT("lookup"+f.name(), NOSPLIT, "func(p, table *uint64, n, index int)")
	Pragma("noescape")
	Doc("lookup" + f.name() + " is Lookup in a table of n ≥ 1 entries.")
	p := element("p")
	table := element("table")
	n := Load(Param("n"), GP64())
	want, count, one := XMM(), XMM(), XMM()
	index, err := Param("index").Resolve()
	if err != nil {
		panic(err)
	}
	VMOVDDUP(index.Addr, want)
	VPXOR(count, count, count)
	VPCMPEQD(one, one, one)
	VPSRLQ(operand.U8(63), one, one)
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
		VPAND(table.Offset(16*i), hit, v)
		VPXOR(v, sums[i], sums[i])
	}
	ADDQ(operand.U32(uint32(16*words)), table.Base)
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	// The word in the middle belongs to x, the next one to λ.
	half := words / 2
	for i := range half {
		VMOVDQU(sums[i], p.Offset(16*i))
		VMOVDQU(sums[half+1+i], p.Offset(elementSize+8+16*i))
	}
	VMOVQ(sums[half], p.Offset(16*half))
	VMOVHPD(sums[half], p.Offset(elementSize))
	if words < 7 {
		zero := GP64()
		XORQ(zero, zero)
		for w := words; w < 7; w++ {
			MOVQ(zero, p.Offset(8*w))
			MOVQ(zero, p.Offset(elementSize+8*w))
		}
	}
	RET()
}
