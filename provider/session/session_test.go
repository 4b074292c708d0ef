package session

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func newSealer(t *testing.T, now func() time.Time, secrets ...[]byte) *Sealer {
	t.Helper()
	s, err := NewSealer(now, secrets...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func secret(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func TestSealedValue(t *testing.T) {
	now := time.Unix(1000, 0)
	clock := func() time.Time { return now }
	s := newSealer(t, clock, secret(1))
	type value struct{ A string }
	sealed, err := s.Seal("login", value{"x"}, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var got value
	if err := s.Open("login", sealed, &got); err != nil || got.A != "x" {
		t.Fatalf("Open = %v, %v", got, err)
	}
	if err := s.Open("consent", sealed, &got); !errors.Is(err, ErrSealed) {
		t.Errorf("another purpose: %v", err)
	}
	if err := newSealer(t, clock, secret(2)).Open("login", sealed, &got); !errors.Is(err, ErrSealed) {
		t.Errorf("another secret: %v", err)
	}
	if err := newSealer(t, clock, secret(2), secret(1)).Open("login", sealed, &got); err != nil {
		t.Errorf("after rotation: %v", err)
	}
	now = now.Add(time.Minute)
	if err := s.Open("login", sealed, &got); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

func TestStepMACServesOneStep(t *testing.T) {
	s := newSealer(t, nil, secret(1))
	code := s.StepMAC("login", 3, "confirm")
	if !s.CheckStepMAC(code, "login", 3, "confirm") {
		t.Fatal("own code refused")
	}
	if !newSealer(t, nil, secret(2), secret(1)).CheckStepMAC(code, "login", 3, "confirm") {
		t.Error("refused after rotation")
	}
	for _, c := range []struct {
		login    string
		revision uint64
		step     string
	}{{"login2", 3, "confirm"}, {"login", 4, "confirm"}, {"login", 3, "sign"}, {"loginc", 3, "onfirm"}} {
		if s.CheckStepMAC(code, c.login, c.revision, c.step) {
			t.Errorf("code serves %v", c)
		}
	}
	if s.CheckStepMAC("", "login", 3, "confirm") || s.CheckStepMAC(code+"A", "login", 3, "confirm") {
		t.Error("wrong code accepted")
	}
}

// T76: portals under one domain are same-site; they are not us.
func TestSiblingOriginRefused(t *testing.T) {
	const issuer = "https://id.example.gov.ua/login"
	for _, c := range []struct {
		name         string
		site, origin []string
		want         Origin
	}{
		{"own page", []string{"same-origin"}, []string{"https://id.example.gov.ua"}, OriginOwn},
		{"typed by the person", []string{"none"}, nil, OriginOwn},
		{"old browser, own page", nil, []string{"https://id.example.gov.ua"}, OriginOwn},
		{"sibling", []string{"same-site"}, []string{"https://portal.example.gov.ua"}, OriginForeign},
		{"sibling without origin", []string{"same-site"}, nil, OriginForeign},
		{"sibling, old browser", nil, []string{"https://portal.example.gov.ua"}, OriginForeign},
		{"other site", []string{"cross-site"}, []string{"https://evil.example"}, OriginForeign},
		{"http twin", nil, []string{"http://id.example.gov.ua"}, OriginForeign},
		{"other port", nil, []string{"https://id.example.gov.ua:8443"}, OriginForeign},
		{"null origin", nil, []string{"null"}, OriginForeign},
		{"null origin claims same", []string{"same-origin"}, []string{"null"}, OriginForeign},
		{"two origins", nil, []string{"https://id.example.gov.ua", "https://evil.example"}, OriginForeign},
		{"two sites", []string{"same-origin", "cross-site"}, nil, OriginForeign},
		{"empty site", []string{""}, nil, OriginForeign},
		{"script", nil, nil, OriginUnknown},
	} {
		r := httptest.NewRequest("POST", "https://portal.example.gov.ua/login/1", nil)
		r.Host = "portal.example.gov.ua" // must not matter
		for _, v := range c.site {
			r.Header.Add("Sec-Fetch-Site", v)
		}
		for _, v := range c.origin {
			r.Header.Add("Origin", v)
		}
		if got := OriginOf(r, issuer); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCookieAttributes(t *testing.T) {
	c, err := NewCookies("https://id.example.gov.ua")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c.Set(w, "login-1", "v", time.Minute)
	want := "__Host-brama-login-1=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"
	if got := w.Header().Get("Set-Cookie"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c, err = NewCookies("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	c.Set(w, "login-1", "v", 0)
	if got, want := w.Header().Get("Set-Cookie"), "brama-login-1=v; Path=/; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, issuer := range []string{"http://id.example.gov.ua", "ftp://localhost", "", "http://10.0.0.1"} {
		if _, err := NewCookies(issuer); err == nil {
			t.Errorf("issuer %q accepted", issuer)
		}
	}
}

func TestTossedCookieRefused(t *testing.T) {
	c, _ := NewCookies("http://localhost:1")
	r := httptest.NewRequest("GET", "/", nil)
	if _, err := c.Get(r, "login-1"); !errors.Is(err, ErrNoCookie) {
		t.Errorf("absent: %v", err)
	}
	r.AddCookie(&http.Cookie{Name: "brama-login-1", Value: "a"})
	if v, err := c.Get(r, "login-1"); err != nil || v != "a" {
		t.Errorf("once: %q, %v", v, err)
	}
	r.AddCookie(&http.Cookie{Name: "brama-login-1", Value: "b"})
	if _, err := c.Get(r, "login-1"); !errors.Is(err, ErrNoCookie) {
		t.Errorf("twice: %v", err)
	}
}

// TestCookiesAsNetHTTP: what is written and read by ourselves is what net/http writes and reads.
func TestCookiesAsNetHTTP(t *testing.T) {
	for _, issuer := range []string{"https://id.example.gov.ua", "http://localhost:1"} {
		c, err := NewCookies(issuer)
		if err != nil {
			t.Fatal(err)
		}
		for _, short := range []string{"login-1", "x", "", "a b", "a;b", "ї"} {
			for _, value := range []string{"", "v", "aZ-_.09", "a b", `a"b`, "a;b", "a\r\nb", "ключ"} {
				for _, age := range []int{-1, 0, 1, 31536000, 1 << 40} {
					got, want := httptest.NewRecorder(), httptest.NewRecorder()
					got.Header().Add("Set-Cookie", "first=1")
					c.set(got, short, value, age)
					http.SetCookie(want, &http.Cookie{Name: c.Name(short), Value: value, Path: "/", MaxAge: age, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
					if g, w := got.Header()["Set-Cookie"][1:], want.Header()["Set-Cookie"]; !slices.Equal(g, w) {
						t.Errorf("%q=%q for %d: %q, want %q", short, value, age, g, w)
					}
				}
			}
		}
	}
	for c := range 256 {
		b := byte(c)
		want := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.'
		if got := isPlain("a" + string([]byte{b}) + "z"); got != want {
			t.Errorf("%q is plain: %v", b, got)
		}
	}
	c, _ := NewCookies("http://localhost:1")
	for _, lines := range [][]string{
		{"brama-x=a"}, {"a=b; brama-x=a; c=d"}, {"a=b;brama-x=a"}, {" brama-x = a "}, {"a=b", "brama-x=a"}, {"brama-x=a; brama-x=b"}, {"brama-x=a", "brama-x=a"},
		{"brama-x=a; brama-x"}, {"brama-x"}, {"brama-x="}, {"=brama-x=a"}, {"brama-x=a=b"}, {"BRAMA-X=a"}, {"brama-xx=a"}, {"brama-x=a;"}, {";;brama-x=a"}, {""}, nil,
		{"brama-x=a b"}, {"y=\"brama-x=a\""}, {strings.Repeat("a=b;", maxCookies-1) + "brama-x=a"}, {strings.Repeat("a=b;", maxCookies) + "brama-x=a"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = lines
		want := ""
		if all := r.CookiesNamed("brama-x"); len(all) == 1 {
			want = all[0].Value
		}
		got, err := c.Get(r, "x")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.60q: %q and %v, want %q", lines, got, err, want)
		}
	}
}

func FuzzOpenSealed(f *testing.F) {
	s, err := NewSealer(nil, secret(1))
	if err != nil {
		f.Fatal(err)
	}
	good, _ := s.Seal("login", "v", time.Now().Add(time.Hour))
	f.Add(good)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		var v string
		if err := s.Open("login", text, &v); err == nil && v != "v" {
			t.Fatalf("opened to %q", v)
		}
	})
}
