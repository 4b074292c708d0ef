package e2e

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// diia goes from the portal to the tab «Дія.Підпис».
func (b *browser) diia(d *dev, lang string) {
	b.t.Helper()
	b.open(d.Portal + "/?lang=" + lang)
	b.do("pressing the portal's entry", chromedp.Click(chromedp.CSS("#login"), chromedp.NodeVisible))
	b.see("#tab-diia")
	b.do("opening the tab", chromedp.Click(chromedp.CSS("#tab-diia"), chromedp.NodeVisible))
	b.see("#request")
}

// code presses «Отримати код» and returns the link that the QR code holds.
func (b *browser) code() string {
	b.t.Helper()
	b.do("asking for a code", chromedp.Click(chromedp.CSS("#request"), chromedp.NodeVisible))
	b.see("#open-app")
	return get(b, "reading the link", chromedp.Evaluate[string](`document.querySelector("#open-app").href`))
}

// onPhone does with a request what a person does on the page of the telephone, and returns that page.
func onPhone(t *testing.T, link, action string) string {
	t.Helper()
	return onPhoneAs(t, link, action, "")
}

// onPhoneAs is onPhone for one of the persons of the double.
func onPhoneAs(t *testing.T, link, action, person string) string {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second}
	res, err := client.PostForm(link, url.Values{"action": {action}, "person": {person}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the telephone answers %s to %s", res.Status, action)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// message waits for the problem on the page and returns its code.
func (b *browser) message() string {
	b.t.Helper()
	b.see("#problem")
	return get(b, "reading the code", chromedp.Evaluate[string](`document.querySelector("#problem").dataset.code`))
}

// TestDiia: «Дія.Підпис» on a computer and on a telephone, approved, taken back, answered wrongly, and disowned.
func TestDiia(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	t.Run("approve", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.diia(d, "uk")
		if got := b.text("#request"); got != "Отримати код" {
			t.Errorf("the button says %q", got)
		}
		link := b.code()
		b.shot("s4")
		if n := b.text("#code-match"); !regexp.MustCompile(`^\d\d$`).MatchString(n) {
			t.Errorf("the matching code is %q", n)
		}
		if px := get(b, "measuring the code", chromedp.Evaluate[float64](`document.querySelector("svg.qr").getBoundingClientRect().width`)); px < 240 {
			t.Errorf("the QR code is %v px wide", px)
		}
		onPhone(t, link, "wrong-hash") // anybody may send that; the page goes on waiting
		onPhone(t, link, "approve")
		b.confirm("uk") // the page finds it by itself
		if got := b.claim("name"); got != "Тестенко Олена Петрівна" {
			t.Errorf("the portal knows %q", got)
		}
		b.noReports()
	})
	t.Run("cancel", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.diia(d, "en")
		link := b.code()
		onPhone(t, link, "refuse") // the system tells us nothing of it
		b.do("cancelling", chromedp.Click(chromedp.CSS("#cancel"), chromedp.NodeVisible))
		if got := b.message(); got != "REMOTE_CANCELLED" {
			t.Errorf("the page says %s", got)
		}
		b.shot("cancelled")
		onPhone(t, link, "approve") // too late: nothing comes of it
		onPhone(t, b.code(), "approve")
		b.confirm("en")
		b.noReports()
	})
	t.Run("phone", func(t *testing.T) {
		b := newBrowser(t, browserOptions{width: 390})
		if _, err := chromedp.Call(b.ctx, setMetrics, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 800, DeviceScaleFactor: 2, Mobile: true}); err != nil {
			t.Fatal(err)
		}
		b.diia(d, "uk")
		b.code()
		b.shot("s4")
		if get(b, "looking for the code", chromedp.Evaluate[bool](`document.querySelector("#qr-box").open`)) {
			t.Error("on a telephone the code for another device is open")
		}
		b.do("opening the code", chromedp.Click(chromedp.CSS("#qr-box summary"), chromedp.NodeVisible))
		b.see("svg.qr")
		if !get(b, "comparing places", chromedp.Evaluate[bool](`document.querySelector("#open-app").getBoundingClientRect().bottom <= document.querySelector("svg.qr").getBoundingClientRect().top`)) {
			t.Error("on a telephone the link does not stand before the code")
		}
		if get(b, "measuring the page", chromedp.Evaluate[bool](`document.documentElement.scrollWidth > 390`)) {
			t.Error("the page is wider than the telephone")
		}
		b.noReports()
	})
	t.Run("not me", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.diia(d, "uk")
		link, login := b.code(), loginOf(t, b.location())
		victim := newBrowser(t, browserOptions{width: 390})
		back := regexp.MustCompile(`http://127\.0\.0\.1:\d+/return/diia/[A-Za-z0-9_.-]+`).FindString(html.UnescapeString(onPhone(t, link, "ignore")))
		if back == "" {
			t.Fatal("the telephone shows no way back")
		}
		victim.open(back)
		if said := victim.text("#elsewhere[data-code=RETURN_OTHER_BROWSER]"); !strings.Contains(said, "Chrome, Linux") || !strings.Contains(said, "Електронний кабінет") {
			t.Fatalf("the victim's page does not say whose sign-in it is: %s", said)
		}
		victim.shot("elsewhere")
		victim.do("pressing «Це не я»", chromedp.Click(chromedp.CSS("#not-me"), chromedp.NodeVisible))
		victim.see("#problem[data-code=RETURN_NOT_ME]")
		victim.noReports()
		if got := b.message(); got != "RETURN_NOT_ME" {
			t.Errorf("the page of the one who began says %s", got)
		}
		if list := d.records(t, login); len(list) == 0 || list[len(list)-1].Action != "login.disowned" || list[len(list)-1].Code != "RETURN_NOT_ME" {
			t.Errorf("the audit has %+v", list)
		}
		b.noReports()
	})
}

