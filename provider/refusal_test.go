package provider_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"brama/internal/audit"
	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage"
)

// TestOutcomes: each kind of certificate gets its own code, in both languages; the page keeps the method, nobody is signed
// in, and the audit has the line.
func TestOutcomes(t *testing.T) {
	s := newStack(t)
	for person, want := range map[string]struct {
		code   string
		status int
	}{
		"seal":          {"CERT_SEAL", 422},
		"expired":       {"CERT_EXPIRED", 422},
		"not-yet-valid": {"CERT_NOT_YET_VALID", 422},
		"revoked":       {"CERT_REVOKED", 422},
		"suspended":     {"CERT_SUSPENDED", 422},
		"unknown":       {"CERT_STATUS_UNKNOWN", 422},
		"no-taxno":      {"CERT_NO_TAXNO", 422},
		"other-issuer":  {"KEY_ISSUER_UNTRUSTED", 422},
	} {
		for _, lang := range []string{"uk", "en"} {
			t.Run(person+"/"+lang, func(t *testing.T) {
				b := s.browser()
				b.lang = lang
				b.authorize("idp_hint", "demo")
				b.submit("demo", "person", person)
				if b.code() != want.code || b.status != want.status {
					t.Errorf("%d %q, want %d %s\n%s", b.status, b.code(), want.status, want.code, b.page)
				}
				if _, ok := find(b, "/demo"); !ok {
					t.Error("the step is not kept")
				}
				line, ok := s.audit.last("login.refused")
				if !ok || line.Code != want.code || line.Connector != "demo" || line.Client != "cabinet" {
					t.Errorf("the audit has %+v", line)
				}
				// The next try, with a good key, gets on.
				b.submit("demo", "person", "valid")
				if !strings.HasSuffix(b.url.Path, "/confirm") {
					t.Errorf("a second try ends at %s with %s", b.url.Path, b.code())
				}
			})
		}
	}
}

func find(b *browser, part string) (string, bool) {
	for _, m := range formPattern.FindAllStringSubmatch(b.page, -1) {
		if strings.Contains(m[1], part) {
			return m[1], true
		}
	}
	return "", false
}

// TestOCSPDown: no answer is no login, and not the person's fault.
func TestOCSPDown(t *testing.T) {
	s := newStack(t)
	for _, service := range []string{"ocsp", "crl"} {
		s.tsp.SetDown(service, true)
	}
	b := s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid")
	if b.code() != "CERT_STATUS_UNREACHABLE" || b.status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", b.status, b.code())
	}
	if line, _ := s.audit.last("login.refused"); line.Outcome != audit.Indeterminate {
		t.Errorf("the audit calls it %q", line.Outcome)
	}
}

// TestAuthorizeWritesNothing: an anonymous request, its pages and its language switch store nothing (threat T93).
func TestAuthorizeWritesNothing(t *testing.T) {
	s := newStack(t)
	before := s.store.count()
	b := s.browser()
	b.authorize()
	page := b.url.Path
	for _, address := range []string{page, page + "?lang=en", strings.Replace(page, "/file", "/demo", 1), strings.Replace(page, "/file", "/upload", 1),
		"/help", "/static/x", "/login/" + loginID(b.url)} {
		b.get(address)
	}
	s.browser().authorize("client_id", "stranger")
	s.browser().authorize("prompt", "none")
	s.browser().authorize("acr_values", "high")
	b.get(strings.TrimSuffix(page, "/file") + "/leave")
	if n := s.store.count() - before; n != 0 || len(s.audit.events) != 0 {
		t.Errorf("%d transactions and %d audit lines before anything was pressed", n, len(s.audit.events))
	}
	if b.portal == nil || b.portal.Query().Get("error") != "access_denied" || b.portal.Query().Get("state") != "state-of-the-portal" {
		t.Errorf("leaving leads to %v", b.portal)
	}
	b = s.browser()
	b.authorize()
	if r := b.script("file").post("ask"); r.Challenge == "" || s.store.count() == before {
		t.Errorf("after the press: %+v, %d transactions: the test counts nothing", r, s.store.count()-before)
	}
}

