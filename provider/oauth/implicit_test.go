package oauth

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/storage"
)

// implicitPortal is registered for the implicit flow beside codes.
func implicitPortal() Client {
	c := portal()
	c.GrantTypes = []string{GrantCode, GrantRefreshToken, GrantImplicit}
	c.ResponseTypes = []string{"code", typeIDToken, typeIDTokenToken}
	return c
}

// withImplicit is a provider with an open registration.
func withImplicit(t testing.TB, clients ...Client) *fixture {
	t.Helper()
	f := newFixture(t, memStore(t)).withFormPost()
	cfg := f.p.cfg
	cfg.Registration = &RegistrationConfig{Open: true}
	if len(clients) != 0 {
		var err error
		if cfg.Clients, err = NewRegistry(clients...); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if f.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return f
}

// implicitParams ask for tokens; there is no challenge.
func implicitParams(changes ...string) url.Values {
	return params(append([]string{"response_type", "id_token token", "code_challenge", "", "code_challenge_method", ""}, changes...)...)
}

// fragment returns the parameters in the fragment of the answer, which has nothing in its query.
func (f *fixture) fragment(w *httptest.ResponseRecorder) url.Values {
	f.t.Helper()
	address, rest, ok := strings.Cut(w.Header().Get("Location"), "#")
	v, err := url.ParseQuery(rest)
	if w.Code != http.StatusSeeOther || !ok || address != "https://portal.example.ua/cb" || err != nil || strings.Contains(rest, "+") || v.Has("code") || v.Has("refresh_token") {
		f.t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if v.Get("state") != "state-of-the-portal" || v.Get("iss") != testIssuer {
		f.t.Errorf("state or iss: %v", v)
	}
	return v
}

func (f *fixture) idClaimsOf(v url.Values) map[string]any {
	f.t.Helper()
	return f.idClaims(map[string]any{"id_token": v.Get("id_token")})
}

func TestImplicit(t *testing.T) {
	f := withImplicit(t, implicitPortal())
	for _, kind := range []string{"id_token token", "token id_token"} {
		v := f.fragment(f.ask(implicitParams("response_type", kind)))
		claims := f.idClaimsOf(v)
		if claims["nonce"] != "nonce-of-the-portal" || claims["at_hash"] != string(appendHalfHash(nil, "ES256", []byte(v.Get("access_token")))) || claims["acr"] != "substantial" || claims["sid"] != "sid-1" {
			t.Errorf("%s: %v", kind, claims)
		}
		if v.Get("token_type") != "Bearer" || v.Get("expires_in") != "600" || v.Get("scope") != "openid profile" {
			t.Errorf("%s: %v", kind, v)
		}
		status, info := f.userinfo(v.Get("access_token"))
		if status != http.StatusOK || info["sub"] != claims["sub"] || info["name"] == nil {
			t.Errorf("%s: %d %v", kind, status, info)
		}
		// The same person is the same sub as by a code (pairwise).
		if byCode := f.idClaims(f.mustExchange(f.code())); byCode["sub"] != claims["sub"] {
			t.Errorf("sub %v, by a code %v", claims["sub"], byCode["sub"])
		}
	}
	v := f.fragment(f.ask(implicitParams("response_type", "id_token")))
	if claims := f.idClaimsOf(v); claims["at_hash"] != nil || claims["nonce"] != "nonce-of-the-portal" || v.Has("access_token") || v.Has("token_type") || v.Has("expires_in") {
		t.Errorf("%v %v", v, claims)
	}
	v = f.posted(f.ask(implicitParams("response_mode", "form_post")))
	if v.Get("access_token") == "" || v.Get("id_token") == "" || v.Get("state") != "state-of-the-portal" || v.Get("iss") != testIssuer || v.Get("expires_in") == "" {
		t.Errorf("posted: %v", v)
	}
	// A pushed one works once, as any.
	handle := f.handleOf(implicitParams())
	f.fragment(f.bring(handle))
	if w := f.bring(handle); w.Code == http.StatusSeeOther && strings.Contains(w.Header().Get("Location"), "id_token") {
		t.Errorf("a pushed request gave tokens twice")
	}
	// The metadata say so.
	d := f.discovered()
	for name, value := range map[string]string{"response_types_supported": "id_token token", "grant_types_supported": "implicit", "response_modes_supported": "fragment"} {
		if list, _ := d[name].([]any); !slices.Contains(list, any(value)) {
			t.Errorf("%s: %v", name, d[name])
		}
	}
}

// What a server of persons does not have it neither announces nor takes nor registers; a token endpoint never knew it.
func TestNoImplicitInServe(t *testing.T) {
	f := newFixture(t, memStore(t))
	closed := f.p.cfg
	closed.Registration = &RegistrationConfig{Tokens: []InitialToken{{Name: "ministry", Hash: HashSecret("token-of-the-ministry")}}}
	p, err := New(closed)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*fixture{"no registration": f, "closed registration": {t: t, p: p, store: f.store, subject: f.subject, log: f.log, audit: f.audit}} {
		for _, kind := range []string{"id_token", "id_token token", "token id_token", "token", "code id_token", "code token", "none"} {
			f.refused(name+": "+kind, "unsupported_response_type", "response_type", kind)
		}
		f.refused(name+": fragment", "invalid_request", "response_mode", ModeFragment)
		d := f.discovered()
		for list, value := range map[string]string{"response_types_supported": "id_token", "grant_types_supported": "implicit", "response_modes_supported": "fragment"} {
			if l, _ := d[list].([]any); len(l) == 0 || slices.ContainsFunc(l, func(v any) bool { return strings.Contains(v.(string), value) }) {
				t.Errorf("%s: %s %v", name, list, d[list])
			}
		}
		if c := implicitPortal(); f.p.Offers(&c) == nil {
			t.Errorf("%s: a client of the configuration may have it", name)
		}
	}
	f.p = p
	status, body := f.send("POST", "", "token-of-the-ministry", metadataOf(map[string]any{"grant_types": []string{"implicit"}, "response_types": []string{"id_token"}}))
	want(t, "registers itself", status, body, 400, "invalid_client_metadata")
	// A request that was taken while the flow was there gives nothing where it is not.
	open := withImplicit(t, implicitPortal())
	req, err := open.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+implicitParams().Encode(), nil))
	if err != nil {
		t.Fatal(err)
	}
	cfg := open.p.cfg
	cfg.Registration = nil
	if open.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := open.p.Grant(w, httptest.NewRequest("GET", "/", nil), req, testSubject(time.Now())); err == nil || publicError(err).Code != "unauthorized_client" || len(w.Header()) != 0 {
		t.Errorf("%v %v", err, w.Header())
	}
}

