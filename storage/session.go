package storage

import (
	"time"
)

// KindSession is the kind of browser sessions.
const KindSession Kind = "session"

// A Session is a browser in which a person is signed in. It carries the level and time of the login that made it, which
// never change: a stronger login makes another session.
type Session struct {
	ID       string    `json:"-"` // HashSecret of the cookie
	Person   string    `json:"-"` // the record is in this group
	ACR      string    `json:"acr"`
	AMR      []string  `json:"amr"`
	AuthTime time.Time `json:"auth_time"`
	Sealed   []byte    `json:"sealed,omitempty"` // the identity, sealed by its owner
	Expires  time.Time `json:"-"`
}

// InsertSession stores a new session. ErrExists.
func InsertSession(tx Tx, s Session) error {
	r, err := encode(KindSession, s.ID, s.Person, s.Expires, s)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetSession returns a session. ErrNotFound, also once expired.
func GetSession(tx Tx, id string) (Session, error) {
	var s Session
	r, err := decode(tx, KindSession, id, &s)
	if err != nil {
		return Session{}, err
	}
	s.ID, s.Person, s.Expires = id, r.Group, r.Expires
	return s, nil
}

// DeleteSession ends a session; an absent one is no error.
func DeleteSession(tx Tx, id string) error { return tx.Delete(KindSession, id) }