// oneWins posts a signature 32 times at once, in turn by each of the pages: one proof, and the same answer to all.
func (s *stack) oneWins(signature string, pages ...*script) {
	s.t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for i := range 32 {
		wg.Go(func() {
			r, err := pages[i%len(pages)].tryPost("action", "signature", signature)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				codes[err.Error()]++
				return
			}
			codes[r.Problem.Code]++
		})
	}
	wg.Wait()
	if n := s.audit.count("login.verified"); n != 1 {
		s.t.Errorf("%d proofs in the audit, want 1 (answers %v)", n, codes)
	}
	if codes[""] == 0 || len(codes) != 1 {
		s.t.Errorf("answers are %v", codes)
	}
}

// TestOneSignatureOneLogin: of 32 equal events at once one signs in, and no later one does (threat T5).
func TestOneSignatureOneLogin(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	r := sc.post("ask")
	signature := base64.StdEncoding.EncodeToString(s.sign("valid", []byte(r.Challenge)))
	s.oneWins(signature, sc)
	// The same bytes in a new request of the same login, and in another login.
	if r := sc.post("action", "signature", signature); !strings.HasSuffix(r.URL, "/confirm") {
		t.Errorf("posting again gives %+v", r)
	}
	other := s.browser()
	other.authorize()
	sc = other.script("file")
	sc.post("ask")
	if r := sc.post("action", "signature", signature); r.Problem.Code != "CHALLENGE_REPLAYED" || r.status != http.StatusConflict {
		t.Errorf("in another login: %d %+v", r.status, r.Problem)
	}
	if n := s.audit.count("login.verified"); n != 1 {
		t.Errorf("%d proofs in the end", n)
	}
}

// A meetingStore holds its server's first write until the other server has come as far: both have read the same state then.
type meetingStore struct {
	storage.Store
	both *sync.WaitGroup
	held *atomic.Bool
	once sync.Once
}

func (m *meetingStore) meet() {
	if m.held.Load() {
		m.once.Do(m.both.Done)
		m.both.Wait()
	}
}

func (m *meetingStore) Update(ctx context.Context, fn func(storage.Tx) error) error {
	m.meet()
	return m.Store.Update(ctx, fn)
}

func (m *meetingStore) UpdateUnsynced(ctx context.Context, fn func(storage.Tx) error) error {
	m.meet()
	return m.Store.UpdateUnsynced(ctx, fn)
}

// TestOneSignatureOneLogin over two servers that share nothing but the store: neither waits for what the other has in memory.
func TestOneSignatureOneLoginOfTwoServers(t *testing.T) {
	var cfg provider.Config
	both := &sync.WaitGroup{}
	both.Add(2)
	var held atomic.Bool
	s := newStack(t, func(o *options) {
		o.config = func(c *provider.Config) {
			cfg = *c
			c.Store = &meetingStore{Store: cfg.Store, both: both, held: &held}
		}
	})
	cfg.Store = &meetingStore{Store: cfg.Store, both: both, held: &held}
	node, err := provider.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	second := httptest.NewServer(node)
	t.Cleanup(second.Close)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	signature := base64.StdEncoding.EncodeToString(s.sign("valid", []byte(sc.post("ask").Challenge)))
	here, there := *sc, *sc
	here.fields, there.fields = map[string]string{}, map[string]string{}
	for name, v := range sc.fields {
		here.fields[name], there.fields[name] = v, v
	}
	there.base = second.URL // cookies know no ports
	held.Store(true)
	s.oneWins(signature, &here, &there)
	if r, err := there.tryPost("action", "signature", signature); err != nil || !strings.HasSuffix(r.URL, "/confirm") {
		t.Errorf("the other server afterwards: %+v, %v", r, err)
	}
}

// TestAuditFailureLeavesVerified: a proof that could not be recorded signs nobody in, then or later (threat T89).
func TestAuditFailureLeavesVerified(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	s.audit.fail(true)
	b.submit("demo", "person", "valid")
	if b.code() != "INTERNAL" || b.status != http.StatusInternalServerError {
		t.Fatalf("%d %s", b.status, b.code())
	}
	id := loginID(b.url)
	s.audit.fail(false)
	for _, address := range []string{"/login/" + id, "/login/" + id + "/confirm", "/login/" + id + "/demo"} {
		b.get(address)
		if b.code() != "INTERNAL" || strings.Contains(b.page, "Тестенко") {
			t.Errorf("%s: %d %s", address, b.status, b.code())
		}
	}
	// Beginning anew makes another login.
	b.get("/login/" + id + "/restart")
	if loginID(b.url) == id || !strings.HasSuffix(b.url.Path, "/demo") {
		t.Errorf("restart leads to %s", b.url)
	}
	b.submit("demo", "person", "valid")
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("%s %s", b.url, b.code())
	}
	// The release is recorded before it happens, too.
	s.audit.fail(true)
	b.submit("/confirm")
	if b.portal != nil || b.code() != "INTERNAL" {
		t.Errorf("without an audit line the portal gets %v", b.portal)
	}
	s.audit.fail(false)
	s.audit.lost = true
	b.get("/login/" + loginID(b.url) + "/confirm")
	b.submit("/confirm")
	if b.refusal() != "server_error" || b.portal.Query().Has("code") || b.cookie("session") != "" {
		t.Errorf("with a line that is not on the disk the portal gets %v", b.portal)
	}
}

