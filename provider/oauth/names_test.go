package oauth

import (
	"strings"
	"testing"
	"unicode"
)

// T8, T84: a portal cannot be registered under a name or a host that seems to be another.
func TestPortalNames(t *testing.T) {
	for _, good := range []string{
		"Електронний кабінет платника", "Дія.City", "Портал «Є-Здоровʼя» (ДП №1)", "Об'єднання 24/7", "Portal & Co.", "",
	} {
		if err := checkName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for name, bad := range map[string]string{
		"line feed": "Портал\nметод: інший", "bidi": "Портал \u202eлатроп", "zero width": "При\u200bват", "no-break": "Портал\u00a0А",
		"latin a in Cyrillic": "Привaт", "latin i in Cyrillic": "Дiя", "decomposed": "Киі\u0308в", "markup": "<b>Портал</b>", "Greek": "ΑΒΓ",
		"spaces": " Портал", "two spaces": "А  Б", "long": strings.Repeat("а", 121), "not UTF-8": "\xff", "emoji": "Портал 🔑", "bare mark": "\u0301а",
	} {
		if err := checkName(bad); err == nil {
			t.Errorf("%s: %q accepted", name, bad)
		}
	}
	for name, change := range map[string]func(*Client){
		"name":        func(c *Client) { c.Name = map[string]string{"uk": "Дiя"} },
		"institution": func(c *Client) { c.Institution = "а\nб" },
		"punycode":    func(c *Client) { c.Home = "https://xn--80ak6aa92e.com/" },
		"home":        func(c *Client) { c.Home = "https://пошта.укр/" },
		"home, http":  func(c *Client) { c.Home = "http://portal.example.ua/" },
		"id":          func(c *Client) { c.ID = "portal\u0456" },
		"id, space":   func(c *Client) { c.ID = "a b" },
		"long uri":    func(c *Client) { c.RedirectURIs = []string{"https://a.ua/" + strings.Repeat("a", maxURI)} },
	} {
		c := portal()
		change(&c)
		if err := c.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("Електронний кабінет")
	f.Add("Привaт")
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		for _, r := range name {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Fatalf("%q holds %U", name, r)
			}
		}
	})
}
