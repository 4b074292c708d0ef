package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDialRules(t *testing.T) {
	refused := []string{
		"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "0.0.0.0", "::", "0.1.2.3",
		"10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "100.64.0.1",
		"224.0.0.1", "ff02::1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "192.0.0.8",
		"64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2001:0:7f00:1::1", "2001:db8::1", "::127.0.0.1", "fec0::1",
	}
	c := newClient(t, Config{})
	for _, s := range refused {
		if c.allowed(netip.MustParseAddr(s)) {
			t.Errorf("%s is allowed", s)
		}
	}
	for _, s := range []string{"8.8.8.8", "193.29.204.1", "2a00:1450:4001:800::1", "::ffff:8.8.8.8"} {
		if !c.allowed(netip.MustParseAddr(s)) {
			t.Errorf("%s is refused", s)
		}
	}
	dev := newClient(t, Config{AllowLoopback: true})
	for s, want := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "0.0.0.0": false} {
		if got := dev.allowed(netip.MustParseAddr(s)); got != want {
			t.Errorf("with AllowLoopback %s: got %v, want %v", s, got, want)
		}
	}
	office := newClient(t, Config{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
	for s, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": false} {
		if got := office.allowed(netip.MustParseAddr(s)); got != want {
			t.Errorf("with AllowNetworks %s: got %v, want %v", s, got, want)
		}
	}
}

// TestDialRules/… over real requests: every spelling of a forbidden address fails at the dial, before a byte is sent.
func TestDialRulesByRequest(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	c := newClient(t, Config{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}})
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "name.example", "localhost"} {
		_, err := c.Do(t.Context(), Request{URL: "http://" + host + port, PlainHTTP: true})
		if !errors.Is(err, ErrAddress) {
			t.Errorf("%s: got %v, want ErrAddress", host, err)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

// A name that resolves to an outer address first and to an inner one later (DNS rebinding), or to both at once.
func TestDialRulesRebinding(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1) }))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	answers := [][]netip.Addr{
		{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("8.8.8.8")},
		{netip.MustParseAddr("127.0.0.1")},
	}
	n := 0
	c := newClient(t, Config{Resolve: func(context.Context, string) ([]netip.Addr, error) {
		n++
		return answers[min(n-1, len(answers)-1)], nil
	}})
	for range 2 {
		_, err := c.Do(t.Context(), Request{URL: "http://rebind.example" + port, PlainHTTP: true})
		if !errors.Is(err, ErrAddress) {
			t.Errorf("got %v, want ErrAddress", err)
		}
	}
	if hits.Load() != 0 {
		t.Error("a request arrived")
	}
	if n != 2 {
		t.Errorf("resolved %d times, want 2: each dial asks again", n)
	}
}

func TestScheme(t *testing.T) {
	c := newClient(t, Config{AllowLoopback: true})
	for raw, want := range map[string]error{
		"http://127.0.0.1:1/x":          ErrScheme,
		"ftp://127.0.0.1/":              ErrURL,
		"file:///etc/passwd":            ErrURL,
		"https://user:pass@example.com": ErrURL,
		"https:///nohost":               ErrURL,
		"https:opaque":                  ErrURL,
		"/relative":                     ErrURL,
		"https://example.com/#f":        ErrURL,
	} {
		if _, err := c.Do(t.Context(), Request{URL: raw}); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", raw, err, want)
		}
	}
}

func TestAllowHosts(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	c := newClient(t, Config{AllowLoopback: true, AllowHosts: []string{"listed.example"}})
	if _, err := c.Do(t.Context(), Request{URL: srv.URL, PlainHTTP: true}); !errors.Is(err, ErrAddress) {
		t.Errorf("got %v, want ErrAddress", err)
	}
}

func TestRedirects(t *testing.T) {
	var hits atomic.Int32
	end := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		io.WriteString(w, "end")
	}))
	defer end.Close()
	port := end.URL[strings.LastIndex(end.URL, ":"):]
	var location string
	start := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, location, http.StatusFound)
	}))
	defer start.Close()
	c := newClient(t, Config{AllowLoopback: true})

	location = end.URL
	res, err := c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true})
	if err != nil || res.Status != http.StatusFound || hits.Load() != 0 {
		t.Fatalf("without names: got %v, %v, %d hits", res, err, hits.Load())
	}
	res, err = c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true, RedirectHosts: []string{"127.0.0.1"}})
	if err != nil || string(res.Body) != "end" {
		t.Fatalf("with the name: got %v, %v", res, err)
	}
	if _, err = c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true, RedirectHosts: []string{"other.example"}}); !errors.Is(err, ErrRedirect) {
		t.Errorf("other name: got %v, want ErrRedirect", err)
	}
	location = "http://10.0.0.1" + port
	if _, err = c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true, RedirectHosts: []string{"10.0.0.1"}}); !errors.Is(err, ErrAddress) {
		t.Errorf("second hop inside: got %v, want ErrAddress", err)
	}
	location = end.URL
	if _, err = c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true, Body: []byte("x"), RedirectHosts: []string{"127.0.0.1"}}); !errors.Is(err, ErrRedirect) {
		t.Errorf("POST: got %v, want ErrRedirect", err)
	}
	location = start.URL
	if _, err = c.Do(t.Context(), Request{URL: start.URL, PlainHTTP: true, RedirectHosts: []string{"127.0.0.1"}}); !errors.Is(err, ErrRedirect) {
		t.Errorf("loop: got %v, want ErrRedirect", err)
	}
}

