package storage

import (
	"errors"
	"time"
)

// KindSpent is the kind of names that count once: the jti of an assertion or of a proof.
const KindSpent Kind = "spent"

// Spend marks name as used, for its purpose alone, until expires. ErrConflict if it was used before. Names come from
// outside, so that their hash is stored; purpose is a word of ours and what the name is unique under, such as the client.
func Spend(tx Tx, purpose, name string, expires time.Time) error {
	err := tx.Insert(Record{Kind: KindSpent, ID: HashSecret(purpose + "\x00" + name), Expires: expires, Body: []byte("{}")})
	if errors.Is(err, ErrExists) {
		return ErrConflict
	}
	return err
}
