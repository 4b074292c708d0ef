package cms

import (
	"crypto"
	"hash"
	"io"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kalyna"
	"brama/internal/dstu/kupyna"
	"brama/internal/qes/spki"
)

// An EnvelopeKey is a private key that opens envelopes: a [KeyAgreer], whose secrets are derived and used here, or a
// [KeyUnwrapper], whose secrets are never seen here. Anything else opens nothing ([CheckEnvelopeKey]).
type EnvelopeKey interface {
	// Public returns the key's other half, a *dstu4145.PublicKey.
	Public() crypto.PublicKey
}

// A KeyUnwrapper is a key in a token, which derives the key that wraps and unwraps the content key with it.
type KeyUnwrapper interface {
	EnvelopeKey
	// UnwrapKey returns the content key, 32 octets. Every failure in which the private key had a part is told alike by who
	// calls; the error is for the operator.
	UnwrapKey(w WrappedKey) ([]byte, error)
}

// A WrappedKey is a content key as one recipient gets it.
type WrappedKey struct {
	// Agreement is the key agreement with its derivation, Wrap the algorithm by which Key is encrypted.
	Agreement der.OID
	Wrap      spki.Algorithm
	Peer      *dstu4145.PublicKey // of the other side, on the curve of the private key
	UKM       []byte              // nil if absent
	Key       []byte
	// SBox is the ДКЕ that the recipient's certificate names, packed; nil is ДКЕ № 1.
	SBox []byte
}

// CheckEnvelopeKey refuses a key that can open nothing.
func CheckEnvelopeKey(k EnvelopeKey) error {
	switch k.(type) {
	case KeyUnwrapper, KeyAgreer:
	default:
		return errNoKey
	}
	if public, ok := k.Public().(*dstu4145.PublicKey); !ok || public == nil {
		return errNoKey
	}
	return nil
}

// A KeyAgreer is a private key for key agreement at hand: a *dstu4145.PrivateKey.
type KeyAgreer interface {
	EnvelopeKey
	// ECDH and CofactorECDH return the x coordinate of d·Q and of h·d·Q, big-endian, ⌈m/8⌉ octets. The error is for
	// keys on another curve.
	ECDH(peer *dstu4145.PublicKey) ([]byte, error)
	CofactorECDH(peer *dstu4145.PublicKey) ([]byte, error)
}

var _ KeyAgreer = (*dstu4145.PrivateKey)(nil)

// keySize is the length of content keys and of the keys that wrap them, for both ciphers.
const keySize = 32

// An agreement is a Diffie-Hellman with its key derivation.
type agreement struct {
	cofactor bool
	hash     func() hash.Hash
	// strip says that leading zero octets of the shared secret are left out of the hash.
	strip bool
}

// findAgreement looks an agreement up. (This and its two sisters are functions and no maps because a map that is a variable
// would bring all that it points to into the browser program, which opens no envelopes.)
func findAgreement(o der.OID) (agreement, bool) {
	switch o {
	case OIDCofactorDHWithGOST34311:
		return agreement{cofactor: true, hash: gost34311.New, strip: true}, true
	case OIDDHWithGOST34311:
		return agreement{hash: gost34311.New, strip: true}, true
	case OIDCofactorDHWithKupyna256:
		return agreement{cofactor: true, hash: kupyna.New256}, true
	case OIDDHWithKupyna256:
		return agreement{hash: kupyna.New256}, true
	}
	return agreement{}, false
}

func (a agreement) secret(key KeyAgreer, peer *dstu4145.PublicKey) ([]byte, error) {
	if a.cofactor {
		return key.CofactorECDH(peer)
	}
	return key.ECDH(peer)
}

// leadingZeros counts the zero octets at the start of a shared secret. How many there are is the only thing about it that
// the derivation's time shows.
func leadingZeros(z []byte) int {
	for i, o := range z {
		if o != 0 {
			return i
		}
	}
	return len(z)
}

// keks derives the key that encrypts the content key (SEC 1, 3.6.1, and RFC 5753 7.2 with national hashes): H(Z || 00000001 ||
// SharedInfo). With ГОСТ 34.311 programs leave out leading zeros of Z, all of them or the first alone: where that differs,
// once in 512 secrets of M257, the first key returned is by the one rule and the second by the other. Two are returned
// always, so that the time is the same.
func (a agreement) keks(z []byte, wrap spki.Algorithm, ukm []byte) [2][]byte {
	info := sharedInfo(wrap, ukm)
	first, second := z, z
	if a.strip {
		zeros := leadingZeros(z)
		first, second = z[zeros:], z[min(zeros, 1):]
	}
	return [2][]byte{a.kek(first, info), a.kek(second, info)}
}

func (a agreement) kek(z, info []byte) []byte {
	h := a.hash()
	h.Write(z)
	h.Write([]byte{0, 0, 0, 1})
	h.Write(info)
	return h.Sum(nil)
}

