package oauth

import (
	"context"
	"net/url"
	"slices"
)

// credentials answers client_credentials (RFC 6749, 4.4): a token for a portal's own interfaces, with scopes registered for
// it. There is no person in it: userinfo refuses it, and introspection gives it no sub, so that nobody takes a client for
// one (RFC 9700, 4.15). The token is whole in itself: nothing is written, unless a DPoP proof is spent.
func (p *Provider) credentials(ctx context.Context, client *Client, form url.Values, proof proven) (*tokenAnswer, error) {
	scopes := client.APIScopes
	if want := words(form.Get("scope")); len(want) != 0 {
		scopes = nil
		for _, s := range want {
			if !slices.Contains(client.APIScopes, s) {
				return nil, &Error{Code: "invalid_scope", Description: "a scope is not registered for the client", Status: 400}
			}
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		}
	}
	if err := p.spendProof(ctx, proof); err != nil {
		return nil, err
	}
	access := p.newAccess(client, "", scopes, proof.binding)
	return p.answer(&access), nil
}
