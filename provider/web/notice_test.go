package web

import (
	"fmt"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestReadNotice(t *testing.T) {
	text := func(s string) NoticeLine { return NoticeLine{[]NoticeSpan{{Text: s}}} }
	link := func(s string) NoticeSpan { return NoticeSpan{s, s} }
	for in, want := range map[string][]NoticePart{
		"":                  nil,
		"a\nb\n\n\n c ":     {{Lines: []NoticeLine{text("a b")}}, {Lines: []NoticeLine{text("c")}}},
		"a\n- b\n- c\nd":    {{Lines: []NoticeLine{text("a")}}, {List: true, Lines: []NoticeLine{text("b"), text("c")}}, {Lines: []NoticeLine{text("d")}}},
		"- a\n\n- b":        {{List: true, Lines: []NoticeLine{text("a")}}, {List: true, Lines: []NoticeLine{text("b")}}},
		"-a":                {{Lines: []NoticeLine{text("-a")}}},
		"<b>a</b> [x](y)":   {{Lines: []NoticeLine{text("<b>a</b> [x](y)")}}},
		"http://a.ua":       {{Lines: []NoticeLine{text("http://a.ua")}}},
		"javascript:alert":  {{Lines: []NoticeLine{text("javascript:alert")}}},
		"https://":          {{Lines: []NoticeLine{text("https://")}}},
		"https://u:p@a.ua/": {{Lines: []NoticeLine{text("https://u:p@a.ua/")}}},
		"див. https://a.ua/п, https://b.ua/x?y=1&z. (https://c.ua/)": {{Lines: []NoticeLine{{[]NoticeSpan{
			{Text: "див. "}, link("https://a.ua/"), {Text: "п, "}, link("https://b.ua/x?y=1&z"), {Text: ". ("}, link("https://c.ua/"), {Text: ")"}}}}}},
	} {
		if got := ReadNotice(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v, want %+v", in, got, want)
		}
	}
}

var anyTag = regexp.MustCompile(`<[^>]*>?`)

// FuzzNotice: whatever a notice is, the page has of it paragraphs, lists and links to https, and every word (threat T98).
func FuzzNotice(f *testing.F) {
	for _, s := range []string{"Навіщо:\n- облік\n- листи\n\nДокладніше: https://a.ua/n.", "<script>alert(1)</script>", "- \n-\n - x", "https://a.ua\"onx=\"",
		"https://[::1]/ https://a.ua:99999 https://%zz", "</details><form>", "{{.}}\x00\u202e"} {
		f.Add(s)
	}
	s := site(f, false)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		parts := ReadNotice(text)
		if len(parts) == 0 {
			if strings.TrimSpace(text) != "" {
				t.Fatalf("nothing is left of %q", text)
			}
			return
		}
		var kept strings.Builder
		for _, p := range parts {
			for _, l := range p.Lines {
				for _, span := range l.Spans {
					kept.WriteString(span.Text)
				}
			}
		}
		bare := func(s string) string { // without spaces and the marks of entries
			return strings.NewReplacer(" ", "", "-", "").Replace(strings.Join(strings.Fields(s), ""))
		}
		if bare(kept.String()) != bare(text) {
			t.Fatalf("%q became %q", text, kept.String())
		}
		w := httptest.NewRecorder()
		if err := s.Render(w, Page{Template: "confirm", Title: "confirm.heading", Lang: English, Data: Confirm{Method: "file", Consent: true, Notice: parts}}); err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(w.Body.String(), `<details class="notice" id="notice"><summary>`)
		body, after, ok := strings.Cut(body, "</details>")
		if !ok || !strings.HasPrefix(after, "\n<p><button") {
			t.Fatalf("the notice ends elsewhere: %.200s", after)
		}
		for _, tag := range anyTag.FindAllString(body, -1) {
			switch tag {
			case "</summary>", "<p>", "</p>", "<ul>", "</ul>", "<li>", "</li>", "</a>":
			default:
				if !strings.HasPrefix(tag, `<a href="https://`) || !strings.HasSuffix(tag, `" rel="noreferrer">`) || strings.Count(tag, `"`) != 4 {
					t.Fatalf("%q has the tag %s", text, tag)
				}
			}
		}
	})
}

// A notice in another language than the page says so.
func TestNoticeLanguage(t *testing.T) {
	s := site(t, false)
	for _, lang := range []Lang{"", Ukrainian} {
		w := httptest.NewRecorder()
		if err := s.Render(w, Page{Template: "confirm", Title: "confirm.heading", Lang: English, Data: Confirm{Method: "file", Consent: true, Notice: ReadNotice("а"), NoticeLang: lang}}); err != nil {
			t.Fatal(err)
		}
		want := `<details class="notice" id="notice">`
		if lang != "" {
			want = fmt.Sprintf(`<details class="notice" id="notice" lang=%q>`, lang)
		}
		if !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), `<a id="notice"`) {
			t.Errorf("%q: %s", lang, w.Body.String())
		}
	}
}
