package provider_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/internal/fetch"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage"
)

const signedOutURI = "http://127.0.0.1:1/signed-out?from=brama"

func withLogout(change func(*oauth.Client)) func(*options) {
	return func(o *options) {
		o.client = func(c *oauth.Client) {
			c.PostLogoutRedirectURIs = []string{signedOutURI}
			if change != nil {
				change(c)
			}
		}
	}
}

// logout opens the end_session_endpoint.
func (b *browser) logout(more ...string) {
	b.s.t.Helper()
	q := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	b.get("/logout?" + q.Encode())
}

// TestLogout: with the hint of this session it ends at once, and the browser is back at the portal with its state.
func TestLogout(t *testing.T) {
	s := newStack(t, withLogout(nil))
	b := s.browser()
	for name, signOut := range map[string]func(){
		"GET": func() {
			b.logout("id_token_hint", b.idToken, "post_logout_redirect_uri", signedOutURI, "state", "a state&more")
		},
		"with client_id": func() {
			b.logout("id_token_hint", b.idToken, "client_id", "cabinet", "post_logout_redirect_uri", signedOutURI, "state", "a state&more")
		},
		// A portal's form comes without the cookie; the browser comes again by itself.
		"POST": func() {
			r, err := http.NewRequest(http.MethodPost, s.server.URL+"/logout", strings.NewReader(url.Values{"id_token_hint": {b.idToken},
				"post_logout_redirect_uri": {signedOutURI}, "state": {"a state&more"}}.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "http://127.0.0.1:1")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			b.do(r)
			if b.url.Query().Has("id_token_hint") {
				t.Errorf("the ID token is in the address: %s", b.url)
			}
		},
	} {
		b.signIn("valid")
		cookie := b.cookie("session")
		if status := b.userinfo(); status != http.StatusOK {
			t.Errorf("%s: userinfo says %d before", name, status)
		}
		signOut()
		if status := b.userinfo(); status != http.StatusUnauthorized {
			t.Errorf("%s: the access token outlives the session: userinfo says %d", name, status)
		}
		if b.portal == nil || b.portal.String() != signedOutURI+"&state=a+state%26more" || b.status != http.StatusSeeOther {
			t.Errorf("%s: %d, back at %v %s", name, b.status, b.portal, b.code())
		}
		if len(s.sessions()) != 0 || b.cookie("session") != "" || cookie == "" {
			t.Errorf("%s: %d sessions are left", name, len(s.sessions()))
		}
		b.authorize("prompt", "none")
		if b.refusal() != "login_required" {
			t.Errorf("%s: afterwards %v", name, b.portal)
		}
		signOut() // again: there is nothing to end, and nothing to ask
		if b.portal == nil || !strings.HasPrefix(b.portal.String(), signedOutURI) {
			t.Errorf("%s: again: %v", name, b.portal)
		}
	}
	if n := s.audit.count("session.ended"); n != 3 {
		t.Errorf("the audit has %d lines, want 3", n)
	}
}

// TestLogoutCSRF: nobody is signed out by a foreign page without being asked, whoever's hint it brings, and nobody is sent to
// an address that is not registered (threat T79).
func TestLogoutCSRF(t *testing.T) {
	s := newStack(t, withLogout(nil))
	stranger := s.browser()
	stranger.signIn("valid-official")
	same := s.browser() // the same person in another browser
	same.signIn("valid")
	b := s.browser()
	b.signIn("valid")
	for name, more := range map[string][]string{
		"nothing":                {},
		"client_id":              {"client_id", "cabinet", "post_logout_redirect_uri", signedOutURI},
		"hint of another person": {"id_token_hint", stranger.idToken, "post_logout_redirect_uri", signedOutURI},
		"hint of another login":  {"id_token_hint", same.idToken, "post_logout_redirect_uri", signedOutURI},
		"address of nobody":      {"post_logout_redirect_uri", "https://evil.example/"},
		"hint as a word":         {"logout_hint", "valid"},
	} {
		b.logout(more...)
		if b.portal != nil || b.status != http.StatusOK || !strings.Contains(b.page, `id="end"`) || len(s.sessions()) != 3 {
			t.Errorf("%s: %d %s, back at %v, %d sessions", name, b.status, b.code(), b.portal, len(s.sessions()))
		}
		if !strings.Contains(b.page, "Електронний кабінет") || strings.Contains(b.page, "evil.example") {
			t.Errorf("%s: the page is\n%s", name, b.page)
		}
	}
	broken := b.idToken[:len(b.idToken)-4] + "AAAA"
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(b.idToken, ".")[1] + "."
	for name, more := range map[string][]string{
		"address":         {"id_token_hint", b.idToken, "post_logout_redirect_uri", "https://evil.example/"},
		"address, begun":  {"id_token_hint", b.idToken, "post_logout_redirect_uri", signedOutURI + "&x=1"},
		"address, slash":  {"client_id", "cabinet", "post_logout_redirect_uri", "http://127.0.0.1:1/signed-out/?from=brama"},
		"other's hint":    {"id_token_hint", b.idToken, "client_id", "other", "post_logout_redirect_uri", signedOutURI},
		"broken hint":     {"id_token_hint", broken, "post_logout_redirect_uri", signedOutURI},
		"unsigned hint":   {"id_token_hint", unsigned, "post_logout_redirect_uri", signedOutURI},
		"unknown client":  {"client_id", "nobody"},
		"state of a book": {"client_id", "cabinet", "post_logout_redirect_uri", signedOutURI, "state", strings.Repeat("x", 3000)},
	} {
		b.logout(more...)
		if b.portal != nil || b.status != http.StatusBadRequest || b.code() != "CLIENT_BAD_REQUEST" || len(s.sessions()) != 3 {
			t.Errorf("%s: %d %s, back at %v, %d sessions", name, b.status, b.code(), b.portal, len(s.sessions()))
		}
	}
	b.get("/logout?client_id=cabinet&client_id=other")
	if b.code() != "CLIENT_BAD_REQUEST" {
		t.Errorf("twice: %d %s", b.status, b.code())
	}

	// The answer of the page: by a stranger's form, with a code of another session, and by the person.
	b.logout("client_id", "cabinet", "post_logout_redirect_uri", signedOutURI, "state", "s")
	action, fields := b.form("/logout/confirm")
	fields.Set("end", "all")
	foreign, err := http.NewRequest(http.MethodPost, s.server.URL+action, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	b.do(foreign)
	if b.code() != "TX_UNKNOWN" || len(s.sessions()) != 3 {
		t.Errorf("a foreign form: %s, %d sessions", b.code(), len(s.sessions()))
	}
	stranger.post(action, fields)
	if stranger.code() != "TX_UNKNOWN" || len(s.sessions()) != 3 {
		t.Errorf("a form of another session: %s, %d sessions", stranger.code(), len(s.sessions()))
	}
	fields.Set("end", "stay")
	b.post(action, fields)
	if b.portal != nil || !strings.Contains(b.page, `id="stayed"`) || len(s.sessions()) != 3 {
		t.Errorf("stay: %d %v, %d sessions", b.status, b.portal, len(s.sessions()))
	}
	fields.Set("end", "all")
	b.post(action, fields)
	if b.portal == nil || b.portal.String() != signedOutURI+"&state=s" || len(s.sessions()) != 2 {
		t.Errorf("end: %d %v, %d sessions", b.status, b.portal, len(s.sessions()))
	}
}

// TestBackAfterLogout: the next person at the computer finds nothing of the one before: not by the back button, not by a kept
// cookie (threat T77).
func TestBackAfterLogout(t *testing.T) {
	s := newStack(t, withLogout(nil))
	b := s.browser()
	b.signIn("valid")
	b.authorize()
	shown, kept := b.url.Path, b.cookie("session")
	action, fields := b.form("/continue")
	b.logout("id_token_hint", b.idToken)
	if !strings.Contains(b.page, `id="signed-out"`) {
		t.Fatalf("%d %s", b.status, b.page)
	}
	u, _ := url.Parse(s.server.URL)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "brama-session", Value: kept, Path: "/"}})
	for name, do := range map[string]func(){
		"back":  func() { b.get(shown) },
		"press": func() { b.post(action, fields) },
		"new":   func() { b.authorize() },
	} {
		do()
		if b.portal != nil || strings.Contains(b.page, "Тестенко") || strings.HasSuffix(b.url.Path, "/continue") {
			t.Errorf("%s: at %s, %v", name, b.url, b.portal)
		}
	}
}

