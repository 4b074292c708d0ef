//go:build !js

package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"hash"
)

// NewStdPrimitives returns the algorithms of the standard library.
func NewStdPrimitives() Primitives { return stdPrimitives{} }

type stdPrimitives struct{}

var _ Primitives = stdPrimitives{}

var stdHashes = map[string]func() hash.Hash{"SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New}

func (stdPrimitives) Digest(alg string, data []byte) ([]byte, error) {
	switch alg { // the two that are called in loops
	case "SHA-1":
		sum := sha1.Sum(data)
		return sum[:], nil
	case "SHA-256":
		sum := sha256.Sum256(data)
		return sum[:], nil
	}
	newHash := stdHashes[alg]
	if newHash == nil {
		return nil, ErrUnsupported
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil), nil
}

func (stdPrimitives) PBKDF2(alg string, password, salt []byte, iterations, size int) ([]byte, error) {
	newHash := stdHashes[alg]
	if newHash == nil {
		return nil, ErrUnsupported
	}
	return pbkdf2.Key(newHash, string(password), salt, iterations, size)
}

func (stdPrimitives) AESCBCDecrypt(key, iv, ciphertext []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != aes.BlockSize || len(ciphertext) == 0 || len(ciphertext)%aes.BlockSize != 0 {
		return nil, ErrDamaged
	}
	plain := make([]byte, len(ciphertext))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, ciphertext)
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, ErrPassword
	}
	for _, o := range plain[len(plain)-n:] {
		if int(o) != n {
			return nil, ErrPassword
		}
	}
	return plain[:len(plain)-n], nil
}

func (stdPrimitives) AESCBCEncrypt(key, iv, plaintext []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != aes.BlockSize {
		return nil, errors.New("keystore: iv of a wrong size")
	}
	n := aes.BlockSize - len(plaintext)%aes.BlockSize
	out := append(make([]byte, 0, len(plaintext)+n), plaintext...)
	for range n {
		out = append(out, byte(n))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return out, nil
}

func (stdPrimitives) ECPublicKey(pkcs8 []byte) ([]byte, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, ErrUnsupported
	}
	return ec.PublicKey.Bytes()
}
