package signing

import (
	"net/mail"
	"strings"

	"brama/connectors"
	"brama/internal/qes/cert"
)

// person reads who the certificate names. Its texts are clean already (package cert) and go to the page and to the portal
// as they are. Organisations are roles; they come from this certificate and from nowhere else (threat T32).
func person(c *cert.Certificate) (connectors.Identity, error) {
	s, err := c.Subject()
	if err != nil {
		return connectors.Identity{}, err
	}
	id := connectors.Identity{
		Name:       s.CommonName,
		FamilyName: s.FamilyName,
		GivenName:  s.GivenName,
		MiddleName: s.MiddleName,
		BirthDate:  s.BirthDate,
		Email:      email(c.EmailAddresses()),
	}
	if id.MiddleName == "" {
		// The attribute givenName of Ukrainian certificates holds the name and the patronymic together.
		id.GivenName, id.MiddleName, _ = strings.Cut(id.GivenName, " ")
	}
	if id.FamilyName != "" && id.GivenName != "" {
		// The common name of an employee or a sole trader may be anything; the parts are the person's.
		id.Name = strings.TrimSpace(id.FamilyName + " " + id.GivenName + " " + id.MiddleName)
	}
	organization := connectors.Role{ID: "organization", Organization: s.Organization, Title: s.Title}
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

// maxEmail is the longest address that mail knows (RFC 5321, 4.5.3.1.3).
const maxEmail = 254

// email returns the one address of a certificate, "" if there is none, more than one, or something else in its place.
func email(list []string) string {
	if len(list) != 1 || len(list[0]) > maxEmail || strings.ContainsFunc(list[0], func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	// Nothing but an address: no display name, comment or quotes.
	if a, err := mail.ParseAddress(list[0]); err != nil || a.Address != list[0] || strings.Contains(a.Address, `"`) {
		return ""
	}
	return list[0]
}
