package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/cloud"
	"brama/connectors/cloud/cloudtest"
	"brama/connectors/connectortest"
	"brama/connectors/demo"
	"brama/connectors/diia"
	"brama/connectors/diia/diiatest"
	"brama/connectors/mobileid"
	"brama/connectors/mobileid/mobileidtest"
	"brama/internal/audit"
	"brama/internal/fetch"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage/boltstore"
)

// quiet is an audit log that costs nothing: what is measured is the waiting.
type quiet struct{}

func (quiet) Record(context.Context, audit.Event) error { return nil }

// A benchWorld is a provider over the store of `serve`, called without a network in between.
type benchWorld struct {
	*connectortest.Authority
	handler http.Handler
	offset  atomic.Int64 // of the clock
}

func (w *benchWorld) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

const benchIssuer = "http://127.0.0.1:1"

func (w *benchWorld) serve(b *testing.B, methods map[string]connectors.Connector) {
	b.Helper()
	store, err := boltstore.Open(boltstore.Config{Path: filepath.Join(b.TempDir(), "brama.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	w.handler, err = provider.New(provider.Config{Issuer: benchIssuer, Store: store, Secret: stackSecret, Connectors: methods, Audit: quiet{}, Dev: true,
		Now: w.now, Log: slog.New(slog.DiscardHandler), Clients: []oauth.Client{{ID: "cabinet", Name: map[string]string{"uk": "Кабінет", "en": "Cabinet"},
			Home: "http://127.0.0.1:2", SecretHash: oauth.HashSecret(clientSecret), RedirectURIs: []string{"http://127.0.0.1:2/cb"}}}})
	if err != nil {
		b.Fatal(err)
	}
}

// A seat is a browser: a fixed size, so that what it holds is there before anything is measured.
type seat struct {
	cookie     [4096]byte // name=value of the login's ticket
	cookieSize int
	poll       [256]byte // path
	pollSize   int
	mac        [64]byte
	macSize    int
	revision   uint64
	address    string
}

// do sends a request and returns the page. It follows redirects within the provider.
func (s *seat) do(w *benchWorld, method, path, form string) (int, string) {
	for range 5 {
		r := httptest.NewRequest(method, benchIssuer+path, strings.NewReader(form))
		r.RemoteAddr = s.address
		r.Header.Set("Accept-Language", "uk")
		if form != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Origin", benchIssuer)
		}
		if s.cookieSize > 0 {
			r.Header.Set("Cookie", string(s.cookie[:s.cookieSize]))
		}
		out := httptest.NewRecorder()
		w.handler.ServeHTTP(out, r)
		for _, c := range out.Result().Cookies() {
			if strings.Contains(c.Name, "login-") {
				s.cookieSize = copy(s.cookie[:], c.Name+"="+c.Value)
			}
		}
		to := out.Header().Get("Location")
		if to == "" || !strings.HasPrefix(to, "/") && !strings.HasPrefix(to, benchIssuer) {
			return out.Code, out.Body.String()
		}
		method, path, form = http.MethodGet, strings.TrimPrefix(to, benchIssuer), ""
	}
	return 0, ""
}

// open begins a login at a method and returns its page.
func (s *seat) open(w *benchWorld, method string) string {
	s.cookieSize = 0
	_, page := s.do(w, http.MethodGet, "/authorize?"+url.Values{"client_id": {"cabinet"}, "redirect_uri": {"http://127.0.0.1:2/cb"}, "response_type": {"code"},
		"scope": {"openid"}, "state": {"0123456789"}, "nonce": {"0123456789"}, "code_challenge_method": {"S256"}, "idp_hint": {method},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}}.Encode(), "")
	return page
}

// press posts the form of a page that holds mark.
func (s *seat) press(w *benchWorld, page, mark string, more ...string) (int, string, error) {
	for _, m := range formPattern.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(m[0], mark) {
			continue
		}
		v := url.Values{}
		for _, h := range hiddenPattern.FindAllStringSubmatch(m[2], -1) {
			v.Set(h[1], html.UnescapeString(h[2]))
		}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		status, page := s.do(w, http.MethodPost, m[1], v.Encode())
		return status, page, nil
	}
	return 0, page, fmt.Errorf("no form with %s: %s", mark, codePattern.FindString(page))
}

