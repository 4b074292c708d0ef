package keystore

import (
	"errors"
	"io"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/gost28147"
	"brama/internal/qes/spki"
)

// An Entry is one key to be written, with the certificates that go along.
type Entry struct {
	Alias string
	PKCS8 []byte    // PrivateKeyInfo, for ДСТУ keys of [EncodePKCS8]
	Chain [][]byte  // certificates, DER; may be empty
	Time  time.Time // JKS only: when the entry was made
}

// A Scheme is how PKCS#8 and PKCS#12 are encrypted.
type Scheme int

// Schemes.
const (
	// SchemeGOST is what national programs write: PBES2 with HMAC-ГОСТ 34.311 and ГОСТ 28147 CFB, MAC with ГОСТ 34.311.
	SchemeGOST Scheme = iota + 1
	// SchemeAES is what everyone else reads: PBES2 with HMAC-SHA-256 and AES-256-CBC, MAC with SHA-256.
	SchemeAES
)

const (
	writtenIterations = 10_000
	writtenSalt       = 32
)

var errScheme = errors.New("keystore: unknown scheme")

// WritePKCS8 writes an EncryptedPrivateKeyInfo.
func WritePKCS8(p Primitives, rand io.Reader, s Scheme, pkcs8, password []byte) ([]byte, error) {
	algorithm, ciphertext, err := encryptPBES2(p, rand, s, pkcs8, password)
	if err != nil {
		return nil, err
	}
	return der.EncodeSequence(algorithm.Encode(), der.EncodeOctetString(ciphertext)), nil
}

// encryptPBES2 encrypts under a new salt.
func encryptPBES2(p Primitives, rand io.Reader, s Scheme, plain, password []byte) (spki.Algorithm, []byte, error) {
	var none spki.Algorithm
	salt := make([]byte, writtenSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return none, nil, err
	}
	iv := make([]byte, 16)
	if _, err := io.ReadFull(rand, iv); err != nil {
		return none, nil, err
	}
	o := &opener{primitives: p, budget: MaxIterations}
	kdf := kdfParameters{salt: salt, iterations: writtenIterations}
	var encryption spki.Algorithm
	var ciphertext []byte
	switch s {
	case SchemeGOST:
		iv = iv[:gost28147.BlockSize]
		kdf.prf = spki.OIDHMACGOST34311
		encryption = spki.Algorithm{OID: spki.OIDGOST28147CFB, Parameters: der.EncodeSequence(
			der.EncodeOctetString(iv), der.EncodeOctetString(gost28147.DKE1().Bytes()))}
		key, err := o.derivePBKDF2(kdf, password, gost28147.KeySize)
		if err != nil {
			return none, nil, err
		}
		stream, err := gost28147.NewCFBEncrypter(key, nil, iv)
		clear(key)
		if err != nil {
			return none, nil, err
		}
		ciphertext = make([]byte, len(plain))
		stream.XORKeyStream(ciphertext, plain)
	case SchemeAES:
		kdf.prf = oidHMACSHA256
		encryption = spki.Algorithm{OID: oidAES256CBC, Parameters: der.EncodeOctetString(iv)}
		key, err := o.derivePBKDF2(kdf, password, 32)
		if err != nil {
			return none, nil, err
		}
		ciphertext, err = p.AESCBCEncrypt(key, iv, plain)
		clear(key)
		if err != nil {
			return none, nil, err
		}
	default:
		return none, nil, errScheme
	}
	derivation := spki.Algorithm{OID: oidPBKDF2, Parameters: der.EncodeSequence(
		der.EncodeOctetString(salt), der.EncodeInt(kdf.iterations),
		spki.Algorithm{OID: kdf.prf, Parameters: der.EncodeNull()}.Encode())}
	return spki.Algorithm{OID: oidPBES2, Parameters: der.EncodeSequence(derivation.Encode(), encryption.Encode())}, ciphertext, nil
}

// WritePKCS12 writes a PFX: one safe with the shrouded keys and, if there are certificates, a second one with them,
// encrypted as a whole. That is the usual form; and there is a reader who takes whatever stands in a safe that is not
// encrypted for a key. A certificate that several entries share stands there once.
func WritePKCS12(p Primitives, rand io.Reader, s Scheme, password []byte, entries []Entry) ([]byte, error) {
	var keys, certificates [][]byte
	written := make(map[string]bool)
	for i, e := range entries {
		shrouded, err := WritePKCS8(p, rand, s, e.PKCS8, password)
		if err != nil {
			return nil, err
		}
		id := localKeyID(p, e, i)
		keys = append(keys, encodeBag(oidShroudedKeyBag, shrouded, e.Alias, id))
		for j, c := range e.Chain {
			if written[string(c)] {
				continue
			}
			written[string(c)] = true
			bag := der.EncodeSequence(der.EncodeOID(oidX509Certificate), der.Element(der.Constructed(0), der.EncodeOctetString(c)))
			if j > 0 {
				id = nil // the issuers: no key of ours
			}
			certificates = append(certificates, encodeBag(oidCertBag, bag, "", id))
		}
	}
	safes := [][]byte{encodeData(der.EncodeSequence(keys...))}
	if len(certificates) > 0 {
		safe, err := encryptData(p, rand, s, der.EncodeSequence(certificates...), password)
		if err != nil {
			return nil, err
		}
		safes = append(safes, safe)
	}
	content := der.EncodeSequence(safes...)
	mac, err := encodeMAC(p, rand, s, content, password)
	if err != nil {
		return nil, err
	}
	return der.EncodeSequence(der.EncodeInt(3), encodeData(content), mac), nil
}