// Where the flow is there, it is for those who registered for it, with a nonce; and every refusal comes in the fragment too.
func TestImplicitRefused(t *testing.T) {
	codeOnly, idOnly := portal(), implicitPortal()
	codeOnly.ID, idOnly.ID, idOnly.ResponseTypes, idOnly.GrantTypes = "codes", "ids", []string{typeIDToken}, []string{GrantImplicit}
	f := withImplicit(t, implicitPortal(), codeOnly, idOnly)
	for name, tt := range map[string]struct {
		want    string
		changes []string
	}{
		"not registered":      {"unauthorized_client", []string{"client_id", "codes"}},
		"registered for less": {"unauthorized_client", []string{"client_id", "ids"}},
		"no nonce":            {"invalid_request", []string{"nonce", ""}},
		"short nonce":         {"invalid_request", []string{"nonce", "1234567"}},
		"long nonce":          {"invalid_request", []string{"nonce", strings.Repeat("n", maxNonce+1)}},
		"query":               {"invalid_request", []string{"response_mode", "query"}},
		"signed":              {"invalid_request", []string{"response_mode", "jwt"}},
		"posted and signed":   {"invalid_request", []string{"response_mode", "form_post.jwt"}},
		"bound to a key":      {"invalid_request", []string{"dpop_jkt", challengeOf("key")}},
		"no openid":           {"invalid_scope", []string{"scope", "profile"}},
		"two prompts":         {"invalid_request", []string{"prompt", "none login"}},
	} {
		if v := f.fragment(f.ask(implicitParams(tt.changes...))); v.Get("error") != tt.want || v.Has("id_token") || v.Has("access_token") {
			t.Errorf("%s: %v, want %s", name, v, tt.want)
		}
		// Before anybody signs in, that is.
		if _, err := f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+implicitParams(tt.changes...).Encode(), nil)); err == nil {
			t.Errorf("%s: a login begins", name)
		}
	}
	// prompt=none without a session, as authflow answers it; the form too.
	deny := func(changes ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", PathAuthorize+"?"+implicitParams(changes...).Encode(), nil)
		req, err := f.p.ReadAuthorize(r)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		f.p.Deny(w, r, req, "login_required", "")
		return w
	}
	if v := f.fragment(deny("prompt", "none")); v.Get("error") != "login_required" {
		t.Errorf("%v", v)
	}
	if v := f.posted(deny("prompt", "none", "response_mode", "form_post")); v.Get("error") != "login_required" {
		t.Errorf("%v", v)
	}
	for _, kind := range []string{"token", "code id_token", "code token", "code id_token token", "id_token id_token", "none"} {
		f.refused(kind, "unsupported_response_type", "response_type", kind)
	}
	f.refused("a code in a fragment", "invalid_request", "response_mode", ModeFragment)
	f.refused("codes of a client without them", "unauthorized_client", "client_id", "ids")
	f.page("two response types", f.ask(url.Values{"client_id": {"portal"}, "response_type": {"id_token", "code"}}), "invalid_request")
	status, body := f.tokens(asked(PathToken, "portal", url.Values{"grant_type": {GrantImplicit}}))
	want(t, "at the token endpoint", status, body, 400, "unsupported_grant_type")
}

