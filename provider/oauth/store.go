package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"
	fositestorage "github.com/ory/fosite/storage"

	"brama/storage"
)

// A store is fosite's storage at the authorization endpoint: every method works on the unit of work in its context. Code,
// PKCE and OpenID Connect session of one grant are one record, named by the hash of the code's signature half, of whatever
// fosite gives us.
type store struct{ p *Provider }

var (
	_ fosite.Storage                     = (*store)(nil)
	_ fositestorage.Transactional        = (*store)(nil)
	_ oauth2.CoreStorage                 = (*store)(nil)
	_ oauth2.TokenRevocationStorage      = (*store)(nil)
	_ openid.OpenIDConnectRequestStorage = (*store)(nil)
	_ pkce.PKCERequestStorage            = (*store)(nil)
)

// errUnsupported answers calls of flows that are not composed.
var errUnsupported = errors.New("oauth: internal error: flow is not supported")

// grantID names the grant of a code, given its signature half or the whole of it: fosite gives the whole code to the
// OpenID Connect half, and a store must hold neither.
func grantID(code string) string {
	return storage.HashSecret(code[strings.LastIndexByte(code, '.')+1:])
}

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

// BeginTX implements fosite's Transactional: the unit of the request is the transaction.
func (s *store) BeginTX(ctx context.Context) (context.Context, error) {
	_, err := unitOf(ctx)
	return ctx, err
}

// Commit does nothing: fosite commits before its answer is whole. Grant commits.
func (s *store) Commit(context.Context) error { return nil }

// Rollback forgets what was collected.
func (s *store) Rollback(ctx context.Context) error {
	u, err := unitOf(ctx)
	if err != nil {
		return err
	}
	u.draft = nil
	return nil
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
	u.draft.CodeExpires = s.p.cfg.Now().Add(s.p.codeLife(&u.client.Client))
	// Until the last token that can be made of it ends: so the exchange need not move the record's end.
	u.draft.Expires = u.draft.CodeExpires.Add(s.p.cfg.AccessTokenLifetime)
	return nil
}

// CreatePKCERequestSession adds the challenge to the record of the grant.
func (s *store) CreatePKCERequestSession(ctx context.Context, signature string, r fosite.Requester) error {
	u, err := s.drafting(ctx, signature)
	if err != nil {
		return err
	}
	u.draft.Challenge = r.GetRequestForm().Get("code_challenge")
	return nil
}

// CreateOpenIDConnectSession adds the nonce to the record of the grant.
func (s *store) CreateOpenIDConnectSession(ctx context.Context, code string, r fosite.Requester) error {
	u, err := s.drafting(ctx, code)
	if err != nil {
		return err
	}
	u.claims.Nonce = r.GetRequestForm().Get("nonce")
	return nil
}

func (s *store) drafting(ctx context.Context, code string) (*unit, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	if u.draft == nil || u.draft.ID != grantID(code) {
		return nil, errors.New("oauth: internal error: session without its code")
	}
	return u, nil
}

// The rest of fosite's storage belongs to its token endpoint, which is never called: codes are redeemed, tokens made and
// revoked by code of ours (redeemCode, refresh). Each method refuses.

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage.
func (s *store) GetAuthorizeCodeSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnsupported
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage.
func (s *store) InvalidateAuthorizeCodeSession(context.Context, string) error { return errUnsupported }

// GetPKCERequestSession implements pkce.PKCERequestStorage.
func (s *store) GetPKCERequestSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnsupported
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage.
func (s *store) DeletePKCERequestSession(context.Context, string) error { return errUnsupported }

// GetOpenIDConnectSession implements openid.OpenIDConnectRequestStorage.
func (s *store) GetOpenIDConnectSession(context.Context, string, fosite.Requester) (fosite.Requester, error) {
	return nil, errUnsupported
}

// DeleteOpenIDConnectSession implements openid.OpenIDConnectRequestStorage.
func (s *store) DeleteOpenIDConnectSession(context.Context, string) error { return errUnsupported }

// CreateAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *store) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return errUnsupported
}

// RevokeAccessToken implements oauth2.TokenRevocationStorage.
func (s *store) RevokeAccessToken(context.Context, string) error { return errUnsupported }

// RevokeRefreshToken implements oauth2.TokenRevocationStorage.
func (s *store) RevokeRefreshToken(context.Context, string) error { return errUnsupported }

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
