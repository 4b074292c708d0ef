package plate

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type named string

type shouting string

func (s shouting) String() string { return strings.ToUpper(string(s)) + "<" }

type inside struct {
	Name string
	Deep *inside
	List []string
}

type all struct {
	S      string
	N      named
	Loud   shouting
	I      int
	U      uint8
	Yes    bool
	At     time.Time
	None   *inside
	In     *inside
	Any    any
	HTML   template.HTML
	URL    template.URL
	Pairs  [][2]string
	Ins    []inside
	Empty  []string
	Nobody any
}

var functions = template.FuncMap{
	"up":    strings.ToUpper,
	"has":   func(s string) bool { return s == "valid" },
	"join":  func(s string, more ...string) (string, error) { return s + strings.Join(more, ""), nil },
	"fails": func(s string) (string, error) { return "", fmt.Errorf("no %s", s) },
	"date":  func(t time.Time) string { return t.UTC().Format("02.01.2006") },
	"list":  func() []named { return []named{"uk", "en"} },
	"of":    func(n named) (string, error) { return string(n) + "!", nil },
}

func data(s string) *all {
	return &all{S: s, N: named(s), Loud: shouting(s), I: -3, U: 7, Yes: true, At: time.Unix(1800000000, 0), In: &inside{Name: s, Deep: &inside{Name: "deep " + s}, List: []string{s, "b"}},
		Any: inside{Name: s}, HTML: "<b>" + template.HTML(s) + "</b>", URL: template.URL("javascript:" + s), Pairs: [][2]string{{"k", s}},
		Ins: []inside{{Name: s}, {Name: "", List: []string{"x"}}}}
}

// texts use all of the language and each context.
var texts = []string{
	`{{.S}} {{.N}} {{.Loud}} {{.I}} {{.U}} {{.Yes}} {{.HTML}} {{.Nobody}} {{.Empty}}`,
	`<title>{{.S}}{{.HTML}}{{.I}}</title><p title="{{.S}}{{.Loud}}{{.HTML}}{{.U}}" data-x="{{.N}}">`,
	`<a href="{{.S}}">x</a><a href="/x/{{.S}}">x</a><a href="/x?lang={{.S}}&amp;n={{.I}}">x</a><form action="{{.In.Name}}"></form><a href="{{.URL}}">x</a><a href="{{.HTML}}">x</a>`,
	`<meta http-equiv="refresh" content="3;url={{.S}}">`,
	`{{if .S}}a{{else if .Yes}}b{{else}}c{{end}}{{if not .None}}none{{end}}{{if and .Yes .None}}both{{else}}not both{{end}}{{if or .None .I}}one{{end}}{{if .At}}at{{end}}`,
	`{{with .In}}{{.Name}}{{with .Deep}}{{.Name}}{{$.S}}{{end}}{{end}}{{with .None}}x{{else}}no{{end}}{{.Any.Name}}`,
	`{{range .In.List}}<{{.}}>{{end}}{{range $i, $s := .In.List}}{{if $i}}, {{end}}{{$s}}{{$.I}}{{end}}{{range $s := .In.List}}{{$s}}{{end}}{{range .Empty}}x{{else}}empty{{end}}{{range .Ins}}{{.Name}}{{range .List}}{{.}}{{end}}{{end}}`,
	`{{$s := .S}}{{$in := .In}}{{if .Yes}}{{$s := "other"}}{{$s}}{{end}}{{$s}}{{$in.Deep.Name}}`,
	`{{up .S}}{{up (print "a" .S .I)}}{{join .S "x" .In.Name}}{{date .At}}{{if has .S}}has{{end}}{{range list}}{{of .}}{{end}}{{print .I .U "x" .Yes}}`,
	`{{if eq .S "valid" "b"}}eq{{end}}{{if eq .I -3}}three{{end}}{{if eq .N "valid"}}n{{end}}{{if eq .Yes true}}t{{end}}{{if gt (len .In.List) 1}}more{{end}}{{len .S}}{{range .Pairs}}{{index . 0}}={{index . 1}}{{end}}`,
	`{{define "x"}}{{$a := .Name}}[{{$a}}{{with .Deep}}{{$.Name}}{{template "w" $}}{{end}}]{{end}}{{define "w"}}{{.Name}}{{range .List}}{{.}}{{end}}{{$.Deep.Name}}{{end}}{{$a := .S}}{{template "x" .In}}{{$a}}{{block "y" .}}{{.S}}{{end}}{{template "z"}}{{define "z"}}z{{end}}`,
	`{{if .At.IsZero}}never{{end}}{{/* nothing */}} {{- .S -}} `,
}

