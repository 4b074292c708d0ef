package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"brama/internal/audit"
	"brama/storage"
)

// Codes of the audit record of a grant that was revoked.
const (
	codeMisused   = "CODE_MISUSED"
	refreshReused = "REFRESH_REUSED"
	refreshStolen = "REFRESH_STOLEN"
)

// levelTooLow is the message code of a login that is below the client's minimum.
const levelTooLow = "LEVEL_TOO_LOW"

// revoke kills a grant, and with it every token made from it, and says so in the audit: why is the code of a misuse, "" if
// the client asked.
func (p *Provider) revoke(ctx context.Context, g *storage.Grant, client *Client, why string) error {
	// The caller may hang up to keep what it stole.
	ctx = context.WithoutCancel(ctx)
	if err := p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		return storage.RevokeGrant(tx, g.ID, p.cfg.Now())
	}); err != nil {
		return err
	}
	if p.cfg.Audit == nil {
		return nil
	}
	outcome := audit.Failed
	if why == "" {
		outcome = audit.Passed
	}
	return p.cfg.Audit.Record(ctx, audit.Event{
		Action: "grant.revoked", Outcome: outcome, Code: why,
		Login: g.Login, Client: client.ID, Person: g.Person,
	})
}

// Revoke is the revocation endpoint (RFC 7009). A refresh token takes everything with it that was made of its grant; an access
// token dies alone. A token that nobody knows, or that is dead already, is revoked well enough: the answer is 200.
func (p *Provider) Revoke(w http.ResponseWriter, r *http.Request) {
	if p.crossOrigin(w, r, http.MethodPost) {
		return
	}
	p.serveClient(w, r, "revocation refused", func(client *Client, form url.Values) error {
		token := form.Get("token")
		if token == "" {
			return &Error{Code: "invalid_request", Description: "token is missing", Status: http.StatusBadRequest}
		}
		if err := p.revokeToken(r.Context(), client, token); err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		return nil
	})
}

func (p *Provider) revokeToken(ctx context.Context, client *Client, token string) error {
	// token_type_hint is not looked at: a token opens as one kind only.
	foreign := badGrant("The token was issued to another client.")
	if t, err := p.openToken(accessToken, token); err == nil {
		if t.client != client.ID {
			return foreign
		}
		if !p.cfg.Now().Before(t.expires) {
			return nil
		}
		return p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
			return storage.RevokeToken(tx, tokenID(token), t.expires)
		})
	}
	t, err := p.openToken(refreshToken, token)
	if err != nil {
		return nil //nolint:nilerr // what is no token of ours is dead already (RFC 7009, 2.2)
	}
	if t.client != client.ID {
		return foreign
	}
	var g storage.Grant
	err = p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		g, err = storage.GetGrant(tx, t.grant)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) || err == nil && !g.Live() {
		return nil
	}
	if err != nil {
		return err
	}
	return p.revoke(ctx, &g, client, "")
}
