package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brama/cmd/brama-agent/internal/login"
	"brama/cmd/brama-agent/internal/peer"
	"brama/internal/challenge"
)

const (
	site      = "https://id.example.gov.ua"
	otherSite = "https://id.example.org"
)

// A world is a Door on a port of its own.
type world struct {
	t     *testing.T
	host  string
	calls atomic.Int32
	log   bytes.Buffer
}

func open(t *testing.T, change func(*Config)) *world {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	w := &world{t: t, host: fmt.Sprintf("127.0.0.1:%d", port)}
	c := Config{
		Origins: []string{site, site + ":8443", otherSite}, Port: port, Version: "1.2.3",
		Login: func(context.Context, login.Request) ([]byte, error) {
			w.calls.Add(1)
			return []byte("signature"), nil
		},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	if change != nil {
		change(&c)
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Serve(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for range 200 {
		conn, err := net.Dial("tcp4", w.host)
		if err == nil {
			_ = conn.Close()
			return w
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the door does not open")
	return nil
}

// A call is one request; empty fields are left as a page sends them.
type call struct {
	method, path, host string
	origin             []string
	body               string
	header             http.Header
}

func (w *world) do(c call) (*http.Response, string) {
	w.t.Helper()
	if c.method == "" {
		c.method = http.MethodGet
	}
	if c.path == "" {
		c.path = "/v1/version"
	}
	r, err := http.NewRequestWithContext(w.t.Context(), c.method, "http://"+w.host+c.path, strings.NewReader(c.body))
	if err != nil {
		w.t.Fatal(err)
	}
	if c.host != "" {
		r.Host = c.host
	}
	for k, v := range c.header {
		r.Header[k] = v
	}
	for _, o := range c.origin {
		r.Header.Add("Origin", o)
	}
	if c.body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(b)
}

func challengeOf(t *testing.T, issuer, method string) []byte {
	t.Helper()
	b, err := challenge.Challenge{Issuer: issuer, Client: "cabinet", Host: "cabinet.example.gov.ua", Method: method, Login: "l1",
		Nonce: [32]byte{1}, Expires: time.Date(2026, 11, 21, 18, 40, 0, 0, time.UTC)}.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func loginBody(t *testing.T, issuer string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"challenge": challengeOf(t, issuer, Method), "language": "uk"})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func code(body string) string {
	var p problem
	_ = json.Unmarshal([]byte(body), &p)
	return p.Code
}

// TestOriginTable: only an origin of the list, octet for octet, gets a word; a WebSocket is no way round (T56).
func TestOriginTable(t *testing.T) {
	w := open(t, nil)
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"}}
	for _, c := range []struct {
		name   string
		origin []string
		want   int
	}{
		{"of the list", []string{site}, 200},
		{"of the list, with its port", []string{site + ":8443"}, 200},
		{"absent", nil, 403},
		{"empty", []string{""}, 403},
		{"null", []string{"null"}, 403},
		{"other port", []string{site + ":8444"}, 403},
		{"default port written", []string{site + ":443"}, 403},
		{"http", []string{"http://id.example.gov.ua"}, 403},
		{"other host", []string{"https://evil.example"}, 403},
		{"below it", []string{"https://a.id.example.gov.ua"}, 403},
		{"begins like it", []string{site + ".evil.example"}, 403},
		{"ends like it", []string{"https://evil-id.example.gov.ua"}, 403},
		{"upper case", []string{"https://ID.example.gov.ua"}, 403},
		{"slash", []string{site + "/"}, 403},
		{"two", []string{site, "https://evil.example"}, 403},
		{"a list in one", []string{site + " https://evil.example"}, 403},
		{"own address", []string{"http://" + w.host}, 403},
		{"extension", []string{"chrome-extension://jffafkigfgmjafhpkoibhfefeaebmccg"}, 403},
	} {
		for _, header := range []http.Header{nil, upgrade} {
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				resp, body := w.do(call{method: method, origin: c.origin, header: header})
				want := c.want
				if want == 200 && method == http.MethodOptions {
					want = 204
				}
				if resp.StatusCode != want {
					t.Errorf("%s, %s: status %d, want %d", c.name, method, resp.StatusCode, want)
				}
				allowed := resp.Header.Get("Access-Control-Allow-Origin")
				if c.want == 200 && allowed != c.origin[0] || c.want != 200 && (allowed != "" || body != "") {
					t.Errorf("%s, %s: allows %q and says %q", c.name, method, allowed, body)
				}
			}
		}
	}
}

// TestRebinding: a name that was made to lead to the loopback is refused, whatever its Origin (T56).
func TestRebinding(t *testing.T) {
	w := open(t, func(c *Config) { c.Origins = append(c.Origins, "http://evil.example", "http://localhost") })
	port := w.host[strings.LastIndex(w.host, ":"):]
	for _, host := range []string{"evil.example" + port, "evil.example", "localhost" + port, "127.0.0.1", "127.0.0.1:1", "127.1" + port,
		"2130706433" + port, "127.0.0.1." + port, "0.0.0.0" + port, "[::ffff:127.0.0.1]" + port, "id.example.gov.ua"} {
		for _, origin := range []string{"http://" + host, site, "http://evil.example", "http://localhost"} {
			resp, body := w.do(call{host: host, origin: []string{origin}})
			if resp.StatusCode != 403 || body != "" || resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("Host %s, Origin %s: %d %q", host, origin, resp.StatusCode, body)
			}
		}
	}
	if resp, _ := w.do(call{host: "[::1]" + port, origin: []string{site}}); resp.StatusCode != 200 {
		t.Errorf("[::1]: status %d", resp.StatusCode)
	}
}

// TestAgentVerbs: the list of verbs is closed; none takes a PIN, a hash, a path or anything but what is listed here (T60).
func TestAgentVerbs(t *testing.T) {
	w := open(t, nil)
	if len(verbs) != 3 {
		t.Errorf("%d verbs: a new one needs its own tests", len(verbs))
	}
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/sign", "/v1/sign-hash", "/v1/hash", "/v1/document", "/v1/tokens", "/v1/certificates",
		"/v1/pin", "/v1/config", "/v2/login", "/v1/login/", "/v1//login", "/v1/%6cogin", "/v1/../v1/login", "/v1/login?x=1", "/json-rpc"} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			if resp, body := w.do(call{method: method, path: path, origin: []string{site}, body: loginBody(t, site)}); resp.StatusCode != 404 {
				t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body)
			}
		}
	}
	for _, c := range []struct{ method, path string }{
		{"POST", "/v1/version"}, {"GET", "/v1/login"}, {"PUT", "/v1/login"}, {"DELETE", "/v1/login"}, {"HEAD", "/v1/version"}, {"GET", "/v1/certificate"},
	} {
		if resp, _ := w.do(call{method: c.method, path: c.path, origin: []string{site}}); resp.StatusCode != 405 {
			t.Errorf("%s %s: %d", c.method, c.path, resp.StatusCode)
		}
	}
	good := loginBody(t, site)
	for name, body := range map[string]string{
		"hash":           `{"hash":"AAAA"}`,
		"hash beside":    strings.Replace(good, "{", `{"hash":"AAAA",`, 1),
		"PIN":            strings.Replace(good, "{", `{"pin":"1234",`, 1),
		"module":         strings.Replace(good, "{", `{"module":"/tmp/a.so",`, 1),
		"token":          strings.Replace(good, "{", `{"slot":1,`, 1),
		"two values":     good + good,
		"a list":         "[" + good + "]",
		"language":       strings.Replace(good, `"uk"`, `"ru"`, 1),
		"no challenge":   `{}`,
		"a digest":       `{"challenge":"` + strings.Repeat("A", 43) + `="}`,
		"empty":          "",
		"not JSON":       "challenge=1",
		"too large":      strings.Replace(good, "{", "{"+strings.Repeat(" ", maxChallengeBody), 1),
		"other encoding": strings.ReplaceAll(good, "challenge", "CHALLENGE\x00"),
	} {
		resp, got := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: body})
		if resp.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, resp.StatusCode, got)
		}
	}
	plain := http.Header{"Content-Type": {"text/plain"}} // what a page may send without asking first
	if resp, _ := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: good, header: plain}); resp.StatusCode != 400 {
		t.Errorf("text/plain: %d", resp.StatusCode)
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("%d logins were begun", n)
	}
}

