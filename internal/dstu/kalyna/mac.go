package kalyna

import (
	"crypto/subtle"
	"hash"
)

// minTagSize is the shortest tag that is made: 64 bits.
const minTagSize = 8

func (c *Cipher) checkTag(size int) error {
	if size < minTagSize || size > c.BlockSize() {
		return ErrTagSize
	}
	return nil
}

// pad appends the padding of the standard to the n bytes of a block that are there: a bit 1 and zeros.
func pad(block []byte, n int) {
	block[n] = 0x80
	clear(block[n+1:])
}

type cmac struct {
	c          *Cipher
	size       int
	sum, block [MaxBlockSize]byte
	n          int // bytes in block; it stays there until more come, since the last one is treated otherwise
}

// NewCMAC returns the mode CMAC (mode 4) with a tag of size bytes, the first of the last block: 8 bytes to one block.
// Compare tags by subtle.ConstantTimeCompare.
func NewCMAC(c *Cipher, size int) (hash.Hash, error) {
	if err := c.checkTag(size); err != nil {
		return nil, err
	}
	return &cmac{c: c, size: size}, nil
}

func (m *cmac) Size() int      { return m.size }
func (m *cmac) BlockSize() int { return m.c.BlockSize() }

func (m *cmac) Reset() {
	m.n = 0
	clear(m.sum[:])
}

func (m *cmac) Write(p []byte) (int, error) {
	total, n := len(p), m.c.BlockSize()
	for len(p) > 0 {
		if m.n == n {
			subtle.XORBytes(m.sum[:n], m.sum[:n], m.block[:n])
			m.c.Encrypt(m.sum[:], m.sum[:])
			m.n = 0
		}
		k := copy(m.block[m.n:n], p)
		m.n += k
		p = p[k:]
	}
	return total, nil
}

// Sum appends the tag and leaves the state as it was. To the last block is added the encryption of 0, or of 1 where it had
// to be padded.
func (m *cmac) Sum(b []byte) []byte {
	n := m.c.BlockSize()
	sum, last := m.sum, m.block
	var delta [MaxBlockSize]byte
	if m.n < n {
		pad(last[:n], m.n)
		delta[0] = 1
	}
	m.c.Encrypt(delta[:], delta[:])
	subtle.XORBytes(sum[:n], sum[:n], last[:n])
	subtle.XORBytes(sum[:n], sum[:n], delta[:n])
	m.c.Encrypt(sum[:], sum[:])
	return append(b, sum[:m.size]...)
}
