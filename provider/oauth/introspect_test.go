package oauth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/storage"
)

// asked returns a form request to a path by a client of the tests.
func asked(path, client string, v url.Values) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, testSecret)
	return r
}

// interfaces are a portal that calls its own interfaces, and two that serve them.
func interfaces() []Client {
	caller, api, other := refresher(), portal(), portal()
	caller.GrantTypes = append(caller.GrantTypes, GrantClientCredentials)
	caller.APIScopes = []string{"orders.read", "orders.write", "stock"}
	caller.IntrospectionRight = true
	api.ID, api.GrantTypes, api.APIScopes, api.IntrospectionRight = "api", []string{GrantCode, GrantClientCredentials}, []string{"orders.read", "orders.write"}, true
	other.ID, other.IntrospectionRight = "other", true
	plain := portal()
	plain.ID = "plain"
	return []Client{caller, api, other, plain}
}

func (f *fixture) introspect(client, token string) map[string]any {
	f.t.Helper()
	status, body := f.tokens(asked(PathIntrospect, client, url.Values{"token": {token}}))
	if status != 200 {
		f.t.Fatalf("introspection: %d %v", status, body)
	}
	return body
}

func (f *fixture) revoke(client, token string) int {
	f.t.Helper()
	return f.do(asked(PathRevoke, client, url.Values{"token": {token}, "token_type_hint": {"anything"}})).Code
}

func (f *fixture) clientToken(changes ...string) (int, map[string]any) {
	f.t.Helper()
	v := url.Values{"grant_type": {GrantClientCredentials}}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return f.tokens(asked(PathToken, "portal", v))
}

func TestClientCredentials(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	status, body := f.clientToken("scope", "orders.read stock orders.read")
	if status != 200 || body["scope"] != "orders.read stock" || body["refresh_token"] != nil || body["id_token"] != nil || body["expires_in"] != 600.0 {
		t.Fatalf("%d %v", status, body)
	}
	if _, all := f.clientToken(); all["scope"] != "orders.read orders.write stock" {
		t.Errorf("without scope: %v", all)
	}
	for _, scope := range []string{"openid", "orders.delete", "orders.read openid"} {
		status, body := f.clientToken("scope", scope)
		want(t, scope, status, body, 400, "invalid_scope")
	}
	// A client is no person.
	status, answer := f.userinfo(accessOf(body))
	want(t, "userinfo", status, answer, 401, "invalid_token")
	if got := f.introspect("portal", accessOf(body)); got["active"] != true || got["sub"] != nil || got["client_id"] != "portal" {
		t.Errorf("introspection %v", got)
	}
	status, answer = f.tokens(asked(PathToken, "plain", url.Values{"grant_type": {GrantClientCredentials}}))
	want(t, "not registered", status, answer, 400, "unauthorized_client")
}

// fosite's introspection opens with any user's access token, to any token.
func TestIntrospectionNeedsClientWithRight(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	token := accessOf(f.mustExchange(f.code()))
	r := asked(PathIntrospect, "portal", url.Values{"token": {token}})
	r.Header.Set("Authorization", "Bearer "+token)
	status, body := f.tokens(r)
	want(t, "with an access token", status, body, 401, "invalid_client")
	r.Header.Del("Authorization")
	status, body = f.tokens(asked(PathIntrospect, "plain", url.Values{"token": {token}}))
	want(t, "without the right", status, body, 403, "unauthorized_client")
	r = asked(PathIntrospect, "portal", url.Values{"token": {token}})
	r.SetBasicAuth("portal", "wrong")
	status, body = f.tokens(r)
	want(t, "wrong secret", status, body, 401, "invalid_client")
	status, body = f.tokens(asked(PathIntrospect, "portal", url.Values{}))
	want(t, "no token", status, body, 400, "invalid_request")
	if w := f.do(httptest.NewRequest("GET", PathIntrospect, nil)); w.Code != 405 {
		t.Errorf("GET: %d", w.Code)
	}
}

