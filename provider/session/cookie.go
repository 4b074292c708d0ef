package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Cookies names, sets and reads the provider's cookies. On an https issuer they are `__Host-`, Secure, HttpOnly and
// SameSite=Lax; on an http loopback issuer (dev only) without the prefix and Secure, for browsers would drop them.
type Cookies struct {
	secure bool
}

// NewCookies returns the cookies of the issuer: https, or http on a loopback address or localhost; else an error.
func NewCookies(issuer string) (*Cookies, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("session: issuer %q is not a URL", issuer)
	}
	switch {
	case u.Scheme == "https":
		return &Cookies{secure: true}, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return &Cookies{}, nil
	}
	return nil, fmt.Errorf("session: issuer %q is neither https nor on a loopback address", issuer)
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Name returns the full name of the cookie called short, e.g. "login-x4t" → "__Host-brama-login-x4t".
func (c *Cookies) Name(short string) string {
	if c.secure {
		return "__Host-brama-" + short
	}
	return "brama-" + short
}

// Set sets a cookie. A positive life becomes Max-Age in whole seconds; zero makes a cookie that ends with the browser.
func (c *Cookies) Set(w http.ResponseWriter, short, value string, life time.Duration) {
	c.set(w, short, value, int(life/time.Second))
}

// Clear removes a cookie.
func (c *Cookies) Clear(w http.ResponseWriter, short string) { c.set(w, short, "", -1) }

// set writes the header that http.SetCookie would write. Names and values of ours are of letters, digits and a few signs that need
// no care; others are left to it.
func (c *Cookies) set(w http.ResponseWriter, short, value string, maxAge int) {
	if short == "" || !isPlain(short) || !isPlain(value) {
		http.SetCookie(w, &http.Cookie{
			Name: c.Name(short), Value: value, Path: "/", MaxAge: maxAge,
			Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return
	}
	const prefix, attributes = "__Host-brama-=; Path=/", "; Max-Age=0123456789; HttpOnly; Secure; SameSite=Lax"
	b := make([]byte, 0, len(prefix)+len(short)+len(value)+len(attributes))
	if c.secure {
		b = append(b, "__Host-"...)
	}
	b = append(append(append(append(b, "brama-"...), short...), '='), value...)
	b = append(b, "; Path=/"...)
	if maxAge != 0 {
		b = strconv.AppendInt(append(b, "; Max-Age="...), int64(max(maxAge, 0)), 10)
	}
	b = append(b, "; HttpOnly"...)
	if c.secure {
		b = append(b, "; Secure"...)
	}
	h := w.Header()
	h["Set-Cookie"] = append(h["Set-Cookie"], string(append(b, "; SameSite=Lax"...)))
}

// plainLow and plainHigh have a bit for each letter, digit and sign that means nothing in a cookie, below 64 and from there to 127.
const (
	plainLow  = 0x3ff<<'0' | 1<<'-' | 1<<'.'
	plainHigh = 0x3ffffff<<('A'-64) | 0x3ffffff<<('a'-64) | 1<<('_'-64)
)

// isPlain reports whether s is of letters, digits and signs that mean nothing in a cookie.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; uint64(plainLow)>>c&1|uint64(plainHigh)>>(c-64)&1 == 0 { // a shift by more than 63 leaves nothing
			return false
		}
	}
	return true
}

// ErrNoCookie is returned by Get for a cookie that is absent, and for one that came twice.
var ErrNoCookie = errors.New("session: no such cookie")

// maxCookies bounds how many cookies of one request are looked at, as net/http does.
const maxCookies = 3000

// Get returns the value of a cookie. A cookie that comes twice is refused: the second was put there by a neighbour of the
// same site (cookie tossing), and which of them comes first is the neighbour's choice. The value is as it came: who opens it judges it.
func (c *Cookies) Get(r *http.Request, short string) (string, error) {
	name := c.Name(short)
	value, found, looked := "", 0, 0
	for _, rest := range r.Header["Cookie"] {
		for more := true; more; looked++ {
			var pair string
			pair, rest, more = strings.Cut(rest, ";")
			if n, v, _ := strings.Cut(strings.Trim(pair, " \t"), "="); strings.TrimRight(n, " \t") == name {
				value, found = v, found+1
			}
		}
	}
	if found != 1 || looked > maxCookies || value == "" {
		return "", ErrNoCookie
	}
	return value, nil
}
