package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// chromiumOwn are the hosts that Chromium itself asks, whatever page it shows: clock, updates, accounts, form filling. None
// gets through; a page that asked one of them is found by the browser harness.
var chromiumOwn = []string{"update.googleapis.com", "clients2.google.com", "accounts.google.com", "content-autofill.googleapis.com",
	"android.clients.google.com", "optimizationguide-pa.googleapis.com", "safebrowsing.googleapis.com", "www.google.com", "redirector.gvt1.com", "mtalk.google.com"}

// A sent is one request of the browser as it left.
type sent struct {
	method, url string
	header      http.Header
	body        []byte
}

// A wiretap is a proxy that keeps every request of the browser, worker threads included, and lets only loopback through.
type wiretap struct {
	*httptest.Server
	mu      sync.Mutex
	sent    []sent
	foreign []string
	change  func(path string, body []byte) []byte
}

// swap makes the proxy give what change makes of the body of each answer.
func (w *wiretap) swap(change func(path string, body []byte) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.change = change
}

func newWiretap(t testing.TB) *wiretap {
	w := &wiretap{}
	transport := &http.Transport{Proxy: nil}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		host := r.URL.Hostname()
		if host == "" {
			host, _, _ = strings.Cut(r.Host, ":")
		}
		w.mu.Lock()
		w.sent = append(w.sent, sent{r.Method, r.URL.String(), r.Header.Clone(), body})
		if host != "127.0.0.1" && host != "localhost" && !slices.Contains(chromiumOwn, host) {
			w.foreign = append(w.foreign, r.Method+" "+r.Host+" "+r.URL.String())
		}
		change := w.change
		w.mu.Unlock()
		if r.Method == http.MethodConnect || host != "127.0.0.1" && host != "localhost" {
			http.Error(rw, "only loopback", http.StatusBadGateway)
			return
		}
		out := r.Clone(r.Context())
		out.RequestURI, out.Body, out.ContentLength = "", io.NopCloser(bytes.NewReader(body)), int64(len(body))
		out.Header.Del("Proxy-Connection")
		if change != nil {
			out.Header.Set("Accept-Encoding", "identity")
		}
		resp, err := transport.RoundTrip(out)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			rw.Header()[k] = v
		}
		var answer io.Reader = resp.Body
		if change != nil {
			whole, err := io.ReadAll(resp.Body)
			if err != nil {
				http.Error(rw, err.Error(), http.StatusBadGateway)
				return
			}
			answer = bytes.NewReader(change(r.URL.Path, whole))
			rw.Header().Del("Content-Length")
		}
		rw.WriteHeader(resp.StatusCode)
		io.Copy(rw, answer)
	}))
	t.Cleanup(func() { w.Close(); transport.CloseIdleConnections() })
	return w
}

func (w *wiretap) requests() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sent(nil), w.sent...)
}

// assertSilent fails if anything that was sent holds a piece of secret, in the plain or in a usual encoding, or if
// anything was sent to another origin than loopback. A piece is 24 bytes, so that a part of a key is found and an object identifier is not taken for one; a shorter
// secret is searched for whole.
func (w *wiretap) assertSilent(t *testing.T, secrets map[string][]byte) {
	t.Helper()
	w.mu.Lock()
	foreign := append([]string(nil), w.foreign...)
	w.mu.Unlock()
	for _, f := range foreign {
		t.Errorf("a request left for another origin: %s", f)
	}
	requests := w.requests()
	if len(requests) < 5 {
		t.Fatalf("the wiretap saw only %d requests: it is not in the way", len(requests))
	}
	for name, secret := range secrets {
		for _, r := range requests {
			if where := find(r, secret); where != "" {
				t.Errorf("%s stands in the %s of %s %s", name, where, r.method, r.url)
			}
		}
	}
}

func find(r sent, secret []byte) string {
	places := map[string][]byte{"URL": []byte(r.url), "body": r.body}
	if unescaped, err := url.QueryUnescape(r.url); err == nil {
		places["URL (decoded)"] = []byte(unescaped)
	}
	if unescaped, err := url.QueryUnescape(string(r.body)); err == nil {
		places["body (decoded)"] = []byte(unescaped)
	}
	for k, v := range r.header {
		places["header "+k] = []byte(strings.Join(v, "\n"))
	}
	for place, text := range places {
		for _, piece := range pieces(secret) {
			if bytes.Contains(text, piece) {
				return place
			}
		}
	}
	return ""
}

// pieces cuts a secret and encodes the cuts: raw, hex, and base64 at its three alignments.
func pieces(secret []byte) (list [][]byte) {
	const size = 24
	for i := 0; i < len(secret); i += size {
		piece := secret[i:min(i+size, len(secret))]
		if len(piece) < size && i > 0 {
			break
		}
		lower := hex.EncodeToString(piece)
		list = append(list, piece, []byte(lower), []byte(strings.ToUpper(lower)))
		for shift := range 3 {
			if shift >= len(piece) {
				break
			}
			cut := piece[shift : shift+(len(piece)-shift)/3*3] // whole groups, so that neighbours do not matter
			if len(cut) >= 6 {
				list = append(list, []byte(base64.StdEncoding.EncodeToString(cut)), []byte(base64.URLEncoding.EncodeToString(cut)))
			}
		}
	}
	return list
}

// TestWiretapFinds breaks the assertion once on purpose: a key that was sent must be found, however it was encoded.
func TestWiretapFinds(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	for name, body := range map[string]string{
		"raw":              "xx" + string(secret[:24]),
		"base64":           base64.StdEncoding.EncodeToString(secret),
		"base64 shifted":   base64.StdEncoding.EncodeToString(append([]byte("z"), secret...)),
		"hex":              hex.EncodeToString(secret),
		"form":             url.Values{"k": {string(secret)}}.Encode(),
		"base64 in a form": url.Values{"k": {base64.StdEncoding.EncodeToString(secret)}}.Encode(),
	} {
		if find(sent{url: "http://127.0.0.1/", body: []byte(body)}, secret) == "" {
			t.Errorf("%s: not found", name)
		}
	}
	if where := find(sent{url: "http://127.0.0.1/", body: []byte("harmless")}, secret); where != "" {
		t.Errorf("found in the %s of a harmless request", where)
	}
}
