package der_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"path/filepath"
	"testing"

	"brama/internal/der"
	"brama/internal/vectors"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", der.ErrTruncated},
		{"tag alone", "30", der.ErrTruncated},
		{"content cut", "300301", der.ErrTruncated},
		{"length cut", "3082", der.ErrTruncated},
		{"length cut after one octet", "308201", der.ErrTruncated},
		{"trailing", "050000", der.ErrTrailing},
		{"tag zero", "0000", der.ErrTag},
		{"high tag number", "1f8100", der.ErrTag},
		{"indefinite", "30800000", der.ErrEncoding},
		{"long form of a short length", "04810100", der.ErrEncoding},
		{"length with a zero in front", "0482008000", der.ErrEncoding},
		{"five octets of length", "04850000000001ff", der.ErrEncoding},
		{"length of 4 GB", "0484ffffffff00", der.ErrTruncated},
		{"reserved length", "04ff00", der.ErrEncoding},
	} {
		if _, err := der.Parse(unhex(t, test.in)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000} {
		content := make([]byte, n)
		b := der.EncodeOctetString(content)
		v, err := der.Parse(b)
		if err != nil || len(v.Bytes) != n || len(v.Full) != len(b) || der.Size(n) != len(b) || v.Tag != der.OctetString {
			t.Errorf("%d: %v", n, err)
		}
		if _, err := der.Parse(b[:len(b)-1]); err == nil {
			t.Errorf("%d, cut: no error", n)
		}
	}
}

