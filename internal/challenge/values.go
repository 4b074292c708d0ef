package challenge

import "time"

func (c Challenge) check() error {
	t := c.Expires
	if !validIssuer(c.Issuer) || !within(c.Client, 255, isClient) || !validHost(c.Host, "") ||
		!within(c.Method, 32, isMethod) || !within(c.Login, 64, isLogin) || c.Nonce == [NonceSize]byte{} ||
		t.Location() != time.UTC || t.Nanosecond() != 0 || t.Year() < 2000 || t.Year() > 9999 {
		return ErrMalformed
	}
	return nil
}

func within(s string, limit int, class func(byte) bool) bool {
	if len(s) == 0 || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if !class(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(o byte) bool  { return o >= '0' && o <= '9' }
func isLower(o byte) bool  { return o >= 'a' && o <= 'z' }
func isUpper(o byte) bool  { return o >= 'A' && o <= 'Z' }
func isMethod(o byte) bool { return isLower(o) || isDigit(o) || o == '_' || o == '-' }
func isLogin(o byte) bool  { return isMethod(o) || isUpper(o) }
func isPath(o byte) bool   { return isLogin(o) || o == '.' || o == '~' }
func isClient(o byte) bool { return isPath(o) || o == ':' || o == '/' }

// validIssuer takes scheme "://" host [":" port] [path], every part in its one canonical form.
func validIssuer(s string) bool {
	if len(s) > 255 {
		return false
	}
	var port string
	switch {
	case len(s) > 8 && s[:8] == "https://":
		s, port = s[8:], "443"
	case len(s) > 7 && s[:7] == "http://":
		s, port = s[7:], "80"
	default:
		return false
	}
	for i := range len(s) {
		if s[i] == '/' {
			return validHost(s[:i], port) && validPath(s[i:])
		}
	}
	return validHost(s, port)
}

// validPath takes segments of unreserved characters; none is empty but the last one, none is "." or "..".
func validPath(s string) bool {
	start := 1
	for i := 1; i <= len(s); i++ {
		if i < len(s) && s[i] != '/' {
			if !isPath(s[i]) {
				return false
			}
			continue
		}
		segment := s[start:i]
		if segment == "." || segment == ".." || segment == "" && i < len(s) {
			return false
		}
		start = i + 1
	}
	return true
}

// validHost takes a DNS name, an IPv4 address or an IPv6 address in brackets, with an optional port other than
// defaultPort.
func validHost(s, defaultPort string) bool {
	host := s
	if len(s) > 0 && s[0] == '[' {
		end := 1
		for end < len(s) && s[end] != ']' {
			if o := s[end]; !isDigit(o) && (o < 'a' || o > 'f') && o != ':' && o != '.' {
				return false
			}
			end++
		}
		if end < 4 || end > 46 || end == len(s) {
			return false
		}
		return end == len(s)-1 || s[end+1] == ':' && validPort(s[end+2:], defaultPort)
	}
	for i := range len(s) {
		if s[i] == ':' {
			if !validPort(s[i+1:], defaultPort) {
				return false
			}
			host = s[:i]
			break
		}
	}
	if len(host) == 0 || len(host) > 253 {
		return false
	}
	start := 0
	for i := 0; i <= len(host); i++ {
		if i < len(host) && host[i] != '.' {
			if o := host[i]; !isLower(o) && !isDigit(o) && o != '-' {
				return false
			}
			continue
		}
		label := host[start:i]
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		start = i + 1
	}
	return true
}

func validPort(s, defaultPort string) bool {
	if len(s) == 0 || len(s) > 5 || s[0] == '0' || s == defaultPort {
		return false
	}
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n <= 65535
}

const hexDigits = "0123456789abcdef"

func appendNonce(b []byte, nonce *[NonceSize]byte) []byte {
	for _, o := range nonce {
		b = append(b, hexDigits[o>>4], hexDigits[o&15])
	}
	return b
}

func decodeNonce(s string) (nonce [NonceSize]byte, ok bool) {
	if len(s) != 2*NonceSize {
		return nonce, false
	}
	for i := range len(s) {
		var digit byte
		switch o := s[i]; {
		case isDigit(o):
			digit = o - '0'
		case o >= 'a' && o <= 'f':
			digit = o - 'a' + 10
		default:
			return [NonceSize]byte{}, false
		}
		nonce[i/2] = nonce[i/2]<<4 | digit
	}
	return nonce, true
}

// The pattern of RFC 3339 with Z; d is a digit. Package time's own formatter is not used: it would be a tenth of the
// browser program's code.
const timePattern = "dddd-dd-ddTdd:dd:ddZ"

func appendTime(all []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	all = append(all, timePattern...)
	b := all[len(all)-len(timePattern):]
	put := func(at, n, v int) {
		for i := at + n - 1; i >= at; i-- {
			b[i] = byte('0' + v%10)
			v /= 10
		}
	}
	put(0, 4, year)
	put(5, 2, int(month))
	put(8, 2, day)
	put(11, 2, hour)
	put(14, 2, minute)
	put(17, 2, second)
	return all
}

func decodeTime(s string) (time.Time, bool) {
	if len(s) != len(timePattern) {
		return time.Time{}, false
	}
	for i := range len(s) {
		if p := timePattern[i]; p == 'd' && !isDigit(s[i]) || p != 'd' && s[i] != p {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	t := time.Date(two(0)*100+two(2), time.Month(two(5)), two(8), two(11), two(14), two(17), 0, time.UTC)
	// time.Date carries a 31 February over into March: the text must come back as it was.
	var again [len(timePattern)]byte
	return t, string(appendTime(again[:0], t)) == s
}
