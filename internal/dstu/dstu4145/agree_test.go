package dstu4145

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"brama/internal/vectors"
)

type ecdh = func(*PrivateKey, *PublicKey) ([]byte, error)

// compareAgreement compares both agreements of d and peer with the twin.
func compareAgreement(t *testing.T, c *Curve, d *big.Int, peer *PublicKey) {
	t.Helper()
	w := twinOf(c)
	k, err := NewPrivateKey(c, leBytes(d, c.PointSize()))
	if err != nil {
		t.Fatal(err)
	}
	hd := new(big.Int).Mul(d, big.NewInt(int64(4>>c.a)))
	for name, way := range map[string]struct {
		k    *big.Int
		ecdh ecdh
	}{"plain": {d, (*PrivateKey).ECDH}, "cofactor": {hd, (*PrivateKey).CofactorECDH}} {
		got, err := way.ecdh(k, peer)
		if err != nil {
			t.Fatal(err)
		}
		want := w.scalarMul(way.k, toTwin(c, &peer.point)).x.FillBytes(make([]byte, c.PointSize()))
		if !bytes.Equal(got, want) {
			t.Errorf("%s, d = %x: got %x, want %x", name, d, got, want)
		}
	}
}

func TestAgreementTwin(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		r := newRand(15946)
		n := new(big.Int).SetBytes(c.Params().N)
		peer := randomKey(t, c, r).PublicKey()
		for _, d := range []*big.Int{
			big.NewInt(1), big.NewInt(2), big.NewInt(3), new(big.Int).Sub(n, big.NewInt(1)), new(big.Int).Rsh(n, 1),
			leInt(randomKey(t, c, r).Bytes()),
		} {
			compareAgreement(t, c, d, peer)
		}
	})
}

func TestAgreementBothSides(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		r := newRand(1)
		a, b := randomKey(t, c, r), randomKey(t, c, r)
		for name, agree := range map[string]ecdh{"plain": (*PrivateKey).ECDH, "cofactor": (*PrivateKey).CofactorECDH} {
			one, err := agree(a, b.PublicKey())
			if err != nil {
				t.Fatal(err)
			}
			other, err := agree(b, a.PublicKey())
			if err != nil || !bytes.Equal(one, other) {
				t.Errorf("%s: %x on one side, %x (%v) on the other", name, one, other, err)
			}
			if len(one) != c.PointSize() {
				t.Errorf("%s: %d bytes", name, len(one))
			}
		}
	})
}

func TestCofactorVectors(t *testing.T) {
	var file struct {
		Vectors []struct {
			ID, Type   string
			D1, D2, ZX string
			NamedCurve int `json:"named_curve"`
		}
	}
	if err := json.Unmarshal(vectors.Read(t, "algo/dstu4145.json"), &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, v := range file.Vectors {
		if v.Type != "cofactor-dh" {
			continue
		}
		ran++
		c := Curves()[v.NamedCurve]
		number := func(s string) *big.Int {
			x, ok := new(big.Int).SetString(s, 16)
			if !ok {
				t.Fatal(s)
			}
			return x
		}
		key := func(s string) *PrivateKey {
			k, err := NewPrivateKey(c, leBytes(number(s), c.PointSize()))
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		a, b, want := key(v.D1), key(v.D2), number(v.ZX).FillBytes(make([]byte, c.PointSize()))
		for _, pair := range [][2]*PrivateKey{{a, b}, {b, a}} {
			got, err := pair[0].CofactorECDH(pair[1].PublicKey())
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: got %x (%v), want %x", v.ID, got, err, want)
			}
		}
	}
	if ran == 0 {
		t.Fatal("no cofactor vector")
	}
}

func TestAgreementRefused(t *testing.T) {
	r := newRand(5)
	k := randomKey(t, M257(), r)
	for name, peer := range map[string]*PublicKey{"none": nil, "zero": {}, "other curve": randomKey(t, M431(), r).PublicKey()} {
		for _, agree := range []ecdh{(*PrivateKey).ECDH, (*PrivateKey).CofactorECDH} {
			if z, err := agree(k, peer); !errors.Is(err, ErrOtherCurve) || z != nil {
				t.Errorf("%s: %x, %v, want ErrOtherCurve", name, z, err)
			}
		}
	}
	// The point of order two, which no encoding gives.
	if z, err := k.CofactorECDH(&PublicKey{curve: M257()}); !errors.Is(err, ErrInfinity) || z != nil {
		t.Errorf("x = 0: %x, %v, want ErrInfinity", z, err)
	}
}

// TestAgreementSmallSubgroup: a point with a part of small order would give away d modulo 2 or 4. It never becomes a key
// to agree with (T16).
func TestAgreementSmallSubgroup(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		w := twinOf(c)
		p := toTwin(c, &randomKey(t, c, newRand(9)).PublicKey().point)
		root := w.b // (0, √b) is the point of order two
		for range w.m - 1 {
			root = w.mul(root, root)
		}
		q := w.add(p, &twinPoint{new(big.Int), root})
		if !w.onCurve(q) {
			t.Fatal("the point is not on the curve")
		}
		encoded := leBytes(q.x, c.PointSize())
		for _, low := range []byte{0, 1} {
			encoded[0] = encoded[0]&^1 | low
			if k, err := ParsePublicKey(c, encoded); err == nil && leInt(c.field.AppendBytes(nil, &k.point.X)).Cmp(q.x) == 0 {
				t.Errorf("a point of order 2n is taken")
			}
		}
	})
}

func BenchmarkAgreement(b *testing.B) {
	r := newRand(3)
	for _, c := range []*Curve{M257(), M431()} {
		k, peer := randomKey(b, c, r), randomKey(b, c, r).PublicKey()
		b.Run(c.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.CofactorECDH(peer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
