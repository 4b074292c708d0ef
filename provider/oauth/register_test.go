package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brama/internal/fetch"
	"brama/storage"
)

const testInitialToken = "initial-access-token-of-the-test-0123456789"

// withRegistration is a provider where clients register themselves.
func withRegistration(t testing.TB, cfg RegistrationConfig, do FetchFunc) *fixture {
	t.Helper()
	f := newFixture(t, memStore(t))
	config := f.p.cfg
	config.Registration, config.Fetch, config.Clients = &cfg, do, f.p.fixed
	var err error
	if f.p, err = New(config); err != nil {
		t.Fatal(err)
	}
	return f
}

func guarded() RegistrationConfig {
	return RegistrationConfig{Tokens: []InitialToken{{Name: "tests", Hash: HashSecret(testInitialToken)}}}
}

func metadataOf(changes map[string]any) map[string]any {
	m := map[string]any{"redirect_uris": []string{"https://new.example.ua/cb"}}
	maps.Copy(m, changes)
	return m
}

// send sends metadata to the registration endpoint, or with an id to that client's.
func (f *fixture) send(method, id, token string, body any) (int, map[string]any) {
	f.t.Helper()
	raw, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			f.t.Fatal(err)
		}
		raw = string(b)
	}
	r := httptest.NewRequest(method, PathRegister, strings.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	if id == "" {
		f.p.Register(w, r)
	} else {
		f.p.ManageClient(w, r, id)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		f.t.Errorf("%s with Cache-Control %q", method, got)
	}
	var answer map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			f.t.Fatalf("%s: %v", w.Body, err)
		}
	}
	return w.Code, answer
}

func (f *fixture) mustRegister(token string, changes map[string]any) map[string]any {
	f.t.Helper()
	status, body := f.send("POST", "", token, metadataOf(changes))
	if status != http.StatusCreated {
		f.t.Fatalf("%d %v", status, body)
	}
	return body
}

