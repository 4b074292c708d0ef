package dstu4145

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"testing"
)

func benchmarkCurves(b *testing.B, run func(b *testing.B, k *PrivateKey, digest, sig []byte)) {
	for _, c := range []*Curve{M257(), M431(), portableCurve(M257()), portableCurve(M431())} {
		b.Run(c.Name(), func(b *testing.B) {
			k := randomKey(b, c, crand.Reader)
			digest := make([]byte, 32)
			crand.Read(digest)
			var sig []byte
			for range checkAfter + 1 { // a key in use: it verifies its own signatures with tables
				var err error
				if sig, err = k.Sign(crand.Reader, digest, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			run(b, k, digest, sig)
		})
	}
}

// BenchmarkVerify is with a key that was parsed and not seen before; P256 is the reference of the same run.
func BenchmarkVerify(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, digest, sig []byte) {
		for b.Loop() {
			if !k.pub.Verify(digest, sig) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("P256", func(b *testing.B) {
		k, digest := p256(b)
		sig, err := ecdsa.SignASN1(crand.Reader, k, digest)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if !ecdsa.VerifyASN1(&k.PublicKey, digest, sig) {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkVerifyKnown is with the tables of Precompute.
func BenchmarkVerifyKnown(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, digest, sig []byte) {
		pub := k.pub.Precompute()
		for b.Loop() {
			if !pub.Verify(digest, sig) {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, digest, _ []byte) {
		for b.Loop() {
			if _, err := k.Sign(crand.Reader, digest, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("P256", func(b *testing.B) {
		k, digest := p256(b)
		for b.Loop() {
			if _, err := ecdsa.SignASN1(crand.Reader, k, digest); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParsePublicKey(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, _, _ []byte) {
		encoded := k.pub.Bytes()
		for b.Loop() {
			if _, err := ParsePublicKey(k.Curve(), encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPrecompute(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, _, _ []byte) {
		for b.Loop() {
			k.pub.Precompute()
		}
	})
}

func p256(b *testing.B) (*ecdsa.PrivateKey, []byte) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 32)
	crand.Read(digest)
	return k, digest
}

// BenchmarkVerifySeen is with the tables of PrecomputeSmall.
func BenchmarkVerifySeen(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, digest, sig []byte) {
		pub := k.pub.PrecomputeSmall()
		for b.Loop() {
			if !pub.Verify(digest, sig) {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkVerifyCold is BenchmarkVerifyKnown with other work in between, as a server has it: the tables are in no near cache.
func BenchmarkVerifyCold(b *testing.B) {
	benchmarkCurves(b, func(b *testing.B, k *PrivateKey, digest, sig []byte) {
		pub := k.pub.Precompute()
		other := make([]byte, 8<<20)
		for b.Loop() {
			b.StopTimer()
			for i := 0; i < len(other); i += 64 {
				other[i]++
			}
			b.StartTimer()
			if !pub.Verify(digest, sig) {
				b.Fatal("refused")
			}
		}
	})
}
