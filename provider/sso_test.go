package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/provider/oauth"
	"brama/storage"
)

// signIn walks a whole sign-in of a demo person and returns the claims of the ID token.
func (b *browser) signIn(person string, more ...string) map[string]any {
	b.s.t.Helper()
	b.authorize(append([]string{"idp_hint", "demo"}, more...)...)
	if strings.HasSuffix(b.url.Path, "/continue") {
		b.submit("/other")
	}
	b.submit("demo", "person", person)
	b.submit("/confirm")
	return b.exchange()
}

// userinfo asks with the access token of the last exchange.
func (b *browser) userinfo() int {
	b.s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.s.server.URL+"/userinfo", nil)
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.access)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// refusal is the error that came back to the portal, "" if none did.
func (b *browser) refusal() string {
	if b.portal == nil {
		return ""
	}
	return b.portal.Query().Get("error")
}

func (b *browser) cookie(short string) string {
	u, _ := url.Parse(b.s.server.URL)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "brama-"+short {
			return c.Value
		}
	}
	return ""
}

// sessions returns what the store holds of sessions.
func (s *stack) sessions() (list []storage.Session) {
	s.t.Helper()
	if err := s.store.View(s.t.Context(), func(tx storage.Tx) error {
		list = nil
		for r, err := range tx.Scan(storage.KindSession, "") {
			if err != nil {
				return err
			}
			one, err := storage.GetSession(tx, r.ID)
			if err != nil {
				return err
			}
			list = append(list, one)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return list
}

// TestContinue: the same portal finds the person in the session, and is told of them only when they say so; another portal
// knows nothing of it.
func TestContinue(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	first := b.signIn("valid")
	if first["sid"] == nil || first["sid"] == "" {
		t.Fatalf("no sid: %v", first)
	}
	b.authorize()
	if !strings.HasSuffix(b.url.Path, "/continue") || !strings.Contains(b.page, "Тестенко Олена Петрівна") || !strings.Contains(b.page, "Інша особа") {
		t.Fatalf("at %s %s", b.url, b.code())
	}
	b.submit("/continue")
	again := b.exchange()
	if again["sid"] != first["sid"] || again["auth_time"] != first["auth_time"] || again["sub"] != first["sub"] {
		t.Errorf("continued as %v, before %v", again, first)
	}
	b.authorize("client_id", "other")
	if strings.HasSuffix(b.url.Path, "/continue") || strings.Contains(b.page, "Тестенко") {
		t.Errorf("another portal shows %s", b.url)
	}
	for name, more := range map[string][]string{"login": {"prompt", "login"}, "max_age=0": {"max_age", "0"}, "create": {"prompt", "create"}} {
		b.authorize(more...)
		if strings.HasSuffix(b.url.Path, "/continue") || b.portal != nil {
			t.Errorf("%s: at %s, %v", name, b.url, b.portal)
		}
	}
	b.authorize("prompt", "select_account")
	if !strings.HasSuffix(b.url.Path, "/continue") {
		t.Errorf("select_account: at %s", b.url)
	}
	b.submit("/other")
	if strings.HasSuffix(b.url.Path, "/continue") {
		t.Error("another person is offered the first again")
	}
	b.get("/login/" + loginID(b.url))
	if strings.HasSuffix(b.url.Path, "/continue") {
		t.Error("another person is offered the first again, coming back")
	}
}

// TestSilent: prompt=none is answered from the session where nothing has to be asked.
func TestSilent(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("without a session: %v", b.portal)
	}
	first := b.signIn("valid")
	b.authorize("prompt", "none")
	if again := b.exchange(); again["sub"] != first["sub"] || again["sid"] != first["sid"] || again["auth_time"] != first["auth_time"] {
		t.Errorf("got %v, before %v", again, first)
	}
	other := s.browser()
	hint := other.signIn("valid-official")["sub"].(string)
	for name, c := range map[string]struct {
		want string
		more []string
	}{
		"another portal":   {"login_required", []string{"client_id", "other"}},
		"higher level":     {"unmet_authentication_requirements", []string{"acr_values", "high"}},
		"max_age":          {"", []string{"max_age", "3600"}},
		"max_age 0":        {"login_required", []string{"max_age", "0"}},
		"hint":             {"account_selection_required", []string{"login_hint", hint}},
		"own hint":         {"", []string{"login_hint", first["sub"].(string)}},
		"words":            {"", []string{"login_hint", "somebody@example.org"}},
		"beside the other": {"invalid_request", []string{"prompt", "none login"}},
	} {
		b.authorize(append([]string{"prompt", "none"}, c.more...)...)
		if b.refusal() != c.want || b.portal == nil {
			t.Errorf("%s: %q at %v, want %q", name, b.refusal(), b.portal, c.want)
		}
	}
	s.forward(20 * time.Minute)
	b.authorize("prompt", "none", "max_age", "600")
	if b.refusal() != "login_required" {
		t.Errorf("older than max_age: %v", b.portal)
	}
	b.authorize("prompt", "none", "max_age", "6000")
	if b.refusal() != "" {
		t.Errorf("younger than max_age: %v", b.portal)
	}
}

// TestSessionEnds: a session ends half an hour after its last use, and eight hours after the login in any case (threat
// T77).
func TestSessionEnds(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.signIn("valid")
	s.forward(31 * time.Minute)
	b.authorize("prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("idle: %v", b.portal)
	}
	s = newStack(t)
	b = s.browser()
	b.signIn("valid")
	for range 16 {
		s.forward(29 * time.Minute)
		b.authorize("prompt", "none")
		if b.refusal() != "" {
			t.Fatalf("in use: %v", b.portal)
		}
	}
	s.forward(17 * time.Minute)
	b.authorize("prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("after eight hours: %v", b.portal)
	}
}

// TestSSOGroup: portals of one group share a sign-in, never silently where one is new to it; others share nothing.
func TestSSOGroup(t *testing.T) {
	s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.SSOGroup = "city" } })
	b := s.browser()
	first := b.signIn("valid")
	b.authorize("client_id", "other", "prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("a portal where the person has never been learns of the session: %v", b.portal)
	}
	b.authorize("client_id", "other")
	if !strings.HasSuffix(b.url.Path, "/continue") {
		t.Fatalf("at %s", b.url)
	}
	b.submit("/continue")
	if b.portal == nil || b.portal.Query().Get("code") == "" {
		t.Fatalf("continued to %v", b.portal)
	}
	b.authorize("client_id", "other", "prompt", "none")
	if b.refusal() != "" {
		t.Errorf("afterwards: %v", b.portal)
	}
	// A new session: the portal is known to the person, and new to the login.
	again := s.browser()
	again.signIn("valid")
	again.authorize("client_id", "other", "prompt", "none")
	if again.refusal() != "interaction_required" {
		t.Errorf("in a new session: %v", again.portal)
	}
	if list := s.sessions(); len(list) != 2 || first["sid"] == "" {
		t.Errorf("%d sessions", len(list))
	}
}

