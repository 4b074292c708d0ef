package tbs_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// bundle returns the certificates of a degenerate SignedData (RFC 5652 5.1).
func bundle(t testing.TB, b []byte) [][]byte {
	t.Helper()
	b, err := der.Normalize(b)
	if err != nil {
		t.Fatal(err)
	}
	info := der.NewReader(b).Sequence()
	info.OID()
	signed := info.Nested(der.Constructed(0)).Sequence()
	signed.Int()
	signed.Set()
	signed.Sequence()
	certs := signed.Nested(der.Constructed(0))
	var list [][]byte
	for certs.More() {
		list = append(list, certs.Read(der.Sequence).Full)
	}
	if err := certs.Done(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestParseBundle(t *testing.T) {
	list := bundle(t, vectors.ReadTrust(t, "CACertificates.p7b"))
	if len(list) != 827 {
		t.Fatalf("got %d certificates, want 827", len(list))
	}
	curves := map[string]int{}
	for i, raw := range list {
		c, err := tbs.Parse(raw)
		if err != nil {
			t.Errorf("certificate %d: %v", i, err)
			continue
		}
		compare(t, c)
		switch {
		case c.PublicKey.DSTUErr != nil:
			// Two certificates of the treasury name the big-endian form over little-endian fields; they expired in 2024.
			if !errors.Is(c.PublicKey.DSTUErr, spki.ErrBigEndian) {
				t.Errorf("certificate %d: %v", i, c.PublicKey.DSTUErr)
			}
			curves["big-endian"]++
		case c.PublicKey.DSTU != nil:
			curves[c.PublicKey.DSTU.Curve().Name()]++
		default:
			curves["other"]++
		}
	}
	if curves["M257"] != 398 || curves["M431"] != 86 || curves["big-endian"] != 2 || curves["other"] != 177+164 {
		t.Errorf("keys by curve: %v", curves)
	}
}

// compare holds every field against crypto/x509: a difference would be a parser differential (T26).
func compare(t *testing.T, c *tbs.Certificate) {
	t.Helper()
	std, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		t.Errorf("%s: Go refuses it: %v", c.SubjectAttribute(tbs.OIDCommonName), err)
		return
	}
	name := std.Subject.CommonName
	if !bytes.Equal(std.RawTBSCertificate, c.RawTBS) || !bytes.Equal(std.RawIssuer, c.RawIssuer) ||
		!bytes.Equal(std.RawSubject, c.RawSubject) || !bytes.Equal(std.RawSubjectPublicKeyInfo, c.PublicKey.Raw) ||
		!bytes.Equal(std.Signature, c.Signature) || std.Version != c.Version {
		t.Errorf("%s: fields differ from Go's", name)
	}
	if !std.NotBefore.Equal(c.NotBefore) || !std.NotAfter.Equal(c.NotAfter) {
		t.Errorf("%s: validity %v..%v, Go %v..%v", name, c.NotBefore, c.NotAfter, std.NotBefore, std.NotAfter)
	}
	if len(std.Extensions) != len(c.Extensions) {
		t.Fatalf("%s: %d extensions, Go %d", name, len(c.Extensions), len(std.Extensions))
	}
	for i, e := range std.Extensions {
		if e.Id.String() != c.Extensions[i].OID.String() || e.Critical != c.Extensions[i].Critical ||
			!bytes.Equal(e.Value, c.Extensions[i].Value) {
			t.Errorf("%s: extension %v differs", name, e.Id)
		}
	}
	if bits, _ := c.KeyUsage(); bits != uint16(std.KeyUsage) {
		t.Errorf("%s: key usage %b, Go %b", name, bits, std.KeyUsage)
	}
	if got := c.SubjectAttribute(tbs.OIDCommonName); got != name && !strings.Contains(std.Subject.String(), got) {
		t.Errorf("common name %q, Go %q", got, name)
	}
}

func TestParseVectors(t *testing.T) {
	want := map[string]struct{ serial, cn, curve string }{
		"cao-root.cer":            {"", "Центральний засвідчувальний орган", "M431"},
		"diia-test-sign.cer":      {"3ED5083160DBC59B04000000A91E060073A57600", "ДП ДІЯ (Тестування)", "M257"},
		"diia-test-kep.cer":       {"3ED5083160DBC59B04000000A91E060074A57600", "", "M431"},
		"selfsigned1.cer":         {"5F14F000", "", "M257"},
		"selfsigned-enc-40a0.cer": {"5BE4F000", "", "M257"},
		"selfsigned-enc-6929.cer": {"5BE47000", "", "M257"},
		"selfsigned-enc-e54b.cer": {"", "", "M431"},
		"pki-root.cer":            {"123456789ABCDEFF0000123456789ABCDEFF00", "", "M257"},
		"augusto.cer":             {"157791B9508857ED04000000350000005C000000", "", "M257"},
		"xlong-signer.cer":        {"59CE495C3EB0222304000000000E000007600100", "ТЕСТ Фізична Особа", "M257"},
		"kupyna-572b26cbd46d664a0100000001000000ae010000.cer": {"", "Центральний засвідчувальний орган", "M431"},
	}
	for _, file := range vectors.Glob(t, "certs/*.cer") {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			c, err := tbs.Parse(read(t, file))
			if err != nil {
				t.Fatal(err)
			}
			w := want[name]
			if got := strings.ToUpper(hex.EncodeToString(c.Serial)); w.serial != "" && got != w.serial {
				t.Errorf("serial %s, want %s", got, w.serial)
			}
			if got := c.SubjectAttribute(tbs.OIDCommonName); w.cn != "" && got != w.cn {
				t.Errorf("common name %q, want %q", got, w.cn)
			}
			if c.PublicKey.DSTU == nil {
				t.Fatalf("key: %v", c.PublicKey.DSTUErr)
			}
			if got := c.PublicKey.DSTU.Curve().Name(); w.curve != "" && got != w.curve {
				t.Errorf("curve %s, want %s", got, w.curve)
			}
			attributes, err := tbs.ParseName(c.RawSubject)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range attributes {
				if _, err := a.Text(); err != nil {
					t.Errorf("attribute %v: %v", a.OID, err)
				}
			}
		})
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// built is a certificate made by hand around the given parts; it is well-formed unless a part is not.
func built(t testing.TB, change func(p map[string][]byte)) []byte {
	t.Helper()
	algorithm := spki.Algorithm{OID: der.NewOID("1.2.840.10045.4.3.2")}.Encode()
	name := der.EncodeSequence(der.EncodeSetOf(der.EncodeSequence(der.EncodeOID(tbs.OIDCommonName), der.EncodeString(der.UTF8String, "тест"))))
	p := map[string][]byte{
		"version":    der.Element(der.Constructed(0), der.EncodeInt(2)),
		"serial":     der.EncodeInt(5),
		"inner":      algorithm,
		"issuer":     name,
		"validity":   der.EncodeSequence(der.EncodeString(der.UTCTime, "260101000000Z"), der.EncodeString(der.GeneralizedTime, "20560101000000Z")),
		"subject":    name,
		"key":        der.EncodeSequence(algorithm, der.EncodeBitString([]byte{4})),
		"extensions": der.Element(der.Constructed(3), der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("2.5.29.15")), der.EncodeOctetString([]byte{3, 2, 6, 0xc0})))),
		"outer":      algorithm,
		"signature":  der.EncodeBitString([]byte{1, 2}),
	}
	if change != nil {
		change(p)
	}
	body := der.EncodeSequence(p["version"], p["serial"], p["inner"], p["issuer"], p["validity"], p["subject"], p["key"], p["extensions"])
	return append(der.EncodeSequence(body, p["outer"], p["signature"]), p["after"]...)
}

