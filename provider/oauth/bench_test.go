package oauth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"
)

// BenchmarkCodeFlow is one sign-in, authorize to ID token, in process on bbolt: two commits, each synced.
func BenchmarkCodeFlow(b *testing.B) {
	for _, bench := range []struct{ name, alg string }{{"ES256", "ES256"}, {"RS256", "RS256"}} {
		b.Run(bench.name, func(b *testing.B) {
			c := portal()
			c.IDTokenAlg = bench.alg
			f := newFixture(b, boltStore(b), c)
			h := f.handler()
			query := params().Encode()
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				flow(b, h, query)
			}
		})
	}
	// As a server meets it: many at once share a sync.
	b.Run("ES256/parallel", func(b *testing.B) {
		f := newFixture(b, boltStore(b))
		h := f.handler()
		query := params().Encode()
		b.ReportAllocs()
		defer reportCPU(b)()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				flow(b, h, query)
			}
		})
	})
	// Without the disk: what the processor pays.
	b.Run("ES256/memory", func(b *testing.B) {
		f := newFixture(b, memStore(b))
		h := f.handler()
		query := params().Encode()
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			flow(b, h, query)
		}
	})
}

func flow(b *testing.B, h http.Handler, query string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", PathAuthorize+"?"+query, nil))
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		b.Error(err)
		return
	}
	r := tokenRequest(tokenParams(to.Query().Get("code")))
	r.SetBasicAuth("portal", testSecret)
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 {
		b.Errorf("%d %s", w.Code, w.Body)
	}
}

func BenchmarkUserInfo(b *testing.B) {
	for _, form := range []struct{ name, sign, alg string }{
		{"JSON", "", ""}, {"ES256", "ES256", ""}, {"EdDSA", "EdDSA", ""}, {"ES256/ECDH-ES", "ES256", "ECDH-ES"},
	} {
		b.Run(form.name, func(b *testing.B) {
			c := portal()
			c.JWKS, c.UserInfoSignedAlg, c.UserInfoEncAlg = testPortalKeys().set(b), form.sign, form.alg
			f := newFixture(b, boltStore(b), c)
			token := f.mustExchange(f.code())["access_token"].(string)
			h := f.handler()
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", PathUserInfo, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkIDToken is the making of one ID token, without what surrounds it.
func BenchmarkIDToken(b *testing.B) {
	for _, form := range []struct{ name, sign, alg string }{
		{"ES256", "ES256", ""}, {"RS256", "RS256", ""}, {"EdDSA", "EdDSA", ""}, {"ES256/ECDH-ES", "ES256", "ECDH-ES"}, {"ES256/RSA-OAEP-256", "ES256", "RSA-OAEP-256"},
	} {
		b.Run(form.name, func(b *testing.B) {
			c := everything()
			c.JWKS, c.IDTokenAlg, c.IDTokenEncAlg = testPortalKeys().set(b), form.sign, form.alg
			f := newFixture(b, memStore(b), c)
			s := fullSubject(nil)
			g, err := f.p.describe(&c, &AuthorizeRequest{Scopes: scopes}, &s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := f.p.addIDToken(b.Context(), &tokenAnswer{jsonObject: newObject(make([]byte, 0, 1536))}, &c, g, scopes, "nonce-of-the-portal"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// reportCPU reports what the process spent, the disk's time left out and the work of all goroutines let in.
func reportCPU(b *testing.B) func() {
	spent := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := spent()
	return func() { b.ReportMetric(float64(spent()-before)/float64(b.N), "cpu-ns/op") }
}
