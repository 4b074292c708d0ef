package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
	"brama/storage/memstore"
)

// A prover is a client's DPoP key.
type prover struct {
	t    testing.TB
	key  crypto.Signer
	alg  string
	base string // of htu
}

func newProver(t testing.TB) *prover {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &prover{t: t, key: key, alg: "ES256", base: testIssuer}
}

func (k *prover) jwk() map[string]any {
	k.t.Helper()
	raw, err := jose.JSONWebKey{Key: k.key.Public()}.MarshalJSON()
	if err != nil {
		k.t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil {
		k.t.Fatal(err)
	}
	return m
}

func (k *prover) jkt() string {
	k.t.Helper()
	sum, err := (&jose.JSONWebKey{Key: k.key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		k.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// changed returns m with changes applied: name, value; a nil value removes.
func changed(m map[string]any, changes ...any) map[string]any {
	for i := 0; i < len(changes); i += 2 {
		name, _ := changes[i].(string)
		if changes[i+1] == nil {
			delete(m, name)
		} else {
			m[name] = changes[i+1]
		}
	}
	return m
}

// proof makes a proof for a POST to path.
func (k *prover) proof(path string, changes ...any) string {
	k.t.Helper()
	return k.signed(map[string]any{"typ": typProof, "alg": k.alg, "jwk": k.jwk()}, k.claims(path, changes...))
}

func (k *prover) claims(path string, changes ...any) map[string]any {
	return changed(map[string]any{
		"jti": rand.Text(), "htm": "POST", "htu": k.base + path, "iat": time.Now().Unix(),
	}, changes...)
}

func (k *prover) signed(header, claims map[string]any) string {
	k.t.Helper()
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	return k.sign(string(h), string(c))
}

func (k *prover) sign(header, payload string) string {
	k.t.Helper()
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	var signature []byte
	var err error
	switch key := k.key.(type) {
	case *ecdsa.PrivateKey:
		r, s, e := ecdsa.Sign(rand.Reader, key, sum[:])
		err = e
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		if k.alg == "PS256" {
			signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		}
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(input))
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// dpopExchange exchanges a code with a proof.
func (f *fixture) dpopExchange(code, proof string) (int, map[string]any) {
	f.t.Helper()
	r := tokenRequest(tokenParams(code))
	r.SetBasicAuth("portal", testSecret)
	r.Header.Set("DPoP", proof)
	return f.tokens(r)
}

func (f *fixture) dpopRefresh(token, proof string) (int, map[string]any) {
	f.t.Helper()
	r := asked(PathToken, "portal", url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {token}})
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return f.tokens(r)
}

func (f *fixture) dpopUserinfo(scheme, token, proof string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", PathUserInfo, nil)
	r.Header.Set("Authorization", scheme+" "+token)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return f.do(r)
}

func TestDPoP(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	for name, k := range map[string]*prover{
		"ES256": newProver(t),
		"PS256": {t, rsaKey, "PS256", testIssuer},
		"RS256": {t, rsaKey, "RS256", testIssuer},
		"EdDSA": {t, edKey, "EdDSA", testIssuer},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, memStore(t), interfaces()...)
			status, body := f.dpopExchange(f.code(), k.proof(PathToken))
			if status != 200 || body["token_type"] != "DPoP" {
				t.Fatalf("%d %v", status, body)
			}
			token := accessOf(body)
			get := func(changes ...any) string {
				return k.proof(PathUserInfo, append([]any{"htm", "GET", "ath", accessHash(token)}, changes...)...)
			}
			if w := f.dpopUserinfo("DPoP", token, get()); w.Code != 200 {
				t.Errorf("userinfo: %d %s", w.Code, w.Body)
			}
			// A bound token is worth nothing without its key (RFC 9449, 7.2).
			for name, w := range map[string]*httptest.ResponseRecorder{
				"as Bearer":              f.dpopUserinfo("Bearer", token, ""),
				"as Bearer, with proof":  f.dpopUserinfo("Bearer", token, get()),
				"no proof":               f.dpopUserinfo("DPoP", token, ""),
				"another key":            f.dpopUserinfo("DPoP", token, newProver(t).proof(PathUserInfo, "htm", "GET", "ath", accessHash(token))),
				"no ath":                 f.dpopUserinfo("DPoP", token, get("ath", nil)),
				"ath of another token":   f.dpopUserinfo("DPoP", token, get("ath", accessHash("x"))),
				"for another method":     f.dpopUserinfo("DPoP", token, get("htm", "POST")),
				"for the token endpoint": f.dpopUserinfo("DPoP", token, get("htu", testIssuer+PathToken)),
			} {
				if w.Code != 401 || !strings.Contains(strings.Join(w.Header().Values("WWW-Authenticate"), ","), `error="invalid_`) {
					t.Errorf("%s: %d %v", name, w.Code, w.Header().Values("WWW-Authenticate"))
				}
			}
			used := get()
			f.dpopUserinfo("DPoP", token, used)
			if w := f.dpopUserinfo("DPoP", token, used); w.Code != 401 || !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_dpop_proof") {
				t.Errorf("proof again: %d %v", w.Code, w.Header())
			}
			got := f.introspect("portal", token)
			cnf, _ := got["cnf"].(map[string]any)
			if cnf["jkt"] != k.jkt() || got["token_type"] != "DPoP" {
				t.Errorf("introspection %v", got)
			}
			// A bearer token does not become another by the scheme.
			bearer := accessOf(f.mustExchange(f.code()))
			if w := f.dpopUserinfo("DPoP", bearer, k.proof(PathUserInfo, "htm", "GET", "ath", accessHash(bearer))); w.Code != 401 {
				t.Errorf("bearer token by DPoP: %d", w.Code)
			}
		})
	}
}

