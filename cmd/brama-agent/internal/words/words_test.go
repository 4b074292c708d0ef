package words

import (
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// TestComplete: both languages have every text, with the same places.
func TestComplete(t *testing.T) {
	uk, en := reflect.ValueOf(Ukrainian), reflect.ValueOf(English)
	places := regexp.MustCompile(`\{\d\}`)
	for i := range uk.NumField() {
		name := uk.Type().Field(i).Name
		a, b := uk.Field(i).String(), en.Field(i).String()
		if a == "" || b == "" {
			t.Errorf("%s: a language lacks it", name)
		}
		if p, q := places.FindAllString(a, -1), places.FindAllString(b, -1); !slices.Equal(p, q) {
			t.Errorf("%s: places %v and %v", name, p, q)
		}
		if !regexp.MustCompile(`\p{Cyrillic}`).MatchString(a) || regexp.MustCompile(`\p{Cyrillic}`).MatchString(b) {
			t.Errorf("%s: %q and %q are not in two languages", name, a, b)
		}
	}
}

func TestFill(t *testing.T) {
	if got := Fill("a {0} b {1} {2} {", "{1}", "x"); got != "a {1} b x {2} {" {
		t.Errorf("Fill = %q", got)
	}
}
