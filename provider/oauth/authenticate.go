package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// authMethods lists the ways in which clients may prove themselves here. tls_client_auth is among them only where the
// configuration names the authorities of client certificates, both TLS methods only where certificates can come.
func authMethods(cfg *Config) []string {
	methods := []string{AuthPrivateKeyJWT, AuthBasic, AuthPost, AuthNone}
	if cfg.MTLSBase != "" {
		methods = append(methods, AuthSelfSignedTLS)
		if cfg.ClientCAs != nil {
			methods = append(methods, AuthTLS)
		}
	}
	return methods
}

// errUnproven is what a client hears whatever was wrong: whether it is registered, how it proves itself, and whether its secret
// or its signature was right are nobody's business. What was wrong is in err, for the operator.
func errUnproven(err error) error {
	return &Error{Code: "invalid_client", Description: "client authentication failed", Status: http.StatusUnauthorized, Err: err}
}

// A claim of a request to come from a client. Nothing of it is proven.
type unverifiedClient struct {
	id        string
	method    string // AuthBasic, AuthPost, AuthPrivateKeyJWT, or AuthNone where the request itself proves nothing
	secret    string
	assertion string
}

// authenticate finds the client of a request to any endpoint where clients prove themselves: token, PAR, introspection,
// revocation. form is the body of the request, without duplicates. One method a request; a public client has none and names
// itself. A client certificate counts for clients that are registered for it, and otherwise proves nothing here.
func (p *Provider) authenticate(r *http.Request, form url.Values) (*Client, error) {
	claim, err := readCredentials(r, form)
	if err != nil {
		return nil, err
	}
	client, err := p.cfg.Clients.Client(r.Context(), claim.id)
	if errors.Is(err, ErrUnknownClient) {
		return nil, errUnproven(err)
	}
	if err != nil {
		return nil, err
	}
	if err := p.prove(r, client, claim); err != nil {
		if errors.Is(err, errKeysUnavailable) {
			return nil, &Error{Code: "temporarily_unavailable", Description: "the client's keys cannot be fetched", Status: http.StatusServiceUnavailable, Err: err}
		}
		var own *Error
		if errors.As(err, &own) {
			return nil, own
		}
		return nil, errUnproven(err)
	}
	if err := p.used(r.Context(), client.ID); err != nil {
		return nil, err
	}
	return client, nil
}

// readCredentials reads who a request says it is from, and how it proves that.
func readCredentials(r *http.Request, form url.Values) (unverifiedClient, error) {
	bad := func(description string) error {
		return &Error{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
	}
	claim := unverifiedClient{id: form.Get("client_id"), method: AuthNone}
	methods := 0
	if form.Has("client_secret") {
		claim.method, claim.secret = AuthPost, form.Get("client_secret")
		methods++
	}
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		claim.method, claim.assertion = AuthPrivateKeyJWT, form.Get("client_assertion")
		methods++
	}
	headers := r.Header["Authorization"]
	if len(headers) != 0 {
		methods++
	}
	if methods > 1 || len(headers) > 1 {
		return claim, bad("client authenticates in two ways")
	}
	named := claim.id
	switch {
	case len(headers) != 0:
		id, secret, err := basic(r)
		if err != nil {
			return claim, errUnproven(err)
		}
		claim.method, claim.id, claim.secret = AuthBasic, id, secret
	case claim.method == AuthPrivateKeyJWT:
		if form.Get("client_assertion_type") != assertionType {
			return claim, bad("client_assertion_type is not " + assertionType)
		}
		claims, err := unverifiedClaims(claim.assertion)
		if err != nil {
			return claim, errUnproven(err)
		}
		claim.id = claims.Subject
	}
	if named != "" && named != claim.id {
		return claim, bad("client_id is not the client that authenticates")
	}
	if claim.id == "" {
		return claim, &Error{Code: "invalid_client", Description: "client_id is missing", Status: http.StatusUnauthorized}
	}
	return claim, nil
}

// prove checks the one method that the client is registered for against the one that the request has.
func (p *Provider) prove(r *http.Request, c *Client, claim unverifiedClient) error {
	registered := c.Method()
	if registered == "" && (claim.method == AuthBasic || claim.method == AuthPost) {
		registered = claim.method // a client with a secret and no word on how it comes
	}
	inRequest := registered
	if registered == AuthTLS || registered == AuthSelfSignedTLS {
		inRequest = AuthNone // the proof is in the connection
	}
	if claim.method != inRequest {
		return errors.New("oauth: not the client's way to authenticate")
	}
	switch registered {
	case AuthNone:
		return nil
	case AuthBasic, AuthPost:
		if !c.authenticates(claim.secret) {
			return errors.New("oauth: wrong secret")
		}
		return nil
	case AuthPrivateKeyJWT:
		return p.checkAssertion(r.Context(), c, claim.assertion)
	case AuthTLS:
		return p.checkNamedCertificate(c, PeerCertificate(r))
	case AuthSelfSignedTLS:
		return p.checkOwnCertificate(r.Context(), c, PeerCertificate(r))
	}
	return errors.New("oauth: internal error: client without a way to authenticate")
}

// basic reads client_secret_basic: both halves are form-encoded before base64 (RFC 6749, 2.3.1).
func basic(r *http.Request) (string, string, error) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", errors.New("not Basic")
	}
	id, err := url.QueryUnescape(user)
	if err != nil {
		return "", "", errors.New("client id is not form-encoded")
	}
	secret, err := url.QueryUnescape(password)
	if err != nil {
		return "", "", errors.New("client secret is not form-encoded") // the cause would quote it
	}
	if id == "" || strings.ContainsRune(id, 0) {
		return "", "", errors.New("no client id")
	}
	return id, secret, nil
}
