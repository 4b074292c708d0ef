//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"brama/internal/qes/qestest"
	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
	"brama/internal/tools/softhsm"
)

const olenaName = "Тестенко Олена Петрівна"

// TestFirstLogin: after the installation the person chooses a phrase, which every window shows from then on (T59), and is
// told that the site is new, once (T57).
func TestFirstLogin(t *testing.T) {
	w := newWorld(t)
	token := pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", pin, 5)
	put(token, w.issue(olena()), true)
	a := agenttest.Start(t, agenttest.Options{Origins: []string{site}, Modules: []string{pkcs11dstu.Build(t, adminDir(t))}})
	challenge := text(t)
	for round := range 2 {
		reply := a.Login(t.Context(), site, challenge)
		if round == 0 {
			a.Type(a.Window("text"), "ой")
			a.Type(a.Window("text"), phrase)
		}
		consent := a.Window("confirm")
		for _, want := range []string{phrase, site, "cabinet.example.gov.ua", "лише вхід"} {
			if !strings.Contains(consent.Text(), want) {
				t.Errorf("the window does not say %q:\n%s", want, consent.Text())
			}
		}
		if first := strings.Contains(consent.Text(), "вперше"); first != (round == 0) {
			t.Errorf("round %d says that the site is new: %v", round, first)
		}
		a.Press(consent)
		ask := a.Window("pin")
		for _, want := range []string{phrase, "Токен А", site} {
			if !strings.Contains(ask.Text(), want) {
				t.Errorf("the window for the PIN does not say %q:\n%s", want, ask.Text())
			}
		}
		a.Type(ask, pin)
		w.signedBy(<-reply, challenge, olenaName)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "sign", "login right", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestSoftHSM: ECDSA and RSA keys of an implementation that is not ours, the certificate on the token or by search.
func TestSoftHSM(t *testing.T) {
	w := newWorld(t)
	for _, algorithm := range []qestest.Algorithm{qestest.P256, qestest.RSA2048} {
		for _, onToken := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", algorithm, onToken), func(t *testing.T) {
				store := softhsm.New(t)
				r := olena()
				r.Algorithm = algorithm
				issued := w.issue(r)
				pkcs8, err := issued.Key.PKCS8()
				if err != nil {
					t.Fatal(err)
				}
				certificate := issued.Certificate.Raw
				if !onToken {
					certificate = nil
				}
				store.Add("Токен Б", pin).AddKey(pkcs8, certificate)
				a := start(t, softhsm.Module)
				challenge := text(t)
				reply := a.Login(t.Context(), site, challenge)
				a.Press(a.Window("confirm"))
				a.Type(a.Window("pin"), pin)
				if onToken {
					w.signedBy(<-reply, challenge, olenaName)
					return
				}
				got := <-reply
				if want := []string{fmt.Sprintf("%x", issued.Key.ID())}; !slices.Equal(got.Search.KeyIDs, want) {
					t.Fatalf("the page is asked for %v, want %v (%s)", got.Search.KeyIDs, want, got.Body)
				}
				done := make(chan agenttest.Reply)
				go func() {
					done <- a.Call(t.Context(), site, "certificate", map[string]any{"search": got.Search.ID,
						"certificates": [][]byte{[]byte("nonsense"), w.issue(olena()).Certificate.Raw, issued.Certificate.Raw}})
				}()
				confirm := a.Window("confirm")
				if !strings.Contains(confirm.Text(), olenaName) {
					t.Errorf("the window does not name the person:\n%s", confirm.Text())
				}
				a.Press(confirm)
				w.signedBy(<-done, challenge, olenaName)
			})
		}
	}
}

