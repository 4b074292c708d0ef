package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// inWorker evaluates an expression in the one worker of the page, and waits for it if it is a promise.
func inWorker[T any](b *browser, what, expression string) T {
	b.t.Helper()
	list, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(i *target.Info) bool { return i.Type == "worker" })
	if i < 0 {
		b.t.Fatalf("%s: no worker is there", what)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(list[i].TargetID))
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatalf("%s: attaching to the worker: %v", what, err)
	}
	limited, stop := context.WithTimeout(ctx, stepLimit)
	defer stop()
	v, err := chromedp.Run(limited, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// TestWorkerCannotFetch: where the key is, nothing can be sent from: neither to our own server nor to another, by any
// means that a worker has (T35).
func TestWorkerCannotFetch(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var reached []string
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		reached = append(reached, r.URL.Path)
		mu.Unlock()
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "text/javascript")
	}))
	t.Cleanup(outside.Close)
	d := sharedDev(t)
	b := newBrowser(t, browserOptions{})
	b.enter(d, "uk")
	before := len(b.wire.requests())

	// The same words in the page itself reach our server: they are right, and it is the worker's policy that stops them.
	if got := get(b, "fetching in the page", chromedp.Evaluate[string](`fetch("/healthz?page").then((r) => "status " + r.status, () => "refused")`, chromedp.EvalAwaitPromise)); got != "status 200" {
		t.Fatalf("the page: %s", got)
	}
	own, foreign := quote(t, d.Issuer+"/healthz?worker"), quote(t, outside.URL+"/worker")
	ws := func(quoted string) string { return strings.Replace(quoted, `"http`, `"ws`, 1) }
	for name, expression := range map[string]string{
		"fetch":              `fetch(URL).then((r) => "status " + r.status, () => "refused")`,
		"fetch, no-cors":     `fetch(URL, {method: "POST", mode: "no-cors", body: "x"}).then((r) => "type " + r.type, () => "refused")`,
		"fetch, keepalive":   `fetch(URL, {method: "POST", keepalive: true, body: "x"}).then((r) => "status " + r.status, () => "refused")`,
		"XMLHttpRequest":     `new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done("status " + x.status); x.onerror = () => done("refused"); try { x.open("GET", URL); x.send(); } catch { done("refused"); } })`,
		"XMLHttpRequest now": `(() => { try { const x = new XMLHttpRequest(); x.open("GET", URL, false); x.send(); return "status " + x.status; } catch { return "refused"; } })()`,
		"EventSource":        `new Promise((done) => { try { const e = new EventSource(URL); e.onopen = () => done("open"); e.onerror = () => { if (e.readyState === 2) done("refused"); }; } catch { done("refused"); } })`,
		"WebSocket":          `new Promise((done) => { try { const s = new WebSocket(WS); s.onopen = () => done("open"); s.onerror = () => done("refused"); } catch { done("refused"); } })`,
		"Worker":             `new Promise((done) => { try { const w = new Worker(URL); w.onmessage = () => done("message"); w.onerror = () => done("refused"); } catch { done("refused"); } })`,
		"import":             `import(URL).then(() => "imported", () => "refused")`,
	} {
		for where, address := range map[string]string{"ours": own, "another": foreign} {
			script := strings.NewReplacer("URL", address, "WS", ws(address)).Replace(expression)
			if name == "import" || name == "Worker" {
				if where == "ours" {
					continue // our own scripts may be loaded: that is how the program gets in
				}
			}
			if got := inWorker[string](b, name, script); got != "refused" {
				t.Errorf("%s to %s: %s", name, where, got)
			}
		}
	}
	if got := inWorker[string](b, "importScripts", `(() => { try { importScripts(`+foreign+`); return "imported"; } catch { return "refused"; } })()`); got != "refused" {
		t.Errorf("importScripts: %s", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(reached) > 0 {
		t.Errorf("another server got %v", reached)
	}
	for _, r := range b.wire.requests()[before:] {
		if strings.Contains(r.url, "worker") {
			t.Errorf("it left the browser: %s %s", r.method, r.url)
		}
	}
}

func quote(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWasmHashPinned: a browser program other than the one the page was made with does not run, though it is sound and
// comes from our address: the person is told, and «Зчитати» stays dead (T41).
func TestWasmHashPinned(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	for _, test := range []struct {
		name string
		tail []byte
		runs bool
	}{
		{"the same", nil, true},
		// A custom section without a content: a program like the one before, of another hash.
		{"another", []byte{0, 2, 1, 'x'}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBrowser(t, browserOptions{})
			var swapped atomic.Int32
			b.wire.swap(func(path string, body []byte) []byte {
				if !strings.HasSuffix(path, ".wasm") {
					return body
				}
				swapped.Add(1)
				return append(slices.Clone(body), test.tail...)
			})
			b.open(d.Portal + "/")
			b.do("pressing the portal's entry", chromedp.Click(chromedp.CSS("#login"), chromedp.NodeVisible))
			if test.runs {
				b.do("waiting for the browser program", chromedp.WaitEnabled(chromedp.CSS("#read")))
			} else {
				b.see("#problem[data-code=KEY_PROGRAM_FAILED]")
				if !get(b, "looking at «Зчитати»", chromedp.Evaluate[bool](`document.querySelector("#read").disabled`)) {
					t.Error("«Зчитати» lives with a program that is not ours")
				}
				if n := b.workers(); n != 0 {
					t.Errorf("%d workers", n)
				}
			}
			if swapped.Load() == 0 {
				t.Error("the program did not come through the proxy: the test proves nothing")
			}
		})
	}
}
