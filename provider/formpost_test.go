package provider_test

import (
	"net/http"
	"strings"
	"testing"
)

// The answer of response_mode form_post is a page with a form and a visible button; its script is a file of ours.
func TestFormPost(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("response_mode", "form_post", "idp_hint", "demo", "ui_locales", "en")
	b.submit("demo", "person", "valid")
	b.submit("/confirm")
	action, fields := b.form("/callback")
	if b.status != http.StatusOK || action != s.redirect || fields.Get("code") == "" || fields.Get("state") != "state-of-the-portal" || fields.Get("iss") != s.server.URL {
		t.Fatalf("%d %s %v\n%s", b.status, action, fields, b.page)
	}
	for _, want := range []string{`<button type="submit" id="go">`, "formpost.js", `<html lang="en">`} {
		if !strings.Contains(b.page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	csp := b.header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "form-action 'self' http://127.0.0.1:1;") && !strings.HasSuffix(csp, "form-action 'self' http://127.0.0.1:1") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %s", csp)
	}
	if b.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %s", b.header.Get("Cache-Control"))
	}
	// Errors too, before there is a login.
	b = s.browser()
	b.authorize("response_mode", "form_post", "prompt", "none")
	if _, fields := b.form("/callback"); fields.Get("error") != "login_required" || fields.Get("code") != "" {
		t.Errorf("prompt none: %v", fields)
	}
}