// TestLogoutOfOneOfTwo: portals that share nothing are signed out of apart; the page names what is still open.
func TestLogoutOfOneOfTwo(t *testing.T) {
	s := newStack(t, withLogout(nil))
	b := s.browser()
	b.signIn("valid")
	earlier := b.access // of a login that the next one takes the place of
	b.signIn("valid")
	hint, later := b.idToken, b.access
	b.authorize("client_id", "other", "idp_hint", "demo")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	b.exchangeAs("other")
	b.logout("id_token_hint", hint, "post_logout_redirect_uri", signedOutURI)
	if b.portal != nil || !strings.Contains(b.page, `id="done"`) || !strings.Contains(b.page, "Інший портал") || strings.Contains(b.page, "<li translate=\"no\">Електронний кабінет") {
		t.Fatalf("%d %v\n%s", b.status, b.portal, b.page)
	}
	list := s.sessions()
	if len(list) != 1 || len(list[0].Logins) != 1 || list[0].Logins[0].Realm != "client:other" {
		t.Fatalf("left: %+v", list)
	}
	if b.userinfo() != http.StatusOK {
		t.Error("the other portal's token died")
	}
	for name, token := range map[string]string{"earlier": earlier, "later": later} {
		if b.access = token; b.userinfo() != http.StatusUnauthorized {
			t.Errorf("the %s login's token outlives the sign-out", name)
		}
	}
	b.submit("/logout/confirm", "end", "stay")
	if b.portal == nil || b.portal.String() != signedOutURI || len(s.sessions()) != 1 {
		t.Errorf("stay: %v, %d sessions", b.portal, len(s.sessions()))
	}
	b.logout()
	b.submit("/logout/confirm", "end", "all")
	if len(s.sessions()) != 0 || !strings.Contains(b.page, `id="signed-out"`) {
		t.Errorf("all: %d sessions", len(s.sessions()))
	}
}

