//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
)

// adminDir is a folder that only the administrator of the tests can write to.
func adminDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRemoved: a token that is pulled out in the middle is asked for again, and the login goes on.
func TestRemoved(t *testing.T) {
	w := newWorld(t)
	token := pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", pin, 5)
	put(token, w.issue(olena()), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	ask := a.Window("pin")
	token.Remove()
	a.Type(ask, pin)
	removed := a.Window("confirm")
	if !strings.Contains(removed.Text(), "від'єднано") {
		t.Errorf("removed:\n%s", removed.Text())
	}
	a.Press(removed) // too early: it is still not there
	absent := a.Window("confirm")
	if !strings.Contains(absent.Text(), "Під'єднайте носій") {
		t.Errorf("absent:\n%s", absent.Text())
	}
	token.Insert()
	a.Press(absent)
	a.Type(a.Window("pin"), pin)
	w.signedBy(<-reply, challenge, olenaName)

	reply = a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	ask = a.Window("pin")
	token.Remove()
	a.Type(ask, pin)
	a.Refuse(a.Window("confirm"))
	if r := <-reply; r.Code != "TOKEN_REMOVED" {
		t.Errorf("given up: %s", r.Body)
	}
	reply = a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Refuse(a.Window("confirm"))
	if r := <-reply; r.Code != "TOKEN_ABSENT" {
		t.Errorf("none there: %s", r.Body)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestModuleFails: a module that crashes or lies takes down its child only; the page hears which module it was, and the
// agent goes on.
func TestModuleFails(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "Токен А", "UA00004821", pin, 5)
	put(token, w.issue(olena()), true)
	module := pkcs11dstu.Build(t, adminDir(t))
	for _, c := range []struct{ what, function string }{
		{"crash", "C_Login"}, {"crash", "C_Sign"}, {"garbage", "C_Sign"}, {"fail", "C_SignInit"},
	} {
		t.Run(c.what+" "+c.function, func(t *testing.T) {
			a := start(t, module)
			reply := a.Login(t.Context(), site, text(t))
			a.Press(a.Window("confirm"))
			ask := a.Window("pin")
			tokens.Fault(c.what, c.function)
			a.Type(ask, pin)
			if r := <-reply; r.Code != "TOKEN_FAULT" || r.Values["module"] != filepath.Base(module) || r.Signature != nil {
				t.Errorf("the agent says %d %s", r.Status, r.Body)
			}
			tokens.Fault("", "")
			challenge := text(t)
			reply = a.Login(t.Context(), site, challenge)
			a.Press(a.Window("confirm"))
			a.Type(a.Window("pin"), pin)
			w.signedBy(<-reply, challenge, olenaName)
		})
	}
}

// TestModuleFailsAtStart: beside a module that crashes at once the others work; alone, the person is told.
func TestModuleFailsAtStart(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	put(tokens.Add(0, "Токен А", "UA00004821", pin, 5), w.issue(olena()), true)
	module := pkcs11dstu.Build(t, adminDir(t))
	text1 := filepath.Join(adminDir(t), "broken.so")
	if err := os.WriteFile(text1, []byte("no machine code"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := start(t, text1, module)
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), pin)
	w.signedBy(<-reply, challenge, olenaName)

	tokens.Fault("crash", "C_Initialize")
	reply = a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	failed := a.Window("confirm")
	if !strings.Contains(failed.Text(), filepath.Base(module)) {
		t.Errorf("the window does not name the module:\n%s", failed.Text())
	}
	a.Refuse(failed)
	if r := <-reply; r.Code != "TOKEN_FAULT" {
		t.Errorf("the agent says %s", r.Body)
	}
}

// TestPageGoes: the window of a page that has gone closes, its module too, and the next page is served.
func TestPageGoes(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	put(tokens.Add(0, "Токен А", "UA00004821", pin, 5), w.issue(olena()), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	ctx, leave := contextWithCancel(t)
	a.Login(ctx, site, text(t))
	a.Press(a.Window("confirm"))
	a.Window("pin")
	leave()
	deadline := time.Now().Add(10 * time.Second)
	for len(childrenOf(t, a.PID())) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", childrenOf(t, a.PID()))
		}
		time.Sleep(20 * time.Millisecond)
	}
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), pin)
	w.signedBy(<-reply, challenge, olenaName)
}

// TestPINEverySignature: a key that wants the PIN for each signature gets a window for it, with a reason.
func TestPINEverySignature(t *testing.T) {
	w := newWorld(t)
	token := pkcs11dstu.New(t).Add(0, "ID-картка", "UA00004821", pin, 3)
	token.AlwaysAuthenticate(put(token, w.issue(olena()), true))
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), pin)
	again := a.Window("pin")
	if !strings.Contains(again.Text(), "ще раз") {
		t.Errorf("again:\n%s", again.Text())
	}
	a.Type(again, pin)
	w.signedBy(<-reply, challenge, olenaName)
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "login again", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestPINPad: a reader with a keypad is given no PIN by us, and no window asks for one.
func TestPINPad(t *testing.T) {
	w := newWorld(t)
	token := pkcs11dstu.New(t).Add(0, "Картка", "UA00004821", pin, 3)
	put(token, w.issue(olena()), true)
	token.PINPad(pin)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Press(a.Window("confirm"))
	w.signedBy(<-reply, challenge, olenaName)
}

// TestModulePath: a module, a dialog program or a configuration that somebody else can change is not taken (T61).
func TestModulePath(t *testing.T) {
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	put(tokens.Add(0, "Токен А", "UA00004821", pin, 5), w.issue(olena()), true)
	module := pkcs11dstu.Build(t, adminDir(t))
	if err := os.Chmod(module, 0o777); err != nil {
		t.Fatal(err)
	}
	a := start(t, module)
	reply := a.Login(t.Context(), site, text(t))
	a.Press(a.Window("confirm"))
	a.Refuse(a.Window("confirm"))
	if r := <-reply; r.Code != "TOKEN_ABSENT" || !strings.Contains(a.Log(), "module refused") {
		t.Errorf("the agent says %s\n%s", r.Body, a.Log())
	}
	a.Stop()

	config := filepath.Join(adminDir(t), "agent.yaml")
	if err := os.WriteFile(config, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(config, 0o666); err != nil {
		t.Fatal(err)
	}
	b := agenttest.New(t, agenttest.Options{Origins: []string{site}, Config: config})
	if log := b.Wait(); !strings.Contains(log, "no administrator can change it") {
		t.Errorf("a configuration that everybody can write:\n%s", log)
	}
}
