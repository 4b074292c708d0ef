package provider_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/internal/audit"
	"brama/internal/qes/qestest"
	"brama/provider/oauth"
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

// TestOneSignatureOneLogin: of 32 equal events at once one signs in, and no later one does (threat T5).
func TestOneSignatureOneLogin(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	r := sc.post("ask")
	signature := base64.StdEncoding.EncodeToString(s.sign("valid", []byte(r.Challenge)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for range 32 {
		wg.Go(func() {
			r, err := sc.tryPost("action", "signature", signature)
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
		t.Errorf("%d proofs in the audit, want 1 (answers %v)", n, codes)
	}
	if codes[""] == 0 || len(codes) != 1 {
		t.Errorf("answers are %v", codes)
	}
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

// TestUpload walks S16 without a script: request.txt, any program, the file.
func TestUpload(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	b.get(strings.Replace(b.url.Path, "/file", "/upload", 1))
	page := b.url.Path
	b.submit("/upload/request")
	if b.url.Path != page || !strings.Contains(b.page, "request.txt") {
		t.Fatalf("asking leads to %s", b.url)
	}
	shown := b.page
	b.get(page + "/request.txt")
	request := []byte(b.page)
	if !bytes.HasPrefix(request, []byte("brama-login-v1\nлише для входу, не є документом\n")) || !strings.Contains(b.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("request.txt is %q %v", request, b.header)
	}
	signed := s.signAs("valid", request, "")
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"nothing":     {nil, "UPLOAD_MISSING"},
		"too big":     {make([]byte, 300<<10), "UPLOAD_TOO_BIG"},
		"the request": {request, "UPLOAD_NOT_SIGNED"},
		"noise":       {[]byte("\x30\x82noise"), "CMS_MALFORMED"},
	} {
		// A fresh login each: five tries are enough for one.
		b := s.browser()
		b.authorize()
		b.get(strings.Replace(b.url.Path, "/file", "/upload", 1))
		b.submit("/upload/request")
		if name == "the request" {
			page, address := b.page, b.url.Path
			b.get(address + "/request.txt")
			c.file = []byte(b.page)
			b.page = page
		}
		b.upload(c.file)
		if b.code() != c.code || b.status < 400 || b.status > 499 {
			t.Errorf("%s: %d %s, want %s", name, b.status, b.code(), c.code)
		}
		if _, ok := find(b, "/upload"); !ok {
			t.Errorf("%s: the step is not kept", name)
		}
	}
	pair, err := qestest.NewKey(qestest.P256)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PKCS8()
	if err != nil {
		t.Fatal(err)
	}
	b.page = shown
	b.upload(key)
	if b.code() != "UPLOAD_IS_KEY" {
		t.Errorf("a key: %s", b.code())
	}
	b.upload([]byte(base64.StdEncoding.EncodeToString(signed)))
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("the signed file: %s %d %s", b.url, b.status, b.code())
	}
	b.submit("/confirm")
	if claims := b.exchange(); claims["rnokpp"] != "3184710691" {
		t.Errorf("claims are %v", claims)
	}
}

// TestChallengeExpired: after 15 minutes the signature is late and a new request is offered; after 30 the login is over.
func TestChallengeExpired(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	first, old := sc.post("ask").Challenge, sc.post("ask").Challenge
	if first == old {
		t.Error("a nonce was given twice")
	}
	s.forward(15*time.Minute + time.Second)
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(old)))); r.Problem.Code != "CHALLENGE_EXPIRED" || r.Problem.Next == "" {
		t.Fatalf("%+v", r)
	}
	fresh := sc.post("ask").Challenge
	if fresh == old || fresh == "" {
		t.Error("the new request is the old one")
	}
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(old)))); r.Problem.Code != "SIG_INVALID" {
		t.Errorf("the old signature: %+v", r)
	}
	s.forward(15 * time.Minute)
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(fresh)))); r.Problem.Code != "TX_EXPIRED" || r.status != http.StatusGone {
		t.Errorf("after the end: %d %+v", r.status, r.Problem)
	}
	b.get("/login/" + loginID(b.url))
	if b.code() != "TX_EXPIRED" || !strings.Contains(b.page, "Електронний кабінет") {
		t.Errorf("the page says %s", b.code())
	}
}

