package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// KindRequest is the kind of requests at other systems whose id cannot name the login that they are of.
const KindRequest Kind = "request"

// A Request says which login a request at another system is of. It is no right to anything.
type Request struct {
	Login string `json:"login"`
}

// requestID keeps the id itself out of the store: it may be derived from what a person signs.
func requestID(system, id string) string {
	sum := sha256.Sum256([]byte(system + "\x00" + id))
	return hex.EncodeToString(sum[:])
}

// PutRequest records that the request id at a system is of login, until a time. An id that is there already gets the new
// login: whoever made the request before has proven nothing by it.
func PutRequest(tx Tx, system, id string, r Request, until time.Time) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Put(Record{Kind: KindRequest, ID: requestID(system, id), Expires: until, Body: body})
}

// GetRequest returns what PutRequest recorded. ErrNotFound, also once it is over.
func GetRequest(tx Tx, system, id string) (Request, error) {
	rec, err := tx.Get(KindRequest, requestID(system, id))
	if err != nil {
		return Request{}, err
	}
	var r Request
	return r, json.Unmarshal(rec.Body, &r)
}
