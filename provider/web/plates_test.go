package web

import (
	"bytes"
	"reflect"
	"testing"

	"brama/provider/web/plate"
)

// altered returns v with its n-th leaf changed: a text becomes s, a truth value the other, a number 7 or nothing, and what is in a
// pointer or a list is taken out. n counts down to below zero.
func altered(v reflect.Value, n *int, s string) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int:
		if *n == 0 {
			switch {
			case v.Kind() == reflect.Bool:
				c.SetBool(!v.Bool())
			case v.Kind() == reflect.String:
				c.SetString(s)
			case v.IsZero():
				c.SetInt(7)
			default:
				c.SetZero()
			}
		}
		*n--
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			break
		}
		if v.Kind() == reflect.Pointer { // of nothing in an interface text/template makes nothing, and a plate an error
			if *n--; *n == -1 {
				c.SetZero()
				break
			}
		}
		in := altered(v.Elem(), n, s)
		if v.Kind() == reflect.Pointer {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(in)
			break
		}
		c.Set(in)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(altered(v.Field(i), n, s))
			}
		}
	case reflect.Slice:
		if *n--; *n == -1 {
			c.SetZero()
			break
		}
		c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			c.Index(i).Set(altered(v.Index(i), n, s))
		}
	}
	return c
}

// Every page, with each of its texts and truth values another in turn, is byte for byte what html/template makes of it.
func TestPlatesPrintWhatTemplatesDo(t *testing.T) {
	s := site(t, true)
	compared := 0
	for _, lang := range Langs {
		for _, name := range pages {
			slow, _, err := s.parse(lang, name)
			if err != nil {
				t.Fatal(err)
			}
			whole := fullPage(t, s, name, lang)
			whole.Longer = &Longer{Seconds: 7, Action: "/a", MAC: "m"}
			leaves := 1 << 20
			altered(reflect.ValueOf(whole), &leaves, "")
			leaves = 1<<20 - leaves
			variants := []Page{whole}
			if _, ok := whole.Data.(Confirm); ok || name == "demo" || name == "filekey" {
				good := whole // one that has a frame
				good.Problem = nil
				variants = append(variants, good)
			}
			for _, whole := range variants {
				for _, text := range []string{`javascript:"><script>alert('1')</script>&+Дія`, ""} {
					for leaf := 0; leaf < leaves; leaf++ {
						n := leaf
						if lang == English {
							leaf += 3 // the words are others, the plates are made alike
						}
						page := altered(reflect.ValueOf(whole), &n, text).Interface().(Page) //nolint:forcetypeassert // what went in
						page.Lang = lang
						var want, got bytes.Buffer
						wantErr, gotErr := slow.Execute(&want, s.view(&page)), printed(t, s, name, &got, &page)
						if (wantErr == nil) != (gotErr == nil) {
							t.Fatalf("%s: %v, html/template: %v", name, gotErr, wantErr)
						}
						if gotErr != nil {
							continue
						}
						compared++
						if got.String() != want.String() {
							t.Fatalf("%s with leaf %d as %q:\ngot  %s\nwant %s", name, leaf, text, got.String(), want.String())
						}
					}
					if lang == English {
						break
					}
				}
			}
		}
	}
	t.Logf("%d pages compared", compared)
	if compared < 1000 {
		t.Errorf("only %d pages compared", compared)
	}
}

func BenchmarkRender(b *testing.B) {
	s := site(b, false)
	for _, name := range []string{"filekey", "demo", "confirm"} {
		page := fullPage(b, s, name, Ukrainian)
		page.Problem = nil
		slow, _, err := s.parse(Ukrainian, name)
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		b.Run(name+"/plate", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := printed(b, s, name, &out, &page); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/template", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := slow.Execute(&out, s.view(&page)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// made is a page of the site.
func made(t testing.TB, s *Site, l Lang, name string) *plate.Plate {
	t.Helper()
	p, err := s.pages[l][name]()
	if err != nil {
		t.Fatalf("page %s in %s: %v", name, l, err)
	}
	return p
}

// printed prints a page by the plate of its frame.
func printed(t testing.TB, s *Site, name string, out *bytes.Buffer, page *Page) error {
	t.Helper()
	v := s.view(page)
	p, err := s.frames.plate(made(t, s, page.Lang, name), v)
	if err != nil {
		t.Fatal(err)
	}
	return p.Execute(out, v)
}

// TestEveryPageIsMade: none is found to be wrong by the person who first sees it.
func TestEveryPageIsMade(t *testing.T) {
	s := site(t, false)
	for _, l := range Langs {
		for _, name := range pages {
			made(t, s, l, name)
		}
	}
}
