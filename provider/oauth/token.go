package oauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/token/jwt"

	"brama/internal/audit"
	"brama/storage"
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
func (p *Provider) exchange(r *http.Request) (map[string]any, string, error) {
	form, err := tokenForm(r)
	if err != nil {
		return nil, "", err
	}
	client, err := p.authenticate(r, form)
	if err != nil {
		return nil, "", err
	}
	switch form.Get("grant_type") {
	case GrantCode:
	case "":
		return nil, client.ID, &Error{Code: "invalid_request", Description: "grant_type is missing", Status: 400}
	default:
		return nil, client.ID, &Error{Code: "unsupported_grant_type", Description: "only authorization_code is supported", Status: 400}
	}
	for _, name := range []string{"code", "redirect_uri"} {
		if form.Get(name) == "" {
			return nil, client.ID, &Error{Code: "invalid_request", Description: name + " is missing", Status: 400}
		}
	}
	u := &unit{client: &fositeClient{Client: *client, redirectURI: form.Get("redirect_uri")}}
	ctx := withUnit(r.Context(), u)
	answer, err := p.answerCode(ctx, form)
	if err == nil {
		err = p.commit(ctx, u)
	}
	if errors.Is(err, storage.ErrConflict) {
		// Two exchanges of one code at once: who of them stole it cannot be told, so nobody keeps what came of it.
		if e := p.revoke(ctx, u.seen.ID); e != nil {
			err = errors.Join(err, e)
		}
	}
	return answer, client.ID, err
}

// answerCode lets fosite exchange the code; nothing is written yet.
func (p *Provider) answerCode(ctx context.Context, form url.Values) (map[string]any, error) {
	fresh := url.Values{}
	for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier"} {
		if form.Get(name) != "" {
			fresh.Set(name, form.Get(name))
		}
	}
	session := &tokenSession{claims: &jwt.IDTokenClaims{}, headers: &jwt.Headers{}, expires: map[fosite.TokenType]time.Time{}}
	ar, err := p.fosite.NewAccessRequest(ctx, &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: PathToken}, Header: http.Header{}, Form: fresh, PostForm: fresh,
	}, session)
	if err != nil {
		return nil, err
	}
	resp, err := p.fosite.NewAccessResponse(ctx, ar)
	if err != nil {
		return nil, err
	}
	resp.SetTokenType("Bearer")
	return resp.ToMap(), nil
}

// revoke kills a grant, and says so in the audit.
func (p *Provider) revoke(ctx context.Context, id string) error {
	// The caller may hang up to keep what it stole.
	ctx = context.WithoutCancel(ctx)
	u, _ := unitOf(ctx)
	if err := p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		return storage.RevokeGrant(tx, id, p.cfg.Now())
	}); err != nil {
		return err
	}
	if p.cfg.Audit == nil || u == nil || u.seen == nil {
		return nil
	}
	return p.cfg.Audit.Record(ctx, audit.Event{
		Action: "grant.revoked", Outcome: audit.Failed, Code: "CODE_MISUSED",
		Login: u.seen.Login, Client: u.client.ID, Person: u.seen.Person,
	})
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
