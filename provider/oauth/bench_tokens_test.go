package oauth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"brama/storage"
)

// BenchmarkRefresh is one refresh with rotation and an ID token (ES256), in process.
func BenchmarkRefresh(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, open(b), refresher())
			token := refreshOf(f.mustExchange(f.code()))
			h := f.handler()
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				w := serve1(h, asked(PathToken, "portal", url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {token}}))
				if token = refreshIn(w); token == "" {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkRefreshParallel is a server under load: requests that come together share a sync of the disk.
func BenchmarkRefreshParallel(b *testing.B) {
	f := newFixture(b, boltStore(b), refresher())
	h := f.handler()
	b.SetParallelism(16)
	b.ReportAllocs()
	defer reportCPU(b)()
	b.RunParallel(func(pb *testing.PB) {
		token := refreshOf(f.mustExchange(f.code()))
		for pb.Next() {
			w := serve1(h, asked(PathToken, "portal", url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {token}}))
			if token = refreshIn(w); token == "" {
				b.Errorf("%d %s", w.Code, w.Body)
				return
			}
		}
	})
}

// BenchmarkClientCredentials writes nothing, whatever the store.
func BenchmarkClientCredentials(b *testing.B) {
	f := newFixture(b, boltStore(b), interfaces()...)
	h := f.handler()
	v := url.Values{"grant_type": {GrantClientCredentials}, "scope": {"orders.read"}}
	b.ReportAllocs()
	for b.Loop() {
		if w := serve1(h, asked(PathToken, "portal", v)); w.Code != 200 {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// BenchmarkIntrospect asks for a user's token and for a client's.
func BenchmarkIntrospect(b *testing.B) {
	f := newFixture(b, boltStore(b), interfaces()...)
	_, own := f.clientToken()
	for name, token := range map[string]string{"user": accessOf(f.mustExchange(f.code())), "client": accessOf(own)} {
		b.Run(name, func(b *testing.B) {
			h := f.handler()
			v := url.Values{"token": {token}}
			b.ReportAllocs()
			for b.Loop() {
				if w := serve1(h, asked(PathIntrospect, "portal", v)); w.Code != 200 || w.Body.Len() < 40 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkDPoP is a client's token with an ES256 proof: one verification and, the proof being spent, one commit.
func BenchmarkDPoP(b *testing.B) {
	b.Run("parse", func(b *testing.B) {
		proof := newProver(b).proof(PathToken)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := parseProof(proof); err != nil {
				b.Fatal(err)
			}
		}
	})
}

var stores = map[string]func(testing.TB) storage.Store{"bolt": boltStore, "memory": memStore}

func refreshIn(w *httptest.ResponseRecorder) string {
	var body struct {
		Token string `json:"refresh_token"`
	}
	_ = json.Unmarshal(w.Body.Bytes(), &body)
	return body.Token
}

func serve1(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
