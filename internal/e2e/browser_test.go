package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// stepLimit bounds one step of a walk. It is not a measure: a slow machine is given time.
const stepLimit = 40 * time.Second

// A browser is one Chromium with a profile of its own, all of whose traffic goes through a wiretap.
type browser struct {
	t    *testing.T
	ctx  context.Context
	wire *wiretap
	// reports are what the page complained of: policy violations, uncaught errors.
	reports *syncBuffer
}

type browserOptions struct {
	noScript bool
	width    int
	dark     bool
	// direct is an address that is reached without the wiretap: what answers for a missing program would else be the tap.
	direct string
	// agent is what the browser says it is; "" is Chromium on this system.
	agent string
}

func newBrowser(t *testing.T, o browserOptions) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium is not installed: run make setup")
	}
	b := &browser{t: t, wire: newWiretap(t), reports: new(syncBuffer)}
	if o.width == 0 {
		o.width = 1280
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // Chromium's sandbox does not run as root, and the pages are ours
		chromedp.ProxyServer(b.wire.URL),
		chromedp.Flag("proxy-bypass-list", strings.TrimSuffix("<-loopback>;"+o.direct, ";")),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-client-side-phishing-detection", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WindowSize(o.width, 1000),
	)
	if o.agent != "" {
		options = append(options, chromedp.UserAgent(o.agent))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); stop() })
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	b.must(chromedp.Call(ctx, network.Enable, network.EnableParams{}))
	requests := chromedp.Events(ctx, network.RequestWillBeSent)
	go func() {
		for r, err := range requests {
			if err != nil {
				return
			}
			if u, err := url.Parse(r.Request.URL); err == nil && u.Host != "" && u.Hostname() != "127.0.0.1" {
				fmt.Fprintf(b.reports, "the page asked another origin: %s\n", r.Request.URL)
			}
		}
	}()
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			// A refused request (4xx) is the browser's own message, and wanted in many walks.
			if m.IsException() || m.Type == "error" && m.Source != "network" {
				fmt.Fprintf(b.reports, "%s\n", m)
			}
		}
	}()
	if o.noScript {
		b.must(chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	} else {
		// Policy violations are caught in every document from its first byte.
		const watch = `document.addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sourceFile + ':' + e.lineNumber))`
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch}); err != nil {
			t.Fatal(err)
		}
	}
	if o.dark {
		b.must(chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	}
	return b
}

func (b *browser) must(_ cdp.Empty, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// do runs actions within the limit of a step and shows what the page was when they failed.
func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	for _, action := range actions {
		err := chromedp.Do(ctx, action)
		// A page that redraws itself takes the node away between finding and using it: found again.
		for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "node with given id") {
			err = chromedp.Do(ctx, action)
		}
		if err != nil {
			b.fail(what, err)
		}
	}
}

// get is do for one action with a value.
func get[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.fail(what, err)
	}
	return v
}

func (b *browser) fail(what string, err error) {
	b.t.Helper()
	b.shot("failed")
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	where, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	b.t.Fatalf("%s: %v\nat %s\n%s\nreports: %s", what, err, where, text, b.reports)
}

// shot leaves a screenshot in the ignored folder screenshots, named after the test.
func (b *browser) shot(name string) {
	b.t.Helper()
	dir, err := filepath.Abs("../../screenshots")
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no screenshot: %v", err)
		return
	}
	file := filepath.Join(dir, strings.NewReplacer("/", "-", " ", "_").Replace(b.t.Name())+"-"+name+".png")
	if os.MkdirAll(dir, 0o755) == nil {
		os.WriteFile(file, png, 0o644)
	}
}

// button finds a button or a link by its words, letter for letter.
func button(text string) chromedp.Search {
	return chromedp.Search(fmt.Sprintf(`//*[self::button or self::a or @role="tab" or @role="button"][normalize-space(.)=%q]`, text))
}

// click presses the button or link with these words.
func (b *browser) click(text string) {
	b.t.Helper()
	b.do("pressing «"+text+"»", chromedp.WaitEnabled(button(text)), chromedp.Click(button(text), chromedp.NodeVisible))
}

// see waits for a visible element.
func (b *browser) see(selector string) {
	b.t.Helper()
	b.do("waiting for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// provider chooses in the field «Провайдер» of the cloud.
func (b *browser) provider(id string) {
	b.t.Helper()
	b.see("#provider")
	if !get(b, "choosing "+id, chromedp.Evaluate[bool](`(() => { const s = document.querySelector("#provider"); s.value = "`+id+`";
		s.dispatchEvent(new Event("change")); return s.value === "`+id+`" })()`)) {
		b.t.Fatalf("there is no provider %s", id)
	}
}

// text returns the words of an element.
func (b *browser) text(selector string) string {
	b.t.Helper()
	b.see(selector)
	return strings.TrimSpace(get(b, "reading "+selector, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).innerText", selector))))
}

// open goes to an address.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do("opening "+address, chromedp.Navigate(address))
}

// noReports fails if a page complained.
func (b *browser) noReports() {
	b.t.Helper()
	if s := b.reports.String(); s != "" {
		b.t.Errorf("the page complained:\n%s", s)
	}
}

// A window of 320 CSS pixels: what WCAG 1.4.10 asks to fit.
var (
	setMetrics = emulation.SetDeviceMetricsOverride
	narrow     = emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 700, DeviceScaleFactor: 2, Mobile: true}
)
