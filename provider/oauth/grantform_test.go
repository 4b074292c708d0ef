package oauth

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// grants are what a grant may say, from nothing to everything.
func grants() map[string]*sealedGrant {
	at := time.Date(2026, 11, 22, 10, 20, 30, 405, time.UTC)
	verified := []verifiedSet{{Verification: verification{TrustFramework: TrustFrameworkUA, Evidence: []evidence{{Type: evidenceSignature}}},
		Claims: map[string]any{"name": "Тестенко"}}}
	return map[string]*sealedGrant{
		"nothing": {Claims: map[string]any{}},
		"usual":   {Subject: "s", AuthTime: at, ACR: "high", Level: "high", AMR: []string{"hwk", "pin"}, Claims: map[string]any{"name": "Тестенко Олена"}},
		"everything": {Subject: "s", Nonce: "n", SID: "sid", AuthTime: at, ACR: "substantial", Level: "high", AMR: []string{"swk"},
			Status:       &grantStatus{ID: "id", Checked: at, NotAfter: at.Add(time.Hour)},
			Claims:       map[string]any{"name": "Тест", emailVerifiedClaim: false, consentClaim: at.Unix(), certificateClaim: json.RawMessage(`{"serial":"01"}`)},
			AskedIDToken: []string{"name"}, AskedUserInfo: []string{"rnokpp", "name"}, VerifiedIDToken: verified, VerifiedUserInfo: verified},
	}
}

func TestGrantForm(t *testing.T) {
	for name, g := range grants() {
		b, err := g.pack()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := &sealedGrant{}
		if err := got.unpack(b); err != nil || !reflect.DeepEqual(got, g) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, g)
		}
		for n := range b {
			if err := new(sealedGrant).unpack(b[:n]); err == nil {
				t.Errorf("%s: the first %d bytes of %d are a grant", name, n, len(b))
			}
		}
		if err := new(sealedGrant).unpack(append(b, 0)); err == nil {
			t.Errorf("%s: bytes behind a grant are taken", name)
		}
	}
	// What is no text, boolean or integer reads as the JSON that it would be in a token.
	g := &sealedGrant{Claims: map[string]any{certificateClaim: map[string]any{"serial": "01", "not_after": int64(7)}}}
	b, err := g.pack()
	if err != nil {
		t.Fatal(err)
	}
	got := &sealedGrant{}
	if err := got.unpack(b); err != nil {
		t.Fatal(err)
	}
	if text := string(got.Claims[certificateClaim].(json.RawMessage)); text != `{"not_after":7,"serial":"01"}` {
		t.Errorf("the certificate is %s", text)
	}
}

func FuzzGrantForm(f *testing.F) {
	for _, g := range grants() {
		b, err := g.pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &sealedGrant{}
		if g.unpack(b) != nil {
			return
		}
		again, err := g.pack()
		if err != nil {
			return // what stands for JSON is none
		}
		if err := new(sealedGrant).unpack(again); err != nil {
			t.Error(err)
		}
	})
}

// FuzzMarshalClaims: the claims of a token are written as encoding/json writes them.
func FuzzMarshalClaims(f *testing.F) {
	for _, s := range []string{"", "Тестенко Олена", `"`, `\`, "a<b", "a>b", "a&b", "\x1f", "\u2028", "\xff\xfe", "\x00\x1f\x7f", "Д’Артаньян", "\u00e9\u0301"} {
		f.Add(s, "name", int64(-7), true)
	}
	f.Fuzz(func(t *testing.T, s, name string, n int64, b bool) {
		claims := map[string]any{name: s, "list": []string{s, name}, "none": []string{}, "nil": []string(nil), "null": nil, "n": n, "b": b, "f": float64(n) / 3,
			"object": map[string]any{name: s}, "raw": json.RawMessage(`{"a": 1}`), "set": []verifiedSet{{Claims: map[string]any{name: n}}}}
		want, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		got, err := marshalClaims(claims)
		if err != nil || string(got) != string(want) {
			t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
		}
	})
}

// TestTokenAnswer: an answer is written as encoding/json writes it.
func TestTokenAnswer(t *testing.T) {
	for _, a := range []*tokenAnswer{{}, {AccessToken: "a", TokenType: "Bearer", ExpiresIn: 600, Scope: `openid "x"`},
		{AccessToken: "a", TokenType: "DPoP", ExpiresIn: -1, Scope: "s", RefreshToken: "r", IDToken: "e.y.J"}} {
		want, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.appendJSON(nil); string(got) != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := reflect.TypeFor[tokenAnswer]().NumField(); n != 6 {
		t.Errorf("%d fields, of which 6 are written", n)
	}
}
