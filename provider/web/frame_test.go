package web

import (
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"brama/provider/web/plate"
)

// framePlate is the plate that prints a page.
func framePlate(t *testing.T, s *Site, p Page) *plate.Plate {
	t.Helper()
	made, err := s.frames.plate(made(t, s, p.Lang, p.Template), s.view(&p))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// What a page has of a person or of a login is in no plate that is kept: the next page with other values is printed by the same.
func TestFramesHoldNobody(t *testing.T) {
	s := site(t, false)
	for _, name := range []string{"confirm", "demo", "filekey"} {
		page := fullPage(t, s, name, Ukrainian)
		page.Problem = nil
		page.Longer, page.Account, page.Forget = &Longer{Seconds: 7, Action: "/a", MAC: "m"}, "a", "/f"
		first := framePlate(t, s, page)
		if plain := made(t, s, page.Lang, name); first == plain {
			t.Fatalf("%s has no frame", name)
		}
		page.Event, page.Self, page.Leave, page.Account, page.Forget = "0000-0000", "/x", "/y", "b", "/g"
		page.Longer = &Longer{Seconds: 8, Action: "/b", MAC: "n"}
		page.Tabs = []Tab{{Method: "file", URL: "/1", Active: true}, {Method: "demo", URL: "/2"}}
		switch d := page.Data.(type) {
		case Confirm:
			d.Name, d.RNOKPP, d.UNZR, d.Issuer, d.MAC, d.OtherMAC, d.Action, d.Other, d.Revision, d.ExpiresInDays = "a", "b", "c", "d", "e", "f", "g", "h", 4, 1
			d.Roles, d.Optional = nil, []Choice{{Claim: "email", Chosen: true}}
			page.Data = d
		case Method:
			d.MAC, d.Action, d.Ask, d.Download, d.Upload, d.Back, d.Revision = "n", "a", "b", "c", "d", "e", 4
			page.Data = d
		}
		if framePlate(t, s, page) != first {
			t.Errorf("%s of another person is printed by another plate", name)
		}
	}
}

// A portal that changes is shown as it is now.
func TestFrameDropped(t *testing.T) {
	s := site(t, false)
	page := fullPage(t, s, "confirm", Ukrainian)
	page.Problem = nil
	show := func(p Portal) string {
		page.Portal = &p
		w := httptest.NewRecorder()
		if err := s.Render(w, page); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	for _, name := range []string{"Old <b>", "New", "Old <b>"} {
		p := Portal{Name: name, Host: name + ".example", Institution: "of " + name, Logo: "/logo/" + name + ".png"}
		body, want := show(p), strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(name)
		if strings.Count(body, want) < 4 && !strings.Contains(name, "<") || !strings.Contains(body, "of "+want) {
			t.Errorf("%s is shown as %s", name, body)
		}
	}
	for _, logo := range []string{"", "/logo/1.png", "/logo/2.png", ""} {
		if body := show(Portal{Name: "x", Logo: logo}); strings.Contains(body, `class="logo"`) != (logo != "") || !strings.Contains(body, logo) {
			t.Errorf("logo %q is not shown", logo)
		}
	}
}

func TestFramesAreBounded(t *testing.T) {
	s := site(t, false)
	page := fullPage(t, s, "demo", Ukrainian)
	page.Problem = nil
	for i := range 3 * maxFrames {
		page.Portal = &Portal{Name: fmt.Sprint("portal ", i)}
		framePlate(t, s, page)
		if n := len(s.frames.now) + len(s.frames.old); n > 2*maxFrames {
			t.Fatalf("%d frames after %d portals", n, i+1)
		}
	}
	if kept := framePlate(t, s, page); kept != framePlate(t, s, page) {
		t.Error("a frame is made twice")
	}
}

// All that a tag says is in the words: a field that has a tag, and whose change is not seen, would be printed as it was once.
func TestFrameHasTags(t *testing.T) {
	s := site(t, false)
	for _, name := range []string{"confirm", "demo"} {
		page := fullPage(t, s, name, Ukrainian)
		page.Problem = nil
		for _, of := range []reflect.Type{reflect.TypeFor[view](), reflect.TypeOf(page.Data)} {
			for i := range of.NumField() {
				f := of.Field(i)
				switch f.Tag.Get("plate") {
				case "":
					continue
				case "early", "present", "fixed":
				default:
					t.Errorf("%s.%s has tag %q", of, f.Name, f.Tag)
				}
				if f.Name == "Data" || f.Name == "Portal" || f.Name == "LongTabs" || f.Name == "Problem" {
					continue // as the fields in them; of Tabs; never in a frame
				}
				v := s.view(&page)
				before := framedView(t, s, name, v)
				field := reflect.ValueOf(v).Elem().FieldByName(f.Name)
				if of != reflect.TypeFor[view]() {
					data := reflect.New(of).Elem()
					data.Set(reflect.ValueOf(page.Data))
					field = data.FieldByName(f.Name)
					change(field)
					v.Data = data.Interface()
				} else {
					change(field)
				}
				if framedView(t, s, name, v) == before {
					t.Errorf("%s.%s is not among the words", of, f.Name)
				}
			}
		}
	}
}

func framedView(t *testing.T, s *Site, name string, v *view) *plate.Plate {
	t.Helper()
	p, err := s.frames.plate(made(t, s, v.Lang, name), v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// change makes a value that is something nothing, and the other way round.
func change(v reflect.Value) {
	switch {
	case !v.IsZero():
		v.SetZero()
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Int:
		v.SetInt(1)
	case v.Kind() == reflect.String:
		v.SetString("x")
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	}
}

// A page has its own policy, also when that of another one was kept, and those that are kept are bounded.
func TestPolicies(t *testing.T) {
	s := site(t, false)
	pages := []Page{{}, {Screen: ScreenFile}, {Screen: ScreenToken, Agent: "http://127.0.0.1:1"}, {Agent: "http://127.0.0.1:1"}, {FormOrigin: "https://b.example"},
		{FormOrigin: "https://b.example", RedirectURI: "https://c.example/cb"}, {Frames: []string{"https://d.example/x"}}}
	for i := range 5 * maxPolicies {
		pages = append(pages, Page{RedirectURI: fmt.Sprintf("http://127.0.0.1:%d/cb", 1024+i)})
	}
	for range 2 {
		for i := range pages {
			p := &pages[i]
			want := csp(p.Screen, p.RedirectURI, p.Agent, p.FormOrigin) + frameSources(p.Frames)
			for range 2 {
				if got := s.policies.of(p); len(got) != 1 || got[0] != want {
					t.Fatalf("page %d: %q, want %q", i, got, want)
				}
			}
			if n := len(s.policies.now) + len(s.policies.old); n > 2*maxPolicies {
				t.Fatalf("%d are kept", n)
			}
		}
	}
}
