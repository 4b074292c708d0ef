package cert

import (
	"errors"
	"testing"
	"time"
)

// TestPassportScripts, and the rest of T29 and T30 for numbers that another system tells: they are read as in certificates.
func TestPassportScriptsOfOtherSystems(t *testing.T) {
	birth := time.Date(1982, 2, 19, 0, 0, 0, 0, time.UTC)
	for name, v := range map[string]struct {
		in   Numbers
		want []Identifier
		born bool
		err  bool
	}{
		"nothing":              {},
		"tax number":           {in: Numbers{Person: "3000000001"}, want: []Identifier{{RNOKPP, "UA", "3000000001"}}},
		"placeholder":          {in: Numbers{Person: "0000000000"}},
		"code of organisation": {in: Numbers{Person: "43395033"}},
		"passport, Cyrillic":   {in: Numbers{Person: "АА123456"}, want: []Identifier{{Passport, "UA", "АА123456"}}},
		"passport, Latin":      {in: Numbers{Person: "AA123456"}, want: []Identifier{{Passport, "UA", "АА123456"}}},
		"card":                 {in: Numbers{Person: "123456789"}, want: []Identifier{{Passport, "UA", "123456789"}}},
		"register":             {in: Numbers{UNZR: "1982021900001", Birth: birth}, want: []Identifier{{UNZR, "UA", "19820219-00001"}}, born: true},
		"two birthdays":        {in: Numbers{UNZR: "19820219-00001", Birth: birth.AddDate(0, 0, 1)}, err: true},
	} {
		s, err := ReadNumbers(v.in)
		if errors.Is(err, ErrIdentifiersDisagree) != v.err || len(s.Identifiers) != len(v.want) || s.BirthDate.Equal(birth) != v.born {
			t.Errorf("%s: %v, %v, %v", name, s.Identifiers, s.BirthDate, err)
			continue
		}
		for i := range v.want {
			if s.Identifiers[i] != v.want[i] {
				t.Errorf("%s: got %v, want %v", name, s.Identifiers[i], v.want[i])
			}
		}
	}
}
