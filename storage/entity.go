package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// HashSecret returns the name under which a secret (a code, a token, a session cookie) is stored: its SHA-256 in hex. A
// stolen store then yields no live secret. Secrets have at least 128 random bits, so a plain hash is enough.
func HashSecret(secret string) string {
	var scratch [512]byte // most are shorter, and stay off the heap
	sum := sha256.Sum256(append(scratch[:0], secret...))
	var id [2 * sha256.Size]byte
	hex.Encode(id[:], sum[:])
	return string(id[:])
}

func encode(k Kind, id, group string, expires time.Time, v any) (Record, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Record{}, fmt.Errorf("storage: encoding %s: %w", k, err)
	}
	return Record{Kind: k, ID: id, Group: group, Expires: expires, Body: body}, nil
}

func decode(tx Tx, k Kind, id string, v any) (Record, error) {
	r, err := tx.Get(k, id)
	if err != nil {
		return Record{}, err
	}
	if err := json.Unmarshal(r.Body, v); err != nil {
		return Record{}, fmt.Errorf("storage: decoding %s: %w", k, err)
	}
	return r, nil
}
