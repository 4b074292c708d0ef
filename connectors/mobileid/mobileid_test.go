package mobileid

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/mobileid/mobileidtest"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
)

const number = "+380671234567"

type world struct {
	*Connector
	double *mobileidtest.Server
	login  connectors.Login
	now    func() time.Time
}

func open(t testing.TB, a *connectortest.Authority, double mobileidtest.Config, config Config) *world {
	t.Helper()
	w := &world{login: connectortest.Login(t, Method), now: time.Now}
	double.Subscribers = []mobileidtest.Subscriber{{Number: number, Name: "Олена", Key: a.Person(t, nil)}}
	double.Stranger = a.Person(t, func(r *qestest.Request) { r.Authority = qestest.Stranger })
	var err error
	if w.double, err = mobileidtest.New(double); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w.double.Handler())
	t.Cleanup(srv.Close)
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if config.Do == nil {
		config.Do = client.Do
	}
	if config.FirstPoll == 0 {
		config.FirstPoll = -1
	}
	config.Verifier, config.AllowHTTP = a.Validator, true
	config.Operators = []Operator{{ID: "test", Name: "Оператор", URL: srv.URL + "/mss", APID: mobileidtest.APID, SOAP11: double.SOAP11,
		Password: func() (string, error) { return mobileidtest.Password, nil }}}
	config.Now = func() time.Time { return w.now() }
	if w.Connector, err = New(config); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) step(t testing.TB, ev connectors.Event) (connectors.Step, error) {
	t.Helper()
	step, err := w.Advance(t.Context(), w.login, ev)
	switch s := step.(type) {
	case connectors.Page:
		w.login.State = s.State
	case connectors.Wait:
		w.login.State = s.Page.State
	}
	return step, err
}

func form(pairs ...string) connectors.Event {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return connectors.Event{Via: connectors.ViaForm, Values: v}
}

var poll = connectors.Event{Via: connectors.ViaPoll}

func (w *world) press(t testing.TB) WaitData {
	t.Helper()
	step, err := w.step(t, form("number", "067 123 45 67"))
	return wantWait(t, "press", step, err)
}

func (w *world) decide(t testing.TB, o mobileidtest.Outcome) {
	t.Helper()
	list := w.double.Pending()
	if len(list) != 1 {
		t.Fatalf("%d requests wait for the person, want 1", len(list))
	}
	if err := w.double.Decide(list[0].ID, o); err != nil {
		t.Fatal(err)
	}
}

func wantWait(t testing.TB, what string, step connectors.Step, err error) WaitData {
	t.Helper()
	return *connectortest.WantWait(t, what, step, err).Page.Data.(PageData).Wait
}

var want = connectortest.WantRetry

// manners are the ways in which services differ.
var manners = map[string]mobileidtest.Config{
	"plain":    {},
	"soap 1.1": {SOAP11: true},
	"wrapped":  {Wrapped: true, Detached: true, Early500: true},
}

func TestContract(t *testing.T) {
	a := connectortest.NewAuthority(t)
	for name, m := range manners {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, func(t *testing.T) connectortest.Setup {
				w := open(t, a, m, Config{})
				w.press(t)
				w.decide(t, mobileidtest.Approve)
				return connectortest.Setup{Connector: w, Login: w.login, Name: connectortest.PersonName, Bound: true, Good: poll,
					Retry: map[string]connectors.Event{
						"TX_UNKNOWN":        form("operator", "nobody", "number", number),
						"REMOTE_NO_ACCOUNT": form("operator", "test", "number", "+380500000000"),
					}}
			})
		})
	}
}

// TestOutcomes: every fault and status has its own code, and only one way leads in.
func TestOutcomes(t *testing.T) {
	a := connectortest.NewAuthority(t)
	wants := map[mobileidtest.Outcome]string{
		mobileidtest.Refuse: "REMOTE_REFUSED", mobileidtest.Expire: "REMOTE_EXPIRED", mobileidtest.Unreachable: "REMOTE_UNREACHABLE",
		mobileidtest.Blocked: "PIN_LOCKED", mobileidtest.NoKey: "REMOTE_NO_ACCOUNT", mobileidtest.Broken: "REMOTE_DOWN",
		mobileidtest.Revoked: "CERT_REVOKED", mobileidtest.Invalid: "SIG_INVALID", mobileidtest.OtherPerson: "KEY_ISSUER_UNTRUSTED",
		mobileidtest.OtherText: "SIG_INVALID", mobileidtest.Garbage: "CMS_MALFORMED", mobileidtest.Entities: "REMOTE_DOWN",
		mobileidtest.OtherRequest: "REMOTE_DOWN", mobileidtest.Approve: "",
	}
	for _, m := range manners {
		for _, o := range mobileidtest.Outcomes() {
			w := open(t, a, m, Config{})
			w.press(t)
			step, err := w.step(t, poll)
			wantWait(t, string(o)+" before", step, err)
			w.decide(t, o)
			step, err = w.step(t, poll)
			c, ok := wants[o]
			if !ok {
				t.Errorf("%s has no code here", o)
			}
			if c != "" {
				want(t, string(o), step, err, c)
			} else if _, done := step.(connectors.Done); !done || err != nil {
				t.Errorf("%s: %T, %v; want Done", o, step, err)
			}
		}
	}
}

