// Package gost34311 is the hash of ГОСТ 34.311-95 as Ukraine uses it (ДКЕ № 1, zero start vector), HMAC over it and the
// key derivations of the containers that are built on it.
//
// It does not own any container format; limits on iteration counts that come from outside belong to its callers.
//
// Byte order: digests are returned as they come out. As an integer (ДСТУ 4145) a digest is little-endian.
//
// Timing: the step of the hash encrypts with keys made of the message, and its rounds read tables (4 KiB) at places that
// depend on what is hashed. Branches do not. Of a public message that tells nothing; of a password or an HMAC key an
// observer who shares the processor's caches can learn something. Derivations run where the person types the password.
//
// The standard leaves the digest of the empty message open to two readings, and implementations differ. This package
// hashes no block for it, as Bouncy Castle and gost89 do; callers refuse empty content before they sign or verify it.
package gost34311

import (
	"hash"

	"brama/internal/dstu/internal/feistel"
)

const (
	// Size is the length of a digest, in bytes.
	Size = 32
	// BlockSize is the length of a block, in bytes. HMAC uses it too.
	BlockSize = 32
)

var dke1 = feistel.Expand(feistel.Unpack(feistel.DKE1))

// A state is the chaining value h, the sum of blocks modulo 2²⁵⁶ and the number of bytes hashed. Words are in
// little-endian order.
type state struct {
	h, sum [4]uint64
	length uint64
}

type digest struct {
	state
	start  state // what Reset returns to: zero, or after the pad block of HMAC
	table  *feistel.Table
	buf    [BlockSize]byte
	filled int
}

// New returns the hash.
func New() hash.Hash { return newDigest(dke1, [4]uint64{}) }

func newDigest(t *feistel.Table, startVector [4]uint64) *digest {
	d := &digest{table: t, start: state{h: startVector}}
	d.Reset()
	return d
}

// Sum returns the digest of data.
func Sum(data []byte) [Size]byte {
	d := digest{table: dke1}
	d.write(data)
	return d.finish()
}

func (d *digest) Size() int      { return Size }
func (d *digest) BlockSize() int { return BlockSize }

func (d *digest) Reset() {
	d.state = d.start
	d.filled = 0
	clear(d.buf[:])
}

func (d *digest) Write(p []byte) (int, error) {
	d.write(p)
	return len(p), nil
}

func (d *digest) write(p []byte) {
	if d.filled > 0 {
		n := copy(d.buf[d.filled:], p)
		d.filled += n
		p = p[n:]
		if d.filled < BlockSize {
			return
		}
		d.block(d.buf[:])
		d.filled = 0
	}
	for len(p) >= BlockSize {
		d.block(p[:BlockSize])
		p = p[BlockSize:]
	}
	d.filled = copy(d.buf[:], p)
}

// Sum appends the digest to b; the hash can go on.
func (d *digest) Sum(b []byte) []byte {
	s := *d
	out := s.finish()
	return append(b, out[:]...)
}

// finish spends d: the last block filled with zeros, then the length in bits, then the sum.
func (d *digest) finish() (out [Size]byte) {
	if n := d.filled; n > 0 {
		clear(d.buf[n:])
		d.block(d.buf[:])
		d.length -= uint64(BlockSize - n)
	}
	d.state.close(d.table)
	for i, v := range d.h {
		store64(out[8*i:], v)
	}
	return out
}

func (d *digest) block(p []byte) {
	_ = p[BlockSize-1]
	m := [4]uint64{load64(p), load64(p[8:]), load64(p[16:]), load64(p[24:])}
	d.absorb(d.table, &m)
}

// absorb hashes one whole block.
func (s *state) absorb(t *feistel.Table, m *[4]uint64) {
	s.length += BlockSize
	var carry uint64
	for i, v := range m {
		s.sum[i], carry = add64(s.sum[i], v, carry)
	}
	step(t, &s.h, m)
}

// close hashes the length and the sum; h is the digest then.
func (s *state) close(t *feistel.Table) {
	step(t, &s.h, &[4]uint64{s.length << 3, s.length >> 61})
	step(t, &s.h, &s.sum)
}

func load64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func store64(b []byte, v uint64) {
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	b[4], b[5], b[6], b[7] = byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56)
}
