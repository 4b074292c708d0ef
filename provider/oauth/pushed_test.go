package oauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brama/storage"
	"brama/storage/memstore"
)

// push pushes parameters as the portal, by Basic.
func (f *fixture) push(v url.Values) (int, map[string]any) {
	f.t.Helper()
	r := httptest.NewRequest("POST", PathPAR, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("portal", testSecret)
	return f.pushRequest(r)
}

func (f *fixture) pushRequest(r *http.Request) (int, map[string]any) {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.p.Push(w, r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Header().Get("Cache-Control") != "no-store" {
		f.t.Fatalf("%d %v %s: %v", w.Code, w.Header(), w.Body, err)
	}
	return w.Code, body
}

// handle pushes a good request and returns its handle.
func (f *fixture) handle(changes ...string) string {
	f.t.Helper()
	status, body := f.push(params(changes...))
	handle, _ := body["request_uri"].(string)
	if status != http.StatusCreated || handle == "" {
		f.t.Fatalf("%d %v", status, body)
	}
	return handle
}

// bring asks for authorization with a handle.
func (f *fixture) bring(handle string, more ...string) *httptest.ResponseRecorder {
	v := url.Values{"client_id": {"portal"}, "request_uri": {handle}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return f.ask(v)
}

// page checks that the answer is a page with the code and no redirect.
func (f *fixture) page(name string, w *httptest.ResponseRecorder, code string) {
	f.t.Helper()
	if w.Code != 400 || w.Header().Get("Location") != "" || !strings.HasPrefix(w.Body.String(), code) {
		f.t.Errorf("%s: %d %s %s, want a page with %s", name, w.Code, w.Header().Get("Location"), w.Body, code)
	}
}

func TestPushedRequest(t *testing.T) {
	f := newFixture(t, memStore(t))
	status, body := f.push(params("client_secret", "", "acr_values", "low"))
	handle, _ := body["request_uri"].(string)
	expires, _ := body["expires_in"].(float64)
	if status != http.StatusCreated || !regexp.MustCompile(`^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$`).MatchString(handle) || expires <= 0 || expires >= 600 {
		t.Fatalf("%d %v", status, body)
	}
	q := f.answerOf(f.bring(handle))
	if q.Get("state") != "state-of-the-portal" || q.Get("iss") != testIssuer {
		t.Errorf("%v", q)
	}
	if claims := f.idClaims(f.mustExchange(q.Get("code"))); claims["nonce"] != "nonce-of-the-portal" {
		t.Errorf("%v", claims)
	}
	f.page("second use", f.bring(handle), "invalid_request_uri")
}

// fosite lets the browser add parameters that were not pushed (fosite notes, trap 3): here they count for nothing.
func TestBrowserAddsNothingToPushed(t *testing.T) {
	f := newFixture(t, memStore(t))
	handle := f.handle("nonce", "")
	req, err := f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+url.Values{
		"client_id": {"portal"}, "request_uri": {handle}, "prompt": {"none"}, "acr_values": {"high"}, "nonce": {"of-the-browser"}, "scope": {"openid"},
		"state": {"other"}, "response_mode": {"query.jwt"}, "code_challenge": {challengeOf("other")}, "max_age": {"0"}, "id_token_hint": {"x"},
		"redirect_uri": {"https://evil.example/"}, "claims": {"{}"}, "login_hint": {"x"}, "dpop_jkt": {challengeOf("x")}, "ui_locales": {"en"}, "purpose": {"link"},
	}.Encode(), nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(req.Prompt) != 0 || len(req.ACRValues) != 0 || req.MaxAge != nil || req.State != "state-of-the-portal" || req.ResponseMode != "" || len(req.Scopes) != 2 ||
		req.Nonce != "" || req.Challenge != challengeOf(testVerifier) || req.LoginHint != "" || req.DPoPJKT != "" || len(req.UILocales) != 0 ||
		req.Purpose != "" || req.RedirectURI != "https://portal.example.ua/cb" || req.RequestURI != handle {
		t.Errorf("%+v", req)
	}
}

func TestPushRefused(t *testing.T) {
	public, api := portal(), portal()
	public.ID, public.SecretHash = "public", nil
	api.ID, api.GrantTypes, api.RedirectURIs = "api", []string{GrantClientCredentials}, nil
	api.Sector = ""
	api.SubjectType = Public
	f := newFixture(t, memStore(t), portal(), public, api)
	for name, c := range map[string]struct {
		changes []string
		code    string
	}{
		"request_uri":      {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"},
		"another client":   {[]string{"client_id", "public"}, "invalid_request"},
		"foreign redirect": {[]string{"redirect_uri", "https://evil.example/cb"}, "invalid_request"},
		"no redirect":      {[]string{"redirect_uri", ""}, "invalid_request"},
		"scope":            {[]string{"scope", "profile"}, "invalid_scope"},
		"response type":    {[]string{"response_type", "token"}, "unsupported_response_type"},
		"plain":            {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"max_age":          {[]string{"max_age", "abc"}, "invalid_request"},
		"request object":   {[]string{"request", "x.y.z"}, "invalid_request_object"},
	} {
		status, body := f.push(params(c.changes...))
		want(t, name, status, body, 400, c.code)
		if body["request_uri"] != nil {
			t.Errorf("%s: a handle beside the error", name)
		}
	}
	v := params()
	v.Add("state", "two")
	status, body := f.push(v)
	want(t, "state twice", status, body, 400, "invalid_request")

	post := func(target string, v url.Values, secret string) *http.Request {
		r := httptest.NewRequest("POST", target, strings.NewReader(v.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if secret != "" {
			r.SetBasicAuth("portal", secret)
		}
		return r
	}
	status, body = f.pushRequest(post(PathPAR, params(), "wrong"))
	want(t, "wrong secret", status, body, 401, "invalid_client")
	status, body = f.pushRequest(post(PathPAR, params(), ""))
	want(t, "no authentication", status, body, 401, "invalid_client")
	status, body = f.pushRequest(post(PathPAR+"?prompt=none", params(), testSecret))
	want(t, "parameters in the address", status, body, 400, "invalid_request")
	status, body = f.pushRequest(post(PathPAR, params("client_id", "api", "client_secret", testSecret), ""))
	want(t, "a client without sign-in", status, body, 400, "invalid_request")
	if status, body = f.pushRequest(post(PathPAR, params("client_id", "public"), "")); status != http.StatusCreated {
		t.Errorf("public client: %d %v", status, body)
	}
	r := httptest.NewRequest("GET", PathPAR, nil)
	status, body = f.pushRequest(r)
	want(t, "GET", status, body, 405, "invalid_request")
}

// A handle is its client's only, and another client that tries it spoils nothing (fosite notes, trap 3).
func TestPushedIsBound(t *testing.T) {
	other := portal()
	other.ID = "other"
	f := newFixture(t, memStore(t), portal(), other)
	handle := f.handle()
	f.page("another client", f.bring(handle, "client_id", "other"), "invalid_request_uri")
	f.page("unknown handle", f.bring(handle[:len(handle)-1]+"~"), "invalid_request_uri")
	f.page("with an object", f.bring(handle, "request", "x"), "invalid_request")
	v := url.Values{"client_id": {"portal"}, "request_uri": {handle, handle}}
	f.page("twice", f.ask(v), "invalid_request")
	if q := f.answerOf(f.bring(handle)); q.Get("code") == "" {
		t.Errorf("%v", q)
	}
	f.refused("by reference", "request_uri_not_supported", "request_uri", "https://portal.example.ua/object")
	f.refused("another urn", "request_uri_not_supported", "request_uri", "urn:ietf:params:oauth:other:x")
}

// It may be brought until it is granted (FAPI 2.0 Security Profile, 5.3.2.2), but not after its time.
func TestPushedLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}))
		handle := f.handle()
		for range 3 {
			f.subject = func(*AuthorizeRequest) Subject { return Subject{} } // the login fails
			if q := f.answerOf(f.bring(handle)); q.Get("error") != "server_error" {
				t.Errorf("%v", q)
			}
		}
		f.subject = func(*AuthorizeRequest) Subject {
			time.Sleep(2 * time.Hour) // a slow person
			return testSubject(time.Now())
		}
		if q := f.answerOf(f.bring(handle)); q.Get("code") == "" {
			t.Errorf("%v", q)
		}
		handle = f.handle()
		time.Sleep(pushedLife)
		f.page("too late", f.bring(handle), "invalid_request_uri")
	})
}

// One handle gives one code, whoever comes to the end at the same time (threat T68).
func TestPushedRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"memory": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t))
			handle := f.handle()
			const racers = 32
			requests := make([]*AuthorizeRequest, racers)
			for i := range requests {
				var err error
				if requests[i], err = f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?client_id=portal&request_uri="+url.QueryEscape(handle), nil)); err != nil {
					t.Fatal(err)
				}
			}
			var mu sync.Mutex
			results := map[string]int{}
			var all sync.WaitGroup
			for _, req := range requests {
				all.Go(func() {
					err := f.p.Grant(httptest.NewRecorder(), httptest.NewRequest("GET", PathAuthorize, nil), req, testSubject(time.Now()))
					code := "granted"
					if err != nil {
						code = publicError(err).Code
					}
					mu.Lock()
					defer mu.Unlock()
					results[code]++
				})
			}
			all.Wait()
			if results["granted"] != 1 || results["invalid_request_uri"] != racers-1 {
				t.Errorf("%v", results)
			}
			grants := 0
			if err := f.store.View(t.Context(), func(tx storage.Tx) error {
				for range tx.Scan(storage.KindGrant, "") {
					grants++
				}
				return nil
			}); err != nil || grants != 1 {
				t.Errorf("%d grants, %v", grants, err)
			}
		})
	}
}

