package provider_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestDemoSignsIn walks the whole road: the portal's request, a demo person, S8, «Увійти», the code, the ID token.
func TestDemoSignsIn(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	if !strings.Contains(b.page, `id="demo-valid"`) || !strings.HasSuffix(b.url.Path, "/demo") {
		t.Fatalf("idp_hint=demo opens %s:\n%s", b.url, b.page)
	}
	b.submit("demo", "person", "valid")
	if !strings.HasSuffix(b.url.Path, "/confirm") || !strings.Contains(b.page, `id="confirm"`) {
		t.Fatalf("after the signature: %s %d %s\n%s", b.url, b.status, b.code(), b.page)
	}
	for _, want := range []string{"Тестенко Олена Петрівна", "3184710691", "31••••••91", "КНЕДП «Калина» (ТЕСТ)", "Електронний кабінет"} {
		if !strings.Contains(b.page, want) {
			t.Errorf("S8 lacks %q", want)
		}
	}
	b.submit("/confirm")
	if b.status != http.StatusSeeOther || b.portal == nil || b.portal.Query().Get("state") != "state-of-the-portal" || b.portal.Query().Get("iss") == "" {
		t.Fatalf("after «Увійти»: %d %v\n%s", b.status, b.portal, b.page)
	}
	claims := b.exchange()
	for name, want := range map[string]any{"name": "Тестенко Олена Петрівна", "family_name": "Тестенко", "given_name": "Олена",
		"middle_name": "Петрівна", "rnokpp": "3184710691", "acr": "substantial", "nonce": "nonce-of-the-portal", "birthdate": "1984-03-12"} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	for _, action := range []string{"login.verified", "login.confirmed"} {
		if s.audit.count(action) != 1 {
			t.Errorf("the audit has %d lines %s", s.audit.count(action), action)
		}
	}
	// The back button leads to no data.
	b.get(b.url.Path)
	if b.code() != "TX_UNKNOWN" || strings.Contains(b.page, "Тестенко") {
		t.Errorf("after the login its step shows %s", b.code())
	}
}
