package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/internal/fetch"
)

// A keyServer is a client's server of keys.
type keyServer struct {
	mu     sync.Mutex
	body   []byte
	status int
	err    error
	delay  time.Duration
	asked  atomic.Int32
	last   fetch.Request
}

func (s *keyServer) publish(t testing.TB, keys ...jose.JSONWebKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.status, s.err = keySetOf(t, keys...), http.StatusOK, nil
}

func (s *keyServer) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *keyServer) fetch(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
	s.asked.Add(1)
	if s.delay > 0 {
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = r
	if s.err != nil {
		return nil, s.err
	}
	return &fetch.Response{Status: s.status, Body: s.body}, nil
}

const testJWKSURI = "https://portal.example.ua/jwks.json"

func remoteClient(t testing.TB) Client {
	c := jwtClient(t)
	c.JWKS, c.JWKSURI = nil, testJWKSURI
	return c
}

// withKeys is a provider whose client publishes its keys at s.
func withKeys(t testing.TB, s *keyServer) *fixture {
	f := newFixture(t, memStore(t), remoteClient(t))
	f.p.sources = newKeySource(s.fetch, time.Now)
	return f
}

// Keys are fetched once; a new key of the client works at once; unknown ones do not make us ask for ever (T86, T96).
func TestUnknownKeysAskSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{}
		es, other := clientKeys()["ES256"], clientKeys()["other"]
		s.publish(t, es.public())
		f := withKeys(t, s)
		use := func(k clientKey) string {
			return f.proveAssertion(signJWT(t, k, assertionFor("jwt", nil), nil))
		}
		for range 3 {
			if got := use(es); got != "jwt" {
				t.Fatal(got)
			}
		}
		if n := s.asked.Load(); n != 1 {
			t.Errorf("asked %d times for keys that were known", n)
		}
		if s.last.URL != testJWKSURI || s.last.PlainHTTP || len(s.last.RedirectHosts) != 0 || s.last.MaxBody != 64<<10 || s.last.Timeout > 3*time.Second {
			t.Errorf("asked loosely: %+v", s.last)
		}
		s.publish(t, other.public())
		if got := use(other); got != "jwt" {
			t.Errorf("new key: %s", got)
		}
		if got := use(es); got != "invalid_client" {
			t.Errorf("withdrawn key: %s", got)
		}
		for range 20 {
			_ = use(es)
		}
		if n := s.asked.Load(); n != 1+refreshBurst {
			t.Errorf("asked %d times, want %d", n, 1+refreshBurst)
		}
		time.Sleep(refreshEvery)
		_, _ = use(es), use(es)
		if n := s.asked.Load(); n != 2+refreshBurst {
			t.Errorf("a minute later asked %d times, want %d", n, 2+refreshBurst)
		}
	})
}

// A server that is down is asked twice a minute at most; keys that we have are used for an hour and not longer.
func TestKeysUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{}
		es := clientKeys()["ES256"]
		s.fail(errors.New("down"))
		f := withKeys(t, s)
		use := func() string { return f.proveAssertion(signJWT(t, es, assertionFor("jwt", nil), nil)) }
		for range 10 {
			if got := use(); got != "temporarily_unavailable" {
				t.Fatal(got)
			}
		}
		if n := s.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(keysFailed)
		s.publish(t, es.public())
		if got := use(); got != "jwt" {
			t.Fatalf("after the outage: %s", got)
		}
		s.fail(errors.New("down again"))
		time.Sleep(keysFresh + time.Second)
		if got := use(); got != "jwt" {
			t.Errorf("keys of ten minutes ago: %s", got)
		}
		time.Sleep(keysUsable)
		if got := use(); got != "temporarily_unavailable" {
			t.Errorf("keys of an hour ago: %s", got)
		}
	})
}

// T96: many at once are one question, and one who hangs up takes nobody with him.
func TestKeysSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{delay: time.Second}
		es := clientKeys()["ES256"]
		s.publish(t, es.public())
		f := withKeys(t, s)
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.p.sources.keys(hurried, testJWKSURI, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("hurried: %v", err)
			}
		})
		for range 31 {
			wg.Go(func() {
				if set, err := f.p.sources.keys(t.Context(), testJWKSURI, nil); err != nil || len(set.Keys) != 1 {
					t.Errorf("%v %v", set, err)
				}
			})
		}
		wg.Wait()
		if n := s.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// T96: a server that never answers costs two and a half seconds and no more.
func TestSlowKeysGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{delay: time.Hour}
		f := withKeys(t, s)
		start := time.Now()
		if got := f.proveAssertion(signJWT(t, clientKeys()["ES256"], assertionFor("jwt", nil), nil)); got != "temporarily_unavailable" {
			t.Error(got)
		}
		if took := time.Since(start); took != fetchTimeout {
			t.Errorf("took %v", took)
		}
	})
}

// No network before there is a client and a signature to look at (T95).
func TestNoFetchForStrangers(t *testing.T) {
	s := &keyServer{}
	s.publish(t, clientKeys()["ES256"].public())
	f := withKeys(t, s)
	es := clientKeys()["ES256"]
	for name, assertion := range map[string]string{
		"nobody": signJWT(t, es, assertionFor("nobody", nil), nil), "garbage": "x",
	} {
		if got := f.proveAssertion(assertion); got != "invalid_client" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestManySourcesAreBounded(t *testing.T) {
	s := &keyServer{status: 404}
	k := newKeySource(s.fetch, time.Now)
	for i := range maxSources + 10 {
		_, _ = k.keys(t.Context(), testJWKSURI+strings.Repeat("x", i%7)+string(rune('0'+i%10))+time.Duration(i).String(), nil)
	}
	if n := len(k.uris); n > maxSources {
		t.Errorf("%d sources kept", n)
	}
}

func TestKeySetRules(t *testing.T) {
	good := string(keySetOf(t, clientKeys()["ES256"].public()))
	for name, raw := range map[string]string{
		"empty":     `{"keys":[]}`,
		"no keys":   `{}`,
		"not JSON":  `x`,
		"list":      `[]`,
		"private":   `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}`,
		"symmetric": `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		"not point": `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		"small RSA": `{"keys":[{"kty":"RSA","n":"wQ","e":"AQAB"}]}`,
		"unknown":   `{"keys":[{"kty":"XX"}]}`,
		"many":      `{"keys":[` + strings.Repeat(`{"kty":"XX"},`, maxKeys) + `{"kty":"XX"}]}`,
		"large":     good + strings.Repeat(" ", maxKeySet),
	} {
		if _, err := parseKeySet([]byte(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	mixed := strings.Replace(good, `[`, `[{"kty":"XX"},{"kty":"OKP","crv":"X25519","x":"AA"},`, 1)
	set, err := parseKeySet([]byte(mixed))
	if err != nil || len(set.Keys) != 1 {
		t.Errorf("a known key beside unknown ones: %v %v", set, err)
	}
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(keySetOf(f, clientKeys()["ES256"].public(), clientKeys()["PS256"].public(), clientKeys()["EdDSA"].public())))
	f.Add([]byte(`{"keys":[{"kty":"XX"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		set, err := parseKeySet(raw)
		if (set == nil) == (err == nil) {
			t.Fatal("set and error together")
		}
		if err != nil {
			return
		}
		for _, k := range set.Keys {
			if !k.IsPublic() || !k.Valid() {
				t.Fatalf("accepted %+v", k)
			}
		}
	})
}
