package provider

import (
	"regexp"
	"testing"
)

func TestNewEvent(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		e := newEvent()
		if !regexp.MustCompile(`^[0-9A-F]{4}-[0-9A-F]{4}$`).MatchString(e) || seen[e] {
			t.Errorf("event %q", e)
		}
		seen[e] = true
	}
}

// A route is named in the log without the pattern of what stands in its address.
func TestRouteName(t *testing.T) {
	for template, want := range map[string]string{"/login/{id}/{method}/poll": "/login/{id}/{method}/poll", "/docs/" + docPattern: "/docs/{doc}"} {
		if got := routeName(template); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
