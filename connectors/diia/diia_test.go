package diia

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/diia/diiatest"
)

func TestContract(t *testing.T) {
	for name, s := range map[string]setup{
		"DSTU":       {},
		"ECDSA":      {algorithm: ECDSA},
		"auth":       {scope: Auth},
		"auth ECDSA": {scope: Auth, algorithm: ECDSA},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s)
			p := w.press(t)
			good := w.capture(t, p, diiatest.Approve, "")
			retry := map[string]connectors.Event{
				"SIG_INVALID":   w.capture(t, p, diiatest.WrongHash, ""),
				"CERT_REVOKED":  w.capture(t, p, diiatest.Approve, diiatest.Revoked),
				"CMS_MALFORMED": w.capture(t, p, diiatest.Garbage, ""),
				"TX_UNKNOWN":    {Via: connectors.ViaForm},
			}
			connectortest.Run(t, func(t *testing.T) connectortest.Setup {
				return connectortest.Setup{Connector: w.connector, Login: w.login, Good: good, Name: connectortest.PersonName, Bound: true, Waits: true, Retry: retry}
			})
		})
	}
}

// TestSignIn is the good road over real sockets, for both kinds of keys and both scopes.
func TestSignIn(t *testing.T) {
	for name, s := range map[string]setup{"DSTU": {}, "ECDSA": {algorithm: ECDSA}, "auth": {scope: Auth}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, s)
			if n := w.double.Count(diiatest.RouteRequest); n != 0 {
				t.Fatalf("%d requests before a press (T6)", n)
			}
			if p := data(t, w.connector.Idle()); p.Phase != Idle || p.Link != "" {
				t.Errorf("before the press: %+v", p)
			}
			p := w.press(t)
			if p.Phase != Waiting || p.Link == "" {
				t.Fatalf("after the press: %+v", p)
			}
			if left := p.Expires.Sub(w.now()); left > life || left < life-time.Minute {
				t.Errorf("%v left, want %v", left, life)
			}
			if s.scope != Auth {
				if !regexp.MustCompile(`^[1-9][0-9]$`).MatchString(p.Code) {
					t.Errorf("matching code %q", p.Code)
				}
				if !regexp.MustCompile(`^Вхід, Електронний кабінет, \d\d-\d\d, код ` + p.Code + `\.txt$`).MatchString(p.File) {
					t.Errorf("file name %q", p.File)
				}
			} else if p.Code != "" || p.File != "" {
				t.Errorf("a code %q is promised that the application does not show", p.Code)
			}
			if again := w.press(t); again != p {
				t.Error("a second press made a second request")
			}
			replies := w.act(t, p, diiatest.Approve, "")
			if err := w.last(t, 1); err != nil || !replies[0].Success {
				t.Fatalf("approved: %v, the application was told %s", err, replies[0].Body)
			}
			id := w.done[0]
			if id.Name != connectortest.PersonName || id.Identifier(connectors.RNOKPP) != "3184710691" || id.Identifier(connectors.UNZR) == "" {
				t.Errorf("identity of %q with %v", id.Name, id.Identifiers)
			}
			if id.LoA != connectors.High || strings.Join(id.AMR, " ") != "hwk mca" || len(id.Roles) != 1 {
				t.Errorf("level %q, amr %v, roles %v", id.LoA, id.AMR, id.Roles)
			}
			if !bytes.Equal(id.Evidence.Content, w.login.Challenge) || len(id.Evidence.Signature) == 0 || len(id.Evidence.Revocation) == 0 {
				t.Error("evidence is not complete")
			}
		})
	}
}

// TestOutcomes is every button of the telephone but the first.
func TestOutcomes(t *testing.T) {
	w := newWorld(t, setup{})
	p := w.press(t)
	for _, a := range []diiatest.Action{diiatest.Refuse, diiatest.Ignore} {
		if replies := w.act(t, p, a, ""); len(replies) != 0 {
			t.Errorf("%s: %d notifications", a, len(replies))
		}
	}
	for n, bad := range []struct {
		action diiatest.Action
		who    string
		code   string
	}{
		{diiatest.WrongHash, "", "SIG_INVALID"},
		{diiatest.Garbage, "", "CMS_MALFORMED"},
		{diiatest.Approve, diiatest.Revoked, "CERT_REVOKED"},
	} {
		replies := w.act(t, p, bad.action, bad.who)
		if err := w.last(t, n+1); codeOf(err) != bad.code || replies[0].Success {
			t.Errorf("%s: %v, want %s", bad.action, err, bad.code)
		}
		if errors.Is(w.last(t, n+1), connectors.ErrAuthentic) != (bad.who == diiatest.Revoked) {
			t.Errorf("%s by %q: only a genuine signature is told to the person (T44)", bad.action, bad.who)
		}
		if w.poll(t) != p {
			t.Errorf("%s changed what the page shows", bad.action)
		}
	}
	// An attacker's own key proves the attacker: S8 shows his name, and that is where it stops (T7).
	w.act(t, p, diiatest.Other, "")
	if err := w.last(t, 4); err != nil || w.done[0].Name != "Інший Ігор Іванович" {
		t.Errorf("another person: %v", err)
	}
	if replies := w.act(t, p, diiatest.Twice, ""); len(replies) != 2 || !replies[0].Success || !replies[1].Success {
		t.Errorf("repeats are not harmless: %v", replies)
	}
	// The signature of the request before this one was of another challenge.
	w.keep(nil)
	w.mu.Lock()
	w.login.Challenge = bytes.Replace(w.login.Challenge, []byte("nonce: 01"), []byte("nonce: 02"), 1)
	w.mu.Unlock()
	w.act(t, w.press(t), diiatest.Replay, "")
	if err := w.last(t, 7); codeOf(err) != "SIG_INVALID" {
		t.Errorf("replay: %v", err)
	}
}

