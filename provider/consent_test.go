package provider_test

import (
	"strings"
	"testing"

	"brama/provider"
	"brama/provider/oauth"
)

// consenting is a portal that relies on consent: the tax number is required, the rest for the person to give.
func consenting(policy string) func(*options) {
	return func(o *options) {
		o.client = func(c *oauth.Client) {
			c.Consent, c.NoticeVersion = policy, "2026-09-01"
			c.Scopes = []string{"openid", "profile", "ua.person"}
			c.Purpose = map[string]string{"uk": "облік платників", "en": "taxpayer records"}
		}
	}
}

const allScopes = "openid profile ua.person"

// TestConsentPolicies: the tick is asked never, the first time or always, and again for another version of the notice; its
// time and version stand in the token and the audit.
func TestConsentPolicies(t *testing.T) {
	for policy, want := range map[string][]bool{"never": {false, false}, "first": {true, false}, "always": {true, true}} {
		t.Run(policy, func(t *testing.T) {
			s := newStack(t, consenting(policy))
			var first any
			for visit, asked := range want {
				b := s.browser()
				b.authorize("idp_hint", "demo", "scope", allScopes)
				b.submit("demo", "person", "valid")
				if got := strings.Contains(b.page, `name="consent"`); got != asked {
					t.Fatalf("visit %d: asked %v", visit, got)
				}
				if asked {
					if !strings.Contains(b.page, "01.09.2026") || !strings.Contains(b.page, "облік платників") {
						t.Error("version or purpose is not shown")
					}
					b.submit("/confirm")
					if b.code() != "CONSENT_NEEDED" || b.portal != nil {
						t.Errorf("visit %d without the tick: %s %v", visit, b.code(), b.portal)
					}
					b.submit("/confirm", "consent", "yes")
				} else {
					b.submit("/confirm")
				}
				claims := b.exchange()
				if policy == "never" {
					if claims["consent_at"] != nil || claims["consent_version"] != nil {
						t.Errorf("visit %d: %v", visit, claims)
					}
					continue
				}
				if claims["consent_at"] == nil || claims["consent_version"] != "2026-09-01" {
					t.Errorf("visit %d: %v", visit, claims)
				}
				if line, _ := s.audit.last("login.confirmed"); line.Detail["notice"] != "2026-09-01" || line.Detail["consent"] == "" {
					t.Errorf("visit %d: the audit has %v", visit, line.Detail)
				}
				if visit == 1 && policy == "first" && claims["consent_at"] != first {
					t.Errorf("the consent was of %v, and is of %v", first, claims["consent_at"])
				}
				first = claims["consent_at"]
			}
		})
	}
}

// The text of the notice stands on the page, in its language, beside the tick and nowhere else.
func TestNoticeText(t *testing.T) {
	s := newStack(t, consenting("first"), func(o *options) {
		before := o.client
		o.client = func(c *oauth.Client) {
			before(c)
			c.NoticeText = map[string]string{"uk": "Навіщо:\n- облік <платників>\n\nhttps://cabinet.example.gov.ua/notice"}
			c.PolicyURI = "https://cabinet.example.gov.ua/policy"
		}
	})
	for lang, mark := range map[string]string{"uk": `id="notice">`, "en": `id="notice" lang="uk">`} {
		b := s.browser()
		b.authorize("idp_hint", "demo", "scope", allScopes, "ui_locales", lang)
		b.submit("demo", "person", "valid")
		for _, want := range []string{mark, "<li>облік &lt;платників&gt;</li>", `<a href="https://cabinet.example.gov.ua/notice" rel="noreferrer">`} {
			if !strings.Contains(b.page, want) {
				t.Errorf("%s: the page lacks %s", lang, want)
			}
		}
		if strings.Contains(b.page, "/policy") {
			t.Errorf("%s: the page has the address of the notice beside its text", lang)
		}
	}
	b := s.browser()
	b.authorize("idp_hint", "demo", "scope", allScopes)
	b.submit("demo", "person", "valid")
	b.submit("/confirm", "consent", "yes")
	b.exchange()
	b.authorize("scope", allScopes)
	if strings.Contains(b.page, "платників&gt;") || strings.Contains(b.page, `name="consent"`) {
		t.Error("a notice that is agreed to is shown again")
	}
}

