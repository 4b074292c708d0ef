package e2e

import (
	"cmp"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A refusing is a walk through one refusal of a double, by plain forms: the page with its message in its language, the
// line in the audit, and the login is where it was.
type refusing struct {
	d    *dev
	tab  string // to which the walk goes
	via  string // entry on that tab, "" for the tab itself
	lang string
}

func (r refusing) method() string { return cmp.Or(r.via, r.tab) }

// open goes from the portal to the page of the method.
func (r refusing) open(t *testing.T) *walker {
	t.Helper()
	w := newWalker(t, "")
	w.get(r.d.Portal + "/?lang=" + r.lang)
	w.follow("login")
	w.follow("tab-" + r.tab)
	if r.via != "" {
		w.follow("entry-" + r.via)
	}
	return w
}

// refused checks where a walk has ended.
func (r refusing) refused(t *testing.T, w *walker, code string) {
	t.Helper()
	if got := w.problem(); got != code {
		text, _ := w.message()
		t.Fatalf("the page says %q (%s), want %s; at %s", got, text, code, w.at)
	}
	if text, next := w.message(); !says(texts(t, r.lang), code, text, next) {
		t.Errorf("%s is told as %q, %q", code, text, next)
	}
	if strings.Contains(w.body, `id="confirm"`) {
		t.Errorf("%s: there is a button to sign in", code)
	}
	if !strings.Contains(w.body, `id="methods"`) {
		t.Errorf("%s: the tabs are gone", code)
	}
	r.d.recorded(t, loginOf(t, w.at.String()), r.method(), code)
}

// decide presses a button for the request of w on the page of a telephone.
func decide(t *testing.T, w *walker, page, number, outcome string) {
	t.Helper()
	code := matchPattern.FindStringSubmatch(w.body)
	if code == nil {
		t.Fatalf("no matching code: %s at %s", w.problem(), w.at)
	}
	decideCode(t, page, number, code[1], outcome)
}

// decideCode presses a button on the page of a telephone for the request to a number, by the matching code that both show.
func decideCode(t *testing.T, page, number, code, outcome string) {
	t.Helper()
	phone := newWalker(t, "")
	phone.get(page)
	for _, form := range formPattern.FindAllString(phone.body, -1) {
		if text := html.UnescapeString(form); strings.Contains(text, "код "+code) && strings.Contains(text, number) {
			id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(form)
			phone.press(id[1], "outcome", outcome)
			return
		}
	}
	t.Fatalf("no request with the code %s on the telephone:\n%s", code, phone.body)
}

var matchPattern = regexp.MustCompile(`id="code-match"[^>]*>(\d\d)<`)

// check presses «Перевірити» until the wait is over.
func (w *walker) check() {
	w.t.Helper()
	for deadline := time.Now().Add(stepLimit); strings.Contains(w.body, `id="code-match"`); {
		if time.Now().After(deadline) {
			w.t.Fatalf("it still waits: %s", w.at)
		}
		time.Sleep(1100 * time.Millisecond) // a provider is asked once a second
		w.press(`id="check"`)
	}
}

// languages gives each case of a table one of the two languages, so that both are seen.
func languages(names []string) map[string]string {
	slices.Sort(names)
	m := map[string]string{}
	for i, n := range names {
		m[n] = []string{"uk", "en"}[i%2]
	}
	return m
}

// mobileIDOutcomes are the outcomes of the operator's double but "approve", by what the person is told.
var mobileIDOutcomes = map[string]string{
	"refuse": "REMOTE_REFUSED", "expire": "REMOTE_EXPIRED", "unreachable": "REMOTE_UNREACHABLE", "pin-blocked": "PIN_LOCKED",
	"no-key": "REMOTE_NO_ACCOUNT", "broken": "REMOTE_DOWN", "revoked": "CERT_REVOKED", "invalid": "SIG_INVALID",
	"other-text": "SIG_INVALID", "garbage": "CMS_MALFORMED", "entities": "REMOTE_DOWN", "other-request": "REMOTE_DOWN",
}

// unreadable are those of them that come again at every poll until the page gives up, and make the operator be left alone.
var unreadable = []string{"entities", "other-request"}

// TestRefusals walks through every refusal of every double, side by side: most of the time is waiting.
func TestRefusals(t *testing.T) {
	t.Parallel()
	together(t, map[string]func(*testing.T){
		"idgov": idgovRefusals, "bankid": bankidRefusals, "mobileid": mobileidRefusals, "cloud": cloudRefusals, "diia": diiaRefusals,
	})
}

// together runs tests at once, however many processors there are.
func together(t *testing.T, tests map[string]func(*testing.T)) {
	var all sync.WaitGroup
	for name, test := range tests {
		all.Go(func() { t.Run(name, test) })
	}
	all.Wait()
}

// mobileidRefusals are all of the operator's double.
func mobileidRefusals(t *testing.T) {
	d, apart := startDev(t), startDev(t)
	lang := languages(slices.Collect(maps.Keys(mobileIDOutcomes)))
	number := 0
	walks := map[string]func(*testing.T){}
	for outcome, code := range mobileIDOutcomes {
		d := d
		if slices.Contains(unreadable, outcome) {
			d = apart
		}
		of := d.Doubles.Numbers[number]
		number++
		walks[outcome] = func(t *testing.T) {
			r := refusing{d, "idgov", "mobileid", lang[outcome]}
			w := r.open(t)
			w.press(`id="request"`, "operator", "test", "number", of)
			decide(t, w, d.Doubles.MobileID, of, outcome)
			w.check()
			r.refused(t, w, code)
		}
	}
	together(t, walks)
	r := refusing{d, "idgov", "mobileid", "uk"}
	t.Run("every outcome", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="request"`, "operator", "test", "number", d.Doubles.Numbers[number])
		phone := newWalker(t, "")
		phone.get(d.Doubles.MobileID)
		for _, m := range regexp.MustCompile(`name="outcome" value="([^"]+)"`).FindAllStringSubmatch(phone.body, -1) {
			if o := m[1]; mobileIDOutcomes[o] == "" && o != "approve" && o != "other-person" {
				t.Errorf("%s is not walked", o)
			}
		}
		// Nothing ties a number to a person, so whoever holds the telephone signs in: S8 says who that is.
		decide(t, w, d.Doubles.MobileID, d.Doubles.Numbers[number], "other-person")
		w.check()
		if !strings.HasSuffix(w.at.Path, "/confirm") || !strings.Contains(w.body, "Чужий Остап Іванович") {
			t.Errorf("the other person is not shown: %s at %s", w.problem(), w.at)
		}
	})
	t.Run("no such number", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="request"`, "operator", "test", "number", "+380500000000")
		r.refused(t, w, "REMOTE_NO_ACCOUNT")
		w.press(`id="request"`, "operator", "test", "number", "привіт")
		r.refused(t, w, "REMOTE_NO_ACCOUNT")
	})
	t.Run("cancelled", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="request"`, "operator", "test", "number", d.Doubles.Numbers[number+1])
		w.press(`id="cancel"`, "cancel", "1")
		r.refused(t, w, "REMOTE_CANCELLED")
	})
	t.Run("rung too often", func(t *testing.T) {
		w := r.open(t)
		for range 3 {
			w.press(`id="request"`, "operator", "test", "number", d.Doubles.Numbers[number+2])
			w.press(`id="cancel"`, "cancel", "1")
		}
		w.press(`id="request"`, "operator", "test", "number", d.Doubles.Numbers[number+2])
		r.refused(t, w, "RATE_LIMITED")
	})
}

