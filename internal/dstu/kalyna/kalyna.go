package kalyna

import (
	"encoding/binary"
	"errors"

	"brama/internal/dstu/internal/spn"
)

// MaxBlockSize is the largest block in bytes.
const MaxBlockSize = 64

const (
	maxWords  = MaxBlockSize / 8
	maxRounds = 18
)

// Errors of this package. Errors about sizes concern the caller's use; ErrAuthentication and ErrKeyWrap say that a message
// is not what was made under this key, and nothing about how it differs.
var (
	ErrKeySize        = errors.New("kalyna: the key must have 16, 32 or 64 bytes, and as many as the block or twice that")
	ErrBlockSize      = errors.New("kalyna: the block must have 16, 32 or 64 bytes")
	ErrIVSize         = errors.New("kalyna: the initialisation vector must have one block")
	ErrTagSize        = errors.New("kalyna: the tag must have 8 bytes to one block")
	ErrAuthentication = errors.New("kalyna: message authentication failed")
	ErrKeyWrap        = errors.New("kalyna: key unwrap failed")
	ErrSize           = errors.New("kalyna: a length that this mode does not take")
)

// A Cipher is a cipher.Block: the block cipher under one key. It is safe for concurrent use.
type Cipher struct {
	t        *tables
	nb       int // words of a block: 2, 4 or 8
	rounds   int // 10, 14 or 18, by the length of the key
	enc, dec [maxRounds + 1][maxWords]uint64
}

// NewCipher returns the cipher with blocks of blockSize bytes (16, 32 or 64) and a key of one block or two: 16, 32 or 64
// bytes. Other sizes are ErrBlockSize or ErrKeySize.
func NewCipher(key []byte, blockSize int) (*Cipher, error) {
	switch blockSize {
	case 16, 32, 64:
	default:
		return nil, ErrBlockSize
	}
	if len(key) != blockSize && len(key) != 2*blockSize {
		return nil, ErrKeySize
	}
	c := &Cipher{t: loadTables(), nb: blockSize / 8}
	switch len(key) {
	case 16:
		c.rounds = 10
	case 32:
		c.rounds = 14
	case 64:
		c.rounds = 18
	default: // a block of 64 has no key of 128
		return nil, ErrKeySize
	}
	c.expand(key)
	return c, nil
}

// BlockSize returns the length of a block in bytes.
func (c *Cipher) BlockSize() int { return 8 * c.nb }

// Encrypt encrypts the first block of src into dst, which may be the same slice or must not overlap. Like every
// cipher.Block it panics if either is shorter than a block.
func (c *Cipher) Encrypt(dst, src []byte) {
	var s [maxWords]uint64
	c.load(&s, src)
	c.encrypt(&s)
	c.store(dst, &s)
}

// Decrypt is the inverse of Encrypt.
func (c *Cipher) Decrypt(dst, src []byte) {
	var s [maxWords]uint64
	c.load(&s, src)
	c.decrypt(&s)
	c.store(dst, &s)
}

