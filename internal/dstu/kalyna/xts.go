package kalyna

import "crypto/subtle"

// XTS is mode 9, for storage: a message keeps its length, and every block is masked by its place. Unlike
// the XTS of IEEE 1619 it has one key. It protects secrecy only.
type XTS struct{ c *Cipher }

// NewXTS returns the mode over c.
func NewXTS(c *Cipher) *XTS { return &XTS{c} }

// Encrypt encrypts src, at least one block, into dst of the same length, which is src itself or does not overlap it. iv has
// one block and names the place (a sector number). ErrIVSize, ErrSize.
func (x *XTS) Encrypt(dst, src, iv []byte) error { return x.crypt(dst, src, iv, x.c.Encrypt, false) }

// Decrypt is the inverse of Encrypt.
func (x *XTS) Decrypt(dst, src, iv []byte) error { return x.crypt(dst, src, iv, x.c.Decrypt, true) }

func (x *XTS) crypt(dst, src, iv []byte, block func(dst, src []byte), decrypt bool) error {
	n := x.c.BlockSize()
	if len(iv) != n {
		return ErrIVSize
	}
	if len(src) < n || len(dst) != len(src) {
		return ErrSize
	}
	var mask [maxWords]uint64
	x.c.load(&mask, iv)
	x.c.encrypt(&mask)
	copy(dst, src)

	// A broken last block borrows its missing bytes from the ciphertext of the block before, and the two change places:
	// so the last whole block is masked by the mask after its own when decrypting.
	whole, broken := len(dst)/n, len(dst)%n
	if broken > 0 {
		whole--
	}
	for i := range whole {
		x.next(&mask)
		x.one(dst[i*n:], &mask, block)
	}
	if broken == 0 {
		return nil
	}
	x.next(&mask)
	first := mask
	x.next(&mask)
	second := mask
	if decrypt {
		first, second = second, first
	}
	whole1, rest := dst[whole*n:whole*n+n], dst[whole*n+n:]
	x.one(whole1, &first, block)
	var last [MaxBlockSize]byte
	copy(last[:], rest)
	copy(last[broken:n], whole1[broken:])
	x.one(last[:], &second, block)
	copy(rest, whole1[:broken])
	copy(whole1, last[:n])
	return nil
}

func (x *XTS) next(mask *[maxWords]uint64) {
	doubleElement(mask, x.c.nb, polynomial(x.c.nb))
}

// one transforms the first block of b in place.
func (x *XTS) one(b []byte, mask *[maxWords]uint64, block func(dst, src []byte)) {
	n := x.c.BlockSize()
	var m [MaxBlockSize]byte
	x.c.store(m[:], mask)
	subtle.XORBytes(b[:n], b[:n], m[:n])
	block(b[:n], b[:n])
	subtle.XORBytes(b[:n], b[:n], m[:n])
}