// TestForeignChallenge: a site gets no signature over the challenge of another issuer, not even of one on the list (T4).
func TestForeignChallenge(t *testing.T) {
	w := open(t, nil)
	for _, c := range []struct{ name, origin, issuer, method string }{
		{"other issuer", otherSite, site, Method},
		{"other port", site + ":8443", site, Method},
		{"issuer not on the list", site, "https://evil.example", Method},
		{"begins like it", site, site + ".evil.example", Method},
		{"other method", site, site, "file"},
	} {
		b, _ := json.Marshal(map[string]any{"challenge": challengeOf(t, c.issuer, c.method)})
		resp, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{c.origin}, body: string(b)})
		if resp.StatusCode != 400 || code(body) != codeChallenge {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("%d logins were begun", n)
	}
	for _, issuer := range []string{site, site + "/realm"} {
		if resp, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: loginBody(t, issuer)}); resp.StatusCode != 200 ||
			body != `{"signature":"c2lnbmF0dXJl"}` {
			t.Errorf("own challenge of %s: %d %s", issuer, resp.StatusCode, body)
		}
	}
}

// TestWindowsPerMinute: a page opens three windows a minute, and one at a time (T58).
func TestWindowsPerMinute(t *testing.T) {
	var now atomic.Int64
	now.Store(1_000_000)
	w := open(t, func(c *Config) { c.Now = func() time.Time { return time.Unix(now.Load(), 0) } })
	post := func() (int, string) {
		resp, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: loginBody(t, site)})
		return resp.StatusCode, code(body)
	}
	for i := range 3 {
		if status, _ := post(); status != 200 {
			t.Errorf("window %d: %d", i+1, status)
		}
		now.Add(19)
	}
	if status, c := post(); status != 429 || c != codeLimited {
		t.Errorf("fourth window: %d %s", status, c)
	}
	now.Add(3)
	if status, _ := post(); status != 200 {
		t.Errorf("a minute after the first: %d", status)
	}
}

