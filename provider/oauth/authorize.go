package oauth

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A submission is a request whose parameters were found: in the request itself, in a request object or in a pushed request. All
// that is not in form counts for nothing.
type submission struct {
	form   url.Values
	pushed bool
	signed bool
	handle string // of a pushed request that a browser brings
}

// ReadAuthorize reads and checks an authorization request (GET, or POST with a form). The error is an *Error: with Page,
// redirect_uri is not proven and the answer is a page; without it, the request is returned too and the answer is
// Deny(w, r, req, err.Code, err.Description).
func (p *Provider) ReadAuthorize(r *http.Request) (*AuthorizeRequest, error) {
	form, err := authorizeForm(r)
	if err != nil {
		return nil, pageError("invalid_request", err.Error(), err)
	}
	client, err := p.requestingClient(r.Context(), form)
	if err != nil {
		return nil, err
	}
	a := &submission{form: form}
	switch {
	case isPushed(form.Get("request_uri")):
		if len(form["request_uri"]) > 1 || form.Get("request") != "" {
			return nil, pageError("invalid_request", "request_uri stands twice, or beside request", errFormTwice)
		}
		if a, err = p.loadPushed(r.Context(), client, form.Get("request_uri")); err != nil {
			return nil, err
		}
	case form.Get("request_uri") == "" && form.Get("request") == "", duplicated(form) != "":
	case form.Get("request_uri") == "":
		a, err = p.openRequest(r.Context(), client, form)
	case p.cfg.byReference():
		a, err = p.openReference(r, client, form)
	}
	if err != nil {
		// The object says nothing; the parameters beside it may prove where the person came from.
		req, unproven := p.proveRedirect(client, form)
		if unproven != nil {
			return nil, asPage(err)
		}
		if e := p.readMode(req, form); e != nil {
			err = e
		}
		return req, err
	}
	return p.readSubmission(r.Context(), client, a)
}

// readSubmission checks the parameters of a request, wherever they were found.
func (p *Provider) readSubmission(ctx context.Context, client *Client, a *submission) (*AuthorizeRequest, error) {
	req, err := p.proveRedirect(client, a.form)
	if err != nil {
		return nil, err
	}
	req.RequestURI = a.handle
	if err := p.readMode(req, a.form); err != nil {
		return req, err
	}
	if err := p.proveSector(ctx, client); err != nil {
		return req, redirectError(&Error{Code: "temporarily_unavailable", Description: "the client's sector is not proven", Status: 503, Err: err})
	}
	if err := p.checkDemands(req, client, a); err != nil {
		return req, err
	}
	if err := p.readRequest(req, client, a.form); err != nil {
		return req, err
	}
	if req.implicit() {
		return req, nil // fosite has no part in it
	}
	// fosite's own look at the same request: what it refuses, Grant could not grant.
	if p.verdicts.has(client, req) {
		return req, nil
	}
	ctx = withUnit(ctx, &unit{client: &fositeClient{Client: client, redirectURI: req.RedirectURI}})
	if err := p.checkByFosite(ctx, req); err != nil {
		return req, redirectError(publicError(err))
	}
	p.verdicts.keep(client, req)
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

// one returns a parameter that must be there once; where redirect_uri is not proven, what is wrong is a page.
func one(form url.Values, name string) (string, error) {
	switch n := len(form[name]); {
	case n > 1:
		return "", pageError("invalid_request", name+" stands twice", errFormTwice)
	case n == 0 || form.Get(name) == "":
		return "", pageError("invalid_request", name+" is missing", nil)
	}
	return form.Get(name), nil
}

// requestingClient finds the client that a request names.
func (p *Provider) requestingClient(ctx context.Context, form url.Values) (*Client, error) {
	id, err := one(form, "client_id")
	if err != nil {
		return nil, err
	}
	client, err := p.cfg.Clients.Client(ctx, id)
	if errors.Is(err, ErrUnknownClient) {
		return nil, pageError("invalid_client", "client is not registered", err)
	}
	if err != nil {
		return nil, pageFault(err)
	}
	return client, nil
}

// proveRedirect proves redirect_uri. Until then every error is a page.
func (p *Provider) proveRedirect(client *Client, form url.Values) (*AuthorizeRequest, error) {
	redirect, err := one(form, "redirect_uri")
	if err != nil {
		return nil, err
	}
	if !client.allows(redirect) {
		return nil, pageError("invalid_request", "redirect_uri is not registered", nil)
	}
	// Whole seconds, as times of logins are: one of the same second is not older than the request.
	req := &AuthorizeRequest{ClientID: client.ID, RedirectURI: redirect, RequestedAt: p.cfg.Now().UTC().Truncate(time.Second)}
	if s := form["state"]; len(s) == 1 && len(s[0]) <= maxState {
		req.State = s[0]
	}
	return req, nil
}

// A verdict is fosite's yes to a request. Of all that reaches it, it looks at the client, the address and the scopes.
type verdict struct {
	client      *Client
	redirectURI string
	scopes      []string
}

// verdicts are the last of them. A registration that changes is another *Client, of which it knows nothing.
type verdicts struct{ known [16]atomic.Pointer[verdict] }

func (v *verdicts) place(c *Client) *atomic.Pointer[verdict] {
	return &v.known[maphash.String(verdictSeed, c.ID)%uint64(len(v.known))]
}

var verdictSeed = maphash.MakeSeed()

func (v *verdicts) has(c *Client, req *AuthorizeRequest) bool {
	one := v.place(c).Load()
	return one != nil && one.client == c && one.redirectURI == req.RedirectURI && slices.Equal(one.scopes, req.Scopes)
}

func (v *verdicts) keep(c *Client, req *AuthorizeRequest) {
	v.place(c).Store(&verdict{c, req.RedirectURI, slices.Clone(req.Scopes)})
}

// checkByFosite lets fosite read the request. The context has the unit with the client.
func (p *Provider) checkByFosite(ctx context.Context, req *AuthorizeRequest) error {
	_, err := p.fosite.NewAuthorizeRequest(ctx, &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: PathAuthorize}, Header: http.Header{}, Form: req.form(), PostForm: url.Values{},
	})
	return err
}

// form is a fresh form of what was checked, and of nothing else. What concerns the person (prompt, max_age, acr_values, hints)
// is decided by us and does not reach fosite.
func (req *AuthorizeRequest) form() url.Values {
	form := url.Values{
		"response_type": {"code"}, "client_id": {req.ClientID}, "redirect_uri": {req.RedirectURI},
		"scope": {strings.Join(req.Scopes, " ")}, "state": {cmp.Or(req.State, statePlaceholder)},
	}
	if req.Nonce != "" {
		form["nonce"] = []string{req.Nonce}
	}
	if req.Challenge != "" {
		form["code_challenge"], form["code_challenge_method"] = []string{req.Challenge}, []string{"S256"}
	}
	return form
}
