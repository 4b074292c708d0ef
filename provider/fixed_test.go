package provider

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
)

// TestRouteTable: what is served past the router is what the router would serve, by the same name and with the same variables.
func TestRouteTable(t *testing.T) {
	var served []string
	says := func(name string) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { served = append(served, name) }
	}
	root := mux.NewRouter()
	root.HandleFunc("/healthz", says("health")).Methods(http.MethodGet, http.MethodHead)
	r := root.PathPrefix("/sub").Subrouter()
	// What the first that fits is depends on the order.
	vars := func(name string) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) {
			served = append(served, name+" "+variable(r, "id")+","+variable(r, "method")+","+entryOf(r.Context()).route)
		}
	}
	r.HandleFunc("/login/{id}", vars("id")).Methods(http.MethodGet)
	r.HandleFunc("/login/{id}/leave", vars("leave")).Methods(http.MethodGet)
	r.HandleFunc("/login/{id}/{method}", vars("tab")).Methods(http.MethodGet)
	r.HandleFunc("/login/{id}/never", vars("hidden")).Methods(http.MethodGet)
	r.HandleFunc("/login/{id}/{method}", vars("submit")).Methods(http.MethodPost)
	r.HandleFunc("/login/{id}/leave", vars("hidden")).Methods(http.MethodPost)
	r.HandleFunc("/login/{id}/{method}/ask", vars("ask")).Methods(http.MethodPut)
	r.HandleFunc("/login/{id}/leave/{method}", vars("leave of")).Methods(http.MethodPut)
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
	r.HandleFunc("/pattern/{id:[0-9]+}/x", vars("pattern")).Methods(http.MethodGet)
	r.HandleFunc("/pattern/{id}/x", vars("any")).Methods(http.MethodGet)
	r.HandleFunc("/three/{a}/{b}/{c}", vars("three")).Methods(http.MethodGet)
	root.Use(nameRoute)

	table := newRouteTable(root)
	var paths []string
	for path := range table.fixed {
		paths = append(paths, path)
	}
	for _, p := range table.varied {
		for _, r := range p.routes {
			paths = append(paths, r.name)
		}
	}
	slices.Sort(paths)
	if want := []string{"/healthz", "/sub/both", "/sub/login/{id}", "/sub/login/{id}/leave", "/sub/login/{id}/leave/{method}",
		"/sub/login/{id}/{method}", "/sub/login/{id}/{method}", "/sub/login/{id}/{method}/ask", "/sub/named", "/sub/second", "/sub/static/"}; !slices.Equal(paths, want) {
		t.Errorf("served past the router: %q, want %q", paths, want)
	}
	if table.fixed["/sub/second"].handlers[http.MethodGet] != nil {
		t.Error("a route that the router never reaches is served")
	}
	p := &Provider{cfg: Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	both := map[string]http.Handler{"router": p.guard(&routeTable{}, root), "table": p.guard(table, dispatch(root))}
	id := strings.Repeat("x", 22)
	for _, path := range []string{"/sub/login/" + id, "/sub/login/" + id + "/", "/sub/login/" + id + "/leave", "/sub/login/" + id + "/never", "/sub/login/" + id + "/file",
		"/sub/login/" + id + "/f", "/sub/login/" + id + "/file/ask", "/sub/login/" + id + "/leave/ask", "/sub/login/" + id + "/leave/file", "/sub/login/" + id + "/file/ask/x",
		"/sub/login/" + id + "//ask", "/sub/login/../login/" + id, "/sub/login/x/file", "/sub/login//file", "/sub/login/", "/sub/login", "/sub/login/" + id + "/.",
		"/sub/pattern/7/x", "/sub/pattern/x/x", "/sub/three/a/b/c", "/login/" + id,
		"/healthz", "/sub/first", "/sub/second", "/sub/both", "/sub/any", "/sub/static/", "/sub/named", "/sub/none", "/sub//both", "/sub/both/", "/both"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"} {
			got := map[string]string{}
			for name, h := range both {
				served = nil
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
				got[name] = http.StatusText(w.Code) + " by " + slices.Concat(served, []string{"none"})[0] + " " + w.Header().Get("Location")
			}
			if got["table"] != got["router"] {
				t.Errorf("%s %s: %s, the router says %s", method, path, got["table"], got["router"])
			}
		}
	}
}
