package oauth

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/storage/memstore"
)

func fapiClient(t testing.TB, profile string) Client {
	t.Helper()
	c := jwtClient(t)
	c.Profile, c.DPoPBound = profile, true
	return c
}

// pushAs pushes parameters as the client that proves itself by an assertion with changes.
func (f *fixture) pushAs(k clientKey, v url.Values, changes map[string]any) (int, map[string]any) {
	f.t.Helper()
	form := maps.Clone(v)
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", signJWT(f.t, k, assertionFor("jwt", changes), nil))
	r := httptest.NewRequest("POST", PathPAR, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return f.pushRequest(r)
}

func jwtParams(changes ...string) url.Values {
	return params(append([]string{"client_id", "jwt"}, changes...)...)
}

func jwtObject(t testing.TB, key string, changes map[string]any) url.Values {
	claims := map[string]any{"iss": "jwt", "client_id": "jwt", "response_mode": "jwt"}
	maps.Copy(claims, changes)
	return url.Values{"client_id": {"jwt"}, "request": {signJWT(t, clientKeys()[key], objectClaims(claims), objectHeader)}}
}

// FAPI 2.0 Security Profile, 5.3.2.1 and 5.4.1; Message Signing, 5.3 and 5.4: what may not even be registered.
func TestFAPIRegistration(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Client)
		good   bool
	}{
		"DPoP":                     {func(*Client) {}, true},
		"certificate-bound":        {func(c *Client) { c.DPoPBound, c.CertificateBound = false, true }, true},
		"bearer tokens":            {func(c *Client) { c.DPoPBound = false }, false},
		"both bindings":            {func(c *Client) { c.CertificateBound = true }, false},
		"secret":                   {func(c *Client) { c.AuthMethod, c.SecretHash, c.JWKS = AuthBasic, HashSecret(testSecret), nil }, false},
		"posted secret":            {func(c *Client) { c.AuthMethod, c.SecretHash, c.JWKS = AuthPost, HashSecret(testSecret), nil }, false},
		"public":                   {func(c *Client) { c.AuthMethod = AuthNone }, false},
		"certificate":              {func(c *Client) { c.AuthMethod, c.TLSSANDNS = AuthTLS, "portal.example.ua" }, true},
		"PKCE optional":            {func(c *Client) { c.PKCEOptional = true }, false},
		"http redirect":            {func(c *Client) { c.RedirectURIs = []string{"http://127.0.0.1/cb"} }, false},
		"native loopback redirect": {func(c *Client) { c.RedirectURIs, c.Native = []string{"http://127.0.0.1/cb"}, true }, true},
		"wildcard redirect":        {func(c *Client) { c.RedirectURIs = []string{"https://*.example.ua/cb"} }, false},
		"RS256 assertions":         {func(c *Client) { c.AuthAlg = "RS256" }, false},
		"RS256 objects":            {func(c *Client) { c.RequestObjectAlg = "RS256" }, false},
		"RS256 ID tokens":          {func(c *Client) { c.IDTokenAlg = "RS256" }, false},
		"RS256 answers":            {func(c *Client) { c.AuthorizationSignedAlg = "RS256" }, false},
		"RS256 userinfo":           {func(c *Client) { c.UserInfoSignedAlg = "RS256" }, false},
		"PS256 assertions":         {func(c *Client) { c.AuthAlg = "PS256" }, true},
		"endpoint as audience":     {func(c *Client) { c.AssertionAudience = AudienceTokenEndpoint }, false},
		"unknown profile":          {func(c *Client) { c.Profile = "fapi1" }, false},
	} {
		for _, profile := range []string{ProfileFAPI2, ProfileFAPI2MessageSigning} {
			client := fapiClient(t, profile)
			c.change(&client)
			if err := client.Validate(); (err == nil) != c.good {
				t.Errorf("%s, %s: %v", profile, name, err)
			}
		}
	}
}

