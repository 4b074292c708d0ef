package provider

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

var behindTwo = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("2001:db8:1::/64")}

// TestForwardedAddress: a proxy is believed about the sender, a stranger about nothing, and of a list only the part that proxies wrote.
func TestForwardedAddress(t *testing.T) {
	const proxy = "127.0.0.1:4000"
	for _, one := range []struct {
		name, header, from string
		values             []string
		want               string
	}{
		{"one proxy", "X-Forwarded-For", proxy, []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"two proxies", "X-Forwarded-For", proxy, []string{"203.0.113.7, 10.1.0.9"}, "203.0.113.7:0"},
		{"two headers", "X-Forwarded-For", proxy, []string{"203.0.113.7", "10.1.0.9"}, "203.0.113.7:0"},
		{"a stranger's words before", "X-Forwarded-For", proxy, []string{"127.0.0.1, 10.1.0.1, 192.0.2.1,203.0.113.7"}, "203.0.113.7:0"},
		{"a stranger's proxy", "X-Forwarded-For", proxy, []string{"192.0.2.1, 203.0.113.7, 10.1.0.9"}, "203.0.113.7:0"},
		{"with a port", "X-Forwarded-For", proxy, []string{"203.0.113.7:55555"}, "203.0.113.7:0"},
		{"IPv6", "X-Forwarded-For", proxy, []string{"2001:db8:2::5"}, "[2001:db8:2::5]:0"},
		{"IPv6 with a port", "X-Forwarded-For", proxy, []string{"[2001:db8:2::5]:443"}, "[2001:db8:2::5]:0"},
		{"a proxy by IPv6", "X-Forwarded-For", "[2001:db8:1::1]:9", []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"mapped", "X-Forwarded-For", "[::ffff:127.0.0.1]:9", []string{"::ffff:203.0.113.7"}, "203.0.113.7:0"},
		{"proxies only", "X-Forwarded-For", proxy, []string{"10.1.0.8, 10.1.0.9"}, "10.1.0.8:0"},
		{"nothing", "X-Forwarded-For", proxy, nil, proxy},
		{"empty", "X-Forwarded-For", proxy, []string{""}, proxy},
		{"junk", "X-Forwarded-For", proxy, []string{"203.0.113.7, unknown"}, proxy},
		{"junk before a proxy", "X-Forwarded-For", proxy, []string{"junk, 10.1.0.9"}, "10.1.0.9:0"},
		{"not a proxy", "X-Forwarded-For", "198.51.100.1:7", []string{"203.0.113.7"}, "198.51.100.1:7"},
		{"next to a proxy", "X-Forwarded-For", "10.1.1.9:7", []string{"203.0.113.7"}, "10.1.1.9:7"},
		{"no address", "X-Forwarded-For", "pipe", []string{"203.0.113.7"}, "pipe"},
		{"endless", "X-Forwarded-For", proxy, []string{strings.Repeat("10.1.0.1,", 400) + "10.1.0.1"}, "10.1.0.1:0"},
		{"other name", "X-Real-Ip", proxy, []string{"203.0.113.7"}, "203.0.113.7:0"},
		{"RFC 7239", "forwarded", proxy, []string{`for=192.0.2.1, for="[2001:db8:2::5]:47011";proto=https;by=10.1.0.9, FOR=10.1.0.9`}, "[2001:db8:2::5]:0"},
		{"RFC 7239, quoted comma", "Forwarded", proxy, []string{`for=192.0.2.1;host="a,for=192.0.2.2", for=203.0.113.7;host="x, for=10.9.9.9;"`}, "203.0.113.7:0"},
		{"RFC 7239, hidden", "Forwarded", proxy, []string{"for=_hidden, for=10.1.0.9"}, "10.1.0.9:0"},
		{"RFC 7239, unknown", "Forwarded", proxy, []string{"for=unknown"}, proxy},
		{"RFC 7239, twice in one", "Forwarded", proxy, []string{"for=192.0.2.1;for=203.0.113.7"}, proxy},
		{"RFC 7239, open quote", "Forwarded", proxy, []string{`for=203.0.113.7, for="192.0.2.1`}, proxy},
		{"RFC 7239, a stranger's open quote", "Forwarded", proxy, []string{`for=192.0.2.1;host="a, for=203.0.113.7`}, "203.0.113.7:0"},
		{"RFC 7239, without for", "Forwarded", proxy, []string{"proto=https"}, proxy},
		{"the other header", "Forwarded", proxy, nil, proxy},
	} {
		p := &Provider{cfg: Config{TrustedProxies: TrustedProxies{From: behindTwo, Header: one.header}}}
		got := ""
		h := p.withAddress(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		r := httptest.NewRequest("GET", "/authorize", nil)
		r.RemoteAddr = one.from
		for _, v := range one.values {
			r.Header.Add(one.header, v)
		}
		if one.name == "the other header" {
			r.Header.Set("X-Forwarded-For", "203.0.113.7")
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != one.want {
			t.Errorf("%s: %q, want %q", one.name, got, one.want)
		}
		if r.RemoteAddr != one.from {
			t.Errorf("%s: the server's request was changed", one.name)
		}
	}
	for name, c := range map[string]TrustedProxies{"no header": {From: behindTwo}, "no networks": {Header: "Forwarded"}} {
		if c.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzForwarded: whatever stands in the header, the address that the proxy itself put at its end is the sender's.
func FuzzForwarded(f *testing.F) {
	f.Add("203.0.113.7, 10.1.0.9", true)
	f.Add(`for="[2001:db8::1]:4711";proto=https, for=192.0.2.60;by=203.0.113.43`, false)
	f.Add(`for=_x;host="a\",b"`, false)
	f.Fuzz(func(t *testing.T, v string, plain bool) {
		c := TrustedProxies{From: behindTwo}
		peer := netip.MustParseAddr("127.0.0.1")
		name, last := "Forwarded", "for=198.51.100.77"
		if plain {
			name, last = "X-Forwarded-For", "198.51.100.77"
		}
		if got := c.sender(peer, name, []string{v}); !got.IsValid() || got.Zone() != "" {
			t.Fatalf("no address: %v", got)
		}
		// nginx writes both into one line; others add a line.
		if got := c.sender(peer, name, []string{v, last}); got.String() != "198.51.100.77" {
			t.Fatalf("a line of its own: %v", got)
		}
		if got := c.sender(peer, name, []string{v + ", " + last}); got.String() != "198.51.100.77" {
			t.Fatalf("in one line: %v", got)
		}
	})
}