func TestRegister(t *testing.T) {
	f := withRegistration(t, guarded(), nil)
	body := f.mustRegister(testInitialToken, map[string]any{"client_name": "Портал", "client_name#en": "Portal", "unknown": 1, "scope": "openid email-of-nobody"})
	for name, want := range map[string]any{
		"token_endpoint_auth_method": "client_secret_basic", "subject_type": "pairwise", "id_token_signed_response_alg": "RS256",
		"client_secret_expires_at": 0.0, "scope": "openid", "application_type": "web", "consent": "first",
	} {
		if body[name] != want {
			t.Errorf("%s is %v, want %v", name, body[name], want)
		}
	}
	id, secret := body["client_id"].(string), body["client_secret"].(string)
	c, err := f.p.Client(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name["uk"] != "Портал" || c.Name["en"] != "Portal" || c.Consent != ConsentFirst || len(c.Claims) != 0 || c.PKCEOptional {
		t.Errorf("%+v", c)
	}
	form := url.Values{}
	r := tokenRequest(form)
	r.SetBasicAuth(id, secret)
	if _, err := f.p.authenticate(r, form); err != nil {
		t.Errorf("authentication: %v", err)
	}
	// T87: neither the secret nor the token is in the store.
	dumped := dump(t, f.store)
	for _, s := range []string{secret, body["registration_access_token"].(string), testInitialToken} {
		if strings.Contains(dumped, s) {
			t.Errorf("the store holds %q", s)
		}
	}
	if len(f.audit.events) != 1 || f.audit.events[0].Action != "client.registered" || f.audit.events[0].Client != id {
		t.Errorf("audit %v", f.audit.events)
	}
	if status, body := f.send("POST", "", "", metadataOf(nil)); status != 401 || body["error"] != "invalid_token" {
		t.Errorf("without a token: %d %v", status, body)
	}
	if status, body := f.send("POST", "", "wrong", metadataOf(nil)); status != 401 || body["error"] != "invalid_token" {
		t.Errorf("with another token: %d %v", status, body)
	}
}

func dump(t testing.TB, s storage.Store) string {
	t.Helper()
	var all strings.Builder
	if err := s.View(t.Context(), func(tx storage.Tx) error {
		for r, err := range tx.Scan(storage.KindClient, "") {
			if err != nil {
				return err
			}
			all.WriteString(r.ID + r.Group + string(r.Body))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if all.Len() == 0 {
		t.Fatal("nothing is stored")
	}
	return all.String()
}

// Strict metadata (RFC 7591, 3.2.2), and no right that a client gives itself (T84, T100).
func TestRegistrationRefused(t *testing.T) {
	cfg := guarded()
	cfg.Claims = []string{"birthdate"}
	s := &keyServer{body: []byte(`["https://other.example.ua/cb"]`), status: 200}
	f := withRegistration(t, cfg, s.fetch)
	for name, c := range map[string]struct {
		changes map[string]any
		code    string
	}{
		"no redirect":           {map[string]any{"redirect_uris": nil}, "invalid_redirect_uri"},
		"fragment":              {map[string]any{"redirect_uris": []string{"https://new.example.ua/#x"}}, "invalid_redirect_uri"},
		"custom scheme":         {map[string]any{"redirect_uris": []string{"app://cb"}}, "invalid_redirect_uri"},
		"http":                  {map[string]any{"redirect_uris": []string{"http://new.example.ua/"}}, "invalid_redirect_uri"},
		"this computer":         {map[string]any{"redirect_uris": []string{"http://localhost:8080/cb"}}, "invalid_redirect_uri"},
		"this computer, https":  {map[string]any{"redirect_uris": []string{"https://127.0.0.1/cb"}}, "invalid_redirect_uri"},
		"address of a host":     {map[string]any{"redirect_uris": []string{"https://192.0.2.1/cb"}}, "invalid_redirect_uri"},
		"wildcard":              {map[string]any{"redirect_uris": []string{"https://new.example.ua/*"}}, "invalid_redirect_uri"},
		"logout to a computer":  {map[string]any{"post_logout_redirect_uris": []string{"http://127.0.0.1/"}}, "invalid_redirect_uri"},
		"text for a list":       {map[string]any{"redirect_uris": "https://new.example.ua/cb"}, "invalid_client_metadata"},
		"implicit":              {map[string]any{"response_types": []string{"id_token"}}, "invalid_client_metadata"},
		"unknown grant":         {map[string]any{"grant_types": []string{"password"}}, "invalid_client_metadata"},
		"client credentials":    {map[string]any{"grant_types": []string{"client_credentials"}}, "invalid_client_metadata"},
		"unknown method":        {map[string]any{"token_endpoint_auth_method": "client_secret_jwt"}, "invalid_client_metadata"},
		"TLS without listener":  {map[string]any{"token_endpoint_auth_method": AuthTLS, "tls_client_auth_san_dns": "a.ua"}, "invalid_client_metadata"},
		"assertions, no key":    {map[string]any{"token_endpoint_auth_method": AuthPrivateKeyJWT}, "invalid_client_metadata"},
		"private key":           {map[string]any{"jwks": map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": "AAAA"}}}}, "invalid_client_metadata"},
		"keys twice":            {map[string]any{"jwks": keySetOf(t, clientKeys()["ES256"].public()), "jwks_uri": testJWKSURI}, "invalid_client_metadata"},
		"keys over http":        {map[string]any{"jwks_uri": "http://new.example.ua/jwks"}, "invalid_client_metadata"},
		"no signature":          {map[string]any{"id_token_signed_response_alg": "none"}, "invalid_client_metadata"},
		"symmetric":             {map[string]any{"id_token_signed_response_alg": "HS256"}, "invalid_client_metadata"},
		"encrypted requests":    {map[string]any{"request_object_encryption_alg": "RSA-OAEP"}, "invalid_client_metadata"},
		"sector of others":      {map[string]any{"sector_identifier_uri": "https://other.example.ua/list"}, "invalid_client_metadata"},
		"two hosts":             {map[string]any{"redirect_uris": []string{"https://a.ua/", "https://b.ua/"}}, "invalid_client_metadata"},
		"own id":                {map[string]any{"client_id": "portal"}, "invalid_client_metadata"},
		"own secret":            {map[string]any{"client_secret": "x"}, "invalid_client_metadata"},
		"own hash":              {map[string]any{"client_secret_sha256": strings.Repeat("00", 32)}, "invalid_client_metadata"},
		"claims":                {map[string]any{"claims": []string{"rnokpp"}}, "invalid_client_metadata"},
		"certificate":           {map[string]any{"certificate": true}, "invalid_client_metadata"},
		"introspection":         {map[string]any{"introspection": true}, "invalid_client_metadata"},
		"no PKCE":               {map[string]any{"pkce": "optional"}, "invalid_client_metadata"},
		"home":                  {map[string]any{"home": "https://bank.example.ua"}, "invalid_client_metadata"},
		"institution":           {map[string]any{"institution": "Банк"}, "invalid_client_metadata"},
		"no consent":            {map[string]any{"consent": "never"}, "invalid_client_metadata"},
		"SSO group":             {map[string]any{"sso_group": "all"}, "invalid_client_metadata"},
		"look-alike name":       {map[string]any{"client_name": "Дiя"}, "invalid_client_metadata"}, // Latin i
		"line in a name":        {map[string]any{"client_name": "a\nb"}, "invalid_client_metadata"},
		"foreign logout frame":  {map[string]any{"frontchannel_logout_uri": "https://other.example.ua/"}, "invalid_client_metadata"},
		"foreign logout target": {map[string]any{"post_logout_redirect_uris": []string{"javascript:1"}}, "invalid_redirect_uri"},
		"profile, no binding":   {map[string]any{"profile": "fapi2", "token_endpoint_auth_method": AuthPrivateKeyJWT, "jwks": keySetOf(t, clientKeys()["ES256"].public())}, "invalid_client_metadata"},
		"negative age":          {map[string]any{"default_max_age": -1}, "invalid_client_metadata"},
	} {
		if status, body := f.send("POST", "", testInitialToken, metadataOf(c.changes)); status != 400 || body["error"] != c.code {
			t.Errorf("%s: %d %v, want %s", name, status, body, c.code)
		}
	}
	for name, raw := range map[string]string{
		"member twice": `{"redirect_uris":["https://a.ua/"],"redirect_uris":["https://b.ua/"]}`, "list": `[]`, "not JSON": `x`, "empty": ``,
		"large": `{"a":"` + strings.Repeat("a", maxRegistration) + `"}`,
	} {
		if status, body := f.send("POST", "", testInitialToken, raw); status != 400 || body["error"] != "invalid_client_metadata" {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	if body := f.mustRegister(testInitialToken, map[string]any{"claims": []string{"birthdate"}, "required_claims": []string{"birthdate"}}); body["client_id"] == nil {
		t.Error("a claim that the policy allows")
	}
	if strings.Contains(f.log.String(), testInitialToken) {
		t.Error("the log has the initial access token")
	}
}

// T100: the list at sector_identifier_uri must have every redirect_uri.
func TestSectorIsVerified(t *testing.T) {
	s := &keyServer{body: []byte(`["https://a.example.ua/cb","https://b.example.org/cb"]`), status: 200}
	f := withRegistration(t, guarded(), s.fetch)
	both := map[string]any{"redirect_uris": []string{"https://a.example.ua/cb", "https://b.example.org/cb"}, "sector_identifier_uri": "https://sector.example.ua/list"}
	body := f.mustRegister(testInitialToken, both)
	c, err := f.p.Client(t.Context(), body["client_id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if sector, err := c.sector(); err != nil || sector != "sector.example.ua" {
		t.Errorf("sector %q %v", sector, err)
	}
	// What was proven of one client does not help the next: the list is read again.
	s.body = []byte(`["https://a.example.ua/cb"]`)
	if status, body := f.send("POST", "", testInitialToken, metadataOf(both)); status != 400 || body["error"] != "invalid_client_metadata" {
		t.Errorf("the list has changed: %d %v", status, body)
	}
	s.body = []byte(`["https://a.example.ua/cb","https://b.example.org/cb"]`)
	both["redirect_uris"] = []string{"https://a.example.ua/cb", "https://c.example.org/cb"}
	if status, body := f.send("POST", "", testInitialToken, metadataOf(both)); status != 400 || body["error"] != "invalid_client_metadata" {
		t.Errorf("an address that is not in the list: %d %v", status, body)
	}

	// A client of the configuration is proven when it is used; an outage is not for ever, and a proof is.
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{}
		s.fail(errors.New("down"))
		client := portal()
		client.SectorIdentifierURI = "https://sector.example.ua/list"
		f := newFixture(t, memStore(t), client)
		f.p.cfg.Fetch = s.fetch
		for range 3 {
			if q := f.answerOf(f.ask(params())); q.Get("error") != "temporarily_unavailable" {
				t.Fatalf("unproven sector: %v", q)
			}
		}
		if n := s.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		s.fail(nil)
		s.body, s.status = []byte(`["https://portal.example.ua/cb"]`), 200
		time.Sleep(keysFailed)
		f.code()
		s.fail(errors.New("down again"))
		f.p.sectors = sectorProofs{}
		f.code()
		if n := s.asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestManageClient(t *testing.T) {
	f := withRegistration(t, guarded(), nil)
	first := f.mustRegister(testInitialToken, nil)
	other := f.mustRegister(testInitialToken, nil)
	id, token, secret := first["client_id"].(string), first["registration_access_token"].(string), first["client_secret"].(string)
	status, read := f.send("GET", id, token, nil)
	if status != 200 || read["registration_access_token"] != token || read["client_secret"] != nil || read["registration_client_uri"] != testIssuer+PathRegister+"/"+id {
		t.Errorf("%d %v", status, read)
	}
	for name, c := range map[string]struct{ id, token string }{
		"no token": {id, ""}, "token of another": {id, other["registration_access_token"].(string)}, "initial token": {id, testInitialToken},
		"nobody": {"dyn-nobody", token}, "client of the configuration": {"portal", token},
	} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if status, body := f.send(method, c.id, c.token, metadataOf(map[string]any{"client_id": c.id})); status != 401 || body["error"] != "invalid_token" {
				t.Errorf("%s, %s: %d %v", method, name, status, body)
			}
		}
	}
	// What was read can be sent back, without what only we say.
	replacement := maps.Clone(read)
	for _, ours := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if status, _ := f.send("PUT", id, token, replacement); status != 400 {
			t.Errorf("with %s: %d", ours, status)
		}
		delete(replacement, ours)
	}
	replacement["redirect_uris"] = []string{"https://new.example.ua/other"}
	status, changed := f.send("PUT", id, token, replacement)
	if status != 200 || changed["registration_access_token"] == token || changed["client_secret"] != nil {
		t.Fatalf("%d %v", status, changed)
	}
	c, err := f.p.Client(t.Context(), id)
	if err != nil || c.allows("https://new.example.ua/cb") || !c.allows("https://new.example.ua/other") || !c.authenticates(secret) {
		t.Errorf("%+v %v", c, err)
	}
	// An answer that was lost locks nobody out; the answer to the second try comes, and the old token ends.
	status, changed = f.send("PUT", id, token, replacement)
	if status != 200 {
		t.Fatalf("second try: %d %v", status, changed)
	}
	newest := changed["registration_access_token"].(string)
	if status, _ := f.send("GET", id, newest, nil); status != 200 {
		t.Errorf("new token: %d", status)
	}
	if status, _ := f.send("GET", id, token, nil); status != 401 {
		t.Errorf("old token after the new one came: %d", status)
	}
	for name, change := range map[string]map[string]any{
		"another id": {"client_id": "portal"}, "another secret": {"client_secret": "x"}, "no redirect": {"redirect_uris": nil}, "a right": {"introspection": true},
	} {
		bad := maps.Clone(replacement)
		maps.Copy(bad, change)
		if status, body := f.send("PUT", id, newest, bad); status != 400 {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	// A client that becomes public loses its secret.
	replacement["token_endpoint_auth_method"] = "none"
	if status, body := f.send("PUT", id, newest, replacement); status != 200 || body["client_secret_expires_at"] != nil {
		t.Errorf("%d %v", status, body)
	} else {
		newest = body["registration_access_token"].(string)
	}
	if c, err := f.p.Client(t.Context(), id); err != nil || !c.Public() || c.authenticates(secret) {
		t.Errorf("%+v %v", c, err)
	}
	if status, body := f.send("DELETE", id, newest, nil); status != 204 || body != nil {
		t.Errorf("%d %v", status, body)
	}
	if _, err := f.p.Client(t.Context(), id); !errors.Is(err, ErrUnknownClient) {
		t.Errorf("deleted client: %v", err)
	}
	if status, _ := f.send("GET", id, newest, nil); status != 401 {
		t.Errorf("token of a deleted client: %d", status)
	}
}

// Of 32 changes of one client that was read at one moment, one wins; of 32 deletions too.
func TestManageRace(t *testing.T) {
	f := withRegistration(t, guarded(), nil)
	body := f.mustRegister(testInitialToken, nil)
	id, token := body["client_id"].(string), body["registration_access_token"].(string)
	race := func(name string, change func(*storage.RegisteredClient) error) {
		r := httptest.NewRequest("GET", PathRegister, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		seen, _, err := f.p.managed(r, id)
		if err != nil {
			t.Fatal(err)
		}
		const racers = 32
		errs := make([]error, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() { errs[i] = change(seen) })
		}
		wg.Wait()
		winners := 0
		for _, err := range errs {
			if err == nil {
				winners++
			} else if !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if winners != 1 {
			t.Errorf("%s: %d winners", name, winners)
		}
	}
	race("replace", func(c *storage.RegisteredClient) error {
		raw, _ := json.Marshal(metadataOf(map[string]any{"client_id": id}))
		r := httptest.NewRequest("PUT", PathRegister, bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		_, err := f.p.replaceClient(r, c)
		return err
	})
	race("delete", func(c *storage.RegisteredClient) error { return f.p.deleteClient(t.Context(), c) })
}

// Clients that nobody uses go; used ones stay; there is an end to their number.
func TestAbandonedClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := guarded()
		cfg.MaxClients, cfg.Unused, cfg.Idle = 2, time.Hour, 48*time.Hour
		f := withRegistration(t, cfg, nil)
		used, unused := f.mustRegister(testInitialToken, nil), f.mustRegister(testInitialToken, nil)
		if status, body := f.send("POST", "", testInitialToken, metadataOf(nil)); status != 503 {
			t.Errorf("third: %d %v", status, body)
		}
		prove := func() error {
			form := url.Values{}
			r := tokenRequest(form)
			r.SetBasicAuth(used["client_id"].(string), used["client_secret"].(string))
			_, err := f.p.authenticate(r, form)
			return err
		}
		if err := prove(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := f.p.Client(t.Context(), unused["client_id"].(string)); !errors.Is(err, ErrUnknownClient) {
			t.Errorf("unused: %v", err)
		}
		for range 4 {
			time.Sleep(30 * time.Hour)
			if err := prove(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(49 * time.Hour)
		if err := prove(); err == nil {
			t.Error("an idle client stays")
		}
	})
}

// Registration is off unless somebody turns it on, and then says so.
func TestRegistrationEndpointIsSaid(t *testing.T) {
	for want, f := range map[string]*fixture{"": newFixture(t, memStore(t)), testIssuer + PathRegister: withRegistration(t, guarded(), nil)} {
		var m map[string]any
		if err := json.Unmarshal(f.p.metadata.body, &m); err != nil {
			t.Fatal(err)
		}
		if got, _ := m["registration_endpoint"].(string); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The open endpoint of dev: no token, and what certification tools need.
func TestOpenRegistration(t *testing.T) {
	f := withRegistration(t, RegistrationConfig{Open: true}, func(context.Context, fetch.Request) (*fetch.Response, error) { return nil, errors.New("no") })
	body := f.mustRegister("", map[string]any{"pkce": "optional"})
	c, err := f.p.Client(t.Context(), body["client_id"].(string))
	if err != nil || !c.PKCEOptional || len(c.Claims) == 0 {
		t.Errorf("%+v %v", c, err)
	}
	body = f.mustRegister("", map[string]any{"token_endpoint_auth_method": "none"})
	if body["client_secret"] != nil || body["client_secret_expires_at"] != nil {
		t.Errorf("a public client with a secret: %v", body)
	}
	body = f.mustRegister("", map[string]any{"redirect_uris": []string{"https://a.example.ua/cb", "https://b.example.org/cb"},
		"token_endpoint_auth_method": AuthPrivateKeyJWT, "jwks": keySetOf(t, clientKeys()["ES256"].public())})
	if body["subject_type"] != Public || body["assertion_audience"] != AudienceTokenEndpoint {
		t.Errorf("what was left out: %v", body)
	}
	body = f.mustRegister("", map[string]any{"profile": "fapi2", "dpop_bound_access_tokens": true, "token_endpoint_auth_method": AuthPrivateKeyJWT, "jwks": keySetOf(t, clientKeys()["ES256"].public())})
	if c, err := f.p.Client(t.Context(), body["client_id"].(string)); err != nil || !c.FAPI() || c.PKCEOptional || c.IDTokenAlg != "ES256" || c.AssertionAudience != "" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestReadClients(t *testing.T) {
	one := `{"client_id":"a","client_secret":"s","redirect_uris":["https://a.ua/"],"client_uri":"https://a.ua"}`
	for name, raw := range map[string]string{"one": one, "list": "[" + one + "]", "file": `{"clients":[` + one + `]}`} {
		list, err := ReadClients([]byte(raw))
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %v %v", name, list, err)
			continue
		}
		c, err := list[0].Client()
		if err != nil || c.ID != "a" || c.Home != "https://a.ua" || c.Name["uk"] != "a" || !c.authenticates("s") {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
	for _, bad := range []string{"", "x", `{"clients":[{}]}`, `[{"client_id":"a"}]`, `[1]`} {
		if list, err := ReadClients([]byte(bad)); err == nil {
			t.Errorf("%q: %v", bad, list)
		}
	}
}

func FuzzRegistration(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://a.ua/cb"],"client_name":"Портал","token_endpoint_auth_method":"none"}`))
	f.Add([]byte(`{"client_id":"a","client_secret_sha256":"00","jwks":{"keys":[]},"labels":{"uk":{"a":"b"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseRegistration(raw)
		if (r == nil) == (err == nil) {
			t.Fatal("registration and error together")
		}
		if err != nil {
			return
		}
		r.fillDynamic()
		c, err := r.Client()
		if err != nil {
			return
		}
		c.ID = "fuzz"
		if c.Validate() != nil {
			return
		}
		// What is registered is read again from the store as it was.
		stored, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRegistration(stored)
		if err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		d, err := again.Client()
		if err != nil {
			t.Fatal(err)
		}
		d.ID = "fuzz"
		if err := d.Validate(); err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
	})
}
