package keystore

import (
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/qes/spki"
)

var (
	oidPBES2      = der.NewOID("1.2.840.113549.1.5.13")
	oidPBKDF2     = der.NewOID("1.2.840.113549.1.5.12")
	oidHMACSHA1   = der.NewOID("1.2.840.113549.2.7")
	oidHMACSHA256 = der.NewOID("1.2.840.113549.2.9")
	oidHMACSHA384 = der.NewOID("1.2.840.113549.2.10")
	oidHMACSHA512 = der.NewOID("1.2.840.113549.2.11")
	oidAES128CBC  = der.NewOID("2.16.840.1.101.3.4.1.2")
	oidAES192CBC  = der.NewOID("2.16.840.1.101.3.4.1.22")
	oidAES256CBC  = der.NewOID("2.16.840.1.101.3.4.1.42")
	oid3DESCBC    = der.NewOID("1.2.840.113549.3.7")
	oidPBE3DES3   = der.NewOID("1.2.840.113549.1.12.1.3")
	oidPBE3DES2   = der.NewOID("1.2.840.113549.1.12.1.4")
	oidPBERC2128  = der.NewOID("1.2.840.113549.1.12.1.5")
	oidPBERC240   = der.NewOID("1.2.840.113549.1.12.1.6")
)

// decryptPBE opens what was encrypted under a password-based scheme: PBES2 (RFC 8018 6.2) with ГОСТ 28147 CFB, AES-CBC or
// 3DES-CBC, or one of the schemes of RFC 7292 appendix C. ErrPassword means that the padding is wrong; the schemes without
// padding give garbage for a wrong password.
func (o *opener) decryptPBE(a spki.Algorithm, ciphertext, password []byte) ([]byte, error) {
	if a.OID == oidPBES2 {
		return o.decryptPBES2(a.Parameters, ciphertext, password)
	}
	if a.OID.HasPrefix(oidPKCS12PBE) {
		return o.decryptPKCS12PBE(a, ciphertext, password)
	}
	return nil, ErrUnsupported
}

// kdfParameters are those of PBKDF2 (RFC 8018 A.2).
type kdfParameters struct {
	salt       []byte
	iterations int
	keySize    int // 0 if absent
	prf        der.OID
}

func readPBKDF2(a spki.Algorithm) (kdfParameters, error) {
	if a.OID != oidPBKDF2 {
		return kdfParameters{}, ErrUnsupported
	}
	outer := der.NewReader(a.Parameters)
	r := outer.Sequence()
	k := kdfParameters{prf: oidHMACSHA1}
	k.salt = r.OctetString() // the other choice, otherSource, is used by nobody
	k.iterations = r.Int()
	if r.Peek(der.Integer) {
		k.keySize = r.Int()
	}
	if r.Peek(der.Sequence) {
		k.prf = spki.ParseAlgorithm(r).OID
	}
	if err := done(r, outer); err != nil {
		return kdfParameters{}, err
	}
	return k, nil
}

// prfs of PBKDF2 by their names in Primitives.
var prfs = map[der.OID]string{
	oidHMACSHA1: "SHA-1", oidHMACSHA256: "SHA-256", oidHMACSHA384: "SHA-384", oidHMACSHA512: "SHA-512",
}

func (o *opener) derivePBKDF2(k kdfParameters, password []byte, size int) ([]byte, error) {
	if k.keySize != 0 && k.keySize != size {
		return nil, ErrUnsupported
	}
	if err := o.spend(k.iterations); err != nil {
		return nil, err
	}
	if k.prf == spki.OIDHMACGOST34311 {
		return gost34311.PBKDF2(password, k.salt, k.iterations, size), nil
	}
	alg, ok := prfs[k.prf]
	if !ok {
		return nil, ErrUnsupported
	}
	return o.primitives.PBKDF2(alg, password, k.salt, k.iterations, size)
}

