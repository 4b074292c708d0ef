package keystore

import (
	"errors"

	"brama/internal/der"
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
	ErrNoKey       = errors.New("keystore: the container holds no private key")
)

// ErrKeyPassword is an ErrPassword where the password opened the store but none of its keys: they have another one.
var ErrKeyPassword = fault{"keystore: the password fits the store but not its keys", ErrPassword}

// A fault is a narrower case of another error.
type fault struct {
	text  string
	under error
}

func (f fault) Error() string { return f.text }
func (f fault) Unwrap() error { return f.under }

// A Format is a container format.
type Format string

// Formats.
const (
	Key6           Format = "key-6.dat"
	PKCS12         Format = "pkcs12"
	JKS            Format = "jks"
	PKCS8          Format = "pkcs8"
	PKCS8Encrypted Format = "pkcs8-encrypted"
)

// Limits of a container. They are checked before the work that they limit.
const (
	// MaxSize bounds the file. A JKS with four chains has 30 KB.
	MaxSize = 1 << 20
	// MaxKeys and MaxCertificates bound what is taken out of one file.
	MaxKeys         = 64
	MaxCertificates = 256
	// MaxIterations bounds the iterations of all key derivations of one file together: about 4 s on a server and 10 s in
	// a browser. Real files have 2048 to 100,000 each.
	MaxIterations = 2_000_000
	// MaxPassword bounds the password in bytes.
	MaxPassword = 1024
)

// Primitives are the standard algorithms that national cryptography does not bring: in the browser they are WebCrypto's,
// on the server the standard library's ([NewStdPrimitives], not built for js). They are called from one goroutine.
type Primitives interface {
	// Digest returns the digest of data; alg is "SHA-1", "SHA-256", "SHA-384" or "SHA-512". Key derivations call it up to
	// MaxIterations times.
	Digest(alg string, data []byte) ([]byte, error)
	// PBKDF2 derives size bytes with HMAC over alg (RFC 8018 5.2).
	PBKDF2(alg string, password, salt []byte, iterations, size int) ([]byte, error)
	// AESCBCDecrypt decrypts and removes the padding of RFC 8018 6.2 (PKCS#7), AESCBCEncrypt adds it. The key has 16, 24
	// or 32 bytes, the iv 16. Bad padding is an error.
	AESCBCDecrypt(key, iv, ciphertext []byte) ([]byte, error)
	AESCBCEncrypt(key, iv, plaintext []byte) ([]byte, error)
	// ECPublicKey computes the uncompressed public point of an ECDSA key given as PrivateKeyInfo; an error if the curve is
	// not known here.
	ECPublicKey(pkcs8 []byte) ([]byte, error)
}

// A Usage is what a key is for, as far as the container tells: national providers issue pairs.
type Usage string

// Usages.
const (
	UsageUnknown   Usage = ""
	UsageSigning   Usage = "signing"
	UsageAgreement Usage = "agreement"
)

// Names of the algorithms of keys. For any other Key.Algorithm is the dotted OID.
const (
	AlgorithmDSTU  = "DSTU4145"
	AlgorithmRSA   = "RSA"
	AlgorithmECDSA = "ECDSA"
)

// A Key is one private key of a container.
type Key struct {
	Alias     string
	Usage     Usage
	Algorithm string
	Curve     string               // "M257", "P-256"; the dotted OID of another curve; "" for RSA
	DSTU      *dstu4145.PrivateKey // nil for any other algorithm
	PKCS8     []byte               // PrivateKeyInfo of this key alone
	// Public is the content of the BIT STRING of the SubjectPublicKeyInfo: for ДСТУ the DER OCTET STRING of the compressed
	// point, for ECDSA the uncompressed point, for RSA RSAPublicKey. nil if it is not known.
	Public []byte
	// ID is the key identifier: ГОСТ 34.311 over Public for ДСТУ keys, SHA-1 for the others (RFC 5280 4.2.1.2). IDKupyna is
	// Купина-256 over Public for ДСТУ keys, else nil. Searches try both.
	ID, IDKupyna []byte
}

// A Container is what was found after opening.
type Container struct {
	Format       Format
	Keys         []Key    // at least one
	Certificates [][]byte // DER, in the order found, each once
	// Partial says that something in the container could not be read: a key under another password, a scheme that is not
	// known here. What could be read is complete.
	Partial bool
}

// Open recognises the container by its bytes and opens it. The password is UTF-8 as typed; a container that has none
// ignores it. Neither data nor password is kept or changed.
//
// The error is one of this package's. Where a format has no check value (PKCS#8 encrypted) a damaged file reads as a wrong
// password, and a wrong password can, rarely, give a key of garbage: compare with the certificate before signing.
func Open(p Primitives, data, password []byte) (*Container, error) {
	if len(password) > MaxPassword {
		return nil, ErrPassword
	}
	content, format, err := recognise(data)
	if err != nil {
		return nil, err
	}
	o := &opener{primitives: p, password: password, budget: MaxIterations, container: Container{Format: format}}
	switch format {
	case Key6:
		err = o.openKey6(content.body)
	case PKCS12:
		err = o.openPKCS12(content.body)
	case JKS:
		err = o.openJKS(content.body)
	case PKCS8:
		err = o.addPKCS8(content.body, "")
	case PKCS8Encrypted:
		err = o.openPKCS8Encrypted(content.body)
	}
	if err != nil {
		return nil, err
	}
	for _, c := range content.certificates {
		o.addCertificate(c)
	}
	if len(o.container.Keys) == 0 {
		if o.container.Partial {
			return nil, ErrUnsupported
		}
		return nil, ErrNoKey
	}
	o.container.guessUsage()
	return &o.container, nil
}

// Recognise tells the format without a password. Its errors are ErrTooBig, ErrDamaged, ErrCertificate, ErrSigned,
// ErrArchive, ErrUnknown and ErrUnsupported.
func Recognise(data []byte) (Format, error) {
	_, format, err := recognise(data)
	return format, err
}

// An opener is one opening in progress.
type opener struct {
	primitives Primitives
	password   []byte
	budget     int // iterations left
	container  Container
	// otherPassword says that something is under another password, or that this one is wrong.
	otherPassword bool
}

// spend takes iterations out of the budget before they are run.
func (o *opener) spend(iterations int) error {
	if iterations < 1 || iterations > o.budget {
		return ErrUnsupported
	}
	o.budget -= iterations
	return nil
}

func (o *opener) addCertificate(raw []byte) {
	if len(o.container.Certificates) >= MaxCertificates {
		return
	}
	for _, c := range o.container.Certificates {
		if string(c) == string(raw) {
			return
		}
	}
	o.container.Certificates = append(o.container.Certificates, append([]byte(nil), raw...))
}

func (o *opener) addKey(k Key) error {
	if len(o.container.Keys) >= MaxKeys {
		return ErrDamaged
	}
	o.container.Keys = append(o.container.Keys, k)
	return nil
}

// done reports a fault of form in any of the readers as ErrDamaged.
func done(readers ...*der.Reader) error {
	for _, r := range readers {
		if err := r.Done(); err != nil {
			return errors.Join(ErrDamaged, err)
		}
	}
	return nil
}
