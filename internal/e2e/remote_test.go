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
	b.see("svg.qr")
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
		link := b.code()
		victim := newWalker(t, "")
		back := regexp.MustCompile(`http://127\.0\.0\.1:\d+/return/diia/[A-Za-z0-9_.-]+`).FindString(html.UnescapeString(onPhone(t, link, "ignore")))
		if back == "" {
			t.Fatal("the telephone shows no way back")
		}
		victim.get(back)
		if !strings.Contains(victim.body, "RETURN_OTHER_BROWSER") || !strings.Contains(victim.body, "Chrome, Linux") {
			t.Fatalf("the victim's page does not say whose sign-in it is:\n%s", victim.body)
		}
		victim.press("not-me")
		if !strings.Contains(victim.body, `data-code="RETURN_NOT_ME"`) {
			t.Fatalf("after «Це не я»:\n%s", victim.body)
		}
		if got := b.message(); got != "RETURN_NOT_ME" {
			t.Errorf("the page of the one who began says %s", got)
		}
		b.noReports()
	})
}

// TestRemotePlain: every method whose proof is made elsewhere, without JavaScript, to the name on the portal.
func TestRemotePlain(t *testing.T) {
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
