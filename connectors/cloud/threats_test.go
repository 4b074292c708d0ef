package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/cloud/cloudtest"
	"brama/internal/fetch"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// TestCloudOtherCertificate: the provider signs with another person's key, or names another certificate once the first is
// fixed; neither signs anybody in (threats T15, T53).
func TestCloudOtherCertificate(t *testing.T) {
	a := authority(t)
	person := a.Person(t, nil)
	// The same key in a second certificate, as an employee's: what was fixed is what comes out.
	employee := a.Person(t, func(r *qestest.Request) {
		r.Key, r.Kind, r.EDRPOU, r.Organization = person.Key, qestest.Employee, "12345678", "ТОВ"
	})
	w := open(t, setting{account: cloudtest.Account{Push: true, Keys: []*qestest.Issued{person}}, provider: Provider{Kind: CSC2}})
	step, err := w.press(t)
	wantWait(t, "press", step, err)
	var st state
	if err := json.Unmarshal(w.login.State, &st); err != nil {
		t.Fatal(err)
	}
	w.decide(t, cloudtest.Approve)
	done, err := w.poll(t)
	id := wantDone(t, "own", done, err)
	sd, err := cms.Parse(id.Evidence.Signature, cms.LoginLimits)
	if err != nil || len(sd.UnverifiedCertificates) != 1 || string(sd.UnverifiedCertificates[0]) != string(person.Certificate.Raw) {
		t.Fatalf("the signature carries another certificate: %v", err)
	}
	if attrs, err := sd.Signers[0].SignedAttributes(); err != nil || attrs.Purpose != cms.PurposeLogin {
		t.Errorf("signed attributes %+v, %v: want purpose=login", attrs, err)
	}
	for name, other := range map[string]*qestest.Issued{"same key": employee, "stranger": a.Person(t, nil)} {
		changed := st
		changed.Keys = []credential{st.Keys[0]}
		changed.Keys[0].Certificate = other.Certificate.Raw
		login := w.login
		login.State = changed.bytes()
		step, err := w.Advance(t.Context(), login, connectors.Event{Via: connectors.ViaPoll})
		// The hash is of the certificate too: the approval is for the one that was fixed, and for no other.
		if code(err) == "" || step != nil {
			t.Errorf("%s: %T, %v; want a refusal", name, step, err)
		}
	}
}

// TestCSCRefusesSCAL1: an approval that is not bound to the hash would let the provider sign anything with it (threat T53),
// and a PIN never comes here. Nothing is asked of the telephone in either case.
func TestCSCRefusesSCAL1(t *testing.T) {
	for name, a := range map[string]cloudtest.Account{
		"scal": {SCAL: "1"}, "scal 3": {SCAL: "3"}, "scal push": {SCAL: "1", Push: true}, "scal redirect": {SCAL: "1", Mode: "oauth2code"},
		"pin": {PIN: true}, "pin and code": {PIN: true, OTP: true},
	} {
		for _, kind := range []Kind{CSC1, CSC2} {
			w := open(t, setting{account: a, provider: Provider{Kind: kind}})
			step, err := w.press(t)
			want(t, name, step, err, "REMOTE_UNSUITABLE")
			var r *connectors.Refusal
			if why, _, _ := strings.Cut(name, " "); errors.As(err, &r) && (r.Values["kind"] != why || r.Values["name"] == "") {
				t.Errorf("%s: the person is told %v", name, r.Values)
			}
			if w.double.Asked("credentials/authorize") != 0 || w.double.Asked("signatures/signHash") != 0 || len(w.double.Pending()) != 0 {
				t.Errorf("%s: the provider was asked for an approval", name)
			}
		}
	}
	// An answer without the word is SCAL 1.
	var a credentialAnswer
	if err := parseAnswer([]byte(`{"key":{"status":"enabled"},"auth":{"mode":"oauth2code"}}`), &a); err != nil {
		t.Fatal(err)
	}
	if _, err := a.authorization(CSC2); !errors.Is(err, errSCAL) {
		t.Errorf("absent: %v", err)
	}
}