func (o *opener) decryptPBES2(params, ciphertext, password []byte) ([]byte, error) {
	outer := der.NewReader(params)
	r := outer.Sequence()
	derivation, encryption := spki.ParseAlgorithm(r), spki.ParseAlgorithm(r)
	if err := done(r, outer); err != nil {
		return nil, err
	}
	kdf, err := readPBKDF2(derivation)
	if err != nil {
		return nil, err
	}
	var keySize, ivSize int
	switch encryption.OID {
	case spki.OIDGOST28147CFB:
		return o.decryptGOST(kdf, encryption.Parameters, ciphertext, password)
	case oidAES128CBC:
		keySize, ivSize = 16, 16
	case oidAES192CBC:
		keySize, ivSize = 24, 16
	case oidAES256CBC:
		keySize, ivSize = 32, 16
	case oid3DESCBC:
		keySize, ivSize = 24, 8
	default:
		return nil, ErrUnsupported
	}
	ivReader := der.NewReader(encryption.Parameters)
	iv := ivReader.OctetString()
	if err := done(ivReader); err != nil || len(iv) != ivSize || len(ciphertext) == 0 || len(ciphertext)%ivSize != 0 {
		return nil, ErrDamaged
	}
	key, err := o.derivePBKDF2(kdf, password, keySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	if ivSize == 8 {
		return decryptCBC(newTripleDES(key), iv, ciphertext)
	}
	plain, err := o.primitives.AESCBCDecrypt(key, iv, ciphertext)
	if err != nil {
		return nil, ErrPassword
	}
	return plain, nil
}

// decryptGOST is ГОСТ 28147 CFB with parameters { iv, dke OPTIONAL }.
func (o *opener) decryptGOST(kdf kdfParameters, params, ciphertext, password []byte) ([]byte, error) {
	outer := der.NewReader(params)
	r := outer.Sequence()
	iv := r.OctetString()
	sbox := gost28147.DKE1()
	if r.Peek(der.OctetString) {
		var err error
		if sbox, err = gost28147.ParseSBox(r.OctetString()); err != nil {
			return nil, ErrDamaged
		}
	}
	if err := done(r, outer); err != nil || len(iv) != gost28147.BlockSize {
		return nil, ErrDamaged
	}
	key, err := o.derivePBKDF2(kdf, password, gost28147.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	stream, err := gost28147.NewCFBDecrypter(key, sbox, iv)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(ciphertext))
	stream.XORKeyStream(plain, ciphertext)
	return plain, nil
}

// decryptPKCS12PBE is RFC 7292 appendix C: SHA-1 with 3DES or RC2, both CBC with padding.
func (o *opener) decryptPKCS12PBE(a spki.Algorithm, ciphertext, password []byte) ([]byte, error) {
	var keySize int
	switch a.OID {
	case oidPBE3DES3:
		keySize = 24
	case oidPBE3DES2, oidPBERC2128:
		keySize = 16
	case oidPBERC240:
		keySize = 5
	default: // RC4
		return nil, ErrUnsupported
	}
	outer := der.NewReader(a.Parameters)
	r := outer.Sequence()
	salt, iterations := r.OctetString(), r.Int()
	if err := done(r, outer); err != nil {
		return nil, err
	}
	if len(ciphertext) == 0 || len(ciphertext)%8 != 0 {
		return nil, ErrDamaged
	}
	var last error = ErrPassword
	for _, bmp := range bmpPasswords(password) {
		if err := o.spend(2 * iterations); err != nil {
			return nil, err
		}
		key, err := o.pkcs12KDF("SHA-1", 1, bmp, salt, iterations, keySize)
		if err != nil {
			return nil, err
		}
		iv, err := o.pkcs12KDF("SHA-1", 2, bmp, salt, iterations, 8)
		clear(bmp)
		if err != nil {
			return nil, err
		}
		var block blockCipher
		switch a.OID {
		case oidPBE3DES3:
			block = newTripleDES(key)
		case oidPBE3DES2:
			block = newTripleDES(append(key, key[:8]...))
		default:
			block = newRC2(key)
		}
		clear(key)
		plain, err := decryptCBC(block, iv, ciphertext)
		if err == nil {
			return plain, nil
		}
		last = err
	}
	return nil, last
}

// hashGOST is the name of ГОСТ 34.311 beside those of Primitives.
const hashGOST = "GOST34311"

// blockSizes are u/8 and v/8 of RFC 7292 B.2.
var blockSizes = map[string]struct{ u, v int }{
	"SHA-1": {20, 64}, "SHA-256": {32, 64}, "SHA-384": {48, 128}, "SHA-512": {64, 128}, hashGOST: {32, 32},
}

// iterate applies the digest to data and then to its own output, n times in all.
func (o *opener) iterate(alg string, data []byte, n int) ([]byte, error) {
	if alg == hashGOST {
		sum := gost34311.ContainerKey(data, n) // the same loop, written for speed
		return sum[:], nil
	}
	a, err := o.primitives.Digest(alg, data)
	for i := 1; i < n && err == nil; i++ {
		a, err = o.primitives.Digest(alg, a)
	}
	return a, err
}

// pkcs12KDF derives size bytes for the purpose id (1 key, 2 iv, 3 MAC key) from a password in BMPString form (RFC 7292
// B.2). The caller has spent the iterations.
func (o *opener) pkcs12KDF(alg string, id byte, password, salt []byte, iterations, size int) ([]byte, error) {
	n := blockSizes[alg]
	if n.u == 0 {
		return nil, ErrUnsupported
	}
	d := make([]byte, n.v)
	for i := range d {
		d[i] = id
	}
	in := append(fill(salt, n.v), fill(password, n.v)...)
	defer clear(in)
	var out []byte
	for {
		a, err := o.iterate(alg, append(d[:n.v:n.v], in...), iterations)
		if err != nil {
			return nil, err
		}
		out = append(out, a...)
		if len(out) >= size {
			return out[:size], nil
		}
		b := fill(a, n.v)[:n.v]
		for j := 0; j < len(in); j += n.v { // I_j = I_j + B + 1 modulo 2^v
			carry := 1
			for k := n.v - 1; k >= 0; k-- {
				carry += int(in[j+k]) + int(b[k])
				in[j+k] = byte(carry)
				carry >>= 8
			}
		}
	}
}

// fill repeats b up to a multiple of v bytes; nothing stays nothing.
func fill(b []byte, v int) []byte {
	out := make([]byte, (len(b)+v-1)/v*v)
	for i := range out {
		out[i] = b[i%len(b)]
	}
	return out
}

// A blockCipher is what decryptCBC needs of DES and RC2: blocks of eight bytes.
type blockCipher interface{ decrypt(dst, src []byte) }

// decryptCBC decrypts and removes the padding of RFC 8018 6.2; ErrPassword if that is wrong.
func decryptCBC(c blockCipher, iv, ciphertext []byte) ([]byte, error) {
	plain := make([]byte, len(ciphertext))
	for i := 0; i < len(ciphertext); i += 8 {
		c.decrypt(plain[i:i+8], ciphertext[i:i+8])
		for j := range 8 {
			plain[i+j] ^= iv[j]
		}
		iv = ciphertext[i : i+8]
	}
	n := int(plain[len(plain)-1])
	if n < 1 || n > 8 {
		return nil, ErrPassword
	}
	for _, o := range plain[len(plain)-n:] {
		if int(o) != n {
			return nil, ErrPassword
		}
	}
	return plain[:len(plain)-n], nil
}

// openPKCS8Encrypted opens an EncryptedPrivateKeyInfo (RFC 5208 6). There is no check value: a key that cannot be read is
// a wrong password.
func (o *opener) openPKCS8Encrypted(data []byte) error {
	plain, err := o.decryptPKCS8(data, "")
	clear(plain)
	return err
}

// decryptPKCS8 opens one EncryptedPrivateKeyInfo, adds its keys and returns the plaintext.
func (o *opener) decryptPKCS8(data []byte, alias string) ([]byte, error) {
	outer := der.NewReader(data)
	r := outer.Sequence()
	algorithm, ciphertext := spki.ParseAlgorithm(r), r.OctetString()
	if err := done(r, outer); err != nil {
		return nil, err
	}
	var last error = ErrPassword
	for _, password := range bytePasswords(o.password) {
		plain, err := o.decryptPBE(algorithm, ciphertext, password)
		if err == nil {
			if err = o.addPKCS8(plain, alias); err == nil {
				return plain, nil
			}
			if errors.Is(err, ErrDamaged) {
				err = ErrPassword
			}
		}
		if last = err; !errors.Is(err, ErrPassword) {
			break
		}
	}
	return nil, last
}
