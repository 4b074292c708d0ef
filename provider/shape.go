package provider

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// shapes are what may stand for the variables of addresses. They are looked at once the route is found: as regular expressions
// of every route they would be half of its cost, and a tenth of what an idle server keeps.
var shapes = map[string]func(string) bool{
	"id":     isID,
	"method": func(s string) bool { return isWord(s, 2, 12, isLower) },
	"secret": func(s string) bool { return isWord(s, 43, 43, isBase64) },
	"client": func(s string) bool {
		id, ok := strings.CutPrefix(s, "dyn-")
		return ok && isID(id)
	},
	"handle": func(s string) bool {
		id, mac, _ := strings.Cut(s, ".")
		return isID(id) && isWord(mac, 20, 64, isBase64)
	},
}

// isID reports whether s can be a random name of ours: 128 bits in base64url.
func isID(s string) bool { return isWord(s, 22, 22, isBase64) }

// isWord reports whether s is of least to most bytes of an alphabet.
func isWord(s string, least, most int, of func(c byte) bool) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !of(s[i]) {
			return false
		}
	}
	return true
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

// isBase64 is the alphabet of base64url.
func isBase64(c byte) bool {
	return isLower(c) || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// wellShaped reports whether every variable of an address has its shape, those of it that have one.
func wellShaped(vars map[string]string) bool {
	for name, value := range vars {
		if holds := shapes[name]; holds != nil && !holds(value) {
			return false
		}
	}
	return true
}

// shaped finds nothing at addresses whose variables have not their shapes: no handler sees them. The table has looked at its own.
func (p *Provider) shaped(next http.Handler) http.Handler {
	missing := p.notFound(http.StatusNotFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := entryOf(r.Context()); (e == nil || e.found.handler == nil) && !wellShaped(mux.Vars(r)) {
			missing.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// routeName is the pattern of a route as the log has it.
func routeName(template string) string { return strings.ReplaceAll(template, docPattern, "{doc}") }
