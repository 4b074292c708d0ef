package oauth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/storage"
)

// withFormPost makes the fixture offer form_post by a page that is its fields as a query.
func (f *fixture) withFormPost() *fixture {
	f.t.Helper()
	cfg := f.p.cfg
	cfg.FormPost = func(w http.ResponseWriter, _ *http.Request, page FormPost) {
		v := url.Values{}
		for _, field := range page.Fields {
			v.Set(field.Name, field.Value)
		}
		w.Header().Set("Action", page.Action)
		_, _ = w.Write([]byte(v.Encode()))
	}
	var err error
	if f.p, err = New(cfg); err != nil {
		f.t.Fatal(err)
	}
	return f
}

// posted returns the parameters that the page posts.
func (f *fixture) posted(w *httptest.ResponseRecorder) url.Values {
	f.t.Helper()
	v, err := url.ParseQuery(w.Body.String())
	if err != nil || w.Code != http.StatusOK || w.Header().Get("Action") != "https://portal.example.ua/cb" || w.Header().Get("Location") != "" || w.Header().Get("Cache-Control") != "no-store" {
		f.t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	return v
}

// signed returns the claims of a signed answer, which is the only parameter.
func (f *fixture) signed(v url.Values) map[string]any {
	f.t.Helper()
	return f.signedFor("portal", v)
}

func (f *fixture) signedFor(client string, v url.Values) map[string]any {
	f.t.Helper()
	if len(v) != 1 || len(v["response"]) != 1 {
		f.t.Fatalf("beside the signed answer: %v", v)
	}
	payload, err := f.p.cfg.Keys.Verify(v.Get("response"))
	if err != nil {
		f.t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		f.t.Fatal(err)
	}
	exp, _ := claims["exp"].(float64)
	if left := time.Until(time.Unix(int64(exp), 0)); claims["iss"] != testIssuer || claims["aud"] != client || left < 0 || left > 10*time.Minute {
		f.t.Errorf("signed answer %v", claims)
	}
	return claims
}

func TestResponseModes(t *testing.T) {
	f := newFixture(t, memStore(t)).withFormPost()
	mode := func(m string, changes ...string) *httptest.ResponseRecorder {
		return f.ask(params(append([]string{"response_mode", m}, changes...)...))
	}
	for _, m := range []string{"query", ""} {
		if q := f.answerOf(mode(m)); q.Get("code") == "" || q.Get("iss") != testIssuer {
			t.Errorf("%q: %v", m, q)
		}
	}
	q := f.posted(mode("form_post"))
	if q.Get("state") != "state-of-the-portal" || q.Get("iss") != testIssuer {
		t.Errorf("form_post: %v", q)
	}
	f.mustExchange(q.Get("code"))
	for _, m := range []string{"jwt", "query.jwt"} {
		claims := f.signed(f.answerOf(mode(m)))
		if claims["state"] != "state-of-the-portal" {
			t.Errorf("%s: %v", m, claims)
		}
		f.mustExchange(claims["code"].(string))
	}
	f.mustExchange(f.signed(f.posted(mode("form_post.jwt")))["code"].(string))

	// Errors obey the mode, whatever they are about.
	for name, changes := range map[string][]string{
		"invalid_scope": {"scope", "profile"}, "unsupported_response_type": {"response_type", "token"}, "login_required": {"prompt", "login"},
		"registration_not_supported": {"registration", "{}"}, "invalid_request": {"state", strings.Repeat("x", maxState+1)},
	} {
		f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now().Add(-time.Minute)) }
		if q := f.posted(mode("form_post", changes...)); q.Get("error") != name || q.Get("iss") != testIssuer || q.Has("code") {
			t.Errorf("%s by form_post: %v", name, q)
		}
		if c := f.signed(f.posted(mode("form_post.jwt", changes...))); c["error"] != name || c["code"] != nil {
			t.Errorf("%s by form_post.jwt: %v", name, c)
		}
		if c := f.signed(f.answerOf(mode("query.jwt", changes...))); c["error"] != name {
			t.Errorf("%s by query.jwt: %v", name, c)
		}
	}
	for _, m := range []string{"fragment", "fragment.jwt", "web_message", "Query", "query form_post"} {
		if q := f.answerOf(mode(m)); q.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", m, q)
		}
	}
	v := params("response_mode", "form_post")
	v.Add("response_mode", "query")
	if q := f.answerOf(f.ask(v)); q.Get("error") != "invalid_request" {
		t.Errorf("two modes: %v", q)
	}
	if q := f.answerOf(newFixture(t, memStore(t)).ask(params("response_mode", "form_post"))); q.Get("error") != "invalid_request" {
		t.Errorf("form_post without its page: %v", q)
	}
}

func TestSignedResponseAlgorithm(t *testing.T) {
	for _, c := range []struct{ response, id, want string }{{"", "", "ES256"}, {"RS256", "", "RS256"}, {"", "RS256", "RS256"}, {"ES256", "RS256", "ES256"}} {
		client := portal()
		client.AuthorizationSignedAlg, client.IDTokenAlg = c.response, c.id
		f := newFixture(t, memStore(t), client)
		token := f.answerOf(f.ask(params("response_mode", "jwt"))).Get("response")
		if got := headerOf(t, token)["alg"]; got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A signed answer is no ID token, and an ID token no answer.
func TestSignedResponseIsNoHint(t *testing.T) {
	f := newFixture(t, memStore(t))
	token := f.answerOf(f.ask(params("response_mode", "jwt"))).Get("response")
	f.refused("signed answer as a hint", "invalid_request", "id_token_hint", token)
}

// A client that asked for a signed answer gets none at all rather than an unsigned one.
func TestUnsignedIsNoFallback(t *testing.T) {
	f := newFixture(t, memStore(t))
	req := f.read("response_mode", "jwt")
	req.ClientID = "gone"
	w := httptest.NewRecorder()
	f.p.Deny(w, httptest.NewRequest("GET", PathAuthorize, nil), req, "access_denied", "")
	if w.Code != http.StatusInternalServerError || w.Header().Get("Location") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// An answer that cannot be signed leaves no code behind.
func TestAnswerIsSignedBeforeItCounts(t *testing.T) {
	store := memStore(t)
	f := newFixture(t, store)
	req := f.read("response_mode", "jwt")
	cfg := f.p.cfg
	registry, err := NewRegistry(portal())
	if err != nil {
		t.Fatal(err)
	}
	c := registry.clients["portal"]
	c.AuthorizationSignedAlg = "none"
	registry.clients["portal"] = c
	cfg.Clients = registry
	if f.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	err = f.p.Grant(w, httptest.NewRequest("GET", PathAuthorize, nil), req, testSubject(time.Now()))
	var e *Error
	if !errors.As(err, &e) || e.Code != "server_error" || w.Header().Get("Location") != "" {
		t.Errorf("%v %v", err, w.Header())
	}
	if err := store.View(t.Context(), func(tx storage.Tx) error {
		for range tx.Scan(storage.KindGrant, "") {
			t.Error("a code was written")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// headerOf returns the protected header of a compact JWS.
func headerOf(t testing.TB, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	return header
}
