package dstu4145

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"testing"

	"brama/internal/dstu/internal/gf2m"
	"brama/internal/vectors"
)

// hexInt is a big-endian hex number, hexBytes a string of bytes.
type hexInt struct{ big.Int }

func (x *hexInt) UnmarshalJSON(b []byte) error {
	if _, ok := x.SetString(string(bytes.Trim(b, `"`)), 16); !ok {
		return hex.ErrLength
	}
	return nil
}

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type vector struct {
	ID, Type   string
	NamedCurve *int `json:"named_curve"`
	Curve      *struct {
		M, A         int
		K            []int
		B, N, Px, Py hexInt
	}
	D, K, Qx, Qy, R, S, Px, Py, Rx, Ry, Compressed *hexInt
	QCompressed                                    hexBytes `json:"q_compressed_le"`
	Digest                                         hexBytes `json:"digest_bytes"`
	Signature                                      hexBytes `json:"signature_octets"`
	Valid                                          bool
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	var f struct{ Vectors []vector }
	if err := json.Unmarshal(vectors.Read(t, "algo/dstu4145.json"), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return f.Vectors
}

// curve returns the vector's curve, which may be none of the named ones.
func (v *vector) curve(t testing.TB) *Curve {
	t.Helper()
	if v.Curve == nil {
		return named(*v.NamedCurve)
	}
	p := v.Curve
	f := gf2m.New(p.M, p.K...)
	w := &twin{m: p.M, poly: big.NewInt(1)}
	for _, k := range append(p.K, p.M) {
		w.poly.SetBit(w.poly, k, 1)
	}
	base := compressTwin(w, &twinPoint{&p.Px.Int, &p.Py.Int}, f.Bytes())
	return newCurve(v.ID, -1, f, p.A, Params{
		M: p.M, K: p.K, A: p.A, B: leBytes(&p.B.Int, f.Bytes()), N: p.N.Bytes(), Base: base,
	})
}

func compressTwin(w *twin, p *twinPoint, size int) []byte {
	x := new(big.Int).Set(p.x)
	x.SetBit(x, 0, w.trace(w.mul(p.y, w.inv(p.x))))
	return leBytes(x, size)
}

func (v *vector) signature(c *Curve) []byte {
	return append(leBytes(&v.R.Int, c.ScalarSize()), leBytes(&v.S.Int, c.ScalarSize())...)
}

func TestVectors(t *testing.T) {
	ran := map[string]int{}
	for _, v := range loadVectors(t) {
		if v.Type == "cofactor-dh" || v.Type == "onb-to-pb" {
			continue // later work
		}
		ran[v.Type]++
		t.Run(v.ID, func(t *testing.T) {
			c := v.curve(t)
			w := twinOf(c)
			switch v.Type {
			case "sign-fixed-k", "verify":
				testSignatureVector(t, c, &v)
				testSignatureVector(t, portableCurve(c), &v)
			case "point-decompress":
				k, err := ParsePublicKey(c, leBytes(&v.Compressed.Int, c.PointSize()))
				if err != nil {
					t.Fatal(err)
				}
				checkPoint(t, toTwin(c, &k.point), v.Qx, v.Qy)
			case "point-mul":
				p := w.fromTwin(c, &twinPoint{&v.Px.Int, &v.Py.Int})
				var k, odd scalar
				if !c.n.setBytes(&k, leBytes(&v.K.Int, c.ScalarSize())) {
					t.Fatal("scalar too long")
				}
				negated := c.n.odd(&odd, &k)
				var sum gf2m.Point
				c.mulFixed(&sum, &odd, c.newFixedTable(p, signWidth, c.field.CheapInversion()))
				var q gf2m.Affine
				c.affine(&q, &sum)
				q.L[0] ^= uint64(negated)
				checkPoint(t, toTwin(c, &q), v.Rx, v.Ry)
				var zero scalar
				c.sumVarTime(&sum, &zero, &k, p)
				c.affine(&q, &sum)
				checkPoint(t, toTwin(c, &q), v.Rx, v.Ry)
			default:
				t.Fatalf("unknown type %q", v.Type)
			}
		})
	}
	for _, kind := range []string{"sign-fixed-k", "verify", "point-decompress", "point-mul"} {
		if ran[kind] == 0 {
			t.Errorf("no vector of type %s", kind)
		}
	}
}

func checkPoint(t *testing.T, got *twinPoint, x, y *hexInt) {
	t.Helper()
	if got.x.Cmp(&x.Int) != 0 || got.y.Cmp(&y.Int) != 0 {
		t.Errorf("got (%x, %x), want (%x, %x)", got.x, got.y, &x.Int, &y.Int)
	}
}

func testSignatureVector(t *testing.T, c *Curve, v *vector) {
	k, err := NewPrivateKey(c, leBytes(&v.D.Int, c.ScalarSize()))
	if err != nil {
		t.Fatal(err)
	}
	if v.Qx != nil {
		checkPoint(t, toTwin(c, &k.pub.point), v.Qx, v.Qy)
	}
	if v.QCompressed != nil && !bytes.Equal(k.pub.Bytes(), v.QCompressed) {
		t.Errorf("public key: got %x, want %x", k.pub.Bytes(), v.QCompressed)
	}
	sig := v.signature(c)
	if v.Signature != nil && !bytes.Equal(v.Signature[2:], sig) {
		t.Errorf("signature encoding: got %x, want %x", sig, v.Signature[2:])
	}
	for name, pub := range map[string]*PublicKey{"new key": k.pub, "seen key": k.pub.PrecomputeSmall(), "known key": k.pub.Precompute()} {
		if got := pub.Verify(v.Digest, sig); got != v.Valid {
			t.Errorf("%s: got %v, want %v", name, got, v.Valid)
		}
		bad := bytes.Clone(v.Digest)
		bad[0] ^= 1
		if v.Valid && pub.Verify(bad, sig) {
			t.Errorf("%s: a changed digest verifies", name)
		}
	}
	if v.K != nil {
		var h gf2m.Element
		var e scalar
		c.hashElement(&h, v.Digest)
		c.n.setBytes(&e, leBytes(&v.K.Int, c.ScalarSize()))
		if got := k.signWith(&h, &e); !bytes.Equal(got, sig) {
			t.Errorf("signature: got %x, want %x", got, sig)
		}
	}
}

// The built-in parameters are those of the vectors.
func TestCurveParams(t *testing.T) {
	var f struct {
		Curves []struct {
			Index, M, K1, K2, K3, A, Cofactor int
			Name                              string
			N, Px, Py                         hexInt
			B                                 hexBytes `json:"b_le"`
			Base                              hexBytes `json:"p_compressed_le"`
		}
	}
	if err := json.Unmarshal(vectors.Read(t, "algo/curves.json"), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Curves) != len(Curves()) {
		t.Fatalf("got %d curves, want %d", len(Curves()), len(f.Curves))
	}
	for i, want := range f.Curves {
		c := Curves()[i]
		p := Params{M: want.M, K: []int{want.K1}, A: want.A, B: want.B, N: want.N.Bytes(), Base: want.Base}
		if want.K2 != 0 {
			p.K = []int{want.K1, want.K2, want.K3}
		}
		if !c.Params().Equal(p) || c.Index() != want.Index || c.Name()+"_PB" != want.Name || c.FieldBits() != want.M {
			t.Errorf("%s: parameters differ", want.Name)
		}
		if found, err := FindCurve(p); found != c || err != nil {
			t.Errorf("%s: FindCurve gives %v, %v", want.Name, found, err)
		}
		checkPoint(t, toTwin(c, &c.base), &want.Px, &want.Py)
		w := twinOf(c)
		if !w.onCurve(w.p) || w.scalarMul(w.n, w.p) != nil || !w.n.ProbablyPrime(20) {
			t.Errorf("%s: the base point is not of prime order n", want.Name)
		}
		// Hasse: the whole group has cofactor·n points, which inSubgroup relies on.
		if want.Cofactor != 4-2*c.a {
			t.Errorf("%s: cofactor %d", want.Name, want.Cofactor)
		}
	}
}
