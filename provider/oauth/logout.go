package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brama/storage"
)

// PathLogout is the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0).
const PathLogout = "/logout"

// LogoutTokenType is the typ of logout tokens: none of them is taken for an ID token.
const LogoutTokenType = "logout+jwt"

const (
	logoutLife  = 2 * time.Minute
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// ErrNoLogout is returned for a client that does not hear of the end of sessions, or is no more.
var ErrNoLogout = errors.New("oauth: client has no address for logout tokens")

// LogoutToken returns a token that tells a client of the end of a session (OpenID Connect Back-Channel Logout 1.0, 2.4), good
// for two minutes, and where it is to be posted. ErrNoLogout.
func (p *Provider) LogoutToken(ctx context.Context, clientID, person, sid string) (uri, token string, err error) {
	c, err := p.Client(ctx, clientID)
	if errors.Is(err, ErrUnknownClient) || err == nil && c.BackchannelLogoutURI == "" {
		return "", "", ErrNoLogout
	}
	if err != nil {
		return "", "", err
	}
	sub, err := p.subject(c, person)
	if err != nil {
		return "", "", err
	}
	now := p.cfg.Now()
	payload, err := json.Marshal(map[string]any{ // no nonce: it must not pass for an ID token
		"iss": p.cfg.Issuer, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(logoutLife).Unix(), "jti": rand.Text(),
		"sub": sub, "sid": sid, "events": map[string]any{logoutEvent: struct{}{}},
	})
	if err != nil {
		return "", "", fmt.Errorf("oauth: encoding a logout token: %w", err)
	}
	token, err = p.cfg.Keys.SignTyped(LogoutTokenType, c.idTokenAlg(), payload)
	return c.BackchannelLogoutURI, token, err
}

// EndSession is RevokeSession within a transaction that ends the session itself.
func (p *Provider) EndSession(tx storage.Tx, sid string) error {
	if sid == "" {
		return nil
	}
	until := p.cfg.Now().Add(p.cfg.CodeLifetime + p.cfg.SessionRefreshLifetime + p.cfg.AccessTokenLifetime + time.Hour)
	return storage.EndGrants(tx, sid, until)
}
