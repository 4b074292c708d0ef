package spki_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/spki"
	"brama/internal/vectors"
)

type curveVector struct {
	Index  int
	M      int
	Name   string
	OID    string
	Params string `json:"domain_params_der"`
}

func curveVectors(t testing.TB) []curveVector {
	t.Helper()
	var file struct{ Curves []curveVector }
	if err := json.Unmarshal(vectors.Read(t, "algo/curves.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Curves) != 10 {
		t.Fatalf("got %d curves, want 10", len(file.Curves))
	}
	return file.Curves
}

// explicit writes curve parameters from their numbers.
func explicit(p dstu4145.Params) []byte {
	k := der.EncodeInt(p.K[0])
	if len(p.K) == 3 {
		k = der.EncodeSequence(der.EncodeInt(p.K[0]), der.EncodeInt(p.K[1]), der.EncodeInt(p.K[2]))
	}
	return der.EncodeSequence(der.EncodeSequence(
		der.EncodeSequence(der.EncodeInt(p.M), k),
		der.EncodeInt(p.A), der.EncodeOctetString(p.B), der.EncodeUnsigned(p.N), der.EncodeOctetString(p.Base)))
}

func TestParseCurve(t *testing.T) {
	for _, v := range curveVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			named := der.EncodeSequence(der.EncodeOID(der.NewOID(v.OID)))
			curve, sbox, err := spki.ParseCurve(named)
			if err != nil || sbox != nil || curve.Index() != v.Index || curve.FieldBits() != v.M {
				t.Fatalf("named: %v, %x, %v", curve, sbox, err)
			}
			if got := spki.CurveAlgorithm(curve); !bytes.Equal(got.Parameters, named) {
				t.Errorf("writes %x, want %x", got.Parameters, named)
			}
			params, err := hex.DecodeString(v.Params)
			if err != nil {
				t.Fatal(err)
			}
			dke := bytes.Repeat([]byte{0x5a}, 64)
			same, sbox, err := spki.ParseCurve(der.EncodeSequence(params, der.EncodeOctetString(dke)))
			if err != nil || same != curve || !bytes.Equal(sbox, dke) {
				t.Errorf("explicit: %v, %x, %v", same, sbox, err)
			}
			if ours := explicit(curve.Params()); !bytes.Equal(ours, der.EncodeSequence(params)) {
				t.Errorf("parameters of the curve are %x, want %x", ours, params)
			}
		})
	}
}

// TestOtherBasePoint: explicit parameters that differ from a named curve in any number are refused, the base point and
// the order first of all (CVE-2020-0601).
func TestOtherBasePoint(t *testing.T) {
	flip := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		b[i] ^= 2
		return b
	}
	for _, c := range dstu4145.Curves() {
		for name, change := range map[string]func(p *dstu4145.Params){
			"base point":    func(p *dstu4145.Params) { p.Base = flip(p.Base, 1) },
			"base zero":     func(p *dstu4145.Params) { p.Base = make([]byte, len(p.Base)) },
			"order":         func(p *dstu4145.Params) { p.N = flip(p.N, len(p.N)-1) },
			"b":             func(p *dstu4145.Params) { p.B = flip(p.B, 0) },
			"a":             func(p *dstu4145.Params) { p.A ^= 1 },
			"a of two":      func(p *dstu4145.Params) { p.A = 2 },
			"polynomial":    func(p *dstu4145.Params) { p.K = append([]int{p.K[0] + 1}, p.K[1:]...) },
			"other terms":   func(p *dstu4145.Params) { p.K = map[bool][]int{true: {1}, false: {1, 2, 3}}[len(p.K) == 3] },
			"degree":        func(p *dstu4145.Params) { p.M++ },
			"absurd degree": func(p *dstu4145.Params) { p.M = 1<<31 - 1 },
			"other length":  func(p *dstu4145.Params) { p.Base = append(bytes.Clone(p.Base), 0) },
		} {
			p := c.Params()
			change(&p)
			if got, _, err := spki.ParseCurve(explicit(p)); got != nil || !errors.Is(err, spki.ErrCurve) {
				t.Errorf("%s, %s: %v, %v", c.Name(), name, got, err)
			}
		}
	}
}