// TestSignatureForClientAFailsForB: what was signed for one portal, login, method or time is nothing for another (threat T4).
func TestSignatureForClientAFailsForB(t *testing.T) {
	s := newStack(t)
	a := s.browser()
	a.authorize()
	challengeA := a.script("file").post("ask").Challenge
	b := s.browser()
	b.authorize("client_id", "other")
	sc := b.script("file")
	challengeB := sc.post("ask").Challenge
	if !strings.Contains(challengeA, "\nclient: cabinet\n") || !strings.Contains(challengeB, "\nclient: other\n") {
		t.Fatalf("challenges are\n%s\n%s", challengeA, challengeB)
	}
	for name, content := range map[string]string{
		"client":   challengeA,
		"changed":  strings.Replace(challengeB, "client: other", "client: cabinet", 1),
		"method":   strings.Replace(challengeB, "method: file", "method: upload", 1),
		"document": "Договір",
	} {
		r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(content))))
		if r.Problem.Code != "SIG_INVALID" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(challengeB)))); !strings.HasSuffix(r.URL, "/confirm") {
		t.Errorf("the right one: %+v", r)
	}
}

// TestPurposeRequired: a signature of another program is no login by the file key (threat T1); S16 takes it.
func TestPurposeRequired(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	r := sc.post("ask")
	r = sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.signAs("valid", []byte(r.Challenge), "")))
	if r.Problem.Code != "SIG_INVALID" {
		t.Errorf("%+v", r)
	}
}

