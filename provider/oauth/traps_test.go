package oauth

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brama/storage/memstore"
)

// Each test here is a trap of fosite 0.49: what it does by itself, and that we do not.

// A wrong verifier makes fosite drop the challenge; the same code then works without a verifier.
func TestPKCEStripping(t *testing.T) {
	optional := portal()
	optional.PKCEOptional, optional.NonceOptional = true, true
	for name, client := range map[string]Client{"required": portal(), "optional": optional} {
		for _, first := range []string{"a-wrong-verifier-of-more-than-forty-three-characters", "short", strings.Repeat("x", 129), ""} {
			f := newFixture(t, memStore(t), client)
			code := f.code()
			status, body := f.exchange(code, "code_verifier", first)
			want(t, name+", wrong verifier", status, body, 400, "invalid_grant")
			status, body = f.exchange(code, "code_verifier", "")
			want(t, name+", then none", status, body, 400, "invalid_grant")
			status, body = f.exchange(code)
			want(t, name+", then the right one", status, body, 400, "invalid_grant")
			if len(f.audit.events) == 0 || f.audit.events[0].Code != "CODE_MISUSED" || f.audit.events[0].Client != "portal" {
				t.Errorf("%s: audit %v", name, f.audit.events)
			}
		}
	}
}

func TestPKCERules(t *testing.T) {
	public := portal()
	public.SecretHash = nil
	optional := portal()
	optional.PKCEOptional = true
	both := optional
	both.NonceOptional = true
	none := []string{"code_challenge", "", "code_challenge_method", ""}
	for _, c := range []struct {
		name    string
		client  Client
		changes []string
		want    string
	}{
		{"required, absent", portal(), none, "invalid_request"},
		{"public, absent", public, none, "invalid_request"},
		{"plain", portal(), []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"no method", portal(), []string{"code_challenge_method", ""}, "invalid_request"},
		{"method only", portal(), []string{"code_challenge", ""}, "invalid_request"},
		{"s256 in small letters", portal(), []string{"code_challenge_method", "s256"}, "invalid_request"},
		{"short challenge", portal(), []string{"code_challenge", "abc"}, "invalid_request"},
		{"padded challenge", portal(), []string{"code_challenge", challengeOf("x") + "="}, "invalid_request"},
		{"optional, with nonce", optional, none, ""},
		{"optional, without nonce", optional, append([]string{"nonce", ""}, none...), "invalid_request"},
		{"optional, plain", optional, []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"both optional", both, append([]string{"nonce", ""}, none...), ""},
	} {
		f := newFixture(t, memStore(t), c.client)
		q := f.answerOf(f.ask(params(c.changes...)))
		if q.Get("error") != c.want || (c.want == "") != (q.Get("code") != "") {
			t.Errorf("%s: %v, want %q", c.name, q, c.want)
		}
		if c.want != "" {
			continue
		}
		status, body := f.exchange(q.Get("code"))
		want(t, c.name+", verifier without a challenge", status, body, 400, "invalid_grant")
		code := f.code(c.changes...)
		if status, body := f.exchange(code, "code_verifier", ""); status != 200 {
			t.Errorf("%s: %v", c.name, body)
		}
	}
	public.PKCEOptional = true
	if _, err := NewRegistry(public); err == nil {
		t.Error("PKCE is optional for a public client")
	}
}

