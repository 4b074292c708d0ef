package authflow

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"brama/provider/oauth"
)

// oneClient knows one portal and one hint.
type oneClient struct{ OAuth }

var registeredOut = []string{"https://portal.example.ua/out", "https://portal.example.ua/out?a=b"}

func (oneClient) Client(_ context.Context, id string) (*oauth.Client, error) {
	if id != "portal" {
		return nil, oauth.ErrUnknownClient
	}
	return &oauth.Client{ID: "portal", PostLogoutRedirectURIs: registeredOut}, nil
}

func (oneClient) ReadHint(token, client string) (oauth.Hint, error) {
	if token != "good" || client != "" && client != "portal" {
		return oauth.Hint{}, errors.New("no hint of ours")
	}
	return oauth.Hint{Subject: "sub", SID: "sid", Audience: []string{"portal"}}, nil
}

// FuzzLogoutRequest: whatever a portal sends to the sign-out, an accepted address is a registered one, byte by byte, and a
// request without a hint proves nothing (threat T79).
func FuzzLogoutRequest(f *testing.F) {
	q := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	for _, seed := range []string{"", q("id_token_hint", "good", "post_logout_redirect_uri", registeredOut[1], "state", "s"),
		q("client_id", "portal", "post_logout_redirect_uri", registeredOut[0]), q("client_id", "portal", "post_logout_redirect_uri", registeredOut[0]+"/"),
		q("post_logout_redirect_uri", "https://evil.example"), q("id_token_hint", "bad"), q("id_token_hint", "good", "client_id", "other"),
		"client_id=portal&client_id=other", "%zz", "ui_locales=en+uk&state=" + strings.Repeat("x", maxLogoutState+1)} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	flow := &Flow{Config: Config{OAuth: oneClient{}}}
	f.Fuzz(func(t *testing.T, raw string, post bool) {
		r := httptest.NewRequest(http.MethodGet, "/logout", nil)
		r.URL.RawQuery = raw
		if post {
			r = httptest.NewRequest(http.MethodPost, "/logout", strings.NewReader(raw))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		}
		form, err := logoutForm(r)
		if err != nil {
			return
		}
		req, err := flow.readLogout(t.Context(), form)
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.title != signOutFailed {
				t.Errorf("%q: %v is no problem that a page tells", raw, err)
			}
			return
		}
		if req.Redirect != "" && !slices.Contains(registeredOut, req.Redirect) {
			t.Errorf("%q leads to %q", raw, req.Redirect)
		}
		if req.Redirect != "" && req.Client != "portal" {
			t.Errorf("%q leads to the address of nobody", raw)
		}
		if req.Hint != (form.Get("id_token_hint") == "good") || req.SID != "" && !req.Hint || len(req.State) > maxLogoutState {
			t.Errorf("%q is read as %+v", raw, req)
		}
		if req.Redirect != "" && !strings.HasPrefix(withQuery(req.Redirect, "state", req.State), req.Redirect) {
			t.Errorf("%q changes the address", raw)
		}
	})
}
