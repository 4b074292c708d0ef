package upstreamtest

import (
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A Page is one page for people: text, a form with choices, buttons. It works without JavaScript.
type Page struct {
	Title, Text string
	Action      string // of the form; "" has none
	Hidden      []Field
	Choices     []Choice
	Buttons     []Field // Label is what stands on it
	Status      int     // 0 is 200
}

// A Field is a value of a form.
type Field struct{ Name, Value, Label string }

// A Choice is a list to choose one from; the first is chosen.
type Choice struct {
	Name, Label string
	Options     []Option
}

// An Option is one entry of a choice.
type Option struct{ Value, Label string }

// Write renders p.
func (p Page) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_ = pageTemplate.Execute(w, p)
}

// Has reports whether value is one of the options.
func (c Choice) Has(value string) bool {
	for _, o := range c.Options {
		if o.Value == value {
			return true
		}
	}
	return false
}
