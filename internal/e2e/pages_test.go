package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// reflows makes the window 320 CSS pixels wide and looks whether the page has to be scrolled sideways (WCAG 1.4.10), or
// whether something that is pressed is smaller than 24 by 24 (2.5.8; links in text are exempt).
func (b *browser) reflows(where, shot string) {
	b.t.Helper()
	b.must(chromedp.Call(b.ctx, setMetrics, narrow))
	const wide = `document.documentElement.scrollWidth > 320 ? [...document.querySelectorAll("main *, header *, footer *")].filter(e => e.getBoundingClientRect().right > 321 && !e.closest(".scroll")).slice(0, 3).map(e => e.outerHTML.slice(0, 160)) : []`
	if out := get(b, "measuring the page", chromedp.Evaluate[[]string](wide)); len(out) > 0 {
		b.t.Errorf("%s is wider than 320 pixels: %s", where, strings.Join(out, "\n"))
	}
	const small = `[...document.querySelectorAll("button, input:not([type=hidden]), select, summary, nav a, a.button")].filter(e => {
		const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && (r.height < 24 || r.width < 24) }).map(e => e.outerHTML.slice(0, 160))`
	if out := get(b, "measuring what is pressed", chromedp.Evaluate[[]string](small)); len(out) > 0 {
		b.t.Errorf("%s has small targets: %s", where, strings.Join(out, "\n"))
	}
	if shot != "" {
		b.shot(shot + "-320")
	}
	b.must(chromedp.Call(b.ctx, emulation.ClearDeviceMetricsOverride, cdp.Empty{}))
}

// look is axe, a narrow window and a screenshot of both widths.
func (b *browser) look(where, shot string) {
	b.t.Helper()
	b.axe(where)
	if shot != "" {
		b.shot(shot)
	}
	b.reflows(where, shot)
}

// labelled registers a portal whose guides have other names of the methods.
func labelled(t *testing.T) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"client_id": "labelled", "client_secret": "a secret of a client with labels", "client_name": "Реєстр",
		"client_uri": "http://127.0.0.1:9", "redirect_uris": []string{"http://127.0.0.1:9/cb"},
		"labels": map[string]any{"uk": map[string]string{"file": "Зчитування КЕП з файлу", "token": "Зчитування КЕП з захищеного носія"}}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAccessibleRemote runs axe over S4, S5 and S6 in each of their states, in both languages, light and dark, and looks at them
// 320 pixels wide.
func TestAccessibleRemote(t *testing.T) {
	t.Parallel()
	for i, lang := range []string{"uk", "en"} {
		t.Run(lang, func(t *testing.T) {
			d := startDev(t) // one each: a number may be sent only so many requests
			b := newBrowser(t, browserOptions{dark: i == 1})
			press := func(id string) {
				t.Helper()
				b.do("pressing "+id, chromedp.Click(chromedp.CSS("#"+id), chromedp.NodeVisible))
			}
			tab := func(method string) {
				t.Helper()
				b.open(d.Portal + "/login?lang=" + lang + "&idp_hint=" + method)
				b.see("#panel")
			}
			tab("diia")
			b.look("S4", "s4")
			b.code()
			b.look("S4 waiting", "s4-waiting")
			press("cancel")
			b.see("#problem[data-code=REMOTE_CANCELLED]")
			b.look("S4 cancelled", "s4-cancelled")
			elsewhere := newBrowser(t, browserOptions{dark: i == 1})
			tab("diia")
			link := b.code()
			back := regexp.MustCompile(`http://127\.0\.0\.1:\d+/return/diia/[A-Za-z0-9_.-]+`).FindString(strings.ReplaceAll(onPhone(t, link, "ignore"), "&amp;", "&"))
			elsewhere.open(d.Issuer + "/help?lang=" + lang) // keeps the language
			elsewhere.open(back)
			elsewhere.see("#elsewhere")
			elsewhere.look("a return elsewhere", "elsewhere")
			elsewhere.do("«Це не я»", chromedp.Click(chromedp.CSS("#not-me"), chromedp.NodeVisible))
			elsewhere.see("[data-code=RETURN_NOT_ME]")
			elsewhere.look("after «Це не я»", "not-me")
			b.see("#problem[data-code=RETURN_NOT_ME]")
			b.look("S14 for the one who began", "s14-not-me")

			tab("cloud")
			b.look("S5", "s5")
			b.provider("phone")
			b.do("typing the number", chromedp.SendKeys(chromedp.CSS("#identifier-phone"), "000", chromedp.NodeVisible))
			press("get-phone")
			b.see("#problem")
			b.look("S5 after a wrong number", "s5-wrong")
			b.do("typing the number", chromedp.SetValue(chromedp.CSS("#identifier-phone"), d.Doubles.Number, chromedp.NodeVisible))
			press("get-phone")
			b.see("#code-match")
			b.look("S5 waiting", "s5-waiting")

			tab("idgov")
			b.look("S6", "s6")
			press("entry-bankid")
			b.see("#bank")
			b.look("BankID", "bankid")
			tab("idgov")
			press("entry-mobileid")
			b.see("#operator")
			b.look("MobileID", "mobileid")
			b.do("typing the number", chromedp.SendKeys(chromedp.CSS("#number"), d.Doubles.Number, chromedp.NodeVisible))
			press("request")
			b.see("#code-match")
			b.look("MobileID waiting", "mobileid-waiting")
			b.noReports()
		})
	}
}

