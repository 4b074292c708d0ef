package signing

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"brama/connectors"
	"brama/internal/qes/cert"
)

// maxText bounds a name or a title in characters (threat T97).
const maxText = 256

// person reads who the certificate names: what it says is shown on the page and goes to the portal as it is, so it is
// cleaned here, once. Organisations are roles; they come from this certificate and from nowhere else (threat T32).
func person(c *cert.Certificate) (connectors.Identity, error) {
	s, err := c.Subject()
	if err != nil {
		return connectors.Identity{}, err
	}
	id := connectors.Identity{
		Name:       cleanText(s.CommonName),
		FamilyName: cleanText(s.FamilyName),
		GivenName:  cleanText(s.GivenName),
		MiddleName: cleanText(s.MiddleName),
		BirthDate:  s.BirthDate,
	}
	if id.MiddleName == "" {
		// The attribute givenName of Ukrainian certificates holds the name and the patronymic together.
		id.GivenName, id.MiddleName, _ = strings.Cut(id.GivenName, " ")
	}
	if id.FamilyName != "" && id.GivenName != "" {
		// The common name of an employee or a sole trader may be anything; the parts are the person's.
		id.Name = strings.TrimSpace(id.FamilyName + " " + id.GivenName + " " + id.MiddleName)
	}
	organization := connectors.Role{ID: "organization", Organization: cleanText(s.Organization), Title: cleanText(s.Title)}
	for _, i := range s.Identifiers {
		switch t := connectors.IdentifierType(i.Type); t {
		case connectors.EDRPOU:
			organization.EDRPOU = i.Value
		case connectors.RNOKPP, connectors.UNZR, connectors.Passport, connectors.TIN:
			id.Identifiers = append(id.Identifiers, connectors.Identifier{Type: t, Country: i.Country, Value: i.Value})
		}
	}
	id.Roles = []connectors.Role{{ID: "person"}}
	// A sole trader's code is the tax number: that is the person, not an organisation.
	if organization.EDRPOU != "" && organization.EDRPOU != id.Identifier(connectors.RNOKPP) {
		id.Roles = append(id.Roles, organization)
	}
	return id, nil
}

// cleanText brings text of a certificate to NFC and keeps letters, marks, digits, punctuation and single spaces, no more
// than maxText of them: no controls, no bidirectional marks, nothing that a page or a terminal could take for its own.
func cleanText(s string) string {
	var b strings.Builder
	n, space := 0, false
text:
	for _, r := range norm.NFC.String(strings.ToValidUTF8(s, "")) {
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P), r == '№', r == '+':
		default:
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
			n++
		}
		if n++; n > maxText {
			break text
		}
		b.WriteRune(r)
	}
	return b.String()
}

// certificateLevel is what the certificate proves: a key in a qualified device is high, a qualified certificate without
// that statement is substantial.
func certificateLevel(*cert.Certificate) connectors.LoA {
	return connectors.Substantial
}
