package oauth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brama/internal/fetch"
)

const testRequestURI = "https://portal.example.ua/request.jwt#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"

// referringPortal has a request object behind testRequestURI.
func referringPortal(t testing.TB) Client {
	t.Helper()
	c := signingPortal(t)
	c.RequestURIs = []string{testRequestURI, "https://portal.example.ua/plain"}
	return c
}

// withObject is a provider that finds s behind every address.
func withObject(t testing.TB, s *keyServer, clients ...Client) *fixture {
	t.Helper()
	if len(clients) == 0 {
		clients = []Client{referringPortal(t)}
	}
	return withFetch(newFixture(t, memStore(t), clients...), s.fetch)
}

func withFetch(f *fixture, fetch FetchFunc) *fixture {
	f.t.Helper()
	cfg := f.p.cfg
	cfg.Fetch = fetch
	var err error
	if f.p, err = New(cfg); err != nil {
		f.t.Fatal(err)
	}
	return f
}

func serving(text string) *keyServer { return &keyServer{status: http.StatusOK, body: []byte(text)} }

// refer asks for authorization by reference and says nothing else.
func (f *fixture) refer(uri string, more ...string) *httptest.ResponseRecorder {
	v := url.Values{"client_id": {"portal"}, "request_uri": {uri}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return f.ask(v)
}

// unreferred checks both answers to a request that is not found: a page, and back to an address that is proven.
func (f *fixture) unreferred(name, uri, code string) {
	f.t.Helper()
	f.page(name, f.refer(uri), code)
	q := f.answerOf(f.refer(uri, "redirect_uri", "https://portal.example.ua/cb", "state", "outer"))
	if q.Get("error") != code || q.Get("state") != "outer" || q.Get("iss") != testIssuer || q.Has("code") {
		f.t.Errorf("%s, back to the portal: %v, want %s", name, q, code)
	}
	f.page(name+" with a foreign address", f.refer(uri, "redirect_uri", "https://evil.example/cb"), code)
}

func TestRequestByReference(t *testing.T) {
	s := serving(object(t, nil) + "\r\n")
	f := withObject(t, s)
	// Outside stands what OAuth 2.0 wants there (OpenID Connect Core, 6.2); only the object counts.
	q := f.answerOf(f.refer(testRequestURI, "response_type", "code", "scope", "openid", "redirect_uri", "https://portal.example.ua/cb", "state", "outer"))
	if q.Get("code") == "" || q.Get("state") != "state-of-the-portal" {
		t.Errorf("%v", q)
	}
	if s.last.URL != "https://portal.example.ua/request.jwt" || s.last.PlainHTTP || len(s.last.RedirectHosts) != 0 || s.last.MaxBody > 64<<10 || s.last.Timeout > 3*time.Second {
		t.Errorf("asked loosely: %+v", s.last)
	}
	// Another object behind the same address counts at once: none is kept.
	s.body = []byte(object(t, map[string]any{"state": "another-state"}))
	if q := f.answerOf(f.refer(testRequestURI)); q.Get("code") == "" || q.Get("state") != "another-state" {
		t.Errorf("%v", q)
	}
	// Errors about what the object says obey what the object says.
	s.body = []byte(object(t, map[string]any{"scope": "profile"}))
	if q := f.answerOf(f.refer("https://portal.example.ua/plain")); q.Get("error") != "invalid_scope" || q.Get("state") != "state-of-the-portal" {
		t.Errorf("%v", q)
	}
	if d := f.discovered(); d["request_uri_parameter_supported"] != true || d["require_request_uri_registration"] != true {
		t.Errorf("%v", d)
	}
}

// T86, T95: for an address that the client has not registered, letter for letter, and for whatever else can be refused before,
// nobody is asked.
func TestUnregisteredRequestURIIsNotFetched(t *testing.T) {
	other := referringPortal(t)
	other.ID, other.RequestURIs = "other", []string{"https://other.example.ua/request"}
	pushing := signingPortal(t)
	pushing.ID, pushing.RequirePAR = "pushing", true
	s := serving(object(t, nil))
	f := withObject(t, s, referringPortal(t), other, pushing)
	for _, uri := range []string{
		"https://other.example.ua/request", "https://portal.example.ua/request.jwt", testRequestURI + "x", "https://portal.example.ua/plain#x",
		"https://portal.example.ua/plain?x", "https://portal.example.ua/plain/", "https://PORTAL.example.ua/plain", "https://portal.example.ua:443/plain",
		"https://portal.example.ua/%70lain", "https://portal.example.ua@evil.example/plain", "https://127.0.0.1/", "http://169.254.169.254/latest", "file:///etc/passwd", "data:,x", "urn:x", "x",
	} {
		f.unreferred(uri, uri, "invalid_request_uri")
	}
	f.page("nobody's", f.ask(url.Values{"client_id": {"nobody"}, "request_uri": {testRequestURI}}), "invalid_client")
	f.page("a client that pushes", f.ask(url.Values{"client_id": {"pushing"}, "request_uri": {testRequestURI}}), "invalid_request:")
	f.page("beside request", f.refer(testRequestURI, "request", object(t, nil)), "invalid_request:")
	f.page("twice", f.ask(url.Values{"client_id": {"portal"}, "request_uri": {testRequestURI, testRequestURI}}), "invalid_request:")
	f.page("another twice", f.ask(url.Values{"client_id": {"portal"}, "request_uri": {testRequestURI}, "x": {"1", "2"}}), "invalid_request:")
	status, body := f.push(url.Values{"request_uri": {testRequestURI}})
	want(t, "pushed", status, body, 400, "invalid_request")
	if n := s.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	// Where nothing is fetched, and where every request is pushed, there is no such thing.
	plain := newFixture(t, memStore(t), signingPortal(t))
	cfg := f.p.cfg
	cfg.RequirePAR = true
	strict, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*fixture{"nothing is fetched": plain, "all is pushed": {t: t, p: strict}} {
		if d := f.discovered(); d["request_uri_parameter_supported"] != false || d["require_request_uri_registration"] != nil {
			t.Errorf("%s: %v", name, d)
		}
		if c := referringPortal(t); f.p.Offers(&c) == nil {
			t.Errorf("%s: request_uris can be registered", name)
		}
	}
	plain.refused("by reference", "request_uri_not_supported", "request_uri", testRequestURI)
	if n := s.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// T71, T73: what lies behind the address is a request object like any other: of this client, for us, for now, signed.
func TestReferencedObjectRefused(t *testing.T) {
	good := object(t, nil)
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"unsigned":         "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"encrypted":        "a.b.c.d.e",
		"tampered":         parts[0] + "." + parts[1][:len(parts[1])-8] + "AAAAAAAA." + parts[2],
		"foreign key":      signJWT(t, clientKeys()["other"], objectClaims(nil), objectHeader),
		"shared secret":    hmacJWT(t, []byte(testSecret+strings.Repeat("x", 32)), objectClaims(nil)),
		"foreign iss":      object(t, map[string]any{"iss": "other"}),
		"of another":       object(t, map[string]any{"iss": "other", "client_id": "other"}),
		"foreign aud":      object(t, map[string]any{"aud": "https://evil.example"}),
		"no aud":           object(t, map[string]any{"aud": nil}),
		"expired":          object(t, map[string]any{"exp": time.Now().Unix() - 1}),
		"reference inside": object(t, map[string]any{"request_uri": testRequestURI}),
		"two":              good + "\n" + good,
		"page":             "<html>",
		"nothing":          "",
	} {
		withObject(t, serving(text)).unreferred(name, testRequestURI, "invalid_request_uri")
	}
	f := withObject(t, serving(good))
	f.page("another response_type outside", f.refer(testRequestURI, "response_type", "token"), "invalid_request_uri")
}

// T86, T96: the address leads inside, to a redirect or to too much; the server is down or slow: no request, and the browser is
// told so.
func TestDialRulesOfRequestURI(t *testing.T) {
	good := object(t, nil)
	asked := atomic.Int32{}
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); _, _ = w.Write([]byte(good)) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(good + strings.Repeat(" ", 64<<10)))
	})
	mux.HandleFunc("/missing", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(good))
	})
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	down := httptest.NewTLSServer(mux)
	down.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	provider := func(inside bool) *fixture {
		c := signingPortal(t)
		for _, path := range []string{"/good", "/away", "/big", "/missing"} {
			c.RequestURIs = append(c.RequestURIs, server.URL+path)
		}
		c.RequestURIs = append(c.RequestURIs, down.URL+"/good")
		client, err := fetch.New(fetch.Config{AllowLoopback: inside, TLS: &tls.Config{RootCAs: roots}})
		if err != nil {
			t.Fatal(err)
		}
		return withFetch(newFixture(t, memStore(t), c), client.Do)
	}
	provider(false).unreferred("inside", server.URL+"/good", "invalid_request_uri")
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times inside", n)
	}
	dev := provider(true)
	for _, path := range []string{"/away", "/big", "/missing"} {
		dev.unreferred(path, server.URL+path, "invalid_request_uri")
	}
	dev.unreferred("down", down.URL+"/good", "invalid_request_uri")
	if n := asked.Load(); n != 0 {
		t.Errorf("asked %d times after a redirect", n)
	}
	if q := dev.answerOf(dev.refer(server.URL + "/good")); q.Get("code") == "" {
		t.Errorf("%v", q)
	}
}