// T73 for proofs: everything that must be refused, and that refusing spends nothing.
func TestDPoPProofRefused(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	k := newProver(t)
	now := time.Now().Unix()
	header := func(changes ...any) map[string]any {
		return changed(map[string]any{"typ": typProof, "alg": "ES256", "jwk": k.jwk()}, changes...)
	}
	private, _ := jose.JSONWebKey{Key: k.key}.MarshalJSON()
	var privateKey map[string]any
	_ = json.Unmarshal(private, &privateKey)
	small, _ := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // the point of the test
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	other := newProver(t)
	good := k.claims(PathToken)
	h, _ := json.Marshal(header())
	c, _ := json.Marshal(good)
	none := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(h), "ES256", "none", 1))) + "." + base64.RawURLEncoding.EncodeToString(c) + "."
	proofs := map[string]string{
		"empty":               " ",
		"garbage":             "a.b.c",
		"two parts":           strings.TrimSuffix(k.proof(PathToken), k.proof(PathToken)[len(k.proof(PathToken))-10:]) + ".",
		"too long":            k.proof(PathToken, "jti", strings.Repeat("x", maxProof)),
		"long jti":            k.proof(PathToken, "jti", strings.Repeat("x", maxJTI+1)),
		"type JWT":            k.signed(header("typ", "JWT"), good),
		"no type":             k.signed(header("typ", nil), good),
		"alg none":            none,
		"HS256":               k.signed(header("alg", "HS256"), good),
		"ES384":               k.signed(header("alg", "ES384"), good),
		"PS256 of an EC key":  k.signed(header("alg", "PS256"), good),
		"no key":              k.signed(header("jwk", nil), good),
		"key as text":         k.signed(header("jwk", "x"), good),
		"private key":         k.signed(header("jwk", privateKey), good),
		"symmetric key":       k.signed(header("jwk", map[string]any{"kty": "oct", "k": "AAAA"}), good),
		"another key":         k.signed(header("jwk", other.jwk()), good),
		"critical":            k.signed(header("crit", []string{"x"}, "x", 1), good),
		"RSA of 1024 bits":    (&prover{t, small, "RS256", testIssuer}).proof(PathToken),
		"P-384":               k.signed(header("jwk", (&prover{t, p384, "ES256", testIssuer}).jwk()), good),
		"type twice":          k.sign(`{"typ":"dpop+jwt","typ":"dpop+jwt",`+string(h[1:]), string(c)),
		"htu twice":           k.sign(string(h), `{"htu":"x",`+string(c[1:])),
		"claims no object":    k.sign(string(h), `[]`),
		"no jti":              k.proof(PathToken, "jti", nil),
		"empty jti":           k.proof(PathToken, "jti", ""),
		"jti a number":        k.proof(PathToken, "jti", 1),
		"no htm":              k.proof(PathToken, "htm", nil),
		"htm GET":             k.proof(PathToken, "htm", "GET"),
		"htm post":            k.proof(PathToken, "htm", "post"),
		"no htu":              k.proof(PathToken, "htu", nil),
		"htu of another":      k.proof(PathToken, "htu", "https://id.example.com"+PathToken),
		"htu over http":       k.proof(PathToken, "htu", "http://id.example.ua"+PathToken),
		"htu with a user":     k.proof(PathToken, "htu", "https://a@id.example.ua"+PathToken),
		"htu of another path": k.proof(PathUserInfo),
		"no iat":              k.proof(PathToken, "iat", nil),
		"iat as text":         k.proof(PathToken, "iat", "1"),
		"iat zero":            k.proof(PathToken, "iat", 0),
		"old":                 k.proof(PathToken, "iat", now-int64(proofPast/time.Second)-1),
		"of the future":       k.proof(PathToken, "iat", now+60),
		"of a far future":     k.proof(PathToken, "iat", now+18446744073), // 2^64 nanoseconds
		"foreign nonce":       k.proof(PathToken, "nonce", "made-up"),
		"nonce a number":      k.proof(PathToken, "nonce", 1),
	}
	code := f.code()
	for name, proof := range proofs {
		status, body := f.dpopExchange(code, proof)
		code := "invalid_dpop_proof"
		if name == "foreign nonce" {
			code = "use_dpop_nonce"
		}
		want(t, name, status, body, 400, code)
	}
	r := tokenRequest(tokenParams(code))
	r.SetBasicAuth("portal", testSecret)
	r.Header.Add("DPoP", k.proof(PathToken))
	r.Header.Add("DPoP", k.proof(PathToken))
	status, body := f.tokens(r)
	want(t, "two proofs", status, body, 400, "invalid_dpop_proof")
	for _, fine := range []string{
		k.proof(PathToken, "iat", now+10), k.proof(PathToken, "iat", float64(now)+0.5), k.proof(PathToken, "iat", now-60),
		k.proof(PathToken, "htu", "HTTPS://ID.example.ua:443"+PathToken+"?a=b#c"), k.proof(PathToken, "more", []any{1}),
	} {
		if status, body := f.dpopExchange(f.code(), fine); status != 200 {
			t.Errorf("%v", body)
		}
	}
	if status, body := f.dpopExchange(code, k.proof(PathToken)); status != 200 {
		t.Errorf("the code after so many bad proofs: %v", body)
	}
}