// TestUpstreamURLList: an address is opened only if its scheme and host are configured (threat T54).
func TestUpstreamURLList(t *testing.T) {
	hosts := []string{"cloud.example.org", "login.example.org:8443"}
	for raw, ok := range map[string]bool{
		"https://cloud.example.org/csc/v2":          true,
		"https://login.example.org:8443/x?y=z":      true,
		"https://login.example.org/":                false,
		"http://cloud.example.org/":                 false,
		"javascript:alert(1)":                       false,
		"https://cloud.example.org@evil.example/":   false,
		"https://cloud.example.org.evil.example/":   false,
		"https://evil.example/cloud.example.org":    false,
		"//cloud.example.org/":                      false,
		"https:cloud.example.org":                   false,
		"https://cloud.example.org\\@evil.example/": false,
		"https://cloud.example.org/\t":              false,
		"https://CLOUD.example.org/":                false,
		"https://хмара.укр/":                        false,
		"data:text/html,x":                          false,
		"":                                          false,
	} {
		if _, err := checkURL(raw, false, hosts); (err == nil) != ok {
			t.Errorf("%q: %v", raw, err)
		}
	}
	// What info names is no configuration.
	w := open(t, setting{account: cloudtest.Account{Mode: "oauth2code"}, provider: Provider{Kind: CSC2, ServiceByCode: true}})
	do := w.cfg.Do
	w.cfg.Do = func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
		res, err := do(ctx, r)
		if err == nil && strings.HasSuffix(r.URL, "/info") {
			res.Body = []byte(strings.Replace(string(res.Body), `"oauth2":"http://`, `"oauth2":"https://bank.example/`, 1))
		}
		return res, err
	}
	step, err := w.press(t)
	want(t, "info names another host", step, err, "REMOTE_DOWN")
}

// TestNotification: a notification without the token of this request changes nothing; one with it is a hint to ask, whatever
// its body says (threats T44, T53).
func TestNotification(t *testing.T) {
	for name, s := range map[string]setting{
		"csc2":    {double: cloudtest.Config{Async: true}, provider: Provider{Kind: CSC2}},
		"smartid": {provider: Provider{Kind: SmartID}},
	} {
		w := open(t, s)
		step, err := w.press(t)
		wantWait(t, name, step, err)
		forged := connectors.Event{Via: connectors.ViaNotify, Values: url.Values{"login": {w.login.ID}, "t": {"x"}}, Body: []byte(`{"status":2}`)}
		asked := w.double.Asked("signatures/signPolling") + w.double.Asked("sign-status")
		step, err = w.Advance(t.Context(), w.login, forged)
		want(t, name+" forged", step, err, "TX_UNKNOWN")
		if n := w.double.Asked("signatures/signPolling") + w.double.Asked("sign-status"); n != asked {
			t.Errorf("%s: a forged notification makes us ask", name)
		}
		w.decide(t, cloudtest.Approve)
		if len(w.notices) != 1 {
			t.Fatalf("%s: %d notifications", name, len(w.notices))
		}
		u, err := url.Parse(w.notices[0])
		if err != nil {
			t.Fatal(err)
		}
		ev := connectors.Event{Via: connectors.ViaNotify, Values: u.Query(), Body: []byte(`{"errorCode":7}`)}
		if id, err := w.LoginOf(ev); err != nil || id != w.login.ID {
			t.Errorf("%s: LoginOf = %q, %v", name, id, err)
		}
		step, err = w.Advance(t.Context(), w.login, ev)
		wantDone(t, name, step, err)
	}
	w := open(t, setting{provider: Provider{Kind: CSC2}})
	for _, v := range []url.Values{nil, {"login": {"x"}}, {"login": {"../x"}, "t": {"x"}}, {"login": {strings.Repeat("x", 65)}, "t": {"x"}}} {
		if _, err := w.LoginOf(connectors.Event{Via: connectors.ViaNotify, Values: v}); err == nil {
			t.Errorf("%v names a login", v)
		}
	}
	if contentType, body := w.Reply(errors.New("secret")); contentType != "application/json" || string(body) != "{}" {
		t.Errorf("reply %q %q", contentType, body)
	}
}

