package storage

import (
	"errors"
	"time"
)

// Kinds of what a grant is made of.
const (
	KindGrant       Kind = "grant"
	KindAccessToken Kind = "access"
)

// A Grant is what a person gave to a client at one login: the code, its PKCE challenge and the claims that the ID token
// will carry, in one record, so that one write makes it and one compare-and-set spends it. The record outlives its code,
// until the last token made from it ends: a code that comes a second time must be recognised, and tokens are alive only
// while their grant is.
type Grant struct {
	ID          string    `json:"-"` // HashSecret of the code
	Revision    uint64    `json:"revision"`
	Client      string    `json:"client"`
	Person      string    `json:"person"` // the record is in this group
	Login       string    `json:"login,omitempty"`
	Session     string    `json:"session,omitempty"` // sid of the browser's session that it was given in
	RedirectURI string    `json:"redirect_uri"`
	Challenge   string    `json:"challenge,omitempty"` // PKCE S256; a challenge once sent binds
	Scopes      []string  `json:"scopes"`
	RequestedAt time.Time `json:"requested_at"`
	CodeExpires time.Time `json:"code_expires"`
	Spent       time.Time `json:"spent,omitzero"`   // when the code was exchanged
	Revoked     time.Time `json:"revoked,omitzero"` // when everything made from the grant died
	Sealed      []byte    `json:"sealed,omitempty"` // claims and request parameters, sealed by provider/oauth
	Expires     time.Time `json:"-"`
}

// Live reports whether tokens made from the grant are good.
func (g *Grant) Live() bool { return g.Revoked.IsZero() }

// InsertGrant stores a new grant at revision 1. ErrExists.
func InsertGrant(tx Tx, g Grant) error {
	g.Revision = 1
	r, err := encode(KindGrant, g.ID, g.Person, g.Expires, g)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetGrant returns a grant, also a spent or revoked one. ErrNotFound, also once expired.
func GetGrant(tx Tx, id string) (Grant, error) {
	var g Grant
	r, err := decode(tx, KindGrant, id, &g)
	if err != nil {
		return Grant{}, err
	}
	g.ID, g.Expires = id, r.Expires
	return g, nil
}

// SpendGrant marks the code of seen as exchanged at now and keeps the record at least until expires, if the grant is still
// as it was seen, unspent and not revoked. ErrConflict if another exchange was faster, ErrNotFound.
func SpendGrant(tx Tx, seen Grant, now, expires time.Time) error {
	g, err := GetGrant(tx, seen.ID)
	if err != nil {
		return err
	}
	if g.Revision != seen.Revision || !g.Spent.IsZero() || !g.Revoked.IsZero() {
		return ErrConflict
	}
	g.Spent = now
	if expires.After(g.Expires) {
		g.Expires = expires
	}
	return putGrant(tx, g)
}

// RevokeGrant kills a grant: its code if not yet exchanged, and every token made from it. A grant that is absent or dead
// already is no error.
func RevokeGrant(tx Tx, id string, now time.Time) error {
	g, err := GetGrant(tx, id)
	if errors.Is(err, ErrNotFound) || err == nil && !g.Live() {
		return nil
	}
	if err != nil {
		return err
	}
	g.Revoked = now
	return putGrant(tx, g)
}

func putGrant(tx Tx, g Grant) error {
	g.Revision++
	r, err := encode(KindGrant, g.ID, g.Person, g.Expires, g)
	if err != nil {
		return err
	}
	return tx.Put(r)
}

// An AccessToken is a token given to a client. What it opens stands in its grant.
type AccessToken struct {
	ID      string    `json:"-"`     // HashSecret of the token
	Grant   string    `json:"grant"` // its id; the record is in no group, for a token dies with its grant
	Client  string    `json:"client"`
	Scopes  []string  `json:"scopes"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"-"`
}

// InsertAccessToken stores a new token. ErrExists.
func InsertAccessToken(tx Tx, t AccessToken) error {
	r, err := encode(KindAccessToken, t.ID, "", t.Expires, t)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetAccessToken returns a token and its grant. ErrNotFound, also once expired and if the grant is gone or dead.
func GetAccessToken(tx Tx, id string) (AccessToken, Grant, error) {
	var t AccessToken
	r, err := decode(tx, KindAccessToken, id, &t)
	if err != nil {
		return AccessToken{}, Grant{}, err
	}
	t.ID, t.Expires = id, r.Expires
	g, err := GetGrant(tx, t.Grant)
	if err != nil {
		return AccessToken{}, Grant{}, err
	}
	if !g.Live() {
		return AccessToken{}, Grant{}, ErrNotFound
	}
	return t, g, nil
}