// TestLonger: each press adds ten minutes, ten times at most, and what is being signed stays valid.
func TestLonger(t *testing.T) {
	s := newStack(t)
	longer := regexp.MustCompile(`id="longer"[^>]*data-action="([^"]+)" data-mac="([^"]+)"`)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	before := s.store.count()
	press := func() {
		t.Helper()
		m := longer.FindStringSubmatch(b.page)
		if m == nil {
			t.Fatalf("no more time is offered at %s %s", b.url, b.code())
		}
		b.post(m[1], url.Values{"revision": {"0"}, "mac": {m[2]}})
	}
	press()
	if s.store.count() != before {
		t.Error("more time for a login that is not stored writes something")
	}
	s.forward(35 * time.Minute)
	sc := b.script("file")
	challenge := sc.post("ask").Challenge
	b.get("/login/" + loginID(b.url) + "/file")
	press()
	// The challenge was to end with the login; its text is still the one that was signed, and the open page is good.
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(challenge)))); !strings.HasSuffix(r.URL, "/confirm") {
		t.Fatalf("%+v", r)
	}
	s.forward(14 * time.Minute)
	b.get("/login/" + loginID(b.url) + "/confirm")
	for range 8 {
		press()
	}
	if longer.MatchString(b.page) {
		t.Error("an eleventh time is offered")
	}
	b.post("/login/"+loginID(b.url)+"/longer", url.Values{"revision": {"0"}, "mac": {stepMAC(t, s, loginID(b.url), 0, "longer")}})
	if b.code() != "RATE_LIMITED" {
		t.Errorf("an eleventh press: %d %s", b.status, b.code())
	}
	b.get("/login/" + loginID(b.url) + "/confirm")
	// The login lives; its code is not tried, for fosite has a clock of its own.
	if !strings.Contains(b.page, `id="confirm"`) {
		t.Errorf("after 49 minutes: %s", b.code())
	}
}

// TestOtherPersonsSignatureStopsAtS8: the first proof counts; what comes later for the same login changes nothing (threat T7).
func TestOtherPersonsSignatureStopsAtS8(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	page := b.page
	b.submit("demo", "person", "valid")
	b.page = page
	b.submit("demo", "person", "valid-official")
	if !strings.HasSuffix(b.url.Path, "/confirm") || !strings.Contains(b.page, "3184710691") || strings.Contains(b.page, "2999999993") {
		t.Errorf("%s shows %s", b.url, b.code())
	}
}

// TestAttemptLimit: five tries, then the login is over.
func TestAttemptLimit(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	for range 5 {
		b.submit("demo", "person", "seal")
		if b.code() != "CERT_SEAL" {
			t.Fatalf("%s", b.code())
		}
	}
	// Beginning anew is for those who were proven: it gives nobody new tries.
	id, page := loginID(b.url), b.page
	b.get("/login/" + id + "/restart")
	if loginID(b.url) != id {
		t.Error("restart gives five more tries")
	}
	b.page = page
	b.submit("demo", "person", "valid")
	if b.code() != "RATE_LIMITED" || b.status != http.StatusTooManyRequests {
		t.Errorf("%d %s", b.status, b.code())
	}
	b.get("/login/" + loginID(b.url))
	if b.code() != "TX_UNKNOWN" {
		t.Errorf("afterwards: %s", b.code())
	}
}

// TestSearchBudget: certificates by key id, three times a login, key ids and nothing else (threat T95).
func TestSearchBudget(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	id := hexOf(s.people["valid"].Key.ID())
	r := sc.post("search", "issuer", qestest.MainEDRPOU, "key_ids", id)
	if len(r.Certificates) != 1 || !bytes.Equal(r.Certificates[0], s.people["valid"].Certificate.Raw) {
		t.Fatalf("%+v", r)
	}
	if r := sc.post("search", "issuer", "", "key_ids", strings.Repeat("ab", 32)); r.Problem.Code != "KEY_CERT_NOT_FOUND" {
		t.Errorf("an unknown key: %+v", r.Problem)
	}
	for _, bad := range []string{"", "zz", "ab", strings.TrimSuffix(strings.Repeat(id+",", 40), ",")} {
		if r := sc.post("search", "key_ids", bad); r.Problem.Code != "TX_UNKNOWN" {
			t.Errorf("key ids %.20q: %+v", bad, r.Problem)
		}
	}
	sc.post("search", "issuer", "", "key_ids", id)
	if r := sc.post("search", "issuer", "", "key_ids", id); r.Problem.Code != "RATE_LIMITED" {
		t.Errorf("the fourth search: %+v", r.Problem)
	}
	// The login itself goes on.
	r = sc.post("ask")
	if r = sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(r.Challenge)))); !strings.HasSuffix(r.URL, "/confirm") {
		t.Errorf("after the searches: %+v", r)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, o := range b {
		s.WriteByte(digits[o>>4])
		s.WriteByte(digits[o&15])
	}
	return s.String()
}
