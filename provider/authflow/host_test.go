package authflow

import (
	"net/url"
	"strings"
	"testing"
)

// An address is taken without parsing it only where parsing gives the same.
func TestPlainHost(t *testing.T) {
	plain := 0
	for _, address := range []string{"https://cabinet.example.gov.ua", "https://cabinet.example.gov.ua/", "https://a.example/A_b/c", "https://a/b", "https://Cabinet.example",
		"https://a.example:443/", "https://a.example:8443", "http://127.0.0.1:9", "https://", "https:///x", "https://a@b", "https://a.example?x", "https://a.example#/", "https://a.example/%zz",
		"https://a.example/x?y#z", "https://a_b.example/", "https://[::1]/", "app:/cb", "", "//a.example", "https://a .example", "https://a.example/\x00"} {
		host, ok := plainHost(address)
		if !ok {
			continue
		}
		plain++
		u, err := url.Parse(address)
		if err != nil || u.Host != host || strings.ToLower(u.Host) != host || u.User != nil {
			t.Errorf("%q: %q, parsed %v, %v", address, host, u, err)
		}
	}
	if plain != 6 {
		t.Errorf("%d addresses are plain, want 6", plain)
	}
	for address, want := range map[string]string{"https://a.example:443/": "a.example", "http://a.example:80": "a.example", "https://A.example:8443": "a.example:8443", "https://a@": "",
		"http://127.0.0.1:9": "127.0.0.1:9", "https://a.example/%zz": "", "app:/cb": ""} {
		if got := hostOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