// TestPersonSwitch: a new person ends the session of the old one in this browser, and the level of a login never changes: a
// sign-in anew is another session under another cookie (threats T76, T78).
func TestPersonSwitch(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	first := b.signIn("valid")
	one := b.cookie("session")
	second := b.signIn("valid", "prompt", "login")
	two := b.cookie("session")
	if one == two || one == "" || first["sid"] == second["sid"] {
		t.Errorf("signing in anew keeps cookie or sid: %v, %v", first["sid"], second["sid"])
	}
	if list := s.sessions(); len(list) != 1 || list[0].ID != storage.HashSecret(two) || len(list[0].Logins) != 1 {
		t.Errorf("sessions: %+v", list)
	}
	b.authorize("client_id", "other", "idp_hint", "demo")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	token := b.exchangeAs("other")
	if status := b.userinfo(); status != http.StatusOK || len(s.sessions()[0].Logins) != 2 {
		t.Errorf("userinfo says %d, %v", status, token)
	}
	third := b.signIn("valid-official", "prompt", "login")
	if status := b.userinfo(); status != http.StatusOK {
		t.Errorf("userinfo of the new person says %d", status)
	}
	if len(s.sessions()[0].Logins) != 1 {
		t.Errorf("the new person has a login of the old one: %+v", s.sessions()[0].Logins)
	}
	if list := s.sessions(); len(list) != 1 || third["sub"] == second["sub"] || list[0].Login("client:cabinet", s.now()).SID != third["sid"] {
		t.Errorf("sessions: %+v", list)
	}
	b.authorize("prompt", "none")
	if b.exchange()["sub"] != third["sub"] {
		t.Error("the session is of the first person still")
	}
	// The old cookie, put back by whoever had it.
	u, _ := url.Parse(s.server.URL)
	for _, old := range []string{one, two} {
		thief := s.browser()
		thief.client.Jar.SetCookies(u, []*http.Cookie{{Name: "brama-session", Value: old, Path: "/"}})
		thief.authorize("prompt", "none")
		if thief.refusal() != "login_required" {
			t.Errorf("with an old cookie: %v", thief.portal)
		}
	}
}

