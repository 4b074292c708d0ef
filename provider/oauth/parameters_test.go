package oauth

import (
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brama/connectors"
	"brama/storage/memstore"
)

// read returns the request that the login gets, or fails.
func (f *fixture) read(changes ...string) *AuthorizeRequest {
	f.t.Helper()
	req, err := f.p.ReadAuthorize(httptest.NewRequest("GET", PathAuthorize+"?"+params(changes...).Encode(), nil))
	if err != nil {
		f.t.Fatalf("%v: %v", changes, err)
	}
	return req
}

// refused checks that a request comes back to the client with the code.
func (f *fixture) refused(name, code string, changes ...string) {
	f.t.Helper()
	q := f.answerOf(f.ask(params(changes...)))
	if q.Get("error") != code || q.Has("code") || q.Get("iss") != testIssuer || q.Get("state") != "state-of-the-portal" {
		f.t.Errorf("%s: %v, want %s", name, q, code)
	}
}

func TestParametersAreRead(t *testing.T) {
	f := newFixture(t, memStore(t))
	jkt := challengeOf("a key")
	req := f.read("prompt", "login  consent login", "max_age", "60", "acr_values", "high low", "ui_locales", "uk-UA en",
		"idp_hint", "diia", "login_hint", "taras@example.ua", "dpop_jkt", jkt, "account_hint", "x", "purpose", "Щоб знати, хто ви", "unknown", "ignored",
		"claims", `{"userinfo":{"name":{"essential":true},"given_name":null},"id_token":{"rnokpp":{"purpose":"x"},"birthdate":{"value":"1990-01-02"}},"other":5}`)
	if !slices.Equal(req.Prompt, []string{"login", "consent"}) || *req.MaxAge != 60 || !slices.Equal(req.ACRValues, []string{"high", "low"}) ||
		req.ACREssential || !slices.Equal(req.UILocales, []string{"uk-UA", "en"}) || req.IDPHint != "diia" ||
		req.LoginHint != "taras@example.ua" || req.DPoPJKT != jkt || req.AccountHint != "" || req.Purpose != "" {
		t.Errorf("%+v", req)
	}
	want := &ClaimsRequest{
		UserInfo: ClaimSet{Claims: map[string]ClaimRequest{"name": {Essential: true}, "given_name": {}}},
		IDToken:  ClaimSet{Claims: map[string]ClaimRequest{"rnokpp": {}, "birthdate": {Values: []any{"1990-01-02"}}}},
	}
	if !reflect.DeepEqual(req.Claims, want) {
		t.Errorf("claims %+v", req.Claims)
	}
	for _, name := range []string{"claims", "id_token_hint", "login_hint", "unknown", "dpop_jkt", "purpose"} {
		if req.form().Has(name) {
			t.Errorf("%s reaches fosite", name)
		}
	}
	if req := f.read("display", "hologram", "ui_locales", "zz"); req.form().Has("display") || !slices.Equal(req.UILocales, []string{"zz"}) {
		t.Errorf("%+v", req)
	}
	if req := f.read("purpose", "link", "account_hint", "taras", "max_age", "60"); req.Purpose != "link" || req.AccountHint != "taras" || !slices.Equal(req.Prompt, []string{"login"}) {
		t.Errorf("%+v", req)
	}
	f.refused("link in silence", "invalid_request", "purpose", "link", "prompt", "none")
	f.refused("short dpop_jkt", "invalid_request", "dpop_jkt", "abc")
	f.refused("line end in login_hint", "invalid_request", "login_hint", "a\nb")
	f.refused("turned login_hint", "invalid_request", "login_hint", "a\u202eb")
}

// Threat T75: a link made in the session of somebody else gives his account away.
func TestLinkNeedsFreshSignature(t *testing.T) {
	f := newFixture(t, memStore(t))
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now().Add(-time.Minute)) }
	f.refused("link with an old login", "login_required", "purpose", "link")
}

func TestRegisteredDefaults(t *testing.T) {
	hour, zero := 3600, 0
	c := portal()
	c.DefaultMaxAge, c.DefaultACR = &hour, []string{"high"}
	f := newFixture(t, memStore(t), c)
	if req := f.read(); *req.MaxAge != 3600 || !slices.Equal(req.ACRValues, []string{"high"}) || req.ACREssential {
		t.Errorf("%+v", req)
	}
	if req := f.read("max_age", "5", "acr_values", "low"); *req.MaxAge != 5 || !slices.Equal(req.ACRValues, []string{"low"}) {
		t.Errorf("%+v", req)
	}
	f.subject = func(*AuthorizeRequest) Subject { return testSubject(time.Now().Add(-2 * time.Hour)) }
	f.refused("login older than the registration allows", "login_required")
	c.DefaultMaxAge = &zero
	f = newFixture(t, memStore(t), c)
	if req := f.read(); !slices.Equal(req.Prompt, []string{"login"}) {
		t.Errorf("default_max_age 0: %+v", req)
	}
}

