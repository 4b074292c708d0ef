package systems_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/systems"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/bankid"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/cloud"
	"brama/connectors/cloud/cloudtest"
	"brama/connectors/connectortest"
	"brama/connectors/diia"
	"brama/connectors/diia/diiatest"
	"brama/connectors/idgov"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/levels"
	"brama/connectors/mobileid"
	"brama/connectors/mobileid/mobileidtest"
	"brama/internal/fetch"
	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
	"brama/internal/qes/trustlist"
	"brama/provider"
	"brama/storage/memstore"
)

const (
	issuer = "https://id.example.gov.ua"
	// host is a name that the certificate of httptest has. Here it leads to the doubles: the configuration takes no address of
	// this computer.
	host     = "example.com"
	clientID = "0123456789abcdef0123456789abcdef"
	secret   = "a-secret-of-forty-characters-0123456789a"
	password = "password-of-the-container"
	number   = "+380501234567"
)

// A world is the doubles behind TLS, and the methods that a configuration file makes.
type world struct {
	t        testing.TB
	dir      string
	services *qestest.Provider
	engine   *wiring.Engine
	outbound *fetch.Client
	browser  *http.Client

	diia     *diiatest.Server
	mobileid *mobileidtest.Server
	cloud    *cloudtest.Server
	ports    map[string]string
}

// serveTLS serves over TLS on this computer and returns the address there and the one for the configuration.
func (w *world) serveTLS(name string, handler func(base string) (http.Handler, error)) {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h, err := handler("https://" + server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	server.Config.Handler = h
	server.StartTLS()
	w.t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.ports[name] = port
	w.write("roots.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func (w *world) write(name string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) issue(r qestest.Request) *qestest.Issued {
	w.t.Helper()
	issued, err := w.services.Issue(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return issued
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), ports: map[string]string{}}
	server := httptest.NewUnstartedServer(nil)
	var err error
	if w.services, err = qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String(), Diia: true}); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = w.services.Handler()
	server.Start()
	t.Cleanup(server.Close)
	store, err := trustlist.New(w.services.TrustConfig())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if w.engine, err = wiring.NewEngine(wiring.Trust{Store: store, Version: "test", Fetch: plain}); err != nil {
		t.Fatal(err)
	}

	person := w.issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691", UNZR: "19870312-00691", Device: true})
	w.serveTLS("idgov", func(base string) (http.Handler, error) {
		double, err := idgovtest.New(idgovtest.Config{BaseURL: base, ClientID: clientID, ClientSecret: secret, Provider: w.services,
			RedirectURIs: []string{provider.ReturnURL(issuer, idgov.Method)}, Form: idgovtest.Form{Signed: true}})
		return double.Handler(), err
	})
	w.serveTLS("bankid", func(base string) (http.Handler, error) {
		double, err := bankidtest.New(bankidtest.Config{BaseURL: base, ClientID: clientID, ClientSecret: secret, Provider: w.services,
			RedirectURIs: []string{provider.ReturnURL(issuer, bankid.Method)}})
		if err != nil {
			return nil, err
		}
		var banks strings.Builder
		for _, b := range double.Banks() {
			fmt.Fprintf(&banks, "      - {id: %s, member_id: %q, name: %q, edrpou: %q}\n", b.ID, b.MemberID, b.Name, b.EDRPOU)
		}
		w.ports["banks"] = banks.String()
		return double.Handler(), nil
	})
	w.serveTLS("diia", func(base string) (http.Handler, error) {
		var err error
		w.diia, err = diiatest.New(diiatest.Config{BaseURL: base, Callback: base + "/nowhere", Provider: w.services})
		if err != nil {
			return nil, err
		}
		t.Cleanup(w.diia.Close)
		w.ports["links"] = base
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.Host = strings.TrimPrefix(base, "https://") // it takes no other
			w.diia.Handler().ServeHTTP(rw, r)
		}), nil
	})
	w.serveTLS("cloud", func(base string) (http.Handler, error) {
		var err error
		w.cloud, err = cloudtest.New(cloudtest.Config{BaseURL: base, Accounts: []cloudtest.Account{
			{Identifier: number, Name: "Олена", Keys: []*qestest.Issued{person}, Push: true}}})
		return w.cloud.Handler(), err
	})
	w.serveTLS("mobileid", func(string) (http.Handler, error) {
		var err error
		w.mobileid, err = mobileidtest.New(mobileidtest.Config{Subscribers: []mobileidtest.Subscriber{{Number: number, Name: "Олена", Key: person}}})
		return w.mobileid.Handler(), err
	})

	pool := x509.NewCertPool()
	b, err := os.ReadFile(filepath.Join(w.dir, "roots.pem"))
	if err != nil || !pool.AppendCertsFromPEM(b) {
		t.Fatal(err)
	}
	roots := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if w.outbound, err = fetch.New(fetch.Config{AllowLoopback: true, TLS: roots, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	w.browser = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: roots, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		}},
	}

	ours := w.issue(qestest.Request{Kind: qestest.Encryption, Organization: "Brama", EDRPOU: "12345678"})
	container, err := keystore.WriteKey6([]byte(password), person.Key.DSTU, ours.Key.DSTU)
	if err != nil {
		t.Fatal(err)
	}
	w.write("key.dat", container)
	w.write("key.cer", ours.Certificate.Raw)
	for name, text := range map[string]string{"secret": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "client": secret, "password": password + "\n",
		"acquirer": diiatest.AcquirerToken, "auth": diiatest.AuthToken, "cloud": cloudtest.ClientSecret + "\n", "mss": mobileidtest.Password} {
		w.write(name, []byte(text))
	}
	return w
}

