// Package kupyna is the hash function of ДСТУ 7564:2014 («Купина») with digests of 256, 384 and 512 bits. Bytes go in and
// come out in natural order. It knows no object identifiers and signs nothing.
//
// The compression looks tables up by state bytes, so its timing may depend on the message through the cache: it is for
// public data, and for secrets only where the hash of a secret is taken once.
package kupyna

import (
	"encoding/binary"
	"hash"

	"brama/internal/dstu/internal/spn"
)

// Digest and block sizes in bytes. A digest of at most 32 bytes uses the 64-byte block, a longer one the 128-byte block.
const (
	Size256, BlockSize256 = 32, 64
	Size384, BlockSize384 = 48, 128
	Size512, BlockSize512 = 64, 128
)

// New256 returns the hash with a digest of 32 bytes.
func New256() hash.Hash { return newDigest(Size256) }

// New384 returns the hash with a digest of 48 bytes.
func New384() hash.Hash { return newDigest(Size384) }

// New512 returns the hash with a digest of 64 bytes.
func New512() hash.Hash { return newDigest(Size512) }

// Sum256 returns the 32-byte digest of data.
func Sum256(data []byte) (out [Size256]byte) {
	var d digest
	d.init(Size256)
	d.Write(data)
	d.finish(out[:])
	return out
}

// Sum384 returns the 48-byte digest of data.
func Sum384(data []byte) (out [Size384]byte) {
	var d digest
	d.init(Size384)
	d.Write(data)
	d.finish(out[:])
	return out
}

// Sum512 returns the 64-byte digest of data.
func Sum512(data []byte) (out [Size512]byte) {
	var d digest
	d.init(Size512)
	d.Write(data)
	d.finish(out[:])
	return out
}

// A digest is a hash in progress. The state is a matrix of 8 rows and 8 or 16 columns, a column in one word, row 0 in its
// low byte.
type digest struct {
	state   [16]uint64
	buf     [128]byte
	n       int    // bytes in buf
	length  uint64 // bytes written; over 2⁶¹ bytes are out of reach
	size    int
	block   int
	columns int
	t       *spn.Forward
}

var _ hash.Hash = (*digest)(nil)

func newDigest(size int) *digest {
	d := new(digest)
	d.init(size)
	return d
}

func (d *digest) init(size int) {
	d.size, d.block = size, BlockSize256
	if size > Size256 {
		d.block = BlockSize512
	}
	d.columns, d.t = d.block/8, spn.Tables()
	d.Reset()
}

// Reset starts again: the initial value is 2⁵¹⁰ or 2¹⁰²³ (clause 6.2), which as bytes is the block's length in bytes.
func (d *digest) Reset() {
	d.state = [16]uint64{uint64(d.block)}
	d.n, d.length = 0, 0
}

func (d *digest) Size() int      { return d.size }
func (d *digest) BlockSize() int { return d.block }

func (d *digest) Write(p []byte) (int, error) {
	written := len(p)
	d.length += uint64(written)
	if d.n > 0 {
		k := copy(d.buf[d.n:d.block], p)
		d.n += k
		p = p[k:]
		if d.n == d.block {
			d.compress(d.buf[:d.block])
			d.n = 0
		}
	}
	for len(p) >= d.block {
		d.compress(p[:d.block])
		p = p[d.block:]
	}
	if len(p) > 0 {
		d.n = copy(d.buf[:], p)
	}
	return written, nil
}

// Sum appends the digest of what was written so far; the hash goes on.
func (d *digest) Sum(b []byte) []byte {
	c := *d
	var out [Size512]byte
	c.finish(out[:c.size])
	return append(b, out[:c.size]...)
}

// finish pads with a one bit, zeros and the length in bits as 96 bits little-endian (clause 6.1), and ends with
// R(T⊕(h) ⊕ h), the last bytes of the state (clause 6.3).
func (d *digest) finish(out []byte) {
	bits := d.length << 3
	over := d.length >> 61
	d.buf[d.n] = 0x80
	d.n++
	if d.n > d.block-12 {
		clear(d.buf[d.n:d.block])
		d.compress(d.buf[:d.block])
		d.n = 0
	}
	clear(d.buf[d.n:d.block])
	binary.LittleEndian.PutUint64(d.buf[d.block-12:], bits)
	binary.LittleEndian.PutUint32(d.buf[d.block-4:], uint32(over))
	d.compress(d.buf[:d.block])
	h := d.state
	if d.columns == 8 {
		permuteXor8(d.t, (*[8]uint64)(h[:8]))
	} else {
		permuteXor16(d.t, &h)
	}
	var full [128]byte
	for i := range d.columns {
		binary.LittleEndian.PutUint64(full[8*i:], d.state[i]^h[i])
	}
	copy(out, full[d.block-d.size:d.block])
}

// compress is h = T⊕(h ⊕ m) ⊕ T+(m) ⊕ h (clause 6.2).
func (d *digest) compress(block []byte) {
	if d.columns == 8 {
		var p, q [8]uint64
		for i := range q {
			q[i] = binary.LittleEndian.Uint64(block[8*i:])
			p[i] = q[i] ^ d.state[i]
		}
		permuteXor8(d.t, &p)
		permuteAdd8(d.t, &q)
		for i := range p {
			d.state[i] ^= p[i] ^ q[i]
		}
		return
	}
	var p, q [16]uint64
	for i := range q {
		q[i] = binary.LittleEndian.Uint64(block[8*i:])
		p[i] = q[i] ^ d.state[i]
	}
	permuteXor16(d.t, &p)
	permuteAdd16(d.t, &q)
	for i := range p {
		d.state[i] ^= p[i] ^ q[i]
	}
}
