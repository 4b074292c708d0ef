package session

import (
	"net/http"
	"strings"
)

// An Origin is where a POST came from. The zero value is a refusal.
type Origin int

// Origins.
const (
	OriginForeign Origin = iota // another site, a neighbour of the same site, or contradicting headers: refuse
	OriginOwn                   // our own page, or the person without any page
	OriginUnknown               // neither header: a script; good enough only with the login cookie and a valid step MAC
)

// OriginOf judges a state-changing request by Sec-Fetch-Site and Origin against the configured issuer, never against the
// Host header, which the sender chooses. A neighbour under one domain ("same-site") is foreign.
func OriginOf(r *http.Request, issuer string) Origin {
	site, hasSite := header(r, "Sec-Fetch-Site")
	origin, hasOrigin := header(r, "Origin")
	if hasOrigin && origin != originOf(issuer) {
		return OriginForeign
	}
	switch {
	case hasSite && (site == "same-origin" || site == "none"):
		return OriginOwn
	case hasSite:
		return OriginForeign
	case hasOrigin:
		return OriginOwn
	}
	return OriginUnknown
}

// header returns a header, joined if it came more than once so that it can equal nothing that is allowed.
func header(r *http.Request, name string) (string, bool) {
	values := r.Header.Values(name)
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return "twice", true
}

// originOf is what stands before the path of an issuer.
func originOf(issuer string) string {
	scheme, rest, ok := strings.Cut(issuer, "://")
	host, _, _ := strings.Cut(rest, "/")
	if !ok || scheme == "" || host == "" {
		return "no origin"
	}
	return issuer[:len(scheme)+len("://")+len(host)]
}
