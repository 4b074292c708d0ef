package gost28147

// A Stream is one of the two gamma modes in progress. It implements [crypto/cipher.Stream]; it is not for concurrent
// use. XORKeyStream accepts pieces of any length, and dst may be exactly src; other overlaps are the caller's error.
type Stream struct {
	c    *Cipher
	mode mode
	// n1, n2 hold the feedback register of CFB, or the counter of CTR.
	n1, n2 uint32
	// gamma is the current block of gamma; used of its bytes are spent, and in CFB the ciphertext of the same bytes is
	// gathered in feedback.
	gamma, feedback [BlockSize]byte
	used            int
}

type mode uint8

const (
	cfbEncrypt mode = iota + 1
	cfbDecrypt
	ctr
)

// Constants C1 and C2 of гамування (the standard's annex on constants).
const (
	ctrC1 = 0x01010104
	ctrC2 = 0x01010101
)

// NewCFBEncrypter starts encryption in гамування зі зворотним зв'язком: 64-bit feedback, no key meshing. The key has
// KeySize and the iv BlockSize bytes (ErrKeySize, ErrIVSize); a nil sbox is DKE1.
func NewCFBEncrypter(key []byte, sbox *SBox, iv []byte) (*Stream, error) {
	return newStream(key, sbox, iv, cfbEncrypt)
}

// NewCFBDecrypter is the inverse of NewCFBEncrypter.
func NewCFBDecrypter(key []byte, sbox *SBox, iv []byte) (*Stream, error) {
	return newStream(key, sbox, iv, cfbDecrypt)
}

// NewCTR starts гамування, which is its own inverse. Its counter is the standard's: the iv is encrypted once, then its
// halves grow by C2 modulo 2³² and by C1 modulo 2³²−1. Sizes and errors are those of NewCFBEncrypter.
func NewCTR(key []byte, sbox *SBox, iv []byte) (*Stream, error) {
	s, err := newStream(key, sbox, iv, ctr)
	if err != nil {
		return nil, err
	}
	s.n1, s.n2 = s.c.table.Encrypt(&s.c.key, s.n1, s.n2)
	return s, nil
}

func newStream(key []byte, sbox *SBox, iv []byte, m mode) (*Stream, error) {
	c, err := NewCipher(key, sbox)
	if err != nil {
		return nil, err
	}
	return c.stream(iv, m)
}

func (c *Cipher) stream(iv []byte, m mode) (*Stream, error) {
	if len(iv) != BlockSize {
		return nil, ErrIVSize
	}
	return &Stream{c: c, mode: m, n1: load32(iv), n2: load32(iv[4:]), used: BlockSize}, nil
}

// XORKeyStream processes src into dst, which must be at least as long, else it panics.
func (s *Stream) XORKeyStream(dst, src []byte) {
	if len(src) == 0 {
		return
	}
	_ = dst[len(src)-1]
	// The rest of a block begun by an earlier call.
	n := s.partial(dst, src)
	dst, src = dst[n:], src[n:]

	whole := len(src) &^ (BlockSize - 1)
	switch s.mode {
	case cfbEncrypt:
		s.encryptBlocks(dst[:whole], src[:whole])
	case cfbDecrypt:
		s.decryptBlocks(dst[:whole], src[:whole])
	case ctr:
		s.ctrBlocks(dst[:whole], src[:whole])
	}
	dst, src = dst[whole:], src[whole:]
	if len(src) > 0 {
		s.next()
		s.partial(dst, src)
	}
}

func (s *Stream) encryptBlocks(dst, src []byte) {
	t, k, n1, n2 := s.c.table, &s.c.key, s.n1, s.n2
	for len(src) >= BlockSize && len(dst) >= BlockSize {
		n1, n2 = t.Encrypt(k, n1, n2)
		n1 ^= load32(src)
		n2 ^= load32(src[4:])
		store32(dst, n1)
		store32(dst[4:], n2)
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
	s.n1, s.n2 = n1, n2
}

// decryptBlocks works on four blocks at once: the gammas depend on ciphertext alone.
func (s *Stream) decryptBlocks(dst, src []byte) {
	t, k := s.c.table, &s.c.key
	if len(src) >= 4*BlockSize {
		k4 := [4][8]uint32{*k, *k, *k, *k}
		reg := uint64(s.n1) | uint64(s.n2)<<32
		for len(src) >= 4*BlockSize && len(dst) >= 4*BlockSize {
			c := [4]uint64{load64(src), load64(src[8:]), load64(src[16:]), load64(src[24:])}
			g := [4]uint64{reg, c[0], c[1], c[2]}
			t.Encrypt4(&k4, &g)
			store64(dst, g[0]^c[0])
			store64(dst[8:], g[1]^c[1])
			store64(dst[16:], g[2]^c[2])
			store64(dst[24:], g[3]^c[3])
			reg = c[3]
			dst, src = dst[4*BlockSize:], src[4*BlockSize:]
		}
		s.n1, s.n2 = uint32(reg), uint32(reg>>32)
		clear(k4[:])
	}
	n1, n2 := s.n1, s.n2
	for len(src) >= BlockSize && len(dst) >= BlockSize {
		g1, g2 := t.Encrypt(k, n1, n2)
		n1, n2 = load32(src), load32(src[4:])
		store32(dst, g1^n1)
		store32(dst[4:], g2^n2)
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
	s.n1, s.n2 = n1, n2
}

func load64(b []byte) uint64 { return uint64(load32(b)) | uint64(load32(b[4:]))<<32 }

func store64(b []byte, v uint64) {
	store32(b, uint32(v))
	store32(b[4:], uint32(v>>32))
}

func (s *Stream) ctrBlocks(dst, src []byte) {
	for len(src) >= BlockSize && len(dst) >= BlockSize {
		s.count()
		g1, g2 := s.c.table.Encrypt(&s.c.key, s.n1, s.n2)
		store32(dst, g1^load32(src))
		store32(dst[4:], g2^load32(src[4:]))
		dst, src = dst[BlockSize:], src[BlockSize:]
	}
}

// count steps the counter of CTR. The second half is a sum modulo 2³²−1 in which 2³²−1 itself is kept: the carry is
// added back.
func (s *Stream) count() {
	s.n1 += ctrC2
	sum := uint64(s.n2) + ctrC1
	s.n2 = uint32(sum) + uint32(sum>>32)
}

// next makes a new block of gamma for bytewise use.
func (s *Stream) next() {
	if s.mode == ctr {
		s.count()
	}
	g1, g2 := s.c.table.Encrypt(&s.c.key, s.n1, s.n2)
	store32(s.gamma[:], g1)
	store32(s.gamma[4:], g2)
	s.used = 0
}

// partial spends what is left of the current block of gamma and returns the number of bytes processed.
func (s *Stream) partial(dst, src []byte) int {
	n := 0
	for s.used < BlockSize && n < len(src) {
		in := src[n]
		out := in ^ s.gamma[s.used]
		dst[n] = out
		if s.mode == cfbEncrypt {
			in = out
		}
		s.feedback[s.used] = in
		s.used++
		n++
	}
	if n > 0 && s.used == BlockSize && s.mode != ctr {
		s.n1, s.n2 = load32(s.feedback[:]), load32(s.feedback[4:])
	}
	return n
}
