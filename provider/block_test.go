package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage"
)

// TestBlockedPerson: whom the operator blocks has no session, no grant and no way in, from the start of the server on; the portals are
// told, others are not touched, and a login that was under way stops (threat T80).
func TestBlockedPerson(t *testing.T) {
	refreshing := func(o *options) {
		o.client = func(c *oauth.Client) {
			c.GrantTypes, c.BackchannelLogoutURI = []string{"authorization_code", "refresh_token"}, "http://127.0.0.1:1/out"
		}
	}
	s := newStack(t, refreshing)
	stranger, err := s.tsp.Issue(qestest.Request{FamilyName: "Інша", GivenName: "Особа", RNOKPP: "2345678901"})
	if err != nil {
		t.Fatal(err)
	}
	s.people["valid-official"] = stranger
	blocked, other, begun := s.browser(), s.browser(), s.browser()
	blocked.signIn("valid", "scope", "openid offline_access", "prompt", "consent")
	first, _ := s.audit.last("login.confirmed")
	other.signIn("valid-official", "scope", "openid offline_access", "prompt", "consent")
	begun.authorize("idp_hint", "demo")
	begun.submit("demo", "person", "valid")
	if line, _ := s.audit.last("login.confirmed"); first.Person == "" || line.Person == first.Person || !strings.HasSuffix(begun.url.Path, "/confirm") {
		t.Fatalf("the base of this test: %+v, %+v, %s", first, line, begun.url)
	}

	var lines []int
	for range 2 { // two starts
		again := newStack(t, refreshing, func(o *options) {
			o.config = func(c *provider.Config) { c.Store, c.BlockedPersons = s.store, []string{first.Person} }
		})
		lines = append(lines, again.audit.count("person.blocked"))
		move := func(b *browser) *browser {
			next := again.browser()
			next.client.Jar = b.client.Jar // it knows no ports
			return next
		}
		if _, code, _ := again.renew(blocked.refresh); code != "invalid_grant" {
			t.Errorf("a refresh token: %q", code)
		}
		b := move(blocked)
		b.authorize("prompt", "none")
		if b.refusal() != "login_required" {
			t.Errorf("the session: %v", b.portal)
		}
		b.authorize("idp_hint", "demo")
		b.submit("demo", "person", "valid")
		if b.code() != "PERSON_BLOCKED" || b.status != http.StatusForbidden || strings.Contains(b.page, `id="confirm"`) {
			t.Errorf("a new sign-in: %d %s", b.status, b.code())
		}
		b = move(begun)
		b.get(again.server.URL + begun.url.Path)
		if b.code() != "PERSON_BLOCKED" || strings.Contains(b.page, "Тестенко") {
			t.Errorf("a sign-in that was under way: %d %s", b.status, b.code())
		}
		b = move(other)
		b.authorize("prompt", "none")
		if b.refusal() != "" {
			t.Errorf("another person's session: %v", b.portal)
		}
		next, code, _ := again.renew(other.refresh)
		if next == "" {
			t.Fatalf("another person's refresh token: %q", code)
		}
		other.refresh = next
	}
	if lines[0] != 1 || lines[1] != 0 {
		t.Errorf("the audit has %v lines, want one at the first start", lines)
	}
	told := 0
	if err := s.store.View(t.Context(), func(tx storage.Tx) error {
		for _, err := range tx.Scan(storage.KindFarewell, "") {
			if err != nil {
				return err
			}
			told++
		}
		return nil
	}); err != nil || told != 1 {
		t.Errorf("%d messages to portals, %v", told, err)
	}
}