func TestLimits(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunked":
			for range 5 {
				w.Write(make([]byte, 1000))
				w.(http.Flusher).Flush()
			}
		case "/slow":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		default:
			w.Write(make([]byte, 5000))
		}
	}))
	defer srv.Close()
	c := newClient(t, Config{AllowLoopback: true, MaxBody: 4999, Timeout: 300 * time.Millisecond})
	for _, path := range []string{"/", "/chunked"} {
		if _, err := c.Do(t.Context(), Request{URL: srv.URL + path, PlainHTTP: true}); !errors.Is(err, ErrTooBig) {
			t.Errorf("%s: got %v, want ErrTooBig", path, err)
		}
		if res, err := c.Do(t.Context(), Request{URL: srv.URL + path, PlainHTTP: true, MaxBody: 5000}); err != nil || len(res.Body) != 5000 {
			t.Errorf("%s at the limit: got %v", path, err)
		}
	}
	if _, err := c.Do(t.Context(), Request{URL: srv.URL + "/header", PlainHTTP: true}); err == nil {
		t.Error("a header of 64 KiB was read")
	}
	if _, err := c.Do(t.Context(), Request{URL: srv.URL + "/slow", PlainHTTP: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow: got %v, want deadline", err)
	}
}

func TestErrorsHoldNoQuery(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // nothing listens there now
	c := newClient(t, Config{AllowLoopback: true})
	for _, raw := range []string{"http://" + addr + "/p?code=SECRET", "http://exa mple/?code=SECRET", "http://[::1/?SECRET", "http://10.0.0.1/?SECRET"} {
		_, err := c.Do(t.Context(), Request{URL: raw, PlainHTTP: true})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("got %v", err)
		}
		var e *url.Error
		if errors.As(err, &e) {
			t.Errorf("the chain holds the whole URL: %v", e.URL)
		}
	}
}

func TestNoProxyFromEnvironment(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	c := newClient(t, Config{AllowLoopback: true, Timeout: 300 * time.Millisecond, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return nil, errors.New("no such host")
	}})
	if _, err := c.Do(t.Context(), Request{URL: "http://outside.example/", PlainHTTP: true}); err == nil || proxied.Load() != 0 {
		t.Errorf("got %v, %d through the proxy", err, proxied.Load())
	}
}

// T96: an upstream that does not answer holds its own few connections and nobody else's.
func TestSlowUpstreamIsolated(t *testing.T) {
	release := make(chan struct{})
	var open atomic.Int32
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		open.Add(1)
		<-release
	}))
	defer slow.Close()
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer quick.Close()
	c := newClient(t, Config{AllowLoopback: true, Timeout: 10 * time.Second})
	done := make(chan struct{})
	for range 3 * maxConnections {
		go func() {
			c.Do(context.Background(), Request{URL: slow.URL, PlainHTTP: true})
			done <- struct{}{}
		}()
	}
	for open.Load() < maxConnections {
		time.Sleep(time.Millisecond)
	}
	start := time.Now()
	if _, err := c.Do(t.Context(), Request{URL: quick.URL, PlainHTTP: true, Timeout: 5 * time.Second}); err != nil {
		t.Errorf("the other upstream: %v after %s", err, time.Since(start))
	}
	if n := open.Load(); n > maxConnections {
		t.Errorf("%d requests at the slow one at once, want at most %d", n, maxConnections)
	}
	close(release)
	for range 3 * maxConnections {
		<-done
	}
}

func TestTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	defer srv.Close()
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	c := newClient(t, Config{AllowLoopback: true, TLS: &tls.Config{RootCAs: pool}})
	if res, err := c.Do(t.Context(), Request{URL: srv.URL}); err != nil || string(res.Body) != "ok" {
		t.Errorf("got %v, %v", res, err)
	}
	if _, err := newClient(t, Config{AllowLoopback: true}).Do(t.Context(), Request{URL: srv.URL}); err == nil {
		t.Error("an unknown authority is believed")
	}
}
