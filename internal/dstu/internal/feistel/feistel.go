// Package feistel is the network of ДСТУ ГОСТ 28147:2009: the combined substitution tables, the round and the three
// sequences of rounds (encryption 32-З, decryption 32-Р, MAC 16-З). It is shared by the cipher (package gost28147) and
// by the hash built on it (package gost34311), and knows neither modes nor byte order: halves of a block and key words
// are uint32.
//
// The rounds read tables at indices that depend on key and data, so they are not constant-time: see the notes of the two
// packages above for what that means to their callers.
package feistel

// A Table is the substitution block of the cipher, two neighbouring S-boxes in each 8-bit table, with the rotation by
// 11 bits already applied. It is 4 KiB.
type Table [4][256]uint32

// Expand makes a Table from the eight rows of an S-box: rows[0] replaces the least significant four bits of the round's
// sum, rows[7] the most significant. Only the low four bits of an entry count.
func Expand(rows *[8][16]byte) *Table {
	t := new(Table)
	for i := range t {
		lo, hi := &rows[2*i], &rows[2*i+1]
		for x := range t[i] {
			v := uint32(lo[x&15]&15) | uint32(hi[x>>4]&15)<<4
			v <<= 8 * i
			t[i][x] = v<<11 | v>>21
		}
	}
	return t
}

// round is the function f(x): substitution, then rotation by 11 bits to the left.
func (t *Table) round(x uint32) uint32 {
	return t[0][uint8(x)] ^ t[1][uint8(x>>8)] ^ t[2][uint8(x>>16)] ^ t[3][uint8(x>>24)]
}

// Encrypt is the sequence 32-З on the halves n1 (low) and n2 (high).
func (t *Table) Encrypt(k *[8]uint32, n1, n2 uint32) (uint32, uint32) {
	for range 3 {
		n2 ^= t.round(n1 + k[0])
		n1 ^= t.round(n2 + k[1])
		n2 ^= t.round(n1 + k[2])
		n1 ^= t.round(n2 + k[3])
		n2 ^= t.round(n1 + k[4])
		n1 ^= t.round(n2 + k[5])
		n2 ^= t.round(n1 + k[6])
		n1 ^= t.round(n2 + k[7])
	}
	n2 ^= t.round(n1 + k[7])
	n1 ^= t.round(n2 + k[6])
	n2 ^= t.round(n1 + k[5])
	n1 ^= t.round(n2 + k[4])
	n2 ^= t.round(n1 + k[3])
	n1 ^= t.round(n2 + k[2])
	n2 ^= t.round(n1 + k[1])
	n1 ^= t.round(n2 + k[0])
	return n2, n1
}

// Decrypt is the sequence 32-Р, the inverse of Encrypt.
func (t *Table) Decrypt(k *[8]uint32, n1, n2 uint32) (uint32, uint32) {
	n2 ^= t.round(n1 + k[0])
	n1 ^= t.round(n2 + k[1])
	n2 ^= t.round(n1 + k[2])
	n1 ^= t.round(n2 + k[3])
	n2 ^= t.round(n1 + k[4])
	n1 ^= t.round(n2 + k[5])
	n2 ^= t.round(n1 + k[6])
	n1 ^= t.round(n2 + k[7])
	for range 3 {
		n2 ^= t.round(n1 + k[7])
		n1 ^= t.round(n2 + k[6])
		n2 ^= t.round(n1 + k[5])
		n1 ^= t.round(n2 + k[4])
		n2 ^= t.round(n1 + k[3])
		n1 ^= t.round(n2 + k[2])
		n2 ^= t.round(n1 + k[1])
		n1 ^= t.round(n2 + k[0])
	}
	return n2, n1
}

// Mix16 is the sequence 16-З of the MAC; its halves come out in place, not exchanged.
func (t *Table) Mix16(k *[8]uint32, n1, n2 uint32) (uint32, uint32) {
	for range 2 {
		n2 ^= t.round(n1 + k[0])
		n1 ^= t.round(n2 + k[1])
		n2 ^= t.round(n1 + k[2])
		n1 ^= t.round(n2 + k[3])
		n2 ^= t.round(n1 + k[4])
		n1 ^= t.round(n2 + k[5])
		n2 ^= t.round(n1 + k[6])
		n1 ^= t.round(n2 + k[7])
	}
	return n1, n2
}

// Encrypt4 is Encrypt of four blocks under four keys. Their rounds are interleaved: one block alone waits for its own loads
// most of the time.
func (t *Table) Encrypt4(k *[4][8]uint32, b *[4]uint64) {
	a1, a2, b1, b2 := uint32(b[0]), uint32(b[0]>>32), uint32(b[1]), uint32(b[1]>>32)
	c1, c2, d1, d2 := uint32(b[2]), uint32(b[2]>>32), uint32(b[3]), uint32(b[3]>>32)
	for range 3 {
		for i := 0; i < 8; i += 2 {
			a2 ^= t.round(a1 + k[0][i])
			b2 ^= t.round(b1 + k[1][i])
			c2 ^= t.round(c1 + k[2][i])
			d2 ^= t.round(d1 + k[3][i])
			a1 ^= t.round(a2 + k[0][i+1])
			b1 ^= t.round(b2 + k[1][i+1])
			c1 ^= t.round(c2 + k[2][i+1])
			d1 ^= t.round(d2 + k[3][i+1])
		}
	}
	for i := 7; i > 0; i -= 2 {
		a2 ^= t.round(a1 + k[0][i])
		b2 ^= t.round(b1 + k[1][i])
		c2 ^= t.round(c1 + k[2][i])
		d2 ^= t.round(d1 + k[3][i])
		a1 ^= t.round(a2 + k[0][i-1])
		b1 ^= t.round(b2 + k[1][i-1])
		c1 ^= t.round(c2 + k[2][i-1])
		d1 ^= t.round(d2 + k[3][i-1])
	}
	b[0], b[1] = uint64(a2)|uint64(a1)<<32, uint64(b2)|uint64(b1)<<32
	b[2], b[3] = uint64(c2)|uint64(c1)<<32, uint64(d2)|uint64(d1)<<32
}

// DKE1 is ДКЕ № 1, the S-box of nearly all certificates and of ГОСТ 34.311 in Ukraine, as it is packed in ASN.1: row
// after row, two entries a byte, high half first.
const DKE1 = "\xa9\xd6\xeb\x45\xf1\x3c\x70\x82\x80\xc4\x96\x7b\x23\x1f\x5e\xad" +
	"\xf6\x58\xeb\xa4\xc0\x37\x29\x1d\x38\xd9\x6b\xf0\x25\xca\x4e\x17" +
	"\xf8\xe9\x72\x0d\xc6\x15\xb4\x3a\x28\x97\x5f\x0b\xc1\xde\xa3\x64" +
	"\x38\xb5\x64\xea\x2c\x17\x9f\xd0\x12\x3e\x6d\xb8\xfa\xc5\x79\x04"

// Unpack reads the 64 bytes of a packed S-box. It panics on another length, which callers check.
func Unpack(packed string) *[8][16]byte {
	if len(packed) != 64 {
		panic("feistel: internal error: packed S-box length")
	}
	rows := new([8][16]byte)
	for i := range len(packed) {
		rows[i/8][2*(i%8)] = packed[i] >> 4
		rows[i/8][2*(i%8)+1] = packed[i] & 15
	}
	return rows
}
