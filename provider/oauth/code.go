package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"brama/storage"
)

func badGrant(description string) *Error {
	return &Error{Code: "invalid_grant", Description: description, Status: http.StatusBadRequest}
}

// redeemCode exchanges a code (RFC 6749, 4.1.3). The code was made by fosite; it is spent here, since fosite 0.49 drops the
// challenge before it compares the verifier and lets two parallel exchanges win. What stands in the store is written by one
// Update: all or nothing.
func (p *Provider) redeemCode(ctx context.Context, client *Client, form url.Values, proof proven) (*tokenAnswer, error) {
	for _, name := range []string{"code", "redirect_uri"} {
		if form.Get(name) == "" {
			return nil, &Error{Code: "invalid_request", Description: name + " is missing", Status: 400}
		}
	}
	g, err := p.checkCode(ctx, client, form, proof)
	if err != nil {
		return nil, err
	}
	claims, err := p.openGrant(g)
	if err != nil {
		return nil, err
	}
	scopes, err := narrow(client, g.Scopes, "")
	if err != nil {
		return nil, err
	}
	now := p.cfg.Now()
	access := p.newAccess(client, g.ID, scopes, proof.binding)
	answer := p.answer(&access)
	if err := p.addIDToken(ctx, answer, client, claims, scopes, claims.Nonce); err != nil {
		return nil, err
	}
	family := p.newFamily(client, g, now, proof)
	end := access.expires
	if family != nil {
		// The grant must be there as long as a token can be made of it.
		end = family.Expires.Add(p.cfg.AccessTokenLifetime)
		p.addRefresh(answer, g, family)
	}
	err = p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		if err := proof.spend(tx); err != nil {
			return err
		}
		if err := p.alive(tx, g.Person); err != nil {
			return err
		}
		if err := storage.SpendGrant(tx, *g, now, end); err != nil {
			return err
		}
		if family != nil {
			return storage.InsertRefresh(tx, *family)
		}
		return nil
	})
	switch {
	case errors.Is(err, storage.ErrConflict):
		// Two exchanges of one code at once: who of them stole it cannot be told, so nobody keeps what came of it.
		if e := p.revoke(ctx, g, client, codeMisused); e != nil {
			return nil, errors.Join(err, e)
		}
		return nil, err
	case errors.Is(err, storage.ErrNotFound):
		return nil, badGrant("The code is unknown or has expired.")
	case err != nil:
		return nil, err
	}
	return answer, nil
}

// checkCode returns the grant of a code that may be exchanged. A code that was used before kills what was made of it; one
// that came from another client, for another redirect_uri, with a wrong verifier or key is dead: whoever holds it so has
// stolen it (RFC 9700, 4.5).
func (p *Provider) checkCode(ctx context.Context, client *Client, form url.Values, proof proven) (*storage.Grant, error) {
	unknown := badGrant("The code is unknown or has expired.")
	code := form.Get("code")
	// A code that is not ours needs no look into the store.
	if _, err := p.tokens.OpenText(authorizationCode, code); err != nil || len(code) > maxToken {
		return nil, unknown
	}
	var g storage.Grant
	err := p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		g, err = storage.GetGrant(tx, grantID(code))
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	reason := ""
	switch verifier := form.Get("code_verifier"); {
	case !g.Live():
		return nil, badGrant("The code has been used.")
	case !g.Spent.IsZero():
		reason = "The code has been used."
	case !p.cfg.Now().Before(g.CodeExpires):
		return nil, unknown
	case g.Client != client.ID:
		reason = "The code was issued to another client."
	case g.RedirectURI != form.Get("redirect_uri"):
		reason = "redirect_uri is not that of the authorization request."
	case g.Challenge == "" && form.Has("code_verifier"):
		reason = "code_verifier without a code_challenge in the authorization request."
	case g.Challenge != "" && !verifies(verifier, g.Challenge):
		reason = "code_verifier does not match code_challenge."
	case g.JKT != "" && !proof.isDPoP(g.JKT):
		reason = "The code is bound to another DPoP key."
	}
	if reason == "" {
		return &g, nil
	}
	if err := p.revoke(ctx, &g, client, codeMisused); err != nil {
		return nil, err
	}
	return nil, badGrant(reason)
}