// settings is the file of a server with every method. Branch and offer are those that `brama diia setup` would print.
func (w *world) settings(branch, offer string) string {
	at := func(name string) string { return "https://" + net.JoinHostPort(host, w.ports[name]) }
	return `issuer: ` + issuer + `
data: data
secret_file: secret
trust: {bundles: [{file: b.p7b}]}
connectors:
  diia: {url: ` + at("diia") + `, acquirer_token_file: acquirer, auth_token_file: auth, branch: "` + branch + `", offer: "` + offer + `"}
  idgov:
    url: ` + at("idgov") + `
    client_id: ` + clientID + `
    client_secret_file: client
    keys: [{container: key.dat, password_file: password, certificate: key.cer}]
  bankid:
    url: ` + at("bankid") + `
    client_id: ` + clientID + `
    client_secret_env: BANKID_SECRET_OF_THE_TEST
    keys: [{container: key.dat, password_file: password, certificate: key.cer}]
    dataset: "61"
    banks:
` + w.ports["banks"] + `  cloud:
    providers:
      - {id: phone, name: Хмара, kind: csc2, url: ` + at("cloud") + `/csc/v2, oauth_url: ` + at("cloud") + `/csc/v2, identifier: phone, client_id: ` + cloudtest.ClientID + `, client_secret_file: cloud}
  mobileid:
    operators: [{id: test, name: Оператор, url: ` + at("mobileid") + `/mss, ap_id: ` + mobileidtest.APID + `, password_file: mss}]
`
}

