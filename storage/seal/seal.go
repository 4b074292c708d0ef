// Package seal encrypts and authenticates what leaves the process: values kept in the store, and values that a browser
// carries for us. It owns no keys and no meaning: the keys come from the configuration, the purpose from the caller.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

const (
	version   = 1
	keyIDSize = 4
	nonceSize = 24
	tagSize   = 16
	// Overhead is how much longer a sealed value is than its plaintext, in bytes.
	Overhead = 1 + keyIDSize + nonceSize + tagSize
)

// ErrOpen is returned for every value that does not open: damaged, of another purpose, or sealed with a key that is not
// held. It does not say which.
var ErrOpen = errors.New("seal: value does not open")

// A Sealer seals under its first key and opens under any of its keys, so that a key is replaced by putting the new one in
// front. The construction is XAES-256-GCM (C2SP): the first half of a nonce of 192 bits gives a key of its own. That half is
// drawn anew for every perHalf values, the other for each, so two nonces are the same with probability below 2^-57 within a
// half, and there is no limit worth counting on the number of values. Safe for concurrent use.
type Sealer struct {
	keys    []*key
	sealing atomic.Pointer[half]
}

type key struct {
	id    [keyIDSize]byte
	block cipher.Block
	k1    [aes.BlockSize]byte
	known [knownHalves]atomic.Pointer[half] // of values that were opened; a place by the first byte of the half
}

// A half is the first half of a nonce, with the AEAD of its key: making one costs more than sealing a short value.
type half struct {
	nonce [halfSize]byte
	aead  cipher.AEAD
	left  atomic.Int64 // values that may still be sealed with it
}

const (
	halfSize    = nonceSize / 2
	perHalf     = 1 << 20
	knownHalves = 16
)

// New returns a Sealer over keys of KeySize bytes each, at least one, the sealing one first.
func New(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("seal: no key")
	}
	s := &Sealer{}
	for _, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("seal: key of %d bytes, want %d", len(k), KeySize)
		}
		block, err := aes.NewCipher(k)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		id := sha256.Sum256(append([]byte("brama key id\x00"), k...))
		one := &key{block: block}
		copy(one.id[:], id[:])
		// Subkey K1 of CMAC (NIST SP 800-38B, 6.1), fixed for a key.
		block.Encrypt(one.k1[:], one.k1[:])
		double(&one.k1)
		s.keys = append(s.keys, one)
	}
	return s, nil
}

func double(b *[aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	msb := hi >> 63
	hi = hi<<1 | lo>>63
	lo = lo<<1 ^ msb*0x87
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
}

// half returns the half of nonce: from those that are known, or a new one, which is not.
func (k *key) half(nonce []byte) (h *half, known bool, err error) {
	if h := k.place(nonce).Load(); h != nil && string(h.nonce[:]) == string(nonce[:halfSize]) {
		return h, true, nil
	}
	h = &half{nonce: [halfSize]byte(nonce)}
	h.left.Store(perHalf)
	h.aead, err = k.aead(nonce)
	return h, false, err
}

func (k *key) place(nonce []byte) *atomic.Pointer[half] { return &k.known[nonce[0]%knownHalves] }

// aead returns the AEAD of one nonce: AES-256-GCM under the key derived from its first half.
func (k *key) aead(nonce []byte) (cipher.AEAD, error) {
	var derived [KeySize]byte
	for i := range 2 {
		m := derived[16*i : 16*i+16]
		m[1], m[2] = byte(i+1), 'X'
		copy(m[4:], nonce[:halfSize])
		subtle.XORBytes(m, m, k.k1[:])
		k.block.Encrypt(m, m)
	}
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal returns plaintext encrypted and bound to purpose: only Open with the same purpose gives it back. The purpose names
// what the value is and, where it matters, whose: "login", "person:"+id.
func (s *Sealer) Seal(purpose string, plaintext []byte) []byte {
	k := s.keys[0]
	size := Overhead + len(plaintext)
	all := make([]byte, size+additionalSize(purpose))
	out := all[: 1+keyIDSize+nonceSize : size]
	out[0] = version
	copy(out[1:], k.id[:])
	nonce := out[1+keyIDSize:]
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	h := s.sealing.Load()
	if h == nil || h.left.Add(-1) < 0 {
		var err error
		if h, _, err = k.half(nonce); err != nil {
			panic("seal: internal error: " + err.Error())
		}
		s.sealing.Store(h)
		k.place(nonce).Store(h)
	}
	copy(nonce, h.nonce[:])
	return h.aead.Seal(out, nonce[halfSize:], plaintext, additional(all[size:], out[:1+keyIDSize], purpose))
}

// Open returns the plaintext that Seal made with the same purpose, or ErrOpen.
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrOpen
	}
	header, nonce := sealed[:1+keyIDSize], sealed[1+keyIDSize:1+keyIDSize+nonceSize]
	for i := range s.keys {
		k := s.keys[i]
		if string(header[1:]) != string(k.id[:]) {
			continue
		}
		h, known, err := k.half(nonce)
		if err != nil {
			return nil, ErrOpen
		}
		size := len(sealed) - Overhead
		all := make([]byte, size+additionalSize(purpose))
		plain, err := h.aead.Open(all[:0:size], nonce[halfSize:], sealed[1+keyIDSize+nonceSize:], additional(all[size:], header, purpose))
		if err != nil {
			continue
		}
		if !known { // only of values that opened: nobody else decides what is kept
			k.place(nonce).Store(h)
		}
		return plain, nil
	}
	return nil, ErrOpen
}

// additional writes to b, which has additionalSize, what is authenticated with a value.
func additional(b, header []byte, purpose string) []byte {
	return append(append(b[:0], header...), purpose...)
}

func additionalSize(purpose string) int { return 1 + keyIDSize + len(purpose) }

// SealText is Seal in base64url without padding, for cookies and forms.
func (s *Sealer) SealText(purpose string, plaintext []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.Seal(purpose, plaintext))
}

// AppendText appends to dst what SealText returns.
func (s *Sealer) AppendText(dst []byte, purpose string, plaintext []byte) []byte {
	return base64.RawURLEncoding.AppendEncode(dst, s.Seal(purpose, plaintext))
}

// OpenText opens what SealText made, letter for letter, or returns ErrOpen: one value has one text, so that whoever keeps the
// hash of a text that is dead keeps it of every text that opens.
func (s *Sealer) OpenText(purpose, sealed string) ([]byte, error) {
	// A strict decoder still skips line ends.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.IndexByte(sealed, '\r') >= 0 || strings.IndexByte(sealed, '\n') >= 0 {
		return nil, ErrOpen
	}
	return s.Open(purpose, raw)
}
