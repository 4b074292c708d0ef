package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"brama/storage/seal"
)

// MaxSealed bounds a sealed value that comes back from a browser, in characters.
const MaxSealed = 16 << 10

// Errors of Open.
var (
	ErrSealed  = errors.New("session: sealed value does not open")
	ErrExpired = errors.New("session: sealed value has expired")
)

// A Sealer makes values that a browser carries for us and cannot read or change. A value is bound to its purpose and to
// its end; it can be sent back more than once, so what must happen once needs a record in the store. Safe for concurrent
// use.
type Sealer struct {
	seal *seal.Sealer
	mac  []*stepKey
	now  func() time.Time
}

// NewSealer returns a Sealer over secrets of at least 32 random bytes: the first seals, all open. now is the clock, nil
// meaning time.Now.
func NewSealer(now func() time.Time, secrets ...[]byte) (*Sealer, error) {
	if now == nil {
		now = time.Now
	}
	s := &Sealer{now: now}
	var keys [][]byte
	for _, secret := range secrets {
		if len(secret) < seal.KeySize {
			return nil, fmt.Errorf("session: secret of %d bytes, want at least %d", len(secret), seal.KeySize)
		}
		keys = append(keys, seal.Derive(secret, "session seal"))
		s.mac = append(s.mac, newStepKey(seal.Derive(secret, "session step")))
	}
	var err error
	s.seal, err = seal.New(keys...)
	return s, err
}

// Seal returns v, as JSON, sealed for purpose until expires, in base64url.
func (s *Sealer) Seal(purpose string, v any, expires time.Time) (string, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("sealing %s: %w", purpose, err)
	}
	return s.SealBytes(purpose, value, expires), nil
}

// Open puts into v what Seal sealed for the same purpose. Errors: ErrSealed, ErrExpired.
func (s *Sealer) Open(purpose, sealed string, v any) error {
	value, err := s.OpenBytes(purpose, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(value, v); err != nil {
		return ErrSealed
	}
	return nil
}

// endSize is the size of the end of a sealed value, which stands before it: Unix seconds, big endian.
const endSize = 8

// SealBytes returns value sealed for purpose until expires, in base64url.
func (s *Sealer) SealBytes(purpose string, value []byte, expires time.Time) string {
	plain := make([]byte, endSize, endSize+len(value))
	binary.BigEndian.PutUint64(plain, uint64(expires.Unix()))
	return s.seal.SealText("session:"+purpose, append(plain, value...))
}

// OpenBytes returns what SealBytes sealed for the same purpose. Errors: ErrSealed, ErrExpired.
func (s *Sealer) OpenBytes(purpose, sealed string) ([]byte, error) {
	if len(sealed) > MaxSealed {
		return nil, ErrSealed
	}
	plain, err := s.seal.OpenText("session:"+purpose, sealed)
	if err != nil || len(plain) < endSize {
		return nil, ErrSealed
	}
	if s.now().Unix() >= int64(binary.BigEndian.Uint64(plain)) {
		return nil, ErrExpired
	}
	return plain[endSize:], nil
}

// stepMACSize is the size of a code, 32 bytes in base64url.
const stepMACSize = 43

// StepMAC returns the code that ties a form to one step of one login at one revision: HMAC-SHA-256 in base64url. The form
// of one step cannot serve another, nor the same step after the login has moved.
func (s *Sealer) StepMAC(login string, revision uint64, step string) string {
	sum := s.mac[0].mac(login, revision, step)
	var text [stepMACSize]byte
	base64.RawURLEncoding.Encode(text[:], sum[:])
	return string(text[:])
}

// CheckStepMAC reports whether code is StepMAC of the same arguments, under any of the secrets, in constant time.
func (s *Sealer) CheckStepMAC(code, login string, revision uint64, step string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil {
		return false
	}
	ok := false
	for _, key := range s.mac {
		sum := key.mac(login, revision, step)
		ok = hmac.Equal(raw, sum[:]) || ok
	}
	return ok
}

// A stepKey makes the codes of steps under one key. A page has several, and what HMAC computes from the key alone is kept.
type stepKey struct{ hashes sync.Pool }

// A stepHash is what one code is made with.
type stepHash struct {
	hash hash.Hash
	in   []byte
	sum  [sha256.Size]byte
}

func newStepKey(key []byte) *stepKey {
	return &stepKey{hashes: sync.Pool{New: func() any { return &stepHash{hash: hmac.New(sha256.New, key), in: make([]byte, 0, 128)} }}}
}

// mac writes each part with its length, so that no two triples give the same bytes.
func (k *stepKey) mac(login string, revision uint64, step string) (sum [sha256.Size]byte) {
	m := k.hashes.Get().(*stepHash) //nolint:forcetypeassert // nothing else is put there
	defer k.hashes.Put(m)
	b := append(binary.BigEndian.AppendUint64(m.in[:0], uint64(len(login))), login...)
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(step))), step...)
	m.in = binary.BigEndian.AppendUint64(b, revision)
	m.hash.Reset()
	m.hash.Write(m.in)
	m.hash.Sum(m.sum[:0])
	sum = m.sum
	clear(m.sum[:])
	return sum
}
