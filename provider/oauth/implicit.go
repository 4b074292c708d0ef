package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"brama/storage"
)

// The implicit flow (OpenID Connect Core, 3.2). It is here since a provider at which anybody may register must have it (15.2),
// and tools for conformance look; and nowhere else, since what travels in the address of a browser is stolen there (RFC 9700,
// 2.1.2): `serve` neither announces nor knows it. All that makes it different from a code stands in this file.

// GrantImplicit is the grant type of clients that are registered for it.
const GrantImplicit = "implicit"

// ModeFragment is how its answers travel, unless form_post is asked for; never in a query.
const ModeFragment = "fragment"

const (
	typeIDToken      = "id_token"
	typeIDTokenToken = "id_token token"
)

// implicit reports whether the flow is there: where the registration is open, which is for `brama dev` and tests.
func (c *Config) implicit() bool { return c.Registration != nil && c.Registration.Open }

// What the metadata announce.

func (c *Config) responseTypes() []string {
	if c.implicit() {
		return []string{"code", typeIDToken, typeIDTokenToken}
	}
	return []string{"code"}
}

func (c *Config) grantTypes() []string {
	if c.implicit() {
		return append(slices.Clone(grantTypes), GrantImplicit)
	}
	return grantTypes
}

func (c *Config) announcedModes() []string {
	if c.implicit() {
		return append(c.responseModes(), ModeFragment)
	}
	return c.responseModes()
}

// SignsIn reports whether people sign in to c at all.
func (c *Client) SignsIn() bool { return c.Allows(GrantCode) || c.Allows(GrantImplicit) }

// canonicalType is a response type with its words in one order: theirs says nothing (OAuth 2.0 Multiple Response Types, 3).
func canonicalType(responseType string) string {
	list := words(responseType)
	slices.Sort(list)
	return strings.Join(list, " ")
}

func isImplicit(responseType string) bool {
	t := canonicalType(responseType)
	return t == typeIDToken || t == typeIDTokenToken
}

// implicit reports whether r wants tokens in the place of a code.
func (r *AuthorizeRequest) implicit() bool {
	return r.ResponseType == typeIDToken || r.ResponseType == typeIDTokenToken
}

// checkImplicit says what is wrong with a registration for the flow.
func (c *Client) checkImplicit() error {
	asked := slices.ContainsFunc(c.ResponseTypes, isImplicit)
	switch {
	case asked != c.Allows(GrantImplicit):
		return faulty("grant type %s and response types %s, %q go together", GrantImplicit, typeIDToken, typeIDTokenToken)
	case !asked:
		return nil
	case c.FAPI() || c.DPoPBound || c.CertificateBound:
		return faulty("grant type %s with a FAPI profile or bound tokens", GrantImplicit)
	}
	return nil
}

// answers reports whether c is registered for an implicit response type.
func (c *Client) answers(responseType string) bool {
	return c.Allows(GrantImplicit) && !c.FAPI() && slices.Contains(c.ResponseTypes, canonicalType(responseType))
}

func errNotImplicit() *Error {
	return &Error{Code: "unauthorized_client", Description: "the client is not registered for this response_type", Status: http.StatusBadRequest}
}

// readImplicit stands in the place of checkProof: there is no code that a challenge or a key could bind, so that the nonce is
// all there is against a token that was put in the place of another (OpenID Connect Core, 3.2.2.1).
func readImplicit(req *AuthorizeRequest, c *Client, form url.Values) error {
	n := len(form.Get("nonce"))
	switch {
	case !c.answers(form.Get("response_type")):
		return errNotImplicit()
	case n == 0:
		return invalidRequest("nonce is missing")
	case n < minNonce || n > maxNonce:
		return invalidRequest("nonce has less than 8 or more than 1024 characters")
	case form.Get("dpop_jkt") != "":
		return invalidRequest("there is no code to bind to a DPoP key")
	}
	// Without a code nobody gets a refresh token (OpenID Connect Core, 11).
	req.Scopes = slices.DeleteFunc(req.Scopes, func(s string) bool { return s == scopeOffline })
	return nil
}

// readImplicitMode is readMode for an implicit response type. An answer in a query is refused in a fragment.
func (p *Provider) readImplicitMode(req *AuthorizeRequest, form url.Values) error {
	req.ResponseMode = ModeFragment
	switch mode := form.Get("response_mode"); {
	case len(form["response_mode"]) != 1 || mode == "" || mode == ModeFragment:
		return nil // two are refused later
	case mode == ModeFormPost && p.cfg.FormPost != nil:
		req.ResponseMode = ModeFormPost
		return nil
	}
	return invalidRequest("response_mode is not one of this response_type")
}

// answerImplicit makes the tokens that answer req, and the grant that they live with: as if a code had been there and were
// spent. None can be refreshed.
func (p *Provider) answerImplicit(ctx context.Context, req *AuthorizeRequest, u *unit) (url.Values, error) {
	client, kind := u.client.Client, req.ResponseType
	if !p.cfg.implicit() || !client.answers(kind) {
		return nil, errNotImplicit() // the registration has changed since the request was read
	}
	scopes, err := narrow(client, req.Scopes, "")
	if err != nil {
		return nil, err
	}
	g := u.draft
	if g.ID != "" {
		return nil, errors.New("oauth: internal error: not one answer to one request")
	}
	g.ID = storage.HashSecret(newSecret())
	g.Client, g.RedirectURI, g.Scopes, g.Challenge = client.ID, req.RedirectURI, scopes, ""
	access := p.newAccess(client, g.ID, scopes, binding{})
	g.Spent, g.CodeExpires, g.Expires = access.issued, access.issued, access.expires
	// What the token endpoint would have said of these tokens, as parameters (OpenID Connect Core, 3.2.2.5).
	a := &tokenAnswer{jsonObject: newObject(nil)}
	if kind == typeIDTokenToken {
		a = p.answer(&access)
	}
	if err := p.addIDToken(ctx, a, client, u.claims, scopes, u.claims.Nonce); err != nil {
		return nil, err
	}
	members, err := readJSON(a.end())
	if err != nil {
		return nil, fmt.Errorf("oauth: internal error: %w", err)
	}
	params := url.Values{}
	for name, v := range members {
		params.Set(name, fmt.Sprint(v)) // strings, and a number
	}
	return params, nil
}

// inFragment is the address of redirectURI with params in its fragment, every space as %20: readers of fragments differ in
// what they take for one.
func inFragment(redirectURI string, params url.Values) string {
	return redirectURI + "#" + strings.ReplaceAll(params.Encode(), "+", "%20")
}
