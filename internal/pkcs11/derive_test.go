//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/tools/pkcs11dstu"
)

// wrapFor wraps a content key as a sender does whose key is sender, by our own mathematics; the token has another.
func wrapFor(t *testing.T, sender *dstu4145.PrivateKey, to *dstu4145.PublicKey, cofactor bool, ukm, content []byte) Wrapped {
	t.Helper()
	agree := sender.ECDH
	if cofactor {
		agree = sender.CofactorECDH
	}
	z, err := agree(to)
	if err != nil {
		t.Fatal(err)
	}
	var entity []byte
	if ukm != nil {
		entity = der.Element(der.Constructed(0), der.EncodeOctetString(ukm))
	}
	info := der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.1.1.1.5")), der.EncodeNull()), entity,
		der.Element(der.Constructed(2), der.EncodeOctetString([]byte{0, 0, 1, 0})))
	kek := gost34311.Sum(slices.Concat(bytes.TrimLeft(z, "\x00"), []byte{0, 0, 0, 1}, info))
	wrapped, err := gost28147.WrapKey(kek[:], nil, content, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Wrapped{Cofactor: cofactor, Point: sender.PublicKey().Bytes(), UKM: ukm, Key: wrapped}
}

// TestUnwrap: the token derives and unwraps what was wrapped by other mathematics than its own, with and without the
// cofactor and the keying material; what does not open is an error, and nothing is left behind in the token.
func TestUnwrap(t *testing.T) {
	key, err := dstu4145.GenerateKey(dstu4145.M257(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "Token", "1", pin, 3)
	token.ForAgreement(token.AddKey(key.Bytes(), key.PublicKey().Bytes(), nil))
	token.AddKey(one, minusBase, nil)
	_, s, _ := open(t, pkcs11dstu.Build(t, t.TempDir()))
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Login([]byte(pin)); err != nil {
		t.Fatal(err)
	}
	k, err := s.AgreementKeyByLabel("key 0")
	if err != nil || k.Type != DSTU4145 {
		t.Fatalf("%+v, %v", k, err)
	}
	for _, wrong := range []func() (Key, error){
		func() (Key, error) { return s.AgreementKeyByLabel("key 1") }, // one that signs
		func() (Key, error) { return s.KeyByLabel("key 0") },          // one that does not
		func() (Key, error) { return s.AgreementKeyByLabel("key 7") },
	} {
		if k, err := wrong(); !errors.Is(err, ErrNoKey) {
			t.Errorf("%+v, %v", k, err)
		}
	}
	content := bytes.Repeat([]byte{0xc3}, 32)
	var last Wrapped
	for range 4 {
		sender, err := dstu4145.GenerateKey(dstu4145.M257(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, cofactor := range []bool{false, true} {
			for _, ukm := range [][]byte{nil, bytes.Repeat([]byte{7}, 64)} {
				last = wrapFor(t, sender, key.PublicKey(), cofactor, ukm, content)
				if got, err := s.Unwrap(k, last); err != nil || !bytes.Equal(got, content) {
					t.Errorf("cofactor %v, %d octets of material: %x, %v", cofactor, len(ukm), got, err)
				}
			}
		}
	}
	calls := token.Calls()
	if n := len(calls); n < 5 || !slices.Equal(calls[n-4:], []string{"derive", "unwrap", "destroy", "destroy"}) {
		t.Errorf("the token was asked %v", calls)
	}
	for name, change := range map[string]func(*Wrapped){
		"other material":  func(w *Wrapped) { w.UKM = []byte{1} },
		"other agreement": func(w *Wrapped) { w.Cofactor = !w.Cofactor },
		"damaged":         func(w *Wrapped) { w.Key = slices.Clone(w.Key); w.Key[20] ^= 1 },
		"short":           func(w *Wrapped) { w.Key = w.Key[:43] },
		"no point":        func(w *Wrapped) { w.Point = nil },
		"off the curve":   func(w *Wrapped) { w.Point = bytes.Repeat([]byte{0xff}, 33) },
	} {
		w := last
		change(&w)
		if got, err := s.Unwrap(k, w); err == nil || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	for _, f := range [][2]string{{"fail", "C_DeriveKey"}, {"garbage", "C_DeriveKey"}, {"fail", "C_UnwrapKey"}, {"garbage", "C_UnwrapKey"}, {"fail", "C_GetAttributeValue"}} {
		tokens.Fault(f[0], f[1])
		if got, err := s.Unwrap(k, last); err == nil || got != nil {
			t.Errorf("%s at %s: %x, %v", f[0], f[1], got, err)
		}
	}
	tokens.Fault("", "")
	if got, err := s.Unwrap(k, last); err != nil || !bytes.Equal(got, content) {
		t.Errorf("afterwards: %x, %v", got, err)
	}
}
