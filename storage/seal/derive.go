package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// Derive returns the key of KeySize bytes that belongs to label under a secret (HKDF-SHA-256, RFC 5869), so that one
// secret of a configuration serves several purposes without sharing a key between them. The secret has at least 32
// random bytes.
func Derive(secret []byte, label string) []byte {
	k, err := hkdf.Key(sha256.New, secret, nil, "brama "+label, KeySize)
	if err != nil {
		panic("seal: internal error: " + err.Error())
	}
	return k
}
