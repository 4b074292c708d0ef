package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/hmac"
	"github.com/ory/fosite/token/jwt"
)

// engine puts fosite together. Its configuration is made here and nowhere kept: composing twice with one configuration
// would silently keep the first handlers.
func (p *Provider) engine(cfg Config) (fosite.OAuth2Provider, *oauth2.HMACSHAStrategyUnPrefixed) {
	fc := &fosite.Config{
		IDTokenIssuer:                 cfg.Issuer,
		AuthorizeCodeLifespan:         cfg.CodeLifetime,
		AccessTokenLifespan:           cfg.AccessTokenLifetime,
		IDTokenLifespan:               cfg.IDTokenLifetime,
		DisableRefreshTokenValidation: true,
		ScopeStrategy:                 fosite.ExactScopeStrategy,            // the default is wildcards
		AudienceMatchingStrategy:      fosite.ExactAudienceMatchingStrategy, // the default is prefixes
		RedirectSecureChecker:         fosite.IsRedirectURISecureStrict,     // the default lets custom schemes through
		EnforcePKCE:                   false,                                // checkProof and redeemCode decide, per client
		TokenEntropy:                  32,
		MinParameterEntropy:           1, // length of state is the client's affair; nonce is checked in ReadAuthorize
		ClientSecretsHasher:           noHasher{},
		ClientAuthenticationStrategy:  authenticated,
		GlobalSecret:                  cfg.TokenSecrets[0],
		RotatedGlobalSecrets:          cfg.TokenSecrets[1:],
		AccessTokenIssuer:             cfg.Issuer,
	}
	strategy := oauth2.NewHMACSHAStrategyUnPrefixed(&hmac.HMACStrategy{Config: fc}, fc)
	signer := &signer{keys: cfg.Keys}
	common := &compose.CommonStrategy{
		CoreStrategy:               strategy,
		OpenIDConnectTokenStrategy: &openid.DefaultStrategy{Signer: signer, Config: fc},
		Signer:                     signer,
	}
	return compose.Compose(fc, &store{p: p}, common,
		compose.OAuth2AuthorizeExplicitFactory,
		compose.OAuth2PKCEFactory, // after the code handler, which makes the code
		compose.OpenIDConnectExplicitFactory,
	), strategy
}

// authenticated is fosite's hook for client authentication: it was done before fosite was called, by our own rules.
func authenticated(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	return u.client, nil
}

// noHasher refuses every comparison: fosite must never come to compare a secret.
type noHasher struct{}

var errNoHasher = errors.New("oauth: client secrets are not compared by fosite")

func (noHasher) Compare(context.Context, []byte, []byte) error { return errNoHasher }

func (noHasher) Hash(context.Context, []byte) ([]byte, error) { return nil, errNoHasher }

// A fositeClient shows a client to fosite for one request: the only redirect URI it knows is the one that was proven, so
// that its looser matching has nothing to match.
type fositeClient struct {
	Client
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

// A tokenSession is what fosite carries from the authorization request to the token.
type tokenSession struct {
	claims  *jwt.IDTokenClaims
	headers *jwt.Headers
	expires map[fosite.TokenType]time.Time
}

var _ openid.Session = (*tokenSession)(nil)

func newTokenSession(c *sealedGrant, requestedAt time.Time) *tokenSession {
	return &tokenSession{
		// What fosite compares with the request. ID tokens are made elsewhere (Provider.idToken).
		claims: &jwt.IDTokenClaims{
			Subject:                             c.Subject,
			AuthTime:                            c.AuthTime,
			RequestedAt:                         requestedAt,
			AuthenticationContextClassReference: c.ACR,
			AuthenticationMethodsReferences:     c.AMR,
		},
		headers: &jwt.Headers{},
		expires: map[fosite.TokenType]time.Time{},
	}
}

func (s *tokenSession) IDTokenClaims() *jwt.IDTokenClaims { return s.claims }
func (s *tokenSession) IDTokenHeaders() *jwt.Headers      { return s.headers }
func (s *tokenSession) GetUsername() string               { return "" }
func (s *tokenSession) GetSubject() string                { return s.claims.Subject }

func (s *tokenSession) SetExpiresAt(key fosite.TokenType, at time.Time) { s.expires[key] = at }

func (s *tokenSession) GetExpiresAt(key fosite.TokenType) time.Time { return s.expires[key] }

// Clone implements fosite.Session; fosite's own copies by reflection.
func (s *tokenSession) Clone() fosite.Session {
	claims := *s.claims
	claims.Audience = slices.Clone(claims.Audience)
	claims.AuthenticationMethodsReferences = slices.Clone(claims.AuthenticationMethodsReferences)
	claims.Extra = cloneMap(claims.Extra)
	c := &tokenSession{claims: &claims, headers: &jwt.Headers{Extra: cloneMap(s.headers.Extra)}, expires: map[fosite.TokenType]time.Time{}}
	for k, v := range s.expires {
		c.expires[k] = v
	}
	return c
}

func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