// TestEnterRace: of many presses of one «Увійти», and of one «Продовжити», one gives a code and one session is made.
func TestEnterRace(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid")
	pressAtOnce(t, s, b, "/confirm")
	if n := len(s.sessions()); n != 1 {
		t.Errorf("%d sessions of one press", n)
	}
	b = s.browser()
	b.signIn("valid")
	b.authorize()
	pressAtOnce(t, s, b, "/continue")
	if n := s.audit.count("login.confirmed") + s.audit.count("login.continued"); n != 3 {
		t.Errorf("the audit has %d releases, want 3", n)
	}
}

// pressAtOnce presses the button of a form 32 times at once; one press gives a code.
func pressAtOnce(t *testing.T, s *stack, b *browser, form string) {
	t.Helper()
	action, fields := b.form(form)
	codes := make([]string, 32)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			r, err := http.NewRequest(http.MethodPost, s.server.URL+action, strings.NewReader(fields.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			one := http.Client{Jar: b.client.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			res, err := one.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if to, err := res.Location(); err == nil {
				codes[i] = to.Query().Get("code")
			}
		})
	}
	wg.Wait()
	n := 0
	for _, code := range codes {
		if code != "" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d codes of one press, want 1", n)
	}
}

// TestContinueIsOfWhoIsShown: the form that showed one person does not continue as another, who signed in meanwhile in
// another tab.
func TestContinueIsOfWhoIsShown(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.signIn("valid")
	b.authorize()
	action, fields := b.form("/continue")
	b.signIn("valid-official", "prompt", "login")
	b.post(action, fields)
	if b.portal != nil && b.portal.Query().Get("code") != "" {
		t.Errorf("continued as another person: %v", b.portal)
	}
}

// TestRoleOfSession: the role that a certificate gives can be chosen on S9 anew, and no other.
func TestRoleOfSession(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	if claims := b.signIn("valid-official"); claims["edrpou"] != nil {
		t.Errorf("as oneself: %v", claims)
	}
	b.authorize()
	b.submit("/continue", "role", "organization")
	if claims := b.exchange(); claims["edrpou"] != "12345678" || claims["title"] != "директор" {
		t.Errorf("for the organisation: %v", claims)
	}
	b.authorize("prompt", "none")
	if claims := b.exchange(); claims["edrpou"] != "12345678" {
		t.Errorf("silently afterwards: %v", claims)
	}
	b.authorize()
	b.submit("/continue", "role", "president")
	if b.code() != "TX_UNKNOWN" || b.portal != nil {
		t.Errorf("a role of nobody's: %s %v", b.code(), b.portal)
	}
}

// A stronger method, which here gives no more than the others do.
type stronger struct{ connectors.Connector }

func (stronger) MaxLoA() connectors.LoA { return connectors.High }
func (s stronger) Idle() connectors.Page {
	return s.Connector.(interface{ Idle() connectors.Page }).Idle() //nolint:forcetypeassert // it is demo
}