// TestLate: a result is taken 30 seconds after the end and not later; a new press makes the old request worthless.
func TestLate(t *testing.T) {
	w := open(t, setting{account: cloudtest.Account{Push: true}, provider: Provider{Kind: CSC2}})
	step, err := w.press(t)
	wantWait(t, "press", step, err)
	w.decide(t, cloudtest.Approve)
	old := w.login.State
	w.now = func() time.Time { return time.Now().Add(DefaultWait + grace/2) }
	step, err = w.Advance(t.Context(), w.login, connectors.Event{Via: connectors.ViaPoll})
	wantDone(t, "in grace", step, err)
	w.now = func() time.Time { return time.Now().Add(DefaultWait + grace + time.Second) }
	asked := w.double.Asked("credentials/authorizeCheck")
	step, err = w.poll(t)
	want(t, "late", step, err, "REMOTE_EXPIRED")
	if w.double.Asked("credentials/authorizeCheck") != asked {
		t.Error("the provider is asked after the end")
	}
	w.now = time.Now
	step, err = w.press(t)
	wantWait(t, "again", step, err)
	step, err = w.poll(t)
	wantWait(t, "the new request is not approved", step, err)
	if string(w.login.State) == string(old) {
		t.Error("a second press is the first")
	}
	step, err = w.step(t, form("cancel", "1"))
	page, ok := step.(connectors.Page)
	if err != nil || !ok || page.Data.(PageData).Notice != "REMOTE_CANCELLED" {
		t.Fatalf("cancel: %T, %v", step, err)
	}
	w.decide(t, cloudtest.Approve)
	step, err = w.poll(t)
	want(t, "after cancel", step, err, "TX_UNKNOWN")
}

// TestUnavailable: a provider that is down, slow, huge or talks of something else gives one code within the limits, and is
// left alone after that (threat T96).
func TestUnavailable(t *testing.T) {
	for name, f := range map[string]cloudtest.Fault{
		"down": {Down: true}, "page": {HTML: true}, "huge": {Huge: true}, "hangs": {Delay: time.Minute}, "slow bytes": {Slow: 20 * time.Millisecond},
	} {
		for _, kind := range []Kind{CSC2, SmartID} {
			w := open(t, setting{provider: Provider{Kind: kind}})
			do := w.cfg.Do
			w.cfg.Do = func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
				if r.Timeout != callTime || r.MaxBody != maxAnswer {
					t.Errorf("limits %v, %d", r.Timeout, r.MaxBody)
				}
				r.Timeout = 20 * time.Millisecond // the same limit, shorter
				return do(ctx, r)
			}
			w.double.SetFault(f)
			for range 3 {
				step, err := w.press(t)
				want(t, name, step, err, "REMOTE_DOWN")
			}
			if page := w.Idle().Data.(PageData); !page.Providers[0].Down || !w.Down() {
				t.Errorf("%s: not shown as down", name)
			}
			asked := w.double.Asked("info") + w.double.Asked("get-certificates")
			step, err := w.press(t)
			want(t, name, step, err, "REMOTE_DOWN")
			if w.double.Asked("info")+w.double.Asked("get-certificates") != asked {
				t.Errorf("%s: asked again", name)
			}
		}
	}
}

