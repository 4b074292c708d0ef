package challenge

import (
	"errors"
	"time"
)

const (
	version = "brama-login-v1" // every other version will begin with "brama-" too: see qes.IsLoginText
	notice  = "лише для входу, не є документом"
	head    = version + "\n" + notice + "\n"
	// MaxSize is more than the longest challenge: the fixed words and every value at its limit.
	MaxSize = 1280
	// NonceSize is the length of a nonce in octets.
	NonceSize = 32
)

// ErrMalformed is a text that is not exactly a challenge, or a value that may not stand in one.
var ErrMalformed = errors.New("challenge: malformed")

// A Challenge is the values of one challenge. All are required.
type Challenge struct {
	// Issuer is the issuer identifier of the provider: an http or https URL, at most 255 octets, host in lower case, no
	// default port, no user, query or fragment, path of unreserved characters (RFC 3986 2.3) and slashes.
	Issuer string
	// Client is the client identifier: 1 to 255 characters of A–Z a–z 0–9 . _ ~ : / -
	Client string
	// Host is the host of the portal, with its port if it is not the default: lower case, ASCII (IDNA A-labels).
	Host string
	// Method is how the person signs: 1 to 32 of a–z 0–9 _ -
	Method string
	// Login is the id of the login: 1 to 64 of A–Z a–z 0–9 _ -
	Login string
	// Nonce is 32 random octets, never all zero.
	Nonce [NonceSize]byte
	// Expires is in UTC, whole seconds, year 2000 to 9999.
	Expires time.Time
}

// names of the lines, in order.
var names = [...]string{"issuer", "client", "host", "method", "login", "nonce", "expires"}

// Write returns the text. It returns ErrMalformed if a value may not stand in a challenge, so that what is written can
// always be read back to the same values.
func (c Challenge) Write() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 512)
	b = append(b, head...)
	for i, value := range [...]string{c.Issuer, c.Client, c.Host, c.Method, c.Login} {
		b = append(appendName(b, i), value...)
	}
	b = appendNonce(appendName(b, 5), &c.Nonce)
	b = appendTime(appendName(b, 6), c.Expires)
	return append(b, '\n'), nil
}

// appendName begins line i.
func appendName(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, '\n')
	}
	return append(append(b, names[i]...), ": "...)
}

// Parse reads exactly one challenge: Write of what it returns is b again. With an error the Challenge is zero.
func Parse(b []byte) (Challenge, error) {
	if len(b) > MaxSize || len(b) < len(head) || string(b[:len(head)]) != head {
		return Challenge{}, ErrMalformed
	}
	rest := string(b[len(head):])
	var values [len(names)]string
	for i, name := range names {
		var ok bool
		if values[i], rest, ok = line(rest, name+": "); !ok {
			return Challenge{}, ErrMalformed
		}
	}
	c := Challenge{Issuer: values[0], Client: values[1], Host: values[2], Method: values[3], Login: values[4]}
	var okNonce, okTime bool
	c.Nonce, okNonce = decodeNonce(values[5])
	c.Expires, okTime = decodeTime(values[6])
	if rest != "" || !okNonce || !okTime || c.check() != nil {
		return Challenge{}, ErrMalformed
	}
	return c, nil
}

// line takes one line that begins with name; rest is what follows its line feed.
func line(s, name string) (value, rest string, ok bool) {
	if len(s) < len(name) || s[:len(name)] != name {
		return "", "", false
	}
	for i := len(name); i < len(s); i++ {
		if s[i] == '\n' {
			return s[len(name):i], s[i+1:], true
		}
	}
	return "", "", false
}

// Origin returns the origin of the issuer as a browser writes it: scheme, host and a port that is not the default.
func (c Challenge) Origin() string {
	slashes := 0
	for i := range len(c.Issuer) {
		if c.Issuer[i] == '/' {
			if slashes++; slashes == 3 {
				return c.Issuer[:i]
			}
		}
	}
	return c.Issuer
}
