package web

import (
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEntryButton: the files of the entry button are served with a strict policy and nothing beside them is; the markup in the
// guide is that of the sample page, and its mark that of the file.
func TestEntryButton(t *testing.T) {
	s := site(t, false)
	get := func(name string) (string, string) {
		t.Helper()
		w := httptest.NewRecorder()
		if !s.Kit(w, name) {
			t.Fatalf("%s is not served", name)
		}
		if h := w.Header(); h.Get("Content-Security-Policy") != kitCSP || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
		return w.Body.String(), w.Header().Get("Content-Type")
	}
	page, kind := get("buttons.html")
	mark, markKind := get("mark.svg")
	style, styleKind := get("button.css")
	if kind != "text/html; charset=utf-8" || markKind != "image/svg+xml" || styleKind != "text/css; charset=utf-8" {
		t.Errorf("types %s, %s, %s", kind, markKind, styleKind)
	}
	for _, name := range []string{"integrator.uk.md", "../integrator.uk.md", "", ".", "nothing.css"} {
		if s.Kit(httptest.NewRecorder(), name) {
			t.Errorf("%q is served", name)
		}
	}
	if strings.Contains(style+page+mark, "http://") && !strings.Contains(mark, `xmlns="http://www.w3.org/2000/svg"`) || strings.Contains(style, "url(") || strings.Contains(page, "<script") {
		t.Error("the button needs something else")
	}
	guide, err := os.ReadFile("docs/integrator.en.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```html button.html\n(.*?)```").FindSubmatch(guide)
	if block == nil {
		t.Fatal("the guide has no button")
	}
	drawing := regexp.MustCompile(`<(?:path|circle)[^>]*>`)
	n := 0
	for line := range strings.Lines(string(block[1])) {
		n++
		if want := strings.Replace(strings.TrimSpace(line), `"/login"`, `"#login"`, 1); !strings.Contains(page, want) {
			t.Errorf("the sample page has not %s", want)
		}
		if got := strings.Join(drawing.FindAllString(line, -1), ""); got == "" || !strings.Contains(mark, got) {
			t.Errorf("mark.svg has not %s", got)
		}
	}
	if n != 2 {
		t.Errorf("%d buttons in the guide", n)
	}
}