// TestNoResendWithoutPress: however often the page asks, the telephone is asked once (threat T52), and not before its time.
func TestNoResendWithoutPress(t *testing.T) {
	w := open(t, connectortest.NewAuthority(t), mobileidtest.Config{}, Config{FirstPoll: time.Hour})
	d := w.press(t)
	before := string(w.login.State)
	for range 5 {
		step, err := w.step(t, poll)
		wantWait(t, "poll", step, err)
	}
	if n := w.double.Asked("MSS_StatusReq"); n != 0 {
		t.Errorf("the status is asked %d times before its time", n)
	}
	w.now = func() time.Time { return time.Now().Add(DefaultWait - time.Second) }
	w.cfg.FirstPoll = 0
	for range 5 {
		step, err := w.step(t, poll)
		wantWait(t, "poll", step, err)
	}
	if n, m := w.double.Asked("MSS_SignatureReq"), w.double.Asked("MSS_StatusReq"); n != 1 || m != 5 {
		t.Errorf("%d requests for a signature and %d for the status, want 1 and 5", n, m)
	}
	if string(w.login.State) != before || strings.Contains(before, number[1:]) {
		t.Errorf("state is %s", w.login.State)
	}
	shown := w.double.Pending()[0].Text
	if !strings.Contains(shown, "код "+d.Code+",") || !strings.Contains(shown, "cabinet.example.gov.ua") {
		t.Errorf("the page shows %q, the telephone %q", d.Code, shown)
	}
	w.login.Portal = strings.Repeat("Щ", 120)
	if s, err := display(w.login, "47"); err != nil || len([]rune(s)) != maxDisplay || !strings.HasPrefix(s, "Вхід: код 47, Щ") {
		t.Errorf("%q, %v", s, err)
	}
}

// TestLate: a result is taken 30 seconds after the end and not later; a cancelled request leads to nothing.
func TestLate(t *testing.T) {
	w := open(t, connectortest.NewAuthority(t), mobileidtest.Config{}, Config{})
	w.press(t)
	w.decide(t, mobileidtest.Approve)
	w.now = func() time.Time { return time.Now().Add(DefaultWait + grace/2) }
	step, err := w.step(t, poll)
	if _, ok := step.(connectors.Done); !ok {
		t.Errorf("in grace: %T, %v", step, err)
	}
	w.now = func() time.Time { return time.Now().Add(DefaultWait + grace + time.Second) }
	asked := w.double.Asked("MSS_StatusReq")
	step, err = w.step(t, poll)
	want(t, "late", step, err, "REMOTE_EXPIRED")
	if w.double.Asked("MSS_StatusReq") != asked {
		t.Error("the service is asked after the end")
	}
	w.now = time.Now
	step, err = w.step(t, form("cancel", "1"))
	if page, ok := step.(connectors.Page); err != nil || !ok || page.Data.(PageData).Notice != "REMOTE_CANCELLED" {
		t.Fatalf("cancel: %T, %v", step, err)
	}
	step, err = w.step(t, poll)
	want(t, "after cancel", step, err, "TX_UNKNOWN")
}

// TestUnavailable: an outage gives one code within the limits, and the service is left alone after that (threat T96).
func TestUnavailable(t *testing.T) {
	a := connectortest.NewAuthority(t)
	for name, f := range map[string]mobileidtest.Fault{"down": {Down: true}, "page": {HTML: true}, "huge": {Huge: true}, "hangs": {Delay: time.Minute}} {
		w := open(t, a, mobileidtest.Config{}, Config{})
		do := w.cfg.Do
		asked := 0
		w.cfg.Do = func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
			if r.Timeout != callTime || r.MaxBody != maxAnswer {
				t.Errorf("limits %v, %d", r.Timeout, r.MaxBody)
			}
			asked++
			r.Timeout = 20 * time.Millisecond // the same limit, shorter
			return do(ctx, r)
		}
		w.double.SetFault(f)
		for range 4 {
			step, err := w.step(t, form("number", number))
			want(t, name, step, err, "REMOTE_DOWN")
		}
		if page := w.Idle().Data.(PageData); !page.Operators[0].Down || !w.Down() || asked != 3 {
			t.Errorf("%s: asked %d times, shown as down: %v", name, asked, page.Operators[0].Down)
		}
	}
}

