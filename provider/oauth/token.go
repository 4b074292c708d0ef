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
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, &Error{Code: "invalid_request", Description: "method is not POST", Status: http.StatusMethodNotAllowed})
		return
	}
	answer, clientID, err := p.exchange(r)
	if err != nil {
		e := publicError(err)
		p.logRefusal(r.Context(), "token request refused", clientID, e)
		if e.Code == "invalid_client" && r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="token"`) // RFC 6749, 5.2
		}
		writeError(w, e)
		return
	}
	writeJSON(w, http.StatusOK, answer)
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

// exchange reads a token request and returns its answer, all that it wrote being on the disk.
func (p *Provider) exchange(r *http.Request) (*tokenAnswer, string, error) {
	form, err := tokenForm(r)
	if err != nil {
		return nil, "", err
	}
	client, err := p.authenticate(r, form)
	if err != nil {
		return nil, "", err
	}
	grant := form.Get("grant_type")
	switch {
	case grant == "":
		return nil, client.ID, &Error{Code: "invalid_request", Description: "grant_type is missing", Status: 400}
	case !slices.Contains(grantTypes, grant):
		return nil, client.ID, &Error{Code: "unsupported_grant_type", Description: "grant_type is not supported", Status: 400}
	case !client.Allows(grant):
		return nil, client.ID, &Error{Code: "unauthorized_client", Description: "the client is not registered for this grant_type", Status: 400}
	}
	var answer *tokenAnswer
	switch grant {
	case GrantCode:
		answer, err = p.redeemCode(r.Context(), client, form, proven{})
	case GrantRefreshToken:
		answer, err = p.refresh(r.Context(), client, form, proven{})
	default:
		err = errors.New("oauth: internal error: grant type without an answer")
	}
	return answer, client.ID, err
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
