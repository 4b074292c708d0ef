package oauth

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"

	"brama/connectors"
)

// describe decides what the client learns. A claim it requires and cannot get is a refusal, whatever req asks for.
func (p *Provider) describe(c *Client, req *AuthorizeRequest, s *Subject) (*sealedGrant, error) {
	sub, err := p.subject(c, s.PersonID)
	if err != nil {
		return nil, redirectError(&Error{Code: "server_error", Status: 500, Err: err})
	}
	role, ok := roleOf(&s.Identity, s.Role)
	if !ok {
		return nil, redirectError(&Error{Code: "server_error", Status: 500, Err: errors.New("oauth: role is not one of the certificate's")})
	}
	claims := allClaims(s, role)
	claims = slices.DeleteFunc(claims, func(one claim) bool {
		return !c.mayReceive(one.name) || slices.Contains(s.Withheld, one.name)
	})
	for _, name := range c.RequiredClaims {
		if claims.find(name) == nil {
			return nil, redirectError(&Error{Code: "access_denied", Description: "a required claim is not proven", Status: 400})
		}
	}
	g := &sealedGrant{
		Subject:  sub,
		AuthTime: s.Identity.AuthTime,
		ACR:      string(s.Identity.LoA),
		Level:    string(s.Identity.LoA),
		AMR:      s.Identity.AMR,
		SID:      s.SID,
		Status:   statusOf(c, s),
	}
	if r := req.Claims; r != nil {
		g.AskedIDToken, g.AskedUserInfo = r.IDToken.met(claims, req.Scopes), r.UserInfo.met(claims, req.Scopes)
		g.VerifiedIDToken, g.VerifiedUserInfo = r.IDToken.verify(c, &s.Identity, claims), r.UserInfo.verify(c, &s.Identity, claims)
	}
	// The grant keeps nothing that no token of it can release.
	g.Claims = slices.DeleteFunc(claims, func(one claim) bool {
		scope := scopeOf[one.name]
		return scope != "" && !slices.Contains(req.Scopes, scope) && !slices.Contains(g.AskedIDToken, one.name) && !slices.Contains(g.AskedUserInfo, one.name)
	})
	return g, nil
}

// roleOf returns the chosen role, the first one if none was chosen.
func roleOf(id *connectors.Identity, chosen string) (connectors.Role, bool) {
	if chosen == "" && len(id.Roles) > 0 {
		return id.Roles[0], true
	}
	for _, r := range id.Roles {
		if r.ID == chosen {
			return r, true
		}
	}
	return connectors.Role{}, chosen == "" || chosen == "person"
}

// allClaims lists what is proven of a person, in the order in which tokens have it.
func allClaims(s *Subject, role connectors.Role) claimList {
	id := &s.Identity
	out := make(claimList, 0, 16)
	put := func(name, value string) {
		if had := out.find(name); had != nil && value != "" {
			had.text = value // of two numbers of a kind the last one counts
		} else if value != "" {
			out = append(out, textClaim(name, value))
		}
	}
	put("name", id.Name)
	put("family_name", id.FamilyName)
	put("given_name", id.GivenName)
	put("middle_name", id.MiddleName)
	for _, i := range id.Identifiers {
		if i.Country != "UA" {
			continue // the same digits abroad are another number
		}
		switch i.Type {
		case connectors.RNOKPP:
			put("rnokpp", i.Value)
		case connectors.UNZR:
			put("unzr", i.Value)
		}
	}
	if !id.BirthDate.IsZero() {
		put("birthdate", id.BirthDate.Format("2006-01-02"))
	}
	if id.Email != "" {
		// The certificate says it, nobody has sent a letter there.
		out = append(out, textClaim(emailClaim, id.Email), boolClaim(emailVerifiedClaim, false))
	}
	put("edrpou", role.EDRPOU)
	put("organization", role.Organization)
	put("title", role.Title)
	if c := id.Certificate; c.Serial != "" {
		o := newObject(make([]byte, 0, 256))
		o.text("issuer", c.Issuer)
		o.text("serial", c.Serial)
		o.number("not_before", c.NotBefore.Unix())
		o.number("not_after", c.NotAfter.Unix())
		o.number("status_checked_at", c.CheckedAt.Unix())
		out = append(out, claim{name: certificateClaim, kind: claimJSON, text: string(o.end())})
	}
	if !s.Consent.IsZero() {
		out = append(out, numberClaim(consentClaim, s.Consent.Unix()))
		put(consentVersionClaim, s.ConsentVersion)
	}
	return out
}

// SubjectOf returns the sub of a person for a client, to compare with AuthorizeRequest.HintSubject.
func (p *Provider) SubjectOf(c *Client, person string) (string, error) { return p.subject(c, person) }

// subject returns sub: HMAC-SHA-256 over the sector and the random id of the person, in base64url. It is never made from a
// tax number, of which there are only 10¹⁰. For a client registered public the sector is the same for all.
func (p *Provider) subject(c *Client, person string) (string, error) {
	kind, sector := Public, ""
	if c.SubjectType != Public {
		var err error
		kind = Pairwise
		if sector, err = c.knownSector(); err != nil {
			return "", fmt.Errorf("oauth: sector of client %s: %w", c.ID, err)
		}
	}
	m := p.subjects.Get().(hash.Hash) //nolint:forcetypeassert // nothing else is put there
	defer p.subjects.Put(m)
	m.Reset()
	b := make([]byte, 0, 256)
	for _, part := range []string{kind, sector, person} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	m.Write(b)
	return base64.RawURLEncoding.EncodeToString(m.Sum(b[:0])), nil
}