func TestParseRefuses(t *testing.T) {
	c, err := tbs.Parse(built(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if bits, ok := c.KeyUsage(); !ok || bits != tbs.DigitalSignature|tbs.NonRepudiation {
		t.Errorf("key usage %b, %v", bits, ok)
	}
	if want := time.Date(2056, 1, 1, 0, 0, 0, 0, time.UTC); !c.NotAfter.Equal(want) {
		t.Errorf("not after %v", c.NotAfter)
	}
	ext := func(oid string) []byte {
		return der.EncodeSequence(der.EncodeOID(der.NewOID(oid)), der.EncodeOctetString(nil))
	}
	for name, change := range map[string]func(map[string][]byte){
		"trailing data":       func(p map[string][]byte) { p["after"] = []byte{0} },
		"version 4":           func(p map[string][]byte) { p["version"] = der.Element(der.Constructed(0), der.EncodeInt(3)) },
		"v1 with extensions":  func(p map[string][]byte) { p["version"] = nil },
		"algorithms disagree": func(p map[string][]byte) { p["outer"] = spki.Algorithm{OID: spki.OIDDSTU4145}.Encode() },
		"long serial":         func(p map[string][]byte) { p["serial"] = der.EncodeUnsigned(bytes.Repeat([]byte{1}, 65)) },
		"empty name part":     func(p map[string][]byte) { p["subject"] = der.EncodeSequence(der.EncodeSetOf()) },
		"31 February": func(p map[string][]byte) {
			t := der.EncodeString(der.UTCTime, "260231000000Z")
			p["validity"] = der.EncodeSequence(t, t)
		},
		"time without zone": func(p map[string][]byte) {
			t := der.EncodeString(der.UTCTime, "260201000000")
			p["validity"] = der.EncodeSequence(t, t)
		},
		"extension twice": func(p map[string][]byte) {
			p["extensions"] = der.Element(der.Constructed(3), der.EncodeSequence(ext("2.5.29.15"), ext("2.5.29.15")))
		},
		"key without bits": func(p map[string][]byte) { p["key"] = der.EncodeSequence(p["inner"]) },
		"signature with unused bits": func(p map[string][]byte) {
			p["signature"] = der.Element(der.BitString, []byte{1, 2})
		},
	} {
		if c, err := tbs.Parse(built(t, change)); c != nil || !errors.Is(err, tbs.ErrMalformed) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if _, err := tbs.Parse(make([]byte, tbs.MaxSize+1)); !errors.Is(err, tbs.ErrTooBig) {
		t.Errorf("too big: %v", err)
	}
}

func TestDecodeString(t *testing.T) {
	for _, test := range []struct {
		name string
		tag  der.Tag
		in   string
		want string
		ok   bool
	}{
		{"utf8", der.UTF8String, "Дія", "Дія", true},
		{"utf8 broken", der.UTF8String, "\xd0", "", false},
		{"utf8 NUL", der.UTF8String, "a\x00b", "", false},
		{"printable", der.PrintableString, "TINUA-1122334455", "TINUA-1122334455", true},
		{"printable cyrillic", der.PrintableString, "Дія", "", false},
		{"printable quote", der.PrintableString, "a\"b", "", false},
		{"numeric letters", der.NumericString, "12a", "", false},
		{"ia5 high", der.IA5String, "a\x80", "", false},
		{"visible control", der.VisibleString, "a\x1b", "", false},
		{"teletex is latin 1", der.TeletexString, "\xc4\xee", "Äî", true},
		{"bmp", der.BMPString, "\x04\x14\x04\x56\x04\x4f", "Дія", true},
		{"bmp odd", der.BMPString, "\x04\x14\x04", "", false},
		{"bmp surrogates", der.BMPString, "\xd8\x3d\xde\x00", "", false},
		{"bmp NUL", der.BMPString, "\x00\x00", "", false},
		{"universal", der.UniversalString, "\x00\x01\xf6\x00", "😀", true},
		{"universal beyond", der.UniversalString, "\x00\x11\x00\x00", "", false},
		{"universal high octet", der.UniversalString, "\x01\x00\x00\x41", "", false},
		{"no string", der.Integer, "\x01", "", false},
		{"long", der.UTF8String, strings.Repeat("a", 4<<10+1), "", false},
	} {
		got, err := tbs.DecodeString(der.Value{Tag: test.tag, Bytes: []byte(test.in)})
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func FuzzCertificate(f *testing.F) {
	for _, file := range vectors.Glob(f, "certs/*.cer") {
		f.Add(read(f, file))
	}
	f.Add(built(f, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := sha256.Sum256(b)
		c, err := tbs.Parse(b)
		if (c == nil) == (err == nil) {
			t.Fatalf("certificate %v with error %v", c, err)
		}
		if sha256.Sum256(b) != before {
			t.Fatal("input was changed")
		}
		if err != nil {
			return
		}
		c.KeyUsage()
		c.SubjectAttribute(tbs.OIDCommonName)
		std, err := x509.ParseCertificate(b)
		if err != nil {
			return
		}
		if !bytes.Equal(std.RawTBSCertificate, c.RawTBS) || !bytes.Equal(std.RawSubject, c.RawSubject) ||
			!bytes.Equal(std.RawIssuer, c.RawIssuer) || !bytes.Equal(std.RawSubjectPublicKeyInfo, c.PublicKey.Raw) ||
			!std.NotBefore.Equal(c.NotBefore) || !std.NotAfter.Equal(c.NotAfter) || len(std.Extensions) != len(c.Extensions) {
			t.Fatal("crypto/x509 reads other fields")
		}
	})
}
