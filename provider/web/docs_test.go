package web

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brama/provider/web/markdown"
)

// TestGuidesInBothLanguages: every guide has a twin with the same parts, and is in the index.
func TestGuidesInBothLanguages(t *testing.T) {
	s := site(t, false)
	for kind, docs := range map[string]map[Lang]map[string]int{"guide": countHeadings(t, s, false), "text": countHeadings(t, s, true)} {
		if len(docs[Ukrainian]) == 0 {
			t.Fatalf("no %s", kind)
		}
		for _, pair := range [][2]Lang{{Ukrainian, English}, {English, Ukrainian}} {
			for name, n := range docs[pair[0]] {
				other, ok := docs[pair[1]][name]
				if !ok {
					t.Errorf("%s %s is in %s and not in %s", kind, name, pair[0], pair[1])
				} else if other != n {
					t.Errorf("%s %s has %d headings in %s and %d in %s", kind, name, n, pair[0], other, pair[1])
				}
			}
		}
	}
	listed := 0
	for _, group := range s.DocIndex(English) {
		listed += len(group.Docs)
		for _, d := range group.Docs {
			if !strings.HasPrefix(d.URL, "/sub/docs/") || d.Title == "" {
				t.Errorf("the index has %+v", d)
			}
		}
	}
	if listed != len(s.docs[English]) {
		t.Errorf("the index has %d of %d guides", listed, len(s.docs[English]))
	}
}

// rendered is the guide called name.
func rendered(t *testing.T, docs guides, name string) *markdown.Document {
	t.Helper()
	render, ok := docs[name]
	if !ok {
		t.Fatalf("no text is called %s", name)
	}
	d, err := render()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func countHeadings(t *testing.T, s *Site, prose bool) map[Lang]map[string]int {
	all := map[Lang]map[string]int{}
	for _, l := range Langs {
		all[l] = map[string]int{}
		docs := s.docs[l]
		if prose {
			docs = s.prose[l]
		}
		for name := range docs {
			all[l][name] = len(rendered(t, docs, name).Headings)
		}
	}
	return all
}

// TestNoDeadLinks: what looks like a link in a file is one, and leads to something that is there.
func TestNoDeadLinks(t *testing.T) {
	s := site(t, false)
	link := regexp.MustCompile(`\]\(([^) ]+)\)`)
	n := 0
	for root, fsys := range map[string]fs.FS{"docs": docFiles, "texts": textFiles} {
		err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			from := strings.TrimPrefix(name, root+"/")
			for _, m := range link.FindAllStringSubmatch(string(b), -1) {
				n++
				to, ok := s.docLink(fsys, root, from, m[1])
				if !ok {
					t.Errorf("%s: a link to %s, which is not there", name, m[1])
				}
				file, anchor, _ := strings.Cut(strings.TrimPrefix(to, "/sub/docs/"), "#")
				if anchor == "" || strings.HasPrefix(to, "https://") {
					continue
				}
				lang := Lang(strings.TrimPrefix(path.Ext(strings.TrimSuffix(name, ".md")), "."))
				if file == "" {
					file = strings.TrimSuffix(from, "."+string(lang)+".md")
				}
				found := false
				for _, h := range rendered(t, s.docs[lang], file).Headings {
					found = found || h.ID == anchor
				}
				if !found {
					t.Errorf("%s: %s has no place called %s", name, file, anchor)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n == 0 {
		t.Fatal("no link was found: the test reads nothing")
	}
}

// TestTitlesOfTexts: the heading of a page of S17 is that of its text.
func TestTitlesOfTexts(t *testing.T) {
	s := site(t, false)
	for _, l := range Langs {
		for name := range s.prose[l] {
			d := rendered(t, s.prose[l], name)
			if want := s.texts[l].m[name+".heading"]; d.Title != want {
				t.Errorf("%s in %s is called %q and %q", name, l, d.Title, want)
			}
		}
	}
}

// TestOperatorOnPages: who runs the server is named with a way to reach them, and only what can be opened is a link.
func TestOperatorOnPages(t *testing.T) {
	for contact, want := range map[string]string{
		"help@example.gov.ua":            `href="mailto:help@example.gov.ua"`,
		"https://example.gov.ua/contact": `href="https://example.gov.ua/contact"`,
		"+380 44 000 00 00":              `<span id="contact"`,
		"javascript:alert(1)":            `<span id="contact"`,
		"a@b?subject=x":                  `<span id="contact"`,
	} {
		s, err := New(Config{Issuer: "https://id.example.gov.ua", Operator: "Установа", Contact: contact})
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"help", "accessibility", "privacy", "feedback"} {
			body := renderPage(t, s, page, Ukrainian).Body.String()
			if !strings.Contains(body, want) || !strings.Contains(body, "Установа") {
				t.Errorf("%s with %q lacks %q", page, contact, want)
			}
		}
	}
	if body := renderPage(t, site(t, false), "feedback", English).Body.String(); !strings.Contains(body, "has not given a name") {
		t.Error("a server without an operator does not say so")
	}
}

// TestGuidesNameOnlyRealCodes: the guide of a method names no code that has no text.
func TestGuidesNameOnlyRealCodes(t *testing.T) {
	s := site(t, false)
	code := regexp.MustCompile("`([A-Z][A-Z]+_[A-Z_]*[A-Z])`")
	entries, err := os.ReadDir("docs/connectors")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		b, err := os.ReadFile("docs/connectors/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(b), -1) {
			n++
			if !s.texts[Ukrainian].Has(m[1]) {
				t.Errorf("%s names %s, which has no text", e.Name(), m[1])
			}
		}
	}
	if n == 0 {
		t.Fatal("no code was found")
	}
}

// TestEveryCodeHasText: no connector, validator or step of a login has a code for which the person would be told that
// something failed on our side.
func TestEveryCodeHasText(t *testing.T) {
	s := site(t, false)
	code := regexp.MustCompile(`"((?:KEY|CERT|SIG|CMS|FORMAT|CHAIN|TRUST|CHALLENGE|UPLOAD|REMOTE|UPSTREAM|RETURN|TOKEN|PIN|AGENT|TX|CLIENT|PERSON|LEVEL|CONSENT|RATE)_[A-Z][A-Z_]*[A-Z])"`)
	n := 0
	for _, root := range []string{"../../connectors", "../authflow", "../../internal/qes"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(filepath.Dir(name), "test") {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for _, m := range code.FindAllStringSubmatch(string(b), -1) {
				n++
				if !s.texts[Ukrainian].Has(m[1]) && !strings.HasSuffix(m[1], "_FAILURE") { // those are of ETSI EN 319 102-1
					t.Errorf("%s has %s, which has no text", name, m[1])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 50 {
		t.Fatalf("only %d codes were found", n)
	}
}
