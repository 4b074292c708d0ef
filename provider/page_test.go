package provider_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brama/provider/oauth"
)

// tabsOf returns the words of the tabs on the page.
func (b *browser) tabsOf() []string {
	var list []string
	for _, m := range regexp.MustCompile(`(?s)<a class="tab"[^>]*>(.*?)</a>`).FindAllStringSubmatch(b.page, -1) {
		list = append(list, m[1])
	}
	return list
}

// TestTabsAreTheClients: only the methods that the client allows and whose level is enough stand on the page, in the order of
// the printed guides; the others have no address either.
func TestTabsAreTheClients(t *testing.T) {
	s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.Methods = []string{"upload", "file"} } })
	b := s.browser()
	b.authorize()
	if got := b.tabsOf(); !slices.Equal(got, []string{"Файловий ключ", "Тестові особи"}) {
		t.Errorf("the tabs are %q", got)
	}
	if !strings.Contains(b.page, "Чому тут немає інших способів?") {
		t.Error("the page does not explain")
	}
	address := b.url.Path
	for _, method := range []string{"token", "diia", "bankid"} {
		if b.get(strings.TrimSuffix(address, "file") + method); b.status != http.StatusNotFound {
			t.Errorf("%s answers %d", method, b.status)
		}
	}
	b.authorize("acr_values", "high")
	if b.portal == nil || b.portal.Query().Get("error") != "unmet_authentication_requirements" {
		t.Errorf("level high with these methods: %v", b.portal)
	}
}

// TestHintOpensATab: the portal's hint opens a tab, and one that is not offered is passed over.
func TestHintOpensATab(t *testing.T) {
	s := newStack(t)
	for hint, want := range map[string]string{"demo": "/demo", "upload": "/upload", "diia": "/file", "": "/file", "../x": "/file"} {
		b := s.browser()
		if b.authorize("idp_hint", hint); !strings.HasSuffix(b.url.Path, want) {
			t.Errorf("hint %q opens %s", hint, b.url.Path)
		}
	}
}

// TestPortalsOwnLabels: a portal whose guides print other names of the methods gets them, escaped, and no other portal does.
func TestPortalsOwnLabels(t *testing.T) {
	s := newStack(t, func(o *options) {
		o.client = func(c *oauth.Client) {
			c.Labels = map[string]map[string]string{"uk": {"file": "Зчитування КЕП з файлу", "token": "Зчитування КЕП з захищеного носія", "demo": "A & B"}}
		}
	})
	b := s.browser()
	b.authorize()
	if got := b.tabsOf(); !slices.Equal(got, []string{"Зчитування КЕП з файлу", "A &amp; B"}) {
		t.Errorf("the tabs are %q", got)
	}
	if b.get(b.url.Path + "?lang=en"); !slices.Equal(b.tabsOf(), []string{"File key", "Demo persons"}) {
		t.Errorf("in English the tabs are %q", b.tabsOf())
	}
}

// TestRegistrationWording: prompt=create changes the words on S1 and S8, and nothing else.
func TestRegistrationWording(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("prompt", "create", "idp_hint", "demo")
	for _, want := range []string{"<h1>Реєстрація в особистому кабінеті</h1>", "Ви реєструєтеся на:", "<title>Реєстрація в особистому кабінеті – "} {
		if !strings.Contains(b.page, want) {
			t.Errorf("S1 lacks %q", want)
		}
	}
	b.submit("/demo", "person", "valid")
	if !strings.Contains(b.page, `id="confirm">Зареєструватися<`) {
		t.Errorf("S8 does not say «Зареєструватися»:\n%s", b.page)
	}
	b.submit("/confirm")
	if b.portal == nil || b.portal.Query().Get("code") == "" {
		t.Errorf("the portal got %v", b.portal)
	}
	b = s.browser()
	b.authorize("idp_hint", "demo")
	if !strings.Contains(b.page, "<h1>Вхід до особистого кабінету</h1>") {
		t.Error("without the prompt the heading is another one")
	}
}

// TestGuides: the list and each guide in both languages; what is not there is not found, and no path leads out.
func TestGuides(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.get("/docs")
	links := regexp.MustCompile(`href="(/docs/[^"]+)"`).FindAllStringSubmatch(b.page, -1)
	if len(links) < 6 {
		t.Fatalf("the list has %d guides", len(links))
	}
	for _, m := range links {
		for lang, word := range map[string]string{"uk": "Усі посібники", "en": "All guides"} {
			b.get(m[1] + "?lang=" + lang)
			if b.status != http.StatusOK || !strings.Contains(b.page, word) || b.url.Path != m[1] || b.url.RawQuery != "" {
				t.Errorf("%s in %s: %d at %s", m[1], lang, b.status, b.url)
			}
		}
	}
	for _, path := range []string{"/docs/nothing", "/docs/agent.uk.md", "/docs/../provider", "/docs/connectors", "/docs/connectors/diia/x", "/docs/%2e%2e/x"} {
		if b.get(path); b.status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, b.status)
		}
	}
}

// TestLastMethodOpens: the method that served this browser last opens next time, unless the portal says otherwise, it is not
// offered any more, or the person has it forgotten. What stands in the cookie is looked up, never believed.
func TestLastMethodOpens(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	opens := func(want string, more ...string) {
		t.Helper()
		b.authorize(append([]string{"prompt", "login"}, more...)...)
		if !strings.HasSuffix(b.url.Path, want) {
			t.Errorf("%v opens %s, want %s", more, b.url.Path, want)
		}
	}
	opens("/file")
	b.authorize("idp_hint", "upload")
	b.submit("/upload/request")
	upload := b.url.Path
	opens("/file") // nothing has been proven yet
	b.get(upload + "/request.txt")
	signature := s.sign("valid", []byte(b.page))
	b.get(upload)
	if b.upload(signature); !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("S8 is not there: at %s\n%s", b.url, b.page)
	}
	opens("/upload")
	opens("/demo", "idp_hint", "demo")
	opens("/upload", "idp_hint", "nothing")
	b.get(b.url.Path + "?forget=1")
	if b.url.RawQuery != "" || strings.Contains(b.page, "forget=1") {
		t.Errorf("after forgetting: at %s", b.url)
	}
	opens("/file")
	for _, value := range []string{"token", "../upload", "", strings.Repeat("x", 5000)} {
		b.client.Jar.SetCookies(b.url, []*http.Cookie{{Name: "brama-method", Value: value, Path: "/"}})
		opens("/file")
	}
}

// TestHelpKeepsTheLanguage: the pages of help open in the language of the sign-in from which they are opened, whatever the
// browser says, and what a link points at is there.
func TestHelpKeepsTheLanguage(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("ui_locales", "en")
	links := regexp.MustCompile(`href="(/(?:help|accessibility|privacy|feedback)[^"]*)"`).FindAllStringSubmatch(b.page, -1)
	if len(links) < 5 {
		t.Fatalf("the page has %d links to help", len(links))
	}
	anchors := 0
	for _, m := range links {
		path, anchor, _ := strings.Cut(m[1], "#")
		b = s.browser()
		b.get(path)
		if !strings.Contains(b.page, `<html lang="en">`) {
			t.Errorf("%s opens in another language", m[1])
		}
		if anchor != "" {
			if anchors++; !strings.Contains(b.page, `id="`+anchor+`"`) {
				t.Errorf("%s has no place %s", path, anchor)
			}
		}
	}
	if anchors == 0 {
		t.Error("no link points at a place")
	}
}
