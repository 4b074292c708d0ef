package web

import (
	"errors"
	"html/template"
	"strings"
	"testing"
)

// What is folded is escaped for a tag's text and a quoted attribute, and what depends on the page is not folded.
func TestFold(t *testing.T) {
	calls := 0
	funcs := template.FuncMap{
		"t": func(key string, _ ...string) (string, error) { calls++; return key + ` <b> & " '`, nil },
		"static": func(name string) (string, error) {
			if name == "gone" {
				return "", errors.New("not built")
			}
			return "/static/" + name, nil
		},
		"path": func(p string) string { return "/base" + p },
	}
	const text = `<title>{{t "a"}}</title>{{define "x"}}<a title="{{t "b"}}" href="{{path "/p"}}">{{t .}}</a>{{end}}` +
		`{{if .Show}}<img src="{{static "i.svg"}}">{{else}}<img src="{{static "gone"}}">{{end}}{{range .List}}{{t "c" "n" "1"}}{{template "x" .}}{{end}}`
	render := func(folded bool) string {
		p := template.Must(template.New("p").Funcs(funcs).Parse(text))
		if folded {
			if err := fold(p, funcs); err != nil {
				t.Fatal(err)
			}
			calls = 0
		}
		var b strings.Builder
		if err := p.Execute(&b, map[string]any{"Show": true, "List": []string{"<i>", "x"}}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := render(false)
	if got := render(true); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if calls != 2 {
		t.Errorf("%d calls, want those that depend on the page", calls)
	}
}

// A template that names a text that is not there stops the start.
func TestFoldMissingText(t *testing.T) {
	funcs := template.FuncMap{"t": (&Texts{lang: "uk"}).Text, "static": func(string) (string, error) { return "", nil }, "path": func(p string) string { return p }}
	p := template.Must(template.New("p").Funcs(funcs).Parse(`{{if false}}{{t "absent"}}{{end}}`))
	if err := fold(p, funcs); err == nil {
		t.Error("folded")
	}
}
