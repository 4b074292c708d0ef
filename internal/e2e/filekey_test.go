package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"brama/internal/qes/keystore"
)

// enter opens the portal in a language and goes to the sign-in page.
func (b *browser) enter(d *dev, lang string) {
	b.t.Helper()
	b.open(d.Portal + "/?lang=" + lang)
	b.do("pressing the portal's entry", chromedp.Click(chromedp.CSS("#login"), chromedp.NodeVisible))
	b.see("#read")
	b.do("waiting for the browser program", chromedp.WaitEnabled(chromedp.CSS("#read")))
}

// fill chooses issuer, file and password on S2; an issuer of "" leaves the automatic choice.
func (b *browser) fill(issuer, file, password string) {
	b.t.Helper()
	if issuer != "" {
		b.do("choosing the issuer", chromedp.SetValue(chromedp.CSS("#issuer"), issuer))
	}
	if file != "" {
		b.do("choosing the file", chromedp.SetUploadFiles(chromedp.CSS("#keyfile"), []string{file}, chromedp.NodeReady))
	}
	b.do("typing the password", chromedp.Clear(chromedp.CSS("#password")), chromedp.SendKeys(chromedp.CSS("#password"), password, chromedp.NodeVisible))
}

var words = map[string]map[string]string{
	"uk": {"read": "Зчитати", "enter": "Увійти", "issuer": "Оберіть АЦСК", "key": "Особистий ключ", "password": "Пароль захисту ключа", "choose": "Обрати",
		"heading": "Вхід до особистого кабінету", "tab": "Файловий ключ", "check": "Перевірте дані підписувача"},
	"en": {"read": "Read", "enter": "Sign in", "issuer": "Issuer (CA)", "key": "Private key", "password": "Key password", "choose": "Choose",
		"heading": "Sign in to your account", "tab": "File key", "check": ""},
}

// confirm checks S8 and signs in; it ends on the portal.
func (b *browser) confirm(lang string) {
	b.t.Helper()
	b.see("#confirm")
	if w := words[lang]["check"]; w != "" && b.text("h1") != w {
		b.t.Errorf("S8 says %q, want %q", b.text("h1"), w)
	}
	if get(b, "looking for the tick", chromedp.Evaluate[bool](`!!document.querySelector("#consent")`)) {
		b.do("ticking the consent", chromedp.Click(chromedp.CSS("#consent"), chromedp.NodeVisible))
	}
	b.do("signing in", chromedp.WaitEnabled(chromedp.CSS("#confirm")), chromedp.Click(chromedp.CSS("#confirm"), chromedp.NodeVisible))
	b.see("#profile")
}

// claim returns a value from the portal's profile page.
func (b *browser) claim(name string) string {
	b.t.Helper()
	return get(b, "reading "+name, chromedp.Evaluate[string](`(document.querySelector('[data-claim="`+name+`"]')||{textContent:""}).textContent.trim()`))
}

// TestFileKey is the journey of the first issue: portal, «Файловий ключ», issuer, file, password, «Зчитати», data,
// «Увійти», and the portal shows the name, with every container format and in both languages.
func TestFileKey(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	for _, lang := range []string{"uk", "en"} {
		for _, format := range []string{"dat", "pfx", "jks", "pk8"} {
			t.Run(lang+"/"+format, func(t *testing.T) {
				b := newBrowser(t, browserOptions{})
				file := d.key(t, "valid", format)
				b.enter(d, lang)
				for name, selector := range map[string]string{"heading": "h1", "tab": "#tab-file", "issuer": "label[for=issuer]", "key": "#key-label", "choose": "#choose", "password": "label[for=password]", "read": "#read"} {
					if got := b.text(selector); got != words[lang][name] {
						t.Errorf("%s: the page says %q, want %q", name, got, words[lang][name])
					}
				}
				if format == "dat" {
					b.shot("s2")
				}
				b.fill("", file, d.KeysPassword)
				b.click(words[lang]["read"])
				b.see("#confirm")
				if format == "dat" {
					b.shot("s8")
				}
				b.confirm(lang)
				name := b.text("#who")
				if name == "" || name != b.claim("name") {
					t.Errorf("the portal shows %q, the token says %q", name, b.claim("name"))
				}
				if n := b.claim("rnokpp"); len(n) != 10 {
					t.Errorf("rnokpp is %q", n)
				}
				if got := b.claim("acr"); got != "substantial" {
					t.Errorf("acr is %q, want substantial: a file can be copied", got)
				}
				if format == "dat" {
					b.shot("portal")
				}
				b.noReports()

				secrets := privateParts(t, file, d.KeysPassword)
				secrets["the password"] = []byte(d.KeysPassword)
				b.wire.assertSilent(t, secrets)
			})
		}
	}
}

