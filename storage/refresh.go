package storage

import (
	"errors"
	"time"
)

// ErrReused is returned for a refresh token that was used before: whoever comes second has stolen it, or has been stolen
// from.
var ErrReused = errors.New("storage: refresh token was used before")

// A RefreshFamily is the chain of refresh tokens of one grant. A token is a sealed number: nothing of it is stored but the
// number of the newest one, so that using a token is one compare-and-set on one small record. The record is absent if the
// grant has no refresh token, or is dead.
type RefreshFamily struct {
	Grant      string    // id of the grant and of the record
	Generation uint64    // of the newest token, 1 at first
	Rotated    time.Time // when it was made
	Used       time.Time // when the family was last used, near enough for the idle limit
	Retries    int       // how often the token before it came again in time
	Bound      string    // the key that a public client must prove (RFC 9449, 5; RFC 8705, 4)
	Expires    time.Time // absolute
}

// RefreshRules say how refresh tokens of a family are used.
type RefreshRules struct {
	Rotate  bool          // a token is good once; false leaves it as it is (FAPI 2.0, 5.3.2.1: bound tokens are not rotated)
	Idle    time.Duration // an unused family dies after this
	Grace   time.Duration // how long the token before the newest may come again, its answer having been lost
	Retries int           // and how often
}

// usedStep is the part of the idle limit by which Used may lag behind where tokens are not rotated, so that not every
// use writes.
const usedStep = 16

// InsertRefresh begins the family of a grant. ErrExists.
func InsertRefresh(tx Tx, f RefreshFamily) error {
	return tx.Insert(f.record())
}

// GetRefresh returns the family of a grant. ErrNotFound, also once expired.
func GetRefresh(tx Tx, grant string) (RefreshFamily, error) {
	r, err := tx.Get(KindRefresh, grant)
	if err != nil {
		return RefreshFamily{}, err
	}
	f := RefreshFamily{Grant: grant, Expires: r.Expires}
	return f, f.unpack(r.Body)
}

func (f *RefreshFamily) record() Record {
	return Record{Kind: KindRefresh, ID: f.Grant, Expires: f.Expires, Body: f.pack()}
}

// UseRefresh spends the token of a generation and returns the family as it is then: its Generation is that of the token to
// answer with. A token whose answer was lost may come again within the grace and gets another token of the generation it
// got before, so that whichever of the two is used first makes the other one a used token. ErrReused for any other token
// than the newest: the caller revokes the grant. ErrNotFound if the family is absent, expired or idle for too long.
func UseRefresh(tx Tx, grant string, generation uint64, rules RefreshRules, now time.Time) (RefreshFamily, error) {
	f, err := GetRefresh(tx, grant)
	if err != nil {
		return RefreshFamily{}, err
	}
	// The store hides what has expired; a backend that is slow to do so must not matter.
	if !now.Before(f.Expires) || !now.Before(f.Used.Add(rules.Idle)) {
		return RefreshFamily{}, ErrNotFound
	}
	switch {
	case generation == f.Generation && rules.Rotate:
		f.Generation++
		f.Rotated, f.Used, f.Retries = now, now, 0
	case generation == f.Generation:
		if now.Sub(f.Used) < rules.Idle/usedStep {
			return f, nil
		}
		f.Used = now
	case generation+1 == f.Generation && now.Before(f.Rotated.Add(rules.Grace)) && f.Retries < rules.Retries:
		f.Retries++
	default:
		return RefreshFamily{}, ErrReused
	}
	return f, tx.Put(f.record())
}