// TestDiiaAuth: with the scope auth the application has no place for a matching code, so the page promises none; the request is
// found by the digest that stands for it.
func TestDiiaAuth(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--diia-scope", "auth")
	r := refusing{d, "diia", "", "uk"}
	w := r.open(t)
	login := loginOf(t, w.at.String())
	w.press(`id="request"`, "action", "request")
	m := regexp.MustCompile(`id="open-app" href="([^"]+)"`).FindStringSubmatch(w.body)
	if m == nil {
		t.Fatalf("no link: %s at %s", w.problem(), w.at)
	}
	if strings.Contains(w.body, "code-match") || !strings.Contains(w.body, `class="qr"`) {
		t.Error("the page promises a matching code")
	}
	onPhone(t, m[1], "wrong-hash")
	onPhoneAs(t, m[1], "approve", "revoked")
	w.press(`id="check"`)
	r.refused(t, w, "CERT_REVOKED")
	onPhone(t, m[1], "approve")
	w.press(`id="check"`)
	if !strings.HasSuffix(w.at.Path, "/confirm") {
		t.Fatalf("S8 is not there: %s at %s", w.problem(), w.at)
	}
	w.press(`id="confirm"`)
	if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") {
		t.Fatalf("ended at %s: %s", w.at, w.problem())
	}
	d.proven(t, login)
}

