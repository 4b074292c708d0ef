package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"brama/storage"
)

// scopeOffline asks for a refresh token that outlives the browser session (OpenID Connect Core, 11).
const scopeOffline = "offline_access"

// newFamily returns the family of refresh tokens that begins with a code, nil if the client gets none.
//
// A client gets one if it is registered for the grant type. If offline_access was granted too, the family outlives the
// session of the login; otherwise it dies with it, which OpenID Connect Core, 11, leaves to us and Back-Channel Logout, 2.7,
// wants. offline_access is granted only where the person was asked: see ReadAuthorize.
func (p *Provider) newFamily(client *Client, g *storage.Grant, now time.Time, proof proven) *storage.RefreshFamily {
	if !client.Allows(GrantRefreshToken) {
		return nil
	}
	life := p.cfg.SessionRefreshLifetime
	if g.Offline {
		life = p.cfg.RefreshLifetime
	}
	f := &storage.RefreshFamily{Grant: g.ID, Generation: 1, Rotated: now, Used: now, Expires: now.Add(life)}
	if client.Public() {
		// Nothing else shows that the next request comes from the same side (RFC 9449, 5; RFC 8705, 4).
		f.Bound = proof.binding.String()
	}
	return f
}

// rules say how the refresh tokens of a client are used.
func (p *Provider) rules(client *Client) storage.RefreshRules {
	return storage.RefreshRules{
		// FAPI 2.0, 5.3.2.1: the tokens of a client that authenticates by key are bound to it, and rotation only loses them.
		Rotate: !client.FAPI(),
		Idle:   p.cfg.RefreshIdle, Grace: p.cfg.RefreshGrace, Retries: p.cfg.RefreshRetries,
	}
}

// refresh answers a refresh token with an access token and, if the scope has openid, an ID token (RFC 6749, 6; OpenID Connect
// Core, 12). Everything that a token depends on is looked at again: the client's registration, the person, the session. A
// token that was used before kills its family, for one of its two users has stolen it; within a short time it may come
// again, a limited number of times, since an answer can be lost on its way.
func (p *Provider) refresh(ctx context.Context, client *Client, form url.Values, proof proven) (*tokenAnswer, error) {
	given := form.Get("refresh_token")
	if given == "" {
		return nil, &Error{Code: "invalid_request", Description: "refresh_token is missing", Status: 400}
	}
	token, err := p.openToken(refreshToken, given)
	if err != nil {
		return nil, errUnknownRefresh()
	}
	h, err := p.loadFamily(ctx, token.grant)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, errUnknownRefresh()
	}
	if err != nil {
		return nil, err
	}
	g, family, claims := &h.grant, &h.family, h.claims
	switch {
	case g.Client != client.ID:
		if err := p.revoke(ctx, g, client, refreshStolen); err != nil {
			return nil, err
		}
		return nil, badGrant("The refresh token was issued to another client.")
	case family.Bound != "" && family.Bound != proof.binding.String():
		// Not revoked: who has no key must not be able to sign the owner out.
		return nil, badGrant("The refresh token is bound to another key.")
	}
	scopes, err := narrow(client, g.Scopes, form.Get("scope"))
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		return nil, badGrant("Nothing is left of what was granted.")
	}
	if !client.TakesLevel(cmp.Or(claims.Level, claims.ACR)) {
		// The registration was made stricter after the login (threat T78). The grant stays: it may be made milder again.
		return nil, badGrant(levelTooLow)
	}
	asked, err := p.checkCertificate(ctx, client, h)
	if err != nil {
		return nil, err
	}
	access := p.newAccess(client, g.ID, scopes, proof.binding)
	answer := p.answer(&access)
	if slices.Contains(scopes, "openid") {
		if err := p.addIDToken(ctx, answer, client, claims, scopes, ""); err != nil {
			return nil, err
		}
	}
	rules := p.rules(client)
	err = p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		if err := proof.spend(tx); err != nil {
			return err
		}
		if err := storage.CheckSession(tx, g); err != nil {
			return err
		}
		if asked {
			if err := storage.CheckedCertificate(tx, claims.Status.ID, "", p.cfg.Now()); err != nil {
				return err
			}
		}
		var err error
		*family, err = storage.UseRefresh(tx, g.ID, token.generation, rules, p.cfg.Now())
		return err
	})
	switch {
	case errors.Is(err, storage.ErrReused):
		if err := p.revoke(ctx, g, client, refreshReused); err != nil {
			return nil, err
		}
		return nil, badGrant("The refresh token has been used.")
	case errors.Is(err, storage.ErrNotFound):
		return nil, errUnknownRefresh()
	case err != nil:
		return nil, err
	}
	if family.Generation != token.generation {
		p.addRefresh(answer, g, family)
	}
	return answer, nil
}

func errUnknownRefresh() *Error { return badGrant("The refresh token is unknown or has expired.") }

// A held grant is what the store has for a refresh token, as it stands at one moment.
type held struct {
	grant  storage.Grant
	claims *sealedGrant
	family storage.RefreshFamily
	// certificate is what is kept of the one by which the grant was given; nil if nothing is, or nobody can be asked about it.
	certificate *storage.Certificate
}

// loadFamily returns a grant that is alive and the family of its refresh tokens. storage.ErrNotFound if one of them is not
// there, or if the person is gone or blocked.
func (p *Provider) loadFamily(ctx context.Context, grant string) (*held, error) {
	h := &held{}
	return h, p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		if h.family, err = storage.GetRefresh(tx, grant); err != nil {
			return err
		}
		if h.grant, err = storage.LiveGrant(tx, grant); err != nil {
			return err
		}
		if err := p.alive(tx, h.grant.Person); err != nil {
			return err
		}
		if h.claims, err = p.openGrant(&h.grant); err != nil || h.claims.Status == nil || p.cfg.CertificateStatus == nil {
			return err
		}
		kept, err := storage.GetCertificate(tx, h.claims.Status.ID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		h.certificate = &kept
		return err
	})
}

// alive returns storage.ErrNotFound for a person who is gone or blocked.
func (p *Provider) alive(tx storage.Tx, person string) error {
	if p.cfg.PersonAlive == nil {
		return nil
	}
	return p.cfg.PersonAlive(tx, person)
}

// RevokeSession ends what was granted in a browser session, named by its sid: codes, access tokens and refresh tokens of
// every client, but for grants with offline_access, which outlive sessions. It writes one record whatever their number, and
// calling it twice, or for a session that granted nothing, is no error.
func (p *Provider) RevokeSession(ctx context.Context, sid string) error {
	return p.cfg.Store.Update(ctx, func(tx storage.Tx) error { return p.EndSession(tx, sid) })
}

// offline reports whether offline_access is granted to c with a request of this prompt: a client registered for refresh tokens
// gets it if the person is asked, by prompt=consent or by the client's own policy (OpenID Connect Core, 11). Otherwise the
// scope is ignored.
func (c *Client) offline(prompt []string) bool {
	return c.Allows(GrantRefreshToken) &&
		(slices.Contains(prompt, "consent") || c.Consent == ConsentFirst || c.Consent == ConsentAlways)
}

// mayHave reports whether the registration still allows a scope.
func (c *Client) mayHave(scope string) bool {
	if scope == scopeOffline {
		return c.Allows(GrantRefreshToken)
	}
	return slices.Contains(c.allowedScopes(), scope)
}