// fosite takes the first of two values.
func TestDuplicateParameters(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name := range params() {
		v := params()
		v.Add(name, v.Get(name))
		w := f.ask(v)
		if name == "client_id" || name == "redirect_uri" {
			if w.Code != 400 || w.Header().Get("Location") != "" {
				t.Errorf("%s twice: %d", name, w.Code)
			}
			continue
		}
		q := f.answerOf(w)
		if q.Get("error") != "invalid_request" || q.Get("code") != "" {
			t.Errorf("%s twice: %v", name, q)
		}
		if name == "state" && q.Has("state") {
			t.Errorf("one of two states came back")
		}
	}
	v := params()
	v["unknown"] = []string{"a", "b"}
	if q := f.answerOf(f.ask(v)); q.Get("error") != "invalid_request" {
		t.Errorf("unknown parameter twice: %v", q)
	}
	r := httptest.NewRequest("POST", PathAuthorize+"?prompt=none", strings.NewReader(params().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := f.do(r); w.Code != 400 {
		t.Errorf("parameters in address and body: %d", w.Code)
	}

	code := f.code()
	for name := range tokenParams(code) {
		v := tokenParams(code)
		v.Add(name, v.Get(name))
		r := tokenRequest(v)
		r.SetBasicAuth("portal", testSecret)
		status, body := f.tokens(r)
		want(t, name+" twice", status, body, 400, "invalid_request")
	}
	r = tokenRequest(tokenParams(code))
	r.URL.RawQuery = "code=other"
	r.SetBasicAuth("portal", testSecret)
	status, body := f.tokens(r)
	want(t, "query at the token endpoint", status, body, 400, "invalid_request")
	f.mustExchange(code)
}

func TestClientAuthentication(t *testing.T) {
	public, post, basicOnly := portal(), portal(), portal()
	public.ID, public.SecretHash = "public", nil
	post.ID, post.AuthMethod = "post", AuthPost
	basicOnly.ID, basicOnly.AuthMethod = "basic", AuthBasic
	f := newFixture(t, memStore(t), portal(), public, post, basicOnly)
	for _, c := range []struct {
		name          string
		client        string
		basic, posted string
		extra         []string
		status        int
		code          string
	}{
		{"basic", "portal", testSecret, "", nil, 200, ""},
		{"post", "portal", "", testSecret, nil, 200, ""},
		{"public", "public", "", "", nil, 200, ""},
		{"post only, posted", "post", "", testSecret, nil, 200, ""},
		{"post only, basic", "post", testSecret, "", nil, 401, "invalid_client"},
		{"basic only, posted", "basic", "", testSecret, nil, 401, "invalid_client"},
		{"wrong secret", "portal", "wrong", "", nil, 401, "invalid_client"},
		{"wrong posted secret", "portal", "", "wrong", nil, 401, "invalid_client"},
		{"no secret", "portal", "", "", nil, 401, "invalid_client"},
		{"hash as secret", "portal", string(HashSecret(testSecret)), "", nil, 401, "invalid_client"},
		{"public with a secret", "public", "", "x", nil, 401, "invalid_client"},
		{"two methods", "portal", testSecret, testSecret, nil, 400, "invalid_request"},
		{"assertion and basic", "portal", testSecret, "", []string{"client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 400, "invalid_request"},
		{"assertion", "portal", "", "", []string{"client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 401, "invalid_client"},
		{"another id in the form", "portal", testSecret, "", []string{"client_id", "public"}, 400, "invalid_request"},
	} {
		code := f.code("client_id", c.client)
		v := tokenParams(code, c.extra...)
		if c.basic == "" && !v.Has("client_id") {
			v.Set("client_id", c.client)
		}
		if c.posted != "" {
			v.Set("client_secret", c.posted)
		}
		r := tokenRequest(v)
		if c.basic != "" {
			r.SetBasicAuth(c.client, url.QueryEscape(c.basic))
		}
		w := f.do(r)
		if w.Code != c.status || c.code != "" && !strings.Contains(w.Body.String(), `"`+c.code+`"`) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if (w.Header().Get("WWW-Authenticate") != "") != (c.status == 401 && c.basic != "") {
			t.Errorf("%s: WWW-Authenticate %q", c.name, w.Header().Get("WWW-Authenticate"))
		}
	}
	r := tokenRequest(tokenParams("x"))
	r.SetBasicAuth("nobody", "x")
	status, body := f.tokens(r)
	want(t, "unknown client", status, body, 401, "invalid_client")
}

// A code is good for its client and redirect_uri only; a try by another kills it.
func TestCodeIsBound(t *testing.T) {
	other := portal()
	other.ID, other.RedirectURIs = "other", []string{"https://portal.example.ua/cb", "https://portal.example.ua/cb2"}
	c := portal()
	c.RedirectURIs = other.RedirectURIs
	f := newFixture(t, memStore(t), c, other)
	code := f.code()
	r := tokenRequest(tokenParams(code))
	r.SetBasicAuth("other", testSecret)
	status, body := f.tokens(r)
	want(t, "another client", status, body, 400, "invalid_grant")
	status, body = f.exchange(code)
	want(t, "then its own", status, body, 400, "invalid_grant")

	status, body = f.exchange(f.code(), "redirect_uri", "https://portal.example.ua/cb2")
	want(t, "another redirect_uri", status, body, 400, "invalid_grant")
	status, body = f.exchange(f.code(), "redirect_uri", "")
	want(t, "no redirect_uri", status, body, 400, "invalid_request")
	code = f.code()
	tokens := f.mustExchange(f.code())
	altered := "A"
	if code[40] == 'A' {
		altered = "B"
	}
	for name, bad := range map[string]string{
		"garbage": "garbage", "half": code[:len(code)/2], "longer": code + "AAAA", "altered": code[:40] + altered + code[41:], "a line end": code + "\n",
		"access token": tokens["access_token"].(string), "ID token": tokens["id_token"].(string),
	} {
		status, body = f.exchange(bad)
		want(t, name, status, body, 400, "invalid_grant")
	}
	f.mustExchange(code) // those were other codes
	if status, _ := f.userinfo(f.code()); status != 401 {
		t.Errorf("a code opens userinfo: %d", status)
	}
}

// fosite parses multipart and spills it to the disk, and has no limit on the rest.
func TestBodyLimits(t *testing.T) {
	f := newFixture(t, memStore(t))
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, values := range tokenParams(f.code()) {
		_ = m.WriteField(name, values[0])
	}
	_ = m.Close()
	r := httptest.NewRequest("POST", PathToken, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.SetBasicAuth("portal", testSecret)
	status, body := f.tokens(r)
	want(t, "multipart", status, body, 400, "invalid_request")

	for _, contentType := range []string{"", "application/json", "text/plain"} {
		r = tokenRequest(tokenParams(f.code()))
		r.Header.Set("Content-Type", contentType)
		r.SetBasicAuth("portal", testSecret)
		status, body = f.tokens(r)
		want(t, "content type "+contentType, status, body, 400, "invalid_request")
	}
	status, body = f.exchange(f.code(), "padding", strings.Repeat("x", maxForm))
	want(t, "large body", status, body, 400, "invalid_request")
	if w := f.ask(params("padding", strings.Repeat("x", maxForm))); w.Code != 400 {
		t.Errorf("large query: %d", w.Code)
	}
	r = httptest.NewRequest("POST", PathAuthorize, strings.NewReader(params("padding", strings.Repeat("x", maxForm)).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := f.do(r); w.Code != 400 {
		t.Errorf("large posted request: %d", w.Code)
	}
	r = httptest.NewRequest("GET", PathToken, nil)
	if status, _ := f.tokens(r); status != 405 {
		t.Errorf("GET of the token endpoint: %d", status)
	}
}

// fosite ignores max_age=0 and max_age=abc.
func TestMaxAge(t *testing.T) {
	f := newFixture(t, memStore(t))
	for _, junk := range []string{"abc", "-1", "1.5", "+5", "1e3", "99999999999999999999", " 1"} {
		if q := f.answerOf(f.ask(params("max_age", junk))); q.Get("error") != "invalid_request" {
			t.Errorf("max_age=%s: %v", junk, q)
		}
	}
	f.code("max_age", "0") // the login is newer than the request
	old := time.Now().Add(-time.Minute)
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(old) }
	f.code("max_age", "600")
	f.code("max_age", "")
	for _, age := range []string{"0", "30"} {
		if q := f.answerOf(f.ask(params("max_age", age))); q.Get("error") != "login_required" {
			t.Errorf("max_age=%s with a login of a minute ago: %v", age, q)
		}
	}
	req, err := f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+params("max_age", "0").Encode(), nil))
	if err != nil || req.MaxAge == nil || *req.MaxAge != 0 || len(req.Prompt) != 1 || req.Prompt[0] != "login" {
		t.Errorf("max_age=0 is read as %+v, %v", req, err)
	}
}

func TestPrompt(t *testing.T) {
	f := newFixture(t, memStore(t))
	for _, bad := range []string{"none login", "Create", "Login", "login none", "create none"} {
		if q := f.answerOf(f.ask(params("prompt", bad))); q.Get("error") != "invalid_request" {
			t.Errorf("prompt=%s: %v", bad, q)
		}
	}
	f.code("prompt", "login")
	f.code("prompt", "consent select_account create create")
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now().Add(-time.Minute)) }
	if q := f.answerOf(f.ask(params("prompt", "login"))); q.Get("error") != "login_required" {
		t.Errorf("prompt=login with an old login: %v", q)
	}
	f.code("prompt", "none")
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now().Add(2 * time.Second)) }
	f.refused("prompt=none with a login made for it", "login_required", "prompt", "none")
}

// fosite refuses every state shorter than 8 characters, and none at all.
func TestShortState(t *testing.T) {
	f := newFixture(t, memStore(t))
	for _, state := range []string{"a", "1234567", "a&b=c d+é"} {
		if q := f.answerOf(f.ask(params("state", state))); q.Get("state") != state || q.Get("code") == "" {
			t.Errorf("state %q: %v", state, q)
		}
	}
	q := f.answerOf(f.ask(params("state", "")))
	if q.Has("state") || q.Get("code") == "" {
		t.Errorf("no state: %v", q)
	}
	if q := f.answerOf(f.ask(params("state", "", "scope", "profile"))); q.Has("state") || q.Get("error") != "invalid_scope" {
		t.Errorf("error without state: %v", q)
	}
	if q := f.answerOf(f.ask(params("state", strings.Repeat("x", maxState+1)))); q.Has("state") || q.Get("error") != "invalid_request" {
		t.Errorf("long state: %v", q)
	}
}

func TestLongHints(t *testing.T) {
	f := newFixture(t, memStore(t))
	for _, name := range []string{"acr_values", "ui_locales", "idp_hint", "login_hint", "account_hint"} {
		if q := f.answerOf(f.ask(params(name, strings.Repeat("x", maxHint+1)))); q.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", name, q)
		}
	}
}

// fosite refuses a short nonce when the login is over.
func TestShortNonce(t *testing.T) {
	f := newFixture(t, memStore(t))
	f.subject = func(*AuthorizeRequest) Subject { t.Error("the person was asked to sign in"); return Subject{} }
	if q := f.answerOf(f.ask(params("nonce", "1234567"))); q.Get("error") != "invalid_request" {
		t.Errorf("answer %v", q)
	}
}

// fosite writes acr "0" when acr_values was asked and the session has none.
func TestACRIsNeverInvented(t *testing.T) {
	f := newFixture(t, memStore(t))
	if c := f.idClaims(f.mustExchange(f.code("acr_values", "high"))); c["acr"] != "substantial" {
		t.Errorf("acr %v", c["acr"])
	}
}

// fosite's defaults: wildcard scopes, a code of 15 minutes, implicit and password grants if asked.
func TestDefaultsAreOurs(t *testing.T) {
	c := portal()
	c.Scopes = []string{"openid"}
	f := newFixture(t, memStore(t), c)
	for scope, code := range map[string]string{"openid profile": "invalid_scope", "profile": "invalid_scope", "": "invalid_scope"} {
		if q := f.answerOf(f.ask(params("scope", scope))); q.Get("error") != code {
			t.Errorf("scope %q: %v", scope, q)
		}
	}
	if body := f.mustExchange(f.code("scope", "openid unknown offline_access openid")); body["scope"] != "openid" || body["refresh_token"] != nil {
		t.Errorf("unknown scopes gave %v", body)
	}
	for _, response := range []string{"token", "id_token", "code id_token", "code token", "none"} {
		q := f.answerOf(f.ask(params("response_type", response, "scope", "openid")))
		if q.Get("error") != "unsupported_response_type" {
			t.Errorf("response_type %s: %v", response, q)
		}
	}
	if q := f.answerOf(f.ask(params("response_type", ""))); q.Get("error") != "invalid_request" {
		t.Errorf("no response_type: %v", q)
	}
	for _, mode := range []string{"fragment", "form_post", "web_message"} {
		if q := f.answerOf(f.ask(params("response_mode", mode, "scope", "openid"))); q.Get("error") != "invalid_request" {
			t.Errorf("response_mode %s: %v", mode, q)
		}
	}
	for _, grant := range []string{"client_credentials", "refresh_token"} {
		status, body := f.exchange("x", "grant_type", grant)
		want(t, grant, status, body, 400, "unauthorized_client")
	}
	for _, grant := range []string{"password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "authorization_code refresh_token"} {
		status, body := f.exchange("x", "grant_type", grant)
		want(t, grant, status, body, 400, "unsupported_grant_type")
	}
	status, body := f.exchange("x", "grant_type", "")
	want(t, "no grant_type", status, body, 400, "invalid_request")
}

func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}))
		code := f.code()
		time.Sleep(59 * time.Second)
		body := f.mustExchange(code)
		token := body["access_token"].(string)
		late := f.code()
		time.Sleep(61 * time.Second)
		status, answer := f.exchange(late)
		want(t, "code after a minute", status, answer, 400, "invalid_grant")
		if status, _ := f.userinfo(token); status != 200 {
			t.Errorf("token after a minute: %d", status)
		}
		time.Sleep(9 * time.Minute)
		status, answer = f.userinfo(token)
		want(t, "token after its end", status, answer, 401, "invalid_token")
	})
}

