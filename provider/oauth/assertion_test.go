package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
)

// A clientKey is a key of a client under test.
type clientKey struct {
	alg     jose.SignatureAlgorithm
	id      string
	private crypto.Signer
	use     string
}

func (k clientKey) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Use: k.use}
}

var clientKeys = sync.OnceValue(func() map[string]clientKey {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]clientKey{
		"ES256": {jose.ES256, "ec", ec, "sig"}, "other": {jose.ES256, "other", other, ""},
		"PS256": {jose.PS256, "rsa", r, ""}, "RS256": {jose.RS256, "rsa", r, ""}, "EdDSA": {jose.EdDSA, "ed", ed, ""},
	}
})

func keySetOf(t testing.TB, ks ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: ks})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// jwtClient is a portal that proves itself by assertions.
func jwtClient(t testing.TB) Client {
	t.Helper()
	ks := clientKeys()
	c := portal()
	c.ID, c.SecretHash, c.AuthMethod = "jwt", nil, AuthPrivateKeyJWT
	c.JWKS = keySetOf(t, ks["ES256"].public(), ks["PS256"].public(), ks["EdDSA"].public())
	return c
}

// signJWT signs claims; header members are added. A kid of "-" leaves it out.
func signJWT(t testing.TB, k clientKey, claims map[string]any, header map[jose.HeaderKey]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithHeader("kid", k.id)
	for name, v := range header {
		options.WithHeader(name, v)
	}
	if options.ExtraHeaders["kid"] == "-" {
		delete(options.ExtraHeaders, "kid")
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: k.private}, options)
	if err != nil {
		t.Fatal(err)
	}
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

func assertionFor(client string, changes map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": client, "sub": client, "aud": testIssuer, "iat": now, "exp": now + 60, "jti": rand.Text()}
	maps.Copy(c, changes)
	for name, v := range c {
		if v == nil {
			delete(c, name)
		}
	}
	return c
}

// prove lets the client of an assertion prove itself, and returns the code of the refusal.
func (f *fixture) proveAssertion(assertion string, more ...string) string {
	f.t.Helper()
	form := url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	c, err := f.p.authenticate(tokenRequest(form), form)
	if err != nil {
		return publicError(err).Code
	}
	return c.ID
}

func TestPrivateKeyJWT(t *testing.T) {
	f := newFixture(t, memStore(t), jwtClient(t))
	for _, alg := range AssertionAlgorithms() {
		k := clientKeys()[alg]
		if got := f.proveAssertion(signJWT(t, k, assertionFor("jwt", nil), nil)); got != "jwt" {
			t.Errorf("%s: %s", alg, got)
		}
		if got := f.proveAssertion(signJWT(t, k, assertionFor("jwt", nil), map[jose.HeaderKey]any{"kid": "-", "typ": "client-authentication+jwt"})); got != "jwt" {
			t.Errorf("%s without kid: %s", alg, got)
		}
	}
	// A whole exchange: the assertion stands in place of the secret.
	v := tokenParams(f.code("client_id", "jwt"), "client_assertion_type", assertionType,
		"client_assertion", signJWT(t, clientKeys()["ES256"], assertionFor("jwt", nil), nil), "client_id", "jwt")
	if status, body := f.tokens(tokenRequest(v)); status != 200 {
		t.Errorf("exchange: %d %v", status, body)
	}
}

// Ed25519 under its newer name (RFC 9864) is verified by ourselves, as strictly.
func TestEd25519Assertion(t *testing.T) {
	f := newFixture(t, memStore(t), jwtClient(t))
	key := clientKeys()["EdDSA"].private.(ed25519.PrivateKey)
	b64 := base64.RawURLEncoding.EncodeToString
	sign := func(header string) string {
		payload, err := json.Marshal(assertionFor("jwt", nil))
		if err != nil {
			t.Fatal(err)
		}
		input := b64([]byte(header)) + "." + b64(payload)
		return input + "." + b64(ed25519.Sign(key, []byte(input)))
	}
	if got := f.proveAssertion(sign(`{"alg":"Ed25519","kid":"ed"}`)); got != "jwt" {
		t.Errorf("good: %s", got)
	}
	for name, header := range map[string]string{
		"kid of another kind": `{"alg":"Ed25519","kid":"ec"}`, "critical": `{"alg":"Ed25519","kid":"ed","crit":["x"],"x":1}`,
		"unencoded": `{"alg":"Ed25519","kid":"ed","b64":false,"crit":["b64"]}`, "twice": `{"alg":"Ed25519","alg":"none","kid":"ed"}`,
	} {
		if got := f.proveAssertion(sign(header)); got != "invalid_client" {
			t.Errorf("%s: %s", name, got)
		}
	}
	forged := sign(`{"alg":"Ed25519","kid":"ed"}`)
	forged = forged[:strings.LastIndexByte(forged, '.')+1] + b64(make([]byte, 64))
	if got := f.proveAssertion(forged); got != "invalid_client" {
		t.Errorf("forged: %s", got)
	}
}

