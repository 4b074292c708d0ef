package oauth

import (
	"encoding/json"
	"errors"
	"slices"
)

// A Hint is what an ID token of ours says when it comes back as id_token_hint.
type Hint struct {
	Subject  string
	SID      string   // "" if the token has none
	Audience []string // clients it was made for
}

// maxHintToken bounds id_token_hint, in bytes.
const maxHintToken = 16 << 10

// errHint is the one answer to every bad hint: what is wrong with it helps nobody honest.
var errHint = errors.New("id_token_hint is not an ID token of ours for this client")

// ReadHint verifies an id_token_hint: signed by any of our published keys, issued by us, for clientID where that is not "".
// An expired token is a good hint (OpenID Connect Core 3.1.2.1, RP-Initiated Logout 1.0, 2).
func (p *Provider) ReadHint(token, clientID string) (Hint, error) {
	if len(token) > maxHintToken {
		return Hint{}, errHint
	}
	payload, err := p.cfg.Keys.Verify(token)
	if err != nil {
		return Hint{}, errHint
	}
	var claims struct {
		Issuer  string          `json:"iss"`
		Subject string          `json:"sub"`
		SID     string          `json:"sid"`
		Expires json.Number     `json:"exp"`
		Events  json.RawMessage `json:"events"` // a logout token
		Aud     json.RawMessage `json:"aud"`
		Auth    json.Number     `json:"auth_time"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Hint{}, errHint
	}
	h := Hint{Subject: claims.Subject, SID: claims.SID}
	if h.Audience, err = readAudience(claims.Aud); err != nil {
		return Hint{}, errHint
	}
	switch {
	case claims.Issuer != p.cfg.Issuer, claims.Subject == "", len(h.Audience) == 0,
		clientID != "" && !slices.Contains(h.Audience, clientID),
		// Signed userinfo, authorization responses and logout tokens have our signature too, but are no ID tokens.
		claims.Events != nil, claims.Expires == "", claims.Auth == "":
		return Hint{}, errHint
	}
	return h, nil
}

// readAudience reads aud: one string or an array of them (RFC 7519, 4.1.3). nil if it is absent.
func readAudience(raw json.RawMessage) ([]string, error) {
	if raw == nil {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	return list, nil
}
