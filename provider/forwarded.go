package provider

import (
	"errors"
	"net/http"
	"net/netip"
	"net/textproto"
	"strings"
)

// TrustedProxies are reverse proxies that say in a header for whom they ask. The zero value believes nobody: the address of the
// connection is the address of the sender.
type TrustedProxies struct {
	// From are the networks of the proxies. Only what comes from there is believed, and addresses from there in the header are
	// proxies again.
	From []netip.Prefix
	// Header is X-Forwarded-For, Forwarded (RFC 7239), or another one that holds a list of addresses like the first. It is one:
	// a proxy that writes one of them hands on whatever a stranger put into the other.
	Header string
}

// maxForwarded bounds how many addresses of one header are looked at: nobody stands behind more proxies.
const maxForwarded = 32

func (t *TrustedProxies) check() error {
	if (len(t.From) == 0) != (t.Header == "") {
		return errors.New("provider: the header of trusted proxies needs their networks, and they it")
	}
	return nil
}

func (t *TrustedProxies) trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range t.From {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// withAddress makes RemoteAddr the address of whoever stands before the trusted proxies. Limits, prompts and the audit go by it.
// The port is 0 then.
func (p *Provider) withAddress(next http.Handler) http.Handler {
	t := p.cfg.TrustedProxies
	if len(t.From) == 0 {
		return next
	}
	name := textproto.CanonicalMIMEHeaderKey(t.Header)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && t.trusts(peer.Addr()) {
			if from := t.sender(peer.Addr(), name, r.Header[name]); from != peer.Addr() {
				r = r.WithContext(r.Context()) // a shallow copy: the server's own request stays as it is
				r.RemoteAddr = netip.AddrPortFrom(from, 0).String()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// sender reads the header from its end: each proxy puts the address that it saw behind what it got. The first address that is no
// proxy's is the sender's; whatever stands before it a stranger may have written. Where an entry cannot be read, nothing
// before it counts, and the sender is the proxy that wrote it.
func (t *TrustedProxies) sender(peer netip.Addr, name string, values []string) netip.Addr {
	read := unverifiedAddress
	split := strings.LastIndexByte
	if name == "Forwarded" {
		read, split = unverifiedForwarded, lastComma
	}
	from := peer
	for i, n := len(values)-1, 0; i >= 0; i-- {
		for rest, more := values[i], true; more; n++ {
			at := split(rest, ',')
			a, ok := read(strings.Trim(rest[at+1:], " \t"))
			if !ok || n == maxForwarded {
				return from
			}
			if from = a; !t.trusts(a) {
				return from
			}
			if more = at >= 0; more {
				rest = rest[:at]
			}
		}
	}
	return from
}

// unverifiedAddress reads an IP address, with a port or without one.
func unverifiedAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = withPort.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// unverifiedForwarded reads the node of "for" in one element (RFC 7239, 4 and 6). "unknown" and names of proxies' own are no
// addresses.
func unverifiedForwarded(element string) (netip.Addr, bool) {
	var node string
	seen := false
	for element != "" {
		at := semicolon(element)
		pair := element[:at]
		element = strings.TrimPrefix(element[at:], ";")
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok {
			return netip.Addr{}, false
		}
		if !strings.EqualFold(name, "for") {
			continue
		}
		if seen { // each parameter once (4)
			return netip.Addr{}, false
		}
		seen, node = true, value
	}
	if inner, quoted := strings.CutPrefix(node, `"`); quoted {
		if inner, quoted = strings.CutSuffix(inner, `"`); !quoted || strings.ContainsAny(inner, `\"`) {
			return netip.Addr{}, false // no address needs an escape
		}
		node = inner
	}
	return unverifiedAddress(node)
}

// lastComma is the index of the last comma outside quotes, -1 without one. Quotes are counted from the end: what a stranger left
// open before it must not swallow what the proxy wrote.
func lastComma(s string, _ byte) int {
	quoted := false
	for i := len(s) - 1; i >= 0; i-- {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return i
		}
	}
	return -1
}

// semicolon is the index of the first semicolon outside quotes, the length of s without one.
func semicolon(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return i
		}
	}
	return len(s)
}