// T73: a token that is not meant for the caller is worth nothing to it, as is one that is made up, dead or of another kind.
func TestIntrospectionForItsAudience(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	user := f.mustExchange(f.code())
	_, own := f.clientToken()
	id, _ := user["id_token"].(string)
	for name, c := range map[string]struct{ caller, token string }{
		"user's token, by another":   {"other", accessOf(user)},
		"user's token, by an API":    {"api", accessOf(user)},
		"API token, by another":      {"other", accessOf(own)},
		"refresh token, by another":  {"other", refreshOf(user)},
		"refresh token, by an API":   {"api", refreshOf(user)},
		"ID token":                   {"portal", id},
		"code":                       {"portal", f.code()},
		"garbage":                    {"portal", "garbage"},
		"touched":                    {"portal", flip(accessOf(user))},
		"longer than a token can be": {"portal", strings.Repeat("A", maxToken+1)},
	} {
		if got := f.introspect(c.caller, c.token); len(got) != 1 || got["active"] != false {
			t.Errorf("%s: %v", name, got)
		}
	}
	got := f.introspect("portal", accessOf(user))
	if got["active"] != true || got["sub"] != f.idClaims(user)["sub"] || got["scope"] != "openid profile" || got["token_type"] != "Bearer" ||
		got["iss"] != testIssuer || got["acr"] != "substantial" || got["auth_time"] != f.idClaims(user)["auth_time"] || got["exp"].(float64)-got["iat"].(float64) != 600 {
		t.Errorf("own user's token: %v", got)
	}
	for _, personal := range []string{"name", "rnokpp", "username"} {
		if got[personal] != nil {
			t.Errorf("introspection tells %s", personal)
		}
	}
	if got := f.introspect("api", accessOf(own)); got["active"] != true || got["scope"] != "orders.read orders.write" || got["client_id"] != "portal" || got["aud"] != "api" {
		t.Errorf("API token: %v", got)
	}
	if got := f.introspect("portal", refreshOf(user)); got["active"] != true || got["token_type"] != nil || got["scope"] != "openid profile" {
		t.Errorf("own refresh token: %v", got)
	}
	f.mustRefresh(refreshOf(user))
	if got := f.introspect("portal", refreshOf(user)); got["active"] != false {
		t.Errorf("used refresh token: %v", got)
	}
	// The rights of the token's client are those of now.
	less := interfaces()
	less[0].APIScopes = []string{"stock"}
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(less...) })
	if got := f.introspect("api", accessOf(own)); got["active"] != false {
		t.Errorf("scope taken from its client: %v", got)
	}
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(less[1:]...) })
	if got := f.introspect("api", accessOf(own)); got["active"] != false {
		t.Errorf("client gone: %v", got)
	}
}

// RFC 9701: the signed answer is for its caller, cannot be taken for another token of ours, and says the same.
func TestSignedIntrospection(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	token := accessOf(f.mustExchange(f.code()))
	r := asked(PathIntrospect, "portal", url.Values{"token": {token}})
	r.Header.Set("Accept", "application/json;q=0.5, "+mediaIntrospection)
	w := f.do(r)
	if w.Code != 200 || w.Header().Get("Content-Type") != mediaIntrospection || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if _, err := f.p.cfg.Keys.Verify(w.Body.String()); err == nil {
		t.Error("it passes for an ID token")
	}
	payload, err := f.p.cfg.Keys.VerifyTyped(typIntrospection, w.Body.String())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Iss, Aud, Sub string
		Iat, Exp      int64
		Inner         map[string]any `json:"token_introspection"`
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.Iss != testIssuer || got.Aud != "portal" || got.Sub != "" || got.Exp != 0 || got.Iat == 0 || got.Inner["active"] != true {
		t.Errorf("%s", payload)
	}
}

