package keystore

import (
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
)

// key6Rounds of the hash make the key out of the password.
const key6Rounds = 10_000

// openKey6 opens the container of IIT: { { OID, { mac OCTET STRING(4), pad OCTET STRING OPTIONAL } }, OCTET STRING }.
func (o *opener) openKey6(data []byte) error {
	outer := der.NewReader(data)
	r := outer.Sequence()
	head := r.Sequence()
	head.OID()
	check := head.Sequence()
	mac := check.OctetString()
	var pad []byte
	if check.Peek(der.OctetString) {
		pad = check.OctetString()
	}
	ciphertext := r.OctetString()
	if err := done(check, head, r, outer); err != nil {
		return err
	}
	size := len(ciphertext)
	if len(mac) != gost28147.MACSize || len(pad) >= gost28147.BlockSize || (size+len(pad))%gost28147.BlockSize != 0 {
		return ErrDamaged
	}
	ciphertext = append(append(make([]byte, 0, size+len(pad)), ciphertext...), pad...)
	for _, password := range bytePasswords(o.password) {
		if err := o.spend(key6Rounds); err != nil {
			return err
		}
		key := gost34311.ContainerKey(password, key6Rounds)
		cipher, err := gost28147.NewCipher(key[:], nil)
		clear(key[:])
		if err != nil {
			return err
		}
		plain := make([]byte, len(ciphertext))
		for i := 0; i < len(plain); i += gost28147.BlockSize {
			cipher.Decrypt(plain[i:], ciphertext[i:])
		}
		if sum := cipher.MAC(plain[:size]); !equalMAC(sum[:], mac) {
			clear(plain)
			continue
		}
		err = o.addPKCS8(plain[:size], "")
		clear(plain)
		return err
	}
	return ErrPassword
}

// equalMAC compares in constant time.
func equalMAC(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	var diff byte
	for i := range a {
		diff |= a[i] ^ b[i]
	}
	return diff == 0
}

// WriteKey6 writes the container of IIT with a signing key and, unless it is nil, the key of agreement. The format has no
// salt and no certificate.
func WriteKey6(password []byte, signing, agreement *dstu4145.PrivateKey) ([]byte, error) {
	if len(password) > MaxPassword {
		return nil, errors.New("keystore: password is too long")
	}
	plain := EncodePKCS8(signing, agreement)
	key := gost34311.ContainerKey(password, key6Rounds)
	cipher, err := gost28147.NewCipher(key[:], nil)
	clear(key[:])
	if err != nil {
		return nil, err
	}
	mac := cipher.MAC(plain)
	size := len(plain)
	for len(plain)%gost28147.BlockSize != 0 {
		plain = append(plain, 0)
	}
	for i := 0; i < len(plain); i += gost28147.BlockSize {
		cipher.Encrypt(plain[i:], plain[i:])
	}
	// The padding stands there even if it is empty: not every reader knows that it is optional.
	check := der.EncodeSequence(der.EncodeOctetString(mac[:]), der.EncodeOctetString(plain[size:]))
	return der.EncodeSequence(
		der.EncodeSequence(der.EncodeOID(oidKey6), check),
		der.EncodeOctetString(plain[:size])), nil
}