// TestAccessiblePages runs axe over S16, S17, the guides and the words of registration in both languages.
func TestAccessiblePages(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--client", labelled(t))
	guides := regexp.MustCompile(`href="(/docs/[^"]+)"`)
	for i, lang := range []string{"uk", "en"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, browserOptions{dark: i == 1})
			for _, page := range []string{"/help", "/accessibility", "/privacy", "/feedback", "/docs"} {
				b.open(d.Issuer + page + "?lang=" + lang)
				b.look(page, strings.TrimPrefix(page, "/"))
			}
			list := guides.FindAllStringSubmatch(get(b, "reading the list", chromedp.Evaluate[string]("document.body.innerHTML")), -1)
			if len(list) < 6 {
				t.Fatalf("%d guides in the list", len(list))
			}
			for _, m := range list {
				b.open(d.Issuer + m[1])
				shot := ""
				if strings.HasSuffix(m[1], "/diia") {
					shot = "guide"
				}
				b.look(m[1], shot)
			}
			b.open(d.Issuer + "/docs/nothing")
			b.look("S14, not found", "s14")
			b.open(d.Portal + "/?lang=" + lang)
			b.look("the portal", "portal")

			b.open(d.Portal + "/login?prompt=create&lang=" + lang)
			b.see("#read")
			b.look("registration", "registration")
			b.open(d.Portal + "/login?idp_hint=token&lang=" + lang)
			b.see("#probe")
			b.look("S3", "s3")
			b.open(d.Portal + "/login?idp_hint=upload&lang=" + lang)
			b.do("asking", chromedp.Click(chromedp.CSS("#ask"), chromedp.NodeVisible))
			b.see("#signed")
			b.look("S16", "s16")
			b.do("sending nothing", chromedp.Click(chromedp.CSS("#send"), chromedp.NodeVisible))
			b.see("#problem[data-code=UPLOAD_MISSING]")
			b.look("S16 without a file", "s16-missing")
			b.noReports()
		})
	}
	t.Run("labels", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.open(strings.Replace(authorizeNoticed(d, "ui_locales", "uk"), "client_id=noticed", "client_id=labelled", 1))
		for id, want := range map[string]string{"#tab-file": "Зчитування КЕП з файлу", "#tab-token": "Зчитування КЕП з захищеного носія"} {
			if got := b.text(id); got != want {
				t.Errorf("%s says %q, want %q", id, got, want)
			}
		}
		if px := get(b, "measuring the tabs", chromedp.Evaluate[float64](`Math.max(...[...document.querySelectorAll("#methods a")].map((e) => e.getBoundingClientRect().height))`)); px > 60 {
			t.Errorf("a label of the portal's own takes %v px: more than a line", px)
		}
		b.look("labels", "labels")
	})
}

// TestEntriesOfThePortal: the two buttons of the demo portal open different tabs.
func TestEntriesOfThePortal(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	for id, want := range map[string][2]string{"login": {"Авторизація за допомогою КЕП", "file"}, "login-idgov": {"IDGOVUA", "idgov"}} {
		w := newWalker(t, "")
		w.get(d.Portal + "/?lang=uk")
		if !strings.Contains(w.body, `id="`+id+`"`) || !strings.Contains(w.body, ">"+want[0]+"<") {
			t.Fatalf("no button %q:\n%s", want[0], w.body)
		}
		w.follow(id)
		if !strings.HasSuffix(w.at.Path, "/"+want[1]) || w.status != http.StatusOK {
			t.Errorf("«%s» leads to %s", want[0], w.at)
		}
		if u, err := url.Parse(w.at.String()); err != nil || u.RawQuery != "" {
			t.Errorf("the address has a query: %s", w.at)
		}
	}
}
