//go:build !purego

package gf2m

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns a T that ends where the next page cannot be touched (atEnd) or begins where the one before cannot.
func guarded[T any](t *testing.T, atEnd bool) *T {
	t.Helper()
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(m) })
	for _, at := range []int{0, 2 * page} {
		if err := syscall.Mprotect(m[at:at+page], syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	at := page
	if atEnd {
		at = 2*page - int(unsafe.Sizeof(*new(T)))
	}
	return (*T)(unsafe.Pointer(&m[at]))
}

// The routines touch nothing outside their operands.
func TestGuardPages(t *testing.T) {
	fast, _ := assembled(t)
	for _, f := range fast {
		r := rand.New(rand.NewPCG(1, uint64(f.m)))
		for _, atEnd := range []bool{false, true} {
			x, y, z := guarded[Element](t, atEnd), guarded[Element](t, atEnd), guarded[Element](t, atEnd)
			p, q, a := guarded[Point](t, atEnd), guarded[Point](t, atEnd), guarded[Affine](t, atEnd)
			*x, *y = *random(f, r), *random(f, r)
			*q, *a = Point{*x, *y, *x}, Affine{*y, *x}
			f.Mul(z, x, y)
			f.Sqr(z, x)
			f.SqrN(z, x, 3)
			f.Double(p, q, f.curveA(), 2)
			f.AddMixed(p, q, a)
			f.DoubleAddMixed(p, q, a, f.curveA())
			points := guarded[[4 * 2 * MaxWords]uint64](t, atEnd)
			part := points[:4*f.tableWords()]
			if atEnd {
				part = points[len(points)-len(part):]
			}
			f.lookupAsm(a, part, 3)
		}
	}
}