// The same of requests, row by row: where it is refused, and with which error.
func TestFAPIRequests(t *testing.T) {
	es := clientKeys()["ES256"]
	now := time.Now().Unix()
	f := newFixture(t, memStore(t), fapiClient(t, ProfileFAPI2))
	for name, c := range map[string]struct {
		form   url.Values
		key    string
		claims map[string]any // of the assertion
		status int
		code   string
	}{
		"good":                              {jwtParams(), "ES256", nil, 201, ""},
		"PS256":                             {jwtParams(), "PS256", nil, 201, ""},
		"EdDSA":                             {jwtParams(), "EdDSA", nil, 201, ""},
		"5.4.1 RS256":                       {jwtParams(), "RS256", nil, 401, "invalid_client"},
		"5.3.2.1 aud is the endpoint":       {jwtParams(), "ES256", map[string]any{"aud": testIssuer + PathPAR}, 401, "invalid_client"},
		"5.3.2.1 aud is the token endpoint": {jwtParams(), "ES256", map[string]any{"aud": testIssuer + PathToken}, 401, "invalid_client"},
		"5.3.2.1 aud is an array":           {jwtParams(), "ES256", map[string]any{"aud": []string{testIssuer}}, 401, "invalid_client"},
		"5.3.2.1 clock 8 s ahead":           {jwtParams(), "ES256", map[string]any{"iat": now + 8, "nbf": now + 8}, 201, ""},
		"5.3.2.1 clock a minute ahead":      {jwtParams(), "ES256", map[string]any{"iat": now + 65, "nbf": now + 65}, 401, "invalid_client"},
		"5.3.2.2 no PKCE":                   {jwtParams("code_challenge", "", "code_challenge_method", ""), "ES256", nil, 400, "invalid_request"},
		"5.3.2.2 plain PKCE":                {jwtParams("code_challenge_method", "plain"), "ES256", nil, 400, "invalid_request"},
		"5.3.2.2 no redirect_uri":           {jwtParams("redirect_uri", ""), "ES256", nil, 400, "invalid_request"},
		"5.3.2.2 implicit":                  {jwtParams("response_type", "token"), "ES256", nil, 400, "unsupported_response_type"},
		"5.3.2.2 hybrid":                    {jwtParams("response_type", "code id_token"), "ES256", nil, 400, "unsupported_response_type"},
		"fragment":                          {jwtParams("response_mode", "fragment"), "ES256", nil, 400, "invalid_request"},
		"no state, no nonce":                {jwtParams("state", "", "nonce", ""), "ES256", nil, 201, ""},
		"nonce of 64 characters":            {jwtParams("nonce", strings.Repeat("n", 64)), "ES256", nil, 201, ""},
	} {
		status, body := f.pushAs(clientKeys()[c.key], c.form, c.claims)
		if status != c.status || c.code != "" && body["error"] != c.code {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	// 5.3.2.2: requests come by PAR, from a client that proves itself.
	q := f.answerOf(f.ask(jwtParams()))
	if q.Get("error") != "invalid_request" || q.Get("iss") != testIssuer {
		t.Errorf("not pushed: %v", q)
	}
	r := httptest.NewRequest("POST", PathPAR, strings.NewReader(jwtParams().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := f.pushRequest(r)
	want(t, "PAR without authentication", status, body, 401, "invalid_client")
	// 5.3.2.2: the answer has iss, and is no 307.
	_, body = f.pushAs(es, jwtParams(), nil)
	w := f.ask(url.Values{"client_id": {"jwt"}, "request_uri": {body["request_uri"].(string)}})
	if q := f.answerOf(w); q.Get("code") == "" || q.Get("iss") != testIssuer || w.Code != http.StatusSeeOther {
		t.Errorf("%d %v", w.Code, q)
	}
}

// FAPI 2.0 Message Signing: requests are signed, and the answers of a client that is registered for signed ones.
func TestFAPIMessageSigning(t *testing.T) {
	es := clientKeys()["ES256"]
	now := time.Now().Unix()
	answering := fapiClient(t, ProfileFAPI2MessageSigning)
	answering.AuthorizationSignedAlg = "ES256"
	f := newFixture(t, memStore(t), answering)
	for name, c := range map[string]struct {
		form url.Values
		code string
	}{
		"good":                          {jwtObject(t, "ES256", nil), ""},
		"PS256":                         {jwtObject(t, "PS256", nil), ""},
		"aud is a list":                 {jwtObject(t, "ES256", map[string]any{"aud": []string{"https://other.example.ua", testIssuer}}), ""},
		"nbf in 8 s":                    {jwtObject(t, "ES256", map[string]any{"nbf": now + 8}), ""},
		"not signed":                    {jwtParams("response_mode", "jwt"), "invalid_request"},
		"5.4.1 RS256":                   {jwtObject(t, "RS256", nil), "invalid_request_object"},
		"no exp":                        {jwtObject(t, "ES256", map[string]any{"exp": nil}), "invalid_request_object"},
		"no nbf":                        {jwtObject(t, "ES256", map[string]any{"nbf": nil}), "invalid_request_object"},
		"expired":                       {jwtObject(t, "ES256", map[string]any{"exp": now - 1}), "invalid_request_object"},
		"exp over 60 minutes after nbf": {jwtObject(t, "ES256", map[string]any{"nbf": now, "exp": now + 3601}), "invalid_request_object"},
		"exp 60 minutes after nbf":      {jwtObject(t, "ES256", map[string]any{"nbf": now, "exp": now + 3600}), ""},
		"nbf over 60 minutes ago":       {jwtObject(t, "ES256", map[string]any{"nbf": now - 3660, "exp": now - 60 + 120}), "invalid_request_object"},
		"foreign aud":                   {jwtObject(t, "ES256", map[string]any{"aud": "https://other.example.ua"}), "invalid_request_object"},
		"request_uri inside":            {jwtObject(t, "ES256", map[string]any{"request_uri": "urn:x"}), "invalid_request_object"},
		"no redirect_uri inside":        {jwtObject(t, "ES256", map[string]any{"redirect_uri": nil}), "invalid_request"},
		"answer not signed":             {jwtObject(t, "ES256", map[string]any{"response_mode": nil}), "invalid_request"},
		"answer in the query":           {jwtObject(t, "ES256", map[string]any{"response_mode": "query"}), "invalid_request"},
		"answer by an unsigned form":    {jwtObject(t, "ES256", map[string]any{"response_mode": "form_post"}), "invalid_request"},
	} {
		status, body := f.pushAs(es, c.form, nil)
		if c.code == "" && status != http.StatusCreated || c.code != "" && body["error"] != c.code {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	plain := newFixture(t, memStore(t), fapiClient(t, ProfileFAPI2MessageSigning))
	if status, body := plain.pushAs(es, jwtObject(t, "ES256", map[string]any{"response_mode": "query"}), nil); status != http.StatusCreated {
		t.Errorf("a client that is not registered for signed answers: %d %v", status, body)
	}
	_, body := f.pushAs(es, jwtObject(t, "ES256", map[string]any{"state": "inside"}), nil)
	w := f.ask(url.Values{"client_id": {"jwt"}, "request_uri": {body["request_uri"].(string)}, "state": {"outside"}, "request": nil})
	claims := f.signedFor("jwt", f.answerOf(w))
	if claims["code"] == nil || claims["state"] != "inside" {
		t.Errorf("%v", claims)
	}
	// Not by value at the authorization endpoint, though it is signed.
	v := f.answerOf(f.ask(jwtObject(t, "ES256", nil)))
	if claims := f.signedFor("jwt", v); claims["error"] != "invalid_request" {
		t.Errorf("not pushed: %v", claims)
	}
}

// FAPI 2.0 Security Profile, 5.3.2.1: a code lives a minute at most, whatever is configured for others.
func TestFAPICodeLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}), fapiClient(t, ProfileFAPI2), portal())
		cfg := f.p.cfg
		cfg.CodeLifetime = 10 * time.Minute
		var err error
		if f.p, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		es := clientKeys()["ES256"]
		_, body := f.pushAs(es, jwtParams(), nil)
		code := f.answerOf(f.ask(url.Values{"client_id": {"jwt"}, "request_uri": {body["request_uri"].(string)}})).Get("code")
		other := f.code()
		time.Sleep(61 * time.Second)
		f.mustExchange(other)
		v := tokenParams(code, "client_assertion_type", assertionType, "client_assertion", signJWT(t, es, assertionFor("jwt", nil), map[jose.HeaderKey]any{}))
		r := tokenRequest(v)
		r.Header.Set("DPoP", newProver(t).proof(PathToken))
		status, answer := f.tokens(r)
		want(t, "after a minute", status, answer, 400, "invalid_grant")
	})
}
