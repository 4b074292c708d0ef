package storage

import "time"

// KindPushed is the kind of authorization requests that clients pushed.
const KindPushed Kind = "pushed"

// A PushedRequest is an authorization request that came from the client and not through the browser (RFC 9126). The
// browser may bring its handle until Until; it is spent when an authorization made from it is granted, once.
type PushedRequest struct {
	ID      string    `json:"-"` // HashSecret of the handle
	Client  string    `json:"client"`
	Until   time.Time `json:"until"`
	Spent   time.Time `json:"spent,omitzero"`
	Sealed  []byte    `json:"sealed"` // the request, sealed by provider/oauth
	Expires time.Time `json:"-"`      // after the last login that may have begun with it
}

// InsertPushed stores a new pushed request. ErrExists.
func InsertPushed(tx Tx, q PushedRequest) error {
	r, err := encode(KindPushed, q.ID, "", q.Expires, q)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetPushed returns a pushed request, also a spent one. ErrNotFound, also once expired.
func GetPushed(tx Tx, id string) (PushedRequest, error) {
	var q PushedRequest
	r, err := decode(tx, KindPushed, id, &q)
	if err != nil {
		return PushedRequest{}, err
	}
	q.ID, q.Expires = id, r.Expires
	return q, nil
}

// SpendPushed marks the request as granted at now. ErrConflict if it was already, or is of another client; ErrNotFound.
func SpendPushed(tx Tx, id, client string, now time.Time) error {
	q, err := GetPushed(tx, id)
	if err != nil {
		return err
	}
	if q.Client != client || !q.Spent.IsZero() {
		return ErrConflict
	}
	q.Spent, q.Sealed = now, nil
	r, err := encode(KindPushed, id, "", q.Expires, q)
	if err != nil {
		return err
	}
	return tx.Put(r)
}
