package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
)

// ReadAuthorize reads and checks an authorization request (GET, or POST with a form). The error is an *Error: with Page,
// redirect_uri is not proven and the answer is a page; without it, the request is returned too and the answer is
// Deny(w, r, req, err.Code, err.Description).
func (p *Provider) ReadAuthorize(r *http.Request) (*AuthorizeRequest, error) {
	form, err := authorizeForm(r)
	if err != nil {
		return nil, pageError("invalid_request", err.Error(), err)
	}
	req, client, err := p.proveRedirect(r.Context(), form)
	if err != nil {
		return nil, err
	}
	if err := p.readRequest(req, &client, form); err != nil {
		return req, err
	}
	// fosite's own look at the same request: what it refuses, Grant could not grant.
	ctx := withUnit(r.Context(), &unit{client: &fositeClient{Client: client, redirectURI: req.RedirectURI}})
	if _, err := p.fositeRequest(ctx, req); err != nil {
		return req, redirectError(publicError(err))
	}
	return req, nil
}

func authorizeForm(r *http.Request) (url.Values, error) {
	query, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return query, nil
	case http.MethodPost:
		if len(query) != 0 {
			return nil, errors.New("parameters in both address and body")
		}
		return readBody(r)
	}
	return nil, errors.New("method is neither GET nor POST")
}

// proveRedirect finds the client and proves redirect_uri. Until then every error is a page.
func (p *Provider) proveRedirect(ctx context.Context, form url.Values) (*AuthorizeRequest, Client, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		switch n := len(form[name]); {
		case n > 1:
			return nil, Client{}, pageError("invalid_request", name+" stands twice", errFormTwice)
		case n == 0 || form.Get(name) == "":
			return nil, Client{}, pageError("invalid_request", name+" is missing", nil)
		}
	}
	client, err := p.cfg.Clients.Client(ctx, form.Get("client_id"))
	if errors.Is(err, ErrUnknownClient) {
		return nil, Client{}, pageError("invalid_client", "client is not registered", err)
	}
	if err != nil {
		e := pageError("server_error", "", err)
		e.Status = http.StatusInternalServerError
		return nil, Client{}, e
	}
	if !client.allows(form.Get("redirect_uri")) {
		return nil, Client{}, pageError("invalid_request", "redirect_uri is not registered", nil)
	}
	// Whole seconds, as times of logins are: one of the same second is not older than the request.
	req := &AuthorizeRequest{ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), RequestedAt: p.cfg.Now().UTC().Truncate(time.Second)}
	if s := form["state"]; len(s) == 1 && len(s[0]) <= maxState {
		req.State = s[0]
	}
	return req, client, nil
}

// fositeRequest lets fosite read the request. The context has the unit with the client.
func (p *Provider) fositeRequest(ctx context.Context, req *AuthorizeRequest) (*fosite.AuthorizeRequest, error) {
	form := url.Values{}
	for name, values := range req.Form {
		form[name] = slices.Clone(values)
	}
	form.Set("state", cmp.Or(req.State, statePlaceholder))
	ar, err := p.fosite.NewAuthorizeRequest(ctx, &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: PathAuthorize}, Header: http.Header{}, Form: form, PostForm: url.Values{},
	})
	if err != nil {
		return nil, err
	}
	got, ok := ar.(*fosite.AuthorizeRequest)
	if !ok {
		return nil, errors.New("oauth: internal error: unknown authorize request")
	}
	got.State = req.State
	// prompt=login compares the login's time with this moment: it is that of the request, not of the answer.
	got.RequestedAt = req.RequestedAt
	return got, nil
}
