package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"brama/storage"
)

// UserInfo is the userinfo endpoint (OpenID Connect Core 5.3), as JSON, or as a JWT for a client that asks. The token comes in the Authorization header, or in
// the form of a POST (RFC 6750, 2.1 and 2.2); never in the address, which ends in logs.
func (p *Provider) UserInfo(w http.ResponseWriter, r *http.Request) {
	if p.crossOrigin(w, r, "GET, POST") {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		writeError(w, &Error{Code: "invalid_request", Status: http.StatusMethodNotAllowed})
		return
	}
	token, err := presentedToken(r)
	if err != nil {
		challenge(w, http.StatusBadRequest, "invalid_request", false)
		return
	}
	if token.token == "" {
		challenge(w, http.StatusUnauthorized, "", false) // no reason for those who sent nothing (RFC 6750, 3.1)
		return
	}
	client, claims, err := p.userClaims(w, r, token)
	var refused *Error
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		status := http.StatusUnauthorized
		if refused.Code == "insufficient_scope" {
			status = http.StatusForbidden
		}
		challenge(w, status, refused.Code, token.dpop)
	case errors.Is(err, storage.ErrNotFound):
		challenge(w, http.StatusUnauthorized, "invalid_token", token.dpop)
	default:
		if err == nil {
			err = p.writeUserInfo(r.Context(), w, client, claims)
		}
		if err != nil { // a fault of ours, or keys that the client does not publish
			p.logRefusal(r.Context(), "userinfo failed", "", publicError(err))
			writeError(w, publicError(err))
		}
	}
}

// challenge refuses a request for a resource. Both schemes are named; the error stands at the one that was used.
func challenge(w http.ResponseWriter, status int, code string, dpop bool) {
	bearer := "Bearer"
	if code != "" && !dpop {
		bearer += ` error="` + code + `"`
	}
	h := w.Header()
	if dpop {
		h.Add("WWW-Authenticate", challengeDPoP(code))
		h.Add("WWW-Authenticate", bearer)
	} else {
		h.Add("WWW-Authenticate", bearer)
		h.Add("WWW-Authenticate", challengeDPoP(""))
	}
	if code == "" {
		code = "invalid_token"
	}
	writeError(w, &Error{Code: code, Status: status})
}

// presentedToken returns the access token of a request, the zero value if there is none. Two tokens, or one in the address,
// are an error. By a form comes a bearer token only.
func presentedToken(r *http.Request) (presented, error) {
	if r.URL.RawQuery != "" {
		if query, err := parseForm(r.URL.RawQuery); err != nil || query.Has("access_token") {
			return presented{}, errors.New("token in the address")
		}
	}
	var came presented
	if headers := r.Header.Values("Authorization"); len(headers) > 1 {
		return presented{}, errors.New("two Authorization headers")
	} else if len(headers) == 1 {
		scheme, value, _ := strings.Cut(headers[0], " ")
		came.dpop = strings.EqualFold(scheme, "DPoP")
		if !came.dpop && !strings.EqualFold(scheme, "Bearer") || value == "" {
			return presented{}, errors.New("neither a bearer nor a DPoP token")
		}
		came.token = value
	}
	if r.Method == http.MethodPost && r.ContentLength != 0 && r.Header.Get("Content-Type") != "" {
		form, err := readBody(r)
		if err != nil {
			return presented{}, err
		}
		switch values := form["access_token"]; {
		case len(values) > 1 || len(values) == 1 && came.token != "":
			return presented{}, errors.New("two tokens")
		case len(values) == 1:
			came.token = values[0]
		}
	}
	return came, nil
}

// userClaims returns what the token opens, as JSON, and for whom. storage.ErrNotFound for every token that is not good.
func (p *Provider) userClaims(w http.ResponseWriter, r *http.Request, came presented) (*Client, []byte, error) {
	ctx := r.Context()
	t, g, err := p.loadAccess(ctx, came.token)
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkPossession(w, r, PathUserInfo, t, came); err != nil {
		return nil, nil, err
	}
	if g == nil {
		return nil, nil, storage.ErrNotFound // of a client, not of a person
	}
	if !slices.Contains(t.scopes, scopeOpenID) {
		return nil, nil, &Error{Code: "insufficient_scope", Status: http.StatusForbidden} // RFC 6750, 3.1
	}
	client, err := p.cfg.Clients.Client(ctx, t.client)
	if errors.Is(err, ErrUnknownClient) {
		return nil, nil, storage.ErrNotFound
	}
	if err != nil {
		return nil, nil, err
	}
	sealed, err := p.openGrant(g)
	if err != nil {
		return nil, nil, err
	}
	claims := newObject(make([]byte, 0, 512))
	if client.UserInfoSignedAlg != "" {
		// For this client alone: a portal that is shown the answer of another one sees it (threat T73).
		claims.text("iss", p.cfg.Issuer)
		claims.text("aud", client.ID)
	}
	claims.text("sub", sealed.Subject)
	if err := sealed.release(&claims, client, inUserInfo, t.scopes); err != nil {
		return nil, nil, fmt.Errorf("oauth: encoding userinfo: %w", err)
	}
	return client, claims.end(), nil
}

// loadAccess returns what an access token holds and its grant, nil for client credentials. storage.ErrNotFound for every
// token that is not good now: made up, expired, revoked, or of a grant that is dead.
func (p *Provider) loadAccess(ctx context.Context, token string) (*opaque, *storage.Grant, error) {
	t, err := p.openToken(accessToken, token)
	if err != nil || !p.cfg.Now().Before(t.expires) {
		return nil, nil, storage.ErrNotFound
	}
	var g *storage.Grant
	err = p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		if err := storage.CheckToken(tx, tokenID(token)); err != nil || t.grant == "" {
			return err
		}
		live, err := storage.LiveGrant(tx, t.grant)
		if err != nil {
			return err
		}
		if live.Spent.IsZero() {
			return storage.ErrNotFound // its code was never spent: the answer was made and its commit failed
		}
		if err := p.alive(tx, live.Person); err != nil {
			return err
		}
		g = &live
		return nil
	})
	return t, g, err
}