// T86, T95, T96: whoever sends browsers here cannot make us ask a portal's server without end, nor wait for one that fails.
func TestRequestURIAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(object(t, nil))
		f := withObject(t, s)
		for i := range objectBurst + 5 {
			w := f.refer(testRequestURI, "redirect_uri", "https://portal.example.ua/cb")
			if got := f.answerOf(w).Get("error"); (got == "temporarily_unavailable") != (i >= objectBurst) {
				t.Fatalf("request %d: %q", i, got)
			}
		}
		if n := s.asked.Load(); n != objectBurst {
			t.Errorf("asked %d times", n)
		}
		if q := f.answerOf(f.refer("https://portal.example.ua/plain")); q.Get("code") == "" {
			t.Errorf("another address: %v", q)
		}
		time.Sleep(2 * objectEvery)
		for i := range 3 {
			if got := f.answerOf(f.refer(testRequestURI, "redirect_uri", "https://portal.example.ua/cb")).Get("code"); (got != "") != (i < 2) {
				t.Errorf("request %d a moment later: %q", i, got)
			}
		}
		time.Sleep(time.Minute)
		s.fail(errors.New("down"))
		before := s.asked.Load()
		for range 5 {
			f.page("down", f.refer(testRequestURI), "invalid_request_uri")
		}
		if n := s.asked.Load() - before; n != 1 {
			t.Errorf("a server that is down was asked %d times", n)
		}
		s.fail(nil)
		time.Sleep(objectFailed)
		if q := f.answerOf(f.refer(testRequestURI)); q.Get("code") == "" {
			t.Errorf("it is there again: %v", q)
		}
		// Who hangs up while the server thinks has not shown that it fails.
		s.delay = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Millisecond); cancel() }()
		if _, err := f.p.objects.object(ctx, testRequestURI); err == nil {
			t.Error("an answer after hanging up")
		}
		if q := f.answerOf(f.refer(testRequestURI)); q.Get("code") == "" {
			t.Errorf("after another hung up: %v", q)
		}
		for i := range maxSources + 10 {
			_ = f.p.objects.admit(time.Duration(i).String())
		}
		if n := len(f.p.objects.uris); n > maxSources {
			t.Errorf("%d addresses kept", n)
		}
	})
}