// TestOptionalClaims: what the portal does not need is unticked, comes only if the person gives it, and is remembered; a
// stranger's field gives nothing.
func TestOptionalClaims(t *testing.T) {
	s := newStack(t, consenting("first"))
	visit := func(more ...string) map[string]any {
		t.Helper()
		b := s.browser()
		b.authorize("idp_hint", "demo", "scope", allScopes)
		b.submit("demo", "person", "valid")
		b.submit("/confirm", append([]string{"consent", "yes"}, more...)...)
		return b.exchange()
	}
	if claims := visit("give-edrpou", "yes", "give-rnokpp", "no"); claims["birthdate"] != nil || claims["unzr"] != nil || claims["rnokpp"] == nil {
		t.Errorf("nothing ticked: %v", claims)
	}
	if claims := visit("give-birthdate", "yes"); claims["birthdate"] == nil || claims["unzr"] != nil {
		t.Errorf("the birth date ticked: %v", claims)
	}
	b := s.browser()
	b.authorize("idp_hint", "demo", "scope", allScopes)
	b.submit("demo", "person", "valid")
	if !strings.Contains(b.page, `id="give-birthdate" value="yes" checked>`) || strings.Contains(b.page, `id="give-unzr" value="yes" checked>`) {
		t.Errorf("what was given before is not remembered:\n%s", b.page)
	}
	b.submit("/confirm", "give-birthdate", "yes")
	b.exchange()
	b.authorize("prompt", "none", "scope", allScopes)
	if claims := b.exchange(); claims["birthdate"] == nil || claims["unzr"] != nil || claims["consent_at"] == nil {
		t.Errorf("silently: %v", claims)
	}
	// A request for less withdraws nothing.
	b.authorize("scope", "openid")
	b.submit("/continue")
	b.exchange()
	b.authorize("prompt", "none", "scope", allScopes)
	if b.refusal() != "" || b.exchange()["birthdate"] == nil {
		t.Errorf("after a request for less: %v", b.portal)
	}
	b.authorize("prompt", "consent", "scope", allScopes)
	if !strings.HasSuffix(b.url.Path, "/continue") || !strings.Contains(b.page, `name="consent"`) {
		t.Errorf("prompt=consent: at %s", b.url)
	}
}

// TestNewNoticeAsksAgain: another version of the notice is another consent; until then a silent request is told so, and a
// portal that is new to the person learns nothing at all (threat T101).
func TestNewNoticeAsksAgain(t *testing.T) {
	s := newStack(t, consenting("always"))
	b := s.browser()
	b.authorize("idp_hint", "demo", "scope", allScopes)
	b.submit("demo", "person", "valid")
	b.submit("/confirm", "consent", "yes")
	b.exchange()
	b.authorize("prompt", "none", "scope", allScopes)
	if b.refusal() != "consent_required" {
		t.Errorf("always: %v", b.portal)
	}

	s = newStack(t, consenting("first"))
	b = s.browser()
	b.authorize("idp_hint", "demo", "scope", allScopes)
	b.submit("demo", "person", "valid")
	b.submit("/confirm", "consent", "yes")
	b.exchange()
	// The same store under a registration with a newer notice.
	var portal oauth.Client
	renewed := newStack(t, consenting("first"), func(o *options) {
		before := o.client
		o.client = func(c *oauth.Client) { before(c); c.NoticeVersion = "2027-01-01"; portal = *c }
		o.config = func(c *provider.Config) { c.Store = s.store }
	})
	if portal.NoticeVersion == "" {
		t.Fatal("the base of this test")
	}
	again := renewed.browser()
	again.authorize("idp_hint", "demo", "scope", allScopes)
	again.submit("demo", "person", "valid")
	if !strings.Contains(again.page, `name="consent"`) || !strings.Contains(again.page, "01.01.2027") {
		t.Error("the new notice is not asked about")
	}
}