func (w *world) load(text string) *config.Config {
	w.t.Helper()
	w.write("brama.yaml", []byte(text))
	c, err := config.Load(filepath.Join(w.dir, "brama.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) config(c *config.Config) systems.Config {
	return systems.Config{Settings: c, Engine: w.engine, Outbound: w.outbound, Secret: make([]byte, 32), Store: memstore.New(memstore.Config{})}
}

// setUp makes the branch and the offer, and returns the settings with them.
func (w *world) setUp() *config.Config {
	w.t.Helper()
	client, err := systems.DiiaClient(w.load(w.settings("", "")), w.outbound)
	if err != nil {
		w.t.Fatal(err)
	}
	made, err := client.Setup(w.t.Context(), diia.Plan{Offer: "Вхід", ReturnLink: issuer + "/", Branch: diia.Branch{Name: "Brama", FullName: "Brama",
		Address: "Київ", Email: "a@example.org", Region: "м. Київ", District: "Київ", Location: "Київ", Street: "Тестова", House: "1"}})
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.load(w.settings(made.BranchID, made.OfferID))
	c.Connectors.Diia.LinkOrigins = []string{w.ports["links"]} // the application of the double opens links of the double
	return c
}

func login(t testing.TB, method string) connectors.Login {
	l := connectortest.Login(t, method)
	l.ReturnURL = provider.ReturnURL(issuer, method)
	return l
}

// away goes to the page of a system as a browser does, presses its button, and returns the event of the way back.
func (w *world) away(to string, choices url.Values) connectors.Event {
	w.t.Helper()
	u, err := url.Parse(to)
	if err != nil || u.Hostname() != host {
		w.t.Fatalf("the browser is sent to %s", to)
	}
	res, err := w.browser.Get(to)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("the page of the system: %v, %v", res, err)
	}
	res.Body.Close()
	for _, name := range []string{"state", "redirect_uri", "dataset"} {
		choices.Set(name, u.Query().Get(name))
	}
	if res, err = w.browser.PostForm("https://"+u.Host+"/choose", choices); err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	back, err := res.Location()
	if err != nil || !strings.HasPrefix(back.String(), issuer+"/return/") {
		w.t.Fatalf("the form answers %d: %v", res.StatusCode, err)
	}
	return connectors.Event{Via: connectors.ViaReturn, Values: back.Query()}
}

func state(t testing.TB, step connectors.Step, err error) []byte {
	t.Helper()
	switch s := step.(type) {
	case connectors.Wait:
		return s.Page.State
	case connectors.Redirect:
		return s.State
	}
	t.Fatalf("%T, %v", step, err)
	return nil
}

// TestSignIn: what stands in a configuration file signs people in over TLS, by every method.
func TestSignIn(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	methods, err := systems.New(w.config(w.setUp()))
	if err != nil {
		t.Fatal(err)
	}
	if len(methods) != 5 {
		t.Fatalf("the methods are %v", methods)
	}
	form := func(pairs ...string) connectors.Event {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return connectors.Event{Via: connectors.ViaForm, Values: v}
	}
	ways := map[string]func(c connectors.Connector, l *connectors.Login) connectors.Event{
		idgov.Method: func(c connectors.Connector, l *connectors.Login) connectors.Event {
			step, err := c.Begin(t.Context(), *l)
			l.State = state(t, step, err)
			return w.away(step.(connectors.Redirect).URL, url.Values{"means": {idgov.DigSign}})
		},
		bankid.Method: func(c connectors.Connector, l *connectors.Login) connectors.Event {
			step, err := c.Begin(t.Context(), *l)
			l.State = state(t, step, err)
			return w.away(step.(connectors.Redirect).URL, url.Values{"bank": {"kalyna"}})
		},
		cloud.Method: func(c connectors.Connector, l *connectors.Login) connectors.Event {
			step, err := c.Advance(t.Context(), *l, form("provider", "phone", "identifier", number))
			l.State = state(t, step, err)
			if err := w.cloud.Decide(w.cloud.Pending()[0].ID, cloudtest.Approve); err != nil {
				t.Fatal(err)
			}
			return connectors.Event{Via: connectors.ViaPoll}
		},
		mobileid.Method: func(c connectors.Connector, l *connectors.Login) connectors.Event {
			step, err := c.Advance(t.Context(), *l, form("number", number))
			l.State = state(t, step, err)
			return connectors.Event{}
		},
		diia.Method: func(c connectors.Connector, l *connectors.Login) connectors.Event {
			step, err := c.Advance(t.Context(), *l, form("action", diia.ActionRequest))
			l.State = state(t, step, err)
			return connectors.Event{}
		},
	}
	for method, way := range ways {
		t.Run(method, func(t *testing.T) {
			l := login(t, method)
			ev := way(methods[method], &l)
			if ev.Via == 0 {
				return // the telephone is asked; what it answers is the connector's own test
			}
			step, err := methods[method].Advance(t.Context(), l, ev)
			done, ok := step.(connectors.Done)
			if err != nil || !ok || done.Identity.FamilyName == "" {
				t.Errorf("%T, %v", step, err)
			}
		})
	}
	if n := len(w.mobileid.Pending()); n != 1 {
		t.Errorf("MobileID was asked for %d signatures", n)
	}
}

// TestNewRefuses: what is wrong with a file that a setting names stops the start, in words that name the setting and nothing
// of what was read.
func TestNewRefuses(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	good := w.settings("branch1", "offer1")
	other := w.issue(qestest.Request{Kind: qestest.Encryption, Organization: "Інший", EDRPOU: "87654321"})
	w.write("other.cer", other.Certificate.Raw)
	person := w.issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691"})
	w.write("person.cer", person.Certificate.Raw)
	w.write("wrong", []byte("another-password"))
	w.write("open", []byte(secret))
	if err := os.Chmod(filepath.Join(w.dir, "open"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := systems.New(w.config(w.load(good))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"no secret", "client_secret_file: client", "client_secret_file: nothing", "connectors.idgov.client_secret_file"},
		{"secret for everyone", "client_secret_file: client", "client_secret_file: open", "everyone on this machine"},
		{"no variable", "BANKID_SECRET_OF_THE_TEST", "NOTHING_OF_THE_KIND", "connectors.bankid.client_secret_env"},
		{"wrong password", "password_file: password", "password_file: wrong", "connectors.idgov.keys[0].container"},
		{"no container", "container: key.dat", "container: nothing", "connectors.idgov.keys[0].container"},
		{"certificate of another key", "certificate: key.cer", "certificate: other.cer", "has no key of the certificate"},
		{"certificate for signatures", "certificate: key.cer", "certificate: person.cer", "no certificate for key agreement"},
		{"key in a token", "{container: key.dat, password_file: password, ", "{pkcs11: {module: /m.so, token: t, pin_file: p, key: k}, ", "connectors.idgov.keys[0].pkcs11"},
		{"signer that is not there", "client_secret_file: client\n", "client_secret_file: client\n    signers: [nothing]\n", "connectors.idgov.signers[0]"},
		{"signer that is none", "client_secret_file: client\n", "client_secret_file: client\n    signers: [secret]\n", "connectors.idgov.signers[0]"},
		{"not set up", `branch: "branch1", offer: "offer1"`, "", "brama diia setup"},
		{"cloud", "client_secret_file: cloud", "client_secret_file: nothing", "connectors.cloud.providers[0].client_secret_file"},
		{"MobileID", "password_file: mss", "password_file: nothing", "connectors.mobileid.operators[0].password_file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(good, test.old, test.new, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			methods, err := systems.New(w.config(w.load(text)))
			if err == nil || methods != nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, %v, want something of %q", methods, err, test.want)
			}
			for _, s := range []string{secret, password, "another-password", cloudtest.ClientSecret, mobileidtest.Password} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("the error tells a secret: %v", err)
				}
			}
		})
	}
}

