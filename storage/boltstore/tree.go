package boltstore

import (
	"bytes"
	"errors"
	"iter"
	"sync"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// A tree is the file as one transaction of bbolt sees it, shared by all who read between two commits of the file: to begin
// one for each costs more than most of them look up. The transaction is not for several goroutines at once, so it is under a
// lock, which nobody holds while something else is done. It ends when its last user has gone.
type tree struct {
	mu      sync.Mutex
	tx      *bolt.Tx
	users   int
	filter  *filter                       // nil once there may be a newer tree
	cursors map[storage.Kind]*bolt.Cursor // nil for a kind that has no bucket
	key     []byte                        // that was looked up last
	looks   int                           // since the pages were given back
}

// looksAtOnce is after how many looks the pages are given back: each may bring in a few that lie around what was looked for.
const looksAtOnce = 256

var _ overlay.Base = (*tree)(nil)

// newTree returns the file as it is, with one user.
func newTree(db *bolt.DB) (*tree, error) {
	tx, err := db.Begin(false)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	if err != nil {
		return nil, err
	}
	return &tree{tx: tx, users: 1, cursors: make(map[storage.Kind]*bolt.Cursor)}, nil
}

func (t *tree) use() {
	t.mu.Lock()
	t.users++
	t.mu.Unlock()
}

func (t *tree) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users--; t.users == 0 {
		_ = t.tx.Rollback() // it only read
	}
}

// unfilter is for what is about to be no longer the newest tree.
func (t *tree) unfilter() {
	t.mu.Lock()
	t.filter = nil
	t.mu.Unlock()
}

// alone reports whether nobody uses t but the store itself.
func (t *tree) alone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.users == 1
}

// Get implements overlay.Base.
func (t *tree) Get(k storage.Kind, id string) (storage.Record, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = appendID(t.key[:0], id)
	if t.filter != nil && !t.filter.has(k, t.key) {
		return storage.Record{}, false, nil
	}
	c, ok := t.cursors[k]
	if !ok {
		if b := t.tx.Bucket([]byte(k)); b != nil {
			c = b.Cursor()
		}
		t.cursors[k] = c
	}
	if c == nil {
		return storage.Record{}, false, nil
	}
	if t.looks++; t.looks == looksAtOnce {
		t.looks = 0
		forget(t.tx)
	}
	key, v := c.Seek(t.key)
	if !bytes.Equal(key, t.key) {
		return storage.Record{}, false, nil
	}
	r, err := parse(k, id, v)
	r.Body = bytes.Clone(r.Body) // what is mapped goes with the transaction
	return r, err == nil, err
}

// entries are those of a bucket from the key first on.
func (t *tree) entries(bucket, first []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		t.mu.Lock()
		var c *bolt.Cursor
		var k, v []byte
		if b := t.tx.Bucket(bucket); b != nil {
			c = b.Cursor()
			k, v = c.Seek(first)
		}
		t.mu.Unlock()
		for k != nil && yield(k, v) {
			t.mu.Lock()
			k, v = c.Next()
			t.mu.Unlock()
		}
	}
}

// Scan implements overlay.Base.
func (t *tree) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		if group != "" {
			t.scanGroup(k, group, yield)
			return
		}
		for key, v := range t.entries([]byte(k), nil) {
			r, err := parseEntry(k, key, v)
			if r.Body = bytes.Clone(r.Body); !yield(r, err) {
				return
			}
		}
	}
}

func (t *tree) scanGroup(k storage.Kind, group string, yield func(storage.Record, error) bool) {
	prefix := groupKey(k, group)
	seen := map[string]bool{}
	for key, list := range t.entries(groupsBucket, prefix) {
		rest, ok := bytes.CutPrefix(key, prefix)
		if !ok {
			return
		}
		for id, err := range listedIDs(rest, list) {
			if seen[id] {
				continue
			}
			seen[id] = true
			var r storage.Record
			if err == nil {
				r, ok, err = t.Get(k, id)
			}
			if err == nil && (!ok || r.Group != group) {
				continue // it has gone, or moved
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
