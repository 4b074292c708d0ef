package storage

import (
	"encoding/hex"
	"errors"
	"time"
)

// KindSignature is the kind of signatures that have signed somebody in.
const KindSignature Kind = "signature"

// ErrSpent is returned for a signature that was used before.
var ErrSpent = errors.New("storage: signature was used before")

// SpendSignature records that the signature with this SHA-256 has been used, until the end of its challenge; later the
// challenge itself refuses it. ErrSpent.
func SpendSignature(tx Tx, digest [32]byte, until time.Time) error {
	err := tx.Insert(Record{Kind: KindSignature, ID: hex.EncodeToString(digest[:]), Expires: until, Body: []byte("{}")})
	if errors.Is(err, ErrExists) {
		return ErrSpent
	}
	return err
}

// SignatureSpent reports whether SpendSignature was called for this digest and its challenge is not over.
func SignatureSpent(tx Tx, digest [32]byte) (bool, error) {
	_, err := tx.Get(KindSignature, hex.EncodeToString(digest[:]))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
