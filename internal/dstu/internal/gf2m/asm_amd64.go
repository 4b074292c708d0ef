//go:build !purego

package gf2m

//go:generate sh -c "cd _asm && go run . -out ../gf2m_amd64.s -stubs ../stubs_amd64.go -pkg gf2m"

// haveAsm says whether M257 and M431 have routines of their own on this machine.
var haveAsm = hasCarrylessMultiply()

func (f *Field) mulAsm(z, x, y *Element) {
	if f.shape == shape257 {
		mul257(&z[0], &x[0], &y[0])
		return
	}
	mul431(&z[0], &x[0], &y[0])
}

func (f *Field) sqrAsm(z, x *Element) {
	if f.shape == shape257 {
		sqr257(&z[0], &x[0])
		return
	}
	sqr431(&z[0], &x[0])
}

func (f *Field) sqrNAsm(z, x *Element, n int) {
	if f.shape == shape257 {
		sqrN257(&z[0], &x[0], n)
		return
	}
	sqrN431(&z[0], &x[0], n)
}

// curveAsm says whether the formulas of the curve with coefficient a are routines: a is 0 on M257 and 1 on M431.
func (f *Field) curveAsm(a int) bool { return f.asm && a == int(f.shape-shape257) }

func (f *Field) doubleAsm(p, q *Point, n int) {
	if f.shape == shape257 {
		double257(&p.X[0], &q.X[0], n)
		return
	}
	double431(&p.X[0], &q.X[0], n)
}

func (f *Field) addMixedAsm(p, q *Point, r *Affine) {
	if f.shape == shape257 {
		addMixed257(&p.X[0], &q.X[0], &r.X[0])
		return
	}
	addMixed431(&p.X[0], &q.X[0], &r.X[0])
}

func (f *Field) doubleAddMixedAsm(p, q *Point, r *Affine) {
	if f.shape == shape257 {
		doubleAddMixed257(&p.X[0], &q.X[0], &r.X[0])
		return
	}
	doubleAddMixed431(&p.X[0], &q.X[0], &r.X[0])
}

func (f *Field) lookupAsm(p *Affine, points []uint64, index int) {
	if f.shape == shape257 {
		lookup257(&p.X[0], &points[0], len(points)/8, index)
		return
	}
	lookup431(&p.X[0], &points[0], len(points)/14, index)
}
