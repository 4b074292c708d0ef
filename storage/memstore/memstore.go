// Package memstore is a storage.Store in memory: for tests, and for throw-away servers. It keeps nothing over a restart.
package memstore

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// A Store is a storage.Store in memory. Safe for concurrent use.
type Store struct {
	now    func() time.Time
	mu     sync.RWMutex
	kinds  map[storage.Kind]map[string]storage.Record
	closed bool
}

var _ storage.Store = (*Store)(nil)

// Config of a Store; the zero value is good.
type Config struct {
	Now func() time.Time // the clock; nil means time.Now
}

// New returns an empty store.
func New(cfg Config) *Store {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Store{now: cfg.Now, kinds: map[storage.Kind]map[string]storage.Record{}}
}

var errClosed = errors.New("memstore: closed")

type base struct{ s *Store }

func (b base) Get(k storage.Kind, id string) (storage.Record, bool, error) {
	r, ok := b.s.kinds[k][id]
	return r, ok, nil
}

func (b base) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		for _, r := range b.s.kinds[k] {
			if (group == "" || r.Group == group) && !yield(r, nil) {
				return
			}
		}
	}
}

// View implements storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return fn(overlay.New(base{s}, s.now(), true))
}

// UpdateUnsynced implements storage.Store: nothing here is on a disk.
func (s *Store) UpdateUnsynced(ctx context.Context, fn func(storage.Tx) error) error {
	return s.Update(ctx, fn)
}

// Update implements storage.Store.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	tx := overlay.New(base{s}, s.now(), false)
	if err := fn(tx); err != nil {
		return err
	}
	for _, w := range tx.Writes() {
		r := w.Record
		if w.Deleted {
			delete(s.kinds[r.Kind], r.ID)
			continue
		}
		if s.kinds[r.Kind] == nil {
			s.kinds[r.Kind] = map[string]storage.Record{}
		}
		s.kinds[r.Kind][r.ID] = r
	}
	return nil
}

// Sweep removes at most limit expired records and returns how many it removed.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, n := s.now(), 0
	for _, records := range s.kinds {
		for id, r := range records {
			if n == limit {
				return n, nil
			}
			if !r.Expires.IsZero() && !r.Expires.After(now) {
				delete(records, id)
				n++
			}
		}
	}
	return n, nil
}

// Close implements storage.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}
