package provider_test

import (
	"strings"
	"testing"

	"brama/internal/qes/qestest"
)

// TestSameNumberOtherBirthDate: a known tax number with another birth date is two people or an error, and signs nobody in;
// another surname is lawful: it is taken, shown and told to the portal (threat T30).
func TestSameNumberOtherBirthDate(t *testing.T) {
	s := newStack(t)
	sign := func(family, unzr string) *browser {
		t.Helper()
		i, err := s.tsp.Issue(qestest.Request{FamilyName: family, GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691", UNZR: unzr})
		if err != nil {
			t.Fatal(err)
		}
		s.people["valid"] = i
		b := s.browser()
		b.authorize("idp_hint", "demo")
		b.submit("demo", "person", "valid")
		return b
	}
	enter := func(b *browser, family string) (subject string) {
		t.Helper()
		if !strings.HasSuffix(b.url.Path, "/confirm") || !strings.Contains(b.page, family) {
			t.Fatalf("%s: at %s %s", family, b.url, b.code())
		}
		b.submit("/confirm")
		claims := b.exchange()
		if claims["family_name"] != family || claims["rnokpp"] != "3184710691" {
			t.Errorf("%s: the token says %v", family, claims)
		}
		subject, _ = claims["sub"].(string)
		return subject
	}
	first := enter(sign("Тестенко", ""), "Тестенко") // of before the birth date was known
	if again := enter(sign("Тестенко", "19870312-00017"), "Тестенко"); again != first || first == "" {
		t.Errorf("the number learned later makes %q, before it was %q", again, first)
	}
	refusals := s.audit.count("login.refused")
	for _, unzr := range []string{"19870312-00028", "19870313-00017", "19780312-00017", "20060101-00029"} {
		b := sign("Тестенко", unzr)
		if b.code() != "PERSON_CONFLICT" || strings.Contains(b.page, "Тестенко") || b.portal != nil {
			t.Errorf("%s: at %s %s", unzr, b.url, b.code())
		}
		b.get("/login/" + loginID(b.url) + "/confirm")
		if b.code() != "TX_UNKNOWN" {
			t.Errorf("%s: afterwards the login shows %s", unzr, b.code())
		}
	}
	if line, _ := s.audit.last("login.refused"); line.Code != "PERSON_CONFLICT" || s.audit.count("login.refused") != refusals+4 {
		t.Errorf("the audit has %d refusals, the last %+v", s.audit.count("login.refused")-refusals, line)
	}
	// Nothing of the refused ones is kept, and a marriage is no conflict.
	if married := enter(sign("Шлюбенко", "19870312-00017"), "Шлюбенко"); married != first {
		t.Errorf("another surname makes %q, before it was %q", married, first)
	}
	if again := enter(sign("Шлюбенко", ""), "Шлюбенко"); again != first {
		t.Errorf("the tax number alone makes %q, before it was %q", again, first)
	}
}
