package kupyna

import "brama/internal/dstu/internal/spn"

// Rounds of the two state sizes (clause 7.1).
const (
	rounds8  = 10
	rounds16 = 14
)

// addend is the constant of T+ (clause 7.4); its top byte takes the column's number and the round. T+ adds modulo 2⁶⁴.
const addend = 0x00f0f0f0f0f0f0f3

// The four functions below are the permutations T⊕ and T+ on 8 and 16 columns. In every round row i moves i columns to
// the right, but row 7 of the large state eleven (clause 7.6): column j takes its row i from column j−i. Substitution,
// move and ψ are eight look-ups a column. The small state is written out: columns stay in registers.

func permuteXor8(t *spn.Forward, s *[8]uint64) {
	a0, a1, a2, a3, a4, a5, a6, a7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for r := range uint64(rounds8) {
		a0 ^= r
		a1 ^= 0x10 ^ r
		a2 ^= 0x20 ^ r
		a3 ^= 0x30 ^ r
		a4 ^= 0x40 ^ r
		a5 ^= 0x50 ^ r
		a6 ^= 0x60 ^ r
		a7 ^= 0x70 ^ r
		a0, a1, a2, a3, a4, a5, a6, a7 =
			column(t, a0, a7, a6, a5, a4, a3, a2, a1), column(t, a1, a0, a7, a6, a5, a4, a3, a2),
			column(t, a2, a1, a0, a7, a6, a5, a4, a3), column(t, a3, a2, a1, a0, a7, a6, a5, a4),
			column(t, a4, a3, a2, a1, a0, a7, a6, a5), column(t, a5, a4, a3, a2, a1, a0, a7, a6),
			column(t, a6, a5, a4, a3, a2, a1, a0, a7), column(t, a7, a6, a5, a4, a3, a2, a1, a0)
	}
	s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = a0, a1, a2, a3, a4, a5, a6, a7
}

func permuteAdd8(t *spn.Forward, s *[8]uint64) {
	a0, a1, a2, a3, a4, a5, a6, a7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for r := range uint64(rounds8) {
		k := addend ^ r<<56
		a0 += k ^ 0x70<<56
		a1 += k ^ 0x60<<56
		a2 += k ^ 0x50<<56
		a3 += k ^ 0x40<<56
		a4 += k ^ 0x30<<56
		a5 += k ^ 0x20<<56
		a6 += k ^ 0x10<<56
		a7 += k
		a0, a1, a2, a3, a4, a5, a6, a7 =
			column(t, a0, a7, a6, a5, a4, a3, a2, a1), column(t, a1, a0, a7, a6, a5, a4, a3, a2),
			column(t, a2, a1, a0, a7, a6, a5, a4, a3), column(t, a3, a2, a1, a0, a7, a6, a5, a4),
			column(t, a4, a3, a2, a1, a0, a7, a6, a5), column(t, a5, a4, a3, a2, a1, a0, a7, a6),
			column(t, a6, a5, a4, a3, a2, a1, a0, a7), column(t, a7, a6, a5, a4, a3, a2, a1, a0)
	}
	s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = a0, a1, a2, a3, a4, a5, a6, a7
}

// column is a column after substitution, move and ψ, from the columns that its rows 0 to 7 come from.
func column(t *spn.Forward, r0, r1, r2, r3, r4, r5, r6, r7 uint64) uint64 {
	return t[0][uint8(r0)] ^ t[1][uint8(r1>>8)] ^ t[2][uint8(r2>>16)] ^ t[3][uint8(r3>>24)] ^
		t[4][uint8(r4>>32)] ^ t[5][uint8(r5>>40)] ^ t[6][uint8(r6>>48)] ^ t[7][uint8(r7>>56)]
}

func permuteXor16(t *spn.Forward, s *[16]uint64) {
	for r := range uint64(rounds16) {
		for j := range s {
			s[j] ^= uint64(j)<<4 ^ r
		}
		mix16(t, s)
	}
}

func permuteAdd16(t *spn.Forward, s *[16]uint64) {
	for r := range uint64(rounds16) {
		for j := range s {
			s[j] += addend ^ (uint64(15-j)<<4^r)<<56
		}
		mix16(t, s)
	}
}

func mix16(t *spn.Forward, s *[16]uint64) {
	a := *s
	s[0] = column(t, a[0], a[15], a[14], a[13], a[12], a[11], a[10], a[5])
	s[1] = column(t, a[1], a[0], a[15], a[14], a[13], a[12], a[11], a[6])
	s[2] = column(t, a[2], a[1], a[0], a[15], a[14], a[13], a[12], a[7])
	s[3] = column(t, a[3], a[2], a[1], a[0], a[15], a[14], a[13], a[8])
	s[4] = column(t, a[4], a[3], a[2], a[1], a[0], a[15], a[14], a[9])
	s[5] = column(t, a[5], a[4], a[3], a[2], a[1], a[0], a[15], a[10])
	s[6] = column(t, a[6], a[5], a[4], a[3], a[2], a[1], a[0], a[11])
	s[7] = column(t, a[7], a[6], a[5], a[4], a[3], a[2], a[1], a[12])
	s[8] = column(t, a[8], a[7], a[6], a[5], a[4], a[3], a[2], a[13])
	s[9] = column(t, a[9], a[8], a[7], a[6], a[5], a[4], a[3], a[14])
	s[10] = column(t, a[10], a[9], a[8], a[7], a[6], a[5], a[4], a[15])
	s[11] = column(t, a[11], a[10], a[9], a[8], a[7], a[6], a[5], a[0])
	s[12] = column(t, a[12], a[11], a[10], a[9], a[8], a[7], a[6], a[1])
	s[13] = column(t, a[13], a[12], a[11], a[10], a[9], a[8], a[7], a[2])
	s[14] = column(t, a[14], a[13], a[12], a[11], a[10], a[9], a[8], a[3])
	s[15] = column(t, a[15], a[14], a[13], a[12], a[11], a[10], a[9], a[4])
}