// TestLateApproval: the telephone sends its approval when the request is over.
func TestLateApproval(t *testing.T) {
	w := newWorld(t, setup{double: func(c *diiatest.Config) { c.LinkLife, c.Late = 10*life, -10*life }}) // at once
	p := w.press(t)
	w.offset.Store(int64(life + grace + time.Second))
	w.act(t, p, diiatest.Late, "")
	for range 1000 {
		w.mu.Lock()
		n := len(w.outcomes)
		w.mu.Unlock()
		if n > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := w.last(t, 1); codeOf(err) != CodeExpired {
		t.Errorf("late: %v", err)
	}
}

// TestNotifyAgainAfterFault: a fault of ours loses nothing, for the notification comes again.
func TestNotifyAgainAfterFault(t *testing.T) {
	w := newWorld(t, setup{})
	w.faults = 1
	if replies := w.act(t, w.press(t), diiatest.Approve, ""); !replies[0].Success || w.last(t, 1) != nil || len(w.events) != 2 {
		t.Errorf("%d notifications, %v", len(w.events), w.last(t, 1))
	}
}

// TestTime: 180 seconds for the telephone, 30 more for a result, then it is late; a newer code ends the older one.
func TestTime(t *testing.T) {
	w := newWorld(t, setup{})
	first := w.press(t)
	good := w.capture(t, first, diiatest.Approve, "")
	outcome := func() string {
		step, err := w.connector.Advance(t.Context(), w.login, good)
		if _, ok := step.(connectors.Done); ok {
			return "done"
		}
		return codeOf(err)
	}
	at := func(d time.Duration) { w.offset.Store(int64(d)) }
	for _, c := range []struct {
		at      time.Duration
		outcome string
		phase   Phase
		waits   bool
	}{
		{life - 20*time.Second, "done", Waiting, true},
		{life + time.Second, "done", Expired, true},
		{life + grace - 20*time.Second, "done", Expired, true},
		{life + grace + time.Second, CodeExpired, Expired, false},
	} {
		at(c.at)
		step, err := w.connector.Advance(t.Context(), w.login, connectors.Event{Via: connectors.ViaPoll})
		if err != nil {
			t.Fatal(err)
		}
		if _, waits := step.(connectors.Wait); waits != c.waits {
			t.Errorf("%v: the page is %T", c.at, step)
		}
		p := data(t, step)
		if p.Phase != c.phase || (p.Message == CodeExpired) != (c.phase == Expired) || (p.Link == "") != (c.phase == Expired) {
			t.Errorf("%v: %+v", c.at, p)
		}
		if got := outcome(); got != c.outcome {
			t.Errorf("%v: %s, want %s", c.at, got, c.outcome)
		}
	}
	at(life + time.Second)
	if second := w.press(t); second.Link == first.Link || second.Phase != Waiting {
		t.Errorf("renewed: %+v", second)
	}
	if got := outcome(); got != codeUnknown {
		t.Errorf("a result of the older code: %s", got)
	}
}

// TestCancel: after «Скасувати» a signature counts no more, and a new code can be had.
func TestCancel(t *testing.T) {
	w := newWorld(t, setup{})
	p := w.press(t)
	step, err := w.form(t, ActionCancel)
	if err != nil {
		t.Fatal(err)
	}
	page, ok := step.(connectors.Page)
	if d := data(t, step); !ok || d.Phase != Cancelled || d.Message != CodeCancelled || d.Link != "" {
		t.Errorf("cancelled: %T %+v", step, d)
	}
	w.keep(page.State)
	if reply := w.act(t, p, diiatest.Approve, ""); reply[0].Success || codeOf(w.last(t, 1)) != CodeCancelled {
		t.Errorf("a signature after the end: %v", w.last(t, 1))
	}
	if again := w.press(t); again.Link == p.Link {
		t.Error("the cancelled request lives on")
	}
	w.keep(nil)
	if step, err := w.form(t, ActionCancel); err != nil || data(t, step).Phase != Idle {
		t.Errorf("nothing to cancel: %v", err)
	}
	if _, err := w.form(t, ActionCheck); codeOf(err) != codeUnknown {
		t.Errorf("nothing to check: %v", err)
	}
}

// TestRestart: another process with the same configuration carries the login on: nothing is kept in memory.
func TestRestart(t *testing.T) {
	w := newWorld(t, setup{})
	good := w.capture(t, w.press(t), diiatest.Approve, "")
	cfg := w.connector.cfg
	client, err := NewClient(w.client.cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Client = client
	if w.connector, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.judge(t.Context(), good); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// TestLevel: a certificate that does not speak of a device gives substantial, and policy can only lower a level (T33).
func TestLevel(t *testing.T) {
	w := newWorld(t, setup{config: func(c *Config) { c.MaxLevel = connectors.Substantial }})
	if got := w.connector.MaxLoA(); got != connectors.Substantial {
		t.Errorf("MaxLoA is %q", got)
	}
	w.act(t, w.press(t), diiatest.Approve, "")
	if err := w.last(t, 1); err != nil || w.done[0].LoA != connectors.Substantial {
		t.Errorf("level %q, %v", w.done[0].LoA, err)
	}
}

// TestFileName: what leaves for the telephone says nothing else than it should (T8).
func TestFileName(t *testing.T) {
	at := time.Date(2026, 11, 21, 18, 40, 0, 0, time.UTC)
	for portal, want := range map[string]string{
		"Електронний кабінет":        "Вхід, Електронний кабінет, 18-40, код 47.txt",
		"a/b\\c:d":                   "Вхід, a-b-c-d, 18-40, код 47.txt",
		"Портал\u202e\r\nкод 99":     "Вхід, Портал код 99, 18-40, код 47.txt",
		"\xff":                       "Вхід, -, 18-40, код 47.txt",
		strings.Repeat("Довга ", 20): "Вхід, " + strings.Repeat("Довга ", 9) + "Довга…, 18-40, код 47.txt",
	} {
		if got := fileName(portal, "47", at); got != want {
			t.Errorf("%q gives %q, want %q", portal, got, want)
		}
	}
	w := newWorld(t, setup{})
	w.login.Portal = ""
	if p := w.press(t); !strings.Contains(p.File, "cabinet.example.gov.ua") {
		t.Errorf("without a name the portal's host is shown, got %q", p.File)
	}
}

func TestCodesAreSpread(t *testing.T) {
	seen := map[string]bool{}
	for range 4000 {
		c, err := newCode(random)
		if err != nil || len(c) != 2 || c < "10" {
			t.Fatalf("%q, %v", c, err)
		}
		seen[c] = true
	}
	if len(seen) != 90 {
		t.Errorf("%d codes of 90", len(seen))
	}
}

func TestNewChecksConfig(t *testing.T) {
	w := newWorld(t, setup{})
	for name, change := range map[string]func(*Config){
		"no client":         func(c *Config) { c.Client = nil },
		"no verifier":       func(c *Config) { c.Verifier = nil },
		"no branch":         func(c *Config) { c.Branch = "" },
		"path as an offer":  func(c *Config) { c.Offer = "../x" },
		"other scope":       func(c *Config) { c.Scope = "sharing" },
		"other algorithm":   func(c *Config) { c.Algorithm = "RSA" },
		"auth, no index":    func(c *Config) { c.Scope, c.Index = Auth, nil },
		"level out of list": func(c *Config) { c.MaxLevel = "highest" },
	} {
		c := w.connector.cfg
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, change := range map[string]func(*ClientConfig){
		"http":        func(c *ClientConfig) { c.PlainHTTP = false },
		"path":        func(c *ClientConfig) { c.BaseURL += "/api" },
		"no token":    func(c *ClientConfig) { c.AcquirerToken = "" },
		"line end":    func(c *ClientConfig) { c.AuthToken += "\n" },
		"with Basic":  func(c *ClientConfig) { c.AuthToken = "Basic" + c.AuthToken },
		"no requests": func(c *ClientConfig) { c.Do = nil },
	} {
		c := w.client.cfg
		change(&c)
		if _, err := NewClient(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestTelephone walks the page as a person without scripts would.
func TestTelephone(t *testing.T) {
	w := newWorld(t, setup{})
	p := w.press(t)
	get := func(r *http.Request) (int, string) {
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(res.Body)
		return res.StatusCode, b.String()
	}
	request := func(method, body string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, p.Link, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	if status, page := get(request("GET", "")); status != 200 || !strings.Contains(page, p.File) || strings.Contains(page, "<script") {
		t.Errorf("%d, the page does not show %q", status, p.File)
	}
	foreign := request("POST", "action=approve")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := get(foreign); status != http.StatusForbidden {
		t.Errorf("another site presses the button: %d", status)
	}
	if status, page := get(request("POST", "action=approve&person=olena")); status != 200 || !strings.Contains(page, "&#34;success&#34;:true") || !strings.Contains(page, w.login.ReturnURL) {
		t.Errorf("%d %s", status, page)
	}
	if err := w.last(t, 1); err != nil {
		t.Error(err)
	}
	w.offset.Store(int64(life + time.Second))
	if status, _ := get(request("GET", "")); status != http.StatusGone {
		t.Errorf("an old link: %d", status)
	}
}