// TestNoFieldOfThePageReachesTheToken: whatever a page adds to the signature, the token says what the certificate says.
func TestNoFieldOfThePageReachesTheToken(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	r := sc.post("ask")
	lies := []string{"name", "Інша Особа", "rnokpp", "1111111111", "edrpou", "87654321", "acr", "high", "sub", "root", "person", "seal",
		"role", "organization", "title", "президент", "certificate", "x", "challenge", "x", "amr", "hwk", "client_id", "other", "redirect_uri", "https://evil.example/"}
	r = sc.post("action", append(lies, "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(r.Challenge))))...)
	b.get(r.URL)
	_, fields := b.form("/confirm")
	for i := 0; i < len(lies); i += 2 {
		if lies[i] != "role" {
			fields.Set(lies[i], lies[i+1])
		}
	}
	b.post(r.URL, fields)
	claims := b.exchange()
	raw, ok := claims["name"].(string)
	if !ok || raw != "Тестенко Олена Петрівна" || claims["rnokpp"] != "3184710691" || claims["acr"] != "substantial" || claims["edrpou"] != nil || claims["title"] != nil || claims["sub"] == "root" {
		t.Errorf("the token says %v", claims)
	}
}

// TestOrganisationOnlyFromSigner: the role is one of the certificate's, chosen on S8 (threat T32).
func TestOrganisationOnlyFromSigner(t *testing.T) {
	s := newStack(t)
	sign := func(person string) *browser {
		b := s.browser()
		b.authorize("idp_hint", "demo")
		b.submit("demo", "person", person)
		return b
	}
	b := sign("valid-official")
	if !strings.Contains(b.page, `id="role-organization"`) || !strings.Contains(b.page, "директор, ТОВ «Приклад», 12345678") {
		t.Fatalf("S8 shows no role:\n%s", b.page)
	}
	b.submit("/confirm", "role", "organization")
	if claims := b.exchange(); claims["edrpou"] != "12345678" || claims["title"] != "директор" || claims["rnokpp"] != "2999999993" {
		t.Errorf("as an official: %v", claims)
	}
	b = sign("valid-official")
	b.submit("/confirm", "role", "person")
	if claims := b.exchange(); claims["title"] != nil || claims["organization"] != nil {
		t.Errorf("as a person: %v", claims)
	}
	b = sign("valid")
	if strings.Contains(b.page, `name="role"`) {
		t.Error("a person without roles is asked for one")
	}
	b.submit("/confirm", "role", "organization")
	if b.portal != nil || b.code() != "TX_UNKNOWN" {
		t.Errorf("a role that the certificate does not give leads to %v %s", b.portal, b.code())
	}
}

// TestNothingBeforeS8: until «Увійти» the portal has nothing and no code exists (threat T101).
func TestNothingBeforeS8(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid")
	if b.portal != nil || s.audit.count("login.confirmed") != 0 {
		t.Fatal("something was released before S8")
	}
	confirm := b.url.Path
	action, fields := b.form("/confirm")
	for name, change := range map[string]func(url.Values){
		"no mac":        func(v url.Values) { v.Del("mac") },
		"other mac":     func(v url.Values) { v.Set("mac", strings.Repeat("A", 43)) },
		"no revision":   func(v url.Values) { v.Del("revision") },
		"old revision":  func(v url.Values) { v.Set("revision", "1") },
		"next revision": func(v url.Values) { v.Set("revision", "99") },
	} {
		bad := url.Values{}
		for k, v := range fields {
			bad[k] = v
		}
		change(bad)
		b.post(action, bad)
		if b.portal != nil {
			t.Errorf("%s: the portal gets %s", name, b.portal)
		}
	}
	// «Обрати інший підпис»: the data are gone with the login.
	b.get(confirm)
	b.submit("/other")
	if b.portal != nil || loginID(b.url) == strings.Split(confirm, "/")[2] {
		t.Errorf("another signature: %s", b.url)
	}
	tab := b.url.Path
	b.get(confirm)
	if b.code() != "TX_UNKNOWN" || strings.Contains(b.page, "Тестенко") {
		t.Errorf("the old step shows %s", b.code())
	}
	b.get(tab)
	// «Без входу» from S8.
	b.submit("demo", "person", "valid")
	b.get(strings.Replace(b.url.Path, "/confirm", "/leave", 1))
	if b.portal == nil || b.portal.Query().Get("error") != "access_denied" || b.portal.Query().Has("code") || strings.Contains(b.portal.RawQuery, "3184710691") {
		t.Errorf("leaving leads to %v", b.portal)
	}
}

// TestConsent: without the tick nothing goes on, and what was chosen stays.
func TestConsent(t *testing.T) {
	s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.NoticeRequired = true } })
	b := s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid-official")
	b.submit("/confirm", "role", "organization")
	if b.code() != "CONSENT_NEEDED" || b.status != 422 || b.portal != nil {
		t.Fatalf("without the tick: %d %s %v", b.status, b.code(), b.portal)
	}
	if !strings.Contains(b.page, `value="organization" checked`) {
		t.Error("the chosen role is lost")
	}
	b.submit("/confirm", "role", "organization", "consent", "yes")
	b.exchange()
	if line, _ := s.audit.last("login.confirmed"); line.Detail["consent"] == "" || line.Person == "" {
		t.Errorf("the audit has %+v", line)
	}
}

// TestConflictingLookup: identifiers that lead to two persons end the login, and nobody is joined (threat T31).
func TestConflictingLookup(t *testing.T) {
	s := newStack(t)
	issue := func(rnokpp, unzr string) {
		i, err := s.tsp.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: rnokpp, UNZR: unzr})
		if err != nil {
			t.Fatal(err)
		}
		s.people["valid"] = i
	}
	sign := func() *browser {
		b := s.browser()
		b.authorize("idp_hint", "demo")
		b.submit("demo", "person", "valid")
		return b
	}
	issue("3184710691", "19870312-00001")
	if b := sign(); !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("%s %s", b.url, b.code())
	}
	issue("3184710691", "19900101-00002")
	b := sign()
	if b.code() != "PERSON_CONFLICT" || strings.Contains(b.page, "Тестенко") {
		t.Errorf("%s %s", b.url, b.code())
	}
	b.get("/login/" + loginID(b.url) + "/confirm")
	if b.code() != "TX_UNKNOWN" {
		t.Errorf("afterwards the login shows %s", b.code())
	}
	if line, ok := s.audit.last("login.refused"); !ok || line.Code != "PERSON_CONFLICT" {
		t.Errorf("the audit has %+v", line)
	}
}