// cloudOutcomes are the outcomes of the cloud's double but "approve".
var cloudOutcomes = map[string]string{
	"refuse": "REMOTE_REFUSED", "other-person": "SIG_INVALID", "other-hash": "SIG_INVALID", "garbage": "SIG_INVALID",
	"twice": "REMOTE_DOWN", "expire": "REMOTE_EXPIRED",
}

// cloudRefusals are all of the cloud's double, with an approval on the telephone, with a signature made later, by going
// away and coming back, and with a one-time code.
func cloudRefusals(t *testing.T) {
	d := startDev(t)
	lang := languages(slices.Collect(maps.Keys(cloudOutcomes)))
	number := 0
	walks := map[string]func(*testing.T){}
	for provider, page := range map[string]string{"phone": d.Doubles.Cloud, "async": d.Doubles.Async} {
		for outcome, code := range cloudOutcomes {
			of := d.Doubles.Numbers[number]
			number++
			walks[provider+" "+outcome] = func(t *testing.T) {
				r := refusing{d, "cloud", "", lang[outcome]}
				w := r.open(t)
				w.press(`id="get-`+provider+`"`, "identifier", of)
				decide(t, w, page, of, outcome)
				w.check()
				r.refused(t, w, code)
			}
		}
	}
	together(t, walks)
	for outcome, code := range cloudOutcomes {
		t.Run("page "+outcome, func(t *testing.T) {
			r := refusing{d, "cloud", "", lang[outcome]}
			w := r.open(t)
			w.press(`id="get-page"`)
			w.leave()
			w.press(`value="olena"`, "account", "olena", "outcome", "approve") // who it is
			w.leave()
			w.press(`value="`+outcome+`"`, "outcome", outcome)
			r.refused(t, w, code)
		})
	}
	r := refusing{d, "cloud", "", "uk"}
	t.Run("page refuse at the door", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="get-page"`)
		w.leave()
		w.press(`value="olena"`, "account", "olena", "outcome", "refuse")
		r.refused(t, w, "REMOTE_REFUSED")
	})
	t.Run("code wrong", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="get-code"`, "identifier", d.Doubles.Email)
		if !strings.Contains(w.body, `id="otp"`) {
			t.Fatalf("no code is asked for: %s at %s", w.problem(), w.at)
		}
		w.press(`id="request"`, "otp", "000000")
		r.refused(t, w, "REMOTE_OTP_WRONG")
	})
	t.Run("no such account", func(t *testing.T) {
		for i, identifier := range []string{"+380500000000", "не номер"} {
			w := r.open(t)
			w.press([]string{`id="get-phone"`, `id="get-async"`}[i], "identifier", identifier)
			r.refused(t, w, "REMOTE_NO_ACCOUNT")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		w := r.open(t)
		w.press(`id="get-phone"`, "identifier", d.Doubles.Numbers[number])
		w.press(`id="cancel"`, "cancel", "1")
		r.refused(t, w, "REMOTE_CANCELLED")
	})
}