// T86, T96: one address under many fragments is one address.
func TestRequestURIFragmentsAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := referringPortal(t)
		c.RequestURIs = append(c.RequestURIs, testRequestURI+"2")
		s := serving(object(t, nil))
		f := withObject(t, s, c)
		for i := range 2 * objectBurst {
			f.refer(c.RequestURIs[2*(i%2)])
		}
		if n := s.asked.Load(); n != objectBurst {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(time.Minute)
		s.fail(errors.New("down"))
		before := s.asked.Load()
		f.page("down", f.refer(testRequestURI), "invalid_request_uri")
		f.page("down", f.refer(testRequestURI+"2"), "invalid_request_uri")
		if n := s.asked.Load() - before; n != 1 {
			t.Errorf("a server that is down was asked %d times", n)
		}
	})
}

// T93: a request by reference is work for a stranger, and counted as such.
func TestStrangersReferencesAreCounted(t *testing.T) {
	f := withObject(t, serving(object(t, nil)))
	cfg := f.p.cfg
	cfg.Stranger = func(*http.Request) bool { return false }
	var err error
	if f.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	if q := f.answerOf(f.refer(testRequestURI, "redirect_uri", "https://portal.example.ua/cb")); q.Get("error") != "temporarily_unavailable" {
		t.Errorf("%v", q)
	}
}

func TestRequestURIsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Client){
		"http":       func(c *Client) { c.RequestURIs = []string{"http://portal.example.ua/x"} },
		"scheme":     func(c *Client) { c.RequestURIs = []string{"file:///etc/passwd"} },
		"user":       func(c *Client) { c.RequestURIs = []string{"https://a@portal.example.ua/x"} },
		"no host":    func(c *Client) { c.RequestURIs = []string{"https:///x"} },
		"space":      func(c *Client) { c.RequestURIs = []string{"https://portal.example.ua/x y"} },
		"two hashes": func(c *Client) { c.RequestURIs = []string{"https://portal.example.ua/x#y#z"} },
		"pushed urn": func(c *Client) { c.RequestURIs = []string{pushedPrefix + "x"} },
		"empty":      func(c *Client) { c.RequestURIs = []string{""} },
		"long": func(c *Client) {
			c.RequestURIs = []string{"https://portal.example.ua/" + strings.Repeat("x", maxRequestURI)}
		},
		"many":         func(c *Client) { c.RequestURIs = make([]string, maxList+1) },
		"no keys":      func(c *Client) { c.JWKS = nil },
		"PAR only":     func(c *Client) { c.RequirePAR = true },
		"FAPI profile": func(c *Client) { *c = fapiClient(t, ProfileFAPI2); c.RequestURIs = []string{testRequestURI} },
	} {
		c := referringPortal(t)
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, uri := range []string{testRequestURI, "https://portal.example.ua/", "http://127.0.0.1:9/x", "http://localhost/x#y"} {
		c := referringPortal(t)
		c.RequestURIs = []string{uri}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
