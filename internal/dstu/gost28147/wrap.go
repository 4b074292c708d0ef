package gost28147

import (
	"crypto/subtle"
	"errors"
	"io"
)

// WrappedSize is the length of a wrapped key, in bytes: initialisation vector, key, MAC.
const WrappedSize = BlockSize + KeySize + MACSize

// ErrUnwrap is the only answer of UnwrapKey to a wrapped key that does not open, whatever the reason, so that it tells
// a forger nothing.
var ErrUnwrap = errors.New("gost28147: wrapped key does not open")

// wrapIV is the fixed initialisation vector of the second pass of the key wrap (RFC 3217 has the same).
var wrapIV = [BlockSize]byte{0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05}

// MAC returns the імітовставка (four bytes) of data, whose last block is filled with zeros. The standard defines it for
// two blocks or more; shorter data are taken the same way. Empty data give zero, so a caller must not rely on the MAC of
// nothing. The only error is ErrKeySize; a nil sbox is DKE1. Compare MACs with [crypto/subtle.ConstantTimeCompare].
func MAC(key []byte, sbox *SBox, data []byte) ([MACSize]byte, error) {
	c, err := NewCipher(key, sbox)
	if err != nil {
		return [MACSize]byte{}, err
	}
	return c.MAC(data), nil
}

// MAC is the function MAC with the key and S-box of c.
func (c *Cipher) MAC(data []byte) (mac [MACSize]byte) {
	var n1, n2 uint32
	for len(data) >= BlockSize {
		n1, n2 = c.table.Mix16(&c.key, n1^load32(data), n2^load32(data[4:]))
		data = data[BlockSize:]
	}
	if len(data) > 0 {
		var last [BlockSize]byte
		copy(last[:], data)
		n1, _ = c.table.Mix16(&c.key, n1^load32(last[:]), n2^load32(last[4:]))
	}
	store32(mac[:], n1)
	return mac
}

// WrapKey wraps a content key of KeySize bytes under kek into WrappedSize bytes (OID 1.2.804.2.1.1.1.1.1.5), with an
// initialisation vector of BlockSize bytes read from rand. The errors are ErrKeySize for either key and that of rand.
func WrapKey(kek []byte, sbox *SBox, cek []byte, rand io.Reader) ([]byte, error) {
	c, err := NewCipher(kek, sbox)
	if err != nil {
		return nil, err
	}
	if len(cek) != KeySize {
		return nil, ErrKeySize
	}
	out := make([]byte, WrappedSize)
	if _, err := io.ReadFull(rand, out[:BlockSize]); err != nil {
		return nil, err
	}
	// T1 = CFB(iv, CEK || MAC(CEK)); T2 = iv || T1 in reverse order; result = CFB(wrapIV, T2).
	icv := c.MAC(cek)
	copy(out[BlockSize:], cek)
	copy(out[BlockSize+KeySize:], icv[:])
	c.cfb(out[:BlockSize], out[BlockSize:], cfbEncrypt)
	reverse(out)
	c.cfb(wrapIV[:], out, cfbEncrypt)
	return out, nil
}

// UnwrapKey opens what WrapKey made and returns the content key. A wrong length, a wrong kek and a damaged wrap all
// give ErrUnwrap; the MAC is compared in constant time. A kek of another length is ErrKeySize.
func UnwrapKey(kek []byte, sbox *SBox, wrapped []byte) ([]byte, error) {
	c, err := NewCipher(kek, sbox)
	if err != nil {
		return nil, err
	}
	if len(wrapped) != WrappedSize {
		return nil, ErrUnwrap
	}
	out := append([]byte(nil), wrapped...)
	c.cfb(wrapIV[:], out, cfbDecrypt)
	reverse(out)
	c.cfb(out[:BlockSize], out[BlockSize:], cfbDecrypt)
	cek := out[BlockSize : BlockSize+KeySize]
	icv := c.MAC(cek)
	if subtle.ConstantTimeCompare(icv[:], out[BlockSize+KeySize:]) != 1 {
		clear(out)
		return nil, ErrUnwrap
	}
	return cek[:KeySize:KeySize], nil
}

func (c *Cipher) cfb(iv, data []byte, m mode) {
	s, err := c.stream(iv, m)
	if err != nil {
		panic("gost28147: internal error: initialisation vector")
	}
	s.XORKeyStream(data, data)
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}
