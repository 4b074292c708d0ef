package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ory/fosite"
)

// What an authorization request may ask for.
var (
	prompts     = []string{"none", "login", "consent", "select_account"}
	scopes      = []string{"openid", "profile"}
	acrs        = []string{"low", "substantial", "high"}
	fositeNeeds = []string{"response_type", "client_id", "redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values"}
)

const (
	minNonce = 8 // fosite would refuse a shorter one only when the login is over
	maxNonce = 1 << 10
	maxState = 4 << 10
	maxHint  = 512
	// statePlaceholder stands for an absent state before fosite, which knows no way to do without.
	statePlaceholder = "absent-state"
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
	if err := readRequest(req, client, form); err != nil {
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
	req := &AuthorizeRequest{ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), RequestedAt: p.cfg.Now().UTC()}
	if s := form["state"]; len(s) == 1 && len(s[0]) <= maxState {
		req.State = s[0]
	}
	return req, client, nil
}

// readRequest fills req from form. Errors go back to the client.
func readRequest(req *AuthorizeRequest, c Client, form url.Values) error {
	invalid := func(description string) error {
		return &Error{Code: "invalid_request", Description: description, Status: 400}
	}
	if duplicated(form) != "" {
		return invalid("a parameter stands twice")
	}
	if len(form.Get("state")) > maxState {
		return invalid("state is too long")
	}
	for name, code := range map[string]string{"request": "request_not_supported", "request_uri": "request_uri_not_supported", "registration": "registration_not_supported"} {
		if form.Get(name) != "" {
			return &Error{Code: code, Description: name + " is not supported", Status: 400}
		}
	}
	switch form.Get("response_type") {
	case "code":
	case "":
		return invalid("response_type is missing")
	default:
		return &Error{Code: "unsupported_response_type", Description: "only response_type code is supported", Status: 400}
	}
	if m := form.Get("response_mode"); m != "" && m != "query" {
		return invalid("only response_mode query is supported")
	}
	if err := readScopes(req, c, form); err != nil {
		return err
	}
	if err := checkProof(c, form); err != nil {
		return err
	}
	if err := readPrompt(req, form); err != nil {
		return err
	}
	// They travel with the login through the browser.
	for _, name := range []string{"acr_values", "ui_locales", "idp_hint"} {
		if len(form.Get(name)) > maxHint {
			return invalid(name + " is too long")
		}
	}
	req.ACRValues = words(form.Get("acr_values"))
	req.UILocales = words(form.Get("ui_locales"))
	req.IDPHint = form.Get("idp_hint")
	// A fresh form of what was checked, and of nothing else: id_token_hint, claims and strangers do not reach fosite.
	req.Form = url.Values{}
	for _, name := range fositeNeeds {
		if v := form.Get(name); v != "" {
			req.Form.Set(name, v)
		}
	}
	req.Form.Set("scope", strings.Join(req.Scopes, " "))
	if req.MaxAge != nil && *req.MaxAge == 0 {
		req.Form.Del("max_age") // fosite ignores 0; it became prompt=login
		req.Form.Set("prompt", strings.Join(req.Prompt, " "))
	}
	return nil
}

// readScopes ignores values that nobody knows (OpenID Connect Core 3.1.2.1) and refuses those that this client may not ask.
func readScopes(req *AuthorizeRequest, c Client, form url.Values) error {
	for _, s := range words(form.Get("scope")) {
		if !slices.Contains(scopes, s) || slices.Contains(req.Scopes, s) {
			continue
		}
		if !slices.Contains(c.allowedScopes(), s) {
			return &Error{Code: "invalid_scope", Description: "a scope is not registered for the client", Status: 400}
		}
		req.Scopes = append(req.Scopes, s)
	}
	if !slices.Contains(req.Scopes, "openid") {
		return &Error{Code: "invalid_scope", Description: "scope openid is missing", Status: 400}
	}
	return nil
}

// checkProof holds the rules of PKCE and nonce: S256 from everybody; a confidential client registered PKCEOptional may
// send a nonce instead, and one that is NonceOptional too may send neither.
func checkProof(c Client, form url.Values) error {
	invalid := func(description string) error {
		return &Error{Code: "invalid_request", Description: description, Status: 400}
	}
	if n := len(form.Get("nonce")); n != 0 && n < minNonce || n > maxNonce {
		return invalid("nonce has less than 8 or more than 1024 characters")
	}
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	if challenge != "" || method != "" {
		switch {
		case method != "S256":
			return invalid("code_challenge_method is not S256")
		case !validChallenge(challenge):
			return invalid("code_challenge is not the S256 of a verifier")
		}
		return nil
	}
	switch {
	case !c.PKCEOptional || c.Public():
		return invalid("code_challenge is missing")
	case form.Get("nonce") == "" && !c.NonceOptional:
		return invalid("nonce is missing, and so is code_challenge")
	}
	return nil
}

// readPrompt reads prompt and max_age. max_age=0 is prompt=login (fosite ignores it), anything but a number is an error
// (fosite ignores that too).
func readPrompt(req *AuthorizeRequest, form url.Values) error {
	invalid := func(description string) error {
		return &Error{Code: "invalid_request", Description: description, Status: 400}
	}
	req.Prompt = words(form.Get("prompt"))
	for _, v := range req.Prompt {
		if !slices.Contains(prompts, v) {
			return invalid("prompt has an unknown value")
		}
	}
	if slices.Contains(req.Prompt, "none") && len(req.Prompt) > 1 {
		return invalid("prompt has none beside other values")
	}
	if form.Get("max_age") == "" {
		return nil
	}
	age, err := strconv.ParseUint(form.Get("max_age"), 10, 31)
	if err != nil {
		return invalid("max_age is not a number of seconds")
	}
	seconds := int(age)
	req.MaxAge = &seconds
	if seconds == 0 && !slices.Contains(req.Prompt, "login") && !slices.Contains(req.Prompt, "none") {
		req.Prompt = append(req.Prompt, "login")
	}
	return nil
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
