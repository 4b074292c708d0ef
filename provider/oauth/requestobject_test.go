package oauth

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signingPortal is the portal with keys beside its secret.
func signingPortal(t testing.TB) Client {
	t.Helper()
	ks := clientKeys()
	c := portal()
	c.JWKS = keySetOf(t, ks["ES256"].public(), ks["PS256"].public(), ks["EdDSA"].public())
	return c
}

// objectClaims are those of a good request object with changes: nil removes.
func objectClaims(changes map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": "portal", "aud": testIssuer, "iat": now, "nbf": now, "exp": now + 300}
	for name := range params() {
		c[name] = params().Get(name)
	}
	maps.Copy(c, changes)
	for name, v := range c {
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

var objectHeader = map[jose.HeaderKey]any{"typ": "oauth-authz-req+jwt"}

func object(t testing.TB, changes map[string]any) string {
	t.Helper()
	return signJWT(t, clientKeys()["ES256"], objectClaims(changes), objectHeader)
}

// give asks for authorization with a request object and nothing else.
func (f *fixture) give(object string, more ...string) *httptest.ResponseRecorder {
	v := url.Values{"client_id": {"portal"}, "request": {object}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return f.ask(v)
}

func TestRequestObject(t *testing.T) {
	f := newFixture(t, memStore(t), signingPortal(t)).withFormPost()
	for _, alg := range AssertionAlgorithms() {
		for _, typ := range []any{"oauth-authz-req+jwt", "JWT", "application/oauth-authz-req+jwt", nil} {
			header := map[jose.HeaderKey]any{"typ": typ}
			if typ == nil {
				header = nil
			}
			o := signJWT(t, clientKeys()[alg], objectClaims(nil), header)
			q := f.answerOf(f.give(o))
			if q.Get("code") == "" || q.Get("state") != "state-of-the-portal" {
				t.Errorf("%s %v: %v", alg, typ, q)
			}
			q = f.answerOf(f.bring(f.handleOf(url.Values{"request": {o}})))
			if q.Get("code") == "" {
				t.Errorf("%s %v pushed: %v", alg, typ, q)
			}
		}
	}
	// Errors about what the object says obey what the object says.
	if v := f.posted(f.give(object(t, map[string]any{"response_mode": "form_post", "scope": "profile"}))); v.Get("error") != "invalid_scope" || v.Get("state") != "state-of-the-portal" {
		t.Errorf("%v", v)
	}
	if f.discovered()["request_parameter_supported"] != true || slices.Contains(f.discovered()["request_object_signing_alg_values_supported"].([]any), any("none")) {
		t.Errorf("%v", f.discovered())
	}
}

func (f *fixture) handleOf(v url.Values) string {
	f.t.Helper()
	status, body := f.push(v)
	handle, _ := body["request_uri"].(string)
	if status != http.StatusCreated {
		f.t.Fatalf("%d %v", status, body)
	}
	return handle
}

// fosite formats numbers by %s, so that max_age 300 is ignored and claims become Go's map syntax (fosite notes, trap 2).
func TestRequestObjectTypes(t *testing.T) {
	f := newFixture(t, memStore(t), signingPortal(t))
	read := func(changes map[string]any) (*AuthorizeRequest, error) {
		return f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+url.Values{"client_id": {"portal"}, "request": {object(t, changes)}}.Encode(), nil))
	}
	req, err := read(map[string]any{"max_age": 300, "claims": map[string]any{"id_token": map[string]any{"acr": map[string]any{"essential": true, "values": []string{"substantial"}}}}, "unknown": []any{1, nil}})
	if err != nil || req.MaxAge == nil || *req.MaxAge != 300 || !req.ACREssential || !slices.Equal(req.ACRValues, []string{"substantial"}) {
		t.Errorf("%+v %v", req, err)
	}
	req, err = read(map[string]any{"max_age": "0"})
	if err != nil || !slices.Equal(req.Prompt, []string{"login"}) {
		t.Errorf("%+v %v", req, err)
	}
	for name, v := range map[string]any{"max_age": 1.5, "prompt": 1, "scope": []string{"openid"}, "nonce": true, "claims": []any{}, "state": map[string]any{}, "redirect_uri": []string{"https://portal.example.ua/cb"}} {
		w := f.give(object(t, map[string]any{name: v}))
		f.page(name, w, "invalid_request_object")
	}
	f.page("negative max_age", f.give(object(t, map[string]any{"max_age": -1})), "invalid_request_object")
}

// T71: what is outside of the object counts for nothing, but must not contradict it (RFC 9101, 5 and 6.3).
func TestOnlyTheObjectCounts(t *testing.T) {
	f := newFixture(t, memStore(t), signingPortal(t))
	outer := params("prompt", "none", "acr_values", "high", "state", "outer", "nonce", "nonce-from-outside", "max_age", "0", "response_mode", "query.jwt", "scope", "openid profile")
	outer.Set("request", object(t, map[string]any{"nonce": nil, "scope": "openid", "code_challenge": challengeOf("inside")}))
	req, err := f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+outer.Encode(), nil))
	if err != nil || len(req.Prompt) != 0 || len(req.ACRValues) != 0 || req.State != "state-of-the-portal" || req.Nonce != "" || req.MaxAge != nil ||
		req.ResponseMode != "" || !slices.Equal(req.Scopes, []string{"openid"}) || req.Challenge != challengeOf("inside") {
		t.Errorf("%+v %v", req, err)
	}
	// What the object leaves out is absent, though it stands outside.
	outer.Set("request", object(t, map[string]any{"code_challenge": nil, "code_challenge_method": nil}))
	if q := f.answerOf(f.ask(outer)); q.Get("error") != "invalid_request" || q.Get("state") != "state-of-the-portal" {
		t.Errorf("no challenge inside: %v", q)
	}
	outer.Set("request", object(t, map[string]any{"redirect_uri": nil}))
	f.page("no redirect_uri inside", f.ask(outer), "invalid_request")
	outer.Set("request", object(t, nil))
	outer.Set("response_type", "token")
	if c := f.signed(f.answerOf(f.ask(outer))); c["error"] != "invalid_request_object" || c["state"] != "outer" {
		t.Errorf("another response_type outside: %v", c)
	}
	// A duplicate beside an object is a duplicate.
	v := url.Values{"client_id": {"portal"}, "request": {object(t, nil)}, "x": {"1", "2"}}
	f.page("duplicate", f.ask(v), "invalid_request")
}