func TestValues(t *testing.T) {
	for _, test := range []struct {
		name, in string
		read     func(r *der.Reader)
		want     error
	}{
		{"integer empty", "0200", func(r *der.Reader) { r.Integer() }, der.ErrValue},
		{"integer with a zero in front", "0202007f", func(r *der.Reader) { r.Integer() }, der.ErrEncoding},
		{"integer with ff in front", "0202ff80", func(r *der.Reader) { r.Integer() }, der.ErrEncoding},
		{"integer needs its zero", "02020080", func(r *der.Reader) { r.Integer() }, nil},
		{"unsigned negative", "0201ff", func(r *der.Reader) { r.Unsigned() }, der.ErrValue},
		{"int of 2^31", "02050080000000", func(r *der.Reader) { r.Int() }, der.ErrValue},
		{"int of 2^31-1", "02047fffffff", func(r *der.Reader) {
			if r.Int() != 1<<31-1 {
				r.Fail(der.ErrValue)
			}
		}, nil},
		{"boolean of one", "010101", func(r *der.Reader) { r.Boolean() }, der.ErrEncoding},
		{"boolean of two octets", "0102ff00", func(r *der.Reader) { r.Boolean() }, der.ErrEncoding},
		{"boolean", "0101ff", func(r *der.Reader) {
			if !r.Boolean() {
				r.Fail(der.ErrValue)
			}
		}, nil},
		{"null with content", "050100", func(r *der.Reader) { r.Null() }, der.ErrEncoding},
		{"bits empty", "0300", func(r *der.Reader) { r.Bits() }, der.ErrEncoding},
		{"bits: eight unused", "03020800", func(r *der.Reader) { r.Bits() }, der.ErrEncoding},
		{"bits: unused of nothing", "030101", func(r *der.Reader) { r.Bits() }, der.ErrEncoding},
		{"bits: unused not zero", "03020101", func(r *der.Reader) { r.Bits() }, der.ErrEncoding},
		{"bits: unused zero", "03020102", func(r *der.Reader) { r.Bits() }, nil},
		{"octets wanted, bits found", "03020102", func(r *der.Reader) { r.BitString() }, der.ErrValue},
		{"oid empty", "0600", func(r *der.Reader) { r.OID() }, der.ErrEncoding},
		{"oid with 80 in front", "06032a8001", func(r *der.Reader) { r.OID() }, der.ErrEncoding},
		{"oid unfinished", "06022a86", func(r *der.Reader) { r.OID() }, der.ErrEncoding},
		{"other tag", "0401aa", func(r *der.Reader) { r.Integer() }, der.ErrTag},
		{"constructed octet string", "2403040141", func(r *der.Reader) { r.OctetString() }, der.ErrTag},
	} {
		r := der.NewReader(unhex(t, test.in))
		test.read(r)
		if err := r.Done(); !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

// TestErrorSticks: after the first fault nothing is read, so that a straight line of calls needs one check.
func TestErrorSticks(t *testing.T) {
	r := der.NewReader(unhex(t, "0201010401aa020102"))
	r.Int()
	r.Int()
	if r.Int() != 0 || r.OctetString() != nil || r.More() || r.Peek(der.Integer) || r.Sequence().More() {
		t.Error("reads on after an error")
	}
	if err := r.Done(); !errors.Is(err, der.ErrTag) {
		t.Errorf("%v", err)
	}
	r = der.NewReader(unhex(t, "020101020102"))
	r.Int()
	if err := r.Done(); !errors.Is(err, der.ErrTrailing) {
		t.Errorf("%v", err)
	}
}

func TestValid(t *testing.T) {
	nested := func(depth int) []byte {
		b := der.EncodeNull()
		for range depth - 1 {
			b = der.EncodeSequence(b)
		}
		return b
	}
	for _, test := range []struct {
		name string
		in   []byte
		want error
	}{
		{"deep enough", nested(der.MaxDepth), nil},
		{"too deep", nested(der.MaxDepth + 1), der.ErrDepth},
		{"fault inside", unhex(t, "30040402aa"), der.ErrTruncated},
		{"long form inside", unhex(t, "300404810141"), der.ErrEncoding},
	} {
		if err := der.Valid(test.in); !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestNormalize(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"strict already", "3003020105", "3003020105"},
		{"indefinite", "30800201050000", "3003020105"},
		{"indefinite in indefinite", "3080308002010500000000", "30053003020105"},
		{"long length", "308103020105", "3003020105"},
		{"length with zeros in front", "30820003020105", "3003020105"},
		{"segments", "2480040141040142040000 00"[:20] + "0000", "04024142"},
		{"segments of segments", "24802480040141000004014200 00"[:26] + "00", "04024142"},
		{"empty segments", "24800000", "0400"},
	} {
		got, err := der.Normalize(unhex(t, test.in))
		if err != nil || hex.EncodeToString(got) != test.want {
			t.Errorf("%s: %x, %v, want %s", test.name, got, err, test.want)
		}
	}
	for name, in := range map[string]string{
		"no end":                       "3080020105",
		"primitive of indefinite size": "048041420000",
		"trailing":                     "308002010500000500",
		"segments of another type":     "2480020105 0000"[:10] + "0000",
		"end in a definite length":     "30020000",
		"length beyond":                "30850000000005020105",
		"nothing":                      "",
		"high tag":                     "30801f810000000000",
	} {
		if got, err := der.Normalize(unhex(t, in)); err == nil {
			t.Errorf("%s: %x", name, got)
		}
	}
	if _, err := der.Normalize(bytes.Repeat([]byte{0x30, 0x80}, 1<<16)); !errors.Is(err, der.ErrDepth) {
		t.Errorf("deep: %v", err)
	}
}

func TestSetOf(t *testing.T) {
	a, b, c := der.EncodeInt(1), der.EncodeInt(2), der.EncodeOctetString(nil)
	parts := [][]byte{c, b, a}
	got := der.EncodeSetOf(parts...)
	if want := "3108020101020102" + "0400"; hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
	if !bytes.Equal(parts[0], c) {
		t.Error("the caller's list was sorted")
	}
	if !der.IsSetOrdered(got[2:]) || der.IsSetOrdered(append(bytes.Clone(b), a...)) || der.IsSetOrdered([]byte{2}) {
		t.Error("order of a SET OF is misjudged")
	}
}

// FuzzReader: whatever comes in, the walk ends, and what is strict is written back as it was.
func FuzzReader(f *testing.F) {
	for _, pattern := range []string{"certs/*.cer", "cms/*.p7s", "ocsp/*.der", "tsp/*.der", "crl/*.crl", "keys/*.der"} {
		for _, file := range vectors.Glob(f, pattern) {
			f.Add(vectors.Read(f, filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		valid := der.Valid(b)
		normal, err := der.Normalize(b)
		if valid == nil && (err != nil || !bytes.Equal(normal, b)) {
			t.Fatalf("strict, but normalized to %x, %v", normal, err)
		}
		if err == nil {
			if fault := der.Valid(normal); fault != nil {
				t.Fatalf("normalized form is not strict: %v", fault)
			}
			if len(normal) > len(b) {
				t.Fatalf("grew from %d to %d", len(b), len(normal))
			}
			again, err := der.Normalize(normal)
			if err != nil || !bytes.Equal(again, normal) {
				t.Fatal("normalizing twice changes it")
			}
		}
		r := der.NewReader(b)
		for r.More() {
			before := len(r.Rest())
			v := r.Next()
			if r.Err() == nil && !bytes.Equal(der.Element(v.Tag, v.Bytes), v.Full) {
				t.Fatalf("%x is written as %x", v.Full, der.Element(v.Tag, v.Bytes))
			}
			if r.Err() == nil && len(r.Rest()) >= before {
				t.Fatal("no progress")
			}
		}
	})
}

func FuzzOID(f *testing.F) {
	f.Add("1.2.804.2.1.1.1", []byte{0x2a, 0x86})
	f.Add("2.25.329800735698586629295641978511506172918", []byte{0x69, 0x83})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		if o, ok := der.ParseOID(s); ok && o.String() != s {
			t.Fatalf("%s is written as %s", s, o)
		}
		r := der.NewReader(der.Element(der.ObjectID, b))
		o := r.OID()
		if r.Done() != nil {
			return
		}
		if again, ok := der.ParseOID(o.String()); !ok || again != o {
			t.Fatalf("%x is written as %s", b, o)
		}
	})
}