// Who steals the store has neither handles nor what was pushed (threat T87).
func TestPushedIsSealed(t *testing.T) {
	f := newFixture(t, memStore(t))
	handle := f.handle("login_hint", "taras@example.ua")
	if err := f.store.View(t.Context(), func(tx storage.Tx) error {
		n := 0
		for r, err := range tx.Scan(storage.KindPushed, "") {
			if err != nil {
				return err
			}
			n++
			dump := fmt.Sprintf("%+v %s", r, r.Body)
			for _, secret := range []string{handle, strings.TrimPrefix(handle, pushedPrefix), "taras", "state-of-the-portal", challengeOf(testVerifier)} {
				if strings.Contains(dump, secret) {
					t.Errorf("the store holds %s", secret)
				}
			}
		}
		if n != 1 {
			t.Errorf("%d pushed requests", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(f.log.String(), handle) {
		t.Error("the log holds a handle")
	}
}

// RequirePAR of a client and of the whole server, which the metadata say truly.
func TestRequirePAR(t *testing.T) {
	c := portal()
	c.RequirePAR = true
	f := newFixture(t, memStore(t), c)
	f.refused("not pushed", "invalid_request")
	if q := f.answerOf(f.bring(f.handle())); q.Get("code") == "" {
		t.Errorf("%v", q)
	}
	if f.discovered()["require_pushed_authorization_requests"] != false {
		t.Error("one client makes it a rule for all")
	}
	cfg := newFixture(t, memStore(t)).p.cfg
	cfg.RequirePAR = true
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f = newFixture(t, memStore(t))
	f.p = p
	f.refused("not pushed", "invalid_request")
	if q := f.answerOf(f.bring(f.handle())); q.Get("code") == "" || f.discovered()["require_pushed_authorization_requests"] != true {
		t.Errorf("%v", q)
	}
}

// discovered returns the metadata.
func (f *fixture) discovered() map[string]any {
	f.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(f.do(httptest.NewRequest("GET", PathDiscovery, nil)).Body.Bytes(), &m); err != nil {
		f.t.Fatal(err)
	}
	return m
}

// RFC 9449, 10.1: a proof at the endpoint binds the code, as dpop_jkt does.
func TestPushedProofBindsCode(t *testing.T) {
	f := newFixture(t, memStore(t))
	k, other := newProver(t), newProver(t)
	push := func(proof string, changes ...string) (int, map[string]any) {
		r := asked(PathPAR, "portal", params(changes...))
		r.Header.Set("DPoP", proof)
		return f.pushRequest(r)
	}
	code := func(changes ...string) string {
		status, body := push(k.proof(PathPAR), changes...)
		if status != http.StatusCreated {
			t.Fatalf("%d %v", status, body)
		}
		return f.answerOf(f.bring(body["request_uri"].(string))).Get("code")
	}
	if status, body := f.dpopExchange(code(), k.proof(PathToken)); status != http.StatusOK || body["token_type"] != "DPoP" {
		t.Errorf("%d %v", status, body)
	}
	status, body := f.dpopExchange(code("dpop_jkt", k.jkt()), other.proof(PathToken))
	want(t, "another key", status, body, 400, "invalid_grant")
	status, body = f.exchange(code())
	want(t, "no proof", status, body, 400, "invalid_grant")
	status, body = push(k.proof(PathPAR), "dpop_jkt", other.jkt())
	want(t, "dpop_jkt of another key", status, body, 400, "invalid_dpop_proof")
	status, body = push(k.proof(PathToken))
	want(t, "proof for another endpoint", status, body, 400, "invalid_dpop_proof")
	status, body = push("junk")
	want(t, "junk", status, body, 400, "invalid_dpop_proof")
	proof := k.proof(PathPAR)
	if status, body := push(proof); status != http.StatusCreated {
		t.Errorf("%d %v", status, body)
	}
	status, body = push(proof)
	want(t, "the same proof again", status, body, 400, "invalid_dpop_proof")
	// A request that was refused has not used its proof.
	proof = k.proof(PathPAR)
	status, body = push(proof, "scope", "profile")
	want(t, "bad scope", status, body, 400, "invalid_scope")
	if status, body := push(proof); status != http.StatusCreated {
		t.Errorf("%d %v", status, body)
	}
}

// T93: what a public client pushes is stored, so that it is counted as a stranger's; a client that proves itself is not.
func TestStrangersPushesAreCounted(t *testing.T) {
	public := portal()
	public.ID, public.SecretHash = "public", nil
	f := newFixture(t, memStore(t), portal(), public)
	cfg := f.p.cfg
	left := 2
	cfg.Stranger = func(*http.Request) bool { left--; return left >= 0 }
	var err error
	if f.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{201, 201, 429, 429} {
		r := httptest.NewRequest("POST", PathPAR, strings.NewReader(params("client_id", "public").Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, body := f.pushRequest(r); status != want {
			t.Errorf("push %d: %d %v", i, status, body)
		}
	}
	f.handle()
	if left != -2 {
		t.Errorf("counted down to %d", left)
	}
}