// Of 32 requests with one proof one is answered.
func TestDPoPProofRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t), interfaces()...)
			proof := newProver(t).proof(PathToken)
			const racers = 32
			status, bodies := make([]int, racers), make([]map[string]any, racers)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range racers {
				wg.Go(func() {
					<-start
					r := asked(PathToken, "portal", url.Values{"grant_type": {GrantClientCredentials}})
					r.Header.Set("DPoP", proof)
					status[i], bodies[i] = f.tokens(r)
				})
			}
			close(start)
			wg.Wait()
			winners := 0
			for i := range racers {
				if status[i] == 200 {
					winners++
					continue
				}
				want(t, "loser", status[i], bodies[i], 400, "invalid_dpop_proof")
			}
			if winners != 1 {
				t.Errorf("%d winners, want 1", winners)
			}
		})
	}
}

// A nonce is demanded, given, taken for two steps of time, and never one of another server.
func TestDPoPNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}), interfaces()...).with(func(c *Config) { c.DPoPNonce = true })
		k := newProver(t)
		ask := func(changes ...any) *httptest.ResponseRecorder {
			r := asked(PathToken, "portal", url.Values{"grant_type": {GrantClientCredentials}})
			r.Header.Set("DPoP", k.proof(PathToken, changes...))
			return f.do(r)
		}
		w := ask()
		nonce := w.Header().Get("DPoP-Nonce")
		if w.Code != 400 || !strings.Contains(w.Body.String(), "use_dpop_nonce") || nonce == "" {
			t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
		}
		if w := ask("nonce", nonce); w.Code != 200 || w.Header().Get("DPoP-Nonce") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		time.Sleep(nonceStep)
		if w := ask("nonce", nonce); w.Code != 200 || w.Header().Get("DPoP-Nonce") == nonce {
			t.Errorf("a step later: %d %s", w.Code, w.Body)
		}
		time.Sleep(nonceStep)
		if w := ask("nonce", nonce); w.Code != 400 || !strings.Contains(w.Body.String(), "use_dpop_nonce") {
			t.Errorf("two steps later: %d %s", w.Code, w.Body)
		}
		var body map[string]any
		_ = json.Unmarshal(ask("nonce", f.p.nonces.fresh(time.Now())).Body.Bytes(), &body)
		u := f.dpopUserinfo("DPoP", accessOf(f.mustDPoP(k)), k.proof(PathUserInfo, "htm", "GET", "ath", "x"))
		if u.Code != 401 || u.Header().Get("DPoP-Nonce") == "" {
			t.Errorf("userinfo without nonce: %d %v", u.Code, u.Header())
		}
	})
}

