package kalyna

import "crypto/subtle"

// A Stream is a cipher.Stream: the mode CTR or OFB in progress. It takes data in pieces of any length, which together are
// one message. It is not safe for concurrent use.
type Stream struct {
	c     *Cipher
	gamma [MaxBlockSize]byte
	used  int // bytes of gamma already used
	// counter is what CTR encrypts; OFB encrypts the gamma itself.
	counter [MaxBlockSize]byte
	ctr     bool
}

// NewCTR returns the mode CTR (mode 2, гамування). The counter starts from the encrypted iv, of one block, and grows by
// one before each block as an integer of the block's length, little-endian. An iv must never meet the same key twice.
func NewCTR(c *Cipher, iv []byte) (*Stream, error) {
	if len(iv) != c.BlockSize() {
		return nil, ErrIVSize
	}
	s := &Stream{c: c, used: len(iv), ctr: true}
	c.Encrypt(s.counter[:], iv)
	return s, nil
}

// NewOFB returns the mode OFB (mode 6): the gamma is the iv, of one block, encrypted again and again. An iv must never
// meet the same key twice.
func NewOFB(c *Cipher, iv []byte) (*Stream, error) {
	if len(iv) != c.BlockSize() {
		return nil, ErrIVSize
	}
	s := &Stream{c: c, used: len(iv)}
	copy(s.gamma[:], iv)
	return s, nil
}

// XORKeyStream encrypts or decrypts src into dst, which are the same or do not overlap. It panics if dst is shorter.
func (s *Stream) XORKeyStream(dst, src []byte) {
	dst = dst[:len(src)]
	n := s.c.BlockSize()
	for len(src) > 0 {
		if s.used == n {
			s.next()
		}
		k := subtle.XORBytes(dst, src, s.gamma[s.used:n])
		s.used += k
		dst, src = dst[k:], src[k:]
	}
}

func (s *Stream) next() {
	s.used = 0
	if !s.ctr {
		s.c.Encrypt(s.gamma[:], s.gamma[:])
		return
	}
	carry := uint(1)
	for i := range s.counter[:s.c.BlockSize()] {
		carry += uint(s.counter[i])
		s.counter[i] = byte(carry)
		carry >>= 8
	}
	s.c.Encrypt(s.gamma[:], s.counter[:])
}

// EncryptCFB is the mode CFB (mode 3, гамування зі зворотним зв'язком) with a feedback of the whole block, the only one
// in use. It encrypts src, of any length, into dst of the same length, which is src itself or does not overlap it. The iv
// has one block. ErrIVSize, ErrSize.
//
// It is no cipher.Stream, because a message that does not end with a whole block must be known to end: its last bytes
// meet the last bytes of the gamma, not the first. (The standard's examples do so; programs that take the first ones
// read all but the end of such a message.)
func EncryptCFB(c *Cipher, dst, src, iv []byte) error { return cfb(c, dst, src, iv, false) }

// DecryptCFB is the inverse of EncryptCFB.
func DecryptCFB(c *Cipher, dst, src, iv []byte) error { return cfb(c, dst, src, iv, true) }

func cfb(c *Cipher, dst, src, iv []byte, decrypt bool) error {
	n := c.BlockSize()
	if len(iv) != n {
		return ErrIVSize
	}
	if len(dst) != len(src) {
		return ErrSize
	}
	var feedback, gamma [MaxBlockSize]byte
	copy(feedback[:], iv)
	for len(src) > 0 {
		c.Encrypt(gamma[:], feedback[:])
		k := min(n, len(src))
		if decrypt { // before dst is written: it may be src
			copy(feedback[:], src[:k])
		}
		subtle.XORBytes(dst, src[:k], gamma[n-k:n])
		if !decrypt {
			copy(feedback[:], dst[:k])
		}
		dst, src = dst[k:], src[k:]
	}
	return nil
}