// privateParts returns what of a key container must not leave the browser: everything between the certificates that may
// stand in it in the clear (they are sent, with the signature), and the private keys that are inside.
func privateParts(t *testing.T, file, password string) map[string][]byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := keystore.Open(keystore.NewStdPrimitives(), raw, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for i, k := range opened.Keys {
		parts[fmt.Sprintf("private key %d", i)] = k.DSTU.Bytes()
	}
	// Certificates are sent with the signature, and a key's id stands in its certificate.
	public := opened.Certificates
	for _, k := range opened.Keys {
		public = append(public, k.ID, k.IDKupyna)
	}
	private := [][]byte{raw}
	for _, c := range public {
		var cut [][]byte
		for _, p := range private {
			cut = append(cut, bytes.Split(p, c)...)
		}
		private = cut
	}
	if len(opened.Certificates) > 1 && len(private) == 1 {
		t.Fatalf("no certificate of %s was found in the clear", file)
	}
	for i, p := range private {
		parts[fmt.Sprintf("part %d of the container (%d bytes)", i, len(p))] = p
	}
	return parts
}

// refusals are the demo keys that must not get in, each with the code of its message.
var refusals = map[string]string{
	"seal":          "CERT_SEAL",
	"expired":       "CERT_EXPIRED",
	"not-yet-valid": "CERT_NOT_YET_VALID",
	"revoked":       "CERT_REVOKED",
	"suspended":     "CERT_SUSPENDED",
	"unknown":       "CERT_STATUS_UNKNOWN",
	"no-taxno":      "CERT_NO_TAXNO",
	"no-cert":       "KEY_CERT_NOT_FOUND",
	"damaged":       "KEY_DAMAGED",
}

// message returns the text and next step of a code from the locale files.
func message(t *testing.T, lang, code string) (text, next string) {
	t.Helper()
	raw, err := os.ReadFile("../../provider/web/locales/" + lang + "/codes.json")
	if err != nil {
		t.Fatal(err)
	}
	var codes map[string]string
	if err := json.Unmarshal(raw, &codes); err != nil {
		t.Fatal(err)
	}
	if codes[code] == "" || codes[code+".next"] == "" {
		t.Fatalf("%s has no text or next step in %s", code, lang)
	}
	return codes[code], codes[code+".next"]
}

// TestDemoKeys reads each demo key once and sees the right message; the person stays on the page with file and issuer.
func TestDemoKeys(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	for _, lang := range []string{"uk", "en"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, browserOptions{})
			for outcome, code := range refusals {
				b.enter(d, lang)
				b.fill("", d.key(t, outcome, "pfx"), d.KeysPassword)
				b.click(words[lang]["read"])
				b.see("#problem[data-code=" + code + "]")
				text, _ := message(t, lang, code)
				fixed, _, _ := strings.Cut(text, "{")
				if got := b.text("#problem"); !strings.Contains(got, strings.TrimSpace(fixed)) || strings.Contains(got, "{") {
					t.Errorf("%s: the page says %q, the text of %s begins %q", outcome, got, code, fixed)
				}
				b.shot(outcome)
			}
			b.noReports()
		})
	}
}