// waits takes what a waiting page polls with.
func (s *seat) waits(page string) error {
	at := strings.Index(page, `id="wait"`)
	if at < 0 {
		return errors.New("nothing waits: " + codePattern.FindString(page))
	}
	part := func(name string) string {
		_, rest, _ := strings.Cut(page[at:], "data-"+name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	s.pollSize, s.macSize = copy(s.poll[:], part("poll")), copy(s.mac[:], part("mac"))
	_, err := fmt.Sscan(part("revision"), &s.revision)
	return err
}

// ask polls as the script of the page does.
func (s *seat) ask(w *benchWorld) (int, []byte) {
	r := httptest.NewRequest(http.MethodPost, benchIssuer+string(s.poll[:s.pollSize]), strings.NewReader(url.Values{
		"revision": {fmt.Sprint(s.revision)}, "mac": {string(s.mac[:s.macSize])}}.Encode()))
	r.RemoteAddr = s.address
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Cookie", string(s.cookie[:s.cookieSize]))
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out.Code, out.Body.Bytes()
}

// waitingMethods are the methods that wait for a telephone, over their doubles: Дія notifies, so that a poll asks nobody;
// MobileID is asked at every poll, and its double answers within the process.
func waitingMethods(b *testing.B, w *benchWorld) map[string]connectors.Connector {
	b.Helper()
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	double, err := diiatest.New(diiatest.Config{BaseURL: base, Provider: w.Provider})
	if err != nil {
		b.Fatal(err)
	}
	srv.Config.Handler = double.Handler()
	srv.Start()
	b.Cleanup(func() { srv.Close(); double.Close() })
	outbound, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		b.Fatal(err)
	}
	client, err := diia.NewClient(diia.ClientConfig{BaseURL: base, AcquirerToken: diiatest.AcquirerToken, AuthToken: diiatest.AuthToken, Do: outbound,
		PlainHTTP: true, LinkOrigins: []string{base}})
	if err != nil {
		b.Fatal(err)
	}
	made, err := client.Setup(b.Context(), diia.Plan{Offer: "Вхід", Scope: diia.HashedFilesSigning, ReturnLink: benchIssuer + "/", Branch: diia.Branch{
		Name: "Brama", FullName: "Brama", Address: "Київ", Email: "dev@example.org", Region: "м. Київ", District: "Київ", Location: "Київ",
		Street: "Тестова", House: "1"}})
	if err != nil {
		b.Fatal(err)
	}
	phone, err := diia.New(diia.Config{Client: client, Verifier: w.Validator, Branch: made.BranchID, Offer: made.OfferID, Issuers: []string{qestest.DiiaEDRPOU}, Now: w.now})
	if err != nil {
		b.Fatal(err)
	}
	var subscribers []mobileidtest.Subscriber
	key := w.Person(b, nil)
	for i := range waitingLogins {
		subscribers = append(subscribers, mobileidtest.Subscriber{Number: number(i), Name: "Олена", Key: key})
	}
	mss, err := mobileidtest.New(mobileidtest.Config{Subscribers: subscribers})
	if err != nil {
		b.Fatal(err)
	}
	sim, err := mobileid.New(mobileid.Config{Verifier: w.Validator, AllowHTTP: true, FirstPoll: -1, Now: w.now, Do: within(mss.Handler()),
		Operators: []mobileid.Operator{{ID: "test", Name: "Оператор", URL: "http://127.0.0.1:3/mss", APID: mobileidtest.APID,
			Password: func() (string, error) { return mobileidtest.Password, nil }}}})
	if err != nil {
		b.Fatal(err)
	}
	return map[string]connectors.Connector{"diia": phone, "mobileid": sim}
}

func number(i int) string { return fmt.Sprintf("+38050%07d", i) }

// within asks a handler without a network.
func within(h http.Handler) func(context.Context, fetch.Request) (*fetch.Response, error) {
	return func(ctx context.Context, q fetch.Request) (*fetch.Response, error) {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, q.URL, bytes.NewReader(q.Body))
		r.Header.Set("Content-Type", q.ContentType)
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		return &fetch.Response{Status: out.Code, Header: out.Header(), Body: out.Body.Bytes()}, nil
	}
}

const (
	waitingLogins = 500
	pollPause     = 2 * time.Second // of the page
)

// BenchmarkWaiting has 500 logins wait for a telephone at once. One operation is one poll of each of them, two seconds of
// waiting for all: ns/op is what they cost. It reports what one waiting login holds in memory (the heap of the whole
// process, the doubles' part in it), the goroutines that it holds, and the share of one processor that all 500 take, polling.
func BenchmarkWaiting(b *testing.B) {
	for _, method := range []string{"diia", "mobileid"} {
		b.Run(method, func(b *testing.B) {
			w := &benchWorld{Authority: connectortest.NewAuthority(b, func(c *qestest.Config) { c.Diia = true })}
			w.serve(b, waitingMethods(b, w))
			seats := make([]seat, waitingLogins)
			wait := func(i int) {
				s := &seats[i]
				s.address = fmt.Sprintf("10.0.%d.%d:1024", i/250, i%250)
				page := s.open(w, method)
				if _, page, err := s.press(w, page, `id="request"`, "action", "request", "operator", "test", "number", number(i)); err != nil {
					b.Fatal(err)
				} else if err := s.waits(page); err != nil {
					b.Fatal(err)
				}
			}
			wait(0) // what is made once is there
			goroutines, before := runtime.NumGoroutine(), heap()
			for i := 1; i < waitingLogins; i++ {
				wait(i)
			}
			held := float64(heap()-before) / (waitingLogins - 1)
			running := float64(runtime.NumGoroutine()-goroutines) / (waitingLogins - 1)
			round := 0
			for b.Loop() {
				// The request lives two minutes: the clock goes round within the first.
				round = (round + 1) % 30
				w.offset.Store(int64(round) * int64(pollPause))
				for i := range seats {
					if status, answer := seats[i].ask(w); status != http.StatusOK || !bytes.Contains(answer, []byte(`"phase":"waiting"`)) {
						b.Fatalf("poll: %d %s", status, answer)
					}
				}
			}
			b.ReportMetric(100*float64(b.Elapsed())/float64(b.N)/float64(pollPause), "%cpu")
			b.ReportMetric(held, "heap-B/login")
			b.ReportMetric(running, "goroutines/login")
		})
	}
}