var values = []string{"valid", "", `"><script>alert(1)</script>`, "Дем'яненко & Ко", "ТОВ «Приклад» + 🔑", "javascript:alert(1)", "https://a.example/?b=c&d=%zz%20#x",
	"/login/AbC-_9/demo", "\x00\x7f\xff\xfe", "a\u2028b", "{{.}}", "mailto:x", "a:b/c", "100%", "\U000f0000"}

// known are the fields of d of one kind, or all.
func known(d *all, kinds ...reflect.Kind) map[string]any {
	fields, v := map[string]any{}, reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		if kinds == nil || slices.Contains(kinds, v.Field(i).Kind()) {
			fields[v.Type().Field(i).Name] = v.Field(i).Interface()
		}
	}
	return fields
}

// both prints text by html/template and by a plate.
func both(t *testing.T, text string, d any, known map[string]any) (want, got string, wantErr, gotErr error) {
	t.Helper()
	parsed := func() *template.Template { return template.Must(template.New("t").Funcs(functions).Parse(text)) }
	plate, err := Make(parsed(), functions, known)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var a, b bytes.Buffer
	wantErr = parsed().Execute(&a, d)
	gotErr = plate.Execute(&b, d)
	return a.String(), b.String(), wantErr, gotErr
}

func TestSameAsTemplate(t *testing.T) {
	for _, text := range texts {
		for _, s := range values {
			d := data(s)
			for what, k := range map[string]map[string]any{"nothing": nil, "strings": known(d, reflect.String), "lists": known(d, reflect.Slice), "all": known(d),
				"all but strings": known(d, reflect.Int, reflect.Bool, reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Interface)} {
				want, got, wantErr, err := both(t, text, d, k)
				if wantErr != nil || err != nil {
					t.Fatalf("%s of %q: %v, html/template: %v", text, s, err, wantErr)
				}
				if got != want {
					t.Errorf("%s of %q, %s known:\ngot  %q\nwant %q", text, s, what, got, want)
				}
			}
		}
	}
}

// What fails in html/template fails here.
func TestFails(t *testing.T) {
	for _, text := range []string{`{{.Absent}}`, `{{.None.Name}}`, `{{.S.Name}}`, `{{fails .S}}`, `{{up .I}}`, `{{of .S}}`, `{{len .I}}`,
		`{{index .Pairs 5}}`, `{{eq .S .I}}`, `{{date .S}}`, `{{has}}`, `{{template "x" .Any}}{{define "x"}}{{.Absent}}{{end}}`} {
		if _, _, want, got := both(t, text, data("valid"), nil); want == nil || got == nil {
			t.Errorf("%s: %v, html/template: %v", text, got, want)
		}
	}
}

