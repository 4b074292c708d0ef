//go:build !amd64 || purego

package gf2m

// haveAsm says that there are no routines for this machine; nothing below is ever called.
const haveAsm = false

func (f *Field) mulAsm(z, x, y *Element)                         {}
func (f *Field) lookupAsm(p *Affine, points []uint64, index int) {}
func (f *Field) sqrAsm(z, x *Element)                            {}
func (f *Field) sqrNAsm(z, x *Element, n int)                    {}
func (f *Field) curveAsm(a int) bool                             { return false }
func (f *Field) doubleAsm(p, q *Point, n int)                    {}
func (f *Field) addMixedAsm(p, q *Point, r *Affine)              {}
func (f *Field) doubleAddMixedAsm(p, q *Point, r *Affine)        {}