// mustDPoP signs in with a bound token.
func (f *fixture) mustDPoP(k *prover) map[string]any {
	f.t.Helper()
	status, body := f.dpopExchange(f.code(), k.proof(PathToken, "nonce", f.p.nonces.fresh(f.p.cfg.Now())))
	if status != 200 {
		f.t.Fatalf("%d %v", status, body)
	}
	return body
}

// RFC 9449, 10: a code that was asked for a key is worth nothing to another, and dies with the try.
func TestDPoPCodeBinding(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	k := newProver(t)
	if status, body := f.dpopExchange(f.code("dpop_jkt", k.jkt()), k.proof(PathToken)); status != 200 {
		t.Fatalf("%v", body)
	}
	code := f.code("dpop_jkt", k.jkt())
	status, body := f.dpopExchange(code, newProver(t).proof(PathToken))
	want(t, "another key", status, body, 400, "invalid_grant")
	status, body = f.dpopExchange(code, k.proof(PathToken))
	want(t, "then the right one", status, body, 400, "invalid_grant")
	status, body = f.exchange(f.code("dpop_jkt", k.jkt()))
	want(t, "no key", status, body, 400, "invalid_grant")
}

// RFC 9449, 5: the refresh token of a public client is bound to its key, that of a confidential one to its client.
func TestDPoPRefresh(t *testing.T) {
	public := refresher()
	public.ID, public.SecretHash = "public", nil
	f := newFixture(t, memStore(t), append(interfaces(), public)...)
	k, other := newProver(t), newProver(t)
	ask := func(v url.Values, proof string) (int, map[string]any) {
		v.Set("client_id", "public")
		r := tokenRequest(v)
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
		return f.tokens(r)
	}
	_, body := ask(tokenParams(f.code("client_id", "public")), k.proof(PathToken))
	again := url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {refreshOf(body)}}
	status, answer := ask(again, other.proof(PathToken))
	want(t, "another key", status, answer, 400, "invalid_grant")
	status, answer = ask(again, "")
	want(t, "no key", status, answer, 400, "invalid_grant")
	if status, answer = ask(again, k.proof(PathToken)); status != 200 || answer["token_type"] != "DPoP" {
		t.Errorf("its own key: %v", answer) // and the thief could not kill the family
	}

	_, body = f.dpopExchange(f.code(), k.proof(PathToken))
	status, body = f.dpopRefresh(refreshOf(body), other.proof(PathToken))
	if status != 200 || body["token_type"] != "DPoP" {
		t.Fatalf("confidential client with a new key: %v", body)
	}
	cnf, _ := f.introspect("portal", accessOf(body))["cnf"].(map[string]any)
	if cnf["jkt"] != other.jkt() {
		t.Errorf("bound to %v", cnf)
	}
}

// A client that is registered for bound tokens gets no others.
func TestDPoPBoundClient(t *testing.T) {
	c := refresher()
	c.DPoPBound = true
	f := newFixture(t, memStore(t), c)
	code := f.code()
	status, body := f.exchange(code)
	want(t, "no proof", status, body, 400, "invalid_request")
	if status, body := f.dpopExchange(code, newProver(t).proof(PathToken)); status != 200 {
		t.Errorf("%v", body)
	}
}

func TestHTU(t *testing.T) {
	for htu, want := range map[string]bool{
		"https://id.example.ua/token":          true,
		"https://ID.example.UA/token":          true,
		"https://id.example.ua:443/token":      true,
		"https://id.example.ua/token?x=1":      true,
		"https://id.example.ua/token#x":        true,
		"https://id.example.ua:8443/token":     false,
		"https://id.example.ua/token/":         false,
		"https://id.example.ua/Token":          false,
		"https://id.example.ua/%74oken":        false,
		"https://id.example.ua/a/../token":     false,
		"https://id.example.ua.evil.org/token": false,
		"//id.example.ua/token":                false,
		"/token":                               false,
		"":                                     false,
		"%":                                    false,
	} {
		if got := sameEndpoint(htu, testIssuer+PathToken); got != want {
			t.Errorf("%q: %v", htu, got)
		}
	}
}

