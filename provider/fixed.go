package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"brama/provider/oauth"
)

// maxVariables is how many variables an address of the table has at most, and maxSegments how many segments from the first on.
const (
	maxVariables = 2
	maxSegments  = 4
)

// A tableRoute is a route of the router as the table has it.
type tableRoute struct {
	name     string                  // in the log
	handlers map[string]http.Handler // by method
	data     bool                    // JSON for programs: nothing that a browser shows

	// Behind the prefix: the variables' segments are "", and these are the names of all variables and what may stand for them.
	segments []string
	names    []string
	shapes   []func(string) bool
}

// A found is where a request goes. The zero value says that the router knows.
type found struct {
	route   *tableRoute
	handler http.Handler
	values  [maxVariables]string // of the variables
}

// A routeTable finds by comparing what the router would find: the router tries its routes one after the other, by regular
// expressions, and copies the request twice. It has the routes whose address is one text, and those of segments that are one
// text or a variable without a pattern. Everything else, another method of such an address too, is the router's.
type routeTable struct {
	fixed  map[string]*tableRoute
	varied []prefixRoutes
}

// prefixRoutes are routes whose first variable stands behind the same text, in the order of the router: the first that fits is
// meant.
type prefixRoutes struct {
	prefix string
	routes []*tableRoute
}

// newRouteTable reads the table off a router.
func newRouteTable(router *mux.Router) *routeTable {
	t := &routeTable{fixed: map[string]*tableRoute{}}
	var others []string // what the addresses of the router's own routes begin with
	// The function returns no error, so Walk has none.
	_ = router.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		template, err := route.GetPathTemplate()
		if err != nil || route.GetHandler() == nil {
			return nil //nolint:nilerr // a route that has no address, or only routes below it, is none of these
		}
		prefix, variables, varied := strings.Cut(template, "{")
		methods, err := route.GetMethods()
		if err != nil || strings.Contains(variables, ":") || strings.Count(template, "{") > maxVariables || strings.Count("{"+variables, "/") >= maxSegments {
			others = append(others, prefix)
			return nil //nolint:nilerr // the router's: of any method, or with a pattern
		}
		r := &tableRoute{name: template, handlers: map[string]http.Handler{}}
		for _, method := range methods {
			var match mux.RouteMatch
			example := &http.Request{Method: method, URL: &url.URL{Path: strings.NewReplacer("{", "", "}", "").Replace(template)}}
			if router.Match(example, &match) && match.Route == route { // else another route stands before it
				r.handlers[method] = match.Handler
			}
		}
		shadowed := func(other string) bool { return strings.HasPrefix(other, prefix) || strings.HasPrefix(prefix, other) }
		switch {
		case len(r.handlers) == 0:
		case !varied:
			t.addFixed(r)
		case strings.HasSuffix(prefix, "/") && !slices.ContainsFunc(others, shadowed):
			t.addVaried(prefix, r)
		default:
			others = append(others, prefix)
		}
		return nil
	})
	return t
}

func (t *routeTable) addFixed(r *tableRoute) {
	known := t.fixed[r.name]
	if known == nil {
		t.fixed[r.name] = r
		return
	}
	for method, handler := range r.handlers {
		known.handlers[method] = handler
	}
}

func (t *routeTable) addVaried(prefix string, r *tableRoute) {
	r.segments = strings.Split(r.name[len(prefix):], "/")
	for i, segment := range r.segments {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			r.segments[i], r.names, r.shapes = "", append(r.names, name), append(r.shapes, shapes[name])
		}
	}
	i := slices.IndexFunc(t.varied, func(p prefixRoutes) bool { return p.prefix == prefix })
	if i < 0 {
		i, t.varied = len(t.varied), append(t.varied, prefixRoutes{prefix: prefix})
	}
	t.varied[i].routes = append(t.varied[i].routes, r)
}

// mark says that endpoints are for programs alone.
func (t *routeTable) mark(paths ...string) {
	for _, path := range paths {
		if r := t.fixed[path]; r != nil {
			r.data = true
		}
	}
}

// find finds where a request goes.
func (t *routeTable) find(method, path string) found {
	if r := t.fixed[path]; r != nil {
		if handler := r.handlers[method]; handler != nil {
			return found{route: r, handler: handler}
		}
		return found{}
	}
	for i := range t.varied {
		rest, ok := strings.CutPrefix(path, t.varied[i].prefix)
		if !ok {
			continue
		}
		segments, n := split(rest)
		for _, r := range t.varied[i].routes {
			if !r.fits(segments[:n]) {
				continue
			}
			if f := (found{route: r, handler: r.handlers[method]}); f.handler != nil {
				if f.keep(segments[:n]) {
					return f
				}
				return found{} // a name that cannot be one of ours
			}
		}
	}
	return found{}
}

// split returns the segments of rest and how many they are, at most maxSegments and one.
func split(rest string) (segments [maxSegments + 1]string, n int) {
	for more := true; more && n < len(segments); n++ {
		segments[n], rest, more = strings.Cut(rest, "/")
	}
	return segments, n
}

// fits reports whether segments are those of the route but for the variables.
func (r *tableRoute) fits(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		if want != "" && want != segments[i] {
			return false
		}
	}
	return true
}

// keep keeps the variables, or reports that one has not its shape.
func (f *found) keep(segments []string) bool {
	variable := 0
	for i, want := range f.route.segments {
		if want != "" {
			continue
		}
		if shape := f.route.shapes[variable]; shape == nil || segments[i] == "" || !shape(segments[i]) {
			return false
		}
		f.values[variable] = segments[i]
		variable++
	}
	return true
}

// dispatch serves what the table has found, and leaves the rest to the router.
func dispatch(router *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := entryOf(r.Context()); e != nil && e.found.handler != nil {
			e.route = e.found.route.name
			e.found.handler.ServeHTTP(w, r)
			return
		}
		router.ServeHTTP(w, r)
	})
}

// variable returns what stands for a variable of the address, whoever has found the route.
func variable(r *http.Request, name string) string {
	if e := entryOf(r.Context()); e != nil && e.found.route != nil {
		if i := slices.Index(e.found.route.names, name); i >= 0 {
			return e.found.values[i]
		}
		return ""
	}
	return mux.Vars(r)[name]
}

// machinePaths are the endpoints for programs below base, the path of the issuer.
func machinePaths(base string) []string {
	paths := []string{oauth.PathMetadata + base}
	for _, path := range []string{oauth.PathDiscovery, oauth.PathJWKS, oauth.PathPAR, oauth.PathToken, oauth.PathRevoke, oauth.PathIntrospect, oauth.PathUserInfo} {
		paths = append(paths, base+path)
	}
	return paths
}
