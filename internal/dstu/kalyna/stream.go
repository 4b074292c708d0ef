package kalyna

import (
	"crypto/cipher"
	"crypto/subtle"
)

// The streams take data in pieces of any length: the pieces together are one message. As cipher.Stream demands, dst and
// src overlap entirely or not at all, and a dst shorter than src panics. A stream is not safe for concurrent use.

type stream struct {
	c     *Cipher
	gamma [MaxBlockSize]byte
	used  int // bytes of gamma already used
	// state is the next input of the cipher: the counter (CTR), the last ciphertext (CFB), unused by OFB.
	state [MaxBlockSize]byte
}

func newStream(c *Cipher, iv []byte) (stream, error) {
	s := stream{c: c, used: c.BlockSize()}
	if len(iv) != c.BlockSize() {
		return s, ErrIVSize
	}
	copy(s.state[:], iv)
	return s, nil
}

type ctr struct{ stream }

// NewCTR returns the mode CTR (clause 9: гамування). The counter starts from the encrypted iv, of one block, and grows by
// one before each block as an integer of the block's length, little-endian. An iv must never meet the same key twice.
func NewCTR(c *Cipher, iv []byte) (cipher.Stream, error) {
	s, err := newStream(c, iv)
	if err != nil {
		return nil, err
	}
	c.Encrypt(s.state[:], s.state[:])
	return &ctr{s}, nil
}

func (s *ctr) XORKeyStream(dst, src []byte) {
	dst = dst[:len(src)]
	n := s.c.BlockSize()
	for len(src) > 0 {
		if s.used == n {
			carry := uint(1)
			for i := range s.state[:n] {
				carry += uint(s.state[i])
				s.state[i] = byte(carry)
				carry >>= 8
			}
			s.c.Encrypt(s.gamma[:], s.state[:])
			s.used = 0
		}
		k := subtle.XORBytes(dst, src, s.gamma[s.used:n])
		s.used += k
		dst, src = dst[k:], src[k:]
	}
}

type ofb struct{ stream }

// NewOFB returns the mode OFB (clause 14): the gamma is the iv, of one block, encrypted again and again. An iv must never
// meet the same key twice.
func NewOFB(c *Cipher, iv []byte) (cipher.Stream, error) {
	s, err := newStream(c, iv)
	if err != nil {
		return nil, err
	}
	s.gamma = s.state
	return &ofb{s}, nil
}

func (s *ofb) XORKeyStream(dst, src []byte) {
	dst = dst[:len(src)]
	n := s.c.BlockSize()
	for len(src) > 0 {
		if s.used == n {
			s.c.Encrypt(s.gamma[:], s.gamma[:])
			s.used = 0
		}
		k := subtle.XORBytes(dst, src, s.gamma[s.used:n])
		s.used += k
		dst, src = dst[k:], src[k:]
	}
}

type cfb struct {
	stream
	decrypt bool
}

// NewCFBEncrypter and NewCFBDecrypter return the mode CFB (clause 10: гамування зі зворотним зв'язком) with a feedback of
// the whole block, the only one in use. The iv has one block.
func NewCFBEncrypter(c *Cipher, iv []byte) (cipher.Stream, error) { return newCFB(c, iv, false) }

// NewCFBDecrypter is the inverse of NewCFBEncrypter.
func NewCFBDecrypter(c *Cipher, iv []byte) (cipher.Stream, error) { return newCFB(c, iv, true) }

func newCFB(c *Cipher, iv []byte, decrypt bool) (cipher.Stream, error) {
	s, err := newStream(c, iv)
	if err != nil {
		return nil, err
	}
	return &cfb{s, decrypt}, nil
}

func (s *cfb) XORKeyStream(dst, src []byte) {
	dst = dst[:len(src)]
	n := s.c.BlockSize()
	for len(src) > 0 {
		if s.used == n {
			s.c.Encrypt(s.gamma[:], s.state[:])
			s.used = 0
		}
		k := min(n-s.used, len(src))
		if s.decrypt { // before dst is written: it may be src
			copy(s.state[s.used:], src[:k])
		}
		subtle.XORBytes(dst, src[:k], s.gamma[s.used:n])
		if !s.decrypt {
			copy(s.state[s.used:], dst[:k])
		}
		s.used += k
		dst, src = dst[k:], src[k:]
	}
}