func (c *Cipher) load(s *[maxWords]uint64, b []byte) {
	b = b[:8*c.nb]
	for i := 0; len(b) >= 8 && i < maxWords; i++ {
		s[i] = binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
}

func (c *Cipher) store(b []byte, s *[maxWords]uint64) {
	b = b[:8*c.nb]
	for i := 0; len(b) >= 8 && i < maxWords; i++ {
		binary.LittleEndian.PutUint64(b, s[i])
		b = b[8:]
	}
}

// encrypt works on the state in place: the first and the last round key are added modulo 2⁶⁴, the others
// exclusively.
func (c *Cipher) encrypt(s *[maxWords]uint64) {
	c.add(s, &c.enc[0])
	if c.nb == 4 {
		c.rounds256(s)
	} else {
		for r := 1; r < c.rounds; r++ {
			c.round(s)
			c.xor(s, &c.enc[r])
		}
	}
	c.round(s)
	c.add(s, &c.enc[c.rounds])
}

// rounds256 is the loop of encrypt for blocks of 256 bits, the ones that messages use, with the state in registers.
func (c *Cipher) rounds256(s *[maxWords]uint64) {
	t := c.t.enc
	w, x, y, z := s[0], s[1], s[2], s[3]
	for r := 1; r < c.rounds; r++ {
		k := &c.enc[r]
		w, x, y, z = lookup(t, w, w, z, z, y, y, x, x)^k[0], lookup(t, x, x, w, w, z, z, y, y)^k[1],
			lookup(t, y, y, x, x, w, w, z, z)^k[2], lookup(t, z, z, y, y, x, x, w, w)^k[3]
	}
	s[0], s[1], s[2], s[3] = w, x, y, z
}

// decrypt is encrypt backwards, in the order that lets substitution and matrix share a table: the round keys between the
// first and the last are kept multiplied by ψ⁻¹.
func (c *Cipher) decrypt(s *[maxWords]uint64) {
	c.sub(s, &c.dec[c.rounds])
	c.unmix(s)
	for r := c.rounds - 1; r > 0; r-- {
		c.unround(s)
		c.xor(s, &c.dec[r])
	}
	c.unlast(s)
	c.sub(s, &c.dec[0])
}

// add, sub and xor are by whole words of the block.
func (c *Cipher) add(s, k *[maxWords]uint64) {
	for i := range s[:c.nb] {
		s[i] += k[i]
	}
}

func (c *Cipher) sub(s, k *[maxWords]uint64) {
	for i := range s[:c.nb] {
		s[i] -= k[i]
	}
}

func (c *Cipher) xor(s, k *[maxWords]uint64) {
	for i := range s[:c.nb] {
		s[i] ^= k[i]
	}
}

// round is substitution, shift of rows and matrix. Row i moves ⌊i·l/512⌋ columns to the right, where
// l is the length of the block in bits.
func (c *Cipher) round(s *[maxWords]uint64) {
	t := c.t.enc
	switch c.nb {
	case 2:
		a, b := s[0], s[1]
		s[0] = lookup(t, a, a, a, a, b, b, b, b)
		s[1] = lookup(t, b, b, b, b, a, a, a, a)
	case 4:
		w, x, y, z := s[0], s[1], s[2], s[3]
		s[0] = lookup(t, w, w, z, z, y, y, x, x)
		s[1] = lookup(t, x, x, w, w, z, z, y, y)
		s[2] = lookup(t, y, y, x, x, w, w, z, z)
		s[3] = lookup(t, z, z, y, y, x, x, w, w)
	default:
		a := *s
		for j := range s {
			s[j] = lookup(t, a[j], a[(j+7)&7], a[(j+6)&7], a[(j+5)&7], a[(j+4)&7], a[(j+3)&7], a[(j+2)&7], a[(j+1)&7])
		}
	}
}

// unround is the shift backwards, the substitution backwards and the matrix backwards.
func (c *Cipher) unround(s *[maxWords]uint64) {
	t := &c.t.dec
	switch c.nb {
	case 2:
		a, b := s[0], s[1]
		s[0] = lookup(t, a, a, a, a, b, b, b, b)
		s[1] = lookup(t, b, b, b, b, a, a, a, a)
	case 4:
		w, x, y, z := s[0], s[1], s[2], s[3]
		s[0] = lookup(t, w, w, x, x, y, y, z, z)
		s[1] = lookup(t, x, x, y, y, z, z, w, w)
		s[2] = lookup(t, y, y, z, z, w, w, x, x)
		s[3] = lookup(t, z, z, w, w, x, x, y, y)
	default:
		a := *s
		for j := range s {
			s[j] = lookup(t, a[j], a[(j+1)&7], a[(j+2)&7], a[(j+3)&7], a[(j+4)&7], a[(j+5)&7], a[(j+6)&7], a[(j+7)&7])
		}
	}
}

// lookup joins one column from the column that each of its eight rows comes from.
func lookup(t *spn.Forward, r0, r1, r2, r3, r4, r5, r6, r7 uint64) uint64 {
	return t[0][byte(r0)] ^ t[1][byte(r1>>8)] ^ t[2][byte(r2>>16)] ^ t[3][byte(r3>>24)] ^
		t[4][byte(r4>>32)] ^ t[5][byte(r5>>40)] ^ t[6][byte(r6>>48)] ^ t[7][byte(r7>>56)]
}

// unmix multiplies every column by ψ⁻¹: the substitution before it undoes the one inside the table.
func (c *Cipher) unmix(s *[maxWords]uint64) {
	s0, s1, s2, s3 := spn.Sboxes[0], spn.Sboxes[1], spn.Sboxes[2], spn.Sboxes[3]
	for i, w := range s[:c.nb] {
		w = uint64(s0[byte(w)]) | uint64(s1[byte(w>>8)])<<8 | uint64(s2[byte(w>>16)])<<16 | uint64(s3[byte(w>>24)])<<24 |
			uint64(s0[byte(w>>32)])<<32 | uint64(s1[byte(w>>40)])<<40 | uint64(s2[byte(w>>48)])<<48 | uint64(s3[byte(w>>56)])<<56
		s[i] = lookup(&c.t.dec, w, w, w, w, w, w, w, w)
	}
}

// unlast is the shift and the substitution backwards, without the matrix.
func (c *Cipher) unlast(s *[maxWords]uint64) {
	a := *s
	for j := range s[:c.nb] {
		var w uint64
		for k := range 8 {
			from := (j + k*c.nb/8) % c.nb
			w |= uint64(c.t.inv[k%4][byte(a[from]>>(8*k))]) << (8 * k)
		}
		s[j] = w
	}
}

// expand makes the round keys.
func (c *Cipher) expand(key []byte) {
	var words [maxWords]uint64
	nk := len(key) / 8
	for i := range nk {
		words[i] = binary.LittleEndian.Uint64(key[8*i:])
	}
	var low, high [maxWords]uint64 // the halves of a long key, twice the whole of a short one
	copy(low[:], words[:c.nb])
	copy(high[:], words[nk-c.nb:nk])

	// The intermediate key kt starts from the sizes alone.
	var kt [maxWords]uint64
	kt[0] = uint64(c.nb + nk + 1)
	c.add(&kt, &low)
	c.round(&kt)
	c.xor(&kt, &high)
	c.round(&kt)
	c.add(&kt, &low)
	c.round(&kt)

	// Keys of even rounds: the key, turned by a word a step, through two rounds keyed by kt plus a constant that
	// doubles. A long key gives both its halves before it is turned.
	constant := uint64(0x0001000100010001)
	for r := 0; r <= c.rounds; {
		for half := 0; half < nk && r <= c.rounds; half += c.nb {
			tweak := kt
			for i := range tweak[:c.nb] {
				tweak[i] += constant
			}
			k := &c.enc[r]
			copy(k[:c.nb], words[half:half+c.nb])
			c.add(k, &tweak)
			c.round(k)
			c.xor(k, &tweak)
			c.round(k)
			c.add(k, &tweak)
			constant <<= 1
			r += 2
		}
		first := words[0]
		copy(words[:nk-1], words[1:nk])
		words[nk-1] = first
	}
	// Keys of odd rounds: the one before, turned by l/4 + 24 bits.
	for r := 1; r < c.rounds; r += 2 {
		var b, turned [MaxBlockSize]byte
		c.store(b[:], &c.enc[r-1])
		n, by := 8*c.nb, 2*c.nb+3
		copy(turned[:n], b[by:n])
		copy(turned[n-by:n], b[:by])
		c.load(&c.enc[r], turned[:])
	}

	c.dec = c.enc
	for r := 1; r < c.rounds; r++ {
		c.unmix(&c.dec[r])
	}
}