// T71, T73: an object that somebody else made, for somebody else, for another time or as another kind of token is refused:
// at the authorization endpoint by a page, or back to an address that is proven, and at PAR.
func TestRequestObjectRefused(t *testing.T) {
	now := time.Now().Unix()
	pinned, secretOnly := signingPortal(t), portal()
	pinned.ID, pinned.RequestObjectAlg = "pinned", "PS256"
	secretOnly.ID = "keyless"
	f := newFixture(t, memStore(t), signingPortal(t), pinned, secretOnly)
	objects := map[string]string{
		"foreign key":       signJWT(t, clientKeys()["other"], objectClaims(nil), objectHeader),
		"key in the header": signJWT(t, clientKeys()["other"], objectClaims(nil), map[jose.HeaderKey]any{"jwk": clientKeys()["other"].public()}),
		"critical header":   signJWT(t, clientKeys()["ES256"], objectClaims(nil), map[jose.HeaderKey]any{"crit": []string{"b64"}, "b64": true}),
		"long":              object(t, map[string]any{"x": strings.Repeat("x", maxRequestObject)}),
		"JWE":               "a.b.c.d.e",
		"not a JWT":         "junk",
	}
	for _, typ := range []string{"logout+jwt", "at+jwt", "dpop+jwt", "client-authentication+jwt", ""} {
		objects["typ "+typ] = signJWT(t, clientKeys()["ES256"], objectClaims(nil), map[jose.HeaderKey]any{"typ": typ})
	}
	for name, changes := range map[string]map[string]any{
		"no iss": {"iss": nil}, "foreign iss": {"iss": "pinned"}, "no client_id": {"client_id": nil}, "foreign client_id": {"client_id": "pinned"},
		"no aud": {"aud": nil}, "foreign aud": {"aud": "https://evil.example"}, "aud is the endpoint": {"aud": testIssuer + PathAuthorize}, "aud without ours": {"aud": []string{"x"}},
		"expired": {"exp": now - 1}, "not yet": {"nbf": now + 61}, "from the future": {"iat": now + 61}, "exp is text": {"exp": "soon"}, "exp is huge": {"exp": 1e300},
		"assertion": {"sub": "portal"}, "object inside": {"request": "x.y.z"}, "reference inside": {"request_uri": "https://portal.example.ua/"},
	} {
		objects[name] = object(t, changes)
	}
	parts := strings.Split(object(t, nil), ".")
	objects["unsigned"] = "eyJhbGciOiJub25lIn0." + parts[1] + "."
	objects["None"] = "eyJhbGciOiJOb25lIn0." + parts[1] + "." + parts[2]
	objects["secret as key"] = hmacJWT(t, []byte(testSecret+strings.Repeat("x", 32)), objectClaims(nil))
	objects["public key as secret"] = hmacJWT(t, clientKeysJSON(t), objectClaims(nil))
	objects["signature cut"] = parts[0] + "." + parts[1] + "."
	objects["changed"] = parts[0] + "." + parts[1][:len(parts[1])-8] + "AAAAAAAA." + parts[2]
	objects["name twice"] = signRaw(t, clientKeys()["ES256"], `{"iss":"portal","client_id":"portal","aud":"`+testIssuer+`","client_id":"portal"}`)
	objects["not an object"] = signRaw(t, clientKeys()["ES256"], `["x"]`)
	for name, o := range objects {
		w := f.give(o)
		if name == "long" && w.Code == 400 {
			// the address has its own limit
		} else {
			f.page(name, w, "invalid_request_object")
		}
		status, body := f.push(url.Values{"request": {o}})
		want(t, name+" pushed", status, body, 400, "invalid_request_object")
		q := f.answerOf(f.give(o, "redirect_uri", "https://portal.example.ua/cb", "state", "outer", "response_type", "code"))
		if q.Get("error") != "invalid_request_object" || q.Get("state") != "outer" || q.Get("iss") != testIssuer {
			t.Errorf("%s with a proven address: %v", name, q)
		}
		f.page(name+" with a foreign address", f.give(o, "redirect_uri", "https://evil.example/cb"), "invalid_request_object")
	}
	o := signJWT(t, clientKeys()["ES256"], objectClaims(map[string]any{"iss": "pinned", "client_id": "pinned"}), objectHeader)
	f.page("another algorithm", f.ask(url.Values{"client_id": {"pinned"}, "request": {o}}), "invalid_request_object")
	o = signJWT(t, clientKeys()["ES256"], objectClaims(map[string]any{"iss": "keyless", "client_id": "keyless"}), objectHeader)
	f.page("client without keys", f.ask(url.Values{"client_id": {"keyless"}, "request": {o}}), "invalid_request_object")
	f.page("object of another client", f.ask(url.Values{"client_id": {"pinned"}, "request": {object(t, nil)}}), "invalid_request_object")
	// Nearly wrong is right.
	for name, changes := range map[string]map[string]any{
		"aud list": {"aud": []string{"x", testIssuer}}, "clock ahead": {"nbf": now + 8, "iat": now + 8}, "no times": {"exp": nil, "nbf": nil, "iat": nil}, "sub": {"sub": "x"},
	} {
		if q := f.answerOf(f.give(object(t, changes))); q.Get("code") == "" {
			t.Errorf("%s: %v", name, q)
		}
	}
}