// TestOutbound: the client of the server reaches neither this computer nor private networks that are not named, and no
// system whose certificate it has no root for (threats T86, T92).
func TestOutbound(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	c := w.load(w.settings("branch1", "offer1"))
	ask := func(client *fetch.Client, to string) error {
		_, err := client.Do(t.Context(), fetch.Request{URL: to})
		return err
	}
	own, err := systems.Outbound(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"https://127.0.0.1:" + w.ports["idgov"], "https://localhost:" + w.ports["idgov"], "https://10.1.2.3/"} {
		if err := ask(own, to); !errors.Is(err, fetch.ErrAddress) {
			t.Errorf("%s: %v", to, err)
		}
	}
	c.Connectors.CAFile = "key.cer"
	if _, err := systems.Outbound(c); err == nil || !strings.Contains(err.Error(), "connectors.ca_file") {
		t.Errorf("roots that are none: %v", err)
	}
	c.Connectors.CAFile = "roots.pem"
	if _, err := systems.Outbound(c); err != nil {
		t.Error(err)
	}
}

// TestLevels: the policy of the configuration decides in every method.
func TestLevels(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	cfg := w.config(w.load(w.settings("branch1", "offer1")))
	for text, want := range map[string]connectors.LoA{
		levels.Text(): connectors.High,
		"brama-levels-v1\ntoken device high ours\n": connectors.Low,
	} {
		var err error
		if cfg.Levels, err = levels.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		methods, err := systems.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{diia.Method, cloud.Method, mobileid.Method} {
			if got := methods[method].(interface{ MaxLoA() connectors.LoA }).MaxLoA(); got != want {
				t.Errorf("%s: at most %s, want %s", method, got, want)
			}
		}
	}
}

// TestDiiaAuth: in the scope auth the id of a request does not name its login, and the store does, also for another server
// that has the same store.
func TestDiiaAuth(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	store := memstore.New(memstore.Config{})
	index := systems.Index{Store: store, System: diia.Method}
	if err := index.Put(t.Context(), "id/+=", "login1", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if login, err := (systems.Index{Store: store, System: diia.Method}).Get(t.Context(), "id/+="); err != nil || login != "login1" {
		t.Errorf("%q, %v", login, err)
	}
	if login, err := index.Get(t.Context(), "another"); err == nil || login != "" {
		t.Errorf("%q, %v", login, err)
	}
	cfg := w.config(w.load(strings.Replace(w.settings("branch1", "offer1"), `branch: "branch1"`, `scope: auth, branch: "branch1"`, 1)))
	if _, err := systems.New(cfg); err != nil {
		t.Error(err)
	}
	cfg.Store = nil
	if _, err := systems.New(cfg); err == nil || !strings.Contains(err.Error(), "needs a store") {
		t.Errorf("without a store: %v", err)
	}
}
