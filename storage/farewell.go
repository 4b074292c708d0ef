package storage

import (
	"time"
)

// KindFarewell is the kind of messages to portals that a session has ended.
const KindFarewell Kind = "farewell"

// A Farewell is one message that a portal must get: the session in which it was told of a person is over. It is written in
// the transaction that ends the session, and stays until the portal has taken it or the tries are used up.
type Farewell struct {
	ID       string    `json:"-"` // random
	Revision uint64    `json:"revision"`
	Client   string    `json:"client"`
	Person   string    `json:"person"`
	SID      string    `json:"sid"`
	Tries    int       `json:"tries"`
	Next     time.Time `json:"next"` // not before
	Expires  time.Time `json:"-"`
}

// InsertFarewell stores a message. ErrExists.
func InsertFarewell(tx Tx, f Farewell) error {
	f.Revision = 1
	r, err := encode(KindFarewell, f.ID, "", f.Expires, f)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetFarewell returns a message. ErrNotFound, also once expired.
func GetFarewell(tx Tx, id string) (Farewell, error) {
	var f Farewell
	r, err := decode(tx, KindFarewell, id, &f)
	if err != nil {
		return Farewell{}, err
	}
	f.ID, f.Expires = id, r.Expires
	return f, nil
}

// Farewells returns at most limit messages that are due at now, and when the first of the others will be: zero if there is
// none.
func Farewells(tx Tx, now time.Time, limit int) (due []Farewell, next time.Time, err error) {
	var ids []string
	for r, err := range tx.Scan(KindFarewell, "") {
		if err != nil {
			return nil, time.Time{}, err
		}
		ids = append(ids, r.ID)
	}
	for _, id := range ids {
		f, err := GetFarewell(tx, id)
		if err != nil {
			continue // expired meanwhile
		}
		at := f.Next
		if !at.After(now) {
			if len(due) < limit {
				due = append(due, f)
				continue
			}
			at = now
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return due, next, nil
}

// ClaimFarewell takes a message for one try: until lease has passed nobody else will. It counts the try. ErrConflict if
// another sender was faster, ErrNotFound.
func ClaimFarewell(tx Tx, seen Farewell, until time.Time) (Farewell, error) {
	f, err := GetFarewell(tx, seen.ID)
	if err != nil {
		return Farewell{}, err
	}
	if f.Revision != seen.Revision {
		return Farewell{}, ErrConflict
	}
	f.Tries++
	f.Next = until
	err = putFarewell(tx, &f)
	return f, err
}

// PutFarewellOff sets the moment of the next try of a message that was claimed. ErrConflict, ErrNotFound.
func PutFarewellOff(tx Tx, claimed Farewell, next time.Time) error {
	f, err := GetFarewell(tx, claimed.ID)
	if err != nil {
		return err
	}
	if f.Revision != claimed.Revision {
		return ErrConflict
	}
	f.Next = next
	return putFarewell(tx, &f)
}

// DeleteFarewell forgets a message; an absent one is no error.
func DeleteFarewell(tx Tx, id string) error { return tx.Delete(KindFarewell, id) }

func putFarewell(tx Tx, f *Farewell) error {
	f.Revision++
	r, err := encode(KindFarewell, f.ID, "", f.Expires, f)
	if err != nil {
		return err
	}
	return tx.Put(r)
}