// A hearer is a portal that hears of the end of sessions.
type hearer struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
	heard  chan struct{}
	status int
}

func newHearer(t *testing.T) *hearer {
	h := &hearer{heard: make(chan struct{}, 64), status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if r.Method != http.MethodPost || r.ParseForm() != nil || len(r.PostForm) != 1 {
			t.Errorf("%s %v", r.Method, r.PostForm)
		}
		h.tokens = append(h.tokens, r.PostForm.Get("logout_token"))
		w.WriteHeader(h.status)
		h.heard <- struct{}{}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hearer) wait(t *testing.T, n int) []string {
	t.Helper()
	for range n {
		select {
		case <-h.heard:
		case <-time.After(20 * time.Second):
			t.Fatal("the portal hears nothing")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens
}

func part(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func reaching(o *options) {
	o.config = func(c *provider.Config) {
		client, err := fetch.New(fetch.Config{AllowLoopback: true})
		if err != nil {
			panic(err)
		}
		c.Fetch = client.Do
	}
}

// TestBackchannelLogout: every portal of the session is told, by a token that is no ID token; a hint is not needed, and the
// logout token does for none (threat T80).
func TestBackchannelLogout(t *testing.T) {
	h := newHearer(t)
	s := newStack(t, reaching, withLogout(func(c *oauth.Client) { c.BackchannelLogoutURI, c.SSOGroup = h.URL, "city" }))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.provider.Run(ctx) }()
	defer func() { stop(); <-done }()
	b := s.browser()
	first := b.signIn("valid")
	hint := b.idToken
	b.authorize("client_id", "other")
	b.submit("/continue")
	second := b.exchangeAs("other")
	b.logout("id_token_hint", hint, "post_logout_redirect_uri", signedOutURI)
	if b.portal == nil {
		t.Fatalf("%d %s", b.status, b.code())
	}
	told := map[string]bool{}
	seen := map[any]bool{}
	tokens := h.wait(t, 2)
	for _, token := range tokens {
		head, claims := part(t, token, 0), part(t, token, 1)
		want := map[string]map[string]any{"cabinet": first, "other": second}[claims["aud"].(string)]
		events, _ := claims["events"].(map[string]any)
		if head["typ"] != "logout+jwt" || claims["iss"] != s.server.URL || claims["sub"] != want["sub"] || claims["sid"] != want["sid"] ||
			events["http://schemas.openid.net/event/backchannel-logout"] == nil || claims["nonce"] != nil {
			t.Errorf("told %v %v, want of %v", head, claims, want)
		}
		if life := claims["exp"].(float64) - claims["iat"].(float64); life <= 0 || life > 120 {
			t.Errorf("it lives for %v s", life)
		}
		told[claims["aud"].(string)], seen[claims["jti"]] = true, true
	}
	if len(told) != 2 || len(seen) != 2 || len(tokens) != 2 {
		t.Errorf("told %v", told)
	}
	b.logout("id_token_hint", tokens[0])
	if b.code() != "CLIENT_BAD_REQUEST" {
		t.Errorf("a logout token as a hint: %d %s", b.status, b.code())
	}
}

// TestLogoutRace: of many who end one session at once one tells the portals, and all get an answer.
func TestLogoutRace(t *testing.T) {
	s := newStack(t, withLogout(func(c *oauth.Client) { c.BackchannelLogoutURI = "http://127.0.0.1:1/out" }))
	b := s.browser()
	b.signIn("valid")
	address := s.server.URL + "/logout?" + url.Values{"id_token_hint": {b.idToken}, "post_logout_redirect_uri": {signedOutURI}}.Encode()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			one := http.Client{Jar: b.client.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			res, err := one.Get(address)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if to, err := res.Location(); err != nil || to.String() != signedOutURI {
				t.Errorf("%s to %v", res.Status, to)
			}
		})
	}
	wg.Wait()
	if n := len(s.sessions()); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if err := s.store.View(t.Context(), func(tx storage.Tx) error {
		due, _, err := storage.Farewells(tx, s.now(), 100)
		if len(due) != 1 {
			t.Errorf("%d messages for one portal", len(due))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// TestFrontchannelLogout: off unless the portal has an address; then the page after the sign-out, and no other, holds a frame
// of exactly that origin (threat T55).
func TestFrontchannelLogout(t *testing.T) {
	s := newStack(t, withLogout(func(c *oauth.Client) {
		c.FrontchannelLogoutURI, c.FrontchannelSessionRequired = "http://127.0.0.1:1/front?a=b", true
	}))
	b := s.browser()
	claims := b.signIn("valid")
	b.logout()
	if strings.Contains(b.header.Get("Content-Security-Policy"), "frame-src") || strings.Contains(b.page, "<iframe") {
		t.Error("the page that asks holds frames")
	}
	b.submit("/logout/confirm", "end", "all")
	if csp := b.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; frame-src http://127.0.0.1:1") {
		t.Errorf("policy %q", csp)
	}
	want := "http://127.0.0.1:1/front?a=b&amp;iss=" + url.QueryEscape(s.server.URL) + "&amp;sid=" + claims["sid"].(string)
	if strings.Count(b.page, "<iframe") != 1 || !strings.Contains(b.page, want) {
		t.Errorf("want %s in\n%s", want, b.page)
	}
}

// TestPersonSwitchTellsPortals: who is pushed out of the browser by another person is signed out at the portals (threat T78).
func TestPersonSwitchTellsPortals(t *testing.T) {
	h := newHearer(t)
	s := newStack(t, reaching, withLogout(func(c *oauth.Client) { c.BackchannelLogoutURI = h.URL }))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.provider.Run(ctx) }()
	defer func() { stop(); <-done }()
	b := s.browser()
	first := b.signIn("valid")
	b.signIn("valid-official", "prompt", "login")
	if claims := part(t, h.wait(t, 1)[0], 1); claims["sid"] != first["sid"] || claims["sub"] != first["sub"] {
		t.Errorf("told %v, want of %v", claims, first)
	}
}
