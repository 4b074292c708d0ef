package keystore

// DES and RC2, for reading old PKCS#12 files only: nothing is written with them. They are small and here, because
// crypto/des would bring its neighbours into the browser program and the standard library has no RC2. Nothing is constant
// in time: the person's own file is read on the person's own machine.

// A tripleDES is DES in the order decrypt, encrypt, decrypt with three keys (NIST SP 800-67).
type tripleDES struct{ keys [3][16]uint64 }

// newTripleDES takes a key of 24 octets; parity bits are ignored.
func newTripleDES(key []byte) *tripleDES {
	c := new(tripleDES)
	for i := range c.keys {
		c.keys[i] = desSchedule(load64(key[8*i:]))
	}
	return c
}

func (c *tripleDES) decrypt(dst, src []byte) {
	b := load64(src)
	b = desBlock(b, &c.keys[2], true)
	b = desBlock(b, &c.keys[1], false)
	b = desBlock(b, &c.keys[0], true)
	for i := range 8 {
		dst[i] = byte(b >> (56 - 8*i))
	}
}

func load64(b []byte) uint64 {
	var v uint64
	for _, o := range b[:8] {
		v = v<<8 | uint64(o)
	}
	return v
}

// permute picks bits of v, whose width is given; table counts from 1 at the most significant bit (FIPS 46-3).
func permute(v uint64, width int, table []byte) uint64 {
	var out uint64
	for _, t := range table {
		out = out<<1 | v>>(width-int(t))&1
	}
	return out
}

func desSchedule(key uint64) (keys [16]uint64) {
	v := permute(key, 64, desPC1)
	c, d := v>>28, v&(1<<28-1)
	for i := range keys {
		shift := 2
		if i == 0 || i == 1 || i == 8 || i == 15 {
			shift = 1
		}
		c = (c<<shift | c>>(28-shift)) & (1<<28 - 1)
		d = (d<<shift | d>>(28-shift)) & (1<<28 - 1)
		keys[i] = permute(c<<28|d, 56, desPC2)
	}
	return keys
}

func desBlock(b uint64, keys *[16]uint64, decrypt bool) uint64 {
	b = permute(b, 64, desIP)
	left, right := b>>32, b&(1<<32-1)
	for i := range 16 {
		k := keys[i]
		if decrypt {
			k = keys[15-i]
		}
		e := permute(right, 32, desE) ^ k
		var f uint64
		for s := range 8 {
			six := e >> (42 - 6*s) & 0x3f
			row, column := six>>4&2|six&1, six>>1&15
			f = f<<4 | desS[s][row]>>(60-4*column)&15
		}
		left, right = right, left^permute(f, 32, desP)
	}
	return permute(right<<32|left, 64, desFP)
}

// Tables of FIPS 46-3.
var (
	desIP = []byte{
		58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
		57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
	}
	desFP = []byte{
		40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
		36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
	}
	desE = []byte{
		32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
		16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
	}
	desP = []byte{
		16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
	}
	desPC1 = []byte{
		57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
		63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
	}
	desPC2 = []byte{
		14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
		41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
	}
	// desS are the S-boxes: a row of sixteen values in one word, the first value highest.
	desS = [8][4]uint64{
		{0xe4d12fb83a6c5907, 0x0f74e2d1a6cb9538, 0x41e8d62bfc973a50, 0xfc8249175b3ea06d},
		{0xf18e6b34972dc05a, 0x3d47f28ec01a69b5, 0x0e7ba4d158c6932f, 0xd8a13f42b67c05e9},
		{0xa09e63f51dc7b428, 0xd709346a285ecbf1, 0xd6498f30b12c5ae7, 0x1ad069874fe3b52c},
		{0x7de3069a1285bc4f, 0xd8b56f03472c1ae9, 0xa690cb7df13e5284, 0x3f06a1d8945bc72e},
		{0x2c417ab6853fd0e9, 0xeb2c47d150fa3986, 0x421bad78f9c5630e, 0xb8c71e2d6f09a453},
		{0xc1af92680d34e75b, 0xaf427c9561de0b38, 0x9ef528c3704a1db6, 0x432c95fabe17608d},
		{0x4b2ef08d3c975a61, 0xd0b7491ae35c2f86, 0x14bdc37eaf680592, 0x6bd814a7950fe23c},
		{0xd2846fb1a93e50c7, 0x1fd8a374c56b0e92, 0x7b419ce206adf358, 0x21e74a8dfc90356b},
	}
)

