package storage

import (
	"time"
)

// KindLogin is the kind of logins.
const KindLogin Kind = "login"

// A Login is one login in progress. What it holds is authflow's: Body is opaque here, and sealed by its owner, for it
// carries a person's data between the signature and the code. Revision is the compare-and-set: whoever wants to change a
// login must have seen its newest revision, so that of two events one wins.
type Login struct {
	ID       string
	Revision uint64 // 1 at first, raised by every UpdateLogin
	Expires  time.Time
	Body     []byte
}

type loginBody struct {
	Revision uint64 `json:"revision"`
	Body     []byte `json:"body"`
}

// InsertLogin stores a new login at revision 1. ErrExists.
func InsertLogin(tx Tx, l Login) error {
	r, err := encode(KindLogin, l.ID, "", l.Expires, loginBody{Revision: 1, Body: l.Body})
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetLogin returns a login. ErrNotFound, also once expired.
func GetLogin(tx Tx, id string) (Login, error) {
	var b loginBody
	r, err := decode(tx, KindLogin, id, &b)
	if err != nil {
		return Login{}, err
	}
	return Login{ID: id, Revision: b.Revision, Expires: r.Expires, Body: b.Body}, nil
}

// UpdateLogin stores l if the stored login is still at l.Revision, and returns the new revision. ErrConflict if another
// event was faster, ErrNotFound.
func UpdateLogin(tx Tx, l Login) (uint64, error) {
	stored, err := GetLogin(tx, l.ID)
	if err != nil {
		return 0, err
	}
	if stored.Revision != l.Revision {
		return 0, ErrConflict
	}
	r, err := encode(KindLogin, l.ID, "", l.Expires, loginBody{Revision: l.Revision + 1, Body: l.Body})
	if err != nil {
		return 0, err
	}
	return l.Revision + 1, tx.Put(r)
}

// DeleteLogin removes a login if it is still at revision. ErrConflict, ErrNotFound.
func DeleteLogin(tx Tx, id string, revision uint64) error {
	stored, err := GetLogin(tx, id)
	if err != nil {
		return err
	}
	if stored.Revision != revision {
		return ErrConflict
	}
	return tx.Delete(KindLogin, id)
}
