package provider_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"brama/provider/oauth"
)

// A login that is over begins again at the portal: at its initiate_login_uri, which is told of us (OpenID Connect Core, 4). A
// portal that registered none gets no link.
func TestInitiateLogin(t *testing.T) {
	start := regexp.MustCompile(`href="([^"]*/begin[^"]*)"`)
	for registered, want := range map[string]string{
		"http://127.0.0.1:1/begin":        "http://127.0.0.1:1/begin?iss=",
		"http://127.0.0.1:1/begin?from=b": "http://127.0.0.1:1/begin?from=b&iss=",
		"":                                "",
	} {
		s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.InitiateLogin = registered } })
		b := s.browser()
		b.authorize("idp_hint", "demo")
		page := b.url.String()
		s.forward(31 * time.Minute)
		b.get(page)
		if b.code() != "TX_EXPIRED" || b.status < http.StatusBadRequest {
			t.Errorf("%q: %d %s", registered, b.status, b.code())
		}
		found := start.FindStringSubmatch(b.page)
		if want == "" {
			if found != nil {
				t.Errorf("an address that nobody registered: %s", found[1])
			}
			continue
		}
		if found == nil || html.UnescapeString(found[1]) != want+url.QueryEscape(s.server.URL) {
			t.Errorf("%q: the page leads to %q, want %q and the issuer", registered, found, want)
		}
	}
}
