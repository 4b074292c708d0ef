package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"

	"brama/storage"
)

// Grant issues a code for s (or, where there is such a thing, tokens: see answerImplicit) and answers the client with it, state
// and iss. If it returns an error (an *Error) nothing was written to w and nothing was issued: the caller answers by Deny with its Code, or with a page if Page.
func (p *Provider) Grant(w http.ResponseWriter, r *http.Request, req *AuthorizeRequest, s Subject) error {
	ctx := r.Context()
	client, err := p.cfg.Clients.Client(ctx, req.ClientID)
	if errors.Is(err, ErrUnknownClient) {
		return pageError("invalid_client", "client is not registered", err)
	}
	if err != nil {
		return redirectError(publicError(err))
	}
	// The registration may have changed since the request was read.
	if !client.allows(req.RedirectURI) {
		return pageError("invalid_request", "redirect_uri is not registered", nil)
	}
	if err := p.checkSubject(req, &s); err != nil {
		return err
	}
	claims, err := p.describe(client, req, &s)
	if err != nil {
		return err
	}
	if !client.TakesLevel(claims.Level) {
		return redirectError(errUnmet())
	}
	if claims.ACR, err = assuredACR(req, claims.ACR); err != nil {
		return err
	}
	// The portal asked for this person, by a hint or by sub in claims: never another in silence.
	if req.HintSubject != "" && claims.Subject != req.HintSubject {
		return redirectError(&Error{Code: "login_required", Description: "the person is not the one who was asked for", Status: 400})
	}
	u := &unit{
		pushed: req.RequestURI, together: s.Together,
		client: &fositeClient{Client: client, redirectURI: req.RedirectURI},
		claims: claims,
		draft:  &storage.Grant{Person: s.PersonID, Login: s.LoginID, Session: s.SID, RequestedAt: req.RequestedAt, Offline: slices.Contains(req.Scopes, scopeOffline), JKT: req.DPoPJKT, Challenge: req.Challenge},
	}
	claims.Nonce = req.Nonce
	answer := p.answerCode
	if req.implicit() {
		answer = p.answerImplicit
	}
	params, err := answer(ctx, req, u)
	if err == nil {
		params, err = p.pack(client, req, params)
	}
	if err != nil {
		return redirectError(publicError(err))
	}
	if err := p.commit(ctx, u); err != nil {
		if errors.Is(err, ErrTogether) {
			return err
		}
		if req.RequestURI != "" && (errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrNotFound)) {
			// Another login that began with the same pushed request came to its end first.
			err = &Error{Code: "invalid_request_uri", Description: "the pushed request is spent", Status: 400, Err: err}
		}
		return redirectError(publicError(err))
	}
	if s.Stored != nil {
		if err := s.Stored(); err != nil {
			return redirectError(publicError(err))
		}
	}
	p.send(w, r, req, params)
	return nil
}

// answerCode has fosite make the code that answers req, and begin its grant.
func (p *Provider) answerCode(ctx context.Context, req *AuthorizeRequest, u *unit) (url.Values, error) {
	redirect, err := url.Parse(req.RedirectURI)
	if err != nil {
		return nil, err
	}
	// The request that fosite has read and found good in readSubmission. What may have changed since then is looked at again: the
	// address by Grant, and the scopes by fosite's handler.
	resp, err := p.fosite.NewAuthorizeResponse(withUnit(ctx, u), &fosite.AuthorizeRequest{
		ResponseTypes:       fosite.Arguments{"code"},
		DefaultResponseMode: fosite.ResponseModeQuery,
		RedirectURI:         redirect,
		State:               req.State,
		Request: fosite.Request{
			RequestedAt: req.RequestedAt, Client: u.client, RequestedScope: req.Scopes, GrantedScope: req.Scopes,
			Form: url.Values{"redirect_uri": {req.RedirectURI}},
		},
	}, &codeSession{})
	if err != nil {
		return nil, err
	}
	return url.Values{"code": {resp.GetCode()}}, nil
}

// checkSubject refuses a login that does not answer the request, whoever forgot to check before.
func (p *Provider) checkSubject(req *AuthorizeRequest, s *Subject) error {
	id := &s.Identity
	switch {
	case s.PersonID == "" || id.AuthTime.IsZero() || id.LoA == "":
		return redirectError(&Error{Code: "server_error", Status: 500, Err: errors.New("oauth: subject without person, time or level")})
	case id.AuthTime.After(p.cfg.Now().Add(5 * time.Second)):
		return redirectError(&Error{Code: "server_error", Status: 500, Err: errors.New("oauth: login is in the future")})
	}
	old := slices.Contains(req.Prompt, "login") && id.AuthTime.Before(req.RequestedAt) ||
		req.MaxAge != nil && id.AuthTime.Add(time.Duration(*req.MaxAge)*time.Second).Before(req.RequestedAt)
	if old {
		return redirectError(&Error{Code: "login_required", Description: "the login is older than was asked", Status: 400})
	}
	if slices.Contains(req.Prompt, "none") && id.AuthTime.Truncate(time.Second).After(req.RequestedAt) {
		return redirectError(&Error{Code: "login_required", Description: "prompt none allows no login", Status: 400})
	}
	return nil
}
