package keystore

import "unicode/utf8"

// bytePasswords are the byte forms of a password to try, in order: as given (UTF-8), then in windows-1251, in which older
// programs of national providers took what was typed. An ASCII password has one form.
func bytePasswords(password []byte) [][]byte {
	forms := [][]byte{password}
	if b, ok := toWindows1251(password); ok {
		forms = append(forms, b)
	}
	return forms
}

// toWindows1251 is false for ASCII, for what is not UTF-8, and where a character is not in that code page. The letters of
// Ukrainian and Russian and a few signs are known.
func toWindows1251(password []byte) ([]byte, bool) {
	if !utf8.Valid(password) {
		return nil, false
	}
	var out []byte
	ascii := true
	for _, r := range string(password) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		ascii = false
		switch {
		case r >= 'А' && r <= 'я':
			out = append(out, byte(r-'А')+0xc0)
		case r == 0xa0 || r == 0xa7 || r == 0xab || r == 0xb0 || r == 0xbb:
			out = append(out, byte(r))
		default:
			b, ok := windows1251[r]
			if !ok {
				return nil, false
			}
			out = append(out, b)
		}
	}
	return out, !ascii
}

var windows1251 = map[rune]byte{
	'Ґ': 0xa5, 'ґ': 0xb4, 'Є': 0xaa, 'є': 0xba, 'І': 0xb2, 'і': 0xb3, 'Ї': 0xaf, 'ї': 0xbf, 'Ё': 0xa8, 'ё': 0xb8,
	'Ў': 0xa1, 'ў': 0xa2, '№': 0xb9, '–': 0x96, '—': 0x97, '’': 0x92, '‘': 0x91, '“': 0x93, '”': 0x94, '„': 0x84, '…': 0x85, '€': 0x88,
}

// utf16BE encodes a password as the containers of Java and PKCS#12 take it. Bytes that are no UTF-8 are taken one by one.
func utf16BE(password []byte) []byte {
	out := make([]byte, 0, 2*len(password)+2)
	if !utf8.Valid(password) {
		for _, o := range password {
			out = append(out, 0, o)
		}
		return out
	}
	for _, r := range string(password) {
		if r >= 0x10000 {
			r -= 0x10000
			high, low := 0xd800+r>>10, 0xdc00+r&0x3ff
			out = append(out, byte(high>>8), byte(high), byte(low>>8), byte(low))
			continue
		}
		out = append(out, byte(r>>8), byte(r))
	}
	return out
}

// bmpPasswords are the forms of RFC 7292 B.1: BMPString with two zero bytes at the end. For the empty password some
// programs leave those out, too.
func bmpPasswords(password []byte) [][]byte {
	terminated := append(utf16BE(password), 0, 0)
	if len(password) == 0 {
		return [][]byte{terminated, nil}
	}
	return [][]byte{terminated}
}
