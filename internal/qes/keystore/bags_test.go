package keystore_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"slices"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
)

// pfxOf writes a PKCS#12 without MAC around the bags of one safe.
func pfxOf(bags ...[]byte) []byte {
	data := func(b []byte) []byte {
		return der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.840.113549.1.7.1")), der.Element(der.Constructed(0), der.EncodeOctetString(b)))
	}
	return der.EncodeSequence(der.EncodeInt(3), data(der.EncodeSequence(data(der.EncodeSequence(bags...)))))
}

func bag(oid string, content []byte) []byte {
	return der.EncodeSequence(der.EncodeOID(der.NewOID(oid)), der.Element(der.Constructed(0), content))
}

const shroudedBag, keyBag, safeBag = "1.2.840.113549.1.12.10.1.2", "1.2.840.113549.1.12.10.1.1", "1.2.840.113549.1.12.10.1.6"

// TestKeysUnderOtherPasswords: a key under another password does not hide the ones that open, in whatever order.
func TestKeysUnderOtherPasswords(t *testing.T) {
	shroud := func(password string) (plain, b []byte) {
		plain = keystore.EncodePKCS8(generate(t, dstu4145.M257()), nil)
		b, err := keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, plain, []byte(password))
		if err != nil {
			t.Fatal(err)
		}
		return plain, bag(shroudedBag, b)
	}
	mine, first := shroud("mine")
	_, second := shroud("other")
	for name, data := range map[string][]byte{"mine first": pfxOf(first, second), "mine last": pfxOf(second, first)} {
		c, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte("mine"))
		if err != nil || len(c.Keys) != 1 || !bytes.Equal(c.Keys[0].PKCS8, mine) || !c.Partial {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		if _, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte("wrong")); !errors.Is(err, keystore.ErrPassword) || errors.Is(err, keystore.ErrKeyPassword) {
			t.Errorf("%s, wrong: %v", name, err)
		}
	}
}

// withMAC puts MacData of SHA-1 and one iteration behind a PKCS#12 without any (RFC 7292, 4 and B.2: the key is one block).
func withMAC(t *testing.T, pfx []byte, password string) []byte {
	t.Helper()
	v, err := der.Parse(pfx)
	if err != nil {
		t.Fatal(err)
	}
	r := v.Reader()
	r.Int()
	content := r.Sequence()
	content.OID()
	safe := content.Nested(der.Constructed(0)).OctetString()
	block := func(b []byte) []byte { return bytes.Repeat(b, 64)[:(len(b)+63)/64*64] }
	var bmp []byte
	for _, o := range append([]byte(password), 0) {
		bmp = append(bmp, 0, o)
	}
	salt := []byte("saltsalt")
	key := sha1.Sum(slices.Concat(bytes.Repeat([]byte{3}, 64), block(salt), block(bmp)))
	mac := hmac.New(sha1.New, key[:])
	mac.Write(safe)
	digest := der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("1.3.14.3.2.26"))), der.EncodeOctetString(mac.Sum(nil)))
	return der.EncodeSequence(v.Bytes, der.EncodeSequence(digest, der.EncodeOctetString(salt)))
}

// TestKeyPasswordOfPKCS12: where the MAC takes the password and no key does, the keys have another one; the file is whole.
func TestKeyPasswordOfPKCS12(t *testing.T) {
	b, err := keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, keystore.EncodePKCS8(generate(t, dstu4145.M257()), nil), []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	data := withMAC(t, pfxOf(bag(shroudedBag, b)), "store")
	for password, narrow := range map[string]bool{"store": true, "key": false} {
		_, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte(password))
		if !errors.Is(err, keystore.ErrPassword) || errors.Is(err, keystore.ErrKeyPassword) != narrow {
			t.Errorf("%s: %v", password, err)
		}
	}
	if _, err := keystore.Open(keystore.NewStdPrimitives(), withMAC(t, pfxOf(bag(shroudedBag, b)), "key"), []byte("key")); err != nil {
		t.Errorf("one password: %v", err)
	}
}

// TestNestedSafes: bags inside bags are read, to a depth.
func TestNestedSafes(t *testing.T) {
	plain := keystore.EncodePKCS8(generate(t, dstu4145.M257()), nil)
	nested := func(depth int) []byte {
		b := bag(keyBag, plain)
		for range depth {
			b = bag(safeBag, der.EncodeSequence(b))
		}
		return pfxOf(b)
	}
	for depth, ok := range map[int]bool{0: true, 1: true, 4: true, 5: false} {
		c, err := keystore.Open(keystore.NewStdPrimitives(), nested(depth), nil)
		if ok && (err != nil || len(c.Keys) != 1 || c.Partial) || !ok && !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("depth %d: %v, %v", depth, c, err)
		}
	}
}