// Threat T33: an essential level that is not met is an error, never a lower one in silence; and never a higher one than the
// login had.
func TestEssentialACR(t *testing.T) {
	f := newFixture(t, memStore(t))
	level := connectors.Substantial
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.Identity.LoA = level
		return s
	}
	essential := func(values string) string { return `{"id_token":{"acr":{"essential":true,"values":` + values + `}}}` }
	for _, c := range []struct {
		level  connectors.LoA
		values string
		want   string // "" is unmet
	}{
		{connectors.Substantial, `["substantial"]`, "substantial"},
		{connectors.Substantial, `["high"]`, ""},
		{connectors.Low, `["substantial","high"]`, ""},
		{connectors.High, `["substantial","low"]`, "substantial"},
		{connectors.High, `["low"]`, "low"},
		{connectors.Substantial, `["urn:mace:incommon:iap:silver"]`, ""},
		{connectors.Substantial, `["urn:x","low"]`, "low"},
	} {
		level = c.level
		if c.want == "" {
			f.refused(c.values, "unmet_authentication_requirements", "claims", essential(c.values), "acr_values", "low")
			continue
		}
		if got := f.idClaims(f.mustExchange(f.code("claims", essential(c.values))))["acr"]; got != c.want {
			t.Errorf("%s at %s: acr %v", c.values, c.level, got)
		}
	}
	level = connectors.Low
	if got := f.idClaims(f.mustExchange(f.code("claims", `{"id_token":{"acr":{"values":["high"]}}}`)))["acr"]; got != "low" {
		t.Errorf("voluntary: %v", got)
	}
	if req := f.read("claims", `{"id_token":{"acr":{"essential":true}}}`, "acr_values", "low"); req.ACREssential || !slices.Equal(req.ACRValues, []string{"low"}) {
		t.Errorf("essential without values: %+v", req)
	}
}

// fosite decodes the hint with the current key only and does not look at iss and aud (fosite notes, trap 14).
func TestIDTokenHint(t *testing.T) {
	other := portal()
	other.ID = "other"
	f := newFixture(t, memStore(t), portal(), other)
	body := f.mustExchange(f.code())
	hint := body["id_token"].(string)
	sub := f.idClaims(body)["sub"].(string)

	req := f.read("id_token_hint", hint)
	if req.HintSubject != sub || req.form().Has("id_token_hint") {
		t.Fatalf("%+v, want subject %s", req, sub)
	}
	if got, err := f.p.SubjectOf(new(portal()), "person-1"); err != nil || got != sub {
		t.Errorf("SubjectOf: %s, %v", got, err)
	}
	f.mustExchange(f.code("id_token_hint", hint))

	sign := func(change func(map[string]any)) string {
		claims := map[string]any{"iss": testIssuer, "sub": sub, "aud": []string{"portal"}, "exp": 1, "iat": 1, "auth_time": 1}
		change(claims)
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		token, err := f.p.cfg.Keys.Sign("ES256", payload)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	if req := f.read("id_token_hint", sign(func(m map[string]any) { m["sid"] = "session" })); req.HintSubject != sub || req.HintSID != "session" {
		t.Errorf("expired hint: %+v", req)
	}
	for name, token := range map[string]string{
		"junk":           "junk",
		"access token":   body["access_token"].(string),
		"unsigned":       "eyJhbGciOiJub25lIn0." + strings.Split(hint, ".")[1] + ".",
		"broken":         hint[:len(hint)-6] + "AAAAAA",
		"foreign issuer": sign(func(m map[string]any) { m["iss"] = "https://evil.example" }),
		"other audience": sign(func(m map[string]any) { m["aud"] = "other" }),
		"no audience":    sign(func(m map[string]any) { delete(m, "aud") }),
		"no subject":     sign(func(m map[string]any) { delete(m, "sub") }),
		"logout token":   sign(func(m map[string]any) { m["events"] = map[string]any{} }),
		"userinfo":       sign(func(m map[string]any) { delete(m, "exp"); delete(m, "auth_time") }),
		"long":           strings.Repeat("a", maxHintToken+1),
	} {
		f.refused(name, "invalid_request", "id_token_hint", token)
	}

	// The person who signs in is another one.
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.PersonID = "person-2"
		return s
	}
	f.refused("another person", "login_required", "id_token_hint", hint)
	f.refused("another person by claims", "login_required", "claims", `{"id_token":{"sub":{"value":"`+sub+`"}}}`)
	f.refused("two subjects", "invalid_request", "id_token_hint", hint, "claims", `{"userinfo":{"sub":{"value":"x"}}}`)
	f.code("claims", `{"id_token":{"sub":null}}`)
}

