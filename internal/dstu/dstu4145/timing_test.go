//go:build timing

package dstu4145

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brama/internal/dstu/internal/gf2m"
)

// TestTiming looks for a dependence of time on secrets, in the manner of dudect (Reparaz, Balasch, Verbauwhede, "Dude, is
// my code constant time?", 2017): one input that is always the same against random ones, mixed at random, and Welch's
// t-test on the times. It is kept out of CI, because a busy machine makes it fail: run it alone, by
//
//	go test -tags timing -run TestTiming -v ./internal/dstu/dstu4145
//
// |t| above 10 is a leak for certain, above 4.5 a reason to look again. The last case is variable-time and must be found,
// which shows that the test can see.
func TestTiming(t *testing.T) {
	for _, c := range []*Curve{M257(), M431(), portableCurve(M257()), portableCurve(M431())} {
		k, err := GenerateKey(c, newRand(1))
		if err != nil {
			t.Fatal(err)
		}
		h := gf2m.Element{7}
		sparse := scalar{3}
		sparse[c.n.words-1] = 1

		leak(t, c.Name()+" nonce", 10, c, sparse, func(e *scalar) { k.signWith(&h, e) })
		leak(t, c.Name()+" private key, in the product", 10, c, sparse, func(d *scalar) {
			var z scalar
			for range 20 {
				c.n.mul(&z, d, &k.d)
				c.n.add(&z, &z, d)
			}
		})
		leak(t, c.Name()+" public key from private", 10, c, sparse, func(d *scalar) {
			var odd scalar
			var p gf2m.Point
			c.n.odd(&odd, d)
			c.mulFixed(&p, &odd, c.signTable())
		})
		zero := scalar{}
		leak(t, c.Name()+" variable-time sum (must be found)", math.Inf(1), c, sparse, func(s *scalar) {
			var p gf2m.Point
			c.sumVarTime(&p, s, &zero, &k.pub.point)
		})
	}
}

// leak measures run with the fixed scalar and with random ones, and fails if |t| is above limit; with an infinite limit
// it fails if |t| is below 10.
func leak(t *testing.T, name string, limit float64, c *Curve, fixed scalar, run func(*scalar)) {
	t.Helper()
	const n = 30000
	r := rand.New(newRand(2))
	inputs := make([]scalar, n)
	class := make([]bool, n)
	for i := range inputs {
		class[i] = r.IntN(2) == 0
		if inputs[i] = fixed; class[i] {
			for c.n.inRange(&inputs[i]) == 0 || inputs[i] == fixed {
				for j := range c.n.words {
					inputs[i][j] = r.Uint64()
				}
				inputs[i][c.n.words-1] >>= (64 - c.n.bits%64) % 64
			}
		}
	}
	times := make([]float64, n)
	for i := range inputs {
		x := inputs[i]
		start := time.Now()
		run(&x)
		times[i] = float64(time.Since(start))
	}
	// The slow tail is the machine's. Cut at several places, as dudect does, and take the worst.
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	worst := 0.0
	for _, keep := range []float64{0.5, 0.7, 0.9, 0.97} {
		cut := sorted[int(keep*n)]
		var count, mean, m2 [2]float64
		for i, v := range times {
			if v > cut {
				continue
			}
			j := 0
			if class[i] {
				j = 1
			}
			count[j]++
			d := v - mean[j]
			mean[j] += d / count[j]
			m2[j] += d * (v - mean[j])
		}
		s := m2[0]/(count[0]-1)/count[0] + m2[1]/(count[1]-1)/count[1]
		if tt := (mean[0] - mean[1]) / math.Sqrt(s); math.Abs(tt) > math.Abs(worst) {
			worst = tt
		}
	}
	t.Logf("%-50s t = %6.1f", name, worst)
	if math.IsInf(limit, 1) {
		if math.Abs(worst) < 10 {
			t.Errorf("%s: t = %.1f, the difference was not seen", name, worst)
		}
	} else if math.Abs(worst) > limit {
		t.Errorf("%s: t = %.1f", name, worst)
	}
}
