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
// move and ψ are eight look-ups a column.

func permuteXor8(t *spn.Forward, s *[8]uint64) {
	for r := range uint64(rounds8) {
		for j := range s {
			s[j] ^= uint64(j)<<4 ^ r
		}
		mix8(t, s)
	}
}

func permuteAdd8(t *spn.Forward, s *[8]uint64) {
	for r := range uint64(rounds8) {
		for j := range s {
			s[j] += addend ^ (uint64(7-j)<<4^r)<<56
		}
		mix8(t, s)
	}
}

func mix8(t *spn.Forward, s *[8]uint64) {
	var u [8]uint64
	for j := range u {
		u[j] = t[0][byte(s[j])] ^
			t[1][byte(s[(j-1)&7]>>8)] ^
			t[2][byte(s[(j-2)&7]>>16)] ^
			t[3][byte(s[(j-3)&7]>>24)] ^
			t[4][byte(s[(j-4)&7]>>32)] ^
			t[5][byte(s[(j-5)&7]>>40)] ^
			t[6][byte(s[(j-6)&7]>>48)] ^
			t[7][byte(s[(j-7)&7]>>56)]
	}
	*s = u
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
	var u [16]uint64
	for j := range u {
		u[j] = t[0][byte(s[j])] ^
			t[1][byte(s[(j-1)&15]>>8)] ^
			t[2][byte(s[(j-2)&15]>>16)] ^
			t[3][byte(s[(j-3)&15]>>24)] ^
			t[4][byte(s[(j-4)&15]>>32)] ^
			t[5][byte(s[(j-5)&15]>>40)] ^
			t[6][byte(s[(j-6)&15]>>48)] ^
			t[7][byte(s[(j-11)&15]>>56)]
	}
	*s = u
}