func FuzzDPoPProof(f *testing.F) {
	k := newProver(f)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	for _, one := range []*prover{k, {f, rsaKey, "PS256", testIssuer}, {f, rsaKey, "RS256", testIssuer}, {f, edKey, "EdDSA", testIssuer}} {
		proof := one.proof(PathToken, "nonce", "n", "ath", accessHash("x"))
		f.Add(proof)
		f.Add(proof[:len(proof)-2])
		f.Add(one.sign(`{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC"}}`, `{}`))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := parseProof(raw)
		if err != nil {
			return
		}
		if p.id == "" || p.method == "" || p.uri == "" || p.issuedAt.IsZero() || p.key == [32]byte{} {
			t.Fatalf("accepted %+v", p)
		}
		_ = sameEndpoint(p.uri, testIssuer+PathToken)
	})
}

// RFC 8705, 3: a token bound to a certificate is worth nothing over a connection with another, or with none.
func TestCertificateBoundToken(t *testing.T) {
	c := interfaces()[0]
	c.CertificateBound = true
	f := newFixture(t, memStore(t), c)
	same := func(*x509.Certificate) {}
	one, two := (*authority)(nil).issue(t, same), (*authority)(nil).issue(t, same)
	over := func(r *http.Request, peer *x509.Certificate) (int, map[string]any) {
		return f.tokens(r.WithContext(WithPeerCertificate(r.Context(), peer)))
	}
	exchange := func(code string, peer *x509.Certificate) (int, map[string]any) {
		r := tokenRequest(tokenParams(code))
		r.SetBasicAuth("portal", testSecret)
		return over(r, peer)
	}
	code := f.code()
	status, body := exchange(code, nil)
	want(t, "no certificate", status, body, 400, "invalid_request")
	status, body = exchange(code, one)
	if status != 200 || body["token_type"] != "Bearer" {
		t.Fatalf("%d %v", status, body)
	}
	sum := sha256.Sum256(one.Raw)
	cnf, _ := f.introspect("portal", accessOf(body))["cnf"].(map[string]any)
	if cnf["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("cnf %v", cnf)
	}
	for name, peer := range map[string]*x509.Certificate{"its own": one, "another": two, "none": nil} {
		r := httptest.NewRequest("GET", PathUserInfo, nil)
		r.Header.Set("Authorization", "Bearer "+accessOf(body))
		if status, answer := over(r, peer); (status == 200) != (name == "its own") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	r := asked(PathToken, "portal", url.Values{"grant_type": {GrantClientCredentials}})
	r.Header.Set("DPoP", newProver(t).proof(PathToken))
	status, body = over(r, one)
	want(t, "with a proof too", status, body, 400, "invalid_dpop_proof")
}

// RFC 9449, 10.1: a proof beside a pushed request binds its code, as dpop_jkt does, and the two must agree.
func TestDPoPPushed(t *testing.T) {
	f := newFixture(t, memStore(t), interfaces()...)
	k := newProver(t)
	push := func(v url.Values, proof string) (int, map[string]any) {
		r := asked(PathPAR, "portal", v)
		r.Header.Set("DPoP", proof)
		return f.pushRequest(r)
	}
	code := func(body map[string]any) string {
		handle, _ := body["request_uri"].(string)
		return f.answerOf(f.ask(url.Values{"client_id": {"portal"}, "request_uri": {handle}})).Get("code")
	}
	status, body := push(params(), k.proof(PathPAR))
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, body)
	}
	status, answer := f.dpopExchange(code(body), newProver(t).proof(PathToken))
	want(t, "another key", status, answer, 400, "invalid_grant")
	_, body = push(params("dpop_jkt", k.jkt()), k.proof(PathPAR))
	if status, answer := f.dpopExchange(code(body), k.proof(PathToken)); status != 200 {
		t.Errorf("%v", answer)
	}
	status, body = push(params("dpop_jkt", newProver(t).jkt()), k.proof(PathPAR))
	want(t, "dpop_jkt of another key", status, body, 400, "invalid_dpop_proof")
	status, body = push(params(), k.proof(PathToken))
	want(t, "proof for another endpoint", status, body, 400, "invalid_dpop_proof")
	used := k.proof(PathPAR)
	push(params(), used)
	status, body = push(params(), used)
	want(t, "proof again", status, body, 400, "invalid_dpop_proof")
}
