//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"brama/internal/qes/keystore"
	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
	"brama/internal/tools/softhsm"
)

func TestMain(m *testing.M) { agenttest.Main(m, shared.end) }

const (
	tokenPIN = "9048151623"
	phrase   = "сірий кіт на даху"
)

// freePort is where an agent can listen.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// tokenKey returns a key of brama dev for a token: PKCS#8 and the certificate.
func (d *dev) tokenKey(t *testing.T, name string) (pkcs8, certificate []byte) {
	t.Helper()
	var err error
	if pkcs8, err = os.ReadFile(filepath.Join(d.KeysDir, "token", name+".p8")); err == nil {
		certificate, err = os.ReadFile(filepath.Join(d.KeysDir, "token", name+".cer"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return pkcs8, certificate
}

// put gives a token of ours the DSTU key of brama dev.
func (d *dev) put(t *testing.T, token *pkcs11dstu.Token) {
	t.Helper()
	pkcs8, certificate := d.tokenKey(t, "dstu")
	opened, err := keystore.Open(keystore.NewStdPrimitives(), pkcs8, nil)
	if err != nil || len(opened.Keys) != 1 {
		t.Fatalf("the key for the token: %v", err)
	}
	key := opened.Keys[0].DSTU
	token.AddKey(key.Bytes(), key.PublicKey().Bytes(), certificate)
}

// folder is one that only the administrator of the tests can write to.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *dev) origin(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(d.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

// agent starts the agent where the pages of d look for it.
func (d *dev) agent(t *testing.T, port int, modules ...string) *agenttest.Agent {
	t.Helper()
	return agenttest.Start(t, agenttest.Options{Origins: []string{d.origin(t)}, Modules: modules, Port: port, Phrase: phrase})
}

// setAgentPermission answers for the person what Chromium asks before a page may call a program on this computer.
func (b *browser) setAgentPermission(d *dev, setting cdpbrowser.PermissionSetting) {
	b.t.Helper()
	b.must(chromedp.Call(b.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "loopback-network"}, Setting: setting, Origin: d.origin(b.t)}))
}

// enterToken goes to S3.
func (b *browser) enterToken(d *dev, lang string) {
	b.t.Helper()
	b.open(d.Portal + "/?lang=" + lang)
	b.do("pressing the portal's entry", chromedp.Click(chromedp.CSS("#login"), chromedp.NodeVisible))
	b.do("opening S3", chromedp.Click(chromedp.CSS("#tab-token"), chromedp.NodeVisible))
	b.see("#token")
}

// readToken presses «Зчитати».
func (b *browser) readToken() {
	b.t.Helper()
	b.do("pressing «Зчитати»", chromedp.WaitEnabled(chromedp.CSS("#read")), chromedp.Click(chromedp.CSS("#read"), chromedp.NodeVisible))
}

// problem waits for a message and compares its text with the locale.
func (b *browser) problem(lang, code string) {
	b.t.Helper()
	b.see("#problem[data-code=" + code + "]")
	text, next := message(b.t, lang, code)
	fixed, _, _ := strings.Cut(text, "{")
	if got := b.text("#problem"); !strings.Contains(got, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(fixed), "("))) && !strings.Contains(got, next) || strings.Contains(got, "{") {
		b.t.Errorf("%s: the page says %q", code, got)
	}
	b.shot(code)
}

