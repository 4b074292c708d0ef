package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabTo presses Tab until the focus is on an element, which must show a focus ring; it gives up after a whole round.
func (b *browser) tabTo(id string) {
	b.t.Helper()
	var seen []string
	for range 80 {
		b.do("Tab", chromedp.KeyEvent(kb.Tab))
		at := get(b, "asking for the focus", chromedp.Evaluate[string](`(document.activeElement && document.activeElement.id) || ""`))
		if at == id {
			outline := get(b, "asking for the ring", chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`))
			if outline == "none" {
				b.t.Errorf("#%s has the focus and shows no ring", id)
			}
			return
		}
		seen = append(seen, at)
	}
	b.fail("Tab to #"+id+", passed "+strings.Join(seen, " "), errNotReached)
}

type constError string

func (e constError) Error() string { return string(e) }

const errNotReached = constError("not reached")

// TestKeyboardOnly signs in without a mouse.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--client", noticed(t))
	b := newBrowser(t, browserOptions{})
	b.must(chromedp.Call(b.ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}))
	choosers := chromedp.Events(b.ctx, page.FileChooserOpened)
	b.open(authorizeNoticed(d))
	b.see("#read")
	b.do("waiting for the browser program", chromedp.WaitEnabled(chromedp.CSS("#read")))
	b.tabTo("issuer")
	b.tabTo("choose")
	b.do("Enter", chromedp.KeyEvent(kb.Enter))
	chosen := make(chan error, 1)
	go func() {
		for ev, err := range choosers {
			if err == nil {
				_, err = chromedp.Call(b.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{d.key(t, "valid", "dat")}, BackendNodeID: ev.BackendNodeID})
			}
			chosen <- err
			return
		}
	}()
	select {
	case err := <-chosen:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(stepLimit):
		t.Fatal("«Обрати» opened no file dialog")
	}
	b.tabTo("password")
	b.do("typing", chromedp.KeyEvent(d.KeysPassword))
	b.do("Enter", chromedp.KeyEvent(kb.Enter)) // reads the key, as a person expects of a password field
	b.see("#confirm")
	b.tabTo("consent")
	b.do("Space", chromedp.KeyEvent(" "))
	b.do("waiting for «Увійти»", chromedp.WaitEnabled(chromedp.CSS("#confirm")))
	b.tabTo("confirm")
	b.do("Enter", chromedp.KeyEvent(kb.Enter))
	for range 100 {
		if where := get(b, "looking where we are", chromedp.Evaluate[string]("location.href")); strings.Contains(where, "code=") || strings.HasPrefix(where, "chrome-error:") {
			return // nobody listens at the client's address: the browser says so in its own way
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.fail("returning to the client", errNotReached)
}

// TestWithoutScript: with JavaScript switched off the page says so and offers the person's own program.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{noScript: true, width: 390})
	b.open(d.Portal + "/login")
	b.see("#to-upload")
	b.shot("s2")
	b.do("own program", chromedp.Click(chromedp.CSS("#to-upload"), chromedp.NodeVisible))
	b.see("#ask")
	b.do("asking for the request", chromedp.Click(chromedp.CSS("#ask"), chromedp.NodeVisible))
	b.see("#download")
	b.see("#signed")
	b.shot("s16")
}

// TestNarrowAndDark: at 320 px nothing is cut off sideways, in the dark theme too.
func TestNarrowAndDark(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{width: 320, dark: true})
	b.must(chromedp.Call(b.ctx, setMetrics, narrow))
	wide := func(where string) {
		t.Helper()
		b.shot(where)
		if over := get(b, "measuring", chromedp.Evaluate[float64](`document.documentElement.scrollWidth - window.innerWidth`)); over > 0 {
			t.Errorf("%s is %v px wider than the window", where, over)
		}
	}
	b.enter(d, "uk")
	wide("s2")
	b.fill("", d.key(t, "valid-official", "pfx"), d.KeysPassword)
	b.click("Зчитати")
	b.see("#confirm")
	wide("s8")
	b.noReports()
}
