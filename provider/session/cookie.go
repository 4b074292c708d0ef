package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
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
	http.SetCookie(w, c.cookie(short, value, int(life/time.Second)))
}

// Clear removes a cookie.
func (c *Cookies) Clear(w http.ResponseWriter, short string) {
	http.SetCookie(w, c.cookie(short, "", -1))
}

func (c *Cookies) cookie(short, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: c.Name(short), Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// ErrNoCookie is returned by Get for a cookie that is absent, and for one that came twice.
var ErrNoCookie = errors.New("session: no such cookie")

// Get returns the value of a cookie. A cookie that comes twice is refused: the second was put there by a neighbour of the
// same site (cookie tossing), and which of them comes first is the neighbour's choice.
func (c *Cookies) Get(r *http.Request, short string) (string, error) {
	found := r.CookiesNamed(c.Name(short))
	if len(found) != 1 || found[0].Value == "" {
		return "", ErrNoCookie
	}
	return found[0].Value, nil
}
