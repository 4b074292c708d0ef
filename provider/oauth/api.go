// Package oauth is the OAuth 2.0 and OpenID Connect half of the provider and the only importer of fosite: requests are
// read and answered here, tokens issued, spent and described. fosite checks authorization requests and issues codes; the other
// endpoints are code of ours, for its traps were there. Who the person is, and whether they agreed, is decided in
// provider/authflow; no fosite type is in the exported API.
package oauth

import (
	"encoding/json"
	"errors"
	"time"

	"brama/connectors"
	"brama/storage"
)

// An AuthorizeRequest is a request that was read and checked: client, redirect_uri, PKCE, scopes. It is plain data: it
// survives JSON and is sealed into the browser or stored with the login.
type AuthorizeRequest struct {
	ClientID     string
	RedirectURI  string
	State        string
	ResponseType string `json:",omitempty"` // "" is a code; others see Provider.Grant, in one order
	ResponseMode string `json:",omitempty"` // "query" (also ""), "form_post", "query.jwt", "form_post.jwt"
	Nonce        string `json:",omitempty"`
	Challenge    string `json:",omitempty"` // code_challenge, always S256; "" only of a client that needs none
	Scopes       []string
	Prompt       []string `json:",omitempty"` // none, login, consent, select_account, create; none stands alone
	MaxAge       *int     `json:",omitempty"` // seconds; that of the client where the request has none
	ACRValues    []string `json:",omitempty"` // of acr_values, or of acr in Claims, in order of preference
	// ACREssential says that one of ACRValues must be met exactly (OpenID Connect Core 5.5.1.1).
	ACREssential bool     `json:",omitempty"`
	UILocales    []string `json:",omitempty"`
	IDPHint      string   `json:",omitempty"`
	LoginHint    string   `json:",omitempty"` // the portal's words: shown at most, never trusted
	// HintSubject is the sub that the answer must have, from a verified id_token_hint or from sub in Claims; "" is anybody.
	// Compare it with Provider.SubjectOf.
	HintSubject string         `json:",omitempty"`
	HintSID     string         `json:",omitempty"` // sid of that hint, if it had one
	Claims      *ClaimsRequest `json:",omitempty"`
	Purpose     string         `json:",omitempty"` // "link", or ""
	AccountHint string         `json:",omitempty"` // with Purpose: the portal's words, see LoginHint
	DPoPJKT     string         `json:",omitempty"` // thumbprint of the key that the code is bound to (RFC 9449, 10)
	// RequestURI is the handle of a pushed request (RFC 9126), which Grant spends.
	RequestURI  string `json:",omitempty"`
	RequestedAt time.Time
}

// A ClaimsRequest is the claims parameter (OpenID Connect Core 5.5), read strictly. Names are what the portal wrote: whether
// it may have them is decided elsewhere.
type ClaimsRequest struct {
	IDToken  ClaimSet `json:",omitzero"`
	UserInfo ClaimSet `json:",omitzero"`
}

// A ClaimSet is what is asked of one of the two places.
type ClaimSet struct {
	Claims map[string]ClaimRequest `json:",omitempty"`
	// Verified are the requests in verified_claims (OpenID Connect for Identity Assurance): JSON objects, otherwise unread.
	Verified []json.RawMessage `json:",omitempty"`
}

// A ClaimRequest says how one claim is wanted; the zero value is "voluntary, any value".
type ClaimRequest struct {
	Essential bool  `json:",omitempty"`
	Values    []any `json:",omitempty"` // of value or values: strings, float64, booleans
}

// A Subject is who signed in and what may be released to this client.
type Subject struct {
	PersonID string // random id of the person record; sub is made from it
	Identity connectors.Identity
	Role     string    // id of the chosen role
	Consent  time.Time // of the personal-data tick; zero if none was asked
	// ConsentVersion is that of the notice which the tick was for; "" if it has none.
	ConsentVersion string
	// Withheld are claims that the person did not give. A required one is never among them.
	Withheld []string
	LoginID  string
	SID      string // of the browser's session, random; it stands in ID tokens and logout tokens
	// Together runs in the transaction that stores the code; nil for nothing. What it writes is there with the code or not at
	// all, and its error is why there is none: a person who takes the login back at this moment is not too late (threat T6).
	Together func(tx storage.Tx) error `json:"-"`
	// Stored runs once the code is stored and before anybody is told of it; nil for nothing. After an error nobody ever is.
	Stored func() error `json:"-"`
}

// ErrTogether is returned by Grant, with the cause, where Together failed; nothing was stored or sent.
var ErrTogether = errors.New("oauth: what belongs to the code was not written")

// An Error is an answer to a bad request. If Page is true it must be shown as a page, since redirect_uri is not proven.
type Error struct {
	Page        bool
	Code        string // OAuth error code, e.g. "invalid_request"
	Description string
	Status      int
	Err         error
}

func (e *Error) Error() string { return "oauth: " + e.Code + ": " + e.Description }
func (e *Error) Unwrap() error { return e.Err }

// ErrUnknownClient is returned for a client that is not registered.
var ErrUnknownClient = errors.New("oauth: unknown client")
