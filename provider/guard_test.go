package provider_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"brama/connectors"
	"brama/internal/qes/cms"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage/memstore"
)

// TestStepURLInOtherBrowser: the address of a step without the login's own cookie gives nothing and changes nothing, on
// every route (threat T68).
func TestStepURLInOtherBrowser(t *testing.T) {
	s := newStack(t)
	victim := s.browser()
	victim.authorize("idp_hint", "demo")
	victim.submit("demo", "person", "valid")
	id := loginID(victim.url)
	_, fields := victim.form("/confirm")

	stranger := s.browser()
	stranger.authorize() // it has a login of its own
	routes := []struct{ method, path string }{
		{"GET", ""}, {"GET", "/file"}, {"GET", "/upload"}, {"GET", "/demo"}, {"GET", "/confirm"}, {"GET", "/leave"}, {"GET", "/restart"},
		{"GET", "/confirm?lang=en"}, {"GET", "/continue"}, {"POST", "/continue"}, {"GET", "/upload/request.txt"},
		{"POST", "/file"}, {"POST", "/demo"}, {"POST", "/upload"}, {"POST", "/file/request"}, {"POST", "/upload/request"},
		{"POST", "/file/certificates"}, {"POST", "/other"}, {"POST", "/longer"}, {"POST", "/confirm"},
	}
	before, lines := s.store.count(), len(s.audit.events)
	for _, r := range routes {
		if r.method == "GET" {
			stranger.get("/login/" + id + r.path)
		} else {
			stranger.post("/login/"+id+r.path, fields)
		}
		if stranger.code() != "TX_UNKNOWN" || stranger.portal != nil || strings.Contains(stranger.page, "Тестенко") || strings.Contains(stranger.page, "Електронний кабінет") {
			t.Errorf("%s %s: %d %s, portal %v", r.method, r.path, stranger.status, stranger.code(), stranger.portal)
		}
	}
	if s.store.count() != before || len(s.audit.events) != lines {
		t.Error("a stranger changed something")
	}
	// A ticket of another login under this one's name.
	u, _ := url.Parse(s.server.URL)
	for _, c := range stranger.client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "brama-login-") {
			stranger.client.Jar.SetCookies(u, []*http.Cookie{{Name: "brama-login-" + id[:8], Value: c.Value, Path: "/"}})
		}
	}
	stranger.get("/login/" + id + "/confirm")
	if stranger.code() != "TX_UNKNOWN" {
		t.Errorf("with a ticket of another login: %s", stranger.code())
	}
	victim.submit("/confirm")
	victim.exchange()
}