// What holds for a code holds here: the age of the sign-in, the person who was asked for, the level that the client takes.
func TestImplicitChecksTheSignIn(t *testing.T) {
	strict := implicitPortal()
	strict.ID, strict.MinLevel = "strict", "high"
	f := withImplicit(t, implicitPortal(), strict)
	hinted := f.fragment(f.ask(implicitParams())).Get("id_token")
	if v := f.fragment(f.ask(implicitParams("id_token_hint", hinted))); v.Get("id_token") == "" {
		t.Errorf("the person who was asked for: %v", v)
	}
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now().Add(-time.Hour))
		s.PersonID = "person-2"
		return s
	}
	for name, tt := range map[string]struct {
		want    string
		changes []string
	}{
		"older than max_age":  {"login_required", []string{"max_age", "60"}},
		"older than prompt":   {"login_required", []string{"prompt", "login"}},
		"another person":      {"login_required", []string{"id_token_hint", hinted}},
		"level demanded":      {"unmet_authentication_requirements", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"high"}}}`}},
		"level of the client": {"unmet_authentication_requirements", []string{"client_id", "strict"}},
	} {
		if v := f.fragment(f.ask(implicitParams(tt.changes...))); v.Get("error") != tt.want || v.Has("id_token") {
			t.Errorf("%s: %v, want %s", name, v, tt.want)
		}
	}
	// Nothing outlives the session: offline_access counts for codes only (OpenID Connect Core, 11).
	offline := implicitPortal()
	offline.Scopes, offline.Consent = append(slices.Clone(scopes), scopeOffline), ConsentAlways
	f = withImplicit(t, offline)
	v := f.fragment(f.ask(implicitParams("scope", "openid offline_access", "prompt", "consent")))
	if v.Get("scope") != "openid" {
		t.Errorf("%v", v)
	}
	if status, _ := f.userinfo(v.Get("access_token")); status != http.StatusOK {
		t.Fatalf("userinfo: %d", status)
	}
	if err := f.store.Update(t.Context(), func(tx storage.Tx) error { return storage.EndGrants(tx, "sid-1", time.Now().Add(time.Hour)) }); err != nil {
		t.Fatal(err)
	}
	if status, _ := f.userinfo(v.Get("access_token")); status != http.StatusUnauthorized {
		t.Errorf("userinfo after the session: %d", status)
	}
}

func FuzzReadImplicit(f *testing.F) {
	fx := withImplicit(f, implicitPortal())
	for _, v := range []url.Values{params(), implicitParams(), implicitParams("response_type", "id_token", "response_mode", "form_post"), implicitParams("response_mode", "query"), implicitParams("nonce", "")} {
		f.Add(v.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", PathAuthorize, nil)
		r.URL.RawQuery = query
		req, err := fx.p.ReadAuthorize(r)
		if err != nil || !req.implicit() {
			if req != nil && req.ResponseMode == ModeFragment && !isImplicit(r.URL.Query().Get("response_type")) {
				t.Fatalf("a code in a fragment: %+v", req)
			}
			return
		}
		if len(req.Nonce) < minNonce || req.ResponseMode != ModeFragment && req.ResponseMode != ModeFormPost {
			t.Fatalf("%+v", req)
		}
	})
}

func TestImplicitRegistration(t *testing.T) {
	f := withImplicit(t)
	m := map[string]any{"redirect_uris": []string{"https://portal.example.ua/cb"}, "grant_types": []string{"implicit"}, "response_types": []string{"token id_token", "id_token"}, "token_endpoint_auth_method": "none"}
	status, body := f.send("POST", "", "", m)
	id, _ := body["client_id"].(string)
	if status != http.StatusCreated || id == "" {
		t.Fatalf("%d %v", status, body)
	}
	if v := f.fragment(f.ask(implicitParams("client_id", id))); v.Get("access_token") == "" {
		t.Errorf("%v", v)
	}
	for name, change := range map[string]map[string]any{
		"no grant type":      {"grant_types": []string{"authorization_code"}},
		"no response type":   {"response_types": []string{"code"}},
		"hybrid":             {"response_types": []string{"code id_token"}},
		"token alone":        {"response_types": []string{"token"}},
		"DPoP":               {"dpop_bound_access_tokens": true},
		"no address":         {"redirect_uris": []string{}},
		"http":               {"redirect_uris": []string{"http://portal.example.ua/cb"}},
		"fragment inside":    {"redirect_uris": []string{"https://portal.example.ua/cb#x"}},
		"refresh tokens too": {"grant_types": []string{"implicit", "refresh_token"}},
	} {
		changed := maps.Clone(m)
		maps.Copy(changed, change)
		if status, body := f.send("POST", "", "", changed); status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	c := fapiClient(t, ProfileFAPI2)
	c.GrantTypes, c.ResponseTypes = []string{GrantCode, GrantImplicit}, []string{"code", typeIDToken}
	if c.Validate() == nil {
		t.Error("a FAPI client may have it")
	}
}