// TestOtherKeysGetIn: an official chooses a role, a key of another issuer is read by choosing that issuer or none, and of
// three certificates the person takes one.
func TestOtherKeysGetIn(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	t.Run("official", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.enter(d, "uk")
		b.fill("", d.key(t, "valid-official", "jks"), d.KeysPassword)
		b.click("Зчитати")
		b.see("#confirm")
		b.do("choosing the role", chromedp.Click(chromedp.CSS("#role-organization"), chromedp.NodeVisible))
		b.shot("roles")
		b.confirm("uk")
		if b.claim("edrpou") == "" || b.claim("organization") == "" {
			t.Errorf("edrpou %q, organization %q", b.claim("edrpou"), b.claim("organization"))
		}
	})
	t.Run("official as a person", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.enter(d, "uk")
		b.fill("", d.key(t, "valid-official", "pfx"), d.KeysPassword)
		b.click("Зчитати")
		b.see("#confirm")
		b.do("choosing the role", chromedp.Click(chromedp.CSS("#role-person"), chromedp.NodeVisible))
		b.confirm("uk")
		if b.claim("edrpou") != "" || b.claim("organization") != "" {
			t.Errorf("a person's token has edrpou %q, organization %q", b.claim("edrpou"), b.claim("organization"))
		}
	})
	t.Run("multi", func(t *testing.T) {
		b := newBrowser(t, browserOptions{})
		b.enter(d, "uk")
		b.fill("", d.key(t, "multi", "pfx"), d.KeysPassword)
		b.click("Зчитати")
		b.see("#keys")
		b.shot("s7")
		b.do("choosing a certificate", chromedp.Click(chromedp.CSS("#keys-list input[type=radio]:not([disabled])"), chromedp.NodeVisible))
		b.do("using it", chromedp.Click(chromedp.CSS("#use-key"), chromedp.NodeVisible))
		b.confirm("uk")
		if b.text("#who") == "" {
			t.Error("nobody is signed in")
		}
	})
}

// TestWrongPassword: after a wrong password the file and the issuer are still chosen and only the password is typed again.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	for _, format := range []string{"dat", "pfx", "jks", "pk8"} {
		t.Run(format, func(t *testing.T) {
			b := newBrowser(t, browserOptions{})
			b.enter(d, "uk")
			issuer := get(b, "reading the issuers", chromedp.Evaluate[string](`document.querySelectorAll("#issuer option")[1].value`))
			b.fill(issuer, d.key(t, "valid", format), "не той пароль")
			b.click("Зчитати")
			b.see("#problem[data-code=KEY_PASSWORD_WRONG]")
			b.shot("wrong")
			state := get(b, "reading the form", chromedp.Evaluate[[]string](`[document.querySelector("#issuer").value, document.querySelector("#key-name").textContent.trim(), document.querySelector("#password").value, document.title, document.querySelector("#password").getAttribute("aria-invalid")||""]`))
			if state[0] != issuer || state[1] != "valid."+format || state[2] != "" {
				t.Errorf("issuer %q (want %q), file %q, password %q", state[0], issuer, state[1], state[2])
			}
			if !strings.HasPrefix(state[3], "Помилка: ") || state[4] != "true" {
				t.Errorf("title %q, aria-invalid %q", state[3], state[4])
			}
			b.fill("", "", d.KeysPassword)
			b.click("Зчитати")
			b.confirm("uk")
			b.wire.assertSilent(t, map[string][]byte{"the wrong password": []byte("не той пароль")})
		})
	}
}

// TestOtherIssuer: a key of one issuer with another chosen says which issuer it is, and offers to take it.
func TestOtherIssuer(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{})
	b.enter(d, "uk")
	issuer := get(b, "reading the issuers", chromedp.Evaluate[string](`document.querySelectorAll("#issuer option")[1].value`))
	b.fill(issuer, d.key(t, "other-issuer", "pfx"), d.KeysPassword)
	b.click("Зчитати")
	b.see("#problem[data-code=KEY_ISSUER_MISMATCH]")
	b.shot("mismatch")
}
