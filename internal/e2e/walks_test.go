package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A walk is one way to sign in by a method whose proof is made elsewhere.
type walk struct {
	name, tab, entry, lang string
	// refuse makes the double refuse, and returns what the person is then told and by which method; approve signs in as far
	// as S8.
	refuse  func(*walking) (method, code string)
	approve func(*walking)
}

// A walking is a walk in a browser.
type walking struct {
	*browser
	d      *dev
	number string
}

func (w *walking) press(what, selector string) {
	w.t.Helper()
	w.see(selector)
	w.do(what, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// match is the matching code on the page.
func (w *walking) match() string {
	w.t.Helper()
	code := w.text("#code-match")
	if !regexp.MustCompile(`^\d\d$`).MatchString(code) {
		w.t.Fatalf("the matching code is %q", code)
	}
	return code
}

// ring asks for an approval on a telephone, and decides there.
func (w *walking) ring(field, button, page, outcome string) {
	w.t.Helper()
	if id, ok := strings.CutPrefix(button, "#get-"); ok {
		w.provider(id)
	}
	w.see(field)
	w.do("typing the number", chromedp.Clear(chromedp.CSS(field)), chromedp.SendKeys(chromedp.CSS(field), w.number, chromedp.NodeVisible))
	w.press("asking for a request", button)
	code := w.match()
	w.shot("s5")
	decideCode(w.t, page, w.number, code, outcome)
}

// away chooses on the page of a double.
func (w *walking) away(values map[string]string, button string) {
	w.t.Helper()
	w.see(button)
	for name, value := range values {
		w.do("choosing "+name, chromedp.SetValue(chromedp.CSS("select[name="+name+"]"), value))
	}
	w.press("going back", button)
}

// Buttons of the pages of the cloud: the one where a person says who they are, among others, and the one where the person
// approves, alone.
const olenaIsHere = `form:not(:only-of-type):has(input[value="olena"]) button[value="approve"]`

func olena(outcome string) string {
	return `form:only-of-type:has(input[value="olena"]) button[value="` + outcome + `"]`
}

var walks = []walk{
	{name: "diia", tab: "diia", lang: "uk",
		refuse: func(w *walking) (string, string) {
			onPhone(w.t, w.code(), "refuse")
			w.press("cancelling", "#cancel")
			return "diia", "REMOTE_CANCELLED"
		},
		approve: func(w *walking) { onPhone(w.t, w.code(), "approve") }},
	{name: "diia in the cloud", tab: "cloud", entry: "diia", lang: "en",
		refuse: func(w *walking) (string, string) {
			onPhone(w.t, w.code(), "garbage")
			w.press("cancelling", "#cancel")
			return "diia", "REMOTE_CANCELLED"
		},
		approve: func(w *walking) { onPhone(w.t, w.code(), "approve") }},
	{name: "idgov", tab: "idgov", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.press("going away", "#request")
			w.away(nil, `button[value="cancel"]`)
			return "idgov", "UPSTREAM_CANCELLED"
		},
		approve: func(w *walking) {
			w.press("going away", "#request")
			w.away(map[string]string{"outcome": "device", "form": "static"}, `button[value="dig_sign"]`)
		}},
	{name: "bankid", tab: "idgov", entry: "bankid", lang: "en",
		refuse: func(w *walking) (string, string) {
			w.press("going away", "#request")
			w.away(map[string]string{"outcome": "other-signer"}, `button[value="verba"]`)
			return "bankid", "UPSTREAM_INVALID"
		},
		approve: func(w *walking) {
			w.do("choosing a bank", chromedp.SetValue(chromedp.CSS("#bank"), "verba"))
			w.press("going away", "#request")
			w.away(map[string]string{"form": "ctr-ski-static"}, `button[value="verba"]`)
		}},
	{name: "mobileid", tab: "idgov", entry: "mobileid", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.ring("#number", "#request", w.d.Doubles.MobileID, "pin-blocked")
			return "mobileid", "PIN_LOCKED"
		},
		approve: func(w *walking) { w.ring("#number", "#request", w.d.Doubles.MobileID, "approve") }},
	{name: "cloud explicit", tab: "cloud", lang: "en",
		refuse: func(w *walking) (string, string) {
			w.ring("#identifier-phone", "#get-phone", w.d.Doubles.Cloud, "refuse")
			return "cloud", "REMOTE_REFUSED"
		},
		approve: func(w *walking) { w.ring("#identifier-phone", "#get-phone", w.d.Doubles.Cloud, "approve") }},
	{name: "cloud explicit with a code", tab: "cloud", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.otp("000000")
			return "cloud", "REMOTE_OTP_WRONG"
		},
		approve: func(w *walking) { w.otp("") }},
	{name: "cloud oauth2code", tab: "cloud", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.provider("page")
			w.press("going away", "#get-page")
			w.press("saying who", olenaIsHere)
			w.press("refusing", olena("refuse"))
			return "cloud", "REMOTE_REFUSED"
		},
		approve: func(w *walking) {
			w.provider("page")
			w.press("going away", "#get-page")
			w.press("saying who", olenaIsHere)
			w.press("approving", olena("approve"))
		}},
	{name: "cloud asynchronous", tab: "cloud", lang: "en",
		refuse: func(w *walking) (string, string) {
			w.ring("#identifier-async", "#get-async", w.d.Doubles.Async, "other-person")
			return "cloud", "SIG_INVALID"
		},
		approve: func(w *walking) { w.ring("#identifier-async", "#get-async", w.d.Doubles.Async, "approve") }},
	{name: "cloud vchasno", tab: "cloud", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.ring("#identifier-vchasno", "#get-vchasno", w.d.Doubles.Smart, "refuse")
			return "cloud", "REMOTE_REFUSED"
		},
		approve: func(w *walking) { w.ring("#identifier-vchasno", "#get-vchasno", w.d.Doubles.Smart, "approve") }},
	{name: "cloud smartid", tab: "cloud", lang: "uk",
		refuse: func(w *walking) (string, string) {
			w.scan("other-hash")
			return "cloud", "SIG_INVALID"
		},
		approve: func(w *walking) { w.scan("approve") }},
}