// TestNoSecretInErrors: what goes to a log has no token, code or secret, and no text of the provider's (threat T46).
func TestNoSecretInErrors(t *testing.T) {
	w := open(t, setting{account: cloudtest.Account{OTP: true}, provider: Provider{Kind: CSC2}})
	if _, err := w.press(t); err != nil {
		t.Fatal(err)
	}
	_, err := w.step(t, form("otp", "123123"))
	var st state
	if e := json.Unmarshal(w.login.State, &st); e != nil {
		t.Fatal(e)
	}
	for _, secret := range []string{"123123", st.Token, cloudtest.ClientSecret, "The OTP is invalid", number} {
		if err == nil || secret == "" || strings.Contains(err.Error(), secret) {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestNoAccount(t *testing.T) {
	w := open(t, setting{provider: Provider{Kind: CSC2}})
	for _, identifier := range []string{"+380509999999", "", "x", "050 123-45-6", "0501234567; DROP"} {
		step, err := w.step(t, form("provider", "test", "identifier", identifier))
		want(t, identifier, step, err, "REMOTE_NO_ACCOUNT")
	}
}

func TestIdentifiers(t *testing.T) {
	for _, c := range []struct {
		kind     IdentifierKind
		in, want string
	}{
		{Phone, "050 123-45-67", "+380501234567"}, {Phone, "+38 (050) 123 45 67", "+380501234567"}, {Phone, "380501234567", "+380501234567"},
		{Phone, "+48123456789", "+48123456789"}, {Phone, "501234567", ""}, {Phone, "++380501234567", ""}, {Phone, "", ""},
		{Email, "a.b@example.org", "a.b@example.org"}, {Email, "a@b", ""}, {Email, "a b@example.org", ""}, {Email, "a@b@example.org", ""},
		{Name, " Олена ", "Олена"}, {Name, "a\nb", ""}, {"", "", ""},
	} {
		got, ok := c.kind.identifier(c.in)
		if ok != (c.want != "" || c.kind == "") || ok && got != c.want {
			t.Errorf("%s %q: %q, %v", c.kind, c.in, got, ok)
		}
	}
}

// TestNewRefuses: what cannot work, or must not, is refused at the start; the SmartID family among it, for its session
// encryption is not known.
func TestNewRefuses(t *testing.T) {
	secret := func() (string, error) { return "s", nil }
	good := Provider{ID: "a", Name: "A", Kind: CSC2, URL: "https://cloud.example.org/csc/v2", Identifier: Phone, ClientID: "c", Secret: secret}
	do := func(context.Context, fetch.Request) (*fetch.Response, error) { return nil, io.EOF }
	config := func(p ...Provider) Config {
		return Config{Verifier: authority(t).Validator, Do: do, Providers: p}
	}
	if _, err := New(config(good)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Provider){
		"http":              func(p *Provider) { p.URL = "http://cloud.example.org" },
		"user in address":   func(p *Provider) { p.URL = "https://a@cloud.example.org" },
		"no secret":         func(p *Provider) { p.Secret = nil },
		"foreign oauth":     func(p *Provider) { p.OAuthURL = "https://evil.example/" },
		"unknown kind":      func(p *Provider) { p.Kind = "ksp4" },
		"no identifier":     func(p *Provider) { p.Identifier = "" },
		"idle identifier":   func(p *Provider) { p.ServiceByCode = true },
		"bad id":            func(p *Provider) { p.ID = "a b" },
		"smartid":           func(p *Provider) { p.Kind, p.Identifier = SmartID, "" },
		"vchasno":           func(p *Provider) { p.Kind = Vchasno },
		"unknown name kind": func(p *Provider) { p.Identifier = "passport" },
	} {
		p := good
		change(&p)
		if _, err := New(config(p)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(config(good, good)); err == nil {
		t.Error("two providers of one id")
	}
	if _, err := New(config()); err == nil {
		t.Error("no provider")
	}
	c := config(good)
	c.MaxLevel = "highest"
	if _, err := New(c); err == nil {
		t.Error("unknown level")
	}
}

// TestForms: ECDSA comes as DER or as r || s, and nothing else is tried.
func TestForms(t *testing.T) {
	a := authority(t)
	i := a.Person(t, func(r *qestest.Request) { r.Authority, r.Algorithm = qestest.ECDSA, qestest.P256 })
	c, err := cert.Parse(i.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 64)
	raw[31], raw[32] = 1, 0x80
	if list := forms(c, raw); len(list) != 2 || list[1][0] != 0x30 {
		t.Errorf("%x", list)
	}
	if list := forms(c, raw[:63]); len(list) != 1 {
		t.Errorf("%x", list)
	}
	if _, err := newRemote(c, []string{"1.2.3"}); err == nil {
		t.Error("an algorithm that the key does not offer")
	}
}

// FuzzUpstreamAnswer: no answer of a provider makes us panic, open an address that is not listed, or take anybody in.
func FuzzUpstreamAnswer(f *testing.F) {
	for _, s := range []string{
		`{"specs":"2.0.0.2","methods":["credentials/info","signatures/signHash"],"oauth2":"https://cloud.example.org/x"}`,
		`{"access_token":"a","token_type":"Bearer","expires_in":3600}`, `{"credentialIDs":["CRED"]}`,
		`{"SCAL":"2","key":{"status":"enabled","algo":["1.2.804.2.1.1.1.1.3.1.1"]},"cert":{"certificates":["MAA="]},"auth":{"mode":"explicit","objects":[]}}`,
		`{"SAD":"x"}`, `{"handle":"x"}`, `{"signatures":["MAA="]}`, `{"responseID":"x"}`, `{"error":"access_denied"}`,
		`{"oauth2":"javascript:alert(1)"}`, `{"a":1,"A":2}`, `{"a":` + strings.Repeat("[", 40), `[]`, `"x"`, `{} {}`, "{\"\x00\":1}",
		`{"encryptedData":"e30="}`, `{"errorCode":1}`, `{"status":2,"signature":"MAA="}`,
	} {
		f.Add([]byte(s), []byte(s))
	}
	a := authority(f)
	secret := func() (string, error) { return "s", nil }
	login := connectors.Login{ID: "x", ReturnURL: "https://id.example.gov.ua/x", Expires: time.Now().Add(time.Hour),
		Challenge: []byte("brama-login-v1\nлише для входу, не є документом\nissuer: https://id.example.gov.ua\nclient: c\nhost: c.example\nmethod: cloud\nlogin: x\nnonce: " +
			strings.Repeat("01", 32) + "\nexpires: 2099-01-01T00:00:00Z\n")}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var v map[string]any
		if parseAnswer(first, &v) == nil && !json.Valid(first) {
			t.Error("taken, and not JSON")
		}
		for _, kind := range []Kind{CSC1, CSC2, SmartID, Vchasno} {
			n := 0
			p := Provider{ID: "a", Name: "A", Kind: kind, URL: "https://cloud.example.org", Identifier: Phone, ClientID: "c", Secret: secret,
				Prefix: "P_", LinkURL: "https://cloud.example.org/?"}
			if kind == SmartID {
				p.Identifier = ""
			}
			c, err := New(Config{Verifier: a.Validator, Envelope: cloudtest.Envelope{}, Providers: []Provider{p},
				Do: func(context.Context, fetch.Request) (*fetch.Response, error) {
					if n++; n%2 == 1 {
						return &fetch.Response{Status: 200, Body: first}, nil
					}
					return &fetch.Response{Status: 200, Body: second}, nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			identifier := "0501234567"
			if p.Identifier == "" {
				identifier = ""
			}
			check := func(step connectors.Step, err error) {
				if _, done := step.(connectors.Done); done {
					t.Fatal("somebody is taken in")
				}
				if r, ok := step.(connectors.Redirect); ok && !strings.HasPrefix(r.URL, "https://cloud.example.org/") {
					t.Fatalf("opens %s", r.URL)
				}
				if err != nil && code(err) == "" {
					t.Fatalf("an error without a code: %v", err)
				}
			}
			check(c.Advance(t.Context(), login, form("provider", "a", "identifier", identifier)))
			for _, s := range []stage{stageAuthorize, stageSign, stageSmartID} {
				st := state{Stage: s, Provider: "a", Challenge: digest(login.Challenge), Until: time.Now().Add(time.Minute), Response: "r",
					Handle: "h", Operation: "o", Service: [][]byte{{1}, {2}}}
				l := login
				l.State = st.bytes()
				check(c.Advance(t.Context(), l, connectors.Event{Via: connectors.ViaPoll}))
			}
		}
	})
}