// What is known is printed when the plate is made, and a call that fails then fails with every page.
func TestKnown(t *testing.T) {
	const text = `<p title="{{.S}}">{{if .Yes}}{{up .S}}{{range $i, $x := .In.List}}{{if $i}},{{end}}{{$x}}{{end}}{{else}}{{.Absent}}{{end}}{{with .None}}{{.Absent}}{{end}}</p>`
	p, err := Make(template.Must(template.New("t").Funcs(functions).Parse(text)), functions, known(data("<")))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.steps) != 1 {
		t.Errorf("%d steps, want one text", len(p.steps))
	}
	for _, text := range []string{`{{fails .S}}`, `{{up .I}}`, `{{len .I}}`, `{{eq .S .I}}`, `{{if .None}}{{fails "x"}}{{end}}{{fails "y"}}`} {
		if _, _, want, got := both(t, text, data("valid"), known(data("valid"))); want == nil || got == nil {
			t.Errorf("%s: %v, html/template: %v", text, got, want)
		}
	}
}

// More of the language than stands here does not become a page.
func TestRefused(t *testing.T) {
	for _, text := range []string{`{{.S | up}}`, `{{range .Ins}}{{break}}{{end}}`, `{{$x := 1}}{{$x = 2}}`, `{{with $x := .In}}{{$x}}{{end}}`, `{{1.5}}`,
		`{{nil | print}}`, `{{printf "%s" .S}}`, `{{(index .Ins 0).Name}}`, `{{.In.Method 1}}`,
		`{{define "x"}}{{with .Deep}}{{template "x" .}}{{end}}{{end}}{{template "x" .In}}`,
		`<script>x = {{.S}}</script>`, `<p style="{{.S}}">`, `<p title={{.S}}>`, `<a title="{{template "x" .}}">{{define "x"}}{{.S}}{{end}}`} {
		p, err := template.New("t").Funcs(functions).Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := Make(p, functions, nil); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	// What html/template itself refuses is its error.
	var bad *template.Error
	if _, err := Make(template.Must(template.New("t").Parse(`<a href='{{if .S}}"{{else}}'{{end}}>`)), nil, nil); !errors.As(err, &bad) {
		t.Errorf("error %v", err)
	}
}

// Every character that goes out as it is, is one that html/template leaves alone in that context, and nothing that can end a tag
// or a quoted attribute is among them.
func TestPlainCharacters(t *testing.T) {
	if len(contexts()) != len(places) {
		t.Fatalf("%d contexts of %d places", len(contexts()), len(places))
	}
	for names, c := range contexts() {
		for _, bad := range "\x00\"'&<>" {
			if c.plain[bad] {
				t.Errorf("%s leaves %q alone", names, bad)
			}
		}
		for _, good := range "azAZ09-_." {
			if !c.plain[good] {
				t.Errorf("%s does not leave %q alone: pages are slow", names, good)
			}
		}
		if strings.Contains(names, "urlfilter") && c.plain[':'] {
			t.Errorf("%s takes a scheme as it is", names)
		}
		if (strings.Contains(names, "urlnormalizer") || strings.Contains(names, "urlescaper")) && (c.plain['%'] || c.plain[' '] || c.plainAbove) {
			t.Errorf("%s takes an address as it is", names)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	plate, err := Make(template.Must(template.New("t").Parse(`{{.Any.Name}}{{.S}}`)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			d := data(fmt.Sprint(i, "<"))
			if i%2 == 0 {
				d.Any = struct{ Other, Name string }{"", d.S}
			}
			want := strings.Repeat(fmt.Sprint(i, "&lt;"), 2)
			for range 200 {
				var b bytes.Buffer
				if err := plate.Execute(&b, d); err != nil || b.String() != want {
					t.Errorf("%q, %v; want %q", b.String(), err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzSameAsTemplate(f *testing.F) {
	for _, s := range values {
		f.Add(s)
	}
	const text = `<title>{{.}}</title><a href="{{.}}" title="{{.}}">{{.}}</a><a href="/x/{{.}}"></a><a href="/x?{{.}}"></a><meta http-equiv="refresh" content="3;url={{.}}">`
	slow := template.Must(template.New("t").Parse(text))
	fast, err := Make(template.Must(template.New("t").Parse(text)), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want, got bytes.Buffer
		if err := errors.Join(slow.Execute(&want, s), fast.Execute(&got, s)); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("%q:\ngot  %q\nwant %q", s, got.String(), want.String())
		}
	})
}

type person struct {
	Name  string
	Birth string `plate:"present"`
	Kinds []kind `plate:"early"`
	Fix   any    `plate:"fixed"`
	Free  any    `plate:"fixed"`
	More  *more  `plate:"present"`
	None  *more  `plate:"present"`
	Any   any    `plate:"early"`
	Note  *more  `plate:"early"`
}

type kind struct {
	Word string `plate:"early"`
	Own  string
}

type more struct{ Number string }

type fixed struct{ Words []string }

func (*fixed) Fixed() {}

// secret stands in each field that a plate is not to know.
func examplePerson(secret string) *person {
	return &person{Name: secret, Birth: secret, Kinds: []kind{{"a", secret}, {"<b>", secret}}, Fix: &fixed{[]string{"x", "&"}}, Free: []string{secret},
		More: &more{secret}, Any: kind{"any", secret}, Note: &more{secret}}
}

const personText = `{{.Name}}{{if .Birth}}, {{.Birth}}{{end}}{{$p := .}}{{range $i, $k := .Kinds}}{{if $i}},{{end}}<p title="{{.Word}}">{{.Own}}{{$k.Own}}{{if eq .Word "a"}}A{{end}}</p>{{$p.Name}}{{end}}` +
	`{{range .Fix.Words}}{{.}}{{up .}}{{end}}{{range .Free}}{{.}}{{end}}{{with .More}}{{.Number}}{{$.Name}}{{end}}{{with .None}}{{.Number}}{{end}}{{.Any.Word}}{{.Any.Own}}{{template "n" .Note}}` +
	`{{define "n"}}{{.Number}}{{$.Number}}{{end}}{{if or .None .Birth}}yes{{end}}{{if and .More (not .None)}}both{{end}}{{len .Kinds}}`

// A plate for an example prints other data that agrees with it, and knows nothing else of the example.
func TestFor(t *testing.T) {
	parsed := func() *template.Template { return template.Must(template.New("t").Funcs(functions).Parse(personText)) }
	plain, err := Make(parsed(), functions, nil)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := plain.For(examplePerson("of the example"))
	if err != nil {
		t.Fatal(err)
	}
	if len(bound.steps) >= len(plain.steps)*2 || len(bound.steps) > 30 {
		t.Errorf("%d steps, %d of any data", len(bound.steps), len(plain.steps))
	}
	for _, s := range append(values[1:], "of another") {
		if s == "" {
			continue
		}
		var want, a, b bytes.Buffer
		d := examplePerson(s)
		if err := errors.Join(parsed().Execute(&want, d), plain.Execute(&a, d), bound.Execute(&b, d)); err != nil {
			t.Fatal(err)
		}
		if a.String() != want.String() || b.String() != want.String() {
			t.Errorf("of %q:\ngot  %q\nand  %q\nwant %q", s, a.String(), b.String(), want.String())
		}
		if strings.Contains(b.String(), "of the example") {
			t.Errorf("prints what was of the example: %q", b.String())
		}
	}
	kept, _ := seen(reflect.ValueOf(*examplePerson("secret"))).Interface().(person)
	if got := fmt.Sprintf("%+v %+v %+v", kept, *kept.More, *kept.Note); strings.Contains(got, "secret") || len(kept.Kinds) != 2 {
		t.Errorf("a plate keeps %s", got)
	}
	plain.Final()
	if same, err := plain.For(examplePerson("x")); same != plain || err != nil {
		t.Errorf("a plate that is final gives another one, %v", err)
	}
	shorter := examplePerson("x")
	shorter.Kinds = shorter.Kinds[:1]
	if err := bound.Execute(&bytes.Buffer{}, shorter); err == nil {
		t.Error("prints data that does not agree")
	}
}
