package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"brama/provider"
	"brama/provider/oauth"
)

// An implicit sign-in is a sign-in like any other: the person sees the same pages, the log of events has the same lines, and
// what is wrong comes back where the tokens would have come. Without an open registration there is no such thing.
func TestImplicitSignIn(t *testing.T) {
	s := newStack(t, func(o *options) {
		o.client = func(c *oauth.Client) {
			c.GrantTypes, c.ResponseTypes = []string{oauth.GrantImplicit}, []string{"id_token token"}
		}
		o.config = func(c *provider.Config) { c.Registration = &oauth.RegistrationConfig{Open: true} }
	})
	fragment := func(b *browser) url.Values {
		t.Helper()
		if b.status != http.StatusSeeOther || b.portal == nil || b.portal.RawQuery != "" || !strings.HasPrefix(b.portal.String(), s.redirect+"#") {
			t.Fatalf("%d %v\n%s", b.status, b.portal, b.page)
		}
		v, err := url.ParseQuery(b.portal.EscapedFragment())
		if err != nil || v.Get("state") != "state-of-the-portal" || v.Get("iss") != s.server.URL {
			t.Fatalf("%v %v", v, err)
		}
		return v
	}
	b := s.browser()
	b.authorize("response_type", "token id_token", "idp_hint", "demo", "prompt", "none")
	if v := fragment(b); v.Get("error") != "login_required" || v.Has("id_token") {
		t.Errorf("prompt none: %v", v)
	}
	b.authorize("response_type", "token id_token", "idp_hint", "demo")
	b.submit("demo", "person", "valid")
	if !strings.HasSuffix(b.url.Path, "/confirm") || s.audit.count("login.confirmed") != 0 {
		t.Fatalf("%s %d", b.url, s.audit.count("login.confirmed"))
	}
	b.submit("/confirm")
	v := fragment(b)
	if v.Get("id_token") == "" || v.Has("code") || v.Has("refresh_token") {
		t.Errorf("%v", v)
	}
	for _, action := range []string{"login.verified", "login.confirmed"} {
		if s.audit.count(action) != 1 {
			t.Errorf("the audit has %d lines %s", s.audit.count(action), action)
		}
	}
	if b.access = v.Get("access_token"); b.userinfo() != http.StatusOK {
		t.Errorf("userinfo: %d", b.userinfo())
	}
	// T74: neither is in the log.
	for _, secret := range []string{v.Get("id_token"), v.Get("access_token")} {
		if strings.Contains(s.logs.String(), secret) {
			t.Error("a token is in the log")
		}
	}
	// The session answers the next request in silence, and its end ends the tokens.
	b.authorize("response_type", "token id_token", "prompt", "none")
	if v := fragment(b); v.Get("access_token") == "" {
		t.Errorf("prompt none with a session: %v", v)
	}
	b.authorize("response_type", "token id_token", "prompt", "none", "response_mode", "form_post")
	if action, fields := b.form("/callback"); action != s.redirect || fields.Get("access_token") == "" || fields.Get("id_token") == "" || fields.Get("state") != "state-of-the-portal" {
		t.Errorf("%s %v", action, fields)
	}
	b.authorize("response_type", "code")
	if q := b.portal.Query(); q.Get("error") != "unauthorized_client" {
		t.Errorf("a code of a client without codes: %v", q)
	}
	plain := newStack(t).browser()
	plain.authorize("response_type", "id_token token")
	if q := plain.portal.Query(); q.Get("error") != "unsupported_response_type" {
		t.Errorf("%v", plain.portal)
	}
}
