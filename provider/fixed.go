package provider

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"
)

// A fixedRoute is an address without variables: its name in the log, and its handlers by method.
type fixedRoute struct {
	name     string
	handlers map[string]http.Handler
}

// withFixed serves from a map those routes of the router whose address is one text: the router tries its routes one after the
// other, by regular expressions, and copies the request twice. Everything else, another method of such an address too, is the
// router's.
func withFixed(router *mux.Router) http.Handler {
	fixed := fixedRoutes(router)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := fixed[r.URL.Path]
		handler := route.handlers[r.Method]
		if handler == nil {
			router.ServeHTTP(w, r)
			return
		}
		if e := entryOf(r.Context()); e != nil {
			e.route = route.name
		}
		handler.ServeHTTP(w, r)
	})
}

// fixedRoutes finds the routes without variables, with the handlers that the router itself gives for them.
func fixedRoutes(router *mux.Router) map[string]fixedRoute {
	fixed := map[string]fixedRoute{}
	// The function returns no error, so Walk has none.
	_ = router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil || strings.Contains(template, "{") {
			return nil //nolint:nilerr // a route that has no address is none of these
		}
		methods, err := route.GetMethods()
		if err != nil {
			return nil //nolint:nilerr // nor is one of any method
		}
		for _, method := range methods {
			var match mux.RouteMatch
			if !router.Match(&http.Request{Method: method, URL: &url.URL{Path: template}}, &match) || match.Route != route {
				continue // another route stands before it
			}
			if _, ok := fixed[template]; !ok {
				fixed[template] = fixedRoute{routeName(template), map[string]http.Handler{}}
			}
			fixed[template].handlers[method] = match.Handler
		}
		return nil
	})
	return fixed
}
