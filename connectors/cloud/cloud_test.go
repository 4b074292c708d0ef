package cloud

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/cloud/cloudtest"
	"brama/connectors/connectortest"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
)

// A world is a connector with the double behind it.
type world struct {
	*Connector
	double  *cloudtest.Server
	login   connectors.Login
	base    string
	now     func() time.Time
	mu      sync.Mutex
	notices []string
}

const number = "+380501234567"

// setting is what a test changes.
type setting struct {
	account  cloudtest.Account // Identifier and Keys are filled in if they are empty
	double   cloudtest.Config
	provider Provider
	config   Config
}

var authorities = sync.OnceValue(func() func(testing.TB) *connectortest.Authority {
	var once sync.Once
	var a *connectortest.Authority
	return func(t testing.TB) *connectortest.Authority {
		once.Do(func() { a = connectortest.NewAuthority(noCleanup{t}) })
		return a
	}
})

// noCleanup keeps the authority for all tests of the package.
type noCleanup struct{ testing.TB }

func (noCleanup) Cleanup(func()) {}

func authority(t testing.TB) *connectortest.Authority { return authorities()(t) }

func open(t testing.TB, s setting) *world {
	t.Helper()
	a := authority(t)
	w := &world{login: connectortest.Login(t, Method), now: time.Now}
	w.login.ReturnURL = "https://id.example.gov.ua/login/" + w.login.ID + "/cloud/return"
	srv := httptest.NewUnstartedServer(nil)
	w.base = "http://" + srv.Listener.Addr().String()
	if s.account.Keys == nil {
		s.account.Keys = []*qestest.Issued{a.Person(t, nil)}
	}
	s.account.Identifier, s.account.Name = number, "Олена"
	s.double.BaseURL, s.double.Accounts = w.base, append([]cloudtest.Account{s.account}, s.double.Accounts...)
	s.double.Stranger = a.Person(t, func(r *qestest.Request) {
		r.FamilyName, r.Key = "Чужий", nil
		r.Algorithm = s.account.Keys[0].Key.Algorithm()
	})
	s.double.Notify = func(address string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notices = append(w.notices, address)
	}
	var err error
	if w.double, err = cloudtest.New(s.double); err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = w.double.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	p := s.provider
	p.ID, p.Name = "test", "Хмара"
	switch p.Kind {
	case CSC1, CSC2:
		p.URL = w.base + "/csc/" + strings.Replace(string(p.Kind), "csc", "v", 1)
		p.ClientID, p.Secret = cloudtest.ClientID, func() (string, error) { return cloudtest.ClientSecret, nil }
		if !p.ServiceByCode {
			p.Identifier = Phone
		}
	case SmartID:
		p.URL, p.LinkURL, p.Prefix = w.base+"/smartid", w.base+"/smartid/kep?hash=rd/kep/", cloudtest.Prefix
	case Vchasno:
		p.URL, p.Identifier = w.base+"/vchasno", Phone
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	c := s.config
	c.Verifier, c.Providers, c.Do, c.AllowHTTP, c.Envelope = a.Validator, []Provider{p}, client.Do, true, cloudtest.Envelope{}
	if c.NotifyURL == "" {
		c.NotifyURL = "https://id.example.gov.ua/notify/cloud/secret"
	}
	c.Now = func() time.Time { return w.now() }
	if w.Connector, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

func form(pairs ...string) connectors.Event {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return connectors.Event{Via: connectors.ViaForm, Values: v}
}

// step advances the login and keeps its state, as authflow does.
func (w *world) step(t testing.TB, ev connectors.Event) (connectors.Step, error) {
	t.Helper()
	step, err := w.Advance(t.Context(), w.login, ev)
	if err == nil {
		switch s := step.(type) {
		case connectors.Redirect:
			w.login.State = s.State
		case connectors.Page:
			w.login.State = s.State
		case connectors.Wait:
			w.login.State = s.Page.State
		}
	}
	return step, err
}

// press is the press «Отримати посилання».
func (w *world) press(t testing.TB) (connectors.Step, error) {
	t.Helper()
	p := w.cfg.Providers[0]
	if p.Identifier == "" {
		return w.step(t, form("provider", p.ID))
	}
	return w.step(t, form("provider", p.ID, "identifier", "050 123-45-67"))
}

func (w *world) poll(t testing.TB) (connectors.Step, error) {
	t.Helper()
	return w.step(t, connectors.Event{Via: connectors.ViaPoll})
}

// decide ends the one request that waits.
func (w *world) decide(t testing.TB, o cloudtest.Outcome) {
	t.Helper()
	list := w.double.Pending()
	if len(list) != 1 {
		t.Fatalf("%d requests wait for the person, want 1", len(list))
	}
	if err := w.double.Decide(list[0].ID, o); err != nil {
		t.Fatal(err)
	}
}

// visit presses a button on the provider's page and returns what comes back.
func (w *world) visit(t testing.TB, step connectors.Step, o cloudtest.Outcome) connectors.Event {
	t.Helper()
	r, ok := step.(connectors.Redirect)
	if !ok {
		t.Fatalf("step is %T, want Redirect", step)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(r.URL, url.Values{"account": {number}, "outcome": {string(o)}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	u, err := res.Location()
	if err != nil {
		t.Fatalf("the provider answers %d", res.StatusCode)
	}
	if got := strings.TrimSuffix(u.String(), "?"+u.RawQuery); got != w.login.ReturnURL {
		t.Fatalf("returns to %s", got)
	}
	return connectors.Event{Via: connectors.ViaReturn, Values: u.Query()}
}

var (
	code = connectortest.CodeOf
	want = connectortest.WantRetry
)

func wantDone(t testing.TB, what string, step connectors.Step, err error) connectors.Identity {
	t.Helper()
	d, ok := step.(connectors.Done)
	if !ok || err != nil {
		t.Fatalf("%s: %T, %v; want Done", what, step, err)
	}
	if d.Identity.Name != connectortest.PersonName {
		t.Errorf("%s: name is %q", what, d.Identity.Name)
	}
	return d.Identity
}

func wantWait(t testing.TB, what string, step connectors.Step, err error) WaitData {
	t.Helper()
	return *connectortest.WantWait(t, what, step, err).Page.Data.(PageData).Wait
}

// waiting are the settings in which the person approves on the telephone while the page waits.
func waiting(t testing.TB) map[string]setting {
	ecdsa := authority(t).Person(t, func(r *qestest.Request) { r.Authority, r.Algorithm = qestest.ECDSA, qestest.P256 })
	return map[string]setting{
		"csc2 push":        {account: cloudtest.Account{Push: true}, provider: Provider{Kind: CSC2}},
		"csc2 async":       {double: cloudtest.Config{Async: true}, provider: Provider{Kind: CSC2}},
		"csc2 ecdsa":       {account: cloudtest.Account{Push: true, Keys: []*qestest.Issued{ecdsa}}, provider: Provider{Kind: CSC2}},
		"csc2 ecdsa plain": {account: cloudtest.Account{Push: true, Keys: []*qestest.Issued{ecdsa}}, double: cloudtest.Config{PlainECDSA: true}, provider: Provider{Kind: CSC2}},
		"smartid":          {provider: Provider{Kind: SmartID}},
		"vchasno":          {provider: Provider{Kind: Vchasno}},
	}
}

func TestContract(t *testing.T) {
	for name, s := range waiting(t) {
		t.Run(name, func(t *testing.T) {
			connectortest.Run(t, func(t *testing.T) connectortest.Setup {
				w := open(t, s)
				step, err := w.press(t)
				wantWait(t, "press", step, err)
				w.decide(t, cloudtest.Approve)
				return connectortest.Setup{Connector: w, Login: w.login, Name: connectortest.PersonName, Bound: true,
					Good: connectors.Event{Via: connectors.ViaPoll},
					Retry: map[string]connectors.Event{
						"TX_UNKNOWN": form("provider", "nobody"),
					}}
			})
		})
	}
}

// TestOutcomes: whatever the person or the provider does on the telephone has its own code, and only one way leads in.
func TestOutcomes(t *testing.T) {
	for name, s := range waiting(t) {
		smart := s.provider.Kind == SmartID || s.provider.Kind == Vchasno
		for o, c := range map[cloudtest.Outcome]string{
			cloudtest.Refuse: "REMOTE_REFUSED", cloudtest.OtherHash: "SIG_INVALID", cloudtest.Garbage: "SIG_INVALID",
			cloudtest.Twice: "REMOTE_DOWN", cloudtest.Expire: "REMOTE_EXPIRED", cloudtest.OtherPerson: "SIG_INVALID",
		} {
			switch {
			case smart && o == cloudtest.Garbage:
				c = "CMS_MALFORMED"
			case smart && o == cloudtest.Expire:
				c = "REMOTE_DOWN"
			case smart && o == cloudtest.OtherPerson, s.provider.Kind == Vchasno && o == cloudtest.Twice:
				continue // the whole CMS is theirs: S8 shows who it was (threat T7)
			}
			w := open(t, s)
			step, err := w.press(t)
			wantWait(t, name, step, err)
			w.decide(t, o)
			step, err = w.poll(t)
			want(t, name+"/"+string(o), step, err, c)
		}
	}
}

// TestMatchingCode: page and telephone show the same two digits, and the portal.
func TestMatchingCode(t *testing.T) {
	for name, s := range waiting(t) {
		w := open(t, s)
		step, err := w.press(t)
		d := wantWait(t, name, step, err)
		shown := w.double.Pending()[0].Description
		if len(d.Code) != 2 || !strings.Contains(shown, "код "+d.Code) || !strings.Contains(shown, "cabinet.example.gov.ua") {
			t.Errorf("%s: the page shows %q, the telephone %q", name, d.Code, shown)
		}
		if s.provider.Kind == SmartID != (d.Link != "") {
			t.Errorf("%s: link %q", name, d.Link)
		}
	}
}

// TestPhonePage: a person decides by plain forms, on the telephone and on the provider's page.
func TestPhonePage(t *testing.T) {
	w := open(t, waiting(t)["csc2 push"])
	step, err := w.press(t)
	wantWait(t, "press", step, err)
	read := func(address, part string) {
		t.Helper()
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if page, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(page), part) ||
			!strings.Contains(string(page), "cabinet.example.gov.ua") {
			t.Fatalf("%s: %d %s, %v", address, res.StatusCode, page, err)
		}
	}
	read(w.base+"/phone", `value="refuse"`)
	res, err := http.PostForm(w.base+"/phone", url.Values{"id": {w.double.Pending()[0].ID}, "outcome": {"refuse"}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	step, err = w.poll(t)
	want(t, "refused on the page", step, err, "REMOTE_REFUSED")

	w = open(t, oauth()["v2"])
	read(w.walk(t).(connectors.Redirect).URL, `value="approve"`)
}

// TestNoResendWithoutPress: however often the page asks, the telephone is asked once (threat T52).
func TestNoResendWithoutPress(t *testing.T) {
	for name, s := range waiting(t) {
		w := open(t, s)
		step, err := w.press(t)
		wantWait(t, name, step, err)
		before := string(w.login.State)
		for range 5 {
			step, err = w.poll(t)
			wantWait(t, name, step, err)
		}
		if n := len(w.double.Pending()); n != 1 {
			t.Errorf("%s: %d requests at the telephone", name, n)
		}
		if string(w.login.State) != before {
			t.Errorf("%s: waiting changes the state", name)
		}
		n := w.double.Asked("credentials/authorize") + w.double.Asked("sign") + w.double.Asked("acquire-sign")
		if n != 1 {
			t.Errorf("%s: approval was asked for %d times", name, n)
		}
	}
}

// oauth are the settings in which the person approves at the provider's page.
func oauth() map[string]setting {
	return map[string]setting{
		"v2":            {account: cloudtest.Account{Mode: "oauth2code"}, provider: Provider{Kind: CSC2}},
		"v2 by code":    {account: cloudtest.Account{Mode: "oauth2code"}, provider: Provider{Kind: CSC2, ServiceByCode: true}},
		"v1":            {account: cloudtest.Account{Mode: "oauth2code"}, provider: Provider{Kind: CSC1}},
		"v1 by code":    {account: cloudtest.Account{Mode: "oauth2code"}, provider: Provider{Kind: CSC1, ServiceByCode: true}},
		"v2 then async": {account: cloudtest.Account{Mode: "oauth2code"}, double: cloudtest.Config{Async: true}, provider: Provider{Kind: CSC2}},
	}
}

// walk goes to the point where the person is to approve the hash.
func (w *world) walk(t testing.TB) connectors.Step {
	t.Helper()
	step, err := w.press(t)
	if err == nil && w.cfg.Providers[0].ServiceByCode {
		step, err = w.step(t, w.visit(t, step, cloudtest.Approve))
	}
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func TestOAuthCode(t *testing.T) {
	for name, s := range oauth() {
		for o, c := range map[cloudtest.Outcome]string{
			cloudtest.Approve: "", cloudtest.Refuse: "REMOTE_REFUSED", cloudtest.OtherPerson: "SIG_INVALID", cloudtest.OtherHash: "SIG_INVALID",
			cloudtest.Twice: "REMOTE_DOWN", cloudtest.Garbage: "SIG_INVALID", cloudtest.Expire: "REMOTE_EXPIRED",
		} {
			w := open(t, s)
			back := w.visit(t, w.walk(t), o)
			before := w.login
			step, err := w.step(t, back)
			if _, ok := step.(connectors.Wait); ok {
				step, err = w.poll(t)
			}
			if c != "" {
				want(t, name+"/"+string(o), step, err, c)
				continue
			}
			id := wantDone(t, name, step, err)
			if id.LoA != connectors.Substantial {
				t.Errorf("%s: level %q", name, id.LoA)
			}
			// The same return a second time finds its code spent.
			step, err = w.Advance(t.Context(), before, back)
			want(t, name+" again", step, err, "REMOTE_EXPIRED")
		}
	}
}

// TestReturnOfAnotherLogin: a return belongs to the login whose redirect is out, and to no other (threat T50).
func TestReturnOfAnotherLogin(t *testing.T) {
	s := oauth()["v2"]
	w := open(t, s)
	first := w.visit(t, w.walk(t), cloudtest.Approve)
	mine := w.login
	w.login.State = nil
	second := w.visit(t, w.walk(t), cloudtest.Approve)
	step, err := w.Advance(t.Context(), mine, second)
	want(t, "crossed", step, err, "TX_UNKNOWN")
	for name, change := range map[string]func(url.Values){
		"no state":   func(v url.Values) { v.Del("state") },
		"no code":    func(v url.Values) { v.Del("code") },
		"two codes":  func(v url.Values) { v["code"] = append(v["code"], "x") },
		"two states": func(v url.Values) { v["state"] = append(v["state"], v["state"][0]) },
	} {
		ev := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{}}
		for k, v := range first.Values {
			ev.Values[k] = append([]string(nil), v...)
		}
		change(ev.Values)
		step, err := w.Advance(t.Context(), mine, ev)
		want(t, name, step, err, "TX_UNKNOWN")
	}
	step, err = w.Advance(t.Context(), mine, first)
	wantDone(t, "own", step, err)
	mine.State = nil
	step, err = w.Advance(t.Context(), mine, first)
	want(t, "without a request", step, err, "TX_UNKNOWN")
}

func TestOneTimeCode(t *testing.T) {
	for _, kind := range []Kind{CSC1, CSC2} {
		w := open(t, setting{account: cloudtest.Account{OTP: true}, provider: Provider{Kind: kind}})
		step, err := w.press(t)
		page, ok := step.(connectors.Page)
		if err != nil || !ok || !page.Data.(PageData).OTP {
			t.Fatalf("%s: %T, %v; want a page that asks for the code", kind, step, err)
		}
		otp := w.double.Pending()[0].OTP
		step, err = w.step(t, form("otp", "000000"))
		want(t, string(kind), step, err, "REMOTE_OTP_WRONG")
		step, err = w.step(t, form("otp", "../../x"))
		want(t, string(kind), step, err, "REMOTE_OTP_WRONG")
		step, err = w.step(t, form("otp", otp))
		wantDone(t, string(kind), step, err)
		step, err = w.step(t, form("otp", otp))
		want(t, string(kind)+" again", step, err, "REMOTE_OTP_WRONG")
	}
	w := open(t, setting{account: cloudtest.Account{Mode: "implicit"}, provider: Provider{Kind: CSC1}})
	step, err := w.press(t)
	wantDone(t, "implicit", step, err)
}

func TestChooseKey(t *testing.T) {
	a := authority(t)
	seal := a.Person(t, func(r *qestest.Request) { r.Kind, r.EDRPOU, r.RNOKPP = qestest.Seal, "12345678", "" })
	other := a.Person(t, func(r *qestest.Request) { r.FamilyName = "Інша" })
	keys := []*qestest.Issued{seal, other, a.Person(t, nil)}
	w := open(t, setting{account: cloudtest.Account{Push: true, Keys: keys}, provider: Provider{Kind: CSC2}})
	step, err := w.press(t)
	page, ok := step.(connectors.Page)
	if err != nil || !ok {
		t.Fatalf("%T, %v; want a choice", step, err)
	}
	list := page.Data.(PageData).Keys
	if len(list) != 2 || list[1].Name != connectortest.PersonName || len(w.double.Pending()) != 0 {
		t.Fatalf("keys %+v, %d requests", list, len(w.double.Pending()))
	}
	for _, bad := range []string{"2", "-1", "x"} {
		step, err := w.step(t, form("credential", bad))
		want(t, "key "+bad, step, err, "TX_UNKNOWN")
	}
	step, err = w.step(t, form("credential", list[1].Value))
	wantWait(t, "choice", step, err)
	w.decide(t, cloudtest.Approve)
	step, err = w.poll(t)
	wantDone(t, "choice", step, err)

	w = open(t, setting{account: cloudtest.Account{Keys: keys[:1]}, provider: Provider{Kind: CSC2}})
	step, err = w.press(t)
	want(t, "seal alone", step, err, "CERT_SEAL")
}

// TestLevelByCertificate: high where the certificate says that the key is in a device, as for every key that is approved on a
// telephone; what the operator sets can only lower it (threat T33).
func TestLevelByCertificate(t *testing.T) {
	device := authority(t).Person(t, func(r *qestest.Request) { r.Device = true })
	for _, c := range []struct {
		policy connectors.LoA
		key    *qestest.Issued
		want   connectors.LoA
	}{{"", device, connectors.High}, {connectors.High, device, connectors.High}, {connectors.Substantial, device, connectors.Substantial},
		{"", nil, connectors.Substantial}, {connectors.High, nil, connectors.Substantial}, {connectors.Low, device, connectors.Low}} {
		s := setting{provider: Provider{Kind: CSC2}, config: Config{MaxLevel: c.policy}}
		if c.key != nil {
			s.account.Keys = []*qestest.Issued{c.key}
		}
		w := open(t, s)
		step, err := w.press(t)
		if id := wantDone(t, string(c.policy), step, err); id.LoA != c.want {
			t.Errorf("policy %q: level %q, want %q", c.policy, id.LoA, c.want)
		}
	}
}
