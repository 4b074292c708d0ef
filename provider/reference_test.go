package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"brama/internal/fetch"
	"brama/provider"
	"brama/provider/oauth"
)

// Who opens a request by reference again and again is told so (T96), by a page and by an answer to the portal; and that what lies there
// is no request, by the page of a portal's mistake.
func TestReferencesWithoutEnd(t *testing.T) {
	const address = "https://portal.example.ua/request.jwt"
	asked := 0
	s := newStack(t, func(o *options) {
		o.client = func(c *oauth.Client) {
			c.JWKS = []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
			c.RequestURIs = []string{address}
		}
		o.config = func(c *provider.Config) {
			c.Fetch = func(_ context.Context, r fetch.Request) (*fetch.Response, error) {
				if asked++; r.URL != address {
					return nil, errors.New("another address")
				}
				return &fetch.Response{Status: http.StatusOK, Body: []byte("no object")}, nil
			}
		}
	})
	request := s.server.URL + "/authorize?" + url.Values{"client_id": {"cabinet"}, "request_uri": {address}}.Encode()
	b := s.browser()
	b.get(request)
	if b.code() != "CLIENT_BAD_REQUEST" || b.status != http.StatusBadRequest || asked != 1 {
		t.Errorf("%d %s, asked %d times", b.status, b.code(), asked)
	}
	for range 100 {
		if b.get(request); b.code() != "CLIENT_BAD_REQUEST" {
			break
		}
	}
	if b.code() != "RATE_LIMITED" || b.status != http.StatusTooManyRequests || strings.Contains(b.page, "{n}") {
		t.Errorf("%d %s after %d times\n%s", b.status, b.code(), asked, b.page)
	}
	b.get(request + "&" + url.Values{"redirect_uri": {s.redirect}, "state": {"x"}}.Encode())
	if b.portal == nil || b.portal.Query().Get("error") != "temporarily_unavailable" || b.portal.Query().Get("error_description") != "RATE_LIMITED" {
		t.Errorf("%v", b.portal)
	}
}
