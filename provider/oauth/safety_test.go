package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/storage"
	"brama/storage/boltstore"
)

// T69: of 32 exchanges of one code at once one is answered, and since nobody knows who stole it, the grant dies.
func TestCodeRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				f := newFixture(t, open(t))
				code := f.code()
				const racers = 32
				status := make([]int, racers)
				bodies := make([]map[string]any, racers)
				var wg sync.WaitGroup
				start := make(chan struct{})
				for i := range racers {
					wg.Go(func() {
						<-start
						status[i], bodies[i] = f.exchange(code)
					})
				}
				close(start)
				wg.Wait()
				winners := 0
				for i := range racers {
					if status[i] == 200 {
						winners++
						if s, b := f.userinfo(bodies[i]["access_token"].(string)); s != 401 {
							t.Errorf("token of a contested code: %d %v", s, b)
						}
						continue
					}
					want(t, "loser", status[i], bodies[i], 400, "invalid_grant")
				}
				if winners != 1 {
					t.Fatalf("%d winners, want 1", winners)
				}
			}
		})
	}
}

// A meeting is a store where the first two readers of a grant wait for each other.
type meeting struct {
	storage.Store
	wg sync.WaitGroup
	n  atomic.Int32
}

func (m *meeting) View(ctx context.Context, fn func(storage.Tx) error) error {
	err := m.Store.View(ctx, fn)
	if m.n.Add(1) <= 2 {
		m.wg.Done()
		m.wg.Wait()
	}
	return err
}

// The race at its narrowest: both have seen the code unspent, so that only the precondition of the commit decides.
func TestCodeRaceAtCommit(t *testing.T) {
	m := &meeting{Store: memStore(t)}
	f := newFixture(t, m)
	code := f.code()
	m.wg.Add(2)
	status, bodies := make([]int, 2), make([]map[string]any, 2)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { status[i], bodies[i] = f.exchange(code) })
	}
	wg.Wait()
	winner, loser := 0, 1
	if status[1] == 200 {
		winner, loser = 1, 0
	}
	if status[winner] != 200 {
		t.Fatalf("nobody won: %v", bodies)
	}
	want(t, "loser", status[loser], bodies[loser], 400, "invalid_grant")
	s, b := f.userinfo(bodies[winner]["access_token"].(string))
	want(t, "token of the winner", s, b, 401, "invalid_token")
}

// A code that comes again, a while later, kills the token made from it.
func TestCodeReplayRevokes(t *testing.T) {
	f := newFixture(t, memStore(t))
	code := f.code()
	token := f.mustExchange(code)["access_token"].(string)
	if status, _ := f.userinfo(token); status != 200 {
		t.Fatalf("userinfo %d", status)
	}
	status, body := f.exchange(code)
	want(t, "second exchange", status, body, 400, "invalid_grant")
	status, body = f.userinfo(token)
	want(t, "userinfo after the replay", status, body, 401, "invalid_token")
	if len(f.audit.events) != 1 || f.audit.events[0].Action != "grant.revoked" || f.audit.events[0].Person != "person-1" {
		t.Errorf("audit %v", f.audit.events)
	}
}

// A failed exchange leaves nothing half-written: no token, and the code is as it was or dead.
func TestStoreFailureIssuesNothing(t *testing.T) {
	store := memStore(t)
	f := newFixture(t, store)
	code := f.code()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	status, body := f.exchange(code)
	want(t, "closed store", status, body, 500, "server_error")
	if body["access_token"] != nil || body["error_description"] != nil {
		t.Errorf("answer %v", body)
	}
	if !strings.Contains(f.log.String(), "memstore: closed") {
		t.Errorf("the operator does not learn the cause: %s", f.log)
	}
	if q := f.answerOf(f.ask(params())); q.Get("error") != "server_error" || q.Get("code") != "" || q.Has("error_description") {
		t.Errorf("grant on a closed store: %v", q)
	}
}

// T73: a code is no token, an ID token is no access token, neither is a code of another kind.
func TestTokenKindsNotInterchangeable(t *testing.T) {
	f := newFixture(t, memStore(t))
	body := f.mustExchange(f.code())
	access, id := body["access_token"].(string), body["id_token"].(string)
	for name, token := range map[string]string{"code": f.code(), "ID token": id, "garbage": "x", "spaces": "a b"} {
		status, answer := f.userinfo(token)
		want(t, name+" at userinfo", status, answer, 401, "invalid_token")
	}
	for name, code := range map[string]string{"access token": access, "ID token": id} {
		status, answer := f.exchange(code)
		want(t, name+" as code", status, answer, 400, "invalid_grant")
	}
	// A token of one kind does not open as another, nor a token that was touched.
	refresh := string(f.p.appendToken(nil, refreshToken, &opaque{grant: storage.HashSecret("x"), client: "portal", scopes: []string{"openid"}, expires: time.Now().Add(time.Hour)}))
	for name, forged := range map[string]string{
		"refresh token": refresh, "cut": access[:len(access)-1], "longer": access + "A", "changed": flip(access), "padded": access + "=",
	} {
		status, answer := f.userinfo(forged)
		want(t, name, status, answer, 401, "invalid_token")
	}
}