// TestRemotePlain: every method whose proof is made elsewhere, without JavaScript, to the name on the portal.
func TestRemotePlain(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	open := func(t *testing.T, tab string) *walker {
		t.Helper()
		w := newWalker(t, "")
		w.get(d.Portal + "/?lang=uk")
		w.follow("login")
		w.follow("tab-" + tab)
		return w
	}
	finish := func(t *testing.T, w *walker, name string) {
		t.Helper()
		if !strings.HasSuffix(w.at.Path, "/confirm") {
			t.Fatalf("S8 is not there: at %s %s\n%s", w.at, w.problem(), w.body)
		}
		w.press(`id="confirm"`, "consent", "yes")
		if !strings.Contains(w.body, name) || !strings.HasPrefix(w.at.String(), d.Portal) {
			t.Errorf("the portal does not know %q: at %s", name, w.at)
		}
	}
	const olena = "Тестенко Олена Петрівна"
	t.Run("diia", func(t *testing.T) {
		w := open(t, "diia")
		w.press(`id="request"`, "action", "request")
		link := regexp.MustCompile(`id="open-app" href="([^"]+)"`).FindStringSubmatch(w.body)
		if link == nil || !strings.Contains(w.body, `class="qr"`) {
			t.Fatalf("no code: %s\n%s", w.problem(), w.body)
		}
		w.press(`id="check"`)
		if !strings.Contains(w.body, `class="qr"`) {
			t.Fatalf("«Перевірити» before the signature: %s", w.body)
		}
		onPhone(t, link[1], "approve")
		w.press(`id="check"`)
		finish(t, w, olena)
	})
	t.Run("idgov", func(t *testing.T) {
		w := open(t, "idgov")
		w.press(`id="request"`)
		w.press("/choose", "means", "cancel")
		if w.problem() != "UPSTREAM_CANCELLED" {
			t.Fatalf("after «Скасувати» there: %s at %s\n%s", w.problem(), w.at, w.body)
		}
		w.press(`id="request"`)
		w.press("/choose", "means", "dig_sign", "person", "olena")
		finish(t, w, olena)
	})
	t.Run("bankid", func(t *testing.T) {
		w := open(t, "idgov")
		w.follow("entry-bankid")
		w.press(`id="request"`, "bank", "any")
		w.press("/choose", "bank", "kalyna", "person", "olena")
		finish(t, w, olena)
	})
	t.Run("mobileid", func(t *testing.T) {
		w := open(t, "idgov")
		w.follow("entry-mobileid")
		w.press(`id="request"`, "operator", "test", "number", d.Doubles.Number)
		if !strings.Contains(w.body, `id="code-match"`) {
			t.Fatalf("nothing waits: %s\n%s", w.problem(), w.body)
		}
		decide(t, w, d.Doubles.MobileID, d.Doubles.Number, "approve")
		time.Sleep(1100 * time.Millisecond) // a poll a second
		w.press(`id="check"`)
		finish(t, w, olena)
	})
	t.Run("cloud", func(t *testing.T) {
		w := open(t, "cloud")
		w.press(`id="get-phone"`, "identifier", d.Doubles.Number)
		if !strings.Contains(w.body, `id="code-match"`) {
			t.Fatalf("nothing waits: %s\n%s", w.problem(), w.body)
		}
		decide(t, w, d.Doubles.Cloud, d.Doubles.Number, "refuse")
		w.press(`id="check"`)
		if w.problem() != "REMOTE_REFUSED" {
			t.Fatalf("after a refusal: %s at %s\n%s", w.problem(), w.at, w.body)
		}
		w.press(`id="get-phone"`, "identifier", d.Doubles.Number)
		decide(t, w, d.Doubles.Cloud, d.Doubles.Number, "approve")
		time.Sleep(1100 * time.Millisecond)
		w.press(`id="check"`)
		finish(t, w, olena)
	})
}

// TestRequestRunsOut: a request that nobody answers runs out on the page, by itself, with its message, the focus on the next
// step, and a line in the audit; a signature that comes a little later still counts.
func TestRequestRunsOut(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--wait", "3s")
	b := newBrowser(t, browserOptions{})
	for name, begin := range map[string]func(w *walking){
		"diia": func(w *walking) { w.tab("diia", ""); w.code() },
		"mobileid": func(w *walking) {
			w.tab("idgov", "mobileid")
			w.do("typing the number", chromedp.SendKeys(chromedp.CSS("#number"), w.number, chromedp.NodeVisible))
			w.press("asking", "#request")
		},
		"cloud": func(w *walking) {
			w.tab("cloud", "")
			w.provider("async")
			w.do("typing the number", chromedp.SendKeys(chromedp.CSS("#identifier-async"), w.number, chromedp.NodeVisible))
			w.press("asking", "#get-async")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			w := &walking{b, d, d.Doubles.Number}
			begin(w)
			if got := w.message(); got != "REMOTE_EXPIRED" {
				t.Fatalf("the page says %s", got)
			}
			if text, next := w.text("#problem-text"), w.text("#problem-next"); !says(texts(t, "uk"), "REMOTE_EXPIRED", text, next) {
				t.Errorf("it is told as %q, %q", text, next)
			}
			w.shot("expired")
			d.recorded(t, loginOf(t, w.location()), name, "REMOTE_EXPIRED")
			if name == "cloud" {
				return // several providers: there is no one next press
			}
			if at := get(b, "asking for the focus", chromedp.Evaluate[string](`document.activeElement.id`)); at != "request" {
				t.Errorf("the focus is on %q", at)
			}
		})
	}
	t.Run("a little late", func(t *testing.T) {
		b.t = t
		w := &walking{b, d, d.Doubles.Number}
		w.tab("diia", "")
		link := w.code()
		if got := w.message(); got != "REMOTE_EXPIRED" {
			t.Fatalf("the page says %s", got)
		}
		onPhone(t, link, "approve")
		w.see("#confirm")
	})
	b.t = t
	b.noReports()
}

