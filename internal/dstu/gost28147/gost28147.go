// Package gost28147 is the block cipher of ДСТУ ГОСТ 28147:2009 with its modes (ECB, гамування = CTR, гамування зі
// зворотним зв'язком = CFB), its MAC (імітовставка) and the key wrap used with it in CMS.
//
// It does not own padding, ASN.1 parameters or the choice of a mode; those belong to the formats that use it.
//
// Timing: a round reads four 256-entry tables (4 KiB in all) at places that depend on key and data. Branches and
// instruction counts do not depend on secrets, but an observer who shares the processor's caches can learn about the
// key. Its uses here are opening a person's own key container on the person's own machine and unwrapping the key of an
// envelope. Comparisons of MACs and of wrapped keys take constant time.
package gost28147

import (
	"errors"

	"brama/internal/dstu/internal/feistel"
)

const (
	// BlockSize is the length of a block and of an initialisation vector, in bytes.
	BlockSize = 8
	// KeySize is the length of a key, in bytes.
	KeySize = 32
	// SBoxSize is the length of a packed ДКЕ, in bytes.
	SBoxSize = 64
	// MACSize is the length of a MAC, in bytes.
	MACSize = 4
)

var (
	// ErrKeySize refuses a key that is not KeySize bytes long.
	ErrKeySize = errors.New("gost28147: invalid key size")
	// ErrIVSize refuses an initialisation vector that is not BlockSize bytes long.
	ErrIVSize = errors.New("gost28147: invalid initialisation vector size")
	// ErrSBox refuses a packed ДКЕ that has another length than SBoxSize or a row that is not a permutation.
	ErrSBox = errors.New("gost28147: invalid S-box")
)

// An SBox is a long-term key element (ДКЕ), ready for use. It is immutable and may be shared.
type SBox struct {
	packed [SBoxSize]byte
	table  *feistel.Table
}

var dke1 = func() *SBox {
	s := &SBox{table: feistel.Expand(feistel.Unpack(feistel.DKE1))}
	copy(s.packed[:], feistel.DKE1)
	return s
}()

// DKE1 is ДКЕ № 1, the default.
func DKE1() *SBox { return dke1 }

// ParseSBox reads a packed ДКЕ: exactly 64 bytes, eight rows of sixteen 4-bit entries, the row of the least significant
// bits first, two entries a byte, high half first. Every row must be a permutation of 0…15, else the error is ErrSBox:
// certificates carry this value, and a degenerate one would make the cipher weak.
func ParseSBox(packed []byte) (*SBox, error) {
	if len(packed) != SBoxSize {
		return nil, ErrSBox
	}
	if string(packed) == feistel.DKE1 {
		return dke1, nil
	}
	rows := feistel.Unpack(string(packed))
	for _, row := range rows {
		var seen uint16
		for _, v := range row {
			seen |= 1 << v
		}
		if seen != 0xffff {
			return nil, ErrSBox
		}
	}
	s := &SBox{table: feistel.Expand(rows)}
	copy(s.packed[:], packed)
	return s, nil
}

// Bytes returns the packed form, SBoxSize bytes.
func (s *SBox) Bytes() []byte { return append([]byte(nil), s.packed[:]...) }

// A Cipher is a key with an S-box. It implements [crypto/cipher.Block]; it is immutable and may be shared.
type Cipher struct {
	key   [8]uint32
	table *feistel.Table
}

// NewCipher returns the cipher of a key of KeySize bytes, which is copied. A nil sbox is DKE1. The only error is
// ErrKeySize.
func NewCipher(key []byte, sbox *SBox) (*Cipher, error) {
	if len(key) != KeySize {
		return nil, ErrKeySize
	}
	if sbox == nil {
		sbox = dke1
	}
	c := &Cipher{table: sbox.table}
	for i := range c.key {
		c.key[i] = load32(key[4*i:])
	}
	return c, nil
}

// BlockSize returns 8.
func (c *Cipher) BlockSize() int { return BlockSize }

// Encrypt encrypts the first block of src into dst (проста заміна, 32-З). They may overlap. It panics if one is shorter
// than a block, as [crypto/cipher.Block] demands.
func (c *Cipher) Encrypt(dst, src []byte) {
	_, _ = src[BlockSize-1], dst[BlockSize-1]
	n1, n2 := c.table.Encrypt(&c.key, load32(src), load32(src[4:]))
	store32(dst, n1)
	store32(dst[4:], n2)
}

// Decrypt is the inverse of Encrypt (32-Р).
func (c *Cipher) Decrypt(dst, src []byte) {
	_, _ = src[BlockSize-1], dst[BlockSize-1]
	n1, n2 := c.table.Decrypt(&c.key, load32(src), load32(src[4:]))
	store32(dst, n1)
	store32(dst[4:], n2)
}

func load32(b []byte) uint32 {
	_ = b[3]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func store32(b []byte, v uint32) {
	_ = b[3]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}