func flip(token string) string {
	b := []byte(token)
	if b[len(b)/2]++; b[len(b)/2] == 'Z'+1 || b[len(b)/2] == 'z'+1 || b[len(b)/2] == '9'+1 {
		b[len(b)/2] = 'A'
	}
	return string(b)
}

func TestUserInfoBearer(t *testing.T) {
	f := newFixture(t, memStore(t))
	token := f.mustExchange(f.code())["access_token"].(string)
	post := httptest.NewRequest("POST", PathUserInfo, strings.NewReader(url.Values{"access_token": {token}}.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := f.do(post); w.Code != 200 {
		t.Errorf("POST: %d %s", w.Code, w.Body)
	}
	both := httptest.NewRequest("POST", PathUserInfo, strings.NewReader(url.Values{"access_token": {token}}.Encode()))
	both.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	both.Header.Set("Authorization", "Bearer "+token)
	if w := f.do(both); w.Code != 400 {
		t.Errorf("two tokens: %d", w.Code)
	}
	if w := f.do(httptest.NewRequest("GET", PathUserInfo+"?access_token="+token, nil)); w.Code != 400 {
		t.Errorf("token in the address: %d", w.Code)
	}
	w := f.do(httptest.NewRequest("GET", PathUserInfo, nil))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("no token: %d %q", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	basic := httptest.NewRequest("GET", PathUserInfo, nil)
	basic.SetBasicAuth("portal", testSecret)
	if w := f.do(basic); w.Code != 400 {
		t.Errorf("Basic: %d", w.Code)
	}
	if w := f.do(httptest.NewRequest("PUT", PathUserInfo, nil)); w.Code != 405 {
		t.Errorf("PUT: %d", w.Code)
	}
}

// A client that lost its registration, or a right of it, loses it at userinfo too.
func TestUserInfoFollowsRegistration(t *testing.T) {
	f := newFixture(t, memStore(t))
	token := f.mustExchange(f.code("scope", "openid ua.person profile"))["access_token"].(string)
	less := portal()
	less.Claims = nil
	cfg := f.p.cfg
	cfg.Clients, _ = NewRegistry(less)
	f.p, _ = New(cfg)
	if _, body := f.userinfo(token); body["rnokpp"] != nil || body["name"] == nil {
		t.Errorf("after the right was taken: %v", body)
	}
	cfg.Clients, _ = NewRegistry()
	f.p, _ = New(cfg)
	status, body := f.userinfo(token)
	want(t, "client gone", status, body, 401, "invalid_token")
}

// T74: a 307 would make the browser repeat its POST at the client.
func TestNo307(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name, v := range map[string]url.Values{"granted": params(), "denied": params("prompt", "junk")} {
		r := httptest.NewRequest("POST", PathAuthorize, strings.NewReader(v.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := f.do(r)
		if w.Code != 303 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

// wholeLife walks through everything that can happen and returns every secret that was seen.
func wholeLife(t *testing.T, f *fixture) []string {
	t.Helper()
	q := f.answerOf(f.ask(params()))
	code := q.Get("code")
	body := f.mustExchange(code)
	access, id := body["access_token"].(string), body["id_token"].(string)
	f.userinfo(access)
	f.userinfo(access + "x")
	first := refreshOf(body)
	second := f.mustRefresh(first)
	f.refresh(first + "x")
	f.tokens(asked(PathIntrospect, "portal", url.Values{"token": {access}}))
	f.do(asked(PathRevoke, "portal", url.Values{"token": {access}}))
	proof := newProver(f.t).proof(PathToken, "jti", "jti-of-the-proof")
	f.dpopRefresh(refreshOf(second), proof)
	f.dpopRefresh(refreshOf(second), proof)
	f.refresh(first)
	f.exchange(code)
	bad := f.code()
	f.exchange(bad, "code_verifier", "another-verifier-of-more-than-forty-three-chars")
	open := f.code()
	f.exchange("unknown-code.with-a-dot")
	r := tokenRequest(tokenParams(open, "client_id", "portal", "client_secret", "wrong-secret-of-somebody"))
	f.tokens(r)
	basic := tokenRequest(tokenParams(open))
	basic.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("portal:%zzbroken-secret")))
	f.tokens(basic)
	f.ask(params("scope", "junk", "state", "state-of-an-error"))
	secrets := []string{
		first, refreshOf(second), accessOf(second), proof, "jti-of-the-proof", code, bad, open, access, id, testSecret, testVerifier, "another-verifier", "wrong-secret", "broken-secret",
		"state-of-the-portal", "state-of-an-error", "nonce-of-the-portal", "3333333334", "19900102-12345", "Шевченко", "0a1b2c3d4e5f",
		f.idClaims(body)["sub"].(string),
	}
	for _, token := range []string{code, bad, open, access} {
		secrets = append(secrets, strings.Split(token, ".")...)
	}
	return secrets
}

// T74, T90: no code, token, secret, state or personal value in the log, whatever goes wrong.
func TestNoCodeInLogs(t *testing.T) {
	f := newFixture(t, memStore(t), refresher())
	secrets := wholeLife(t, f)
	if !strings.Contains(f.log.String(), "invalid_grant") || !strings.Contains(f.log.String(), "invalid_client") {
		t.Fatalf("log says nothing: %s", f.log)
	}
	for _, s := range secrets {
		if strings.Contains(f.log.String(), s) {
			t.Errorf("log holds %q:\n%s", s, f.log)
		}
	}
}

// T87: a stolen store yields no live secret, no private key, nothing of persons.
func TestDumpHoldsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	store, err := boltstore.Open(boltstore.Config{Path: path, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, store, refresher()).ownKeys()
	secrets := wholeLife(t, f)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(dump, []byte("person-1")) {
		t.Fatal("the dump does not hold what it must: is it the right file?")
	}
	for _, s := range secrets {
		forms := append(inBase64(s), []byte(s), []byte(hex.EncodeToString([]byte(s))))
		if raw, err := base64.RawURLEncoding.DecodeString(s); err == nil && len(raw) > 8 {
			forms = append(forms, raw)
		}
		if escaped, _ := json.Marshal(s); len(escaped) > 8 {
			forms = append(forms, escaped[1:len(escaped)-1])
		}
		for _, form := range forms {
			if bytes.Contains(dump, form) {
				t.Errorf("dump holds %q", form)
			}
		}
	}
	sum := sha256.Sum256([]byte("3333333334"))
	if bytes.Contains(dump, sum[:]) || bytes.Contains(dump, []byte(hex.EncodeToString(sum[:]))) {
		t.Error("dump holds the plain hash of a tax number")
	}
	if bytes.Contains(dump, bytesOf(1)) || bytes.Contains(dump, bytesOf(2)) || bytes.Contains(dump, bytesOf(3)) {
		t.Error("dump holds a key of the configuration")
	}
}

// inBase64 returns what of s is seen inside a longer text in base64, at each of its three alignments.
func inBase64(s string) [][]byte {
	var out [][]byte
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + s))
		text = text[(shift*8+5)/6:]
		out = append(out, []byte(text[:len(text)-1]))
	}
	return out
}

// T93, the half of this package: reading a request writes nothing.
func TestAuthorizeWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	store, err := boltstore.Open(boltstore.Config{Path: path, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := newFixture(t, store)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []url.Values{params(), params("prompt", "junk"), params("client_id", "nobody")} {
		_, _ = f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+v.Encode(), nil))
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
}

func FuzzReadAuthorize(f *testing.F) {
	fx := newFixture(f, memStore(f))
	for _, v := range []url.Values{params(), params("prompt", "none", "max_age", "0"), params("state", ""), params("request", "x")} {
		f.Add(v.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", PathAuthorize, nil)
		r.URL.RawQuery = query
		req, err := fx.p.ReadAuthorize(r)
		if req != nil && req.RedirectURI != "https://portal.example.ua/cb" {
			t.Fatalf("redirect_uri %q", req.RedirectURI)
		}
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Code == "" || e.Page != (req == nil) {
				t.Fatalf("error %v, request %v", err, req)
			}
			return
		}
		if !validChallenge(req.Challenge) {
			t.Fatalf("request %+v", req)
		}
		// Whatever else is in the request, fosite says what it said of the first one with this address and these scopes.
		ctx := withUnit(t.Context(), &unit{client: &fositeClient{Client: new(portal()), redirectURI: req.RedirectURI}})
		if err := fx.p.checkByFosite(ctx, req); err != nil {
			t.Fatalf("fosite refuses %+v: %v", req, err)
		}
	})
}

func FuzzToken(f *testing.F) {
	fx := newFixture(f, memStore(f))
	f.Add(tokenParams(fx.code()).Encode(), "Basic x", "application/x-www-form-urlencoded")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, body, authorization, contentType string) {
		r := httptest.NewRequest("POST", PathToken, strings.NewReader(body))
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", contentType)
		if w := fx.do(r); w.Code < 400 || w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
