package upstream

import (
	"errors"
	"html"
	"strings"
	"time"
	"unicode"

	"brama/connectors"
	"brama/internal/qes/cert"
)

// A Person is what an answer says of a person, as it stands there.
type Person struct {
	Family, Given, Middle string
	Number                string    // in the place of the tax number
	UNZR                  string    // number of the demographic register
	Birth                 time.Time // zero if the system gives none
}

// Identity reads p by the rules for certificates. The role is the person's: an organisation comes from the certificate that
// signed and from nowhere else (threat T32). Every error is a refusal.
func (p Person) Identity() (connectors.Identity, error) {
	id := connectors.Identity{
		FamilyName: name(p.Family), GivenName: name(p.Given), MiddleName: name(p.Middle),
		Roles: []connectors.Role{{ID: "person"}},
	}
	if id.FamilyName == "" || id.GivenName == "" {
		return connectors.Identity{}, connectors.Retry(CodeNoData, errors.New("the answer has no name"))
	}
	id.Name = strings.TrimSpace(id.FamilyName + " " + id.GivenName + " " + id.MiddleName)
	s, err := cert.ReadNumbers(cert.Numbers{Person: number(p.Number), UNZR: number(p.UNZR), Birth: p.Birth})
	if err != nil {
		var which *cert.IdentifierError
		if errors.As(err, &which) {
			return connectors.Identity{}, connectors.Retry(CodeDisagree, err, "number", which.Type)
		}
		return connectors.Identity{}, connectors.Retry(CodeDisagree, err)
	}
	for _, i := range s.Identifiers {
		id.Identifiers = append(id.Identifiers, connectors.Identifier{Type: connectors.IdentifierType(i.Type), Country: i.Country, Value: i.Value})
	}
	if len(id.Identifiers) == 0 {
		return connectors.Identity{}, connectors.Retry(CodeNoNumber, errors.New("the answer has no number of a person"))
	}
	id.BirthDate = s.BirthDate
	return id, nil
}

// name reads a name: some banks escape apostrophes as in HTML.
func name(s string) string { return cert.CleanText(html.UnescapeString(s)) }

// number leaves the digits and the letters of a number, in upper case: sources write it with spaces and hyphens.
func number(s string) string {
	return strings.Map(func(r rune) rune {
		if r = unicode.ToUpper(r); r >= '0' && r <= '9' || unicode.IsUpper(r) {
			return r
		}
		return -1
	}, s)
}

// Date reads the dates of banks, dd.mm.yyyy, or yyyy-mm-dd. An empty text is the zero time.
func Date(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"02.01.2006", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1850 {
			return t, nil
		}
	}
	return time.Time{}, errors.New("upstream: a date has another form")
}
