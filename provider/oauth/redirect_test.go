package oauth

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// fosite matches any port of a loopback address for every client, and http where https is registered.
func TestRedirectLoopbackRule(t *testing.T) {
	native, web := portal(), portal()
	native.Native = true
	native.RedirectURIs = []string{"http://127.0.0.1/cb"}
	native.Sector = "127.0.0.1"
	web.RedirectURIs = []string{"http://127.0.0.1/cb"}
	secure := portal()
	secure.Native = true
	secure.RedirectURIs = []string{"https://127.0.0.1/cb"}
	for _, c := range []struct {
		name   string
		client Client
		uri    string
		want   bool
	}{
		{"native, same", native, "http://127.0.0.1/cb", true},
		{"native, other port", native, "http://127.0.0.1:49152/cb", true},
		{"native, other path", native, "http://127.0.0.1:49152/cb2", false},
		{"native, other query", native, "http://127.0.0.1:49152/cb?x=1", false},
		{"native, other address", native, "http://127.0.0.2:49152/cb", false},
		{"native, name", native, "http://localhost:49152/cb", false},
		{"native, user", native, "http://127.0.0.1:80@evil.example/cb", false},
		{"native, path written otherwise", native, "http://127.0.0.1:49152/%63b", false},
		{"native, https", native, "https://127.0.0.1:49152/cb", false},
		{"web, same", web, "http://127.0.0.1/cb", true},
		{"web, other port", web, "http://127.0.0.1:49152/cb", false},
		{"https registered, http asked", secure, "http://127.0.0.1:9/cb", false},
		{"https registered, other port", secure, "https://127.0.0.1:9/cb", false},
	} {
		f := newFixture(t, memStore(t), c.client)
		w := f.ask(params("redirect_uri", c.uri))
		if (w.Code == 303) != c.want {
			t.Errorf("%s: %d", c.name, w.Code)
		}
		if c.want && !strings.HasPrefix(w.Header().Get("Location"), c.uri+"?") {
			t.Errorf("%s: went to %s", c.name, w.Header().Get("Location"))
		}
		if !c.want && w.Header().Get("Location") != "" {
			t.Errorf("%s: redirected to %s", c.name, w.Header().Get("Location"))
		}
	}
}

// T72: what is accepted is registered, byte by byte, or a port of a native application.
func FuzzRedirectURI(f *testing.F) {
	web, native := portal(), portal()
	native.Native, native.RedirectURIs = true, []string{"http://127.0.0.1/cb", "http://[::1]:1/cb?a=b"}
	for _, s := range []string{
		"https://portal.example.ua/cb", "https://portal.example.ua/cb/", "https://PORTAL.example.ua/cb", "https://portal.example.ua./cb",
		"https://portal.example.ua%2e/cb", "https://portal.example.ua/%63b", "https://portal.example.ua/cb#", "https://u@portal.example.ua/cb",
		"https://portal.example.ua:443/cb", "http://127.0.0.1:80/cb", "http://[::1]:2/cb?a=b", "http://127.0.0.1:1:2/cb", "http://127.0.0.1:/cb",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if web.allows(uri) && uri != web.RedirectURIs[0] {
			t.Fatalf("web client: %q", uri)
		}
		if !native.allows(uri) {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" || !loopbackIP(u.Hostname()) {
			t.Fatalf("native client: %q", uri)
		}
		u.Host = "x"
		if s := u.String(); s != "http://x/cb" && s != "http://x/cb?a=b" {
			t.Fatalf("native client: %q", uri)
		}
	})
}

func TestRegistrationRules(t *testing.T) {
	for name, change := range map[string]func(*Client){
		"no redirect":     func(c *Client) { c.RedirectURIs = nil },
		"fragment":        func(c *Client) { c.RedirectURIs = []string{"https://a.ua/#"} },
		"http":            func(c *Client) { c.RedirectURIs = []string{"http://a.ua/"} },
		"custom scheme":   func(c *Client) { c.RedirectURIs = []string{"app://cb"} },
		"javascript":      func(c *Client) { c.RedirectURIs = []string{"javascript:alert(1)"} },
		"user":            func(c *Client) { c.RedirectURIs = []string{"https://u@a.ua/"} },
		"capital host":    func(c *Client) { c.RedirectURIs = []string{"https://A.ua/"} },
		"our parameter":   func(c *Client) { c.RedirectURIs = []string{"https://a.ua/?code=1"} },
		"backslash":       func(c *Client) { c.RedirectURIs = []string{"https://a.ua\\@b.ua/"} },
		"two hosts":       func(c *Client) { c.RedirectURIs = []string{"https://a.ua/", "https://b.ua/"} },
		"foreign sector":  func(c *Client) { c.Sector = "b.ua" },
		"short hash":      func(c *Client) { c.SecretHash = []byte("x") },
		"method":          func(c *Client) { c.AuthMethod = "private_key_jwt" },
		"none, secret":    func(c *Client) { c.AuthMethod = AuthNone },
		"alg":             func(c *Client) { c.IDTokenAlg = "HS256" },
		"claim":           func(c *Client) { c.Claims = []string{"password"} },
		"required":        func(c *Client) { c.Claims, c.RequiredClaims = nil, []string{"rnokpp"} },
		"scope":           func(c *Client) { c.Scopes = []string{"offline_access"} },
		"nonce, not PKCE": func(c *Client) { c.NonceOptional = true },
		"id":              func(c *Client) { c.ID = "a b" },
	} {
		c := portal()
		change(&c)
		if err := c.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewRegistry(portal(), portal()); err == nil {
		t.Error("one id twice: accepted")
	}
}

// TestVerdicts: what fosite said counts for the same registration, address and scopes, and for no others.
func TestVerdicts(t *testing.T) {
	var v verdicts
	c, req := portal(), &AuthorizeRequest{RedirectURI: "https://portal.example.ua/cb", Scopes: []string{"openid", "profile"}}
	if v.has(&c, req) {
		t.Error("a verdict before there was one")
	}
	v.keep(&c, req)
	if !v.has(&c, req) {
		t.Error("the verdict is not kept")
	}
	changed := c
	for name, other := range map[string]struct {
		client *Client
		req    AuthorizeRequest
	}{
		"the registration has changed": {&changed, *req},
		"another address":              {&c, AuthorizeRequest{RedirectURI: "https://portal.example.ua/other", Scopes: req.Scopes}},
		"another scope":                {&c, AuthorizeRequest{RedirectURI: req.RedirectURI, Scopes: []string{"openid", "email"}}},
		"fewer scopes":                 {&c, AuthorizeRequest{RedirectURI: req.RedirectURI, Scopes: []string{"openid"}}},
	} {
		if v.has(other.client, &other.req) {
			t.Errorf("%s: the verdict counts", name)
		}
	}
	// A verdict is about the request that it was kept for, whatever becomes of it.
	req.Scopes[1] = "email"
	if v.has(&c, req) {
		t.Error("a changed request has a verdict")
	}
}

func FuzzForm(f *testing.F) {
	for _, s := range []string{"", "&", "a=1&b=2", "a=1&a=2&a", "a;b=1", "%zz=1", "a=%zz", "=x", "a+b=c%20d", "a=1;2", "&&a==b&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		want, wantErr := url.ParseQuery(raw)
		got, err := parseForm(raw)
		if len(raw) > maxForm {
			wantErr = errFormSize
		}
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%v, %v; want %v, %v", got, err, want, wantErr)
		}
	})
}
