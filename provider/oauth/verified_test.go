package oauth

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const verifiedAll = `{"verification":{"trust_framework":null,"assurance_level":null,"time":null,"evidence":[{"type":{"value":"electronic_signature"},` +
	`"signature_type":null,"issuer":null,"serial_number":null,"created_at":null}]},"claims":{"rnokpp":null,"name":null,"title":null}}`

// verified returns verified_claims of userinfo as JSON, "" if there are none.
func (f *fixture) verified(request string) string {
	f.t.Helper()
	id, info := f.both("scope", "openid", "claims", `{"userinfo":{"verified_claims":`+request+`}}`)
	if id[verifiedClaims] != nil || len(released(info)) > 1 {
		f.t.Errorf("%s: released in another place too: %v, %v", request, released(id), released(info))
	}
	if info[verifiedClaims] == nil {
		return ""
	}
	b, err := json.Marshal(info[verifiedClaims])
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// TestVerifiedClaims: what was asked for of claims and verification, and nothing else (OpenID Connect for Identity
// Assurance 1.0, 6).
func TestVerifiedClaims(t *testing.T) {
	f := newFixture(t, memStore(t), everything())
	at := time.Now().Truncate(time.Second)
	f.subject = func(r *AuthorizeRequest) Subject {
		s := fullSubject(r)
		s.Identity.AuthTime, s.Identity.Certificate.Qualified = at, true
		return s
	}
	when := at.UTC().Format(time.RFC3339)
	full := `{"claims":{"name":"Шевченко Тарас Григорович","rnokpp":"3333333334","title":"Директор"},"verification":{"assurance_level":"substantial",` +
		`"evidence":[{"created_at":"` + when + `","issuer":"КНЕДП","serial_number":"0a1b2c3d4e5f","signature_type":"ua_qes","type":"electronic_signature"}],"time":"` + when + `","trust_framework":"ua_eid"}}`
	little := `{"claims":{"rnokpp":"3333333334"},"verification":{"trust_framework":"ua_eid"}}`
	for _, c := range []struct{ name, request, want string }{
		{"everything", verifiedAll, full},
		{"nothing beyond", `{"verification":{"trust_framework":null},"claims":{"rnokpp":null}}`, little},
		{"framework by value", `{"verification":{"trust_framework":{"value":"ua_eid"}},"claims":{"rnokpp":null}}`, little},
		{"another framework", `{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"rnokpp":null}}`, ""},
		{"one of the levels", `{"verification":{"trust_framework":null,"assurance_level":{"values":["substantial","high"]}},"claims":{"rnokpp":null}}`,
			`{"claims":{"rnokpp":"3333333334"},"verification":{"assurance_level":"substantial","trust_framework":"ua_eid"}}`},
		{"a higher level", `{"verification":{"trust_framework":null,"assurance_level":{"value":"high"}},"claims":{"rnokpp":null}}`, ""},
		{"evidence of another kind", `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"document"}}]},"claims":{"rnokpp":null}}`, ""},
		{"kind of evidence only", `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"document"}},{"type":{"value":"electronic_signature"}}]},"claims":{"rnokpp":null}}`,
			`{"claims":{"rnokpp":"3333333334"},"verification":{"evidence":[{"type":"electronic_signature"}],"trust_framework":"ua_eid"}}`},
		{"another issuer", `{"verification":{"trust_framework":null,"evidence":[{"type":null,"issuer":{"value":"Інший"}}]},"claims":{"rnokpp":null}}`, ""},
		{"age", `{"verification":{"trust_framework":null,"time":{"max_age":63113852}},"claims":{"rnokpp":null}}`, ""},
		{"unknown element, demanded", `{"verification":{"trust_framework":null,"verification_process":{"value":"x"}},"claims":{"rnokpp":null}}`, ""},
		{"unknown element", `{"verification":{"trust_framework":null,"verification_process":null},"claims":{"rnokpp":null}}`, little},
		{"value met", `{"verification":{"trust_framework":null},"claims":{"rnokpp":{"value":"3333333334"}}}`, little},
		{"value not met", `{"verification":{"trust_framework":null},"claims":{"rnokpp":null,"name":{"value":"Інший"}}}`, ""},
		{"not verified by anybody", `{"verification":{"trust_framework":null},"claims":{"email":null,"consent_at":null,"certificate":null}}`, ""},
		{"no claims", `{"verification":{"trust_framework":null},"claims":{}}`, ""},
		{"no framework", `{"verification":{},"claims":{"rnokpp":null}}`, ""},
		{"no verification", `{"claims":{"rnokpp":null}}`, ""},
		{"two", `[{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"name":null}},{"verification":{"trust_framework":null},"claims":{"rnokpp":null}}]`, little},
		{"two that are met", `[` + `{"verification":{"trust_framework":null},"claims":{"rnokpp":null}},` + verifiedAll + `]`, `[` + little + `,` + full + `]`},
	} {
		if got := f.verified(c.request); got != c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.request, got, c.want)
		}
	}
}

// T100: verified_claims are for clients with that right, and the certificate in their evidence for those with that right.
func TestVerifiedClaimsNeedTheRight(t *testing.T) {
	c := everything()
	c.VerifiedClaims = false
	f := newFixture(t, memStore(t), c)
	f.subject = fullSubject
	if got := f.verified(verifiedAll); got != "" {
		t.Errorf("without the right: %s", got)
	}
	c.VerifiedClaims, c.CertificateClaims = true, false
	f = newFixture(t, memStore(t), c)
	f.subject = fullSubject
	if got := f.verified(verifiedAll); got != "" {
		t.Errorf("evidence without the right ua.certificate: %s", got)
	}
	if got := f.verified(`{"verification":{"trust_framework":null},"claims":{"rnokpp":null}}`); !strings.Contains(got, "3333333334") || strings.Contains(got, "0a1b2c") {
		t.Errorf("without evidence: %s", got)
	}
	// A login through another system has no signature to show.
	f = newFixture(t, memStore(t), everything())
	f.subject = func(r *AuthorizeRequest) Subject {
		s := fullSubject(r)
		s.Identity.Certificate.Serial = ""
		return s
	}
	if got := f.verified(verifiedAll); got != "" {
		t.Errorf("evidence without a signature: %s", got)
	}
}

func FuzzVerifiedRequest(f *testing.F) {
	f.Add(verifiedAll)
	f.Add(`{"verification":{"trust_framework":null,"evidence":null},"claims":{"rnokpp":{"values":["1"]}}}`)
	c, s := everything(), fullSubject(nil)
	role, _ := roleOf(&s.Identity, s.Role)
	claims := allClaims(&s, role)
	f.Fuzz(func(t *testing.T, raw string) {
		set := ClaimSet{Verified: []json.RawMessage{json.RawMessage(raw)}}
		for _, one := range set.verify(&c, &s.Identity, claims) {
			if one.Verification.TrustFramework != TrustFrameworkUA || len(one.Claims) == 0 {
				t.Fatalf("%s: answered by %+v", raw, one)
			}
			for name := range one.Claims {
				if !strings.Contains(raw, `"`) || !set.asks(name) {
					t.Fatalf("%s: %s was not asked for", raw, name)
				}
			}
		}
	})
}

// verifiedBy returns the verified_claims of a full person for a client that may have all.
func verifiedBy(a *announced, request string) string {
	a.t.Helper()
	f := newFixture(a.t, memStore(a.t), everything())
	f.subject = fullSubject
	return f.verified(request)
}