// heap is what lives on the heap.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // it fits
}

// bad are the ways in which a provider is out of order, by what its server does.
var bad = map[string]http.HandlerFunc{
	"hangs":   func(_ http.ResponseWriter, r *http.Request) { readAll(r); <-r.Context().Done() },
	"garbage": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0x30, 0x84, 0xff, '{', '"'}) },
	"10MB": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("x", 10<<20) + `"}`))
	},
	"slow":     slowly,
	"wrongTLS": func(http.ResponseWriter, *http.Request) {},
}

// readAll reads the body, without which a server does not see that the client went away.
func readAll(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

func slowly(w http.ResponseWriter, r *http.Request) {
	readAll(r)
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
	}
}

// BenchmarkBesideOutage times a whole sign-in by another method, from the portal to S8, while forty people keep pressing the
// button of a provider that is in order, hangs, answers garbage or 10 MB, sends a byte now and then, or has a certificate
// that nobody knows. The breaker, which would end the trouble after three failures, is off.
func BenchmarkBesideOutage(b *testing.B) {
	for _, name := range []string{"healthy", "hangs", "garbage", "10MB", "slow", "wrongTLS"} {
		b.Run(name, func(b *testing.B) {
			w := &benchWorld{Authority: connectortest.NewAuthority(b)}
			person := w.Person(b, nil)
			srv := httptest.NewUnstartedServer(nil)
			base := "http://" + srv.Listener.Addr().String()
			if name == "wrongTLS" {
				base = "https://" + srv.Listener.Addr().String()
			}
			double, err := cloudtest.New(cloudtest.Config{BaseURL: base, Accounts: []cloudtest.Account{{Identifier: "olena", Mode: "oauth2code", Keys: []*qestest.Issued{person}}}})
			if err != nil {
				b.Fatal(err)
			}
			if srv.Config.Handler = double.Handler(); bad[name] != nil {
				srv.Config.Handler = bad[name]
			}
			srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			if name == "wrongTLS" {
				srv.StartTLS()
			} else {
				srv.Start()
			}
			outbound, err := fetch.New(fetch.Config{AllowLoopback: true})
			if err != nil {
				b.Fatal(err)
			}
			remote, err := cloud.New(cloud.Config{Verifier: w.Validator, Do: outbound.Do, AllowHTTP: true, Breaker: &fetch.Breaker{Failures: 1 << 30},
				Providers: []cloud.Provider{{ID: "page", Name: "Хмара", Kind: cloud.CSC2, URL: base + "/csc/v2", ServiceByCode: true, ClientID: cloudtest.ClientID,
					Secret: func() (string, error) { return cloudtest.ClientSecret, nil }}}})
			if err != nil {
				b.Fatal(err)
			}
			other, err := demo.New(demo.Config{Verifier: w.Validator, Persons: []string{"valid"}, Sign: func(_ context.Context, _ string, challenge []byte) ([]byte, error) {
				return cms.Sign(person.Key, cms.Options{Certificate: person.Certificate.Raw, Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: w.now()})
			}})
			if err != nil {
				b.Fatal(err)
			}
			w.serve(b, map[string]connectors.Connector{"cloud": remote, "demo": other})
			stop := make(chan struct{})
			var all sync.WaitGroup
			var presses atomic.Int64
			for i := range 40 {
				all.Go(func() {
					s := &seat{address: fmt.Sprintf("10.1.0.%d:1024", i)}
					for {
						page := s.open(w, "cloud")
						for range 10 { // a login has twelve presses
							_, after, err := s.press(w, page, `id="get-page"`)
							presses.Add(1)
							select {
							case <-stop:
								return
							case <-time.After(200 * time.Millisecond): // people do not press faster
							}
							if err != nil || !strings.Contains(after, `id="get-page"`) {
								break
							}
							page = after
						}
					}
				})
			}
			s := &seat{}
			walks := 0
			for b.Loop() {
				walks++
				s.address = fmt.Sprintf("10.2.%d.%d:1024", walks/250%250, walks%250)
				page := s.open(w, "demo")
				if _, page, err := s.press(w, page, `id="demo-valid"`, "person", "valid"); err != nil || !strings.Contains(page, `id="confirm"`) {
					b.Fatalf("%v: %s", err, codePattern.FindString(page))
				}
			}
			b.ReportMetric(float64(presses.Load())/b.Elapsed().Seconds(), "presses/s")
			close(stop)
			srv.CloseClientConnections()
			all.Wait()
			srv.Close()
		})
	}
}
