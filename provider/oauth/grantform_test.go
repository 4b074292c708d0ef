package oauth

import (
	"bytes"
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
		"nothing": {Claims: claimList{}},
		"usual":   {Subject: "s", AuthTime: at, ACR: "high", Level: "high", AMR: []string{"hwk", "pin"}, Claims: claimList{textClaim("name", "Тестенко Олена")}},
		"everything": {Subject: "s", Nonce: "n", SID: "sid", AuthTime: at, ACR: "substantial", Level: "high", AMR: []string{"swk"},
			Status: &grantStatus{ID: "id", Checked: at, NotAfter: at.Add(time.Hour)},
			Claims: claimList{textClaim("name", "Тест"), boolClaim(emailVerifiedClaim, false), boolClaim("yes", true), numberClaim(consentClaim, at.Unix()),
				{name: certificateClaim, kind: claimJSON, text: `{"serial":"01"}`}},
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
			t.Fatal(err) // what was read can be written
		}
		if err := new(sealedGrant).unpack(again); err != nil {
			t.Error(err)
		}
	})
}

// FuzzJSON: what is written member by member is written as encoding/json writes it.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "Тестенко Олена", `"`, `\`, "a<b", "a>b", "a&b", "\x1f", "\u2028", "\xff\xfe", "\x00\x1f\x7f", "Д’Артаньян", "\u00e9\u0301"} {
		f.Add(s, "other", int64(-7), true)
	}
	f.Fuzz(func(t *testing.T, s, other string, n int64, yes bool) {
		want, err := json.Marshal(map[string]any{"a": s, "b": n, "c": []string{s, other}, "d": []string{}, "e": map[string]any{other: s}, "f": s, "g": yes, "h": n})
		if err != nil {
			t.Fatal(err)
		}
		o := newObject([]byte("what stood here"))
		o.text("a", s)
		o.number("b", n)
		o.texts("c", []string{s, other})
		o.texts("d", nil)
		if err := o.other("e", map[string]any{other: s}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []claim{textClaim("f", s), boolClaim("g", yes), numberClaim("h", n)} {
			o.member(c.name)
			o.b = c.appendJSON(o.b)
			if value, err := json.Marshal(c.value()); err != nil || !bytes.HasSuffix(o.b, value) {
				t.Errorf("%s: %s, %v", c.name, value, err)
			}
		}
		if got := o.end(); string(got) != string(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
