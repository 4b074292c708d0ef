package pkcs11

import "errors"

// Causes that a caller can tell apart (errors.Is). Every other failure of a module is ErrFault.
var (
	ErrNotBuilt       = errors.New("pkcs11: this program was built without support for PKCS#11 modules (cgo)")
	ErrNoModule       = errors.New("pkcs11: the file cannot be loaded as a PKCS#11 module")
	ErrPINWrong       = errors.New("pkcs11: wrong PIN")
	ErrPINLocked      = errors.New("pkcs11: the PIN is locked")
	ErrPINExpired     = errors.New("pkcs11: the PIN must be changed first")
	ErrCancelled      = errors.New("pkcs11: cancelled at the device")
	ErrRemoved        = errors.New("pkcs11: the token was removed")
	ErrUnsupported    = errors.New("pkcs11: the token does not support this")
	ErrAuthentication = errors.New("pkcs11: the key asks for the PIN at every signature")
	ErrFault          = errors.New("pkcs11: the module failed")
	ErrNoToken        = errors.New("pkcs11: no such token")
	ErrNoKey          = errors.New("pkcs11: no such key")
	ErrSilent         = errors.New("pkcs11: the token does not answer in time")
)

// A Token is what a token says of itself before any login (CK_TOKEN_INFO).
type Token struct {
	Slot                                uint
	Label, Manufacturer, Model, Serial  string // trimmed, valid UTF-8, no control characters
	LoginRequired                       bool
	PINPad                              bool // CKF_PROTECTED_AUTHENTICATION_PATH: the PIN is typed on the reader
	PINCountLow, PINFinalTry, PINLocked bool // what the token tells of attempts; PKCS#11 has no number
}

// A KeyType is the algorithm of a key. The zero value is none that can sign here.
type KeyType int

// Key types.
const (
	DSTU4145 KeyType = iota + 1
	ECDSA
	RSA
)

// A Key is a private key object. What it says of its public half comes from the token.
type Key struct {
	ID     []byte // CKA_ID, which pairs it with a certificate; may be empty
	Label  string
	Type   KeyType
	Params []byte // CKA_EC_PARAMS of an elliptic curve, DER; nil if the token does not tell
	// Point is CKA_EC_POINT of the public key as the token gives it: for ДСТУ 4145 the OCTET STRING with the compressed
	// point exactly as in a certificate. nil if there is no public key object.
	Point             []byte
	Modulus, Exponent []byte // of RSA, big-endian
	// Authenticate says that the key wants a login for each signature (CKA_ALWAYS_AUTHENTICATE).
	Authenticate bool

	handle uint
}

// A Hash names what a value is signed over.
type Hash string

// Hashes. The national ones go with ДСТУ 4145 only.
const (
	SHA256    Hash = "SHA-256"
	SHA384    Hash = "SHA-384"
	SHA512    Hash = "SHA-512"
	GOST34311 Hash = "GOST 34.311"
	Kupyna256 Hash = "Kupyna-256"
	Kupyna384 Hash = "Kupyna-384"
	Kupyna512 Hash = "Kupyna-512"
)

// An Input is what is signed: the message and its digest under Hash. Tokens take the digest, but for those that insist
// on hashing the message themselves.
type Input struct {
	Hash            Hash
	Digest, Message []byte
}

// Limits on what a module may say. A token of a person has a few objects of a few kilobytes.
const (
	maxSlots     = 64
	maxObjects   = 256
	maxAttribute = 64 << 10
)

// A Wrapped is a content key that was encrypted by key agreement with ДСТУ 4145, ГОСТ 34.311 and the key wrap of ГОСТ 28147.
type Wrapped struct {
	// Cofactor says that the agreement multiplies by the cofactor too.
	Cofactor bool
	// Point is the compressed public point of the other side, as in a certificate, without the OCTET STRING around it.
	Point []byte
	// UKM is the user keying material; nil if there is none.
	UKM []byte
	// Key is the wrapped key.
	Key []byte
}

// Mechanisms and key types of vendors for the national algorithms: the numbers on which the makers of Ukrainian tokens
// and their libraries agree. CKM_DSTU4145 signs a ready digest and has no parameters.
const (
	mechanismDSTU4145              = 0x80420031
	mechanismDSTU4145WithGOST34311 = 0x80420032
	mechanismDSTU4145WithKupyna256 = 0x80420033
	mechanismDSTU4145WithKupyna384 = 0x80420034
	mechanismDSTU4145WithKupyna512 = 0x80420035
	mechanismDSTU4145ECDH          = 0x80420043
	mechanismDSTU4145CofactorECDH  = 0x80420044
	mechanismGOST28147Wrap         = 0x80420016
	derivationGOST34311            = 0x80420211
	keyTypeDSTU4145                = 0x80420131
	keyTypeGOST28147               = 0x80420111
)
