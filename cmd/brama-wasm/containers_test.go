//go:build !js

package main

import (
	"encoding/hex"
	"path/filepath"
	"testing"

	"brama/internal/qes/keystore"
	"brama/internal/vectors"
)

// passwords of the real containers, as their README gives them.
var passwords = map[string]string{
	"iit-test4-Key-6.dat": "tect4", "testplat2021.pfx": "testplat2021", "diia-test.p12": "testpassword",
	"privatbank-test-boss.jks": "1111111111", "rsa-one-key.jks": "testpassword", "ecdsa-sha1-3des.pfx": "123456",
	"GovAuction-Key-6.dat": "12345677", "pkcs8-m257-40a0.der": "", "pkcs8-m431-e54b.der": "", "pkcs8-priv1.der": "",
	"pkcs8-enc-a040.der": "password", "pkcs8-enc-aes-private2.pem": "123456",
	"pkcs8-enc-aes-public2.pem": "", "raw-userfiz.bin": "",
}

// TestContainersUnderNode: the browser program reads every real file as the native code does, and refuses what that
// refuses with the same code.
func TestContainersUnderNode(t *testing.T) {
	b := start(t)
	for _, path := range vectors.Glob(t, "keys/*") {
		name := filepath.Base(path)
		password, known := passwords[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		data := vectors.Read(t, "keys/"+name)
		t.Run(name, func(t *testing.T) {
			a := same(t, b, data, password)
			t.Logf("%.1f ms", a.MS)
			same(t, b, data, password+"x")
			same(t, b, data, "пароль")
			same(t, b, data[:len(data)*2/3], password)
			damaged := append([]byte(nil), data...)
			damaged[len(damaged)/2] ^= 0x10
			same(t, b, damaged, password)
		})
	}
	for name, data := range map[string][]byte{
		"certificate": vectors.Read(t, "certs/cao-root.cer"),
		"signed":      vectors.Read(t, "cms/bes-attached.p7s"),
		"bundle":      vectors.ReadTrust(t, "CACertificates.Test.p7b"),
		"zip":         []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"text":        []byte("Ключ десь на столі, подивіться там."),
		"empty":       nil,
		"huge":        make([]byte, keystore.MaxSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			if a := same(t, b, data, "x"); a.OK {
				t.Error("opened")
			}
		})
	}
}

// same opens data natively and in the browser program, and compares everything that they say.
func same(t *testing.T, b *browser, data []byte, password string) answer {
	t.Helper()
	b.t = t
	a := b.open(data, password)
	want, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte(password))
	if err != nil {
		c, kind := codeOf(err)
		if a.OK || a.Code != string(c) || a.Kind != kind {
			t.Errorf("%q: %+v, want %s %s", password, a, c, kind)
		}
		return a
	}
	if !a.OK || a.Format != string(want.Format) || len(a.Keys) != len(want.Keys) {
		t.Fatalf("%q: %+v, want %d keys of %s", password, a, len(want.Keys), want.Format)
	}
	for i, k := range want.Keys {
		got := a.Keys[i]
		if got.KeyID != hex.EncodeToString(k.ID) || got.KeyIDKupyna != hex.EncodeToString(k.IDKupyna) || got.Curve != k.Curve ||
			got.Algorithm != k.Algorithm || got.Alias != k.Alias || got.Usage != string(k.Usage) || got.Index != i {
			t.Errorf("key %d: %+v", i, got)
		}
	}
	return a
}
