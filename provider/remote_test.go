package provider_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/provider"
	"brama/storage"
	"brama/storage/seal"
)

func openRemote(t *testing.T) *remote {
	t.Helper()
	return newRemote(func(o ...func(*options)) *stack { return newStack(t, o...) })
}

func (r *remote) notifyURL(method string) string {
	return provider.NotifyURL(r.server.URL, stackSecret, method)
}

// login reads what is stored of a login: its state as it is packed, and its revision.
func (r *remote) login(id string) (string, uint64) {
	r.t.Helper()
	var l storage.Login
	err := r.store.View(r.t.Context(), func(tx storage.Tx) (err error) { l, err = storage.GetLogin(tx, id); return err })
	if err != nil {
		r.t.Fatal(err)
	}
	sealer, err := seal.New(seal.Derive(stackSecret, "store"))
	if err != nil {
		r.t.Fatal(err)
	}
	plain, err := sealer.Open("login:"+id, l.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(plain), l.Revision
}

// press begins a login by telephone and returns its id, what the provider knows of it, and the return link.
func (r *remote) press(b *browser) (id, trace, link string) {
	r.t.Helper()
	b.authorize("idp_hint", "diia")
	b.act("/diia", "action", "request")
	if !strings.Contains(b.page, `id="code-match"`) {
		r.t.Fatalf("after the press: %s %d %s\n%s", b.url, b.status, b.code(), b.page)
	}
	id = loginID(b.url)
	return id, r.trace(id), regexp.MustCompile(`id="open-app" href="([^"]+)"`).FindStringSubmatch(b.page)[1]
}

// trace is what the connector has given to its provider: it stands in its state, "<trace> <time>".
func (r *remote) trace(id string) string {
	r.t.Helper()
	state, _ := r.login(id)
	m := regexp.MustCompile(`([\w-]{22}\.[A-Z2-7]{26}) \d{4}-`).FindStringSubmatch(state)
	if m == nil {
		r.t.Fatalf("the connector has no state: %q", state)
	}
	return m[1]
}

// poll asks as the script of the page does.
func (r *remote) poll(b *browser, id string) reply {
	r.t.Helper()
	_, revision := r.login(id)
	sc := &script{b: b, fields: map[string]string{"action": "/login/" + id + "/diia/poll", "revision": strconv.FormatUint(revision, 10),
		"mac": stepMAC(r.t, r.stack, id, revision, "poll/diia")}}
	return sc.post("action")
}

// TestPhoneSignsIn: the press, the code, a notification, the poll that finds it, S8, the portal.
func TestPhoneSignsIn(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, _ := r.press(b)
	for _, want := range []string{`class="qr"`, `id="check"`, ">47<", "02:5"} {
		if !strings.Contains(b.page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if got := r.poll(b, id); got.URL != "" || got.Revision == 0 || got.Problem.Code != "" {
		t.Fatalf("the first poll gives %+v", got)
	}
	writes := r.store.count()
	r.forward(2 * time.Second)
	r.poll(b, id)
	if r.store.count() != writes {
		t.Error("a poll that finds nothing new writes")
	}
	if status := r.notify(r.notifyURL("diia"), trace, "signed"); status != http.StatusOK {
		t.Fatalf("the notification is answered with %d\n%s", status, r.logs)
	}
	if got := r.poll(b, id); !strings.HasSuffix(got.URL, "/confirm") {
		t.Fatalf("the poll after it gives %+v", got)
	}
	// Without a script: the button leads to the same place.
	b.submit("/diia/poll")
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("«Перевірити» leads to %s %s", b.url, b.code())
	}
	b.submit("/confirm")
	if claims := b.exchange(); claims["rnokpp"] != "3184710691" {
		t.Errorf("claims are %v", claims)
	}
	// A repeated notification is harmless.
	if status := r.notify(r.notifyURL("diia"), trace, "signed"); status == http.StatusOK {
		t.Error("the same notification counts twice")
	}
	if r.audit.count("login.verified") != 1 {
		t.Errorf("%d proofs in the audit", r.audit.count("login.verified"))
	}
}

// TestWaitEnds: a code that runs out, is taken back, and is made anew.
func TestWaitEnds(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, first, _ := r.press(b)
	b.act("/diia", "action", "cancel")
	if b.code() != "REMOTE_CANCELLED" || strings.Contains(b.page, `class="qr"`) {
		t.Fatalf("after «Скасувати»: %s\n%s", b.code(), b.page)
	}
	if status := r.notify(r.notifyURL("diia"), first, "signed"); status == http.StatusOK {
		t.Error("a cancelled request counts")
	}
	b.act("/diia", "action", "request")
	r.forward(3*time.Minute + time.Second)
	b.get(b.url.Path)
	if b.code() != "REMOTE_EXPIRED" || strings.Contains(b.page, `class="qr"`) || !strings.Contains(b.page, "Оновити код") {
		t.Errorf("after 181 s: %s", b.code())
	}
	second := r.trace(id)
	r.forward(30 * time.Second)
	if got := r.poll(b, id); got.URL == "" {
		t.Errorf("the poll after 211 s gives %+v", got)
	}
	b.get(b.url.Path)
	if b.code() != "REMOTE_EXPIRED" {
		t.Errorf("the page after it says %s", b.code())
	}
	if status := r.notify(r.notifyURL("diia"), second, "signed"); status == http.StatusOK {
		t.Error("a result after its time counts")
	}
	b.act("/diia", "action", "request")
	if status := r.notify(r.notifyURL("diia"), r.trace(id), "signed"); status != http.StatusOK {
		t.Errorf("the third request is answered with %d", status)
	}
	b.get(b.url.Path)
	if b.code() != "" && b.code() != "TX_UNKNOWN" || !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Errorf("then the login is at %s %s", b.url, b.code())
	}
}

// refusals are the codes of the refusals in the audit, in their order.
func (r *remote) refusals() (codes []string) {
	r.audit.mu.Lock()
	defer r.audit.mu.Unlock()
	for _, e := range r.audit.events {
		if e.Action == "login.refused" {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

// TestWaitEndsOnRecord: what a person is told of a request that came to nothing stands in the audit, once, however often
// the page asks.
func TestWaitEndsOnRecord(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, _, _ := r.press(b)
	r.forward(3*time.Minute + time.Second)
	for range 3 {
		if got := r.poll(b, id); got.Phase != "expired" {
			t.Fatalf("the poll after 181 s gives %+v", got)
		}
		r.forward(2 * time.Second)
	}
	r.forward(30 * time.Second)
	r.poll(b, id)
	b.get(b.url.Path)
	if got := r.refusals(); !slices.Equal(got, []string{"REMOTE_EXPIRED"}) || b.code() != "REMOTE_EXPIRED" {
		t.Errorf("the audit has %v, the page %s", got, b.code())
	}
	b.act("/diia", "action", "request")
	b.act("/diia", "action", "cancel")
	b.get(b.url.Path)
	if got := r.refusals(); !slices.Equal(got, []string{"REMOTE_EXPIRED", "REMOTE_CANCELLED"}) {
		t.Errorf("the audit has %v", got)
	}
}

// TestWaitWithoutAnswers: a provider that does not answer a while costs nothing; one that goes on so, or says that the
// request is over, ends the wait.
func TestWaitWithoutAnswers(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, _, _ := r.press(b)
	down := &connectors.Refusal{Code: "REMOTE_DOWN", Values: map[string]string{"name": "Дія"}, Err: connectors.ErrRetry}
	for range 2 { // an answer between two outages begins the count anew
		r.phone.failing.Store(down)
		for range 10 {
			if got := r.poll(b, id); got.URL != "" || got.Phase != "waiting" {
				t.Fatalf("a poll without an answer gives %+v", got)
			}
			r.forward(1900 * time.Millisecond)
		}
		r.phone.failing.Store(nil)
		r.poll(b, id)
		r.forward(2 * time.Second)
	}
	if got := r.refusals(); got != nil {
		t.Fatalf("the audit has %v", got)
	}
	r.phone.failing.Store(down)
	r.poll(b, id)
	r.forward(20 * time.Second)
	if got := r.poll(b, id); got.URL == "" {
		t.Fatalf("the poll after 20 s without an answer gives %+v", got)
	}
	b.get(b.url.Path)
	if b.code() != "REMOTE_DOWN" || !strings.Contains(b.page, "«Дія»") {
		t.Errorf("the page says %s", b.code())
	}
	b.act("/diia", "action", "request")
	r.phone.failing.Store(&connectors.Refusal{Code: "REMOTE_DOWN", Err: errors.Join(connectors.ErrRetry, connectors.ErrOver)})
	r.forward(2 * time.Second)
	r.poll(b, id)
	if got := r.refusals(); !slices.Equal(got, []string{"REMOTE_DOWN", "REMOTE_DOWN"}) {
		t.Errorf("the audit has %v", got)
	}
}

// TestPollWithoutCookie: whoever read an id off a screen learns nothing by it (threat T45).
func TestPollWithoutCookie(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, _ := r.press(b)
	r.notify(r.notifyURL("diia"), trace, "signed")
	_, revision := r.login(id)
	for name, stranger := range map[string]*browser{"no cookie": r.browser(), "cookie of another login": func() *browser {
		o := r.browser()
		r.press(o)
		return o
	}()} {
		sc := &script{b: stranger, fields: map[string]string{"action": "/login/" + id + "/diia/poll", "revision": strconv.FormatUint(revision, 10),
			"mac": stepMAC(t, r.stack, id, revision, "poll/diia")}}
		if got := sc.post("action"); got.URL != "" || got.Problem.Code != "TX_UNKNOWN" {
			t.Errorf("%s: the poll gives %+v", name, got)
		}
	}
	// The owner's cookie, while it waits, with the code of another step.
	waiting := r.browser()
	id, _, _ = r.press(waiting)
	_, revision = r.login(id)
	sc := &script{b: waiting, fields: map[string]string{"action": "/login/" + id + "/diia/poll", "revision": strconv.FormatUint(revision, 10),
		"mac": stepMAC(t, r.stack, id, revision, "diia")}}
	if got := sc.post("action"); got.Problem.Code != "TX_UNKNOWN" {
		t.Errorf("a code of another step: %+v", got)
	}
}

// TestForgedNotifyLeavesLoginAlive: a false notification changes nothing at all (threat T44).
func TestForgedNotifyLeavesLoginAlive(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, _ := r.press(b)
	before, revision := r.login(id)
	events := len(r.audit.events)
	for range 20 {
		for _, body := range []string{"forged", "fatal", "", strings.Repeat("x", 300<<10)} {
			if status := r.notify(r.notifyURL("diia"), trace, body); status == http.StatusOK {
				t.Fatalf("a false notification of %d bytes is taken", len(body))
			}
		}
	}
	after, now := r.login(id)
	if after != before || now != revision {
		t.Errorf("the login changed from %d to %d", revision, now)
	}
	if len(r.audit.events) != events {
		t.Error("strangers write the audit")
	}
	b.get(b.url.Path)
	if b.code() != "" {
		t.Errorf("the person is told %s", b.code())
	}
	if status := r.notify(r.notifyURL("diia"), trace, "signed"); status != http.StatusOK {
		t.Errorf("then the true one is answered with %d", status)
	}
}

// TestRefusedSignerIsTold: a genuine signature by a certificate that is refused, or by a person whom the portal does not
// take, is told on the page and in the audit, once, and ends nothing.
func TestRefusedSignerIsTold(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, _ := r.press(b)
	for i, c := range []struct{ body, code, says string }{{"revoked", "CERT_REVOKED", "02.10.2026"}, {"nameless", "CERT_NO_TAXNO", ""}} {
		_, before := r.login(id)
		var old reply
		for n := range 3 {
			if status := r.notify(r.notifyURL("diia"), trace, c.body); status == http.StatusOK {
				t.Fatalf("%s is taken", c.body)
			}
			if n == 0 { // a page that asks as it was made before is shown anew
				sc := &script{b: b, fields: map[string]string{"action": "/login/" + id + "/diia/poll", "revision": strconv.FormatUint(before, 10),
					"mac": stepMAC(t, r.stack, id, before, "poll/diia")}}
				old = sc.post("action")
			}
		}
		if old.URL == "" {
			t.Errorf("%s: the page that waits is told %+v", c.body, old)
		}
		if _, now := r.login(id); now != before+1 {
			t.Errorf("%s: revision %d after %d", c.body, now, before)
		}
		b.get(b.url.Path)
		if b.code() != c.code || !strings.Contains(b.page, c.says) || !strings.Contains(b.page, `class="qr"`) {
			t.Errorf("%s: the page says %s:\n%s", c.body, b.code(), b.page)
		}
		if got := r.refusals(); len(got) != i+1 || got[i] != c.code {
			t.Errorf("%s: the audit has %v", c.body, got)
		}
	}
	r.forward(2 * time.Second)
	if got := r.poll(b, id); got.Problem.Code != "" || got.URL != "" {
		t.Errorf("the wait has ended: %+v", got)
	}
	if status := r.notify(r.notifyURL("diia"), trace, "signed"); status != http.StatusOK {
		t.Errorf("then the good one is answered with %d", status)
	}
	if got := r.poll(b, id); !strings.HasSuffix(got.URL, "/confirm") {
		t.Errorf("and leads to %+v", got)
	}
}

// TestNotifyOrder: what is not of a waiting login costs no verification (threat T43).
func TestNotifyOrder(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, _ := r.press(b)
	other := r.browser()
	otherID, otherTrace, _ := r.press(other)
	other.act("/diia", "action", "cancel")
	good := r.notifyURL("diia")
	for name, c := range map[string]struct{ address, trace, body string }{
		"no segment":      {r.server.URL + "/notify/diia", trace, "signed"},
		"other segment":   {r.server.URL + "/notify/diia/" + strings.Repeat("A", 43), trace, "signed"},
		"other method":    {provider.NotifyURL(r.server.URL, stackSecret, "idgov"), trace, "signed"},
		"no such method":  {provider.NotifyURL(r.server.URL, stackSecret, "nothing"), trace, "signed"},
		"no trace":        {good, "", "signed"},
		"unknown login":   {good, strings.Repeat("A", 22) + ".x", "signed"},
		"not an id":       {good, "../../x.y", "signed"},
		"guessed":         {good, id + ".guess", "signed"},
		"cancelled":       {good, otherTrace, "signed"},
		"oversized":       {good, trace, strings.Repeat("x", 256<<10+1)},
		"id of the other": {good, otherID + trace[22:], "signed"},
	} {
		if status := r.notify(c.address, c.trace, c.body); status == http.StatusOK {
			t.Errorf("%s: taken", name)
		}
	}
	if n := r.phone.verified.Load(); n != 0 {
		t.Errorf("%d verifications, want none", n)
	}
	if r.notify(good, trace, "signed") != http.StatusOK || r.phone.verified.Load() != 1 {
		t.Error("the true one is not taken, or verified twice")
	}
}

// TestRelayedLinkCancelledFromOtherBrowser: the victim of a sent code opens its return link, sees whose sign-in it is, and
// ends it; before the portal has its data, and after (threat T6).
func TestRelayedLinkCancelledFromOtherBrowser(t *testing.T) {
	for _, late := range []bool{false, true} {
		r := openRemote(t)
		attacker, victim := r.browser(), r.browser()
		id, trace, link := r.press(attacker)
		if status := r.notify(r.notifyURL("diia"), trace, "signed"); status != http.StatusOK {
			t.Fatal(status)
		}
		if late {
			attacker.submit("/diia/poll")
			attacker.submit("/confirm")
			attacker.exchange()
		}
		victim.get(link)
		for _, want := range []string{"Електронний кабінет", `data-code="RETURN_OTHER_BROWSER"`, `id="not-me"`} {
			if !strings.Contains(victim.page, want) {
				t.Fatalf("late %v: the victim's page lacks %q:\n%s", late, want, victim.page)
			}
		}
		if strings.Contains(victim.page, "Тестенко") || strings.Contains(victim.page, "/confirm") {
			t.Error("something completes in the other browser")
		}
		victim.submit("/not-me")
		if victim.code() != "RETURN_NOT_ME" || victim.status != http.StatusOK {
			t.Fatalf("late %v: after «Це не я»: %d %s\n%s", late, victim.status, victim.code(), victim.page)
		}
		attacker.get("/login/" + id + "/confirm")
		if strings.Contains(attacker.page, "Тестенко") || strings.Contains(attacker.page, `id="confirm"`) {
			t.Errorf("late %v: the attacker still has S8", late)
		}
		if r.audit.count("login.disowned") != 1 {
			t.Errorf("late %v: the audit has %d lines of it", late, r.audit.count("login.disowned"))
		}
		if !late {
			if attacker.code() != "RETURN_NOT_ME" {
				t.Errorf("the attacker is told %s", attacker.code())
			}
			continue
		}
		live := 0
		err := r.store.View(t.Context(), func(tx storage.Tx) error {
			for record, err := range tx.Scan(storage.KindGrant, "") {
				if err != nil {
					return err
				}
				if g, err := storage.GetGrant(tx, record.ID); err == nil && g.Live() {
					live++
				}
			}
			return nil
		})
		if err != nil || live != 0 {
			t.Errorf("%d grants live on, %v", live, err)
		}
		// Nor does the session in which the attacker is the victim.
		err = r.store.View(t.Context(), func(tx storage.Tx) error {
			for record, err := range tx.Scan(storage.KindSession, "") {
				if err != nil {
					return err
				}
				t.Errorf("session %s lives on", record.ID)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestNotMeWhileCodeIsMade: «Це не я» that comes between the confirmation and the code leaves no code, no token and no
// session, and whoever began the login is told why (threat T6).
func TestNotMeWhileCodeIsMade(t *testing.T) {
	r := openRemote(t)
	attacker, victim := r.browser(), r.browser()
	_, trace, link := r.press(attacker)
	if status := r.notify(r.notifyURL("diia"), trace, "signed"); status != http.StatusOK {
		t.Fatal(status)
	}
	attacker.submit("/diia/poll")
	victim.get(link)
	pressed := false
	r.audit.mu.Lock()
	r.audit.meanwhile = map[string]func(){"login.confirmed": func() { pressed = true; victim.submit("/not-me") }}
	r.audit.mu.Unlock()
	attacker.submit("/confirm")
	if !pressed || victim.code() != "RETURN_NOT_ME" {
		t.Fatalf("pressed %v, the victim is told %s", pressed, victim.code())
	}
	if attacker.code() != "RETURN_NOT_ME" || attacker.portal != nil {
		t.Errorf("the attacker is told %q at %s", attacker.code(), attacker.url)
	}
	for _, kind := range []storage.Kind{storage.KindGrant, storage.KindSession} {
		err := r.store.View(t.Context(), func(tx storage.Tx) error {
			for record, err := range tx.Scan(kind, "") {
				if err != nil {
					return err
				}
				t.Errorf("a %s is left", record.Kind)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestReturnLinkAtHome: in the browser that began it the link leads on; a changed link leads nowhere.
func TestReturnLinkAtHome(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	id, trace, link := r.press(b)
	b.get(link)
	if !strings.HasSuffix(b.url.Path, "/diia") {
		t.Errorf("the link leads to %s", b.url)
	}
	r.notify(r.notifyURL("diia"), trace, "signed")
	b.get(link)
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Errorf("after the signature it leads to %s", b.url)
	}
	u, _ := url.Parse(link)
	stranger := r.browser()
	for _, path := range []string{strings.Replace(u.Path, "/diia/", "/idgov/", 1), "/return/diia/" + id + "." + strings.Repeat("A", 43)} {
		stranger.get(path)
		if stranger.code() != "TX_UNKNOWN" || strings.Contains(stranger.page, "Електронний кабінет") {
			t.Errorf("%s: %s", path, stranger.code())
		}
	}
	// «Це не я» needs the code of its page.
	stranger.post("/return/diia/not-me", url.Values{"login": {id}, "mac": {"AAAA"}})
	if _, revision := r.login(id); stranger.code() != "TX_UNKNOWN" || revision == 0 || r.audit.count("login.disowned") != 0 {
		t.Error("anybody may end a login")
	}
}

// goAway begins a login by redirect and returns the state that went out.
func (r *remote) goAway(b *browser, method string) string {
	r.t.Helper()
	b.authorize("idp_hint", method)
	b.submit("/" + method + "/request")
	if b.portal == nil || b.portal.Host != method+".example" {
		r.t.Fatalf("%s leads to %v, %d %s\n%s", method, b.portal, b.status, b.code(), b.page)
	}
	if want := provider.ReturnURL(r.server.URL, method); b.portal.Query().Get("redirect_uri") != want {
		r.t.Fatalf("the address of return is %q, want %q", b.portal.Query().Get("redirect_uri"), want)
	}
	return b.portal.Query().Get("state")
}

// TestCallbackMatrix: a code that comes to the address of one system for a login at another one reaches neither; only the
// right address, in the right browser, with the right state, once (threat T50).
func TestCallbackMatrix(t *testing.T) {
	r := openRemote(t)
	methods := map[string]*away{"idgov": r.idgov, "bankid": r.bankid}
	for at, connector := range methods {
		for to := range map[string]bool{"idgov": true, "bankid": true, "diia": true, "file": true, "nothing": true} {
			b := r.browser()
			state := r.goAway(b, at)
			before := connector.taken.Load()
			b.get("/return/" + to + "?" + url.Values{"state": {state}, "code": {"good"}}.Encode())
			signed := strings.HasSuffix(b.url.Path, "/confirm")
			if signed != (at == to) {
				t.Errorf("login at %s, return to %s: signed %v, at %s %s", at, to, signed, b.url, b.code())
			}
			if at != to && (connector.taken.Load() != before || b.code() == "") {
				t.Errorf("login at %s, return to %s: the code was taken; %s", at, to, b.code())
			}
			if at == to {
				b.get("/return/" + to + "?" + url.Values{"state": {state}, "code": {"good"}}.Encode())
				if connector.taken.Load() != before+1 {
					t.Errorf("%s: the same return is taken twice", at)
				}
			}
		}
		// Another state, another browser, another login of the same browser.
		b, stranger := r.browser(), r.browser()
		state := r.goAway(b, at)
		before := connector.taken.Load()
		good := "/return/" + at + "?" + url.Values{"state": {state}, "code": {"good"}}.Encode()
		b.get("/return/" + at + "?" + url.Values{"state": {state + "x"}, "code": {"good"}}.Encode())
		stranger.get(good)
		if connector.taken.Load() != before || !strings.Contains(stranger.page, "RETURN_OTHER_BROWSER") {
			t.Errorf("%s: taken by a stranger, or not told: %s", at, stranger.page)
		}
		stranger.get("/return/" + at + "?" + url.Values{"state": {state + "x"}, "code": {"good"}}.Encode())
		if stranger.code() != "TX_UNKNOWN" || strings.Contains(stranger.page, "Електронний кабінет") {
			t.Errorf("%s: a guess tells whose login it is", at)
		}
		b.get("/return/" + at + "?" + url.Values{"state": {state}}.Encode())
		if b.code() != "UPSTREAM_CANCELLED" || !strings.HasSuffix(b.url.Path, "/"+at) {
			t.Errorf("%s: coming back with nothing: %s %s", at, b.url, b.code())
		}
		b.get(good) // the journey is over
		if strings.HasSuffix(b.url.Path, "/confirm") {
			t.Errorf("%s: a spent journey signs in", at)
		}
	}
}

// TestPostReturnAlone: a return by POST completes nothing, keeps what it brings for a minute, and is good once, in the
// browser with the ticket (threat T51).
func TestPostReturnAlone(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	state := r.goAway(b, "idgov")
	post := func(values url.Values) (string, int) {
		t.Helper()
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		req, err := http.NewRequest(http.MethodPost, r.server.URL+"/return/idgov", strings.NewReader(values.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://idgov.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.Header.Get("Location"), res.StatusCode
	}
	if to, status := post(url.Values{"state": {strings.Repeat("A", 22) + ".x"}, "code": {"good"}}); status == http.StatusSeeOther {
		t.Errorf("a stranger's bytes are kept: %s", to)
	}
	handle, status := post(url.Values{"state": {state}, "code": {"good"}})
	if status != http.StatusSeeOther || r.idgov.taken.Load() != 0 || strings.Contains(handle, "good") {
		t.Fatalf("the POST is answered with %d %s; %d codes taken", status, handle, r.idgov.taken.Load())
	}
	stranger := r.browser()
	stranger.get(handle)
	if r.idgov.taken.Load() != 0 || strings.HasSuffix(stranger.url.Path, "/confirm") {
		t.Error("a handle is good without the ticket")
	}
	r.forward(61 * time.Second)
	b.get(handle)
	if r.idgov.taken.Load() != 0 || b.code() != "TX_UNKNOWN" {
		t.Errorf("a handle is good after a minute: %s", b.code())
	}
	handle, _ = post(url.Values{"state": {state}, "code": {"good"}})
	b.get(handle)
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Errorf("with its ticket the browser gets to %s %s", b.url, b.code())
	}
	b.get(handle)
	if r.idgov.taken.Load() != 1 || b.code() != "TX_UNKNOWN" {
		t.Errorf("the handle is good twice: %s", b.code())
	}
}

// TestDownIsShown: a provider that is left alone stays on the page, marked.
func TestDownIsShown(t *testing.T) {
	r := openRemote(t)
	r.phone.down.Store(true)
	b := r.browser()
	b.authorize("idp_hint", "diia")
	if strings.Count(b.page, "тимчасово недоступно") != 1 || !strings.Contains(b.page, `id="down"`) {
		t.Errorf("the page does not say it:\n%s", b.page)
	}
}

// TestPressLimit: a person may renew a code many times, and not without end; the login itself lives on.
func TestPressLimit(t *testing.T) {
	r := openRemote(t)
	b := r.browser()
	r.press(b)
	n := 1
	for ; n < 30; n++ {
		b.act("/diia", "action", "cancel")
		b.act("/diia", "action", "request")
		if b.code() != "" {
			break
		}
	}
	if b.code() != "RATE_LIMITED" || n != 12 {
		t.Errorf("after %d presses: %s", n, b.code())
	}
	b.get(strings.Replace(b.url.Path, "/diia", "/demo", 1))
	if !strings.Contains(b.page, `id="demo-valid"`) {
		t.Error("the other methods are gone")
	}
}

// act posts the form whose address ends so.
func (b *browser) act(end string, more ...string) {
	b.s.t.Helper()
	for _, m := range formPattern.FindAllStringSubmatch(b.page, -1) {
		if strings.HasSuffix(m[1], end) {
			values := url.Values{}
			for _, h := range hiddenPattern.FindAllStringSubmatch(m[2], -1) {
				values.Set(h[1], h[2])
			}
			for i := 0; i+1 < len(more); i += 2 {
				values.Set(more[i], more[i+1])
			}
			b.post(m[1], values)
			return
		}
	}
	b.s.t.Fatalf("no form to %s at %s (%d):\n%.3000s", end, b.url, b.status, b.page)
}