// T73: what was made for somebody else, by somebody else, at another time or for another purpose proves nothing.
func TestAssertionRefused(t *testing.T) {
	now := time.Now().Unix()
	es := clientKeys()["ES256"]
	pinned := jwtClient(t)
	pinned.ID, pinned.AuthAlg = "pinned", "PS256"
	fapi := jwtClient(t)
	fapi.ID, fapi.Profile, fapi.DPoPBound = "fapi", ProfileFAPI2, true
	f := newFixture(t, memStore(t), jwtClient(t), portal(), pinned, fapi)
	for name, c := range map[string]struct {
		key    string
		claims map[string]any
		header map[jose.HeaderKey]any
	}{
		"foreign key":             {"other", nil, nil},
		"foreign key, known kid":  {"other", nil, map[jose.HeaderKey]any{"kid": "ec"}},
		"its own key in header":   {"other", nil, map[jose.HeaderKey]any{"jwk": clientKeys()["other"].public()}},
		"foreign key, no kid":     {"other", nil, map[jose.HeaderKey]any{"kid": "-"}},
		"another issuer":          {"ES256", map[string]any{"iss": "portal"}, nil},
		"another subject":         {"ES256", map[string]any{"sub": "portal"}, nil},
		"another audience":        {"ES256", map[string]any{"aud": "https://other.example.ua"}, nil},
		"token endpoint":          {"ES256", map[string]any{"aud": testIssuer + PathToken}, nil},
		"no audience":             {"ES256", map[string]any{"aud": nil}, nil},
		"no exp":                  {"ES256", map[string]any{"exp": nil}, nil},
		"expired":                 {"ES256", map[string]any{"exp": now - 61}, nil},
		"long life":               {"ES256", map[string]any{"exp": now + 600}, nil},
		"absurd life":             {"ES256", map[string]any{"exp": 1e300}, nil},
		"exp as text":             {"ES256", map[string]any{"exp": "1"}, nil},
		"issued in the future":    {"ES256", map[string]any{"iat": now + 61}, nil},
		"not yet valid":           {"ES256", map[string]any{"nbf": now + 61}, nil},
		"no jti":                  {"ES256", map[string]any{"jti": nil}, nil},
		"endless jti":             {"ES256", map[string]any{"jti": strings.Repeat("a", maxJTI+1)}, nil},
		"a request object":        {"ES256", nil, map[jose.HeaderKey]any{"typ": "oauth-authz-req+jwt"}},
		"a logout token":          {"ES256", nil, map[jose.HeaderKey]any{"typ": "logout+jwt"}},
		"a client with a secret":  {"ES256", map[string]any{"iss": "portal", "sub": "portal"}, nil},
		"nobody":                  {"ES256", map[string]any{"iss": "nobody", "sub": "nobody"}, nil},
		"another algorithm":       {"ES256", map[string]any{"iss": "pinned", "sub": "pinned"}, nil},
		"RS256 by FAPI":           {"RS256", map[string]any{"iss": "fapi", "sub": "fapi"}, nil},
		"unknown critical header": {"ES256", nil, map[jose.HeaderKey]any{"crit": []string{"x"}, "x": 1}},
	} {
		if got := f.proveAssertion(signJWT(t, clientKeys()[c.key], assertionFor("jwt", c.claims), c.header)); got != "invalid_client" {
			t.Errorf("%s: %s", name, got)
		}
	}
	good := signJWT(t, es, assertionFor("jwt", nil), nil)
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	hmac, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: f.p.cfg.Keys.JWKS()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(assertionFor("jwt", nil))
	symmetric, err := hmac.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	hs256, err := symmetric.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for name, assertion := range map[string]string{
		"none":            b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"HS256":           hs256,
		"signature cut":   parts[0] + "." + parts[1] + ".",
		"payload changed": parts[0] + "." + b64([]byte(`{"iss":"jwt","sub":"jwt"}`)) + "." + parts[2],
		"empty":           "",
		"JSON":            `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"huge":            good + strings.Repeat("A", maxAssertion),
	} {
		if got := f.proveAssertion(assertion); got != "invalid_client" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := f.proveAssertion(good, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"); got != "invalid_request" {
		t.Errorf("another type: %s", got)
	}
	if got := f.proveAssertion(good, "client_id", "portal"); got != "invalid_request" {
		t.Errorf("another client_id: %s", got)
	}
	if got := f.proveAssertion(good, "client_secret", "x"); got != "invalid_request" {
		t.Errorf("two methods: %s", got)
	}
	if got := f.proveAssertion(good); got != "jwt" {
		t.Errorf("the good one at last: %s", got)
	}
}

// T73: an array may name a hostile server beside us, or us beside it: never taken, also with one entry.
func TestAudienceArrayRefused(t *testing.T) {
	lax := jwtClient(t)
	lax.ID, lax.AssertionAudience = "lax", AudienceTokenEndpoint
	f := newFixture(t, memStore(t), jwtClient(t), lax)
	for _, aud := range [][]string{{testIssuer}, {testIssuer, "https://other.example.ua"}, {testIssuer + PathToken}, {}} {
		for _, id := range []string{"jwt", "lax"} {
			if got := f.proveAssertion(signJWT(t, clientKeys()["ES256"], assertionFor(id, map[string]any{"aud": aud}), nil)); got != "invalid_client" {
				t.Errorf("%s with %v: %s", id, aud, got)
			}
		}
	}
	if got := f.proveAssertion(signJWT(t, clientKeys()["ES256"], assertionFor("lax", map[string]any{"aud": testIssuer + PathToken}), nil)); got != "lax" {
		t.Errorf("token endpoint for a client registered so: %s", got)
	}
}

// FAPI 2.0 Security Profile, 5.3.2.1: ten seconds in the future are a clock, sixty are not.
func TestAssertionClockSkew(t *testing.T) {
	f := newFixture(t, memStore(t), jwtClient(t))
	now := time.Now().Unix()
	got := f.proveAssertion(signJWT(t, clientKeys()["ES256"], assertionFor("jwt", map[string]any{"iat": now + 10, "nbf": now + 10, "exp": now + 310}), nil))
	if got != "jwt" {
		t.Errorf("ten seconds ahead: %s", got)
	}
}

// T73, T5: of 32 uses of one assertion one counts, on both stores; another client's equal jti is another one.
func TestAssertionRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			second := jwtClient(t)
			second.ID = "second"
			f := newFixture(t, open(t), jwtClient(t), second)
			es := clientKeys()["ES256"]
			assertion := signJWT(t, es, assertionFor("jwt", map[string]any{"jti": "one"}), nil)
			const racers = 32
			results := make([]string, racers)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range racers {
				wg.Go(func() {
					<-start
					results[i] = f.proveAssertion(assertion)
				})
			}
			close(start)
			wg.Wait()
			winners := 0
			for _, r := range results {
				if r == "jwt" {
					winners++
				} else if r != "invalid_client" {
					t.Errorf("loser: %s", r)
				}
			}
			if winners != 1 {
				t.Errorf("%d winners, want 1", winners)
			}
			if got := f.proveAssertion(signJWT(t, es, assertionFor("second", map[string]any{"jti": "one"}), nil)); got != "second" {
				t.Errorf("the same jti of another client: %s", got)
			}
			if got := f.proveAssertion(signJWT(t, es, assertionFor("jwt", map[string]any{"jti": "one", "exp": time.Now().Unix() + 90}), nil)); got != "invalid_client" {
				t.Errorf("the same jti in another assertion: %s", got)
			}
		})
	}
}

// T101: who is registered, and how, is not told.
func TestRefusalsAreAlike(t *testing.T) {
	f := newFixture(t, memStore(t), portal(), jwtClient(t))
	answer := func(id, secret string) string {
		r := tokenRequest(tokenParams("x"))
		r.SetBasicAuth(id, secret)
		w := httptest.NewRecorder()
		f.p.Token(w, r)
		return w.Body.String() + w.Header().Get("WWW-Authenticate")
	}
	want := answer("nobody", "x")
	for id, secret := range map[string]string{"portal": "wrong", "jwt": testSecret} {
		if got := answer(id, secret); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func FuzzAssertion(f *testing.F) {
	es := clientKeys()["ES256"]
	good := signJWT(f, es, assertionFor("jwt", nil), nil)
	for _, seed := range []string{good, "", "..", "a.b.c", strings.Replace(good, ".", "..", 1), `{"payload":""}`} {
		f.Add(seed)
	}
	fix := newFixture(f, memStore(f), jwtClient(f))
	c, err := fix.p.Client(f.Context(), "jwt")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, assertion string) {
		claims, err := unverifiedClaims(assertion)
		if (claims == nil) == (err == nil) {
			t.Fatal("claims and error together")
		}
		// Only the one that was signed can be good, in whatever form it comes.
		if fix.p.checkAssertion(t.Context(), c, assertion) == nil && !strings.HasPrefix(assertion, good[:strings.LastIndexByte(good, '.')]) {
			t.Fatalf("accepted %q", assertion)
		}
	})
}