// TestToken walks the portal, «Захищений носій», «Зчитати», the window of the agent with its PIN, the data and «Увійти»,
// with DSTU 4145 on a module made for tests and with ECDSA and RSA on SoftHSM 2. High is only what the certificate says to
// be in a qualified device. The PIN stays between the window and the token.
func TestToken(t *testing.T) {
	port := freePort(t)
	d := startDev(t, "--agent-port", strconv.Itoa(port))
	for _, c := range []struct {
		name, lang, person, acr string
		onToken                 bool
		setUp                   func(t *testing.T) string
	}{
		{"dstu", "uk", "Карткова Леся Юріївна", "high", true, func(t *testing.T) string {
			d.put(t, pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", tokenPIN, 5))
			return pkcs11dstu.Build(t, folder(t))
		}},
		{"rsa", "en", "Чиповий Назар Богданович", "high", true, func(t *testing.T) string {
			key, certificate := d.tokenKey(t, "rsa")
			softhsm.New(t).Add("Токен Б", tokenPIN).AddKey(key, certificate)
			return softhsm.Module
		}},
		{"ecdsa", "uk", "Ключник Дарина Назарівна", "substantial", false, func(t *testing.T) string {
			key, _ := d.tokenKey(t, "ecdsa")
			softhsm.New(t).Add("Токен В", tokenPIN).AddKey(key, nil) // the certificate is found by the issuer's search
			return softhsm.Module
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.agent(t, port, c.setUp(t))
			b := newBrowser(t, browserOptions{})
			if c.lang == "en" {
				b.setAgentPermission(d, cdpbrowser.PermissionSettingGranted)
			}
			b.enterToken(d, c.lang)
			if c.lang == "en" {
				b.see("#state[data-state=found]") // by itself, since the browser need not ask
			} else {
				b.see("#permission") // what the browser will ask is told before it asks
			}
			b.readToken()
			consent := a.Window("confirm")
			for _, want := range []string{phrase, d.Issuer} {
				if !strings.Contains(consent.Text(), want) {
					t.Errorf("the window does not say %q:\n%s", want, consent.Text())
				}
			}
			b.shot("waiting")
			a.Press(consent)
			a.Type(a.Window("pin"), tokenPIN)
			if !c.onToken {
				found := a.Window("confirm")
				if !strings.Contains(found.Text(), c.person) {
					t.Errorf("the window does not name the person:\n%s", found.Text())
				}
				a.Press(found)
			}
			b.confirm(c.lang)
			if got := b.claim("name"); got != c.person {
				t.Errorf("the portal shows %q, want %q", got, c.person)
			}
			if got := b.claim("acr"); got != c.acr {
				t.Errorf("acr is %q, want %q", got, c.acr)
			}
			b.noReports()
			b.wire.assertSilent(t, map[string][]byte{"the PIN": []byte(tokenPIN), "the phrase": []byte(phrase)})
			if log := a.Log() + d.log.String(); strings.Contains(log, tokenPIN) || strings.Contains(log, c.person) || strings.Contains(log, "4821") {
				t.Errorf("a log holds the PIN, the person or the token:\n%s", log)
			}
			a.Stop()
		})
	}
}

// TestTokenChoice: a token of one module and a token of another, with three certificates: the person chooses in the window
// of the agent, and is who signs in.
func TestTokenChoice(t *testing.T) {
	port := freePort(t)
	d := startDev(t, "--agent-port", strconv.Itoa(port))
	d.put(t, pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", tokenPIN, 5))
	other := softhsm.New(t).Add("Токен Б", tokenPIN)
	for _, name := range []string{"rsa", "ecdsa"} {
		key, certificate := d.tokenKey(t, name)
		other.AddKey(key, certificate)
	}
	a := d.agent(t, port, pkcs11dstu.Build(t, folder(t)), softhsm.Module)
	defer a.Stop()
	b := newBrowser(t, browserOptions{})
	for _, c := range []struct{ pick, person, acr string }{{"Ключник", "Ключник Дарина Назарівна", "substantial"}, {"Карткова", "Карткова Леся Юріївна", "high"}} {
		b.enterToken(d, "uk")
		b.readToken()
		a.Press(a.Window("confirm"))
		choose := a.Window("choose")
		if len(choose.Choices) != 3 {
			t.Errorf("offered:\n%s", choose.Text())
		}
		a.Pick(choose, c.pick)
		a.Type(a.Window("pin"), tokenPIN)
		b.confirm("uk")
		if b.claim("name") != c.person || b.claim("acr") != c.acr {
			t.Errorf("the portal knows %q at level %q", b.claim("name"), b.claim("acr"))
		}
		b.must(chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{})) // nobody has signed in here before
	}
	b.noReports()
}

// TestTokenTroubles: each trouble with a token has its message on the page, which stays as it was, and none is tried again
// by itself.
func TestTokenTroubles(t *testing.T) {
	port := freePort(t)
	d := startDev(t, "--agent-port", strconv.Itoa(port))
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "Токен А", "UA00004821", tokenPIN, 3)
	d.put(t, token)
	module := pkcs11dstu.Build(t, folder(t))
	b := newBrowser(t, browserOptions{direct: "127.0.0.1:" + strconv.Itoa(port)})
	// Each walk has an agent of its own: one opens three windows a minute.
	walk := func(name string, f func(t *testing.T, a *agenttest.Agent)) {
		t.Run(name, func(t *testing.T) {
			a := d.agent(t, port, module)
			defer a.Stop()
			b.enterToken(d, "uk")
			b.readToken()
			f(t, a)
		})
	}
	walk("refused", func(t *testing.T, a *agenttest.Agent) {
		a.Refuse(a.Window("confirm"))
		b.problem("uk", "AGENT_CANCELLED")
	})
	walk("cancelled on the page", func(t *testing.T, a *agenttest.Agent) {
		a.Window("confirm")
		b.do("cancelling", chromedp.Click(chromedp.CSS("#cancel"), chromedp.NodeVisible))
		b.problem("uk", "AGENT_CANCELLED")
		b.readToken() // the window has closed, so that another opens
		a.Refuse(a.Window("confirm"))
	})
	walk("removed", func(t *testing.T, a *agenttest.Agent) {
		a.Press(a.Window("confirm"))
		ask := a.Window("pin")
		token.Remove()
		a.Type(ask, tokenPIN)
		a.Refuse(a.Window("confirm"))
		b.problem("uk", "TOKEN_REMOVED")
		b.readToken()
		a.Press(a.Window("confirm"))
		a.Refuse(a.Window("confirm"))
		b.problem("uk", "TOKEN_ABSENT")
		token.Insert()
	})
	fault := func(t *testing.T) {
		t.Helper()
		b.see("#problem[data-code=TOKEN_FAULT]")
		if got := b.text("#problem"); !strings.Contains(got, filepath.Base(module)) {
			t.Errorf("the page does not name the module: %q", got)
		}
		tokens.Fault("", "")
	}
	for _, what := range []string{"crash", "garbage"} {
		walk("module: "+what, func(t *testing.T, a *agenttest.Agent) {
			a.Press(a.Window("confirm"))
			ask := a.Window("pin")
			tokens.Fault(what, "C_Sign")
			a.Type(ask, tokenPIN)
			fault(t)
			b.readToken() // the same agent goes on
			a.Press(a.Window("confirm"))
			a.Refuse(a.Window("pin"))
			b.problem("uk", "AGENT_CANCELLED")
		})
	}
	walk("module: hang", func(t *testing.T, a *agenttest.Agent) {
		tokens.Fault("hang", "C_GetTokenInfo") // where the agent waits least
		a.Press(a.Window("confirm"))
		a.Refuse(a.Window("confirm"))
		fault(t)
	})
	walk("wrong PIN, to the lock", func(t *testing.T, a *agenttest.Agent) {
		a.Press(a.Window("confirm"))
		a.Type(a.Window("pin"), "1")
		a.Type(a.Window("pin"), "2")
		a.Refuse(a.Window("confirm")) // one attempt is left
		b.see("#problem[data-code=PIN_WRONG]")
		if got := b.text("#problem"); !strings.Contains(got, "Залишилося спроб: 1.") {
			t.Errorf("the page says %q", got)
		}
		b.readToken()
		a.Press(a.Window("confirm"))
		a.Press(a.Window("confirm"))
		a.Type(a.Window("pin"), "3")
		a.Press(a.Window("notice"))
		b.problem("uk", "PIN_LOCKED")
		var wrong int
		for _, call := range token.Calls() {
			if call == "login wrong" {
				wrong++
			}
		}
		if wrong != 3 || token.Left() != 0 {
			t.Errorf("%d wrong logins, %d attempts left; 3 PINs were typed", wrong, token.Left())
		}
	})
	b.noReports()
}

