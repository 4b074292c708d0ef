package web

import (
	"reflect"
	"testing"
)

// Every field of a Page is in the view, or is one that only the headers are made of.
func TestViewHasPage(t *testing.T) {
	headers := map[string]bool{"Template": true, "Screen": true, "Status": true, "RedirectURI": true, "FormOrigin": true, "RetryAfter": true}
	full := Page{Title: "t", Heading: "h", Create: true, Link: true, Account: "n", Forget: "f", Lang: English, Event: "e", Self: "s", Frames: []string{"x"}, Agent: "a",
		Portal: &Portal{Name: "p"}, Tabs: []Tab{{Method: "m"}}, Longer: &Longer{Seconds: 1}, Leave: "l", Problem: &Message{Code: "c"}, Field: "i", Data: 1}
	s := &Site{assets: &Assets{}}
	page, got := reflect.ValueOf(full), reflect.ValueOf(s.view(&full)).Elem()
	for i := range page.NumField() {
		name := page.Type().Field(i).Name
		if headers[name] {
			continue
		}
		if page.Field(i).IsZero() {
			t.Errorf("the test leaves out %s", name)
		}
		if f := got.FieldByName(name); !f.IsValid() || !reflect.DeepEqual(f.Interface(), page.Field(i).Interface()) {
			t.Errorf("the view has not %s", name)
		}
	}
}

// A number that somebody looks at over the person's shoulder shows its ends alone.
func TestMask(t *testing.T) {
	for s, want := range map[string]string{"1234567890": "12••••••90", "19900101-00001": "19••••••••••01", "123456": "12••56", "12345": "•••••", "Тестенко": "Те••••ко", "": ""} {
		if got := mask(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
