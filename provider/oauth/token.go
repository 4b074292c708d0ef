package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
)

// Token is the token endpoint (RFC 6749, 3.2).
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) {
	if p.crossOrigin(w, r, http.MethodPost) {
		return
	}
	p.serveClient(w, r, "token request refused", func(client *Client, form url.Values) error {
		proof, err := p.tokenProof(w, r, client)
		if err != nil {
			return err
		}
		answer, err := p.exchange(r.Context(), client, form, proof)
		if err == nil {
			writeBody(w, http.StatusOK, answer.end())
		}
		return err
	})
}

// serveClient reads a request to an endpoint of clients: a form by POST, nothing in the address, no parameter twice, from a
// client that has proven itself. answer writes the answer, or returns an error and has written nothing.
func (p *Provider) serveClient(w http.ResponseWriter, r *http.Request, refused string, answer func(*Client, url.Values) error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, &Error{Code: "invalid_request", Description: "method is not POST", Status: http.StatusMethodNotAllowed})
		return
	}
	var client *Client
	form, err := tokenForm(r)
	if err == nil {
		client, err = p.authenticate(r, form)
	}
	id := ""
	if err == nil {
		id = client.ID
		err = answer(client, form)
	}
	if err == nil {
		return
	}
	e := publicError(err)
	p.logRefusal(r.Context(), refused, id, e)
	if e.Code == "invalid_client" && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`) // RFC 6749, 5.2
	}
	writeError(w, e)
}

// logRefusal tells the operator, once. Codes, tokens, secrets and persons are in none of these errors.
func (p *Provider) logRefusal(ctx context.Context, message, clientID string, e *Error) {
	level := slog.LevelInfo
	if e.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	p.cfg.Log.LogAttrs(ctx, level, message, slog.String("client", clientID), slog.String("code", e.Code),
		slog.String("reason", e.Description), slog.String("err", chain(e.Err)))
}

// exchange answers a token request, all that it wrote being on the disk.
func (p *Provider) exchange(ctx context.Context, client *Client, form url.Values, proof proven) (*tokenAnswer, error) {
	grant := form.Get("grant_type")
	switch {
	case grant == "":
		return nil, &Error{Code: "invalid_request", Description: "grant_type is missing", Status: 400}
	case !slices.Contains(grantTypes, grant):
		return nil, &Error{Code: "unsupported_grant_type", Description: "grant_type is not supported", Status: 400}
	case !client.Allows(grant):
		return nil, &Error{Code: "unauthorized_client", Description: "the client is not registered for this grant_type", Status: 400}
	}
	switch grant {
	case GrantCode:
		return p.redeemCode(ctx, client, form, proof)
	case GrantRefreshToken:
		return p.refresh(ctx, client, form, proof)
	case GrantClientCredentials:
		return p.credentials(ctx, client, form, proof)
	}
	return nil, errors.New("oauth: internal error: grant type without an answer")
}

func tokenForm(r *http.Request) (url.Values, error) {
	bad := func(err error) error {
		return &Error{Code: "invalid_request", Description: err.Error(), Status: http.StatusBadRequest, Err: err}
	}
	if r.URL.RawQuery != "" {
		return nil, bad(errors.New("parameters belong into the body"))
	}
	form, err := readBody(r)
	if err != nil {
		return nil, bad(err)
	}
	if duplicated(form) != "" {
		return nil, bad(errFormTwice)
	}
	return form, nil
}