// TestAgentStates: the page tells an agent that is missing, too old, does not know this site, or is out of the browser's
// reach, and finds it later without a reload.
func TestAgentStates(t *testing.T) {
	port := freePort(t)
	address := "127.0.0.1:" + strconv.Itoa(port)
	d := startDev(t, "--agent-port", strconv.Itoa(port))

	for _, lang := range []string{"uk", "en"} {
		t.Run("missing/"+lang, func(t *testing.T) {
			b := newBrowser(t, browserOptions{direct: address})
			b.setAgentPermission(d, cdpbrowser.PermissionSettingGranted)
			b.enterToken(d, lang)
			b.problem(lang, "AGENT_MISSING")
			b.see("#install")
			a := d.agent(t, port)
			defer a.Stop()
			b.do("checking again", chromedp.Click(chromedp.CSS("#probe"), chromedp.NodeVisible))
			b.see(`#state[data-state=found]`)
			if got := b.text("#state"); !strings.Contains(got, "1.0.0") {
				t.Errorf("the page says %q", got)
			}
			if get(b, "looking for the message", chromedp.Evaluate[bool](`!!document.querySelector("#problem")`)) {
				t.Error("the message stays though the agent is there")
			}
		})
	}
	t.Run("other site", func(t *testing.T) {
		a := agenttest.Start(t, agenttest.Options{Origins: []string{"https://id.example.gov.ua"}, Port: port})
		defer a.Stop()
		b := newBrowser(t, browserOptions{direct: address})
		b.setAgentPermission(d, cdpbrowser.PermissionSettingGranted)
		b.enterToken(d, "uk")
		b.problem("uk", "AGENT_SITE")
	})
	t.Run("too old", func(t *testing.T) {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		old := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			fmt.Fprint(w, `{"version":"0.1.0","protocol":0}`)
		})}
		go old.Serve(l)
		defer old.Close()
		b := newBrowser(t, browserOptions{direct: address})
		b.setAgentPermission(d, cdpbrowser.PermissionSettingGranted)
		b.enterToken(d, "uk")
		b.problem("uk", "AGENT_OLD")
		if got := b.text("#problem"); !strings.Contains(got, "0.1.0") {
			t.Errorf("the page says %q", got)
		}
	})
	t.Run("hangs", func(t *testing.T) {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // it takes connections and says nothing: the probe has a limit
		b := newBrowser(t, browserOptions{direct: address})
		b.setAgentPermission(d, cdpbrowser.PermissionSettingGranted)
		b.enterToken(d, "uk")
		b.problem("uk", "AGENT_MISSING")
	})
	t.Run("phone", func(t *testing.T) {
		b := newBrowser(t, browserOptions{direct: address, width: 390,
			agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"})
		b.enterToken(d, "uk")
		b.problem("uk", "AGENT_MOBILE")
	})
	for _, c := range []struct {
		setting cdpbrowser.PermissionSetting
		want    string
	}{{cdpbrowser.PermissionSettingDenied, "#problem[data-code=AGENT_PERMISSION]"}, {cdpbrowser.PermissionSettingPrompt, "#permission"}} {
		t.Run("permission "+string(c.setting), func(t *testing.T) {
			a := d.agent(t, port)
			defer a.Stop()
			b := newBrowser(t, browserOptions{direct: address})
			b.setAgentPermission(d, c.setting)
			b.enterToken(d, "uk")
			b.see(c.want)
			b.shot("seen")
		})
	}
	t.Run("without scripts", func(t *testing.T) {
		b := newBrowser(t, browserOptions{noScript: true})
		b.enterToken(d, "uk")
		if got := b.text("noscript .note"); !strings.Contains(got, "у своїй програмі") {
			t.Errorf("the page says %q", got)
		}
		b.see("#to-upload")
	})
}
