package storage

import (
	"time"

	"brama/internal/pack"
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

// InsertLogin stores a new login at revision 1. ErrExists.
func InsertLogin(tx Tx, l Login) error {
	l.Revision = 1
	return tx.Insert(l.record())
}

// GetLogin returns a login. ErrNotFound, also once expired.
func GetLogin(tx Tx, id string) (Login, error) {
	r, err := tx.Get(KindLogin, id)
	if err != nil {
		return Login{}, err
	}
	p, err := openPacked(r.Body)
	if err != nil {
		return Login{}, damaged(KindLogin, err)
	}
	l := Login{ID: id, Expires: r.Expires, Revision: p.Uint(), Body: readBytes(p)}
	return l, damaged(KindLogin, p.End())
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
	l.Revision++
	return l.Revision, tx.Put(l.record())
}

func (l *Login) record() Record {
	b := pack.AppendUint(newPacked(16+len(l.Body)), l.Revision)
	return Record{Kind: KindLogin, ID: l.ID, Expires: l.Expires, Body: pack.AppendString(b, l.Body)}
}