// TestSessionNeverRaised: a session of a lower level does not serve a request for a higher one, silently or not (threat T78).
func TestSessionNeverRaised(t *testing.T) {
	s := newStack(t, func(o *options) {
		o.method = func(m map[string]connectors.Connector) { m["token"] = stronger{m["demo"]} }
	})
	b := s.browser()
	b.signIn("valid")
	b.authorize("acr_values", "high")
	if b.portal != nil || !strings.HasSuffix(b.url.Path, "/token") {
		t.Errorf("high: at %s, %v", b.url, b.portal)
	}
	b.authorize("acr_values", "high", "prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("silently high: %v", b.portal)
	}
	b.authorize("acr_values", "high substantial", "prompt", "none")
	if claims := b.exchange(); claims["acr"] != "substantial" {
		t.Errorf("any of two levels: %v", claims)
	}
}

// TestHintNamesThePerson: with an id_token_hint only that person answers: another one's session is not offered, another one's
// signature is an error at the portal, and nobody is told who it was.
func TestHintNamesThePerson(t *testing.T) {
	s := newStack(t)
	expected := s.browser()
	sub := expected.signIn("valid")["sub"]
	hint := expected.idToken
	b := s.browser()
	b.signIn("valid-official")
	b.authorize("prompt", "none", "id_token_hint", hint)
	if b.refusal() != "login_required" {
		t.Errorf("another person's session: %v", b.portal)
	}
	b.authorize("id_token_hint", hint, "idp_hint", "demo")
	if strings.HasSuffix(b.url.Path, "/continue") {
		t.Error("another person's session is offered")
	}
	b.submit("demo", "person", "valid-official")
	if b.refusal() != "login_required" || b.portal.Query().Get("error_description") != "PERSON_NOT_EXPECTED" || strings.Contains(b.portal.String(), "2999999993") {
		t.Errorf("another person's signature: %v %s", b.portal, b.page)
	}
	if line, _ := s.audit.last("login.refused"); line.Code != "PERSON_NOT_EXPECTED" {
		t.Errorf("the audit has %+v", line)
	}
	b.authorize("id_token_hint", hint, "idp_hint", "demo")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	if claims := b.exchange(); claims["sub"] != sub {
		t.Errorf("the person of the hint: %v", claims)
	}
	b.authorize("prompt", "none", "id_token_hint", hint)
	if b.refusal() != "" || b.exchange()["sub"] != sub {
		t.Errorf("their session: %v", b.portal)
	}
}

// TestRoleRequired: a portal that cannot do without the organisation is not offered the person alone, by the page or by a
// form of one's own making.
func TestRoleRequired(t *testing.T) {
	s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.RequiredClaims = []string{"rnokpp", "edrpou"} } })
	b := s.browser()
	b.authorize("idp_hint", "demo")
	b.submit("demo", "person", "valid-official")
	if strings.Contains(b.page, `value="person"`) || !strings.Contains(b.page, "ТОВ «Приклад»") {
		t.Errorf("S8 offers:\n%s", b.page)
	}
	action, fields := b.form("/confirm")
	fields.Set("role", "person")
	b.post(action, fields)
	if b.portal != nil || b.code() != "TX_UNKNOWN" {
		t.Errorf("as oneself: %v %s", b.portal, b.code())
	}
	fields.Del("role")
	b.post(action, fields)
	if claims := b.exchange(); claims["edrpou"] != "12345678" {
		t.Errorf("got %v", claims)
	}
}

// TestErasedPersonHasNoSession: a session of somebody who is not known any more answers nothing (threat T80).
func TestErasedPersonHasNoSession(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.signIn("valid")
	person := s.sessions()[0].Person
	if err := s.store.Update(t.Context(), func(tx storage.Tx) error { return tx.Delete(storage.KindPerson, person) }); err != nil {
		t.Fatal(err)
	}
	b.authorize("prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("silently: %v", b.portal)
	}
	b.authorize()
	if strings.Contains(b.page, "Тестенко") {
		t.Errorf("at %s the person is shown", b.url)
	}
}