// tab goes from the portal to a tab, and to an entry on it.
func (w *walking) tab(tab, entry string) {
	w.t.Helper()
	w.open(w.d.Portal + "/?lang=uk")
	w.press("pressing the portal's entry", "#login")
	w.press("opening the tab", "#tab-"+tab)
	if entry != "" {
		w.press("opening the entry", "#entry-"+entry)
	}
}

// TestComeBack: a page that was left while the telephone signed finds the result as soon as it is seen again, whether the
// browser kept it or not; S8 is shown and never passed over.
func TestComeBack(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	b := newBrowser(t, browserOptions{})
	w := &walking{b, d, ""}
	w.tab("diia", "")
	login := loginOf(t, w.location())
	link := w.code()
	w.open(d.Issuer + "/help")
	onPhone(t, link, "approve")
	w.do("going back", chromedp.NavigateBack())
	w.see("#confirm")
	for _, r := range d.records(t, login) {
		if r.Action == "login.confirmed" {
			t.Error("confirmed without a press")
		}
	}
	w.confirm("uk")
	d.proven(t, login)
	// The step that is over leads nowhere again.
	w.open(d.Issuer + "/login/" + login + "/diia")
	if get(b, "looking for a code", chromedp.Evaluate[bool](`!!document.querySelector("svg.qr, #confirm")`)) {
		t.Error("a login that is over can be taken up again")
	}
	b.noReports()
}

// TestReturnElsewhere: what another system sends back completes nothing in a browser that did not begin the login, in each
// method that goes away; the login goes on where it began.
func TestReturnElsewhere(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	for name, c := range map[string]struct {
		refusing
		away func(w *walker)
	}{
		"idgov": {refusing{d, "idgov", "", "uk"}, func(w *walker) {
			w.press(`id="request"`)
			w.press("/choose", "means", "dig_sign")
		}},
		"bankid": {refusing{d, "idgov", "bankid", "en"}, func(w *walker) {
			w.press(`id="request"`, "bank", "any")
			w.press("/choose", "bank", "verba")
		}},
		"cloud": {refusing{d, "cloud", "", "uk"}, func(w *walker) {
			w.press(`id="get-page"`)
			w.leave()
			w.press(`value="olena"`, "account", "olena", "outcome", "approve")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, victim := c.open(t), newWalker(t, "")
			login := loginOf(t, w.at.String())
			var back string
			w.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
				if !strings.HasPrefix(r.URL.Path, "/return/") {
					return nil
				}
				back = r.URL.String()
				return http.ErrUseLastResponse
			}
			c.away(w)
			if back == "" {
				t.Fatalf("nothing comes back: at %s", w.at)
			}
			victim.get(back)
			if !strings.Contains(victim.body, "RETURN_OTHER_BROWSER") {
				t.Errorf("the other browser is told %s:\n%s", victim.problem(), victim.body)
			}
			guess := newWalker(t, "") // who knows the login's id alone is told nothing of it
			guess.get(d.Issuer + "/return/" + name + "?state=" + login + ".x&code=x")
			if strings.Contains(guess.body, "Електронний кабінет") || guess.problem() != "TX_UNKNOWN" {
				t.Errorf("a guess is told %s", guess.problem())
			}
			if strings.Contains(victim.body, "Тестенко") || strings.Contains(victim.body, `id="confirm"`) {
				t.Error("something completes in the other browser")
			}
			if len(d.records(t, login)) != 0 {
				t.Errorf("the audit has %+v", d.records(t, login))
			}
			w.get(back)
			if name == "cloud" {
				w.leave()
				w.press(`value="olena"`, "outcome", "approve")
				w.get(back)
			}
			if !strings.Contains(w.body, `id="confirm"`) {
				t.Errorf("the login does not go on where it began: %s at %s", w.problem(), w.at)
			}
		})
	}
}