// TestNothingBeforeConsent: until the person agrees in a window the page learns the version and nothing else, whatever is
// connected, and no module is even loaded (T62).
func TestNothingBeforeConsent(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	tokens.Fault("crash", "C_GetFunctionList") // whoever loads the module will know
	put(tokens.Add(0, "Токен А", "UA00004821", pin, 5), w.issue(olena()), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	if r := a.Call(t.Context(), site, "version", nil); r.Status != 200 || r.Body != `{"version":"1.0.0","protocol":1}` {
		t.Errorf("version: %d %s", r.Status, r.Body)
	}
	if n := a.Windows(); n != 0 {
		t.Errorf("%d windows for a version", n)
	}
	reply := a.Login(t.Context(), site, text(t))
	consent := a.Window("confirm")
	for _, secret := range []string{"Токен А", "4821", "Тестенко"} {
		if strings.Contains(consent.Text(), secret) {
			t.Errorf("the first window says %q", secret)
		}
	}
	if children := childrenOf(t, a.PID()); slices.ContainsFunc(children, func(c string) bool { return strings.Contains(c, "pkcs11-module") }) {
		t.Errorf("a module runs before the consent: %v", children)
	}
	a.Refuse(consent)
	if r := <-reply; r.Code != "AGENT_CANCELLED" || r.Body != `{"code":"AGENT_CANCELLED"}` {
		t.Errorf("refused: %d %s", r.Status, r.Body)
	}
	if strings.Contains(a.Log(), "module failed") {
		t.Error("the module was loaded")
	}
	if token := tokens.Dir(); strings.Contains(a.Log(), token) {
		t.Error("the log knows the tokens")
	}
}

// TestLoginCountOnToken: one C_Login for each PIN that was typed, none by itself, none without a confirmation where one
// attempt is left, none at all once the token is locked (T58).
func TestLoginCountOnToken(t *testing.T) {
	w := newWorld(t)
	token := pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", pin, 3)
	put(token, w.issue(olena()), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	calls := func(want ...string) {
		t.Helper()
		if got := token.Calls(); !slices.Equal(got, want) {
			t.Errorf("the token was asked %v, want %v", got, want)
		}
	}
	reply := a.Login(t.Context(), site, text(t))
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), "")
	if r := <-reply; r.Code != "AGENT_CANCELLED" {
		t.Errorf("an empty PIN: %s", r.Body)
	}
	calls()

	reply = a.Login(t.Context(), site, text(t))
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), "wrong")
	second := a.Window("pin")
	if !strings.Contains(second.Text(), "Неправильний PIN-код") || !strings.Contains(second.Text(), "мало спроб") {
		t.Errorf("after a wrong PIN:\n%s", second.Text())
	}
	calls("login wrong")
	a.Type(second, "wrong")
	final := a.Window("confirm")
	if !strings.Contains(final.Text(), "одна спроба") {
		t.Errorf("before the last attempt:\n%s", final.Text())
	}
	calls("login wrong", "login wrong")
	a.Refuse(final)
	if r := <-reply; r.Code != "PIN_WRONG" || r.Values["attempts"] != "last" {
		t.Errorf("left with one attempt: %s", r.Body)
	}
	calls("login wrong", "login wrong")

	reply = a.Login(t.Context(), site, text(t))
	a.Press(a.Window("confirm"))
	a.Press(a.Window("confirm")) // the last attempt is asked for before the PIN
	last := a.Window("pin")
	if !strings.Contains(last.Text(), "остання спроба") {
		t.Errorf("at the last attempt:\n%s", last.Text())
	}
	a.Type(last, "wrong")
	locked := a.Window("notice")
	if !strings.Contains(locked.Text(), "заблоковано") {
		t.Errorf("locked:\n%s", locked.Text())
	}
	a.Press(locked)
	if r := <-reply; r.Code != "PIN_LOCKED" {
		t.Errorf("locked: %s", r.Body)
	}
	calls("login wrong", "login wrong", "login wrong")

	b := start(t, pkcs11dstu.Build(t, adminDir(t))) // three windows a minute are spent
	reply = b.Login(t.Context(), site, text(t))
	b.Press(b.Window("confirm"))
	b.Press(b.Window("notice"))
	if r := <-reply; r.Code != "PIN_LOCKED" {
		t.Errorf("still locked: %s", r.Body)
	}
	calls("login wrong", "login wrong", "login wrong")
	if token.Left() != 0 {
		t.Errorf("%d attempts left", token.Left())
	}
}

// TestTwoTokensThreeCertificates: the person chooses among what can sign; what cannot is told with its reason.
func TestTwoTokensThreeCertificates(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	first, second := tokens.Add(0, "Токен А", "UA00004821", "1111", 5), tokens.Add(3, "Токен Б", "UA00007777", "2222", 5)
	put(first, w.issue(olena()), true)
	director := olena()
	director.Kind, director.Title, director.Organization, director.EDRPOU = qestest.Employee, "директор", "ТОВ «Тестовий приклад»", "10000108"
	put(first, w.issue(director), true)
	seal := qestest.Request{Kind: qestest.Seal, Organization: "ТОВ «Тестовий приклад»", EDRPOU: "10000108"}
	put(first, w.issue(seal), true)
	ostap := olena()
	ostap.FamilyName, ostap.GivenName, ostap.MiddleName = "Вербовий", "Остап", "Григорович"
	put(second, w.issue(ostap), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	for _, c := range []struct{ pick, pin, name string }{
		{"директор", "1111", olenaName}, {"Вербовий", "2222", "Вербовий Остап Григорович"},
	} {
		challenge := text(t)
		reply := a.Login(t.Context(), site, challenge)
		a.Press(a.Window("confirm"))
		choose := a.Window("choose")
		if len(choose.Choices) != 3 || !strings.Contains(choose.Text(), "електронна печатка") || !strings.Contains(choose.Text(), "серійний …4821") {
			t.Errorf("offered:\n%s", choose.Text())
		}
		a.Pick(choose, c.pick)
		a.Type(a.Window("pin"), c.pin)
		w.signedBy(<-reply, challenge, c.name)
	}
}

// TestUnusable: a certificate that cannot sign a person in is refused before any PIN.
func TestUnusable(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name    string
		request qestest.Request
		want    string
	}{
		{"seal", qestest.Request{Kind: qestest.Seal, Organization: "ТОВ «Тестовий приклад»", EDRPOU: "10000108"}, "CERT_SEAL"},
		{"encryption", qestest.Request{Kind: qestest.Encryption, FamilyName: "Тестенко", GivenName: "Олена", RNOKPP: "1234567899"}, "CERT_USAGE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", pin, 5)
			put(token, w.issue(c.request), true)
			a := start(t, pkcs11dstu.Build(t, adminDir(t)))
			reply := a.Login(t.Context(), site, text(t))
			a.Press(a.Window("confirm"))
			if r := <-reply; r.Code != c.want {
				t.Errorf("the agent says %s, want %s", r.Body, c.want)
			}
			if calls := token.Calls(); calls != nil {
				t.Errorf("the token was asked %v", calls)
			}
		})
	}
}
