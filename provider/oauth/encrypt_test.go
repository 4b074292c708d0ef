package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"brama/internal/fetch"
)

// portalKeys are key pairs of a portal: for encryption, EC and RSA, and one for signatures.
type portalKeys struct {
	ec, signing *ecdsa.PrivateKey
	rsa         *rsa.PrivateKey
}

var testPortalKeys = sync.OnceValue(func() *portalKeys {
	k := &portalKeys{}
	var errs [3]error
	k.ec, errs[0] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.signing, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	k.rsa, errs[2] = rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

func jwks(t testing.TB, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (k *portalKeys) set(t testing.TB) json.RawMessage {
	return jwks(t,
		jose.JSONWebKey{Key: k.signing.Public(), KeyID: "signing", Use: "sig"},
		jose.JSONWebKey{Key: k.ec.Public(), KeyID: "ec", Use: "enc"},
		jose.JSONWebKey{Key: k.rsa.Public(), KeyID: "rsa"})
}

// open is the portal's side: it decrypts and says what the header was.
func (k *portalKeys) open(t testing.TB, token, alg, enc string) (string, jose.Header) {
	t.Helper()
	sealed, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		t.Fatalf("%q: %v", token, err)
	}
	var key any = k.ec
	if strings.HasPrefix(alg, "RSA") {
		key = k.rsa
	}
	plain, err := sealed.Decrypt(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain), sealed.Header
}

// TestEncryptedIDToken: in every pair of algorithms, a token that is signed by us and read by the portal alone.
func TestEncryptedIDToken(t *testing.T) {
	keys := testPortalKeys()
	for _, alg := range encryptionAlgs {
		for _, enc := range append([]string{""}, encryptionEncs...) {
			c := portal()
			c.JWKS, c.IDTokenEncAlg, c.IDTokenEncEnc = keys.set(t), alg, enc
			f := newFixture(t, memStore(t), c)
			body := f.mustExchange(f.code())
			if enc == "" {
				enc = defaultEnc
			}
			inner, header := keys.open(t, body["id_token"].(string), alg, enc)
			kid := map[bool]string{true: "rsa", false: "ec"}[strings.HasPrefix(alg, "RSA")]
			if header.KeyID != kid || header.ExtraHeaders[jose.HeaderContentType] != "JWT" {
				t.Errorf("%s %s: header %+v", alg, enc, header)
			}
			body["id_token"] = inner
			if claims := f.idClaims(body); claims["aud"].([]any)[0] != "portal" || claims["nonce"] != "nonce-of-the-portal" {
				t.Errorf("%s %s: %v", alg, enc, claims)
			}
		}
	}
}

// TestUserInfoForms: JSON, signed, encrypted, and signed and encrypted (OpenID Connect Core 5.3.2).
func TestUserInfoForms(t *testing.T) {
	keys := testPortalKeys()
	for _, form := range []struct{ sign, alg, enc string }{
		{"", "", ""}, {"ES256", "", ""}, {"RS256", "", ""}, {"PS256", "", ""}, {"EdDSA", "", ""},
		{"", "ECDH-ES", "A128GCM"}, {"", "RSA-OAEP-256", ""}, {"ES256", "ECDH-ES+A256KW", "A256GCM"}, {"EdDSA", "RSA-OAEP-256", "A128GCM"},
	} {
		c := portal()
		c.JWKS, c.UserInfoSignedAlg, c.UserInfoEncAlg, c.UserInfoEncEnc = keys.set(t), form.sign, form.alg, form.enc
		f := newFixture(t, memStore(t), c)
		body := f.mustExchange(f.code())
		r := httptest.NewRequest("GET", PathUserInfo, nil)
		r.Header.Set("Authorization", "Bearer "+body["access_token"].(string))
		w := f.do(r)
		media := map[bool]string{true: "application/json", false: "application/jwt"}[form.sign == "" && form.alg == ""]
		if w.Code != 200 || w.Header().Get("Content-Type") != media || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%+v: %d %v %s", form, w.Code, w.Header(), w.Body)
		}
		text := w.Body.String()
		if form.alg != "" {
			enc := form.enc
			if enc == "" {
				enc = defaultEnc
			}
			var header jose.Header
			text, header = keys.open(t, text, form.alg, enc)
			if nested := header.ExtraHeaders[jose.HeaderContentType] == "JWT"; nested != (form.sign != "") {
				t.Errorf("%+v: header %+v", form, header)
			}
		}
		if form.sign != "" {
			payload, err := f.p.cfg.Keys.Verify(text)
			if err != nil || !strings.HasPrefix(text, jwsStart(form.sign)) {
				t.Fatalf("%+v: %s, %v", form, text, err)
			}
			text = string(payload)
		}
		var claims map[string]any
		if err := json.Unmarshal([]byte(text), &claims); err != nil {
			t.Fatal(err)
		}
		if claims["sub"] != f.idClaims(body)["sub"] || claims["name"] == nil {
			t.Errorf("%+v: %v", form, claims)
		}
		// For whom it is, and by whom, stands in what is signed, and only there.
		if signed := claims["iss"] == testIssuer && claims["aud"] == "portal"; signed != (form.sign != "") {
			t.Errorf("%+v: iss %v, aud %v", form, claims["iss"], claims["aud"])
		}
	}
}

// jwsStart begins every token of ours in alg.
func jwsStart(alg string) string {
	return map[string]string{"ES256": "eyJhbGciOiJFUzI1NiIs", "RS256": "eyJhbGciOiJSUzI1NiIs", "PS256": "eyJhbGciOiJQUzI1NiIs", "EdDSA": "eyJhbGciOiJFZERTQSIs"}[alg]
}

// A key that is for signatures, or for another algorithm, is not encrypted with: nothing is released then, and the code is
// not spent.
func TestNoKeyToEncryptFor(t *testing.T) {
	keys := testPortalKeys()
	for name, key := range map[string]jose.JSONWebKey{
		"for signatures":    {Key: keys.ec.Public(), KeyID: "ec", Use: "sig"},
		"another kind":      {Key: keys.rsa.Public(), KeyID: "rsa", Use: "enc"},
		"another algorithm": {Key: keys.ec.Public(), KeyID: "ec", Use: "enc", Algorithm: "ECDH-ES+A256KW"},
	} {
		c := portal()
		c.JWKS, c.IDTokenEncAlg = jwks(t, key), "ECDH-ES"
		f := newFixture(t, memStore(t), c)
		code := f.code()
		status, body := f.exchange(code)
		want(t, name, status, body, 400, "invalid_request")
		c.JWKS = keys.set(t)
		registry, err := NewRegistry(c)
		if err != nil {
			t.Fatal(err)
		}
		f.p.cfg.Clients = registry
		if status, body := f.exchange(code); status != 200 {
			t.Errorf("%s: after the client mended its keys: %d %v", name, status, body)
		}
	}
	// Keys that cannot be had now are nobody's fault: the client may come again.
	c := portal()
	c.JWKSURI, c.IDTokenEncAlg, c.UserInfoEncAlg = "https://portal.example.ua/jwks", "ECDH-ES", "ECDH-ES"
	f := newFixture(t, memStore(t), c)
	status, body := f.exchange(f.code())
	want(t, "no way to the keys", status, body, 503, "temporarily_unavailable")
}

// T96: nothing in the provider opens what is encrypted to it.
func TestNothingDecrypts(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && strings.Contains(string(b), "ParseEncrypted") {
			t.Errorf("%s reads encrypted tokens", name)
		}
	}
	f := newFixture(t, memStore(t))
	e, err := jose.NewEncrypter(jose.A128GCM, jose.Recipient{Algorithm: jose.ECDH_ES, Key: testPortalKeys().ec.Public()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := e.Encrypt([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := sealed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	if q := f.answerOf(f.ask(params("id_token_hint", token))); q.Get("error") != "invalid_request" {
		t.Errorf("as a hint: %v", q)
	}
	status, body := f.userinfo(token)
	want(t, "as an access token", status, body, 401, "invalid_token")
}

// encryptsBy checks that a client is given a JWE by every announced value of a header parameter, and registered for no other.
func encryptsBy(parameter string, set func(*Client, string), token func(*fixture) string) func(*announced) {
	return func(a *announced) {
		for _, v := range a.list() {
			c := portal()
			c.JWKS = testPortalKeys().set(a.t)
			set(&c, v)
			if got := headerOf(a.t, token(newFixture(a.t, memStore(a.t), c)))[parameter]; got != v {
				a.t.Errorf("%s: %s gives %v", a.name, v, got)
			}
		}
		for _, v := range []string{"RSA-OAEP", "RSA1_5", "dir", "A192GCM", "none"} {
			c := portal()
			c.JWKS = testPortalKeys().set(a.t)
			set(&c, v)
			if c.Validate() == nil {
				a.t.Errorf("%s: %s can be registered", a.name, v)
			}
		}
	}
}

// userinfoText is the body of the answer at userinfo.
func (f *fixture) userinfoText(body map[string]any) string {
	r := httptest.NewRequest("GET", PathUserInfo, nil)
	r.Header.Set("Authorization", "Bearer "+body["access_token"].(string))
	return f.do(r).Body.String()
}

// Keys behind a jwks_uri are asked for again when none fits, and once only.
func TestEncryptionKeyFetchedAgain(t *testing.T) {
	pair := testPortalKeys()
	c := portal()
	c.JWKSURI, c.IDTokenEncAlg = "https://portal.example.ua/jwks", "ECDH-ES"
	f := newFixture(t, memStore(t), c)
	asked := 0
	config := f.p.cfg
	config.Fetch = func(context.Context, fetch.Request) (*fetch.Response, error) {
		asked++
		body := jwks(t, jose.JSONWebKey{Key: pair.signing.Public(), KeyID: "signing", Use: "sig"})
		if asked > 1 {
			body = pair.set(t)
		}
		return &fetch.Response{Status: 200, Body: body}, nil
	}
	var err error
	if f.p, err = New(config); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		pair.open(t, f.mustExchange(f.code())["id_token"].(string), "ECDH-ES", defaultEnc)
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