func TestOneWindowAtATime(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	w := open(t, func(c *Config) {
		c.Login = func(context.Context, login.Request) ([]byte, error) {
			close(entered)
			<-leave
			return nil, &login.Refusal{Code: login.PINWrong, Values: map[string]string{"attempts": "last"}}
		}
	})
	done := make(chan string)
	go func() {
		_, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: loginBody(t, site)})
		done <- body
	}()
	<-entered
	if resp, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: loginBody(t, site)}); resp.StatusCode != 409 || code(body) != codeBusy {
		t.Errorf("second window: %d %s", resp.StatusCode, body)
	}
	close(leave)
	if body := <-done; body != `{"code":"PIN_WRONG","values":{"attempts":"last"}}` {
		t.Errorf("first window: %s", body)
	}
}

// TestPageGone: the window of a page that has gone closes.
func TestPageGone(t *testing.T) {
	entered, closed := make(chan struct{}), make(chan struct{})
	w := open(t, func(c *Config) {
		c.Login = func(ctx context.Context, _ login.Request) ([]byte, error) {
			close(entered)
			<-ctx.Done()
			close(closed)
			return nil, ctx.Err()
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+w.host+"/v1/login", strings.NewReader(loginBody(t, site)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", site)
	r.Header.Set("Content-Type", "application/json")
	go func() {
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-entered
	leave()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the window stays open")
	}
}

// TestSearch: the page finds certificates for a key, once, and only the page that began.
func TestSearch(t *testing.T) {
	w := open(t, func(c *Config) {
		c.Login = func(ctx context.Context, r login.Request) ([]byte, error) {
			certificates, err := r.Find(ctx, [][]byte{{1, 2}, {0xff}})
			if err != nil {
				return nil, err
			}
			return bytes.Join(certificates, []byte("+")), nil
		}
	})
	_, body := w.do(call{method: "POST", path: "/v1/login", origin: []string{site}, body: loginBody(t, site)})
	var a struct {
		Search struct {
			ID     string   `json:"id"`
			KeyIDs []string `json:"key_ids"`
		} `json:"search"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Search.ID == "" || fmt.Sprint(a.Search.KeyIDs) != "[0102 ff]" {
		t.Fatalf("answer %s", body)
	}
	found := `{"search":"` + a.Search.ID + `","certificates":["YQ==","Yg=="]}`
	for name, c := range map[string]struct{ origin, body string }{
		"other site":  {otherSite, found},
		"other id":    {site, strings.Replace(found, a.Search.ID, "x", 1)},
		"no id":       {site, strings.Replace(found, a.Search.ID, "", 1)},
		"more fields": {site, strings.Replace(found, "{", `{"pin":"1",`, 1)},
	} {
		if resp, body := w.do(call{method: "POST", path: "/v1/certificate", origin: []string{c.origin}, body: c.body}); resp.StatusCode == 200 {
			t.Errorf("%s: %s", name, body)
		}
	}
	if _, body := w.do(call{method: "POST", path: "/v1/certificate", origin: []string{site}, body: found}); body != `{"signature":"YSti"}` {
		t.Errorf("found: %s", body)
	}
	if resp, _ := w.do(call{method: "POST", path: "/v1/certificate", origin: []string{site}, body: found}); resp.StatusCode != 404 {
		t.Errorf("again: %d", resp.StatusCode)
	}
}

// TestOtherUser: the connection of another user of this computer gets a code and nothing else (T57).
func TestOtherUser(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{{peer.ErrOther, codeOtherUser}, {peer.ErrUnknown, ""}, {errors.New("x"), ""}} {
		w := open(t, func(conf *Config) { conf.CheckPeer = func(net.Conn) error { return c.err } })
		for _, path := range []string{"/v1/version", "/v1/login", "/v1/certificate"} {
			resp, body := w.do(call{method: "POST", path: path, origin: []string{site}, body: loginBody(t, site)})
			if resp.StatusCode != 403 || code(body) != c.want || strings.Contains(body, "1.2.3") {
				t.Errorf("%v, %s: %d %s", c.err, path, resp.StatusCode, body)
			}
		}
		if w.calls.Load() != 0 {
			t.Error("a login was begun")
		}
	}
}

func TestPreflight(t *testing.T) {
	w := open(t, nil)
	resp, _ := w.do(call{method: "OPTIONS", path: "/v1/login", origin: []string{site}, header: http.Header{
		"Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"content-type"}, "Access-Control-Request-Private-Network": {"true"}}})
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": site, "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type",
		"Access-Control-Allow-Private-Network": "true", "Access-Control-Allow-Credentials": "", "Vary": "Origin", "Cache-Control": "no-store",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	resp, _ = w.do(call{method: "OPTIONS", path: "/v1/version", origin: []string{site}})
	if got := resp.Header.Get("Access-Control-Allow-Private-Network"); got != "" {
		t.Errorf("not asked for the network, and says %q", got)
	}
}

func FuzzBodies(f *testing.F) {
	f.Add([]byte(`{"challenge":"YnJhbWEtbG9naW4tdjE=","language":"uk"}`))
	f.Add([]byte(`{"search":"x","certificates":["YQ=="]}`))
	d, err := New(Config{Origins: []string{site}, Port: 24145, Log: slog.New(slog.DiscardHandler),
		Login: func(context.Context, login.Request) ([]byte, error) { return nil, errors.New("a login was begun") }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, path := range []string{"/v1/login", "/v1/certificate"} {
			r, err := http.NewRequestWithContext(context.WithValue(t.Context(), connKey{}, net.Conn(nil)), "POST", path, bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			w := &recorder{header: http.Header{}}
			verbs[path].serve(d, w, r, b)
			if w.status == 200 {
				t.Errorf("%s: %q is answered", path, b)
			}
		}
	})
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }
