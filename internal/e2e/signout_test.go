package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestContinueAndSignOut walks S9 and the sign-out by plain forms, as a browser without scripts does: at the portal, and at
// the provider, of whose end the portal hears.
func TestContinueAndSignOut(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	w := newWalker(t, "")
	enter := func() {
		t.Helper()
		w.get(d.Portal + "/login?idp_hint=demo")
		w.press(`id="demo-valid"`, "person", "valid")
		w.press(`id="confirm"`)
		if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") {
			t.Fatalf("ended at %s (%d): %s", w.at, w.status, w.problem())
		}
	}
	enter()
	w.get(d.Portal + "/login")
	if !strings.HasSuffix(w.at.Path, "/continue") || !strings.Contains(w.body, "Продовжити вхід") {
		t.Fatalf("a second sign-in is at %s: %s", w.at, w.problem())
	}
	w.press(`id="confirm"`)
	if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") {
		t.Fatalf("continued to %s (%d): %s", w.at, w.status, w.problem())
	}
	w.get(d.Portal + "/login?prompt=none")
	if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") {
		t.Errorf("silently to %s", w.at)
	}
	w.get(d.Portal + "/login?idp_hint=demo")
	w.press(`id="other"`)
	if !strings.HasSuffix(w.at.Path, "/demo") {
		t.Errorf("another person is at %s", w.at)
	}

	w.get(d.Portal + "/profile")
	w.press(`id="logout"`)
	if !strings.HasPrefix(w.at.String(), d.Portal+"/signed-out") {
		t.Fatalf("signed out to %s (%d): %s", w.at, w.status, w.problem())
	}
	w.get(d.Portal + "/login?prompt=none")
	if !strings.Contains(w.body, "login_required") {
		t.Errorf("after the sign-out: %s", w.at)
	}

	enter()
	w.get(d.Issuer + "/logout")
	if !strings.Contains(w.body, "Електронний кабінет") {
		t.Errorf("the page names no portal: %s", w.body)
	}
	w.press(`id="end"`, "end", "all")
	if !strings.Contains(w.body, `id="signed-out"`) {
		t.Fatalf("at %s (%d): %s", w.at, w.status, w.problem())
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if w.get(d.Portal + "/profile"); w.at.Path == "/" && w.status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the portal does not hear that the session is over")
		}
	}
}

// TestSignOutAccessible runs axe over S9, S13 and what follows, in both languages, light and dark, and walks them by keyboard.
func TestSignOutAccessible(t *testing.T) {
	t.Parallel()
	asks := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(asks, []byte(`{"client_id":"noticed","client_secret":"a secret of a client that asks","client_name":"Портал із вибором",
		"client_uri":"http://127.0.0.1:9","redirect_uris":["http://127.0.0.1:9/cb"],"scope":"openid profile ua.person","consent":"first",
		"notice_version":"2026-09-01","purpose":{"uk":"облік платників","en":"taxpayer records"},"claims":["rnokpp","unzr","birthdate"],"required_claims":["rnokpp"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, "--client", asks)
	for i, lang := range []string{"uk", "en"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, browserOptions{dark: i == 1})
			login := d.Portal + "/login?idp_hint=demo&lang=" + lang
			b.open(authorizeNoticed(d, "idp_hint", "demo", "ui_locales", lang, "scope", "openid profile ua.person"))
			b.do("the demo person", chromedp.Click(chromedp.CSS("#demo-valid"), chromedp.NodeVisible))
			b.see("#optional")
			b.do("waiting for the button", chromedp.WaitEnabled(chromedp.CSS("#confirm")))
			b.axe("S8 with a choice")
			b.shot("s8")
			b.tabTo("give-birthdate")
			b.tabTo("consent")
			b.open(login)
			b.do("the demo person", chromedp.Click(chromedp.CSS("#demo-valid-official"), chromedp.NodeVisible))
			b.do("entering", chromedp.WaitEnabled(chromedp.CSS("#confirm")), chromedp.Click(chromedp.CSS("#confirm"), chromedp.NodeVisible))
			b.see("#profile")
			b.open(login)
			b.see("#session")
			b.do("waiting for the button", chromedp.WaitEnabled(chromedp.CSS("#confirm")))
			b.axe("S9")
			b.shot("s9")
			b.tabTo("role-person") // of a group of radio buttons Tab stops at the chosen one
			b.tabTo("confirm")
			b.tabTo("other")
			b.open(d.Issuer + "/logout?ui_locales=" + lang)
			b.see("#end")
			b.axe("S13")
			b.shot("s13")
			b.tabTo("end")
			b.tabTo("stay")
			b.do("staying", chromedp.Click(chromedp.CSS("#stay"), chromedp.NodeVisible))
			b.see("#stayed")
			b.axe("S13, stayed")
			b.open(d.Issuer + "/logout?ui_locales=" + lang)
			b.do("ending", chromedp.Click(chromedp.CSS("#end"), chromedp.NodeVisible))
			b.see("#signed-out")
			b.axe("S13, signed out")
			b.noReports()
		})
	}
}
