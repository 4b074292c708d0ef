package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/keys"
	"brama/storage"
	"brama/storage/boltstore"
	"brama/storage/memstore"
	"brama/storage/seal"
)

const (
	testIssuer   = "https://id.example.ua"
	testSecret   = "a-generated-secret-of-the-portal"
	testVerifier = "a-verifier-of-at-least-forty-three-characters"
)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func portal() Client {
	return Client{
		ID: "portal", Name: map[string]string{"uk": "Портал"}, SecretHash: HashSecret(testSecret),
		RedirectURIs: []string{"https://portal.example.ua/cb"},
		Claims:       []string{"rnokpp", "unzr", "birthdate", "edrpou", "organization", "title"},
	}
}

func testSubject(authTime time.Time) Subject {
	return Subject{
		PersonID: "person-1",
		LoginID:  "login-1",
		SID:      "sid-1",
		Consent:  authTime,

		ConsentVersion: "2026-09-01",
		Identity: connectors.Identity{
			Name: "Шевченко Тарас Григорович", FamilyName: "Шевченко", GivenName: "Тарас", MiddleName: "Григорович",
			Identifiers: []connectors.Identifier{
				{Type: connectors.RNOKPP, Country: "UA", Value: "3333333334"},
				{Type: connectors.UNZR, Country: "UA", Value: "19900102-12345"},
			},
			Roles: []connectors.Role{
				{ID: "person"},
				{ID: "organization", EDRPOU: "12345678", Organization: "ТОВ «Кобзар»", Title: "Директор"},
			},
			Certificate: connectors.CertificateInfo{
				Issuer: "КНЕДП", Serial: "0a1b2c3d4e5f", NotBefore: authTime.Add(-time.Hour), NotAfter: authTime.Add(time.Hour), CheckedAt: authTime,
			},
			LoA: connectors.Substantial, AMR: []string{"swk"}, AuthTime: authTime,
		},
	}
}

func bytesOf(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func testSealer(t testing.TB) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytesOf(1))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func boltStore(t testing.TB) storage.Store {
	t.Helper()
	s, err := boltstore.Open(boltstore.Config{Path: filepath.Join(t.TempDir(), "db"), SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func memStore(testing.TB) storage.Store { return memstore.New(memstore.Config{}) }

// A fixture is a provider with the tiniest possible login: whoever asks is signed in at once.
type fixture struct {
	t       testing.TB
	p       *Provider
	store   storage.Store
	log     *bytes.Buffer
	audit   *auditDouble
	subject func(*AuthorizeRequest) Subject
}

// sharedKeys are the signing keys of all tests that do not care: making an RSA key is slow.
var sharedKeys = sync.OnceValue(func() *keys.Keys {
	s, err := seal.New(bytesOf(1))
	if err != nil {
		panic(err)
	}
	k, err := keys.Open(context.Background(), keys.Config{Store: memstore.New(memstore.Config{}), Sealer: s})
	if err != nil {
		panic(err)
	}
	return k
})

// ownKeys gives a fixture signing keys of its own, in its store.
func (f *fixture) ownKeys() *fixture {
	f.t.Helper()
	cfg := f.p.cfg
	var err error
	if cfg.Keys, err = keys.Open(context.Background(), keys.Config{Store: f.store, Sealer: testSealer(f.t)}); err != nil {
		f.t.Fatal(err)
	}
	if f.p, err = New(cfg); err != nil {
		f.t.Fatal(err)
	}
	return f
}

type auditDouble struct {
	mu     sync.Mutex
	events []audit.Event
}

func (a *auditDouble) Record(_ context.Context, e audit.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
	return nil
}

func newFixture(t testing.TB, store storage.Store, clients ...Client) *fixture {
	t.Helper()
	return newFixtureAt(t, testIssuer, store, clients...)
}

func newFixtureAt(t testing.TB, issuer string, store storage.Store, clients ...Client) *fixture {
	t.Helper()
	if len(clients) == 0 {
		clients = []Client{portal()}
	}
	registry, err := NewRegistry(clients...)
	if err != nil {
		t.Fatal(err)
	}
	k := sharedKeys()
	f := &fixture{t: t, store: store, log: &bytes.Buffer{}, audit: &auditDouble{}}
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now()) }
	f.p, err = New(Config{
		Issuer: issuer, Store: store, Sealer: testSealer(t), Keys: k, Clients: registry,
		TokenSecrets: [][]byte{bytesOf(2)}, SubjectSecret: bytesOf(3), Audit: f.audit,
		Log: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// authorize is what provider/authflow is in earnest.
func (f *fixture) authorize(w http.ResponseWriter, r *http.Request) {
	req, err := f.p.ReadAuthorize(r)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			f.t.Error(err)
			return
		}
		if e.Page {
			http.Error(w, e.Code+": "+e.Description, e.Status)
			return
		}
		f.p.Deny(w, r, req, e.Code, e.Description)
		return
	}
	// A request survives JSON on its way through the login.
	raw, err := json.Marshal(req)
	if err != nil {
		f.t.Error(err)
	}
	req = &AuthorizeRequest{}
	if err := json.Unmarshal(raw, req); err != nil {
		f.t.Error(err)
	}
	if err := f.p.Grant(w, r, req, f.subject(req)); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			f.t.Error(err)
			return
		}
		if e.Page {
			http.Error(w, e.Code, e.Status)
			return
		}
		f.p.Deny(w, r, req, e.Code, e.Description)
	}
}