// TestSiblingOriginRefused: a POST of another origin, a neighbour of the same site too, changes nothing (threat T76).
func TestSiblingOriginRefused(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	action, fields := b.form("demo")
	fields.Set("person", "valid")
	for name, headers := range map[string][2]string{
		"cross-site":   {"Sec-Fetch-Site", "cross-site"},
		"same-site":    {"Sec-Fetch-Site", "same-site"},
		"other origin": {"Origin", "https://evil.example"},
		"null":         {"Origin", "null"},
	} {
		r, err := http.NewRequest(http.MethodPost, s.server.URL+action, strings.NewReader(fields.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(headers[0], headers[1])
		b.do(r)
		if b.code() != "TX_UNKNOWN" {
			t.Errorf("%s: %d %s at %s", name, b.status, b.code(), b.url)
		}
	}
	// With neither header (a script): the cookie and the step MAC are enough.
	r, err := http.NewRequest(http.MethodPost, s.server.URL+action, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(r)
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Errorf("a script: %d %s", b.status, b.code())
	}
}

// TestLoginRefusesMultipart: nowhere but on S16 does a form with files get read, and nothing over its limit (threat T36).
func TestLoginRefusesMultipart(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	action, fields := b.form("demo")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range fields {
		_ = w.WriteField(k, v[0])
	}
	_ = w.WriteField("person", "valid")
	_ = w.Close()
	r, err := http.NewRequest(http.MethodPost, s.server.URL+action, &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	b.do(r)
	if b.code() != "TX_UNKNOWN" || b.status != http.StatusBadRequest {
		t.Errorf("multipart: %d %s", b.status, b.code())
	}
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid", "password", strings.Repeat("x", 100<<10))
	if b.code() != "UPLOAD_TOO_BIG" || b.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too big: %d %s", b.status, b.code())
	}
	b.submit("demo", "person", "valid")
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Errorf("afterwards: %s", b.code())
	}
}

// TestServiceWorkerRefused (threat T41).
func TestServiceWorkerRefused(t *testing.T) {
	s := newStack(t)
	for _, path := range []string{"/", "/help", "/static/x/worker.js"} {
		r, err := http.NewRequest(http.MethodGet, s.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Service-Worker", "script")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// TestHeadersEverywhere: what holds for every answer, whatever it is.
func TestHeadersEverywhere(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	for _, path := range []string{b.url.Path, "/help", "/nothing-here", "/healthz", oauth.PathDiscovery, oauth.PathToken, "/authorize", "/login/x", "/login/AAAAAAAAAAAAAAAAAAAAAA"} {
		b.get(path)
		page := map[string]string{"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
		data := path == oauth.PathDiscovery
		for name, want := range page {
			if data {
				want = "" // nothing that a browser shows
			}
			if got := b.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if got := b.header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q", path, got)
		}
		if csp := b.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy is %q", path, csp)
		}
		if strings.Contains(b.header.Get("Permissions-Policy"), "camera=()") == data {
			t.Errorf("%s: Permissions-Policy is %q", path, b.header.Get("Permissions-Policy"))
		}
	}
	b.get("/nothing-here")
	if b.status != http.StatusNotFound || b.code() != "NOT_FOUND" {
		t.Errorf("%d %s", b.status, b.code())
	}
}

// TestBadRequestIsPage: before the redirect address is proven an error is a page, and nobody is sent anywhere.
func TestBadRequestIsPage(t *testing.T) {
	s := newStack(t)
	for name, change := range map[string][]string{
		"client":       {"client_id", "stranger"},
		"redirect_uri": {"redirect_uri", "https://evil.example/"},
		"slash":        {"redirect_uri", s.redirect + "/"},
	} {
		b := s.browser()
		b.authorize(change...)
		if b.code() != "CLIENT_BAD_REQUEST" || b.status != http.StatusBadRequest || b.portal != nil {
			t.Errorf("%s: %d %s %v", name, b.status, b.code(), b.portal)
		}
	}
	for want, change := range map[string][]string{
		"login_required":                    {"prompt", "none"},
		"unmet_authentication_requirements": {"acr_values", "high"},
		"unsupported_response_type":         {"response_type", "token"},
	} {
		b := s.browser()
		b.authorize(change...)
		if b.portal == nil || b.portal.Query().Get("error") != want || b.portal.Query().Get("iss") == "" || b.status != http.StatusSeeOther {
			t.Errorf("%s: %d %v", want, b.status, b.portal)
		}
	}
}

// TestLanguage: what the person switched to counts for this login, before the portal's wish, the cookie and the browser.
func TestLanguage(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	lang := func() string {
		_, rest, _ := strings.Cut(b.page, `<html lang="`)
		return rest[:2]
	}
	b.authorize("ui_locales", "en", "idp_hint", "demo")
	if lang() != "en" {
		t.Errorf("ui_locales=en gives %s", lang())
	}
	path := b.url.Path
	b.get(path + "?lang=uk")
	if lang() != "uk" || b.url.RawQuery != "" || b.url.Path != path {
		t.Errorf("after the switch: %s at %s", lang(), b.url)
	}
	b.submit("demo", "person", "valid")
	if lang() != "uk" {
		t.Errorf("the next step is in %s", lang())
	}
	b.get(b.url.Path + "?lang=en")
	if lang() != "en" || !strings.Contains(b.page, "Check the signatory") {
		t.Errorf("S8 is in %s", lang())
	}
	b.get("/help")
	if lang() != "en" {
		t.Errorf("the cookie gives %s", lang())
	}
}

// TestTwoTabs: two logins of one browser do not disturb each other, and old ones make room.
func TestTwoTabs(t *testing.T) {
	s := newStack(t)
	one := s.browser()
	one.authorize("idp_hint", "demo")
	two := &browser{s: s, client: one.client, lang: "uk"}
	one.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != s.server.URL {
			one.portal, two.portal = r.URL, r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	two.authorize("idp_hint", "demo", "state", "state-of-the-second")
	one.submit("demo", "person", "valid")
	two.submit("demo", "person", "valid-official")
	one.submit("/confirm")
	if one.exchange()["rnokpp"] != "3184710691" {
		t.Error("the first tab got another person")
	}
	two.submit("/confirm")
	if two.portal.Query().Get("state") != "state-of-the-second" || two.exchange()["rnokpp"] != "2999999993" {
		t.Error("the second tab got another person")
	}
	for range 12 {
		one.authorize()
	}
	u, _ := url.Parse(s.server.URL)
	n := 0
	for _, c := range one.client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "brama-login-") {
			n++
		}
	}
	if n > 5 {
		t.Errorf("%d tickets pile up", n)
	}
	// A request that no cookie can hold goes back to the portal.
	one.authorize("state", strings.Repeat("Ab1-", 1000))
	if one.portal == nil && one.status == http.StatusSeeOther {
		t.Error("a huge state leads nowhere")
	}
}

// TestLogsOfWholeLogin: the operator's log tells what happened and holds nothing of the person, no code and no query
// (threats T74, T90).
func TestLogsOfWholeLogin(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	login := loginID(b.url)
	sc := b.script("file")
	sc.post("search", "issuer", "", "key_ids", hexOf(s.people["valid"].Key.ID()))
	r := sc.post("ask")
	signature := s.sign("valid", []byte(r.Challenge))
	bad := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.signAs("revoked", []byte(r.Challenge), cms.PurposeLogin)))
	r = sc.post("action", "signature", base64.StdEncoding.EncodeToString(signature))
	b.get(r.URL)
	b.submit("/confirm")
	code := b.portal.Query().Get("code")
	b.exchange()
	b = s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "no-taxno")

	logs := s.logs.String()
	for _, secret := range []string{"3184710691", "19840312", "Тестенко", "Олена", "Петрівна", code, login, "state-of-the-portal", "nonce-of-the-portal",
		clientSecret, verifierPKCE, "idp_hint", "challenge", base64.StdEncoding.EncodeToString(signature)[:40], hexOf(s.people["valid"].Key.ID())} {
		if strings.Contains(logs, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for _, want := range []string{`"route":"/login/{id}/{method}"`, `"code":"CERT_REVOKED"`, `"code":"CERT_NO_TAXNO"`, `"event":"` + bad.Event, `"route":"/token"`} {
		if !strings.Contains(logs, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if bad.Event == "" {
		t.Error("the answer has no event number")
	}
	if n := strings.Count(logs, `"event"`); n != strings.Count(logs, "\n") {
		t.Errorf("%d lines, %d of them of a request", strings.Count(logs, "\n"), n)
	}
}

// TestNo307: no answer of the road repeats a POST (threat T74).
func TestNo307(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if c := r.Response.StatusCode; c != http.StatusSeeOther {
			t.Errorf("%s is answered with %d", r.URL.Path, c)
		}
		if "http://"+r.URL.Host != s.server.URL {
			b.portal = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	b.exchange()
}

// TestConfigRefuses: what must not be served is refused at the start (threat T92).
func TestConfigRefuses(t *testing.T) {
	s := newStack(t)
	good := provider.Config{Issuer: "https://id.example.gov.ua", Store: memstore.New(memstore.Config{}), Secret: stackSecret, Audit: s.audit,
		Connectors: map[string]connectors.Connector{"file": nil}}
	if _, err := provider.New(good); err != nil {
		t.Fatalf("the base of this test: %v", err)
	}
	for name, change := range map[string]func(*provider.Config){
		"demo without dev":  func(c *provider.Config) { c.Connectors = map[string]connectors.Connector{"demo": nil} },
		"http without dev":  func(c *provider.Config) { c.Issuer = "http://127.0.0.1:8080" },
		"http to the world": func(c *provider.Config) { c.Issuer = "http://id.example.gov.ua"; c.Dev = true },
		"slash":             func(c *provider.Config) { c.Issuer += "/" },
		"short secret":      func(c *provider.Config) { c.Secret = stackSecret[:31] },
		"no connector":      func(c *provider.Config) { c.Connectors = nil },
		"unknown method":    func(c *provider.Config) { c.Connectors = map[string]connectors.Connector{"password": nil} },
		"no audit":          func(c *provider.Config) { c.Audit = nil },
		"bad client":        func(c *provider.Config) { c.Clients = []oauth.Client{{ID: "x"}} },
	} {
		c := good
		c.Store = memstore.New(memstore.Config{})
		change(&c)
		if _, err := provider.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestReadyz says nothing to strangers but yes or no.
func TestReadyz(t *testing.T) {
	s := newStack(t)
	p, err := provider.New(provider.Config{Issuer: "https://id.example.gov.ua/sub", Store: memstore.New(memstore.Config{}), Secret: stackSecret, Audit: s.audit,
		Connectors: map[string]connectors.Connector{"file": nil}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/sub/healthz": 404, "/help": 404, "/sub/help": 200, "/sub/.well-known/openid-configuration": 200} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

// registerProfiler does once what importing a profiler does.
var registerProfiler = sync.OnceFunc(func() {
	http.HandleFunc("/debug/of-this-test", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
})

// TestNoProfilers: what a library registers for the default mux of net/http is reached by nobody here (threat T91).
func TestNoProfilers(t *testing.T) {
	s := newStack(t)
	registerProfiler()
	b := s.browser()
	for _, path := range []string{"/debug/of-this-test", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/debug/requests", "/metrics"} {
		b.get(path)
		if b.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, b.status)
		}
	}
}

// TestErrorDescriptionIsACode: what a refused request takes back to the portal through the browser is a message code and nothing
// that came from outside (threat T101); the reason stands in the log.
func TestErrorDescriptionIsACode(t *testing.T) {
	s := newStack(t)
	const marker = "3184710691"
	for name, more := range map[string][]string{
		"prompt": {"prompt", marker}, "max_age": {"max_age", "x" + marker}, "no nonce": {"nonce", "short"}, "scope": {"scope", marker},
		"response_type": {"response_type", marker}, "response_mode": {"response_mode", marker}, "method": {"code_challenge_method", marker},
		"challenge": {"code_challenge", marker}, "request": {"request", marker + ".a.b"}, "request_uri": {"request_uri", "https://" + marker + ".ua/"},
		"registration": {"registration", marker}, "claims": {"claims", marker}, "hint": {"id_token_hint", marker}, "display": {"display", marker},
		"hint too long": {"login_hint", strings.Repeat(marker, 200)}, "acr": {"claims", `{"id_token":{"acr":{"essential":true,"value":"` + marker + `"}}}`},
		"level": {"acr_values", "high"}, "silent": {"prompt", "none"},
	} {
		b := s.browser()
		b.authorize(more...)
		if b.portal == nil || b.refusal() == "" {
			if name != "hint" && name != "display" {
				t.Errorf("%s: at %s %s", name, b.url, b.code())
			}
			continue
		}
		text := b.portal.Query().Get("error_description")
		if text != "" && !slices.Contains([]string{"CLIENT_BAD_REQUEST", "LEVEL_TOO_LOW"}, text) {
			t.Errorf("%s: %s says %q", name, b.refusal(), text)
		}
		if strings.Contains(b.portal.RawQuery, marker) {
			t.Errorf("%s: %s", name, b.portal)
		}
	}
	if logs := s.logs.String(); !strings.Contains(logs, "CLIENT_BAD_REQUEST") || !strings.Contains(logs, "max_age") {
		t.Error("the log has no reason")
	}
}