// sharedInfo encodes ECC-CMS-SharedInfo (RFC 5753 7.2) with the wrap's AlgorithmIdentifier as it stands in the message, and
// a key of 256 bits.
func sharedInfo(wrap spki.Algorithm, ukm []byte) []byte {
	var entity []byte
	if ukm != nil {
		entity = der.Element(der.Constructed(0), der.EncodeOctetString(ukm))
	}
	size := der.Element(der.Constructed(2), der.EncodeOctetString([]byte{0, 0, keySize * 8 >> 8, keySize * 8 & 0xff}))
	return der.EncodeSequence(wrap.Encode(), entity, size)
}

// A keyWrap encrypts content keys. sbox is of the recipient's key and matters to ГОСТ 28147 only.
type keyWrap struct {
	wrap   func(kek []byte, sbox *gost28147.SBox, key []byte, rand io.Reader) ([]byte, error)
	unwrap func(kek []byte, sbox *gost28147.SBox, wrapped []byte) ([]byte, error)
}

// findKeyWrap looks a wrap up. Its parameters are NULL, or absent: nothing else has a meaning.
func findKeyWrap(a spki.Algorithm) (keyWrap, bool) {
	if a.Parameters != nil && string(a.Parameters) != "\x05\x00" {
		return keyWrap{}, false
	}
	switch a.OID {
	case OIDGOST28147Wrap:
		return keyWrap{gost28147.WrapKey, gost28147.UnwrapKey}, true
	case OIDKalynaWrap:
		return keyWrap{
			func(kek []byte, _ *gost28147.SBox, key []byte, rand io.Reader) ([]byte, error) {
				return kalyna.WrapKey(kek, key, rand)
			},
			func(kek []byte, _ *gost28147.SBox, wrapped []byte) ([]byte, error) {
				return kalyna.UnwrapKey(kek, wrapped)
			},
		}, true
	}
	return keyWrap{}, false
}

// A contentCipher is a cipher of contents.
type contentCipher struct {
	// crypt encrypts or decrypts src into dst of the same length, which may be src.
	crypt func(key []byte, p cipherParameters, dst, src []byte, decrypt bool) error
	iv    int // octets of the initialisation vector
	// sbox says that the parameters may hold a ДКЕ.
	sbox bool
}

type cipherParameters struct {
	iv   []byte
	sbox *gost28147.SBox // nil is ДКЕ № 1
}

func findContentCipher(o der.OID) (contentCipher, bool) {
	switch o {
	case OIDGOST28147CFB:
		return contentCipher{cryptGOST28147CFB, gost28147.BlockSize, true}, true
	case OIDGOST28147CTR:
		return contentCipher{cryptGOST28147CTR, gost28147.BlockSize, true}, true
	case OIDKalyna256CFB:
		return contentCipher{cryptKalynaCFB, kalynaBlock, false}, true
	case OIDKalyna256CTR:
		return contentCipher{cryptKalynaCTR, kalynaBlock, false}, true
	}
	return contentCipher{}, false
}

const kalynaBlock = 32

func cryptGOST28147CFB(key []byte, p cipherParameters, dst, src []byte, decrypt bool) error {
	start := gost28147.NewCFBEncrypter
	if decrypt {
		start = gost28147.NewCFBDecrypter
	}
	s, err := start(key, p.sbox, p.iv)
	if err != nil {
		return err
	}
	s.XORKeyStream(dst, src)
	return nil
}

func cryptGOST28147CTR(key []byte, p cipherParameters, dst, src []byte, _ bool) error {
	s, err := gost28147.NewCTR(key, p.sbox, p.iv)
	if err != nil {
		return err
	}
	s.XORKeyStream(dst, src)
	return nil
}

func cryptKalynaCFB(key []byte, p cipherParameters, dst, src []byte, decrypt bool) error {
	c, err := kalyna.NewCipher(key, kalynaBlock)
	if err != nil {
		return err
	}
	if decrypt {
		return kalyna.DecryptCFB(c, dst, src, p.iv)
	}
	return kalyna.EncryptCFB(c, dst, src, p.iv)
}

func cryptKalynaCTR(key []byte, p cipherParameters, dst, src []byte, _ bool) error {
	c, err := kalyna.NewCipher(key, kalynaBlock)
	if err != nil {
		return err
	}
	s, err := kalyna.NewCTR(c, p.iv)
	if err != nil {
		return err
	}
	s.XORKeyStream(dst, src)
	return nil
}

// longIV is the length of a vector in messages of one old program, which takes only the first octets of it.
const longIV = 32

// parameters reads SEQUENCE { iv OCTET STRING, dke OCTET STRING OPTIONAL }.
func (c contentCipher) parameters(raw []byte) (p cipherParameters, err error) {
	outer := der.NewReader(raw)
	seq := outer.Sequence()
	p.iv = seq.OctetString()
	if c.sbox && len(p.iv) == longIV {
		p.iv = p.iv[:c.iv]
	}
	var packed []byte
	if c.sbox && seq.Peek(der.OctetString) {
		packed = seq.OctetString()
	}
	if seq.Done() != nil || outer.Done() != nil || len(p.iv) != c.iv {
		return p, ErrEnvelopeAlgorithm
	}
	if packed != nil {
		if p.sbox, err = gost28147.ParseSBox(packed); err != nil {
			return p, ErrEnvelopeAlgorithm
		}
	}
	return p, nil
}