func (f *fixture) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(PathAuthorize, f.authorize)
	mux.HandleFunc(PathToken, f.p.Token)
	mux.HandleFunc(PathUserInfo, f.p.UserInfo)
	mux.HandleFunc(PathPAR, f.p.Push)
	mux.HandleFunc(PathRevoke, f.p.Revoke)
	mux.HandleFunc(PathIntrospect, f.p.Introspect)
	mux.HandleFunc(PathJWKS, f.p.JWKS)
	mux.HandleFunc(PathDiscovery, f.p.Discovery)
	mux.HandleFunc(PathRegister, f.p.Register)
	mux.HandleFunc(PathRegister+"/{id}", func(w http.ResponseWriter, r *http.Request) { f.p.ManageClient(w, r, r.PathValue("id")) })
	return mux
}

func (f *fixture) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.handler().ServeHTTP(w, r)
	return w
}

// params returns a good authorization request with changes applied: name, value; an empty value removes.
func params(changes ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {"portal"}, "redirect_uri": {"https://portal.example.ua/cb"},
		"scope": {"openid profile"}, "state": {"state-of-the-portal"}, "nonce": {"nonce-of-the-portal"},
		"code_challenge": {challengeOf(testVerifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

func (f *fixture) ask(v url.Values) *httptest.ResponseRecorder {
	return f.do(httptest.NewRequest("GET", PathAuthorize+"?"+v.Encode(), nil))
}

// answerOf returns the parameters that came back to the client.
func (f *fixture) answerOf(w *httptest.ResponseRecorder) url.Values {
	f.t.Helper()
	if w.Code != http.StatusSeeOther {
		f.t.Fatalf("status %d, want 303: %s", w.Code, w.Body)
	}
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		f.t.Fatal(err)
	}
	return u.Query()
}

func (f *fixture) code(changes ...string) string {
	f.t.Helper()
	q := f.answerOf(f.ask(params(changes...)))
	if q.Get("code") == "" {
		f.t.Fatalf("no code: %v", q)
	}
	return q.Get("code")
}

func tokenParams(code string, changes ...string) url.Values {
	v := url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {"https://portal.example.ua/cb"}, "code_verifier": {testVerifier},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

func tokenRequest(v url.Values) *http.Request {
	r := httptest.NewRequest("POST", PathToken, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// exchange exchanges a code as the portal, by Basic.
func (f *fixture) exchange(code string, changes ...string) (int, map[string]any) {
	f.t.Helper()
	r := tokenRequest(tokenParams(code, changes...))
	r.SetBasicAuth("portal", testSecret)
	return f.tokens(r)
}

func (f *fixture) tokens(r *http.Request) (int, map[string]any) {
	f.t.Helper()
	w := f.do(r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		f.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		f.t.Errorf("token answer with Cache-Control %q", got)
	}
	return w.Code, body
}

func (f *fixture) mustExchange(code string) map[string]any {
	f.t.Helper()
	status, body := f.exchange(code)
	if status != http.StatusOK {
		f.t.Fatalf("%d %v", status, body)
	}
	return body
}

func (f *fixture) userinfo(token string) (int, map[string]any) {
	f.t.Helper()
	r := httptest.NewRequest("GET", PathUserInfo, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return f.tokens(r)
}

// idClaims returns the claims of an ID token after checking its signature with the published keys.
func (f *fixture) idClaims(body map[string]any) map[string]any {
	f.t.Helper()
	token, _ := body["id_token"].(string)
	payload, err := f.p.cfg.Keys.Verify(token)
	if err != nil {
		f.t.Fatalf("ID token %q: %v", token, err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		f.t.Fatal(err)
	}
	return claims
}

// want checks the code of an error answer.
func want(t testing.TB, name string, status int, body map[string]any, wantStatus int, wantCode string) {
	t.Helper()
	if status != wantStatus || body["error"] != wantCode {
		t.Errorf("%s: got %d %v, want %d %s", name, status, body, wantStatus, wantCode)
	}
}

// fixed is one client as it is, valid or not.
type fixed struct{ c Client }

func (f fixed) Client(context.Context, string) (*Client, error) { return &f.c, nil }

func memStoreAt(now func() time.Time) *memstore.Store { return memstore.New(memstore.Config{Now: now}) }