// An rc2 is RC2 (RFC 2268) with a key of k octets and 8·k effective bits.
type rc2 struct{ k [64]uint16 }

func newRC2(key []byte) *rc2 {
	var l [128]byte
	t := copy(l[:], key)
	for i := t; i < 128; i++ {
		l[i] = rc2Pi[l[i-1]+l[i-t]]
	}
	// The effective length is a whole number of octets here, so that TM is 255.
	l[128-t] = rc2Pi[l[128-t]]
	for i := 127 - t; i >= 0; i-- {
		l[i] = rc2Pi[l[i+1]^l[i+t]]
	}
	c := new(rc2)
	for i := range c.k {
		c.k[i] = uint16(l[2*i]) | uint16(l[2*i+1])<<8
	}
	return c
}

func (c *rc2) decrypt(dst, src []byte) {
	var r [4]uint16
	for i := range r {
		r[i] = uint16(src[2*i]) | uint16(src[2*i+1])<<8
	}
	shift := [4]uint16{1, 2, 3, 5}
	for j, round := 63, 15; round >= 0; round-- {
		for i := 3; i >= 0; i-- {
			r[i] = r[i]>>shift[i] | r[i]<<(16-shift[i])
			r[i] -= c.k[j] + r[(i+3)%4]&r[(i+2)%4] + ^r[(i+3)%4]&r[(i+1)%4]
			j--
		}
		if round == 11 || round == 5 {
			for i := 3; i >= 0; i-- {
				r[i] -= c.k[r[(i+3)%4]&63]
			}
		}
	}
	for i, v := range r {
		dst[2*i], dst[2*i+1] = byte(v), byte(v>>8)
	}
}

// rc2Pi is PITABLE of RFC 2268 2.
const rc2Pi = "\xd9\x78\xf9\xc4\x19\xdd\xb5\xed\x28\xe9\xfd\x79\x4a\xa0\xd8\x9d\xc6\x7e\x37\x83\x2b\x76\x53\x8e\x62\x4c\x64\x88\x44\x8b\xfb\xa2" +
	"\x17\x9a\x59\xf5\x87\xb3\x4f\x13\x61\x45\x6d\x8d\x09\x81\x7d\x32\xbd\x8f\x40\xeb\x86\xb7\x7b\x0b\xf0\x95\x21\x22\x5c\x6b\x4e\x82" +
	"\x54\xd6\x65\x93\xce\x60\xb2\x1c\x73\x56\xc0\x14\xa7\x8c\xf1\xdc\x12\x75\xca\x1f\x3b\xbe\xe4\xd1\x42\x3d\xd4\x30\xa3\x3c\xb6\x26" +
	"\x6f\xbf\x0e\xda\x46\x69\x07\x57\x27\xf2\x1d\x9b\xbc\x94\x43\x03\xf8\x11\xc7\xf6\x90\xef\x3e\xe7\x06\xc3\xd5\x2f\xc8\x66\x1e\xd7" +
	"\x08\xe8\xea\xde\x80\x52\xee\xf7\x84\xaa\x72\xac\x35\x4d\x6a\x2a\x96\x1a\xd2\x71\x5a\x15\x49\x74\x4b\x9f\xd0\x5e\x04\x18\xa4\xec" +
	"\xc2\xe0\x41\x6e\x0f\x51\xcb\xcc\x24\x91\xaf\x50\xa1\xf4\x70\x39\x99\x7c\x3a\x85\x23\xb8\xb4\x7a\xfc\x02\x36\x5b\x25\x55\x97\x31" +
	"\x2d\x5d\xfa\x98\xe3\x8a\x92\xae\x05\xdf\x29\x10\x67\x6c\xba\xc9\xd3\x00\xe6\xcf\xe1\x9e\xa8\x2c\x63\x16\x01\x3f\x58\xe2\x89\xa9" +
	"\x0d\x38\x34\x1b\xab\x33\xff\xb0\xbb\x48\x0c\x5f\xb9\xb1\xcd\x2e\xc5\xf3\xdb\x47\xe5\xa5\x9c\x77\x0a\xa6\x20\x68\xfe\x7f\xc1\xad"
