package config

import (
	"errors"
	"time"

	"brama/provider/oauth"
)

// OAuthTokens say how long tokens live. All of it may be left out.
type OAuthTokens struct {
	// Access is the life of an access token; 10 minutes if zero, an hour at most.
	Access Duration `yaml:"access"`
	// Refresh is the absolute life of refresh tokens with offline_access; 90 days if zero, a year at most.
	Refresh Duration `yaml:"refresh"`
	// RefreshSession is that of refresh tokens which die with the browser session; 8 hours if zero, a day at most.
	RefreshSession Duration `yaml:"refresh_session"`
	// RefreshIdle is how long refresh tokens may lie unused; 14 days if zero.
	RefreshIdle Duration `yaml:"refresh_idle"`
	// RefreshGrace is how long a used refresh token may come again, its answer having been lost; 20 seconds if zero, 5 minutes
	// at most.
	RefreshGrace Duration `yaml:"refresh_grace"`
	// RefreshRetries is how often; 2 if left out, 0 never, 10 at most.
	RefreshRetries *int `yaml:"refresh_retries"`
	// DPoPNonce demands a nonce of the server in DPoP proofs.
	DPoPNonce bool `yaml:"dpop_nonce"`
}

func (t OAuthTokens) check() error {
	for _, d := range []struct {
		name string
		is   Duration
		most time.Duration
	}{
		{"access", t.Access, time.Hour},
		{"refresh", t.Refresh, 366 * 24 * time.Hour},
		{"refresh_session", t.RefreshSession, 24 * time.Hour},
		{"refresh_idle", t.RefreshIdle, 366 * 24 * time.Hour},
		{"refresh_grace", t.RefreshGrace, 5 * time.Minute},
	} {
		if d.is < 0 || time.Duration(d.is) > d.most {
			return errors.New("oauth_tokens." + d.name + " is negative or longer than " + d.most.String())
		}
	}
	if n := t.RefreshRetries; n != nil && (*n < 0 || *n > 10) {
		return errors.New("oauth_tokens.refresh_retries is not 0 to 10")
	}
	return nil
}

// Rules are what the provider makes of them.
func (t OAuthTokens) Rules() oauth.TokenRules {
	r := oauth.TokenRules{
		AccessTokenLifetime: time.Duration(t.Access), RefreshLifetime: time.Duration(t.Refresh),
		SessionRefreshLifetime: time.Duration(t.RefreshSession), RefreshIdle: time.Duration(t.RefreshIdle),
		RefreshGrace: time.Duration(t.RefreshGrace), DPoPNonce: t.DPoPNonce,
	}
	if n := t.RefreshRetries; n != nil {
		if r.RefreshRetries = *n; *n == 0 {
			r.RefreshRetries = -1
		}
	}
	return r
}
