package storage

import (
	"errors"
	"time"
)

// Kinds of what a grant is made of.
const (
	KindGrant        Kind = "grant"
	KindRefresh      Kind = "refresh"       // families of refresh tokens
	KindRevokedToken Kind = "revoked-token" // access tokens that died before their end
	KindEndedSession Kind = "ended-session" // named by sid: its grants are dead
)

// A Grant is what a person gave to a client at one login: the code, its PKCE challenge and the claims that the ID token
// will carry, in one record, so that one write makes it and one compare-and-set spends it. The record outlives its code,
// until the last token made from it ends: a code that comes a second time must be recognised, and tokens are alive only
// while their grant is.
type Grant struct {
	ID          string // HashSecret of the code
	Revision    uint64
	Client      string
	Person      string // the record is in this group
	Login       string
	Session     string // sid of the browser's session that it was given in
	RedirectURI string
	Challenge   string // PKCE S256; a challenge once sent binds
	Scopes      []string
	RequestedAt time.Time
	CodeExpires time.Time
	Spent       time.Time // when the code was exchanged
	Revoked     time.Time // when everything made from the grant died
	Sealed      []byte    // claims and request parameters, sealed by provider/oauth
	Offline     bool      // outlives its session (OpenID Connect Core, 11)
	JKT         string    // the DPoP key that the code is bound to (RFC 9449, 10)
	Expires     time.Time
}

// Live reports whether the grant itself was not revoked. Whether its session has not ended either, says LiveGrant.
func (g *Grant) Live() bool { return g.Revoked.IsZero() }

// InsertGrant stores a new grant at revision 1. ErrExists.
func InsertGrant(tx Tx, g Grant) error {
	g.Revision = 1
	return tx.Insert(g.record())
}

// GetGrant returns a grant, also a spent or revoked one. ErrNotFound, also once expired.
func GetGrant(tx Tx, id string) (Grant, error) {
	r, err := tx.Get(KindGrant, id)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{ID: id, Expires: r.Expires}
	return g, g.unpack(r.Body)
}

func (g *Grant) record() Record {
	return Record{Kind: KindGrant, ID: g.ID, Group: g.Person, Expires: g.Expires, Body: g.pack()}
}

// LiveGrant returns a grant from which tokens are good now. ErrNotFound if it is absent or revoked, or if the session it
// lives with has ended.
func LiveGrant(tx Tx, id string) (Grant, error) {
	g, err := GetGrant(tx, id)
	if err != nil {
		return Grant{}, err
	}
	if !g.Live() {
		return Grant{}, ErrNotFound
	}
	if err := CheckSession(tx, &g); err != nil {
		return Grant{}, err
	}
	return g, nil
}

// CheckSession returns ErrNotFound if the session of g has ended and g with it.
func CheckSession(tx Tx, g *Grant) error {
	if g.Session == "" || g.Offline {
		return nil
	}
	_, err := tx.Get(KindEndedSession, g.Session)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrNotFound
}

// SpendGrant marks the code of seen as exchanged at now and keeps the record at least until expires, if the grant is still
// as it was seen, unspent and not revoked. ErrConflict if another exchange was faster, ErrNotFound also if its session has
// ended.
func SpendGrant(tx Tx, seen Grant, now, expires time.Time) error {
	g, err := GetGrant(tx, seen.ID)
	if err != nil {
		return err
	}
	if g.Revision != seen.Revision || !g.Spent.IsZero() || !g.Revoked.IsZero() {
		return ErrConflict
	}
	if err := CheckSession(tx, &g); err != nil {
		return err
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
	if err := tx.Delete(KindRefresh, id); err != nil {
		return err
	}
	return putGrant(tx, g)
}

// RevokeGrantsOf kills every grant of a person and returns how many were alive.
func RevokeGrantsOf(tx Tx, person string, now time.Time) (int, error) {
	var ids []string
	for r, err := range tx.Scan(KindGrant, person) {
		if err != nil {
			return 0, err
		}
		var g Grant
		if err := g.unpack(r.Body); err != nil {
			return 0, err
		}
		if g.Live() {
			ids = append(ids, r.ID)
		}
	}
	for _, id := range ids {
		if err := RevokeGrant(tx, id, now); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

func putGrant(tx Tx, g Grant) error {
	g.Revision++
	return tx.Put(g.record())
}

// EndGrants kills every grant that was given in the session sid and is not Offline: one record, whatever their number. It
// is kept until the last of them would have ended by itself. Ending twice is no error.
func EndGrants(tx Tx, sid string, until time.Time) error {
	return tx.Put(Record{Kind: KindEndedSession, ID: sid, Expires: until})
}

// RevokeToken kills one access token, named by its hash, until its own end. Twice is no error.
func RevokeToken(tx Tx, id string, expires time.Time) error {
	return tx.Put(Record{Kind: KindRevokedToken, ID: id, Expires: expires})
}

// CheckToken returns ErrNotFound for an access token that was revoked.
func CheckToken(tx Tx, id string) error {
	_, err := tx.Get(KindRevokedToken, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrNotFound
}
