package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// workers counts the worker threads of the browser.
func (b *browser) workers() int {
	b.t.Helper()
	list, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return len(slices.DeleteFunc(list, func(i *target.Info) bool { return i.Type != "worker" }))
}

// TestWorkerGone: the worker that held the key is ended before the signature leaves, and when the page is left (T37).
func TestWorkerGone(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{})
	b.enter(d, "uk")
	if n := b.workers(); n != 1 {
		t.Fatalf("%d workers while the page waits for a key, want 1: the count proves nothing", n)
	}
	b.fill("", d.key(t, "valid", "pfx"), d.KeysPassword)
	b.click("Зчитати")
	b.see("#confirm")
	n := b.workers()
	for range 50 { // the list of the browser may be a moment behind
		if n == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
		n = b.workers()
	}
	t.Errorf("%d workers on S8, want none", n)
}

// TestButtonDelay: «Увійти» lives half a second after it can be seen, so that a click meant for something else does not
// sign anyone in (T42).
func TestButtonDelay(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{})
	b.enter(d, "uk")
	b.fill("", d.key(t, "valid", "pfx"), d.KeysPassword)
	b.click("Зчитати")
	b.see("#confirm")
	for range 400 {
		state := get(b, "asking for the button", chromedp.Evaluate[[]float64](`[document.querySelector("#confirm").disabled ? 0 : 1, performance.now()]`))
		if state[0] == 1 {
			if state[1] < 500 {
				t.Errorf("the button lives %v ms after the page began to load", state[1])
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the button never comes to life")
}
