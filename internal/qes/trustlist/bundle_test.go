package trustlist

import (
	"bytes"
	"encoding/pem"
	"errors"
	"testing"

	"brama/internal/der"
	"brama/internal/vectors"
)

func TestParseBundle(t *testing.T) {
	for name, want := range map[string]int{
		"CACertificates.p7b": 827, "CACertificates.Test.p7b": 19, "CACertificates.Test.2022.p7b": 382,
	} {
		b := vectors.ReadTrust(t, name)
		got, err := ParseBundle(b)
		if err != nil || len(got) != want {
			t.Errorf("%s: got %d certificates, %v, want %d", name, len(got), err, want)
			continue
		}
		inPEM, err := ParseBundle(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: b}))
		if err != nil || len(inPEM) != want {
			t.Errorf("%s in PEM: got %d certificates, %v", name, len(inPEM), err)
		}
		again, err := ParseBundle(EncodeBundle(got))
		if err != nil || len(again) != want || !bytes.Equal(bytes.Join(again, nil), bytes.Join(got, nil)) {
			t.Errorf("%s: does not survive being written: %v", name, err)
		}
	}
}

func TestParseBundleRefusals(t *testing.T) {
	good := EncodeBundle([][]byte{der.EncodeSequence(der.EncodeInt(1)), der.EncodeSequence(der.EncodeInt(2))})
	if got, err := ParseBundle(good); err != nil || len(got) != 2 {
		t.Fatalf("got %d, %v", len(got), err)
	}
	cases := map[string][]byte{
		"empty":           nil,
		"text":            []byte("not a bundle at all"),
		"trailing":        append(bytes.Clone(good), 0),
		"content is data": der.EncodeSequence(der.EncodeOID(oidData), der.Element(der.Constructed(0), der.EncodeOctetString([]byte("x")))),
		"too large":       make([]byte, MaxBundle+1),
		"too many":        EncodeBundle(make2(MaxBundleCertificates + 1)),
	}
	for i := range good {
		if i > 0 {
			cases["cut at "+string(rune('0'+i%10))] = good[:i]
		}
	}
	for name, b := range cases {
		if got, err := ParseBundle(b); !errors.Is(err, ErrBundle) || got != nil {
			t.Errorf("%s: got %d certificates, %v, want ErrBundle", name, len(got), err)
		}
	}
}

func make2(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = der.EncodeSequence()
	}
	return out
}

func FuzzBundle(f *testing.F) {
	f.Add(vectors.ReadTrust(f, "CACertificates.Test.p7b"))
	f.Add(vectors.Read(f, "cms/bes-attached.p7s"))
	f.Add(EncodeBundle([][]byte{der.EncodeSequence()}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseBundle(b)
		if err != nil {
			if got != nil {
				t.Fatal("certificates beside an error")
			}
			return
		}
		again, err := ParseBundle(EncodeBundle(got))
		if err != nil || len(again) != len(got) {
			t.Fatalf("does not survive being written: %v", err)
		}
	})
}