func TestRevocation(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t), interfaces()...)
			body := f.mustExchange(f.code())
			other := f.mustRefresh(refreshOf(body))
			for range 2 {
				if got := f.revoke("portal", accessOf(body)); got != 200 {
					t.Fatalf("access token: %d", got)
				}
			}
			status, answer := f.userinfo(accessOf(body))
			want(t, "revoked access token", status, answer, 401, "invalid_token")
			if got := f.introspect("portal", accessOf(body)); got["active"] != false {
				t.Errorf("revoked: %v", got)
			}
			if status, _ := f.userinfo(accessOf(other)); status != 200 {
				t.Error("another token died with it")
			}
			if got := f.revoke("other", accessOf(other)); got != 400 {
				t.Errorf("by another client: %d", got)
			}
			if got := f.revoke("other", refreshOf(other)); got != 400 {
				t.Errorf("refresh token by another client: %d", got)
			}
			other = f.mustRefresh(refreshOf(other))
			for range 2 {
				if got := f.revoke("portal", refreshOf(other)); got != 200 {
					t.Fatalf("refresh token: %d", got)
				}
			}
			status, answer = f.refresh(refreshOf(other))
			want(t, "revoked refresh token", status, answer, 400, "invalid_grant")
			status, answer = f.userinfo(accessOf(other))
			want(t, "access token of a revoked refresh token", status, answer, 401, "invalid_token")
			if n := len(f.audit.events); n != 1 || f.audit.events[0].Code != "" || f.audit.events[0].Outcome != "passed" {
				t.Errorf("audit %v", f.audit.events)
			}
			_, own := f.clientToken()
			f.revoke("portal", accessOf(own))
			if got := f.introspect("portal", accessOf(own)); got["active"] != false {
				t.Errorf("revoked client token: %v", got)
			}
			for _, unknown := range []string{"garbage", "a.b", accessOf(own) + "x"} {
				if got := f.revoke("portal", unknown); got != 200 {
					t.Errorf("unknown token: %d", got)
				}
			}
			status, answer = f.tokens(asked(PathRevoke, "portal", url.Values{}))
			want(t, "no token", status, answer, 400, "invalid_request")
		})
	}
}

// A revoked token in another spelling is no token: decoders of base64 skip line ends, which a form can carry.
func TestRevokedTokenRespelled(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	token := accessOf(f.mustExchange(f.code()))
	if f.revoke("portal", token) != 200 {
		t.Fatal("not revoked")
	}
	for _, other := range []string{token + "\n", token[:20] + "\r\n" + token[20:]} {
		if got := f.introspect("portal", other); got["active"] != false {
			t.Errorf("%q is active: %v", other, got)
		}
		r := httptest.NewRequest("POST", PathUserInfo, strings.NewReader(url.Values{"access_token": {other}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		status, answer := f.tokens(r)
		want(t, "userinfo", status, answer, 401, "invalid_token")
	}
}

// What the store keeps of tokens ends with them.
func TestTokensAreSwept(t *testing.T) {
	now := time.Now()
	store := memStoreAt(func() time.Time { return now })
	f := newFixture(t, store, interfaces()...).with(func(c *Config) { c.Now = func() time.Time { return now } })
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(now) }
	body := f.mustExchange(f.code())
	f.mustRefresh(refreshOf(body))
	f.revoke("portal", accessOf(body))
	if err := f.p.RevokeSession(t.Context(), "session"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(91 * 24 * time.Hour)
	swept := 0
	for {
		n, err := store.Sweep(t.Context(), 2)
		if err != nil || n > 2 {
			t.Fatal(n, err)
		}
		if n == 0 {
			break
		}
		swept += n
	}
	if swept != 4 { // grant, family, revoked token, ended session
		t.Errorf("%d records swept, want 4", swept)
	}
}

func TestMetadataOfTokenEndpoints(t *testing.T) {
	f := newFixture(t, memStore(t))
	var m map[string]any
	if err := json.Unmarshal(f.do(httptest.NewRequest("GET", PathDiscovery, nil)).Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if m["revocation_endpoint"] != testIssuer+PathRevoke || m["introspection_endpoint"] != testIssuer+PathIntrospect {
		t.Errorf("%v", m)
	}
	if slices.Contains(m["introspection_endpoint_auth_methods_supported"].([]any), any(AuthNone)) {
		t.Error("a public client introspects")
	}
}

func FuzzOpenToken(f *testing.F) {
	fx := newFixture(f, memStore(f), interfaces()...)
	body := fx.mustExchange(fx.code())
	f.Add(accessOf(body))
	f.Add(refreshOf(body))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		for _, kind := range []string{accessToken, refreshToken} {
			got, err := fx.p.openToken(kind, token)
			if (got == nil) == (err == nil) {
				t.Fatalf("%v, %v", got, err)
			}
			// Seeds come from another process with the same keys, so that they open; nothing else can.
			if err == nil && (got.client != "portal" || len(got.grant) != 64) {
				t.Fatalf("a token that was never made opens: %+v", got)
			}
		}
		// What is inside is ours, but a reader that cannot panic needs no argument.
		(&reader{b: []byte(token)}).uvarint()
	})
}
