package provider

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/mux"
)

// TestFixedRoutes: what is served past the router is what the router would serve, and only addresses of one text are.
func TestFixedRoutes(t *testing.T) {
	var served []string
	says := func(name string) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { served = append(served, name) }
	}
	root := mux.NewRouter()
	root.HandleFunc("/healthz", says("health")).Methods(http.MethodGet, http.MethodHead)
	r := root.PathPrefix("/sub").Subrouter()
	r.HandleFunc("/{any:first|second}", says("variable")).Methods(http.MethodGet)
	r.HandleFunc("/second", says("hidden")).Methods(http.MethodGet)
	r.HandleFunc("/second", says("post")).Methods(http.MethodPost)
	r.HandleFunc("/both", says("get")).Methods(http.MethodGet)
	r.HandleFunc("/both", says("put")).Methods(http.MethodPut)
	r.HandleFunc("/both", says("again")).Methods(http.MethodGet)
	r.HandleFunc("/any", says("any"))
	r.PathPrefix("/static/").Handler(says("static")).Methods(http.MethodGet)
	r.HandleFunc("/named", func(w http.ResponseWriter, r *http.Request) {
		if e := entryOf(r.Context()); e != nil {
			served = append(served, e.route)
		}
	}).Methods(http.MethodGet)
	root.Use(nameRoute)

	fixed := fixedRoutes(root)
	var paths []string
	for path := range fixed {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if want := []string{"/healthz", "/sub/both", "/sub/named", "/sub/second", "/sub/static/"}; !slices.Equal(paths, want) {
		t.Errorf("served past the router: %v, want %v", paths, want)
	}
	if fixed["/sub/second"].handlers[http.MethodGet] != nil {
		t.Error("a route that the router never reaches is served")
	}
	p := &Provider{cfg: Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	both := map[string]http.Handler{"router": p.guard(root), "map": p.guard(withFixed(root))}
	for _, path := range []string{"/healthz", "/sub/first", "/sub/second", "/sub/both", "/sub/any", "/sub/static/", "/sub/named", "/sub/none", "/sub//both", "/sub/both/", "/both"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"} {
			got := map[string]string{}
			for name, h := range both {
				served = nil
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
				got[name] = http.StatusText(w.Code) + " by " + slices.Concat(served, []string{"none"})[0] + " " + w.Header().Get("Location")
			}
			if got["map"] != got["router"] {
				t.Errorf("%s %s: %s, the router says %s", method, path, got["map"], got["router"])
			}
		}
	}
}