var leavingPattern = regexp.MustCompile(`id="go"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*id="go"`)

// leave follows the link to another system from the page that says so.
func (w *walker) leave() {
	w.t.Helper()
	m := leavingPattern.FindStringSubmatch(w.body)
	if m == nil {
		w.t.Fatalf("no page that leads away: %s at %s\n%s", w.problem(), w.at, w.body)
	}
	w.get(html.UnescapeString(m[1] + m[2]))
}

// diiaRefusals: what a telephone sends that is no signature of the request changes nothing, for anybody may send it (threat
// T44); the request is then taken back, or runs out.
func diiaRefusals(t *testing.T) {
	d := startDev(t)
	r := refusing{d, "diia", "", "en"}
	link := regexp.MustCompile(`id="open-app" href="([^"]+)"`)
	request := func(t *testing.T, r refusing) (*walker, string) {
		t.Helper()
		w := r.open(t)
		w.press(`id="request"`, "action", "request")
		m := link.FindStringSubmatch(w.body)
		if m == nil {
			t.Fatalf("no link: %s at %s", w.problem(), w.at)
		}
		return w, m[1]
	}
	w, address := request(t, r)
	for _, m := range regexp.MustCompile(`name="action" value="([^"]+)"`).FindAllStringSubmatch(onPhone(t, address, "ignore"), -1) {
		t.Run(m[1], func(t *testing.T) {
			r := r
			w, address := request(t, r)
			switch action := m[1]; action {
			case "replay":
				_, first := request(t, r)
				onPhone(t, first, "approve")
				fallthrough
			case "refuse", "ignore", "late", "wrong-hash", "garbage":
				onPhone(t, address, action)
				w.press(`id="check"`)
				if !strings.Contains(w.body, `class="qr"`) || w.problem() != "" {
					t.Fatalf("it waits no more: %s at %s", w.problem(), w.at)
				}
				w.press(`id="cancel"`, "action", "cancel")
				r.refused(t, w, "REMOTE_CANCELLED")
			case "approve", "twice", "other":
				onPhone(t, address, action)
				w.press(`id="check"`)
				name := map[bool]string{true: "Інший Ігор Іванович", false: "Тестенко Олена Петрівна"}[action == "other"]
				if !strings.HasSuffix(w.at.Path, "/confirm") || !strings.Contains(w.body, name) {
					t.Fatalf("S8 does not show %s: %s at %s", name, w.problem(), w.at)
				}
			default:
				t.Errorf("%s is not walked", action)
			}
		})
	}
	t.Run("revoked", func(t *testing.T) {
		onPhoneAs(t, address, "approve", "revoked")
		w.press(`id="check"`)
		r.refused(t, w, "CERT_REVOKED")
		if !strings.Contains(w.body, `class="qr"`) {
			t.Error("a stranger with a revoked certificate has ended the wait")
		}
	})
}
