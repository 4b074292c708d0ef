package oauth

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// everything is a client that is registered for all there is, and fullSubject a person of whom all is proven.
func everything() Client {
	c := portal()
	c.Claims, c.CertificateClaims, c.VerifiedClaims = append(c.Claims, emailClaim), true, true
	return c
}

func fullSubject(*AuthorizeRequest) Subject {
	s := testSubject(time.Now())
	s.Role, s.Identity.BirthDate, s.Identity.Email = "organization", time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC), "t@example.ua"
	return s
}

// released are the names of claims of persons in an answer.
func released(claims map[string]any) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range claims {
			if (slices.Contains(releasedClaims(), name) || name == verifiedClaims) && name != consentClaim && name != consentVersionClaim && !yield(name) {
				return
			}
		}
	})
}

// both returns what the ID token and userinfo say, having been asked so.
func (f *fixture) both(changes ...string) (map[string]any, map[string]any) {
	f.t.Helper()
	body := f.mustExchange(f.code(changes...))
	status, info := f.userinfo(body["access_token"].(string))
	if status != 200 {
		f.t.Fatalf("userinfo %d %v", status, info)
	}
	return f.idClaims(body), info
}

// TestScopesRelease: each scope releases its claims and no others, in both places, to a client that may have everything
// (T101).
func TestScopesRelease(t *testing.T) {
	f := newFixture(t, memStore(t), everything())
	f.subject = fullSubject
	for scope, want := range map[string]string{
		"":                "",
		scopeProfile:      "birthdate family_name given_name middle_name name",
		scopeEmail:        "email email_verified",
		scopePhone:        "",
		scopeAddress:      "",
		scopePerson:       "rnokpp unzr",
		scopeOrganization: "edrpou organization title",
		scopeCertificate:  "certificate",
		"no-such-scope":   "",
	} {
		id, info := f.both("scope", "openid "+scope)
		for place, claims := range map[string]map[string]any{"ID token": id, "userinfo": info} {
			if got := strings.Join(released(claims), " "); got != want {
				t.Errorf("scope %q, %s: %q, want %q", scope, place, got, want)
			}
		}
		if id["email_verified"] == true {
			t.Error("nobody has verified the address")
		}
	}
}

// TestRegistrationBounds: neither scope nor claims parameter gets what the client is not registered for (T100, T101).
func TestRegistrationBounds(t *testing.T) {
	c := portal()
	c.Claims = nil
	f := newFixture(t, memStore(t), c)
	f.subject = fullSubject
	asked := map[string]any{verifiedClaims: map[string]any{
		"verification": map[string]any{"trust_framework": nil, "evidence": nil}, "claims": map[string]any{"rnokpp": nil, "name": nil},
	}}
	for _, name := range releasedClaims() {
		asked[name] = map[string]any{"essential": true}
	}
	parameter, err := json.Marshal(map[string]any{"id_token": asked, "userinfo": asked})
	if err != nil {
		t.Fatal(err)
	}
	id, info := f.both("scope", strings.Join(scopes, " "), "claims", string(parameter))
	for _, claims := range []map[string]any{id, info} {
		if got := released(claims); !slices.Equal(got, []string{"family_name", "given_name", "middle_name", "name"}) {
			t.Errorf("released %v", got)
		}
	}
}

// TestClaimsParameter: what is asked for by name comes where it was asked for, and only with a value that was asked for.
func TestClaimsParameter(t *testing.T) {
	f := newFixture(t, memStore(t), everything())
	f.subject = fullSubject
	for _, c := range []struct{ parameter, id, info string }{
		{`{"id_token":{"rnokpp":null},"userinfo":{"name":{"essential":true}}}`, "rnokpp", "name"},
		{`{"userinfo":{"rnokpp":{"value":"3333333334"},"edrpou":{"values":["87654321","12345678"]}}}`, "", "edrpou rnokpp"},
		{`{"userinfo":{"rnokpp":{"value":"1111111118"},"certificate":{"value":"x"},"unzr":{"value":1}}}`, "", ""},
		{`{"id_token":{"phone_number":{"essential":true},"nonsense":null,"email":null}}`, "email", ""},
	} {
		id, info := f.both("scope", "openid", "claims", c.parameter)
		if a, b := strings.Join(released(id), " "), strings.Join(released(info), " "); a != c.id || b != c.info {
			t.Errorf("%s: %q in the ID token, %q at userinfo", c.parameter, a, b)
		}
	}
	// A scope is not narrowed by the parameter.
	id, _ := f.both("scope", "openid ua.person", "claims", `{"id_token":{"rnokpp":{"value":"1111111118"}}}`)
	if id["rnokpp"] != "3333333334" {
		t.Errorf("ID token %v", id)
	}
}

// T101: userinfo releases what the registration allows at that moment, not when the token was made.
func TestUserInfoReleasesWhatIsRegisteredNow(t *testing.T) {
	f := newFixture(t, memStore(t), everything())
	f.subject = fullSubject
	token := f.mustExchange(f.code("scope", strings.Join(scopes, " "), "claims", `{"userinfo":{"verified_claims":`+verifiedAll+`}}`))["access_token"].(string)
	if _, info := f.userinfo(token); info["rnokpp"] == nil || info[verifiedClaims] == nil {
		t.Fatalf("userinfo %v", info)
	}
	less := portal()
	less.Claims = []string{"title"}
	registry, err := NewRegistry(less)
	if err != nil {
		t.Fatal(err)
	}
	f.p.cfg.Clients = registry
	_, info := f.userinfo(token)
	if got := released(info); !slices.Equal(got, []string{"family_name", "given_name", "middle_name", "name", "title"}) {
		t.Errorf("released %v", got)
	}
}

// T87: a grant keeps nothing of the person that none of its tokens can release.
func TestGrantKeepsWhatIsAsked(t *testing.T) {
	c := everything()
	f := newFixture(t, memStore(t), c)
	s := fullSubject(nil)
	g, err := f.p.describe(&c, &AuthorizeRequest{Scopes: []string{scopeOpenID, scopeOrganization}}, &s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range g.Claims {
		got = append(got, one.name)
	}
	if slices.Sort(got); !slices.Equal(got, []string{consentClaim, consentVersionClaim, "edrpou", "organization", "title"}) {
		t.Errorf("kept %v", got)
	}
}

// What is shown on S8 is what is released: Asks and release agree for every mixture.
func TestAsksIsWhatIsReleased(t *testing.T) {
	c := everything()
	c.Claims = []string{"rnokpp", "title", emailClaim}
	f := newFixture(t, memStore(t), c)
	var asked *AuthorizeRequest
	f.subject = func(r *AuthorizeRequest) Subject { asked = r; return fullSubject(r) }
	for _, scope := range []string{"openid", "openid profile", "openid ua.person ua.organization", "openid email ua.certificate"} {
		for _, parameter := range []string{"", `{"id_token":{"rnokpp":null,"name":null}}`, `{"userinfo":{"title":null,"unzr":null,"certificate":null}}`, `{"userinfo":{"verified_claims":` + verifiedAll + `}}`} {
			id, info := f.both("scope", scope, "claims", parameter)
			maps.Copy(id, info)
			verified := map[string]any{}
			if v, ok := id[verifiedClaims].(map[string]any); ok {
				maps.Copy(verified, v["claims"].(map[string]any))
			}
			got := slices.Sorted(maps.Keys(verified))
			for _, name := range released(id) {
				if name != verifiedClaims && name != emailVerifiedClaim && !slices.Contains(got, name) {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			want := c.Asks(asked)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("scope %q, claims %s: released %v, told %v", scope, parameter, got, want)
			}
		}
	}
}
