package config

import (
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"brama/provider/oauth"
)

func TestOAuthTokens(t *testing.T) {
	for text, want := range map[string]oauth.TokenRules{
		"{}": {},
		"{access: 5m, refresh: 30d, refresh_session: 4h, refresh_idle: 7d, refresh_grace: 10s, refresh_retries: 1, dpop_nonce: true}": {
			AccessTokenLifetime: 5 * time.Minute, RefreshLifetime: 720 * time.Hour, SessionRefreshLifetime: 4 * time.Hour,
			RefreshIdle: 168 * time.Hour, RefreshGrace: 10 * time.Second, RefreshRetries: 1, DPoPNonce: true,
		},
		"{refresh_retries: 0}": {RefreshRetries: -1},
	} {
		var got OAuthTokens
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if err := got.check(); err != nil || got.Rules() != want {
			t.Errorf("%s: %+v, %v", text, got.Rules(), err)
		}
	}
	for _, text := range []string{"{access: 2h}", "{access: -1s}", "{refresh: 400d}", "{refresh_session: 25h}", "{refresh_grace: 6m}", "{refresh_retries: 11}", "{refresh_retries: -1}"} {
		var got OAuthTokens
		if err := yaml.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.check() == nil {
			t.Errorf("%s: accepted", text)
		}
	}
}