func TestRefusedByName(t *testing.T) {
	m257 := der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.1.3.1.1.2.6")))
	key := der.EncodeBitString(der.EncodeOctetString(make([]byte, 33)))
	for _, test := range []struct {
		name, oid string
		params    []byte
		want      error
	}{
		{"big-endian", "1.2.804.2.1.1.1.1.3.1.1.1.1", m257, spki.ErrBigEndian},
		{"normal basis", "1.2.804.2.1.1.1.1.3.1.2", m257, spki.ErrNormalBasis},
		{"normal basis, big-endian", "1.2.804.2.1.1.1.1.3.1.2.1.1", m257, spki.ErrNormalBasis},
		{"normal basis curve", "1.2.804.2.1.1.1.1.3.1.1", der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.1.3.1.2.2.3"))), spki.ErrNormalBasis},
		{"curve 10", "1.2.804.2.1.1.1.1.3.1.1", der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.1.3.1.1.2.10"))), spki.ErrCurve},
		{"curve of another family", "1.2.804.2.1.1.1.1.3.1.1", der.EncodeSequence(der.EncodeOID(spki.OIDP256)), spki.ErrCurve},
		{"no parameters", "1.2.804.2.1.1.1.1.3.1.1", nil, spki.ErrMalformed},
		{"short dke", "1.2.804.2.1.1.1.1.3.1.1", der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.1.3.1.1.2.6")), der.EncodeOctetString(make([]byte, 63))), spki.ErrMalformed},
	} {
		a := spki.Algorithm{OID: der.NewOID(test.oid), Parameters: test.params}
		info, err := spki.Parse(der.EncodeSequence(a.Encode(), key))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if info.DSTU != nil || !errors.Is(info.DSTUErr, test.want) {
			t.Errorf("%s: %v, want %v", test.name, info.DSTUErr, test.want)
		}
	}
}

func TestPublicKeyRoundTrip(t *testing.T) {
	b := vectors.Read(t, "keys/pkcs8-enc-aes-public2.pem")
	text := strings.ReplaceAll(string(b), "\n", "")
	text = strings.TrimSuffix(strings.TrimPrefix(text, "-----BEGIN PUBLIC KEY-----"), "-----END PUBLIC KEY-----")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	info, err := spki.Parse(raw)
	if err != nil || info.DSTU == nil {
		t.Fatal(err, info.DSTUErr)
	}
	if info.DSTU.Curve() != dstu4145.M431() {
		t.Errorf("curve %s", info.DSTU.Curve().Name())
	}
	again, err := spki.Parse(spki.EncodePublicKey(info.DSTU))
	if err != nil || !again.DSTU.Equal(info.DSTU) {
		t.Errorf("written and read: %v, %v", again, err)
	}
}

func TestSignatureDigest(t *testing.T) {
	for oid, want := range map[string]der.OID{
		"1.2.804.2.1.1.1.1.3.1.1":     spki.OIDGOST34311,
		"1.2.804.2.1.1.1.1.3.1.1.1.1": "",
		"1.2.804.2.1.1.1.1.3.6":       spki.OIDKupyna256,
		"1.2.804.2.1.1.1.1.3.6.1":     spki.OIDKupyna256,
		"1.2.804.2.1.1.1.1.3.6.1.1":   spki.OIDKupyna256,
		"1.2.804.2.1.1.1.1.3.6.2.1":   spki.OIDKupyna384,
		"1.2.804.2.1.1.1.1.3.6.3":     spki.OIDKupyna512,
		"1.2.804.2.1.1.1.1.3.6.4.1":   "",
		"1.2.804.2.1.1.1.1.3.6.1.1.1": "",
		"1.2.840.10045.4.3.2":         "",
	} {
		if got := spki.SignatureDigest(der.NewOID(oid)); got != want {
			t.Errorf("%s: %s, want %s", oid, got, want)
		}
	}
}

func FuzzSPKI(f *testing.F) {
	for _, v := range curveVectors(f) {
		params, _ := hex.DecodeString(v.Params)
		a := spki.Algorithm{OID: spki.OIDDSTU4145, Parameters: der.EncodeSequence(params)}
		f.Add(der.EncodeSequence(a.Encode(), der.EncodeBitString(der.EncodeOctetString(make([]byte, (v.M+7)/8)))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		start := time.Now()
		info, err := spki.Parse(b)
		// 20 ms is the promise (T16); a loaded machine running coverage builds gets five times that.
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Fatalf("took %v", d)
		}
		if (info == nil) == (err == nil) {
			t.Fatalf("%v with %v", info, err)
		}
		if err != nil || info.DSTU == nil {
			return
		}
		again, err := spki.Parse(spki.EncodePublicKey(info.DSTU))
		if err != nil || again.DSTU == nil || !again.DSTU.Equal(info.DSTU) {
			t.Fatalf("written and read: %v", err)
		}
	})
}
