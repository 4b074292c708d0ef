package provider_test

import (
	"strings"
	"testing"
)

// TestLinkNeedsFreshSignature: linking is said on every page, with the portal's host and its own name of the account in quotes; a
// session does not answer for it, and it is never silent (threat T75).
func TestLinkNeedsFreshSignature(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	before := b.signIn("valid")
	if strings.Contains(b.page, `id="linking"`) {
		t.Error("a sign-in speaks of linking")
	}
	link := []string{"purpose", "link", "account_hint", `o.testenko"><b>`, "idp_hint", "demo"}
	b.authorize(append(link, "prompt", "none")...)
	if b.refusal() != "invalid_request" {
		t.Errorf("silently: %v", b.portal)
	}
	b.authorize(link...)
	spoken := func(step string) {
		t.Helper()
		for _, want := range []string{`id="linking"`, "просить прив&#39;язати ваш електронний підпис", "почали це на 127.0.0.1:1 ", `<q id="account-hint" translate="no">o.testenko&#34;&gt;&lt;b&gt;</q>`} {
			if !strings.Contains(b.page, want) {
				t.Errorf("%s does not say %s", step, want)
			}
		}
	}
	if !strings.HasSuffix(b.url.Path, "/demo") || b.portal != nil {
		t.Fatalf("in a session: at %s, %v", b.url, b.portal)
	}
	spoken("S1")
	b.submit("demo", "person", "valid")
	if !strings.HasSuffix(b.url.Path, "/confirm") || !strings.Contains(b.page, "Прив&#39;язати підпис</button>") {
		t.Fatalf("at %s %s", b.url, b.code())
	}
	spoken("S8")
	b.submit("/confirm")
	if claims := b.exchange(); claims["sid"] == before["sid"] {
		t.Error("an old sign-in was linked")
	}
	b.authorize("account_hint", "somebody")
	if strings.Contains(b.page, "somebody") {
		t.Error("a hint without linking is shown")
	}
}

// TestNoLockoutByStranger: whoever knows a person's number cannot keep them out: wrong proofs count against the login and the
// address they came with, never against the number (threat T52).
func TestNoLockoutByStranger(t *testing.T) {
	s := newStack(t)
	refused := 0
	for range 4 {
		stranger := s.browser()
		stranger.authorize("idp_hint", "demo")
		for range 7 {
			if _, ok := find(stranger, "demo"); !ok {
				break
			}
			stranger.submit("demo", "person", "revoked") // the same number as that of "valid"
			if stranger.portal != nil || stranger.code() == "" {
				t.Fatalf("a revoked certificate: at %s %s", stranger.url, stranger.code())
			}
			refused++
		}
	}
	if refused < 20 {
		t.Fatalf("only %d wrong proofs", refused)
	}
	if claims := s.browser().signIn("valid"); claims["rnokpp"] != "3184710691" {
		t.Errorf("the person is kept out: %v", claims)
	}
}