// encryptData writes EncryptedData (RFC 5652 8) in its ContentInfo.
func encryptData(p Primitives, rand io.Reader, s Scheme, plain, password []byte) ([]byte, error) {
	algorithm, ciphertext, err := encryptPBES2(p, rand, s, plain, password)
	if err != nil {
		return nil, err
	}
	info := der.EncodeSequence(der.EncodeOID(oidData), algorithm.Encode(), der.Element(der.Context(0), ciphertext))
	return der.EncodeSequence(der.EncodeOID(oidEncryptedData),
		der.Element(der.Constructed(0), der.EncodeSequence(der.EncodeInt(0), info))), nil
}

// localKeyID ties a key to its certificate: the key identifier, or the number of the entry.
func localKeyID(p Primitives, e Entry, i int) []byte {
	o := &opener{primitives: p}
	if o.addPKCS8(e.PKCS8, "") == nil && o.container.Keys[0].ID != nil {
		return o.container.Keys[0].ID
	}
	return []byte{byte(i >> 8), byte(i)}
}

func encodeData(content []byte) []byte {
	return der.EncodeSequence(der.EncodeOID(oidData), der.Element(der.Constructed(0), der.EncodeOctetString(content)))
}

func encodeBag(kind der.OID, value []byte, name string, id []byte) []byte {
	parts := [][]byte{der.EncodeOID(kind), der.Element(der.Constructed(0), value)}
	var attributes [][]byte
	if name != "" {
		attributes = append(attributes, der.EncodeSequence(der.EncodeOID(oidFriendlyName),
			der.EncodeSetOf(der.Element(der.BMPString, utf16BE([]byte(name))))))
	}
	if id != nil {
		attributes = append(attributes, der.EncodeSequence(der.EncodeOID(oidLocalKeyID), der.EncodeSetOf(der.EncodeOctetString(id))))
	}
	if attributes != nil {
		parts = append(parts, der.EncodeSetOf(attributes...))
	}
	return der.EncodeSequence(parts...)
}

func encodeMAC(p Primitives, rand io.Reader, s Scheme, content, password []byte) ([]byte, error) {
	alg, oid := hashGOST, spki.OIDGOST34311
	if s == SchemeAES {
		alg, oid = "SHA-256", oidSHA256
	}
	salt := make([]byte, writtenSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return nil, err
	}
	o := &opener{primitives: p}
	key, err := o.pkcs12KDF(alg, 3, bmpPasswords(password)[0], salt, writtenIterations, blockSizes[alg].u)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	mac, err := o.hmac(alg, key, content)
	if err != nil {
		return nil, err
	}
	digest := spki.Algorithm{OID: oid, Parameters: der.EncodeNull()}
	return der.EncodeSequence(der.EncodeSequence(digest.Encode(), der.EncodeOctetString(mac)),
		der.EncodeOctetString(salt), der.EncodeInt(writtenIterations)), nil
}

// WriteJKS writes a Java keystore of version 2. Java itself always uses one password for the store and its keys; real
// files have two.
func WriteJKS(p Primitives, rand io.Reader, storePassword, keyPassword []byte, entries []Entry) ([]byte, error) {
	o := &opener{primitives: p}
	keyUTF16, storeUTF16 := utf16BE(keyPassword), utf16BE(storePassword)
	defer clear(keyUTF16)
	defer clear(storeUTF16)
	out := append([]byte(nil), jksMagic[:]...)
	out = appendNumber(out, 4, 2)
	out = appendNumber(out, 4, len(entries))
	for _, e := range entries {
		salt := make([]byte, jksDigest)
		if _, err := io.ReadFull(rand, salt); err != nil {
			return nil, err
		}
		encrypted, err := o.jksStream(keyUTF16, salt, e.PKCS8)
		if err != nil {
			return nil, err
		}
		check, err := p.Digest("SHA-1", append(append([]byte(nil), keyUTF16...), e.PKCS8...))
		if err != nil {
			return nil, err
		}
		algorithm := spki.Algorithm{OID: oidJKSProtector, Parameters: der.EncodeNull()}
		protected := der.EncodeSequence(algorithm.Encode(),
			der.Element(der.OctetString, salt, encrypted, check))
		out = appendNumber(out, 4, 1)
		out = appendNumber(out, 2, len(e.Alias))
		out = append(out, e.Alias...)
		out = appendNumber(out, 8, int(e.Time.UnixMilli()))
		out = appendNumber(out, 4, len(protected))
		out = append(out, protected...)
		out = appendNumber(out, 4, len(e.Chain))
		for _, c := range e.Chain {
			out = appendNumber(out, 2, len("X.509"))
			out = append(out, "X.509"...)
			out = appendNumber(out, 4, len(c))
			out = append(out, c...)
		}
	}
	sum, err := o.jksSum(storeUTF16, out)
	if err != nil {
		return nil, err
	}
	return append(out, sum...), nil
}

func appendNumber(b []byte, octets, n int) []byte {
	for i := octets - 1; i >= 0; i-- {
		b = append(b, byte(int64(n)>>(8*i)))
	}
	return b
}
