package oauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/token/hmac"
)

// engine puts fosite together, for authorization requests and the codes that answer them: its handlers for tokens, refresh,
// PKCE and OpenID Connect are not there, since what they do is done by code of ours. Its configuration is made here and
// nowhere kept.
func (p *Provider) engine(cfg Config) (fosite.OAuth2Provider, *oauth2.HMACSHAStrategyUnPrefixed) {
	fc := &fosite.Config{
		AuthorizeCodeLifespan:        cfg.CodeLifetime,
		ScopeStrategy:                fosite.ExactScopeStrategy,            // the default is wildcards
		AudienceMatchingStrategy:     fosite.ExactAudienceMatchingStrategy, // the default is prefixes
		RedirectSecureChecker:        fosite.IsRedirectURISecureStrict,     // the default lets custom schemes through
		TokenEntropy:                 32,
		MinParameterEntropy:          1, // length of state is the client's affair; nonce is checked in ReadAuthorize
		ClientSecretsHasher:          noHasher{},
		ClientAuthenticationStrategy: nobody,
		GlobalSecret:                 cfg.TokenSecrets[0],
		RotatedGlobalSecrets:         cfg.TokenSecrets[1:],
	}
	codes := oauth2.NewHMACSHAStrategyUnPrefixed(&hmac.HMACStrategy{Config: fc}, fc)
	s := &store{p: p}
	fc.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{
		&oauth2.AuthorizeExplicitGrantHandler{AuthorizeCodeStrategy: codes, CoreStorage: s, Config: fc},
	}
	return fosite.NewOAuth2Provider(s, fc), codes
}

// nobody is fosite's hook for client authentication, which our own rules do: fosite must never come to ask.
func nobody(context.Context, *http.Request, url.Values) (fosite.Client, error) {
	return nil, errUnsupported
}

// noHasher refuses every comparison: fosite must never come to compare a secret.
type noHasher struct{}

var errNoHasher = errors.New("oauth: client secrets are not compared by fosite")

func (noHasher) Compare(context.Context, []byte, []byte) error { return errNoHasher }

func (noHasher) Hash(context.Context, []byte) ([]byte, error) { return nil, errNoHasher }

// A fositeClient shows a client to fosite for one request: the only redirect URI it knows is the one that was proven, so
// that its looser matching has nothing to match.
type fositeClient struct {
	*Client
	redirectURI string
}

var (
	_ fosite.Client             = (*fositeClient)(nil)
	_ fosite.ResponseModeClient = (*fositeClient)(nil)
)

func (c *fositeClient) GetID() string                   { return c.ID }
func (c *fositeClient) GetHashedSecret() []byte         { return nil }
func (c *fositeClient) GetRedirectURIs() []string       { return []string{c.redirectURI} }
func (c *fositeClient) GetGrantTypes() fosite.Arguments { return fosite.Arguments{GrantCode} }
func (c *fositeClient) GetResponseTypes() fosite.Arguments {
	return fosite.Arguments{"code"}
}
func (c *fositeClient) GetScopes() fosite.Arguments {
	return append(slices.Clip(c.allowedScopes()), scopeOffline)
}
func (c *fositeClient) IsPublic() bool                { return c.Public() }
func (c *fositeClient) GetAudience() fosite.Arguments { return nil }
func (c *fositeClient) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery}
}

// A codeSession is what fosite's authorization request carries. What the code is worth stands in the unit of work.
type codeSession struct {
	expires map[fosite.TokenType]time.Time
}

var _ fosite.Session = (*codeSession)(nil)

func newCodeSession() *codeSession {
	return &codeSession{map[fosite.TokenType]time.Time{}}
}

func (s *codeSession) GetUsername() string { return "" }
func (s *codeSession) GetSubject() string  { return "" }

func (s *codeSession) SetExpiresAt(key fosite.TokenType, at time.Time) { s.expires[key] = at }

func (s *codeSession) GetExpiresAt(key fosite.TokenType) time.Time { return s.expires[key] }

// Clone implements fosite.Session; fosite's own copies by reflection.
func (s *codeSession) Clone() fosite.Session { return &codeSession{maps.Clone(s.expires)} }
