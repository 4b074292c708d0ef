// Package gost28147 is the block cipher of ДСТУ ГОСТ 28147:2009 with its modes, MAC and key wrap.
package gost28147

import (
	"crypto/cipher"
	"io"
)

const (
	BlockSize = 8
	KeySize   = 32
	// SBoxSize is the length of a packed ДКЕ.
	SBoxSize = 64
)

// An SBox is a long-term key element (ДКЕ).
type SBox struct{ packed [SBoxSize]byte }

// DKE1 is ДКЕ № 1.
func DKE1() *SBox { panic("unimplemented") }

// ParseSBox reads a packed ДКЕ of 64 bytes.
func ParseSBox(packed []byte) (*SBox, error) { panic("unimplemented") }

// NewCipher returns the ECB block cipher. A nil sbox is DKE1.
func NewCipher(key []byte, sbox *SBox) (cipher.Block, error) { panic("unimplemented") }

// NewCFBEncrypter and NewCFBDecrypter are гамування зі зворотним зв'язком, 64-bit feedback, no key meshing.
func NewCFBEncrypter(key []byte, sbox *SBox, iv []byte) (cipher.Stream, error) {
	panic("unimplemented")
}
func NewCFBDecrypter(key []byte, sbox *SBox, iv []byte) (cipher.Stream, error) {
	panic("unimplemented")
}

// NewCTR is гамування.
func NewCTR(key []byte, sbox *SBox, iv []byte) (cipher.Stream, error) { panic("unimplemented") }

// MAC returns the 4-byte імітовставка of data.
func MAC(key []byte, sbox *SBox, data []byte) ([4]byte, error) { panic("unimplemented") }

// WrapKey and UnwrapKey: 32-byte CEK to 44 bytes and back.
func WrapKey(kek []byte, sbox *SBox, cek []byte, rand io.Reader) ([]byte, error) {
	panic("unimplemented")
}
func UnwrapKey(kek []byte, sbox *SBox, wrapped []byte) ([]byte, error) { panic("unimplemented") }
