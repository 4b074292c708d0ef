package cert

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// TestParsersDiffer: whatever field our reader were to read wrongly, the second one notices (T26).
func TestParsersDiffer(t *testing.T) {
	c := vector(t, "certs/augusto.cer").Certificate
	if err := confirm(c); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { _ = confirm(c) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	other := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)-1] ^= 1
		return b
	}
	key := func(x *tbs.Certificate) *spki.Info { k := *x.PublicKey; x.PublicKey = &k; return &k }
	extension := func(x *tbs.Certificate, oid der.OID) *tbs.Extension {
		x.Extensions = append([]tbs.Extension{}, x.Extensions...)
		return x.Extension(oid)
	}
	for name, change := range map[string]func(x *tbs.Certificate){
		"trailing octets":      func(x *tbs.Certificate) { x.Raw = append(bytes.Clone(x.Raw), 0) },
		"signed part":          func(x *tbs.Certificate) { x.RawTBS = other(x.RawTBS) },
		"version":              func(x *tbs.Certificate) { x.Version = 2 },
		"serial":               func(x *tbs.Certificate) { x.Serial = x.Serial[1:] },
		"algorithm":            func(x *tbs.Certificate) { x.SignatureAlgorithm.OID = tbs.OIDCommonName },
		"algorithm parameters": func(x *tbs.Certificate) { x.SignatureAlgorithm.Parameters = der.EncodeNull() },
		"signature":            func(x *tbs.Certificate) { x.Signature = other(x.Signature) },
		"issuer":               func(x *tbs.Certificate) { x.RawIssuer = x.RawSubject },
		"subject":              func(x *tbs.Certificate) { x.RawSubject = x.RawIssuer },
		"not before":           func(x *tbs.Certificate) { x.NotBefore = x.NotBefore.Add(time.Second) },
		"not after":            func(x *tbs.Certificate) { x.NotAfter = x.NotAfter.AddDate(100, 0, 0) },
		"key":                  func(x *tbs.Certificate) { k := key(x); k.Key = other(k.Key) },
		"key algorithm":        func(x *tbs.Certificate) { key(x).Algorithm.OID = spki.OIDRSA },
		"whole key":            func(x *tbs.Certificate) { k := key(x); k.Raw = other(k.Raw) },
		"one extension less":   func(x *tbs.Certificate) { x.Extensions = x.Extensions[1:] },
		"last extension lost":  func(x *tbs.Certificate) { x.Extensions = x.Extensions[:len(x.Extensions)-1] },
		"no extensions":        func(x *tbs.Certificate) { x.Extensions = nil },
		"critical":             func(x *tbs.Certificate) { e := extension(x, oidKeyUsage); e.Critical = !e.Critical },
		"value":                func(x *tbs.Certificate) { e := extension(x, oidKeyUsage); e.Value = other(e.Value) },
		"type":                 func(x *tbs.Certificate) { extension(x, oidKeyUsage).OID = oidPolicies },
	} {
		x := *c
		change(&x)
		if err := confirm(&x); !errors.Is(err, ErrParsersDiffer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfirmConstraints: what decides who is an authority is read twice too.
func TestConfirmConstraints(t *testing.T) {
	c := vector(t, "certs/cao-root.cer")
	value := c.Extension(oidBasicConstraints).Value
	if !sameConstraints(c, value) {
		t.Fatal("the two differ about a root")
	}
	for name, b := range map[string][]byte{
		"no authority": der.EncodeSequence(),
		"path":         der.EncodeSequence(der.EncodeBoolean(true), der.EncodeInt(7)),
		"unreadable":   {0x30, 0x80},
	} {
		if sameConstraints(c, b) {
			t.Errorf("%s: taken for the same", name)
		}
	}
	if usage := c.Extension(oidKeyUsage).Value; !sameUsage(c.Certificate, usage) || sameUsage(c.Certificate, []byte{3, 2, 0, 0xff}) {
		t.Error("key usage is not compared")
	}
}
