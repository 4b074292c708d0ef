package e2e

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"brama/internal/qes/asic"
)

// focused returns the id of the element with the focus.
func (b *browser) focused() string {
	b.t.Helper()
	return get(b, "asking for the focus", chromedp.Evaluate[string](`(document.activeElement && document.activeElement.id) || ""`))
}

func (b *browser) key(name string) {
	b.t.Helper()
	b.do("a key", chromedp.KeyEvent(name))
}

// TestKeyboardOnPages walks the tabs, a wait for a telephone, S6, S16 and the pages of help without a mouse.
func TestKeyboardOnPages(t *testing.T) {
	t.Parallel()
	d := startDev(t)
	b := newBrowser(t, browserOptions{})
	b.open(d.Portal + "/login?lang=uk")
	b.see("#read")
	b.key(kb.Tab)
	if got := b.focused(); got != "skip" {
		t.Fatalf("the first stop is #%s, not the way to the content", got)
	}
	b.tabTo("tab-file")
	// Arrows move the focus and open nothing; Enter opens.
	b.key(kb.ArrowRight)
	b.key(kb.ArrowRight)
	if got := b.focused(); got != "tab-diia" {
		t.Fatalf("after two arrows the focus is on #%s", got)
	}
	b.key(kb.Home)
	b.key(kb.ArrowLeft)
	b.key(kb.End)
	b.key(kb.ArrowRight)
	b.key(kb.ArrowRight)
	b.key(kb.ArrowRight)
	if got := b.focused(); got != "tab-diia" {
		t.Fatalf("after a round the focus is on #%s", got)
	}
	b.see("#read")
	b.key(kb.Enter)
	b.see("#request")
	b.do("going back", chromedp.NavigateBack())
	b.see("#read")
	b.do("going on", chromedp.NavigateForward())
	b.see("#request")
	b.tabTo("request")
	b.key(kb.Enter)
	b.see("#open-app")
	b.tabTo("open-app")
	b.tabTo("copy")
	b.tabTo("check")
	b.tabTo("cancel")
	b.key(kb.Enter)
	b.see("#problem[data-code=REMOTE_CANCELLED]")
	if got := b.focused(); got != "problem" {
		t.Errorf("after the cancellation the focus is on #%s, not on what is told", got)
	}
	b.tabTo("to-help")
	b.key(kb.Enter)
	b.do("waiting for help", chromedp.WaitVisible(chromedp.Search(`//h1[normalize-space(.)="Допомога"]`)))
	b.key(kb.Tab)
	b.key(kb.Enter) // the way to the content
	if got := b.focused(); got != "main" {
		t.Errorf("the way to the content leads to #%s", got)
	}
	b.tabTo("to-privacy")
	b.key(kb.Enter)
	b.see("#kept")
	b.noReports()
}

// TestPagesWithoutScript: tabs are links, the language switches, guides and pages of help read, in a browser whose JavaScript
// is off.
func TestPagesWithoutScript(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{noScript: true, width: 390})
	b.open(d.Portal + "/login?lang=uk&prompt=create")
	b.see("#tab-idgov")
	b.do("opening a tab", chromedp.Click(chromedp.CSS("#tab-idgov"), chromedp.NodeVisible))
	b.see("#entry-bankid")
	b.shot("s6")
	b.do("opening help", chromedp.Click(chromedp.CSS("#to-help"), chromedp.NodeVisible))
	b.do("the guides", chromedp.Click(chromedp.CSS(`main a[href$="/docs"]`), chromedp.NodeVisible))
	b.do("one guide", chromedp.Click(chromedp.CSS(`a[href$="/docs/sign-in"]`), chromedp.NodeVisible))
	b.do("waiting for it", chromedp.WaitVisible(chromedp.Search(`//h1[normalize-space(.)="Сторінка входу"]`)))
	b.do("switching the language", chromedp.Click(chromedp.CSS(`[data-lang="en"]`), chromedp.NodeVisible))
	b.do("waiting for it", chromedp.WaitVisible(chromedp.Search(`//h1[normalize-space(.)="The sign-in page"]`)))
	b.shot("guide")
}

// TestOwnProgramContainer is S16 with an ASiC-E container, by plain forms.
func TestOwnProgramContainer(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	w := newWalker(t, "")
	w.get(d.Portal + "/login")
	request := w.toRequest()
	sign := func(manifest []byte) ([]byte, error) {
		return create(t, d.key(t, "valid", "pfx"), d.KeysPassword, manifest), nil
	}
	pack := func(documents ...asic.Document) []byte {
		b, err := asic.Pack(documents, sign)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	text := asic.Document{Name: "request.txt", Content: request}
	var plain bytes.Buffer
	z := zip.NewWriter(&plain)
	if f, err := z.Create("request.txt"); err != nil {
		t.Fatal(err)
	} else if _, err = f.Write(request); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"a contract beside it", pack(text, asic.Document{Name: "contract.txt", Content: []byte("договір")}), "UPLOAD_OTHER_CONTENT"},
		{"no signature in it", plain.Bytes(), "FORMAT_UNSUPPORTED"},
	} {
		w.upload("request.asice", c.file)
		if w.problem() != c.want {
			t.Errorf("%s: got %q, want %q", c.name, w.problem(), c.want)
		}
	}
	w.upload("request.asice", pack(text))
	w.press(`id="confirm"`)
	if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") || !strings.Contains(w.body, "Тестенко") {
		t.Fatalf("ended at %s: %s\n%s", w.at, w.problem(), w.body)
	}
}

// TestLastMethodOpens: without a hint of the portal the tab opens by which this browser signed in last time, and «Забути» ends
// that.
func TestLastMethodOpens(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	w := newWalker(t, "")
	w.get(d.Portal + "/login")
	request := w.toRequest()
	w.upload("request.txt.p7s", create(t, d.key(t, "valid", "pfx"), d.KeysPassword, request))
	if !strings.HasSuffix(w.at.Path, "/confirm") {
		t.Fatalf("S8 is not there: at %s %s", w.at, w.problem())
	}
	w.get(d.Portal + "/login?prompt=login")
	if !strings.HasSuffix(w.at.Path, "/upload") {
		t.Fatalf("the sign-in opens at %s", w.at)
	}
	w.follow("forget-method")
	w.get(d.Portal + "/login?prompt=login")
	if !strings.HasSuffix(w.at.Path, "/file") {
		t.Errorf("after «Забути» the sign-in opens at %s", w.at)
	}
}
