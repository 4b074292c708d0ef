package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"brama/storage"
)

// A store is fosite's storage at the authorization endpoint: every method works on the unit of work in its context. The grant
// is named by the hash of the code.
type store struct{ p *Provider }

var (
	_ fosite.Storage     = (*store)(nil)
	_ oauth2.CoreStorage = (*store)(nil)
)

// errUnsupported answers calls of flows that are not composed.
var errUnsupported = errors.New("oauth: internal error: flow is not supported")

// grantID names the grant of a code, which a store must not hold.
func grantID(code string) string { return storage.HashSecret(code) }

// GetClient returns the client of the request, which our own code has found already.
func (s *store) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	if u.client == nil || u.client.ID != id {
		return nil, fosite.ErrNotFound
	}
	return u.client, nil
}

// ClientAssertionJWTValid implements fosite.ClientManager.
func (s *store) ClientAssertionJWTValid(context.Context, string) error { return errUnsupported }

// SetClientAssertionJWT implements fosite.ClientManager.
func (s *store) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errUnsupported
}

// CreateAuthorizeCodeSession begins the record of a grant.
func (s *store) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	u, err := unitOf(ctx)
	if err != nil {
		return err
	}
	if u.draft == nil || u.draft.ID != "" {
		return errors.New("oauth: internal error: not one code in one request")
	}
	u.draft.ID = grantID(signature)
	u.draft.Client = r.GetClient().GetID()
	u.draft.RedirectURI = r.GetRequestForm().Get("redirect_uri")
	u.draft.Scopes = r.GetGrantedScopes()
	u.draft.CodeExpires = s.p.cfg.Now().Add(s.p.codeLife(u.client.Client))
	// Until the last token that can be made of it ends: so the exchange need not move the record's end.
	u.draft.Expires = u.draft.CodeExpires.Add(s.p.cfg.AccessTokenLifetime)
	return nil
}

// The rest of fosite's storage belongs to its token endpoint, which is never called: codes are redeemed, tokens made and
// revoked by code of ours (redeemCode, refresh). Each method refuses.

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage.
func (s *store) GetAuthorizeCodeSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnsupported
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage.
func (s *store) InvalidateAuthorizeCodeSession(context.Context, string) error { return errUnsupported }

// CreateAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *store) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return errUnsupported
}

// GetAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *store) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnsupported
}

// DeleteAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *store) DeleteAccessTokenSession(context.Context, string) error { return errUnsupported }

// CreateRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (s *store) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return errUnsupported
}

// GetRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (s *store) GetRefreshTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnsupported
}

// DeleteRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (s *store) DeleteRefreshTokenSession(context.Context, string) error { return errUnsupported }

// RotateRefreshToken implements oauth2.RefreshTokenStorage.
func (s *store) RotateRefreshToken(context.Context, string, string) error { return errUnsupported }
