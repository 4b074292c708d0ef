package oauth

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/storage/memstore"
)

func TestCodeFlow(t *testing.T) {
	f := newFixture(t, memStore(t))
	before := time.Now().Unix()
	q := f.answerOf(f.ask(params("scope", "openid profile ua.person")))
	if q.Get("state") != "state-of-the-portal" || q.Get("iss") != testIssuer {
		t.Errorf("answer %v", q)
	}
	body := f.mustExchange(q.Get("code"))
	if body["token_type"] != "Bearer" || body["scope"] != "openid profile ua.person" || body["refresh_token"] != nil {
		t.Errorf("token answer %v", body)
	}
	if n, ok := body["expires_in"].(float64); !ok || n < 590 || n > 600 {
		t.Errorf("expires_in %v", body["expires_in"])
	}
	c := f.idClaims(body)
	for name, want := range map[string]any{
		"iss": testIssuer, "nonce": "nonce-of-the-portal", "acr": "substantial",
		"name": "Шевченко Тарас Григорович", "family_name": "Шевченко", "given_name": "Тарас", "middle_name": "Григорович",
		"rnokpp": "3333333334", "unzr": "19900102-12345",
		"birthdate": nil, "edrpou": nil, "organization": nil, "title": nil, "certificate": nil, "rat": nil,
	} {
		if c[name] != want {
			t.Errorf("claim %s: got %v, want %v", name, c[name], want)
		}
	}
	if aud, ok := c["aud"].([]any); !ok || len(aud) != 1 || aud[0] != "portal" {
		t.Errorf("aud %v", c["aud"])
	}
	if at := int64(c["auth_time"].(float64)); at < before || at > time.Now().Unix() {
		t.Errorf("auth_time %d", at)
	}
	if amr := c["amr"].([]any); len(amr) != 1 || amr[0] != "swk" {
		t.Errorf("amr %v", amr)
	}
	status, info := f.userinfo(body["access_token"].(string))
	if status != 200 || info["sub"] != c["sub"] || info["rnokpp"] != "3333333334" || info["name"] != c["name"] || info["acr"] != nil {
		t.Errorf("userinfo %d %v", status, info)
	}
}

func TestPostedAuthorizeRequest(t *testing.T) {
	f := newFixture(t, memStore(t))
	r := httptest.NewRequest("POST", PathAuthorize, strings.NewReader(params().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if q := f.answerOf(f.do(r)); q.Get("code") == "" {
		t.Errorf("answer %v", q)
	}
}

func TestClaimsByRegistrationAndProof(t *testing.T) {
	c := portal()
	c.Claims = []string{"edrpou", "title", "birthdate"}
	c.CertificateClaims = true
	c.IDTokenAlg = "RS256"
	f := newFixture(t, memStore(t), c)
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.Role = "organization"
		s.Identity.BirthDate = time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC)
		return s
	}
	body := f.mustExchange(f.code("scope", strings.Join(scopes, " ")))
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(body["id_token"].(string), ".")[0])
	if err != nil || !strings.Contains(string(header), `"RS256"`) {
		t.Errorf("header %s, %v", header, err)
	}
	claims := f.idClaims(body)
	for name, want := range map[string]any{
		"edrpou": "12345678", "title": "Директор", "birthdate": "1990-01-02", "organization": nil, "rnokpp": nil, "unzr": nil,
	} {
		if claims[name] != want {
			t.Errorf("claim %s: got %v, want %v", name, claims[name], want)
		}
	}
	cert, ok := claims["certificate"].(map[string]any)
	if !ok || cert["serial"] != "0a1b2c3d4e5f" || cert["issuer"] != "КНЕДП" || cert["status_checked_at"] == nil || cert["not_before"] == nil || cert["not_after"] == nil {
		t.Errorf("certificate %v", claims["certificate"])
	}
}

// A number of another country is not the Ukrainian one.
func TestForeignNumberIsNoTaxNumber(t *testing.T) {
	f := newFixture(t, memStore(t))
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.Identity.Identifiers[0].Country = "PL"
		return s
	}
	if c := f.idClaims(f.mustExchange(f.code())); c["rnokpp"] != nil {
		t.Errorf("rnokpp %v", c["rnokpp"])
	}
}

func TestRequiredClaim(t *testing.T) {
	c := portal()
	c.RequiredClaims = []string{"birthdate"}
	f := newFixture(t, memStore(t), c)
	if q := f.answerOf(f.ask(params())); q.Get("error") != "access_denied" || q.Get("iss") != testIssuer {
		t.Errorf("answer %v", q)
	}
}

// Nobody grants a role that is not of the certificate (T32), nor a login without a person.
func TestSubjectIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Subject){
		"foreign role": func(s *Subject) { s.Role = "director-of-another" },
		"no person":    func(s *Subject) { s.PersonID = "" },
		"no level":     func(s *Subject) { s.Identity.LoA = "" },
		"no time":      func(s *Subject) { s.Identity.AuthTime = time.Time{} },
		"future":       func(s *Subject) { s.Identity.AuthTime = time.Now().Add(time.Hour) },
	} {
		f := newFixture(t, memStore(t))
		f.subject = func(*AuthorizeRequest) Subject {
			s := testSubject(time.Now())
			change(&s)
			return s
		}
		if q := f.answerOf(f.ask(params())); q.Get("error") != "server_error" || q.Get("code") != "" {
			t.Errorf("%s: %v", name, q)
		}
	}
}