func hmacJWT(t testing.TB, key []byte, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, s, claims)
}

func clientKeysJSON(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(clientKeys()["ES256"].public())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func signRaw(t testing.TB, k clientKey, payload string) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.private}, (&jose.SignerOptions{}).WithHeader("kid", k.id))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func finish(t testing.TB, s jose.Signer, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestRequireSignedRequest(t *testing.T) {
	c := signingPortal(t)
	c.RequireSignedRequest = true
	f := newFixture(t, memStore(t), c)
	f.refused("unsigned", "invalid_request")
	status, body := f.push(params())
	want(t, "unsigned, pushed", status, body, 400, "invalid_request")
	if q := f.answerOf(f.give(object(t, nil))); q.Get("code") == "" {
		t.Errorf("%v", q)
	}
	// That a pushed request was signed is known when the browser brings it.
	if q := f.answerOf(f.bring(f.handleOf(url.Values{"request": {object(t, nil)}}))); q.Get("code") == "" {
		t.Errorf("%v", q)
	}
}

// Whatever is in an object of the client: no panic, and what is accepted is for us, from the client and now, and says the
// same when it is read as a plain request.
func FuzzRequestObject(f *testing.F) {
	for _, changes := range []map[string]any{nil, {"max_age": 300}, {"claims": map[string]any{"userinfo": nil}}, {"aud": []string{testIssuer}}, {"exp": 1e300}, {"scope": []string{"a"}}} {
		raw, err := json.Marshal(objectClaims(changes))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"iss":"portal","iss":"portal"}`))
	c := signingPortal(f)
	fix := newFixture(f, memStore(f), c)
	key := clientKeys()["EdDSA"]
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > maxRequestObject {
			t.Skip()
		}
		got, err := fix.p.openRequestObject(t.Context(), &c, signRaw(t, key, string(payload)))
		if err != nil {
			if got != nil {
				t.Fatal("both a form and an error")
			}
			return
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil || claims["iss"] != "portal" || claims["client_id"] != "portal" || claims["aud"] == nil {
			t.Fatalf("accepted %s", payload)
		}
		for name, values := range got {
			if !slices.Contains(requestParameters, name) || len(values) != 1 {
				t.Fatalf("%s came out of %s", name, payload)
			}
			if text, ok := claims[name].(string); ok && text != values[0] {
				t.Fatalf("%s is %q, was %q", name, values[0], text)
			}
		}
	})
}
