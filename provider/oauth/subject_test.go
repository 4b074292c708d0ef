package oauth

import (
	"testing"

	"brama/provider/keys"
)

// TestSubjectsOfSectors (T100): one number in a sector, another one outside it, and a number of its own for public clients,
// none of which says anything of the person's id; and it does not hang on the client but on the sector.
func TestSubjectsOfSectors(t *testing.T) {
	client := func(change func(*Client)) Client {
		c := portal()
		change(&c)
		return c
	}
	f := newFixture(t, memStore(t))
	sub := func(c Client, person string) string {
		t.Helper()
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		s, err := f.p.SubjectOf(&c, person)
		if err != nil || len(s) != 43 {
			t.Fatalf("%q, %v", s, err)
		}
		return s
	}
	listed := client(func(c *Client) { c.SectorIdentifierURI = "https://sector.example.ua/list" })
	sameList := client(func(c *Client) {
		c.ID, c.SectorIdentifierURI = "other", "https://sector.example.ua/list"
		c.RedirectURIs = []string{"https://a.example.ua/cb", "https://b.example.ua/cb"}
	})
	named := client(func(c *Client) { c.ID, c.RedirectURIs = "third", []string{"https://sector.example.ua/cb"} })
	own := portal()
	public := client(func(c *Client) { c.SubjectType = Public })
	if a := sub(listed, "p"); a != sub(sameList, "p") || a != sub(named, "p") {
		t.Error("one sector, two numbers")
	}
	seen := map[string]string{}
	for name, s := range map[string]string{
		"sector": sub(listed, "p"), "host": sub(own, "p"), "public": sub(public, "p"), "another person": sub(listed, "q"),
	} {
		if seen[s] != "" {
			t.Errorf("%s and %s have the same number", name, seen[s])
		}
		seen[s] = name
	}
}

// A client cannot register for an algorithm of which there is no key here, as where keys stand in a token.
func TestNoRegistrationWithoutKey(t *testing.T) {
	f := withRegistration(t, guarded(), nil)
	only, err := keys.Open(t.Context(), keys.Config{Store: memStore(t), Sealer: testSealer(t), Algorithms: []string{keys.ES256}})
	if err != nil {
		t.Fatal(err)
	}
	f.p.cfg.Keys = only
	for member, alg := range map[string]string{"id_token_signed_response_alg": "PS256", "userinfo_signed_response_alg": "EdDSA"} {
		status, answer := f.send("POST", "", testInitialToken, metadataOf(map[string]any{"id_token_signed_response_alg": "ES256", member: alg}))
		if status != 400 || answer["error"] != "invalid_client_metadata" {
			t.Errorf("%s %s: %d %v", member, alg, status, answer)
		}
	}
	if status, answer := f.send("POST", "", testInitialToken, metadataOf(map[string]any{"id_token_signed_response_alg": "ES256"})); status != 201 {
		t.Errorf("%d %v", status, answer)
	}
}
