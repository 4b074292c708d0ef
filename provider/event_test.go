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

// A route is named in the log without the patterns of what stands in its address.
func TestRouteName(t *testing.T) {
	for range 2 {
		if got := routeName("/login/" + idPattern + "/" + methodPattern + "/poll"); got != "/login/{id}/{method}/poll" {
			t.Errorf("got %q", got)
		}
	}
}