// T100: two portals learn nothing that joins their profiles, beyond what both were registered to see.
func TestTokensShareNothing(t *testing.T) {
	a, b := portal(), portal()
	a.Claims, b.Claims = nil, nil
	b.ID, b.RedirectURIs = "other", []string{"https://other.example.ua/cb"}
	f := newFixture(t, memStore(t), a, b)
	subject := testSubject(time.Now())
	f.subject = func(r *AuthorizeRequest) Subject {
		s := subject
		s.SID = "sid-at-" + r.ClientID // portals that share no session have one each
		return s
	}
	first := f.mustExchange(f.code())
	code := f.code("client_id", "other", "redirect_uri", "https://other.example.ua/cb", "nonce", "another-nonce")
	r := tokenRequest(tokenParams(code, "redirect_uri", "https://other.example.ua/cb"))
	r.SetBasicAuth("other", testSecret)
	status, second := f.tokens(r)
	if status != 200 {
		t.Fatal(second)
	}
	shared := map[string]bool{}
	one, two := f.idClaims(first), f.idClaims(second)
	for name, v := range one {
		x, _ := json.Marshal(v)
		for other, w := range two {
			if y, _ := json.Marshal(w); string(x) == string(y) {
				shared[name], shared[other] = true, true
			}
		}
	}
	for name := range shared {
		if !slices.Contains([]string{"iss", "acr", "amr", "name", "family_name", "given_name", "middle_name", "auth_time", "iat", "exp", "consent_at", "consent_version"}, name) {
			t.Errorf("both tokens have the same %s", name)
		}
	}
	all, _ := json.Marshal([]any{one, two})
	for _, secret := range []string{subject.PersonID, subject.LoginID, subject.Identity.Certificate.Serial, "3333333334"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("tokens hold %q", secret)
		}
	}
	again := f.mustExchange(f.code())
	if f.idClaims(again)["sub"] != one["sub"] {
		t.Error("sub changed between two logins at one portal")
	}
}

func TestPublicSubject(t *testing.T) {
	a, b := portal(), portal()
	a.SubjectType, b.SubjectType = Public, Public
	b.ID, b.RedirectURIs = "other", []string{"https://other.example.ua/cb"}
	f := newFixture(t, memStore(t), a, b)
	x, err := f.p.subject(&a, "person")
	if err != nil {
		t.Fatal(err)
	}
	y, _ := f.p.subject(&b, "person")
	c := portal()
	z, _ := f.p.subject(&c, "person")
	if x != y || x == z || strings.Contains(x, "person") {
		t.Errorf("public %s and %s, pairwise %s", x, y, z)
	}
}

func TestStaticAnswers(t *testing.T) {
	f := newFixture(t, memStore(t))
	for _, path := range []string{PathJWKS, PathDiscovery} {
		w := f.do(httptest.NewRequest("GET", path, nil))
		if w.Header().Get("Cache-Control") != maxAge || w.Header().Get("ETag") == "" {
			t.Errorf("%s cannot be kept: %v", path, w.Header())
		}
		again := httptest.NewRequest("GET", path, nil)
		again.Header.Set("If-None-Match", w.Header().Get("ETag"))
		if w := f.do(again); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("%s once more: %d", path, w.Code)
		}
		if w := f.do(httptest.NewRequest("HEAD", path, nil)); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
		if w := f.do(httptest.NewRequest("POST", path, nil)); w.Code != 405 {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name, change := range map[string]func(*Config){
		"http issuer":    func(c *Config) { c.Issuer = "http://id.example.ua" },
		"slash":          func(c *Config) { c.Issuer = "https://id.example.ua/" },
		"query":          func(c *Config) { c.Issuer = "https://id.example.ua?a" },
		"no store":       func(c *Config) { c.Store = nil },
		"no secret":      func(c *Config) { c.TokenSecrets = nil },
		"short secret":   func(c *Config) { c.TokenSecrets = [][]byte{bytesOf(1)[:31]} },
		"short subjects": func(c *Config) { c.SubjectSecret = bytesOf(1)[:31] },
	} {
		cfg := f.p.cfg
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A clock that is set, for tests with keys of another year, decides over codes and tokens, though fosite has its own.
func TestInjectedClock(t *testing.T) {
	now := time.Date(2019, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	store := memstore.New(memstore.Config{Now: clock})
	f := newFixture(t, store)
	cfg := f.p.cfg
	cfg.Now = clock
	var err error
	if f.p, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(now) }
	code := f.code("prompt", "login", "max_age", "60")
	now = now.Add(59 * time.Second)
	token := f.mustExchange(code)["access_token"].(string)
	late := f.code()
	now = now.Add(61 * time.Second)
	status, body := f.exchange(late)
	want(t, "code after a minute of that clock", status, body, 400, "invalid_grant")
	now = now.Add(8 * time.Minute)
	if status, body := f.userinfo(token); status != 200 {
		t.Errorf("token after 9 minutes: %d %v", status, body)
	}
	now = now.Add(2 * time.Minute)
	status, body = f.userinfo(token)
	want(t, "token after 11 minutes", status, body, 401, "invalid_token")
}
