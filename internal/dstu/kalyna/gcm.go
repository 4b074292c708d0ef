package kalyna

import (
	"crypto/subtle"
	"hash"
)

// ghash is the polynomial hash of GMAC and GCM: the sum of the blocks times powers of h in GF(2^l), where l is the length
// of the block, bit i of the little-endian integer is the coefficient of x^i, and h is the encryption of zero.
type ghash struct {
	c      *Cipher
	h, sum [maxWords]uint64
}

func newGHASH(c *Cipher) ghash {
	g := ghash{c: c}
	c.encrypt(&g.h)
	return g
}

// polynomial is the polynomial of the field of nb words without its highest term.
func polynomial(nb int) uint64 {
	switch nb {
	case 2:
		return 0x87 // x¹²⁸ + x⁷ + x² + x + 1
	case 4:
		return 0x425 // x²⁵⁶ + x¹⁰ + x⁵ + x² + 1
	}
	return 0x125 // x⁵¹² + x⁸ + x⁵ + x² + 1
}

// blocks takes whole blocks.
func (g *ghash) blocks(p []byte) {
	n := g.c.BlockSize()
	for ; len(p) >= n; p = p[n:] {
		var w [maxWords]uint64
		g.c.load(&w, p)
		g.c.xor(&g.sum, &w)
		g.multiply()
	}
}

// multiply multiplies the sum by h, bit by bit from the highest, without a branch or an index that depends on either.
func (g *ghash) multiply() {
	nb, poly := g.c.nb, polynomial(g.c.nb)
	var z [maxWords]uint64
	for i := nb - 1; i >= 0; i-- {
		for bit := 63; bit >= 0; bit-- {
			doubleElement(&z, nb, poly)
			mask := -(g.sum[i] >> bit & 1)
			for j := range z[:nb] {
				z[j] ^= g.h[j] & mask
			}
		}
	}
	g.sum = z
}

// doubleElement multiplies an element by x.
func doubleElement(z *[maxWords]uint64, nb int, poly uint64) {
	carry := -(z[nb-1] >> 63) & poly
	for j := range z[:nb] {
		z[j], carry = z[j]<<1^carry, z[j]>>63
	}
}

// tag adds the lengths in bits, the associated data's in the lower half of a block and the text's in the upper, and
// encrypts.
func (g *ghash) tag(data, text uint64) [MaxBlockSize]byte {
	sum := g.sum
	sum[0] ^= data << 3
	sum[g.c.nb/2] ^= text << 3
	g.c.encrypt(&sum)
	var b [MaxBlockSize]byte
	g.c.store(b[:], &sum)
	return b
}

type gmac struct {
	g      ghash
	size   int
	block  [MaxBlockSize]byte
	n      int
	length uint64
}

// NewGMAC returns the mode GMAC (mode 7) with a tag of size bytes: 8 bytes to one block. Sum panics unless whole blocks
// were written: the standard's examples have no others, and a known implementation pads a broken block so that two messages
// share a tag.
func NewGMAC(c *Cipher, size int) (hash.Hash, error) {
	if err := c.checkTag(size); err != nil {
		return nil, err
	}
	return &gmac{g: newGHASH(c), size: size}, nil
}

func (m *gmac) Size() int      { return m.size }
func (m *gmac) BlockSize() int { return m.g.c.BlockSize() }

func (m *gmac) Reset() {
	m.n, m.length = 0, 0
	clear(m.g.sum[:])
}

func (m *gmac) Write(p []byte) (int, error) {
	total, n := len(p), m.g.c.BlockSize()
	m.length += uint64(total)
	if m.n > 0 {
		k := copy(m.block[m.n:n], p)
		m.n += k
		p = p[k:]
		if m.n == n {
			m.g.blocks(m.block[:n])
			m.n = 0
		}
	}
	if m.n == 0 {
		m.g.blocks(p)
		m.n = copy(m.block[:n], p[len(p)/n*n:])
	}
	return total, nil
}

func (m *gmac) Sum(b []byte) []byte {
	if m.n != 0 {
		panic("kalyna: GMAC of a message that is not whole blocks")
	}
	tag := m.g.tag(m.length, 0)
	return append(b, tag[:m.size]...)
}

// GCM is a cipher.AEAD.
type GCM struct {
	c    *Cipher
	size int
}

// NewGCM returns the mode GCM (mode 7) with nonces of one block and tags of size bytes, 8 bytes to one block. Text and
// associated data must be whole blocks, for the reason said at [NewGMAC]: Seal panics on others, Open refuses them. A nonce
// must never meet the same key twice.
func NewGCM(c *Cipher, size int) (*GCM, error) {
	if err := c.checkTag(size); err != nil {
		return nil, err
	}
	return &GCM{c, size}, nil
}

// NonceSize is one block.
func (a *GCM) NonceSize() int { return a.c.BlockSize() }

// Overhead is the length of the tag.
func (a *GCM) Overhead() int { return a.size }

// tag is over the ciphertext.
func (a *GCM) tag(ciphertext, data []byte) [MaxBlockSize]byte {
	g := newGHASH(a.c)
	g.blocks(data)
	g.blocks(ciphertext)
	return g.tag(uint64(len(data)), uint64(len(ciphertext)))
}

// Seal appends the encrypted plaintext and the tag to dst; the storage of plaintext may be reused as plaintext[:0].
func (a *GCM) Seal(dst, nonce, plaintext, data []byte) []byte {
	n := a.c.BlockSize()
	if len(nonce) != n || len(plaintext)%n != 0 || len(data)%n != 0 {
		panic("kalyna: GCM of a nonce, text or data that is not whole blocks")
	}
	start := len(dst)
	dst = append(dst, plaintext...)
	text := dst[start:]
	s, _ := NewCTR(a.c, nonce)
	s.XORKeyStream(text, text)
	tag := a.tag(text, data)
	return append(dst, tag[:a.size]...)
}

// Open is the inverse of Seal. Anything else than what Seal made is ErrAuthentication, and nothing is decrypted.
func (a *GCM) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	n := a.c.BlockSize()
	size := len(ciphertext) - a.size
	if len(nonce) != n || size < 0 || size%n != 0 || len(data)%n != 0 {
		return nil, ErrAuthentication
	}
	tag := a.tag(ciphertext[:size], data)
	if subtle.ConstantTimeCompare(tag[:a.size], ciphertext[size:]) != 1 {
		return nil, ErrAuthentication
	}
	start := len(dst)
	dst = append(dst, ciphertext[:size]...)
	s, _ := NewCTR(a.c, nonce)
	s.XORKeyStream(dst[start:], dst[start:])
	return dst, nil
}
