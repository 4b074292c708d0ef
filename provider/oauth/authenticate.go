package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// authenticate finds the client of a request to any endpoint where clients prove themselves: token, PAR, introspection,
// revocation. form is the body of the request, without duplicates. One method a request; a public client has none and names
// itself.
func (p *Provider) authenticate(r *http.Request, form url.Values) (*Client, error) {
	bad := func(description string) error {
		return &Error{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
	}
	refused := func(description string, err error) error {
		return &Error{Code: "invalid_client", Description: description, Status: http.StatusUnauthorized, Err: err}
	}
	if form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "" {
		return nil, refused("client assertions are not supported", nil)
	}
	method, id, secret := AuthNone, form.Get("client_id"), ""
	if form.Get("client_secret") != "" {
		method, secret = AuthPost, form.Get("client_secret")
	}
	if headers := r.Header.Values("Authorization"); len(headers) != 0 {
		if method == AuthPost || len(headers) > 1 {
			return nil, bad("client authenticates in two ways")
		}
		basicID, basicSecret, err := basic(r)
		if err != nil {
			return nil, refused("Authorization header cannot be read", err)
		}
		if id != "" && id != basicID {
			return nil, bad("client_id differs from the Authorization header")
		}
		method, id, secret = AuthBasic, basicID, basicSecret
	}
	if id == "" {
		return nil, refused("client_id is missing", nil)
	}
	client, err := p.cfg.Clients.Client(r.Context(), id)
	if errors.Is(err, ErrUnknownClient) {
		return nil, refused("client authentication failed", err)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case method == AuthNone && client.Public():
		return &client, nil
	case method == AuthNone, client.Public(), client.AuthMethod != "" && client.AuthMethod != method:
		return nil, refused("not the client's way to authenticate", nil)
	case !client.authenticates(secret):
		return nil, refused("client authentication failed", nil)
	}
	return &client, nil
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
