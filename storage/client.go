package storage

import (
	"encoding/json"
	"errors"
	"time"
)

// Kinds of what clients registered.
const (
	KindClient Kind = "client"
	KindSector Kind = "sector" // a sector_identifier_uri that was read and lists the redirect URIs
)

// A RegisteredClient is a client that registered itself (RFC 7591). The record ends by itself when nobody uses it.
type RegisteredClient struct {
	ID       string          `json:"-"`
	Revision uint64          `json:"revision"`
	Metadata json.RawMessage `json:"metadata"` // as it was registered, without secrets
	Secret   []byte          `json:"secret,omitempty"`
	// Token is the SHA-256 of the registration access token. OldToken, of the one before, is good until the new one came: an
	// answer that was lost locks nobody out.
	Token    []byte    `json:"token"`
	OldToken []byte    `json:"old_token,omitempty"`
	By       string    `json:"by,omitempty"` // name of the initial access token
	Created  time.Time `json:"created"`
	Used     time.Time `json:"used,omitzero"` // to the day
	Expires  time.Time `json:"-"`
}

// InsertClient stores a new client at revision 1. ErrExists.
func InsertClient(tx Tx, c RegisteredClient) error {
	c.Revision = 1
	r, err := encode(KindClient, c.ID, "", c.Expires, c)
	if err != nil {
		return err
	}
	return tx.Insert(r)
}

// GetClient returns a client. ErrNotFound, also once expired.
func GetClient(tx Tx, id string) (RegisteredClient, error) {
	var c RegisteredClient
	r, err := decode(tx, KindClient, id, &c)
	if err != nil {
		return RegisteredClient{}, err
	}
	c.ID, c.Expires = id, r.Expires
	return c, nil
}

// ReplaceClient stores c, read earlier, if nobody changed it meanwhile. ErrConflict, ErrNotFound.
func ReplaceClient(tx Tx, c RegisteredClient) error {
	now, err := GetClient(tx, c.ID)
	if err != nil {
		return err
	}
	if now.Revision != c.Revision {
		return ErrConflict
	}
	c.Revision++
	r, err := encode(KindClient, c.ID, "", c.Expires, c)
	if err != nil {
		return err
	}
	return tx.Put(r)
}

// DeleteClient deletes a client, read earlier, if nobody changed it meanwhile. ErrConflict, ErrNotFound.
func DeleteClient(tx Tx, c RegisteredClient) error {
	now, err := GetClient(tx, c.ID)
	if err != nil {
		return err
	}
	if now.Revision != c.Revision {
		return ErrConflict
	}
	return tx.Delete(KindClient, c.ID)
}

// CountClients counts the registered clients, up to most.
func CountClients(tx Tx, most int) (int, error) {
	n := 0
	for _, err := range tx.Scan(KindClient, "") {
		if err != nil {
			return n, err
		}
		if n++; n >= most {
			break
		}
	}
	return n, nil
}

// ClientIDs lists the registered clients.
func ClientIDs(tx Tx) ([]string, error) {
	var ids []string
	for r, err := range tx.Scan(KindClient, "") {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// PutSectorProof remembers that a list of redirect URIs was verified; id is the hash of what was verified.
func PutSectorProof(tx Tx, id string) error {
	return tx.Put(Record{Kind: KindSector, ID: id, Body: []byte("{}")})
}

// SectorProven reports whether PutSectorProof was called for id.
func SectorProven(tx Tx, id string) (bool, error) {
	_, err := tx.Get(KindSector, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
