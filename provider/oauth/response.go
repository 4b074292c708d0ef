package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Response modes (OAuth 2.0 Multiple Response Types, 2.1; OAuth 2.0 Form Post Response Mode; JARM, 2.3). The answer to a code
// request never travels in a fragment.
const (
	ModeQuery       = "query"
	ModeFormPost    = "form_post"
	ModeQueryJWT    = "query.jwt"
	ModeFormPostJWT = "form_post.jwt"
)

// responseJWTLife is how long a signed answer is good: 10 minutes at most (JARM, 2.1), and the browser brings it at once.
const responseJWTLife = 5 * time.Minute

// A FormPost is an answer that a page posts to the client (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	Action    string // redirect_uri
	Fields    []Field
	UILocales []string // of the request
}

// A Field is one hidden input.
type Field struct{ Name, Value string }

// responseModes are those that are offered.
func (c *Config) responseModes() []string {
	if c.FormPost == nil {
		return []string{ModeQuery, ModeQueryJWT, "jwt"}
	}
	return []string{ModeQuery, ModeFormPost, ModeQueryJWT, ModeFormPostJWT, "jwt"}
}

// readMode reads response_mode. It comes before everything else, for errors obey it too.
func (p *Provider) readMode(req *AuthorizeRequest, form url.Values) error {
	if types := form["response_type"]; p.cfg.implicit() && len(types) == 1 && isImplicit(types[0]) {
		return p.readImplicitMode(req, form)
	}
	values := form["response_mode"]
	if len(values) != 1 || values[0] == "" {
		return nil // of two that differ neither is obeyed; that they are two is refused later
	}
	mode := values[0]
	if !slices.Contains(p.cfg.responseModes(), mode) {
		return invalidRequest("response_mode is not supported")
	}
	if mode == "jwt" {
		mode = ModeQueryJWT // the default of response_type code, signed (JARM, 2.3.4)
	}
	req.ResponseMode = mode
	return nil
}

func (r *AuthorizeRequest) signedResponse() bool { return strings.HasSuffix(r.ResponseMode, ".jwt") }

// signResponse makes the one parameter of a JWT answer: who answers, for whom, until when, and the parameters (JARM, 2.1).
func (p *Provider) signResponse(c *Client, params url.Values) (url.Values, error) {
	claims := map[string]any{"aud": c.ID, "exp": p.cfg.Now().Add(responseJWTLife).Unix()}
	for name := range params {
		claims[name] = params.Get(name)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	token, err := p.cfg.Keys.Sign(c.responseAlg(), payload)
	if err != nil {
		return nil, err
	}
	return url.Values{"response": {token}}, nil
}

func (c *Client) responseAlg() string {
	if c.AuthorizationSignedAlg != "" {
		return c.AuthorizationSignedAlg
	}
	return c.idTokenAlg()
}

// pack adds to an answer what every answer has: state, and iss (RFC 9207), and signs it where the request wants that.
func (p *Provider) pack(c *Client, req *AuthorizeRequest, params url.Values) (url.Values, error) {
	if req.State != "" {
		params.Set("state", req.State)
	}
	params.Set("iss", p.cfg.Issuer)
	if !req.signedResponse() {
		return params, nil
	}
	return p.signResponse(c, params)
}

// send answers the client through the browser.
func (p *Provider) send(w http.ResponseWriter, r *http.Request, req *AuthorizeRequest, params url.Values) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	if strings.HasPrefix(req.ResponseMode, ModeFormPost) && p.cfg.FormPost != nil {
		page := FormPost{Action: req.RedirectURI, UILocales: req.UILocales}
		for _, name := range []string{"code", "id_token", "access_token", "token_type", "expires_in", "scope", "error", "error_description", "state", "iss", "response"} {
			if params.Has(name) {
				page.Fields = append(page.Fields, Field{name, params.Get(name)})
			}
		}
		p.cfg.FormPost(w, r, page)
		return
	}
	// Always 303, so that a POST is not repeated at the client (RFC 9700, 4.12). The registered address stays as it is,
	// parameters are added behind it.
	if req.ResponseMode == ModeFragment {
		h.Set("Location", inFragment(req.RedirectURI, params))
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	separator := "?"
	if strings.Contains(req.RedirectURI, "?") {
		separator = "&"
	}
	h.Set("Location", req.RedirectURI+separator+params.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// Deny answers the client with error, state and iss. The description holds a message code only, never personal data.
func (p *Provider) Deny(w http.ResponseWriter, r *http.Request, req *AuthorizeRequest, code, description string) {
	params := url.Values{"error": {code}}
	if description != "" {
		params.Set("error_description", description)
	}
	client, err := p.cfg.Clients.Client(r.Context(), req.ClientID)
	if err == nil {
		params, err = p.pack(client, req, params)
	}
	if err != nil {
		// A client that asked for a signed answer must not be given another.
		p.logRefusal(r.Context(), "authorization response failed", req.ClientID, &Error{
			Code: code, Status: http.StatusInternalServerError, Err: errors.Join(errors.New("oauth: packing an answer"), err)})
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	p.send(w, r, req, params)
}
