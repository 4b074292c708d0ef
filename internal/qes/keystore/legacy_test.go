package keystore

import (
	"bytes"
	"crypto/des"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

func TestTripleDES(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	for range 200 {
		key, block, got, want := make([]byte, 24), make([]byte, 8), make([]byte, 8), make([]byte, 8)
		source.Read(key)
		source.Read(block)
		std, err := des.NewTripleDESCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		std.Decrypt(want, block)
		newTripleDES(key).decrypt(got, block)
		if !bytes.Equal(got, want) {
			t.Fatalf("key %x, block %x: %x, want %x", key, block, got, want)
		}
	}
}

// TestRC2 is the examples of RFC 2268 5 whose effective length is that of the key.
func TestRC2(t *testing.T) {
	for _, v := range []struct{ key, plain, cipher string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, _ := hex.DecodeString(v.key)
		block, _ := hex.DecodeString(v.cipher)
		got := make([]byte, 8)
		newRC2(key).decrypt(got, block)
		if hex.EncodeToString(got) != v.plain {
			t.Errorf("key %s: %x, want %s", v.key, got, v.plain)
		}
	}
}
