package oauth

import (
	"context"
	"net/http"
)

// Paths of the endpoints below the issuer.
const (
	PathAuthorize = "/authorize"
	PathToken     = "/token"
	PathUserInfo  = "/userinfo"
	PathJWKS      = "/jwks"
	PathDiscovery = "/.well-known/openid-configuration"
)

// A Provider reads authorization requests, issues codes and tokens and describes itself. Safe for concurrent use.
type Provider struct{}

// Config is what a Provider needs.
type Config struct {
	Issuer string // exactly as in tokens: https, or http on loopback in dev; no trailing slash
}

// New returns a Provider.
func New(cfg Config) (*Provider, error) { panic("unimplemented") }

// ReadAuthorize reads and checks an authorization request (GET, or POST with a form). The error is an *Error: with Page,
// redirect_uri is not proven and the answer is a page; without it, the request is returned too and the answer is
// Deny(w, r, req, err.Code, err.Description).
func (p *Provider) ReadAuthorize(r *http.Request) (*AuthorizeRequest, error) { panic("unimplemented") }

// Grant issues a code for s and answers with a 303 to the client, with code, state and iss. If it returns an error (an
// *Error) nothing was written to w and no code exists: the caller answers by Deny with its Code, or with a page if Page.
func (p *Provider) Grant(w http.ResponseWriter, r *http.Request, req *AuthorizeRequest, s Subject) error {
	panic("unimplemented")
}

// Deny answers with a 303 to the client, with error, state and iss. The description holds a message code only, never
// personal data.
func (p *Provider) Deny(w http.ResponseWriter, r *http.Request, req *AuthorizeRequest, code, description string) {
	panic("unimplemented")
}

// Client returns a registered client, or ErrUnknownClient.
func (p *Provider) Client(ctx context.Context, id string) (Client, error) { panic("unimplemented") }

// Token is the token endpoint (RFC 6749, 3.2).
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) { panic("unimplemented") }

// UserInfo is the userinfo endpoint (OpenID Connect Core 5.3), as JSON.
func (p *Provider) UserInfo(w http.ResponseWriter, r *http.Request) { panic("unimplemented") }

// JWKS serves the public signing keys.
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) { panic("unimplemented") }

// Discovery serves the provider's metadata (OpenID Connect Discovery 1.0).
func (p *Provider) Discovery(w http.ResponseWriter, r *http.Request) { panic("unimplemented") }
