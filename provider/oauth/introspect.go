package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brama/storage"
)

// typIntrospection is the media type of a signed answer, and with its prefix cut, its typ (RFC 9701, 5).
const (
	mediaIntrospection = "application/token-introspection+jwt"
	typIntrospection   = "token-introspection+jwt"
)

// An introspection is what a token is worth (RFC 7662, 2.2). The zero value is: nothing.
type introspection struct {
	active    bool
	scope     string
	clientID  string
	tokenType string // "" of a refresh token
	subject   string // "" of a client's own token
	audience  string
	issued    int64
	expires   int64
	acr       string
	authTime  int64
	bound     binding
}

// json returns the answer of issuer. What it does not know is left out, and of a token that is worth nothing it is everything.
func (a *introspection) json(issuer string) []byte {
	o := newObject(make([]byte, 0, 384))
	o.member("active")
	o.b = strconv.AppendBool(o.b, a.active)
	if !a.active {
		return o.end()
	}
	for _, m := range []struct{ name, value string }{
		{"scope", a.scope}, {"client_id", a.clientID}, {"token_type", a.tokenType},
		{"iss", issuer}, {"sub", a.subject}, {"aud", a.audience}, {"acr", a.acr},
	} {
		if m.value != "" {
			o.text(m.name, m.value)
		}
	}
	o.number("iat", a.issued)
	o.number("exp", a.expires)
	if a.authTime != 0 {
		o.number("auth_time", a.authTime)
	}
	if a.bound.method != "" {
		o.member("cnf")
		o.b = append(o.b, '{', '"')
		o.b = append(append(append(o.b, a.bound.method...), `":"`...), a.bound.value()...)
		o.b = append(o.b, '"', '}')
	}
	return o.end()
}

// Introspect is the introspection endpoint (RFC 7662). fosite's opens with any user's access token; here the caller is a
// client that authenticates itself and has the right, and a token that is not meant for it is not active, whatever it is:
// meant for it are its own tokens, and those with a scope of an interface that it serves, of which it learns that scope only.
// The answer is signed if the Accept header asks for it (RFC 9701).
func (p *Provider) Introspect(w http.ResponseWriter, r *http.Request) {
	p.serveClient(w, r, "introspection refused", func(caller *Client, form url.Values) error {
		if !caller.IntrospectionRight {
			return &Error{Code: "unauthorized_client", Description: "the client has no right to introspect", Status: http.StatusForbidden}
		}
		token := form.Get("token")
		if token == "" {
			return &Error{Code: "invalid_request", Description: "token is missing", Status: http.StatusBadRequest}
		}
		answer, err := p.introspect(r.Context(), caller, token)
		if err != nil {
			return err
		}
		if accepts(r, mediaIntrospection) {
			return p.writeSigned(w, caller, answer)
		}
		writeBody(w, http.StatusOK, answer.json(p.cfg.Issuer))
		return nil
	})
}

func accepts(r *http.Request, media string) bool {
	for _, line := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(one, ";")
			if strings.EqualFold(strings.TrimSpace(name), media) {
				return true
			}
		}
	}
	return false
}

// writeSigned answers with a JWT for its caller alone. It has no sub and no exp, so that it cannot be taken for a token
// (RFC 9701, 5).
func (p *Provider) writeSigned(w http.ResponseWriter, caller *Client, answer *introspection) error {
	payload, err := json.Marshal(map[string]any{
		"iss": p.cfg.Issuer, "aud": caller.ID, "iat": p.cfg.Now().Unix(), "token_introspection": json.RawMessage(answer.json(p.cfg.Issuer)),
	})
	if err != nil {
		return fmt.Errorf("oauth: encoding an introspection: %w", err)
	}
	signed, err := p.cfg.Keys.SignTyped(typIntrospection, caller.idTokenAlg(), payload)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaIntrospection)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(signed)) // the other side has gone: nobody is left to tell
	return nil
}

// introspect returns what a token is worth to caller.
func (p *Provider) introspect(ctx context.Context, caller *Client, token string) (*introspection, error) {
	nothing := &introspection{}
	t, g, err := p.loadAccess(ctx, token)
	kind := "Bearer"
	if errors.Is(err, storage.ErrNotFound) {
		t, g, err = p.loadRefresh(ctx, token)
		kind = ""
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nothing, nil
	}
	if err != nil {
		return nil, err
	}
	owner := caller
	if t.client != caller.ID {
		if owner, err = p.cfg.Clients.Client(ctx, t.client); errors.Is(err, ErrUnknownClient) {
			return nothing, nil
		} else if err != nil {
			return nil, err
		}
	}
	scopes := p.scopesFor(caller, owner, t, g)
	if scopes == nil || kind == "" && t.client != caller.ID {
		return nothing, nil
	}
	if t.bound.method == boundByDPoP {
		kind = "DPoP"
	}
	answer := &introspection{
		active: true, scope: strings.Join(scopes, " "), clientID: t.client, tokenType: kind,
		issued: t.issued.Unix(), expires: t.expires.Unix(), bound: t.bound,
	}
	if g == nil {
		answer.audience = caller.ID
		return answer, nil
	}
	who, err := p.openGrant(g)
	if err != nil {
		return nil, err
	}
	answer.subject, answer.acr, answer.audience = who.Subject, who.ACR, p.cfg.Issuer
	answer.authTime = who.AuthTime.Unix()
	return answer, nil
}

// scopesFor returns the scopes of a token that caller may know, as far as the token's client still has them; nil if the token
// is not meant for caller.
func (p *Provider) scopesFor(caller, owner *Client, t *opaque, g *storage.Grant) []string {
	var scopes []string
	granted := t.scopes
	if g != nil && len(granted) == 0 {
		granted = g.Scopes // a refresh token has all that was granted
	}
	for _, s := range granted {
		if g == nil && !slices.Contains(owner.APIScopes, s) || g != nil && !owner.mayHave(s) {
			continue
		}
		if owner.ID == caller.ID || slices.Contains(caller.APIScopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// loadRefresh returns what a refresh token holds and its grant. storage.ErrNotFound for every token that a refresh would not
// take, but for one within its grace.
func (p *Provider) loadRefresh(ctx context.Context, token string) (*opaque, *storage.Grant, error) {
	t, err := p.openToken(refreshToken, token)
	if err != nil || !p.cfg.Now().Before(t.expires) {
		return nil, nil, storage.ErrNotFound
	}
	h, err := p.loadFamily(ctx, t.grant)
	if err != nil {
		return nil, nil, err
	}
	if h.family.Generation != t.generation || !p.cfg.Now().Before(h.family.Used.Add(p.cfg.RefreshIdle)) {
		return nil, nil, storage.ErrNotFound
	}
	return t, &h.grant, nil
}
