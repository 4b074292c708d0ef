package kalyna

import (
	"crypto/subtle"
	"io"
)

// maxKW bounds a message of the mode KW: it protects keys, and its time grows with the square of the length.
const maxKW = 4 << 10

// WrapKW is the mode KW (mode 10, захист ключових даних): it encrypts key data of 1 to 4096 bytes so that any change is
// noticed by [UnwrapKW]. Whole blocks grow by one block; other lengths are first padded by their length in bits, half a
// block little-endian, then a bit 1 and zeros. CMS does not use this mode: see [WrapKey]. ErrSize.
func WrapKW(c *Cipher, key []byte) ([]byte, error) {
	n := c.BlockSize()
	if len(key) == 0 || len(key) > maxKW {
		return nil, ErrSize
	}
	out := make([]byte, paddedKW(n, len(key))+n) // the last block stays zero: it is what is checked
	copy(out, key)
	padKW(out, n, len(key))
	half := n / 2
	halves := len(out) / half
	var block [MaxBlockSize]byte
	for i := 1; i <= 6*(halves-1); i++ {
		c.Encrypt(block[:], out) // the first two halves
		addCounter(block[half:n], i)
		copy(out[half:], out[n:])
		copy(out, block[half:n])
		copy(out[len(out)-half:], block[:half])
	}
	return out, nil
}

// UnwrapKW is the inverse of [WrapKW] for key data of size bytes. The size must be known beforehand, because the mode does
// not tell padded data from whole blocks that look like it. Anything else, a change of a bit or another size, is
// ErrKeyWrap, found in the same time.
func UnwrapKW(c *Cipher, wrapped []byte, size int) ([]byte, error) {
	n := c.BlockSize()
	if size <= 0 || size > maxKW {
		return nil, ErrSize
	}
	if len(wrapped) != paddedKW(n, size)+n {
		return nil, ErrKeyWrap
	}
	out := append([]byte(nil), wrapped...)
	half := n / 2
	halves := len(out) / half
	var block [MaxBlockSize]byte
	for i := 6 * (halves - 1); i > 0; i-- {
		copy(block[:half], out[len(out)-half:])
		copy(block[half:], out[:half])
		addCounter(block[half:n], i)
		c.Decrypt(block[:], block[:])
		copy(out[n:], out[half:len(out)-half])
		copy(out, block[:n])
	}
	want := make([]byte, len(out))
	copy(want, out[:size])
	padKW(want, n, size)
	if subtle.ConstantTimeCompare(out, want) != 1 {
		clear(out)
		clear(want)
		return nil, ErrKeyWrap
	}
	clear(want)
	return out[:size:size], nil
}

func paddedKW(block, size int) int {
	if size%block == 0 {
		return size
	}
	return (size + block/2 + block - 1) / block * block
}

func padKW(b []byte, block, size int) {
	if size%block == 0 {
		return
	}
	bits := uint64(size) * 8
	for i := range 8 {
		b[size+i] = byte(bits >> (8 * i))
	}
	if end := size + block/2; end%block != 0 {
		b[end] = 0x80
	}
}

func addCounter(half []byte, i int) {
	half[0] ^= byte(i)
	half[1] ^= byte(i >> 8)
}

const (
	// WrappedKeySize is the length of what [WrapKey] returns.
	WrappedKeySize = 3 * wrapBlock
	wrapBlock      = 32
)

// wrapIV starts the second encryption of the wrap; it is a constant of the format.
var wrapIV = []byte("\x69\x73\x27\x1d\x6e\x61\x1d\x06\x61\x67\x15\x04\x6c\x65\x50\x4c" +
	"\x20\x20\x00\x4f\x6d\x68\x01\x1f\x65\x61\x0c\x0c\x73\x73\x47\x14")

// WrapKey wraps a key of 32 bytes under a key of 32 bytes as CMS does it under 1.2.804.2.1.1.1.1.1.3.11, into 96 bytes.
// It is built as the wrap of ГОСТ 28147 is, not on the mode KW: the key and its CMAC are encrypted by CFB under a
// random vector, the vector and the result are turned byte by byte, and all is encrypted once more by CFB under a fixed
// vector. The cipher is Калина with blocks of 256 bits throughout. ErrKeySize, or the error of rand.
func WrapKey(kek, key []byte, rand io.Reader) ([]byte, error) {
	if len(key) != wrapBlock {
		return nil, ErrKeySize
	}
	c, err := newWrapCipher(kek)
	if err != nil {
		return nil, err
	}
	out := make([]byte, WrappedKeySize)
	if _, err := io.ReadFull(rand, out[:wrapBlock]); err != nil {
		return nil, err
	}
	copy(out[wrapBlock:], key)
	check := wrapCheck(c, key)
	copy(out[2*wrapBlock:], check[:])
	if err := EncryptCFB(c, out[wrapBlock:], out[wrapBlock:], out[:wrapBlock]); err != nil {
		return nil, err
	}
	reverse(out)
	if err := EncryptCFB(c, out, out, wrapIV); err != nil {
		return nil, err
	}
	return out, nil
}

// UnwrapKey is the inverse of [WrapKey]. Anything but a key that was wrapped under kek is ErrKeyWrap.
func UnwrapKey(kek, wrapped []byte) ([]byte, error) {
	c, err := newWrapCipher(kek)
	if err != nil {
		return nil, err
	}
	if len(wrapped) != WrappedKeySize {
		return nil, ErrKeyWrap
	}
	out := append([]byte(nil), wrapped...)
	if err := DecryptCFB(c, out, out, wrapIV); err != nil {
		return nil, err
	}
	reverse(out)
	if err := DecryptCFB(c, out[wrapBlock:], out[wrapBlock:], out[:wrapBlock]); err != nil {
		return nil, err
	}
	key, check := out[wrapBlock:2*wrapBlock:2*wrapBlock], wrapCheck(c, out[wrapBlock:2*wrapBlock])
	if subtle.ConstantTimeCompare(check[:], out[2*wrapBlock:]) != 1 {
		clear(out)
		return nil, ErrKeyWrap
	}
	return key, nil
}

func newWrapCipher(kek []byte) (*Cipher, error) {
	if len(kek) != wrapBlock {
		return nil, ErrKeySize
	}
	return NewCipher(kek, wrapBlock)
}

// wrapCheck is the CMAC of key, a whole block long.
func wrapCheck(c *Cipher, key []byte) (check [wrapBlock]byte) {
	m := cmac{c: c, size: wrapBlock}
	m.Write(key)
	m.Sum(check[:0])
	return check
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}