// scan asks for a code that anyone with the application can scan, opens what it says, and decides there. The double lets its
// first account do it.
func (w *walking) scan(outcome string) {
	w.t.Helper()
	w.provider("smartid")
	w.press("asking for a code", "#get-smartid")
	code := w.match()
	if !get(w.browser, "looking for the code", chromedp.Evaluate[bool](`!!document.querySelector("svg.qr")`)) {
		w.t.Error("there is no QR code")
	}
	w.shot("s5")
	decideCode(w.t, get(w.browser, "reading the link", chromedp.Evaluate[string](`document.querySelector("#open-app").href`)), w.d.Doubles.Numbers[0], code, outcome)
}

// otp types a one-time code; "" is the one that the telephone shows.
func (w *walking) otp(code string) {
	w.t.Helper()
	if !get(w.browser, "looking for the field", chromedp.Evaluate[bool](`!!document.querySelector("#otp")`)) {
		w.provider("code")
		w.do("typing the address", chromedp.SendKeys(chromedp.CSS("#identifier-code"), w.d.Doubles.Email, chromedp.NodeVisible))
		w.press("asking for a code", "#get-code")
	}
	w.see("#otp")
	if code == "" {
		phone := newWalker(w.t, "")
		phone.get(w.d.Doubles.Cloud)
		all := regexp.MustCompile(`<output name="otp">(\d+)</output>`).FindAllStringSubmatch(phone.body, -1)
		if len(all) == 0 {
			w.t.Fatalf("the telephone shows no code:\n%s", phone.body)
		}
		code = all[len(all)-1][1]
	}
	w.do("typing the code", chromedp.Clear(chromedp.CSS("#otp")), chromedp.SendKeys(chromedp.CSS("#otp"), code, chromedp.NodeVisible))
	w.press("sending the code", "#request")
}

// TestWalks signs in by every method whose proof is made elsewhere, on a computer after a refusal, and in the width of a
// telephone. Nobody is signed in before «Увійти» on S8.
func TestWalks(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	sizes := map[string]func(*testing.T){}
	for name, width := range map[string]int{"desktop": 1280, "phone": 390} {
		sizes[name] = func(t *testing.T) {
			b := newBrowser(t, browserOptions{width: width})
			if name == "phone" {
				if _, err := chromedp.Call(b.ctx, setMetrics, emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: 800, DeviceScaleFactor: 2, Mobile: true}); err != nil {
					t.Fatal(err)
				}
			}
			for i, walk := range walks {
				t.Run(walk.name, func(t *testing.T) {
					b.t = t
					number := d.Doubles.Numbers[i]
					if name == "phone" {
						number = d.Doubles.Numbers[len(walks)+i]
					}
					(&walking{b, d, number}).walk(walk, name == "desktop")
				})
			}
			b.t = t
			b.noReports()
		}
	}
	together(t, sizes)
}

func (w *walking) walk(walk walk, refusing bool) {
	t := w.t
	w.must(chromedp.Call(w.ctx, network.ClearBrowserCookies, cdp.Empty{})) // nobody has signed in here before
	w.open(w.d.Portal + "/?lang=" + walk.lang)
	w.press("pressing the portal's entry", "#login")
	w.press("opening the tab", "#tab-"+walk.tab)
	if walk.entry != "" {
		w.press("opening the entry", "#entry-"+walk.entry)
	}
	w.see("#panel")
	login := loginOf(t, w.location())
	if !refusing {
		if over := get(w.browser, "measuring", chromedp.Evaluate[float64](`document.documentElement.scrollWidth - window.innerWidth`)); over > 0 {
			t.Errorf("the page is %v px wider than the window", over)
		}
		w.shot("s3")
	} else {
		method, code := walk.refuse(w)
		w.see("#problem[data-code=" + code + "]")
		if text, next := w.text("#problem-text"), w.text("#problem-next"); !says(texts(t, walk.lang), code, text, next) {
			t.Errorf("%s is told as %q, %q", code, text, next)
		}
		w.shot(code)
		if loginOf(t, w.location()) != login {
			t.Error("it is another login")
		}
		w.d.recorded(t, login, method, code)
		if get(w.browser, "looking for the tabs", chromedp.Evaluate[int](`document.querySelectorAll("#methods a").length`)) < 2 {
			t.Error("the other methods are gone")
		}
	}
	walk.approve(w)
	w.see("#confirm")
	w.shot("s8")
	for _, r := range w.d.records(t, login) {
		if r.Action == "login.confirmed" {
			t.Error("confirmed before «Увійти» was pressed")
		}
	}
	w.confirm(walk.lang)
	if got := w.claim("name"); got != "Тестенко Олена Петрівна" {
		t.Errorf("the portal knows %q", got)
	}
	w.d.proven(t, login)
	if !strings.HasPrefix(w.location(), w.d.Portal) {
		t.Errorf("ended at %s", w.location())
	}
}

func (b *browser) location() string {
	b.t.Helper()
	return get(b, "looking where we are", chromedp.Evaluate[string]("location.href"))
}
