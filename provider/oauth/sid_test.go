package oauth

import (
	"testing"
	"time"
)

// TestSIDInIDTokenOnly: the session's id stands in ID tokens, as logout tokens need it, and nowhere else; what the person
// withheld stands nowhere.
func TestSIDInIDTokenOnly(t *testing.T) {
	f := newFixture(t, memStore(t))
	f.subject = func(*AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.SID, s.Withheld, s.ConsentVersion = "sid-of-the-session", []string{"birthdate", "unzr"}, "2026-09-01"
		return s
	}
	body := f.mustExchange(f.code("scope", "openid profile ua.person"))
	claims := f.idClaims(body)
	if claims["sid"] != "sid-of-the-session" || claims["consent_version"] != "2026-09-01" || claims["rnokpp"] == nil {
		t.Errorf("ID token has %v", claims)
	}
	token, _ := body["access_token"].(string)
	_, info := f.userinfo(token)
	if info["sid"] != nil || info["rnokpp"] == nil {
		t.Errorf("userinfo has %v", info)
	}
	for _, name := range []string{"birthdate", "unzr"} {
		if claims[name] != nil || info[name] != nil {
			t.Errorf("%s was withheld: %v, %v", name, claims[name], info[name])
		}
	}
}
