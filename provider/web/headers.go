package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Screen says which rules a page needs beyond those of every page. The zero value is the strictest.
type Screen int

// Screens.
const (
	ScreenPlain Screen = iota // S8, S14, S16, S17: no program runs here
	ScreenFile                // S2: the browser program
	ScreenToken               // S3: the program on the person's computer
)

// csp is the policy of ux.md 6: the same on every screen but for three things, the browser program on S2, the agent on S3
// and the addresses to which the answer of a form is redirected: the portal's, and on S6 that of the system that the person is
// sent to.
func csp(s Screen, redirectURI, agent string, more ...string) string {
	script, connect, types := "script-src 'self'", "connect-src 'self'", ""
	if s == ScreenFile {
		script += " 'wasm-unsafe-eval'"
		types = "; trusted-types brama-worker" // the one policy, for the address of the worker
	}
	if source := cspSource(agent); s == ScreenToken && source != "" {
		connect += " " + source
	}
	form := "form-action 'self'"
	for _, address := range append([]string{redirectURI}, more...) {
		if source := cspSource(address); source != "" && !strings.Contains(form+" ", " "+source+" ") {
			form += " " + source
		}
	}
	return "default-src 'none'; " + script + "; style-src 'self'; img-src 'self'; font-src 'self'; " + connect + "; " +
		"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " + form + types
}

// A policyOf is what a page's policy depends on.
type policyOf struct {
	screen                       Screen
	redirectURI, agent, formInto string
}

// policies are the policies of pages that were used last, as net/http holds them.
type policies struct{ recent[policyOf, []string] }

// maxPolicies bounds them: an application on the person's device comes with another port each time.
const maxPolicies = 64

func (m *policies) of(p *Page) []string {
	if len(p.Frames) > 0 {
		return []string{csp(p.Screen, p.RedirectURI, p.Agent, p.FormOrigin) + frameSources(p.Frames)}
	}
	key := policyOf{p.Screen, p.RedirectURI, p.Agent, p.FormOrigin}
	m.mu.Lock()
	defer m.mu.Unlock()
	policy, ok := m.now[key]
	if ok {
		return policy
	}
	if policy, ok = m.old[key]; !ok {
		policy = []string{csp(p.Screen, p.RedirectURI, p.Agent, p.FormOrigin)}
	}
	m.keep(key, policy, maxPolicies)
	return policy
}

// frameSources is the part of the policy that lets the page after a sign-out, and no other, hold frames: of exactly the
// origins of these addresses. "" without any.
func frameSources(addresses []string) string {
	var list []string
	for _, address := range addresses {
		if source := cspSource(address); strings.HasPrefix(source, "http") && !slices.Contains(list, source) {
			list = append(list, source)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "; frame-src " + strings.Join(list, " ")
}

// workerCSP is the policy of the worker's own response: a worker does not inherit the page's, and without one it could
// talk to any host (threat T35).
const workerCSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'"

// cspSource builds the source expression of a redirect URI from its parsed parts, never from its text: scheme and ASCII
// host with port, or the scheme alone for an application's own scheme. What does not fit the grammar is left out, and the
// browser then blocks the redirect: the safe side (threat T99).
func cspSource(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme == "" || u.User != nil {
		return ""
	}
	scheme := strings.ToLower(u.Scheme)
	for _, c := range scheme {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.') {
			return ""
		}
	}
	switch scheme {
	case "https", "http":
	case "javascript", "data", "blob", "filesystem", "about", "file":
		return ""
	default:
		return scheme + ":"
	}
	host := strings.ToLower(u.Host)
	if host == "" || len(host) > 260 {
		return ""
	}
	for _, c := range host {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':' || c == '[' || c == ']') {
			return ""
		}
	}
	return scheme + "://" + host
}

// permissions denies every feature that a browser lets a page deny.
const permissions = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(), display-capture=(), " +
	"encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), " +
	"local-network-access=(), loopback-network=(), magnetometer=(), microphone=(), midi=(), payment=(), " +
	"picture-in-picture=(), publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), " +
	"storage-access=(), usb=(), xr-spatial-tracking=()"

// agentPermissions lets the page of S3, and no frame, call a program on the person's computer. The feature had the second name
// before it was divided.
var agentPermissions = strings.NewReplacer("loopback-network=()", "loopback-network=(self)",
	"local-network-access=()", "local-network-access=(self)").Replace(permissions)

// Values of headers that are always the same, as net/http holds them: a header gets the slice as it is. It is full, so that
// whoever adds a value makes a new one.
var (
	safePolicy      = []string{"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"}
	safeTypes       = []string{"nosniff"}
	safeFrames      = []string{"DENY"}
	safeReferrer    = []string{"same-origin"}
	safeOpener      = []string{"same-origin"}
	safePermissions = []string{permissions}
	safeTransport   = []string{"max-age=31536000"}

	pageAgentPermissions = []string{agentPermissions}
	pageType             = []string{"text/html; charset=utf-8"}
	pageCache            = []string{"no-store"}
)

// Secure sets the headers of every answer, whatever it is. The names are in their canonical form, which http.Header.Set would find
// out anew for each.
func Secure(h http.Header, https bool) {
	h["Content-Security-Policy"] = safePolicy
	h["X-Content-Type-Options"] = safeTypes
	if https {
		h["Strict-Transport-Security"] = safeTransport
	}
}

// SecurePage adds the headers of every answer that a browser may show or follow: all but JSON that programs ask for. They speak of
// windows, frames, links and features, which such an answer does not have, and with more than eight headers an answer costs twice
// as much. A page adds its own policy to them.
func SecurePage(h http.Header) {
	h["X-Frame-Options"] = safeFrames
	h["Referrer-Policy"] = safeReferrer
	h["Cross-Origin-Opener-Policy"] = safeOpener
	h["Permissions-Policy"] = safePermissions
}
