package oauth

import (
	"slices"
)

// Scopes beyond openid, and what each releases (OpenID Connect Core 5.4 for those that it knows). A scope is a wish: a
// client gets of it what it was registered for and what is proven. Where a claim comes from stands in web/docs/claims.
const (
	scopeOpenID       = "openid"
	scopeProfile      = "profile"
	scopeEmail        = "email"
	scopePhone        = "phone"
	scopeAddress      = "address"
	scopePerson       = "ua.person"
	scopeOrganization = "ua.organization"
	scopeCertificate  = "ua.certificate"
)

var scopes = []string{scopeOpenID, scopeProfile, scopeEmail, scopePhone, scopeAddress, scopePerson, scopeOrganization, scopeCertificate}

// Names everybody may have who asks for them.
var nameClaims = []string{"name", "family_name", "given_name", "middle_name"}

// optionalClaims a client has if they are among its Claims.
var optionalClaims = []string{"rnokpp", "unzr", "birthdate", "edrpou", "organization", "title", emailClaim}

const (
	emailClaim         = "email"
	emailVerifiedClaim = "email_verified" // comes with email
	// certificateClaim is one object, for clients with that right only: with the serial, portals could join profiles.
	certificateClaim = "certificate"
	// The time of the personal-data tick, and the version of the notice that it was for: the client has them always.
	consentClaim        = "consent_at"
	consentVersionClaim = "consent_version"
)

// scopeOf names the scope that releases a claim.
var scopeOf = map[string]string{
	"name": scopeProfile, "family_name": scopeProfile, "given_name": scopeProfile, "middle_name": scopeProfile, "birthdate": scopeProfile,
	emailClaim: scopeEmail, emailVerifiedClaim: scopeEmail,
	"rnokpp": scopePerson, "unzr": scopePerson,
	"edrpou": scopeOrganization, "organization": scopeOrganization, "title": scopeOrganization,
	certificateClaim: scopeCertificate,
}

// releasedClaims lists the claims of persons that a token can have, for the metadata.
func releasedClaims() []string {
	return slices.Concat(nameClaims, optionalClaims, []string{emailVerifiedClaim, certificateClaim, consentClaim, consentVersionClaim})
}

// A place is where a claim is released: the claims parameter tells them apart.
type place int

const (
	inIDToken place = iota + 1
	inUserInfo
)

// mayReceive reports whether the registration of c, as it stands now, lets it have a claim.
func (c *Client) mayReceive(claim string) bool {
	switch {
	case slices.Contains(nameClaims, claim), claim == consentClaim, claim == consentVersionClaim:
		return true
	case claim == certificateClaim:
		return c.CertificateClaims
	case claim == emailVerifiedClaim:
		return slices.Contains(c.Claims, emailClaim)
	}
	return slices.Contains(optionalClaims, claim) && slices.Contains(c.Claims, claim)
}

// allowedScopes are those that c may ask for: the registered ones, all if there are none. What they release is a matter of
// the claims it is registered for.
func (c *Client) allowedScopes() []string {
	if len(c.Scopes) == 0 {
		return scopes
	}
	return c.Scopes
}

// Asks lists the claims of persons that req asks for, by scope or by the claims parameter, and that c may receive: what a
// login for it releases at most. Whether they are proven is another matter.
func (c *Client) Asks(req *AuthorizeRequest) []string {
	list := make([]string, 0, len(askable))
	for i := range askable {
		claim := askable[i].claim
		asked := slices.Contains(req.Scopes, askable[i].scope)
		if r := req.Claims; r != nil && !asked {
			asked = r.IDToken.asks(claim) || r.UserInfo.asks(claim)
		}
		if asked && c.mayReceive(claim) {
			list = append(list, claim)
		}
	}
	return list
}

// askable are the claims that a request can ask for, with the scopes that release them.
var askable = func() (list []struct{ claim, scope string }) {
	for _, claim := range slices.Concat(nameClaims, optionalClaims, []string{certificateClaim}) {
		list = append(list, struct{ claim, scope string }{claim, scopeOf[claim]})
	}
	return list
}()

// asks reports whether a claim is asked for here, verified or not.
func (s *ClaimSet) asks(claim string) bool {
	if _, ok := s.Claims[claim]; ok {
		return true
	}
	return slices.ContainsFunc(s.verified(), func(v verifiedRequest) bool { _, ok := v.claims[claim]; return ok })
}

// met lists the claims that are asked for here by name and have a value that was asked for. Names that a scope of scopes
// releases too are left out: the scope says enough.
func (s *ClaimSet) met(claims claimList, scopes []string) []string {
	var list []string
	for name, r := range s.Claims {
		c := claims.find(name)
		if c == nil || slices.Contains(scopes, scopeOf[name]) || !r.takes(c.value()) {
			continue
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// takes reports whether value is one that was asked for. What is no string, number or boolean cannot be named.
func (r ClaimRequest) takes(value any) bool {
	if len(r.Values) == 0 {
		return true
	}
	switch value.(type) {
	case string, bool, float64:
		return slices.Contains(r.Values, value)
	}
	return false
}

// release writes the claims that a client learns at a place, by the scopes of the token, the claims parameter of its request
// and the registration as it stands now.
func (g *sealedGrant) release(o *jsonObject, c *Client, at place, scopes []string) error {
	asked, verified := g.AskedIDToken, g.VerifiedIDToken
	if at == inUserInfo {
		asked, verified = g.AskedUserInfo, g.VerifiedUserInfo
	}
	for i := range g.Claims {
		one := &g.Claims[i]
		scope := scopeOf[one.name]
		if (scope == "" || slices.Contains(scopes, scope) || slices.Contains(asked, one.name)) && c.mayReceive(one.name) {
			o.member(one.name)
			o.b = one.appendJSON(o.b)
		}
	}
	switch list := releaseVerified(c, verified); len(list) {
	case 0:
		return nil
	case 1:
		return o.other(verifiedClaims, list[0])
	default:
		return o.other(verifiedClaims, list)
	}
}
