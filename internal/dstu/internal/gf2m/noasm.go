package gf2m

// haveAsm says whether some fields have routines of their own for this machine. None has yet.
const haveAsm = false

func (f *Field) mulAsm(z, x, y *Element)      { f.mulGeneric(z, x, y) }
func (f *Field) sqrAsm(z, x *Element)         { f.sqrGeneric(z, x) }
func (f *Field) sqrNAsm(z, x *Element, n int) { panic("gf2m: internal error: no assembler") }
