package dstu4145

import (
	"math/big"
	"testing"

	"brama/internal/dstu/internal/gf2m"
)

// Multiples in constant time agree with the twin at the ends of the range, for digits that are all alike, and where what
// is added last might be what there is already, or its opposite.
func TestMulFixedExtremes(t *testing.T) {
	test := func(t *testing.T, c *Curve) {
		w, table := twinOf(c), c.signTable()
		top := uint(table.width * (table.windows - 1))
		one := big.NewInt(1)
		numbers := []*big.Int{one, big.NewInt(2), new(big.Int).Sub(w.n, one), new(big.Int).Sub(w.n, big.NewInt(2))}
		for d := int64(1); d < 1<<table.width; d += 2 {
			last := new(big.Int).Lsh(big.NewInt(d), top) // the last digit's worth
			// The sum of the others is the same modulo n, or the opposite but for one; and all digits are d.
			numbers = append(numbers, new(big.Int).Lsh(last, 1), new(big.Int).Add(last, one), new(big.Int).Sub(last, one))
			same := new(big.Int)
			for range table.windows {
				same.Add(same.Lsh(same, uint(table.width)), big.NewInt(d))
			}
			numbers = append(numbers, same)
		}
		if testing.Short() {
			numbers = numbers[:40]
		}
		for _, k := range numbers {
			k.Mod(k, w.n)
			var s, odd scalar
			c.n.setBytes(&s, leBytes(k, c.ScalarSize()))
			negated := c.n.odd(&odd, &s)
			var p gf2m.Point
			c.mulFixed(&p, &odd, table)
			if p.Z.IsZero() == 1 {
				t.Fatalf("%x: got O", k)
			}
			var a gf2m.Affine
			c.affine(&a, &p)
			a.L[0] ^= uint64(negated)
			var want gf2m.Point // which has no exceptional cases
			c.sumVarTime(&want, &s, new(scalar), &c.base)
			var b gf2m.Affine
			c.affine(&b, &want)
			if a != b {
				t.Fatalf("%x: got %x, want %x", k, a, b)
			}
			var x, z gf2m.Element
			c.mulFixedX(&x, &z, &odd, table)
			c.field.Mul(&z, &z, &a.X)
			if x != z || z.IsZero() == 1 {
				t.Fatalf("%x: wrong x", k)
			}
		}
	}
	eachCurve(t, test)
	for _, c := range []*Curve{M257(), M431()} {
		t.Run(c.Name()+"/portable", func(t *testing.T) { test(t, portableCurve(c)) })
	}
}
