package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe runs the rules of WCAG 2.2 AA over the page as it stands and returns the violations.
func (b *browser) axe(where string) {
	b.t.Helper()
	program, err := os.ReadFile("testdata/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		missing(b.t, "axe-core is not installed: run make setup")
	}
	if _, err := chromedp.Run(b.ctx, chromedp.EvaluateAsDevTools[chromedp.Void](string(program))); err != nil {
		b.t.Fatalf("loading axe: %v", err)
	}
	const run = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => {
		if (r.passes.length < 5) return ["axe looked at nothing"];
		return r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join(" | "))})`
	violations := get(b, "running axe", chromedp.Evaluate[[]string](run, chromedp.EvalAwaitPromise))
	if len(violations) > 0 {
		b.t.Errorf("%s: %d violations\n%s", where, len(violations), strings.Join(violations, "\n"))
	}
}

// TestAccessible runs axe over every screen of the file key's road in both languages, light and dark.
func TestAccessible(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--client", noticed(t))
	for i, lang := range []string{"uk", "en"} {
		t.Run(lang, func(t *testing.T) {
			b := newBrowser(t, browserOptions{dark: i == 1})
			read := words[lang]["read"]
			for _, page := range []string{"/help", "/accessibility", "/privacy", "/feedback"} {
				b.open(d.Issuer + page + "?lang=" + lang)
				b.axe(page)
			}
			b.open(d.Issuer + "/authorize?client_id=nobody")
			b.axe("S14")
			b.open(d.Portal + "/?lang=" + lang)
			b.axe("the portal")

			b.enter(d, lang)
			b.axe("S2")
			b.click(read)
			b.see("#problem[data-code=KEY_FILE_MISSING]")
			b.axe("S2 without a file")
			b.fill("", d.key(t, "valid", "dat"), "wrong")
			b.click(read)
			b.see("#problem[data-code=KEY_PASSWORD_WRONG]")
			b.axe("S2 after a wrong password")
			b.fill("", d.key(t, "revoked", "pfx"), d.KeysPassword)
			b.click(read)
			b.see("#problem[data-code=CERT_REVOKED]")
			b.axe("S2 after a refusal")
			b.fill("", d.key(t, "multi", "pfx"), d.KeysPassword)
			b.click(read)
			b.see("#keys")
			b.axe("S7")
			b.do("own program", chromedp.Click(chromedp.CSS("#to-upload"), chromedp.NodeVisible))
			b.see("#ask")
			b.axe("S16")
			b.do("asking", chromedp.Click(chromedp.CSS("#ask"), chromedp.NodeVisible))
			b.see("#signed")
			b.axe("S16 with a request")

			b.open(authorizeNoticed(d, "ui_locales", lang))
			b.do("waiting for the browser program", chromedp.WaitEnabled(chromedp.CSS("#read")))
			b.fill("", d.key(t, "valid-official", "pfx"), d.KeysPassword)
			b.click(read)
			b.see("#confirm")
			b.do("waiting for the button", chromedp.WaitEnabled(chromedp.CSS("#confirm")))
			b.axe("S8")
			b.do("entering without the tick", chromedp.Click(chromedp.CSS("#confirm"), chromedp.NodeVisible))
			b.see("#problem[data-code=CONSENT_NEEDED]")
			b.axe("S8 without the tick")
		})
	}
}
