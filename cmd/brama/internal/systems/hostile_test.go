package systems_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/cmd/brama/internal/systems"
	"brama/connectors"
	"brama/connectors/bankid"
	"brama/connectors/cloud"
	"brama/connectors/diia"
	"brama/connectors/idgov"
	"brama/connectors/mobileid"
	"brama/internal/fetch"
)

// pressed is what a person does that makes a method ask its system: a press, or the way back from the system's page.
func pressed(t testing.TB, method string, c connectors.Connector) (connectors.Login, connectors.Event) {
	t.Helper()
	l := login(t, method)
	switch method {
	case idgov.Method, bankid.Method:
		step, err := c.Begin(t.Context(), l)
		to, ok := step.(connectors.Redirect)
		if !ok {
			t.Fatalf("%T, %v", step, err)
		}
		u, err := url.Parse(to.URL)
		if err != nil {
			t.Fatal(err)
		}
		l.State = to.State
		return l, connectors.Event{Via: connectors.ViaReturn, Values: url.Values{"state": {u.Query().Get("state")}, "code": {"0123456789abcdef"}}}
	case cloud.Method:
		return l, connectors.Event{Via: connectors.ViaForm, Values: url.Values{"provider": {"phone"}, "identifier": {number}}}
	case mobileid.Method:
		return l, connectors.Event{Via: connectors.ViaForm, Values: url.Values{"number": {number}}}
	}
	return l, connectors.Event{Via: connectors.ViaForm, Values: url.Values{"action": {diia.ActionRequest}}}
}

func codeOf(err error) string {
	var r *connectors.Refusal
	if errors.As(err, &r) && errors.Is(err, connectors.ErrRetry) {
		return r.Code
	}
	return ""
}

// A hostile is one server in the place of every system.
type hostile struct {
	server *httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	asked  atomic.Int32
}

func newHostile(t testing.TB) *hostile {
	h := &hostile{}
	h.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection is not seen
		(*h.answer.Load())(w, r)
	}))
	h.server.Config.ErrorLog = nil
	t.Cleanup(h.server.Close)
	return h
}

// client is an outbound client for which every name is h.
func (h *hostile) client(t testing.TB, trusted bool) *fetch.Client {
	t.Helper()
	cfg := fetch.Config{AllowLoopback: true, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}}
	if trusted {
		transport, ok := h.server.Client().Transport.(*http.Transport)
		if !ok {
			t.Fatal("the client of httptest has another transport")
		}
		cfg.TLS = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	}
	c, err := fetch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// methods are all five, their systems being h.
func (h *hostile) methods(t testing.TB, w *world, trusted bool) map[string]connectors.Connector {
	t.Helper()
	_, port, err := net.SplitHostPort(h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	text := w.settings("branch1", "offer1")
	for name, old := range w.ports {
		if _, err := net.LookupPort("tcp", old); err == nil && name != "banks" && name != "links" {
			text = strings.ReplaceAll(text, ":"+old, ":"+port)
		}
	}
	cfg := w.config(w.load(text))
	cfg.Outbound = h.client(t, trusted)
	methods, err := systems.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return methods
}

// TestHostileUpstream: a system that answers garbage, too much, a page or an error, drips, hangs or has a foreign certificate
// fails the press with the code of an outage, or of an answer that does not pass, and after three outages in a row it is left
// alone and said to be down, which costs no further call (threats T54, T96).
func TestHostileUpstream(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	h := newHostile(t)
	big := []byte(`{"message":"` + strings.Repeat("a", 10<<20) + `"}`)
	for _, c := range []struct {
		name string
		// unread says that something came which does not parse: idgov and bankid then tell of the answer.
		unread, trusted, slow bool
		answer                http.HandlerFunc
	}{
		{name: "garbage", unread: true, trusted: true, answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0, '{', '"'})
		}},
		{name: "nothing", unread: true, trusted: true, answer: func(http.ResponseWriter, *http.Request) {}},
		{name: "a page", unread: true, trusted: true, answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><title>Сервіс недоступний</title>"))
		}},
		{name: "10 MB", trusted: true, answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(big) }},
		{name: "503", trusted: true, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{name: "foreign certificate", answer: func(http.ResponseWriter, *http.Request) { t.Error("asked over a connection that is not proven") }},
		{name: "hangs", trusted: true, slow: true, answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{name: "drips", trusted: true, slow: true, answer: func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.answer.Store(&c.answer)
			for method, connector := range h.methods(t, w, c.trusted) {
				want := "REMOTE_DOWN"
				if c.unread && (method == idgov.Method || method == bankid.Method) {
					want = "UPSTREAM_INVALID"
				}
				l, ev := pressed(t, method, connector)
				down, ok := connector.(interface{ Down() bool })
				if !ok || down.Down() {
					t.Fatalf("%s: down before anything was asked", method)
				}
				for range 3 {
					ctx, cancel := t.Context(), context.CancelFunc(func() {})
					if c.slow { // the limit of whoever calls; each method's own is its own test
						ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
					}
					step, err := connector.Advance(ctx, l, ev)
					cancel()
					if _, done := step.(connectors.Done); done || codeOf(err) != want {
						t.Errorf("%s: %T, %v; want %s", method, step, err, want)
					}
				}
				if down.Down() != (want == "REMOTE_DOWN") {
					t.Errorf("%s: down is %v", method, down.Down())
				}
				if before := h.asked.Load(); want == "REMOTE_DOWN" {
					if _, err := connector.Advance(t.Context(), l, ev); codeOf(err) != "REMOTE_DOWN" || h.asked.Load() != before {
						t.Errorf("%s: left alone, it is asked: %v", method, err)
					}
				}
			}
		})
	}
}

// TestSlowUpstreamIsolated: while the calls of one method hang, more of them than connections to one host are made, every
// other method works (threat T96).
func TestSlowUpstreamIsolated(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	h := newHostile(t)
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	h.answer.Store(&hang)
	_, port, err := net.SplitHostPort(h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	// All systems but one are the doubles.
	c := w.setUp()
	c.Connectors.IDGov.URL = "https://" + net.JoinHostPort(host, port)
	w.write("roots.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.server.Certificate().Raw}))
	methods, err := systems.New(w.config(c))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var hanging sync.WaitGroup
	const calls = 24 // package fetch makes eight connections to one host
	for range calls {
		l, ev := pressed(t, idgov.Method, methods[idgov.Method])
		hanging.Go(func() { _, _ = methods[idgov.Method].Advance(ctx, l, ev) })
	}
	for h.asked.Load() < 8 {
		time.Sleep(time.Millisecond)
	}
	for _, method := range []string{diia.Method, cloud.Method, mobileid.Method} {
		l, ev := pressed(t, method, methods[method])
		step, err := methods[method].Advance(t.Context(), l, ev)
		if _, waits := step.(connectors.Wait); !waits {
			t.Errorf("%s: %T, %v", method, step, err)
		}
	}
	l := login(t, bankid.Method)
	step, err := methods[bankid.Method].Begin(t.Context(), l)
	l.State = state(t, step, err)
	step, err = methods[bankid.Method].Advance(t.Context(), l, w.away(step.(connectors.Redirect).URL, url.Values{"bank": {"kalyna"}}))
	if _, done := step.(connectors.Done); !done {
		t.Errorf("bankid: %T, %v", step, err)
	}
	if n := h.asked.Load(); n > 8 {
		t.Errorf("%d calls at once at the one that hangs", n)
	}
	cancel()
	hanging.Wait()
}