// fosite keeps its handlers in its configuration: two engines of one would share them.
func TestTwoEngines(t *testing.T) {
	a, b := newFixture(t, memStore(t)).ownKeys(), newFixture(t, memStore(t)).ownKeys()
	code := a.code()
	status, body := b.exchange(code)
	want(t, "code of another provider", status, body, 400, "invalid_grant")
	if _, err := b.p.cfg.Keys.Verify(a.mustExchange(code)["id_token"].(string)); err == nil {
		t.Error("two providers sign with one key")
	}
}

// fosite has no token endpoint here.
func TestTokenEndpointIsOurs(t *testing.T) {
	f := newFixture(t, memStore(t))
	code := f.code()
	form := tokenParams(code)
	ctx := withUnit(t.Context(), &unit{client: &fositeClient{Client: new(portal()), redirectURI: form.Get("redirect_uri")}})
	r := tokenRequest(form)
	r.Form, r.PostForm = form, form
	if _, err := f.p.fosite.NewAccessRequest(ctx, r, &codeSession{}); err == nil {
		t.Error("fosite reads a token request")
	}
	f.mustExchange(code)
}

// Before redirect_uri is proven errors are pages, after it redirects, with iss and state (RFC 9207).
func TestErrorsBeforeAndAfterProof(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name, changes := range map[string][]string{
		"no client":        {"client_id", ""},
		"unknown client":   {"client_id", "nobody"},
		"no redirect":      {"redirect_uri", ""},
		"foreign redirect": {"redirect_uri", "https://evil.example/cb"},
		"longer redirect":  {"redirect_uri", "https://portal.example.ua/cb/../evil"},
	} {
		w := f.ask(params(changes...))
		if w.Code != 400 || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("Location"))
		}
	}
	if w := f.do(httptest.NewRequest("GET", PathAuthorize+"?a=%zz", nil)); w.Code != 400 {
		t.Errorf("broken query: %d", w.Code)
	}
	if w := f.do(httptest.NewRequest("PUT", PathAuthorize+"?"+params().Encode(), nil)); w.Code != 400 {
		t.Errorf("PUT: %d", w.Code)
	}
	q := f.answerOf(f.ask(params("prompt", "junk")))
	if q.Get("error") != "invalid_request" || q.Get("iss") != testIssuer || q.Get("state") != "state-of-the-portal" {
		t.Errorf("after proof: %v", q)
	}
}

// A registered query stays as it is.
func TestRedirectKeepsItsQuery(t *testing.T) {
	c := portal()
	c.RedirectURIs = []string{"https://portal.example.ua/cb?b=2&a=%20"}
	f := newFixture(t, memStore(t), c)
	w := f.ask(params("redirect_uri", c.RedirectURIs[0]))
	if !strings.HasPrefix(w.Header().Get("Location"), c.RedirectURIs[0]+"&code=") {
		t.Errorf("went to %s", w.Header().Get("Location"))
	}
}

// fosite fetches request_uri.
func TestRequestURIIsNeverFetched(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name, code := range map[string]string{"request_uri": "request_uri_not_supported", "registration": "registration_not_supported"} {
		f.refused(name, code, name, "https://portal.example.ua/object")
	}
	f.refused("both", "request_uri_not_supported", "request_uri", "https://portal.example.ua/object", "request", "x.y.z")
}
