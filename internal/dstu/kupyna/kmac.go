package kupyna

import (
	"encoding/binary"
	"errors"
	"hash"
)

// ErrKeySize says that the key of a MAC is not as long as its tag.
var ErrKeySize = errors.New("kupyna: the key must be as long as the tag: 32, 48 or 64 bytes")

// A kmac is a MAC in progress: the hash of the padded key, the padded message and the complement of the key.
type kmac struct {
	digest
	start      digest // after the padded key
	complement []byte
}

// NewKMAC returns the keyed mode of ДСТУ 7564 (режим імітовставки): a tag of 32, 48 or 64 bytes under a key of the same
// length, which chooses among them. Another length is ErrKeySize. Compare tags by subtle.ConstantTimeCompare.
func NewKMAC(key []byte) (hash.Hash, error) {
	switch len(key) {
	case Size256, Size384, Size512:
	default:
		return nil, ErrKeySize
	}
	m := &kmac{complement: make([]byte, len(key))}
	for i, b := range key {
		m.complement[i] = ^b
	}
	m.start.init(len(key))
	m.start.Write(key)
	m.start.pad(len(key))
	m.digest = m.start
	return m, nil
}

// pad writes the padding of a part of n bytes as if it were a whole message.
func (d *digest) pad(n int) {
	var b [2 * BlockSize512]byte
	b[0] = 0x80
	size := d.block - (n+12)%d.block
	binary.LittleEndian.PutUint64(b[size:], uint64(n)*8)
	d.Write(b[:size+12])
}

// Reset starts another message under the same key.
func (m *kmac) Reset() { m.digest = m.start }

// Sum appends the tag of what was written so far; the MAC goes on.
func (m *kmac) Sum(b []byte) []byte {
	d := m.digest
	d.pad(int(m.length - m.start.length))
	d.Write(m.complement)
	var out [Size512]byte
	d.finish(out[:d.size])
	return append(b, out[:d.size]...)
}
