// Package keystore opens and writes key containers: Key-6.dat, PKCS#12, JKS, PKCS#8.
package keystore

import (
	"errors"

	"brama/internal/dstu/dstu4145"
)

// Errors, each one cause (errors.Is).
var (
	ErrPassword    = errors.New("keystore: wrong password")
	ErrDamaged     = errors.New("keystore: container is damaged")
	ErrTooBig      = errors.New("keystore: file is too large")
	ErrCertificate = errors.New("keystore: this is a certificate, not a key")
	ErrSigned      = errors.New("keystore: this is a signed document, not a key")
	ErrArchive     = errors.New("keystore: this is an archive, not a key")
	ErrUnknown     = errors.New("keystore: this is no key container")
	ErrUnsupported = errors.New("keystore: unsupported encryption scheme or parameters")
)

// A Format is a container format: "key-6.dat", "pkcs12", "jks", "pkcs8", "pkcs8-encrypted".
type Format string

// Primitives are the standard algorithms that national cryptography does not bring: in the browser they are WebCrypto's, on
// the server the standard library's (NewStdPrimitives lives in a file that is not built for js).
type Primitives interface {
	// Digest: alg is "SHA-1", "SHA-256", "SHA-384", "SHA-512".
	Digest(alg string, data []byte) ([]byte, error)
	PBKDF2(alg string, password, salt []byte, iterations, size int) ([]byte, error)
	HMAC(alg string, key, data []byte) ([]byte, error)
	AESCBCDecrypt(key, iv, ciphertext []byte) ([]byte, error) // no padding removed
	AESCBCEncrypt(key, iv, plaintext []byte) ([]byte, error)  // no padding added
}

// A Key is one private key of a container.
type Key struct {
	Alias string
	DSTU  *dstu4145.PrivateKey // nil if Other
	PKCS8 []byte               // the whole PrivateKeyInfo; for RSA and ECDSA that is the key
	Alg   string               // "DSTU4145", "RSA", "ECDSA", or the OID
	Curve string               // "M257", "P-256", …
	// ID is the GOST 34.311 key id (32 bytes) for DSTU keys, IDKupyna the Kupyna one.
	ID, IDKupyna []byte
}

// A Container is what was found after opening.
type Container struct {
	Format       Format
	Keys         []Key
	Certificates [][]byte // DER, in the order found
}

// Open recognises the container by its bytes and opens it.
func Open(p Primitives, data, password []byte) (*Container, error) { panic("unimplemented") }

// Recognise tells the format without a password.
func Recognise(data []byte) (Format, error) { panic("unimplemented") }
