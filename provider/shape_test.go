package provider

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"brama/provider/oauth"
	"brama/provider/session"
	"brama/provider/web"
)

// TestShapes: what cannot be a name of ours reaches no handler.
func TestShapes(t *testing.T) {
	id := strings.Repeat("aZ0_-", 5)[:22]
	for name, values := range map[string]map[string]bool{
		"id":     {id: true, id[1:]: false, id + "a": false, "": false, id[1:] + ".": false, id[1:] + "\x00": false, id[2:] + "ї": false},
		"method": {"ab": true, "bankid": true, "abcdefghijkl": true, "a": false, "abcdefghijklm": false, "Ab": false, "a1": false},
		"secret": {strings.Repeat("x", 43): true, strings.Repeat("x", 42): false, strings.Repeat("x", 42) + "=": false},
		"client": {"dyn-" + id: true, id: false, "dyn-": false, "dyn-" + id + "a": false, "dyx-" + id: false},
		"handle": {id + "." + id: true, id + "." + strings.Repeat("x", 64): true, id: false, id + ".": false, id + "." + id[3:]: false,
			id + "." + strings.Repeat("x", 65): false, "." + id: false, id + "." + id + "." + id: false},
		"doc": {"anything": true},
	} {
		for value, want := range values {
			if got := wellShaped(map[string]string{name: value}); got != want {
				t.Errorf("%s %q: %v", name, value, got)
			}
		}
	}
	if len(shapes) != 5 {
		t.Errorf("%d shapes, of which 5 are looked at here", len(shapes))
	}
}

// TestEveryVariableHasShape: no route has a variable that nobody looks at, and one that has another shape is not found.
func TestEveryVariableHasShape(t *testing.T) {
	p := &Provider{cfg: Config{Issuer: "https://id.example.gov.ua", Now: time.Now, Log: slog.New(slog.DiscardHandler), Registration: &oauth.RegistrationConfig{}}}
	var err error
	if p.site, err = web.New(web.Config{Issuer: p.cfg.Issuer}); err != nil {
		t.Fatal(err)
	}
	if p.cookies, err = session.NewCookies(p.cfg.Issuer); err != nil {
		t.Fatal(err)
	}
	// Nothing is behind the routes: a request that reaches a handler panics.
	router := p.routes(nil, nil)
	handler := p.guard(newRouteTable(router), dispatch(router))
	variable := regexp.MustCompile(`\{(\w+)(:[^}]*)?\}`)
	n := 0
	err = router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil {
			return err
		}
		for _, v := range variable.FindAllStringSubmatch(template, -1) {
			if v[2] != "" {
				continue // it has a pattern of its own
			}
			n++
			if shapes[v[1]] == nil {
				t.Errorf("%s: {%s} has no shape", template, v[1])
			}
			methods, err := route.GetMethods()
			if err != nil {
				return err
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(methods[0], strings.NewReplacer("{", "", "}", ".").Replace(template), nil))
			if w.Code != http.StatusNotFound {
				t.Errorf("%s %s with something else in it: %d", methods[0], template, w.Code)
			}
		}
		return nil
	})
	if err != nil || n < 20 {
		t.Errorf("%d variables, %v", n, err)
	}
}
