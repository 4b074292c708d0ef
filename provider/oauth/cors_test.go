package oauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// page is an application in the browser.
func page(id string, redirects ...string) Client {
	c := portal()
	c.ID, c.SecretHash, c.RedirectURIs = id, nil, redirects
	return c
}

// crossing asks an endpoint as a browser does for a script of origin, and returns the headers.
func (f *fixture) crossing(method, path, origin string) (int, http.Header) {
	r := httptest.NewRequest(method, path, nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	w := httptest.NewRecorder()
	map[string]http.HandlerFunc{
		PathToken: f.p.Token, PathRevoke: f.p.Revoke, PathUserInfo: f.p.UserInfo, PathIntrospect: f.p.Introspect, PathPAR: f.p.Push,
		PathJWKS: f.p.JWKS, PathDiscovery: f.p.Discovery,
	}[path](w, r)
	return w.Code, w.Header()
}

// TestCrossOrigin: scripts of the origins of public clients read answers about data, never with the browser's cookies; scripts
// of others, however much alike, read none. What is public anyone reads.
func TestCrossOrigin(t *testing.T) {
	local := page("local", "http://127.0.0.1:4000/")
	local.Native = true
	f := newFixture(t, memStore(t), append(interfaces(), page("app", "https://app.example.ua/cb"), page("app2", "https://app2.example.ua:443/cb"), local)...)
	origins := map[string]bool{
		"https://app.example.ua": true, "https://app2.example.ua": true, "http://127.0.0.1:4000": true,
		"": false, "null": false, "*": false, "http://app.example.ua": false, "https://app.example.ua:444": false, "https://app.example.ua/": false,
		"https://app.example.ua.evil.ua": false, "https://evil.app.example.ua": false, "https://app.example.ua, https://evil.ua": false,
		"http://127.0.0.1:4001": false, "https://APP.example.ua": false,
		"https://portal.example.ua": false, // of a client with a secret
	}
	for path, data := range map[string]bool{PathToken: true, PathRevoke: true, PathUserInfo: true, PathIntrospect: false, PathPAR: false} {
		for origin, known := range origins {
			for _, method := range []string{"OPTIONS", "POST"} {
				status, h := f.crossing(method, path, origin)
				want := ""
				if data && known {
					want = origin
				}
				if got := h.Get("Access-Control-Allow-Origin"); got != want || h.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s %s of %q is readable for %q, want %q", method, path, origin, got, want)
				}
				if (want == "" || method == "POST") && h.Get("Access-Control-Allow-Headers") != "" {
					t.Errorf("%s %s of %q: headers are allowed", method, path, origin)
				}
				if data && (!strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") || method == "OPTIONS" && status != http.StatusNoContent) {
					t.Errorf("%s %s of %q: %d, Vary %q", method, path, origin, status, h.Values("Vary"))
				}
				if want != "" && method == "OPTIONS" && (!strings.Contains(h.Get("Access-Control-Allow-Headers"), "DPoP") || h.Get("Access-Control-Allow-Methods") == "") {
					t.Errorf("preflight of %s: %v", path, h)
				}
			}
		}
	}
	for _, path := range []string{PathJWKS, PathDiscovery} {
		if _, h := f.crossing("GET", path, "https://anyone.example"); h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestCrossOriginOfRegistered: an application that registers itself is let in at once, and is not when it has gone; a client
// with a secret never is.
func TestCrossOriginOfRegistered(t *testing.T) {
	f := withRegistration(t, RegistrationConfig{Open: true}, nil)
	clock := time.Now()
	f.p.cfg.Now = func() time.Time { return clock }
	allowed := func(origin string) bool {
		t.Helper()
		_, h := f.crossing("OPTIONS", PathToken, origin)
		return h.Get("Access-Control-Allow-Origin") == origin
	}
	if allowed("https://new.example.ua") {
		t.Fatal("nobody has registered, and is let in")
	}
	if status, answer := f.send("POST", "", "", metadataOf(nil)); status != http.StatusCreated || answer["client_secret"] == nil || allowed("https://new.example.ua") {
		t.Errorf("a client with a secret: %d %v", status, answer)
	}
	status, answer := f.send("POST", "", "", metadataOf(map[string]any{"token_endpoint_auth_method": "none"}))
	if status != http.StatusCreated || !allowed("https://new.example.ua") {
		t.Fatalf("%d %v: it is not let in", status, answer)
	}
	id, _ := answer["client_id"].(string)
	token, _ := answer["registration_access_token"].(string)
	if status, answer := f.send("DELETE", id, token, nil); status != http.StatusNoContent || allowed("https://new.example.ua") {
		t.Errorf("%d %v: it is let in after its end", status, answer)
	}
}
