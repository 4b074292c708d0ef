package storage

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors of every Store.
var (
	ErrNotFound = errors.New("storage: not found") // also once expired
	ErrExists   = errors.New("storage: already exists")
	ErrConflict = errors.New("storage: changed by another request")
)

// A Kind is a kind of record.
type Kind string

// A Record is one stored entity. Nobody changes the bytes of a Body that was put or that a transaction returned: the store, and
// whoever reads it, share them.
type Record struct {
	Kind      Kind
	ID, Group string    // Group is a secondary key: one grant, session or person. Secrets are stored as their hash
	Expires   time.Time // zero means never
	Body      []byte    // the typed entity, written by storage: JSON, or a compact form for what is read most
}

// A Store runs functions in transactions. View sees a snapshot. Update is serializable and commits if fn returns nil;
// fn may run more than once and must have no other effect. None may be called inside another.
//
// What Update wrote, and all that fn has seen, is on the disk when it returns. UpdateUnsynced is an Update that does not wait
// for the disk: the end of the process loses nothing of it, the end of the machine may, and then also all that came behind
// it; the next Update makes it durable. It is for steps whose loss costs a person a try and nobody a right: before anything is
// let out that rests on them there must be an Update.
type Store interface {
	View(ctx context.Context, fn func(Tx) error) error
	Update(ctx context.Context, fn func(Tx) error) error
	UpdateUnsynced(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// A Tx reads and writes records inside a transaction.
type Tx interface {
	Get(k Kind, id string) (Record, error) // ErrNotFound, also once expired
	Insert(r Record) error                 // ErrExists
	Put(r Record) error
	Delete(k Kind, id string) error
	Scan(k Kind, group string) iter.Seq2[Record, error] // group "" is every record of the kind
}