// TestPhonePage: a person decides by a plain form.
func TestPhonePage(t *testing.T) {
	w := open(t, connectortest.NewAuthority(t), mobileidtest.Config{}, Config{})
	w.press(t)
	base := strings.TrimSuffix(w.cfg.Operators[0].URL, "/mss")
	res, err := http.Get(base + "/phone")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || !strings.Contains(string(page), "cabinet.example.gov.ua") || !strings.Contains(string(page), `value="refuse"`) {
		t.Fatalf("%s, %v", page, err)
	}
	if res, err = http.PostForm(base+"/phone", url.Values{"id": {w.double.Pending()[0].ID}, "outcome": {"refuse"}}); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	step, err := w.step(t, poll)
	want(t, "refused on the page", step, err, "REMOTE_REFUSED")
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"0671234567": number, "+38 (067) 123-45-67": number, "380671234567": number,
		"671234567": "", "+48123456789": "", "": "", "067123456x": "", "+380671234567\r\nX: y": "", "٠671234567": "",
	} {
		if got, ok := e164(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
}

const good = `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>` +
	`<m:MSS_StatusResp xmlns:m="http://uri.etsi.org/TS102204/v1.1.2#" MSSP_TransID="M1"><m:AP_Info AP_TransID="A1"/>` +
	`<m:MSS_Signature><m:Base64Signature>MAA=</m:Base64Signature></m:MSS_Signature><m:Status><m:StatusCode Value="500"/></m:Status>` +
	`</m:MSS_StatusResp></s:Body></s:Envelope>`

// TestStrictXML: what readers disagree about is refused.
func TestStrictXML(t *testing.T) {
	a, err := parseAnswer([]byte(good), "MSS_StatusQuery", "A1")
	if err != nil || a.status != 500 || len(a.signature) != 2 || a.trans != "M1" {
		t.Fatalf("%+v, %v", a, err)
	}
	sub := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for name, s := range map[string]string{
		"DTD":              sub("<s:Envelope", `<!DOCTYPE x><s:Envelope`),
		"entity":           sub("MAA=", `&x;`),
		"instruction":      sub("<s:Body>", `<?php x?><s:Body>`),
		"comment in text":  sub("MAA=", `MA<!-- -->A=`),
		"element in text":  sub("MAA=", `MA<b/>A=`),
		"two signatures":   sub("<m:Status>", `<m:MSS_Signature/><m:Status>`),
		"two bodies":       sub("</s:Body>", `</s:Body><s:Body/>`),
		"two messages":     sub("</s:Body>", `<x/></s:Body>`),
		"two status codes": sub(`<m:StatusCode Value="500"/>`, `<m:StatusCode Value="500"/><m:StatusCode Value="100"/>`),
		"two values":       sub(`Value="500"`, `Value="500" Value="100"`),
		"other name space": sub("v1.1.2#", "v1.1.1#"),
		"other question":   sub(`AP_TransID="A1"`, `AP_TransID="A2"`),
		"no status":        sub(`<m:StatusCode Value="500"/>`, ""),
		"odd status":       sub(`"500"`, `"-1"`),
		"not base64":       sub("MAA=", "!"),
		"empty signature":  sub("MAA=", ""),
		"after the end":    good + "x",
		"two documents":    good + good,
		"other charset":    sub("UTF-8", "windows-1251"),
		"not UTF-8":        sub("MAA=", "\xff"),
		"cut":              good[:len(good)-3],
		"deep":             strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"many":             "<a>" + strings.Repeat("<b/>", 1000) + "</a>",
		"big":              good + strings.Repeat(" ", maxAnswer),
		"empty":            "",
	} {
		a, err := parseAnswer([]byte(s), "MSS_StatusQuery", "A1")
		if !errors.Is(err, ErrAnswer) || a != nil {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if _, err := parseAnswer([]byte(good), "MSS_Signature", "A1"); !errors.Is(err, ErrAnswer) {
		t.Errorf("the answer to another action: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	do := func(context.Context, fetch.Request) (*fetch.Response, error) { return nil, context.Canceled }
	o := Operator{ID: "a", Name: "A", URL: "https://mss.example.org/", APID: "x", Password: func() (string, error) { return "", nil }}
	a := connectortest.NewAuthority(t)
	if _, err := New(Config{Verifier: a.Validator, Do: do, Operators: []Operator{o}}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Operator){
		"http": func(o *Operator) { o.URL = "http://mss.example.org/" }, "no password": func(o *Operator) { o.Password = nil },
		"no name": func(o *Operator) { o.Name = "" }, "user in address": func(o *Operator) { o.URL = "https://a@mss.example.org/" },
	} {
		bad := o
		change(&bad)
		if _, err := New(Config{Verifier: a.Validator, Do: do, Operators: []Operator{bad}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzAnswer: no answer makes us panic; an error gives nothing.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>mss:_401</faultcode></s:Fault></s:Body></s:Envelope>`))
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, action := range []string{"MSS_Signature", "MSS_StatusQuery", ""} {
			a, err := parseAnswer(b, action, "A1")
			if (a == nil) == (err == nil) {
				t.Fatalf("%v, %v", a, err)
			}
			if a != nil && (a.status < 0 || a.signature != nil && len(a.signature) == 0) {
				t.Fatalf("%+v", a)
			}
		}
	})
}
