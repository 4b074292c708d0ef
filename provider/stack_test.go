package provider_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/demo"
	"brama/connectors/filekey"
	"brama/connectors/upload"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cmp"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/provider"
	"brama/provider/oauth"
	"brama/provider/session"
	"brama/storage/memstore"
	"brama/storage/seal"
)

// A stack is a whole provider over a real store and a real test authority: nothing of the road from the bytes of a
// signature to the token is a double.
type stack struct {
	t        *testing.T
	tsp      *qestest.Provider
	store    *countingStore
	audit    *auditLog
	logs     *syncBuffer
	verifier *qes.Validator
	server   *httptest.Server
	provider *provider.Provider
	people   map[string]*qestest.Issued
	now      func() time.Time
	shift    time.Duration // of the clock
	shiftMu  sync.Mutex
	redirect string
}

var stackSecret = bytes.Repeat([]byte{7}, 32)

const clientSecret = "secret-of-the-demo-portal"

type options struct {
	client func(*oauth.Client)
	config func(*provider.Config)
	method func(map[string]connectors.Connector)
}

func newStack(t *testing.T, change ...func(*options)) *stack {
	t.Helper()
	s := &stack{t: t, audit: &auditLog{}, logs: &syncBuffer{}, people: map[string]*qestest.Issued{}, redirect: "http://127.0.0.1:1/callback"}
	s.now = func() time.Time {
		s.shiftMu.Lock()
		defer s.shiftMu.Unlock()
		return time.Now().Add(s.shift)
	}
	o := &options{}
	for _, c := range change {
		c(o)
	}
	s.store = &countingStore{Store: memstore.New(memstore.Config{Now: s.now})}
	verifier, search := s.trust()
	s.verifier = verifier
	must := func(c connectors.Connector, err error) connectors.Connector {
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	methods := map[string]connectors.Connector{
		"file": must(filekey.New(filekey.Config{Verifier: verifier, Search: search, Now: s.now,
			Issuers: []filekey.Issuer{{ID: qestest.MainEDRPOU, Name: "Тестовий надавач", Names: []string{"Тестовий надавач"}}}})),
		"upload": must(upload.New(upload.Config{Verifier: verifier, Now: s.now})),
		"demo": must(demo.New(demo.Config{Verifier: verifier, Now: s.now, Persons: persons,
			Sign: func(_ context.Context, person string, challenge []byte) ([]byte, error) {
				return s.sign(person, challenge), nil
			}})),
	}
	if o.method != nil {
		o.method(methods)
	}
	portal := oauth.Client{ID: "cabinet", Name: map[string]string{"uk": "Електронний кабінет", "en": "Electronic cabinet"},
		Home: "http://127.0.0.1:1", SecretHash: oauth.HashSecret(clientSecret), RedirectURIs: []string{s.redirect},
		Claims: []string{"rnokpp", "unzr", "edrpou", "organization", "title", "birthdate"}, RequiredClaims: []string{"rnokpp"}}
	if o.client != nil {
		o.client(&portal)
	}
	other := portal
	other.ID, other.Name = "other", map[string]string{"uk": "Інший портал", "en": "Other portal"}

	s.server = httptest.NewUnstartedServer(nil)
	issuer := "http://" + s.server.Listener.Addr().String()
	cfg := provider.Config{Issuer: issuer, Store: s.store, Secret: stackSecret,
		Clients: []oauth.Client{portal, other}, Connectors: methods, Audit: s.audit, Dev: true, Now: s.now,
		Log: slog.New(slog.NewJSONHandler(s.logs, nil))}
	if o.config != nil {
		o.config(&cfg)
	}
	p, err := provider.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.provider = p
	s.server.Config.Handler = p
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

// persons are the demo people of this test and how their certificates are.
var persons = []string{"valid", "valid-official", "seal", "expired", "not-yet-valid", "revoked", "suspended", "unknown", "no-taxno", "other-issuer"}

// trust starts the test authority, issues the certificates and returns the validator over it.
func (s *stack) trust() (*qes.Validator, filekey.SearchFunc) {
	t := s.t
	srv := httptest.NewUnstartedServer(nil)
	tsp, err := qestest.New(qestest.Config{BaseURL: "http://" + srv.Listener.Addr().String(), Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	s.tsp = tsp
	srv.Config.Handler = tsp.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	now := s.now()
	for name, r := range map[string]qestest.Request{
		"valid":          {UNZR: "19840312-01234"},
		"valid-official": {Kind: qestest.Employee, RNOKPP: "2999999993", EDRPOU: "12345678", Organization: "ТОВ «Приклад»", Title: "директор"},
		"seal":           {Kind: qestest.Seal, EDRPOU: "12345678", Organization: "ТОВ «Приклад»"},
		"expired":        {NotBefore: now.AddDate(-2, 0, 0), NotAfter: now.AddDate(0, 0, -1)},
		"not-yet-valid":  {NotBefore: now.AddDate(0, 0, 1), NotAfter: now.AddDate(1, 0, 0)},
		"revoked":        {Status: qestest.Revoked},
		"suspended":      {Status: qestest.Suspended},
		"unknown":        {Status: qestest.Unknown},
		"no-taxno":       {RNOKPP: "", UNZR: "19840312-09999"},
		"other-issuer":   {Authority: qestest.Stranger},
	} {
		r.FamilyName, r.GivenName, r.MiddleName = "Тестенко", "Олена", "Петрівна"
		if r.RNOKPP == "" && name != "no-taxno" && r.Kind != qestest.Seal {
			r.RNOKPP = "3184710691"
		}
		issued, err := tsp.Issue(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s.people[name] = issued
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := tsp.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost, Now: s.now, CacheFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	validator, err := qes.New(qes.Config{Trust: store, Revocation: checker, Now: s.now})
	if err != nil {
		t.Fatal(err)
	}
	searcher, err := cmp.New(cmp.Config{Do: client.Do, Now: s.now, Services: func() []cmp.Service {
		var list []cmp.Service
		for _, p := range store.Providers(s.now()) {
			if p.CMP != "" {
				list = append(list, cmp.Service{Issuer: p.ID(), URL: p.CMP})
			}
		}
		return list
	}})
	if err != nil {
		t.Fatal(err)
	}
	return validator, searcher.FindCertificates
}

// sign signs a challenge as the browser program does.
func (s *stack) sign(person string, challenge []byte) []byte {
	return s.signAs(person, challenge, cms.PurposeLogin)
}

func (s *stack) signAs(person string, challenge []byte, purpose cms.Purpose) []byte {
	i := s.people[person]
	b, err := cms.Sign(i.Key, cms.Options{Certificate: i.Certificate.Raw, Content: challenge, Detached: true, Purpose: purpose, SigningTime: s.now()})
	if err != nil {
		s.t.Error(err)
	}
	return b
}

// forward moves the clock.
func (s *stack) forward(d time.Duration) {
	s.shiftMu.Lock()
	defer s.shiftMu.Unlock()
	s.shift += d
}

// A browser walks like a person: it keeps cookies, follows redirects within the issuer and stops at the portal.
type browser struct {
	s      *stack
	client *http.Client
	page   string
	url    *url.URL
	status int
	header http.Header
	// portal is where the browser was sent back to, nil until then.
	portal  *url.URL
	lang    string
	idToken string // that the last exchange gave
	access  string
	refresh string
}

func (s *stack) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{s: s, lang: "uk"}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != s.server.URL {
			b.portal = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

func (b *browser) do(r *http.Request) {
	b.s.t.Helper()
	r.Header.Set("Accept-Language", b.lang)
	b.portal = nil
	res, err := b.client.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	b.page, b.url, b.status, b.header = string(body), res.Request.URL, res.StatusCode, res.Header
}

func (b *browser) get(address string) {
	b.s.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.s.server.URL + address
	}
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.s.t.Fatal(err)
	}
	b.do(r)
}

// authorize opens the portal's request.
func (b *browser) authorize(more ...string) {
	b.s.t.Helper()
	b.get(b.s.authorizeURL(more...))
}

const verifierPKCE = "a-verifier-that-is-long-enough-for-pkce-0123456789"

func (s *stack) authorizeURL(more ...string) string {
	sum := sha256.Sum256([]byte(verifierPKCE))
	q := url.Values{"client_id": {"cabinet"}, "redirect_uri": {s.redirect}, "response_type": {"code"}, "scope": {"openid profile ua.person ua.organization ua.certificate"},
		"state": {"state-of-the-portal"}, "nonce": {"nonce-of-the-portal"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return s.server.URL + "/authorize?" + q.Encode()
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	codePattern   = regexp.MustCompile(`id="problem"[^>]*data-code="([A-Z_]+)"`)
)

// form returns the address and hidden fields of the form whose action contains part.
func (b *browser) form(part string) (string, url.Values) {
	b.s.t.Helper()
	for _, m := range formPattern.FindAllStringSubmatch(b.page, -1) {
		if strings.Contains(m[1], part) {
			values := url.Values{}
			for _, h := range hiddenPattern.FindAllStringSubmatch(m[2], -1) {
				values.Set(h[1], h[2])
			}
			return m[1], values
		}
	}
	b.s.t.Fatalf("no form with %q at %s (%d):\n%s", part, b.url, b.status, b.page)
	return "", nil
}

// submit posts the form whose action contains part, with more fields, as a browser does.
func (b *browser) submit(part string, more ...string) {
	b.s.t.Helper()
	action, values := b.form(part)
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	b.post(action, values)
}

func (b *browser) post(action string, values url.Values) {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.s.server.URL+action, strings.NewReader(values.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", b.s.server.URL)
	b.do(r)
}

// upload posts the form of S16 with a file.
func (b *browser) upload(file []byte) {
	b.s.t.Helper()
	action, values := b.form("/upload")
	for _, m := range formPattern.FindAllStringSubmatch(b.page, -1) {
		if !strings.HasSuffix(m[1], "/request") && strings.Contains(m[1], "/upload") {
			action = m[1]
		}
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range values {
		_ = w.WriteField(k, v[0])
	}
	part, _ := w.CreateFormFile("signed", "request.txt.p7s")
	_, _ = part.Write(file)
	_ = w.Close()
	r, err := http.NewRequest(http.MethodPost, b.s.server.URL+action, &body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", b.s.server.URL)
	b.do(r)
}

// A script is what filekey.js does: it posts with the fields of the page and reads JSON.
type script struct {
	b      *browser
	base   string // of another server than the browser's, if set
	fields map[string]string
}

func stepMAC(t *testing.T, s *stack, id string, revision uint64, step string) string {
	t.Helper()
	sealer, err := session.NewSealer(s.now, seal.Derive(stackSecret, "browser"))
	if err != nil {
		t.Fatal(err)
	}
	return sealer.StepMAC(id, revision, step)
}

type reply struct {
	URL       string `json:"url"`
	Challenge string `json:"challenge"`
	Problem   struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Next    string `json:"next"`
	} `json:"problem"`
	Phase        string   `json:"phase"`
	Event        string   `json:"event"`
	Revision     uint64   `json:"revision"`
	MAC          string   `json:"mac"`
	Certificates [][]byte `json:"certificates"`
	status       int
}

// script starts from the page that the browser shows. The panel is there only with the browser program built, so the code
// of the step is made here with the provider's own secret; the panel itself is tested in a real browser.
func (b *browser) script(method string) *script {
	b.s.t.Helper()
	id := loginID(b.url)
	return &script{b: b, fields: map[string]string{"action": "/login/" + id + "/" + method, "ask": "/login/" + id + "/" + method + "/request",
		"search": "/login/" + id + "/" + method + "/certificates", "revision": "0", "mac": stepMAC(b.s.t, b.s, id, 0, method)}}
}

func loginID(u *url.URL) string {
	return strings.Split(strings.TrimPrefix(u.Path, "/login/"), "/")[0]
}

func (sc *script) post(where string, more ...string) reply {
	sc.b.s.t.Helper()
	r, err := sc.tryPost(where, more...)
	if err != nil {
		sc.b.s.t.Fatal(err)
	}
	if r.Revision > 0 {
		sc.fields["mac"] = r.MAC
		sc.fields["revision"] = jsonNumber(r.Revision)
	}
	return r
}

func jsonNumber(n uint64) string { b, _ := json.Marshal(n); return string(b) }

func (sc *script) tryPost(where string, more ...string) (reply, error) {
	values := url.Values{"revision": {sc.fields["revision"]}, "mac": {sc.fields["mac"]}}
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	base := sc.base
	if base == "" {
		base = sc.b.s.server.URL
	}
	req, err := http.NewRequest(http.MethodPost, base+sc.fields[where], strings.NewReader(values.Encode()))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := sc.b.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode}
	return r, json.NewDecoder(res.Body).Decode(&r)
}

// exchange spends the code that came back and returns the claims of the ID token.
func (b *browser) exchange() map[string]any {
	b.s.t.Helper()
	return b.exchangeAs("cabinet")
}

func (b *browser) exchangeAs(client string) map[string]any {
	b.s.t.Helper()
	if b.portal == nil || b.portal.Query().Get("code") == "" {
		b.s.t.Fatalf("no code came back: at %v, portal %v, status %d\n%s", b.url, b.portal, b.status, b.page)
	}
	values := url.Values{"grant_type": {"authorization_code"}, "code": {b.portal.Query().Get("code")}, "redirect_uri": {b.s.redirect}, "code_verifier": {verifierPKCE}}
	r, err := http.NewRequest(http.MethodPost, b.s.server.URL+"/token", strings.NewReader(values.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, clientSecret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		IDToken     string `json:"id_token"`
		AccessToken string `json:"access_token"`
		Refresh     string `json:"refresh_token"`
		Error       string `json:"error"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.IDToken == "" {
		b.s.t.Fatalf("token endpoint: %s %v %q", res.Status, err, answer.Error)
	}
	b.idToken, b.access, b.refresh = answer.IDToken, answer.AccessToken, answer.Refresh
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(answer.IDToken, ".")[1])
	if err != nil {
		b.s.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		b.s.t.Fatal(err)
	}
	return claims
}

// code is the code of the problem on the page, "" if there is none.
func (b *browser) code() string {
	if m := codePattern.FindStringSubmatch(b.page); m != nil {
		return m[1]
	}
	return ""
}
