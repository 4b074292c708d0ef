package gost34311

import "hash"

// An hmac keeps the states after the two pad blocks, so that a message of one block costs six steps and not eight.
type hmac struct {
	digest
	outer state
}

// NewHMAC returns HMAC (RFC 2104) over this hash, with a block of 32 bytes. The key may have any length and is not kept.
func NewHMAC(key []byte) hash.Hash {
	m := new(hmac)
	m.init(key)
	return m
}

func (m *hmac) init(key []byte) {
	var pad [BlockSize]byte
	if len(key) > BlockSize {
		pad = Sum(key)
	} else {
		copy(pad[:], key)
	}
	for i := range pad {
		pad[i] ^= 0x36
	}
	m.table = dke1
	m.block(pad[:])
	m.start = m.state
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	m.state = state{}
	m.block(pad[:])
	m.outer = m.state
	clear(pad[:])
	m.Reset()
}

// Sum appends the MAC to b; the hash can go on.
func (m *hmac) Sum(b []byte) []byte {
	inner := m.digest
	in := inner.finish()
	outer := digest{state: m.outer, table: m.table}
	outer.write(in[:])
	out := outer.finish()
	return append(b, out[:]...)
}

// PBKDF2 derives size bytes (RFC 8018, section 5.2) with HMAC over this hash; password is taken as bytes, without a
// terminator. Fewer than one iteration counts as one, a size of zero or less gives nil. The time grows with iterations
// times size, and both often come from a file: the caller sets the limits.
func PBKDF2(password, salt []byte, iterations, size int) []byte {
	if size <= 0 {
		return nil
	}
	var mac hmac
	mac.init(password)
	out := make([]byte, 0, (size+Size-1)/Size*Size)
	for i := uint32(1); len(out) < size; i++ {
		mac.Reset()
		mac.write(salt)
		mac.write([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		out = mac.Sum(out)
		t := out[len(out)-Size:]
		u := [4]uint64{load64(t), load64(t[8:]), load64(t[16:]), load64(t[24:])}
		sum := u
		for range iterations - 1 {
			// U ← HMAC(password, U), on words: both messages are exactly one block.
			s := mac.start
			s.absorb(mac.table, &u)
			s.close(mac.table)
			u = s.h
			s = mac.outer
			s.absorb(mac.table, &u)
			s.close(mac.table)
			u = s.h
			for j := range sum {
				sum[j] ^= u[j]
			}
		}
		for j, v := range sum {
			store64(t[8*j:], v)
		}
	}
	return out[:size]
}

// ContainerKey is the derivation of Key-6.dat: the hash of password, then of its own output, rounds times in all (the
// format has 10,000). Fewer than one round counts as one.
func ContainerKey(password []byte, rounds int) (key [Size]byte) {
	key = Sum(password)
	u := [4]uint64{load64(key[:]), load64(key[8:]), load64(key[16:]), load64(key[24:])}
	for range rounds - 1 {
		var s state
		s.absorb(dke1, &u)
		s.close(dke1)
		u = s.h
	}
	for i, v := range u {
		store64(key[8*i:], v)
	}
	return key
}