// Hints live through a rotation of keys (fosite notes, trap 14), as long as the key is published.
func TestHintOfRetiredKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		f := newFixture(t, store).ownKeys()
		body := f.mustExchange(f.code())
		hint := body["id_token"].(string)
		rotate := func(d time.Duration) {
			time.Sleep(d)
			if err := f.p.cfg.Keys.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		rotate(90 * 24 * time.Hour)
		rotate(2 * 24 * time.Hour)
		again := f.mustExchange(f.code("id_token_hint", hint))
		if headerOf(t, again["id_token"].(string))["kid"] == headerOf(t, hint)["kid"] {
			t.Fatal("the key did not change")
		}
		for range 4 {
			rotate(30 * 24 * time.Hour)
		}
		f.refused("key that is published no more", "invalid_request", "id_token_hint", hint)
	})
}

func TestClaimsParameterIsStrict(t *testing.T) {
	f := newFixture(t, memStore(t))
	many := strings.Builder{}
	for i := range maxClaimNames + 1 {
		many.WriteString(`,"c` + strings.Repeat("x", i) + `":null`)
	}
	for name, raw := range map[string]string{
		"not JSON":          "x",
		"not an object":     `["userinfo"]`,
		"something behind":  `{} {}`,
		"name twice":        `{"userinfo":{"name":null,"name":null}}`,
		"place twice":       `{"userinfo":null,"userinfo":null}`,
		"place is a list":   `{"userinfo":[]}`,
		"claim is a string": `{"userinfo":{"name":"x"}}`,
		"essential":         `{"userinfo":{"name":{"essential":"yes"}}}`,
		"values":            `{"userinfo":{"name":{"values":"x"}}}`,
		"no values":         `{"userinfo":{"name":{"values":[]}}}`,
		"value and values":  `{"userinfo":{"name":{"value":"x","values":["x"]}}}`,
		"value is an array": `{"userinfo":{"name":{"value":["x"]}}}`,
		"long value":        `{"userinfo":{"name":{"value":"` + strings.Repeat("x", maxClaimValue+1) + `"}}}`,
		"huge number":       `{"userinfo":{"name":{"value":1e999}}}`,
		"deep":              `{"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`,
		"many":              `{"userinfo":{` + many.String()[1:] + `}}`,
		"empty name":        `{"userinfo":{"":null}}`,
		"verified":          `{"userinfo":{"verified_claims":"x"}}`,
		"long":              `{"x":"` + strings.Repeat("x", maxClaimsParameter) + `"}`,
		"not UTF-8":         "{\"x\":\"\xff\"}",
		"Go's words":        `map[userinfo:map[]]`,
	} {
		f.refused(name, "invalid_request", "claims", raw)
	}
	req := f.read("claims", `{"id_token":{"verified_claims":[{"verification":{"trust_framework":null}, "claims":{"given_name":null}}]}}`)
	if len(req.Claims.IDToken.Verified) != 1 || string(req.Claims.IDToken.Verified[0]) != `{"claims":{"given_name":null},"verification":{"trust_framework":null}}` {
		t.Errorf("%s", req.Claims.IDToken.Verified)
	}
	if req := f.read("claims", `{}`); req.Claims != nil {
		t.Errorf("%+v", req.Claims)
	}
}

// What is read survives the cookie and means the same when it is written and read again.
func FuzzClaimsParameter(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"userinfo":{"given_name":{"essential":true},"nickname":null,"email":{"essential":true},"picture":null,"http://example.info/claims/groups":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`,
		`{"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"electronic_signature"}}]},"claims":{"given_name":null}}}}`,
		`{"id_token":{"sub":{"value":"248289761001"}}}`, `{"id_token":{"x":{"values":[1,true,"a"]}}}`, `[[[[`, `{"a":`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := readClaims(raw)
		if err != nil {
			if c != nil {
				t.Fatal("both a request and an error")
			}
			return
		}
		if len(raw) > maxClaimsParameter || !json.Valid([]byte(raw)) {
			t.Fatalf("accepted %q", raw)
		}
		if c == nil {
			return
		}
		packed, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again ClaimsRequest
		if err := json.Unmarshal(packed, &again); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c, &again) {
			t.Fatalf("%+v became %+v", c, again)
		}
	})
}
