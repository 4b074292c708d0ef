package provider_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/internal/audit"
)

// The answer of response_mode form_post is a page with a form and a visible button; its script is a file of ours.
func TestFormPost(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("response_mode", "form_post", "idp_hint", "demo", "ui_locales", "en")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	action, fields := b.form("/callback")
	if b.status != http.StatusOK || action != s.redirect || fields.Get("code") == "" || fields.Get("state") != "state-of-the-portal" || fields.Get("iss") != s.server.URL {
		t.Fatalf("%d %s %v\n%s", b.status, action, fields, b.page)
	}
	for _, want := range []string{`<button type="submit" id="go">`, "formpost.js", `<html lang="en">`} {
		if !strings.Contains(b.page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	csp := b.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' http://127.0.0.1:1;") && !strings.HasSuffix(csp, "form-action 'self' http://127.0.0.1:1") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %s", csp)
	}
	if b.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %s", b.header.Get("Cache-Control"))
	}
	// Errors too, before there is a login.
	b = s.browser()
	b.authorize("response_mode", "form_post", "prompt", "none")
	if _, fields := b.form("/callback"); fields.Get("error") != "login_required" || fields.Get("code") != "" {
		t.Errorf("prompt none: %v", fields)
	}
}

// push pushes a request as the portal cabinet and returns its handle.
func (s *stack) push(query string) string {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.server.URL+"/par", strings.NewReader(query))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("cabinet", clientSecret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := json.NewDecoder(res.Body).Decode(&pushed); err != nil || res.StatusCode != http.StatusCreated {
		s.t.Fatalf("%d %v", res.StatusCode, err)
	}
	return pushed.RequestURI
}

// A pushed request, from the portal's server to the code: the browser carries its handle only, and a handle that is spent
// is a page.
func TestPushedSignIn(t *testing.T) {
	s := newStack(t)
	whole, err := url.Parse(s.authorizeURL("idp_hint", "demo"))
	if err != nil {
		t.Fatal(err)
	}
	handle := s.push(whole.RawQuery)
	address := s.server.URL + "/authorize?" + url.Values{"client_id": {"cabinet"}, "request_uri": {handle}, "idp_hint": {"file"}}.Encode()
	// Two tabs of two people begin with it; one comes to a code.
	first, second := s.browser(), s.browser()
	for _, b := range []*browser{first, second} {
		b.get(address)
		if !strings.HasSuffix(b.url.Path, "/demo") {
			t.Fatalf("the hint that was pushed opens %s", b.url)
		}
		b.submit("demo", "person", "valid")
	}
	first.submit("/confirm")
	first.exchange()
	action, fields := second.form("/confirm")
	second.submit("/confirm")
	if second.portal == nil || second.portal.Query().Get("error") != "invalid_request_uri" || second.portal.Query().Get("code") != "" {
		t.Errorf("the second came to %v", second.portal)
	}
	// What is not granted makes no session, leaves no cookie, and is over.
	if line, _ := s.audit.last("login.granted"); second.cookie("session") != "" || len(s.sessions()) != 1 || line.Outcome != audit.Fault {
		t.Errorf("%d sessions, the audit says %q", len(s.sessions()), line.Outcome)
	}
	second.post(action, fields)
	if second.portal != nil {
		t.Errorf("the second is good again: %s", second.portal)
	}
	third := s.browser()
	third.get(address)
	if third.code() != "CLIENT_BAD_REQUEST" || third.portal != nil {
		t.Errorf("a spent handle opens %s %v", third.code(), third.portal)
	}
	if strings.Contains(s.logs.String(), handle) {
		t.Error("the log holds the handle")
	}
}

// A request that no cookie has room for is a refusal, unless the portal has pushed it: then it stays in the store, through
// every step, past the time in which the handle opens a page.
func TestLongRequest(t *testing.T) {
	s := newStack(t)
	raw := make([]byte, 3000)
	_, _ = rand.Read(raw)
	state := base64.RawURLEncoding.EncodeToString(raw) // 4000 characters that do not pack
	b := s.browser()
	b.authorize("state", state, "idp_hint", "demo")
	if b.portal == nil || b.portal.Query().Get("error") != "invalid_request" || b.portal.Query().Get("state") != state {
		t.Errorf("a long request through the browser: %v", b.portal)
	}
	whole, err := url.Parse(s.authorizeURL("state", state, "idp_hint", "demo", "max_age", "600"))
	if err != nil {
		t.Fatal(err)
	}
	handle := s.push(whole.RawQuery)
	b = s.browser()
	b.get(s.server.URL + "/authorize?" + url.Values{"client_id": {"cabinet"}, "request_uri": {handle}}.Encode())
	if !strings.HasSuffix(b.url.Path, "/demo") {
		t.Fatalf("the pushed request opens %s", b.url)
	}
	s.forward(5 * time.Minute)
	b.get(b.url.String() + "?lang=en") // the ticket is written again
	if !strings.Contains(b.page, `<html lang="en">`) {
		t.Fatal("the language is not kept")
	}
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	if b.portal == nil || b.portal.Query().Get("state") != state || b.portal.Query().Get("code") == "" {
		t.Fatalf("came to %v", b.portal)
	}
	if claims := b.exchange(); claims["nonce"] == "" {
		t.Errorf("claims %v", claims)
	}
}

// Both documents say the same, each where its specification has it.
func TestTwoDocuments(t *testing.T) {
	s := newStack(t)
	var bodies []string
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		res, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, res.StatusCode, err)
		}
		bodies = append(bodies, string(body))
	}
	if bodies[0] != bodies[1] {
		t.Error("the documents differ")
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(bodies[0]), &m); err != nil {
		t.Fatal(err)
	}
	for name, v := range m {
		address, ok := v.(string)
		if !ok || !strings.HasSuffix(name, "_endpoint") && name != "jwks_uri" && name != "service_documentation" {
			continue
		}
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == http.StatusNotFound {
			t.Errorf("%s is not there", name)
		}
	}
}
