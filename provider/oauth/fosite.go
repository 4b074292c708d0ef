package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"brama/storage/seal"
)

// engine puts fosite together, for authorization requests and the codes that answer them: its handlers for tokens, refresh, PKCE
// and OpenID Connect are not there, since what they do is done by code of ours. Its configuration is made here and nowhere kept.
func (p *Provider) engine(cfg Config) fosite.OAuth2Provider {
	fc := &fosite.Config{
		AuthorizeCodeLifespan:        cfg.CodeLifetime,
		ScopeStrategy:                fosite.ExactScopeStrategy,            // the default is wildcards
		AudienceMatchingStrategy:     fosite.ExactAudienceMatchingStrategy, // the default is prefixes
		RedirectSecureChecker:        fosite.IsRedirectURISecureStrict,     // the default lets custom schemes through
		MinParameterEntropy:          1,                                    // length of state is the client's affair; nonce is checked in ReadAuthorize
		ClientSecretsHasher:          noHasher{},
		ClientAuthenticationStrategy: nobody,
	}
	s := &store{p: p}
	fc.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{
		&oauth2.AuthorizeExplicitGrantHandler{AuthorizeCodeStrategy: codes{p.tokens}, CoreStorage: s, Config: fc},
	}
	return fosite.NewOAuth2Provider(s, fc)
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

// authorizationCode is the purpose that codes are sealed for.
const authorizationCode = "authorization code"

// A codes makes codes: sealed random bytes, so that a code that is not ours is known before the store is asked. A code is its own
// signature: the grant is named by the hash of the whole of it.
type codes struct{ tokens *seal.Sealer }

var _ oauth2.AuthorizeCodeStrategy = codes{}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (c codes) AuthorizeCodeSignature(_ context.Context, code string) string { return code }

// GenerateAuthorizeCode implements oauth2.AuthorizeCodeStrategy.
func (c codes) GenerateAuthorizeCode(context.Context, fosite.Requester) (code, signature string, err error) {
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails since Go 1.24
	code = c.tokens.SealText(authorizationCode, secret[:])
	return code, code, nil
}

// ValidateAuthorizeCode implements oauth2.AuthorizeCodeStrategy. Whether the code has expired, its grant knows.
func (c codes) ValidateAuthorizeCode(_ context.Context, _ fosite.Requester, code string) error {
	_, err := c.tokens.OpenText(authorizationCode, code)
	return err
}

// A codeSession is what fosite's authorization request carries. What the code is worth stands in the unit of work.
type codeSession struct{ expires time.Time }

var _ fosite.Session = (*codeSession)(nil)

func (s *codeSession) GetUsername() string { return "" }
func (s *codeSession) GetSubject() string  { return "" }

// SetExpiresAt implements fosite.Session: nothing is issued but codes.
func (s *codeSession) SetExpiresAt(_ fosite.TokenType, at time.Time) { s.expires = at }

// GetExpiresAt implements fosite.Session.
func (s *codeSession) GetExpiresAt(fosite.TokenType) time.Time { return s.expires }

// Clone implements fosite.Session; fosite's own copies by reflection.
func (s *codeSession) Clone() fosite.Session { c := *s; return &c }
