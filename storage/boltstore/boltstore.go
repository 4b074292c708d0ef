package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// Config of a Store.
type Config struct {
	Path       string           // of the file; its folder is made (0700) if absent
	Now        func() time.Time // the clock; nil means time.Now
	SweepEvery time.Duration    // how often expired records are removed; 0 means a minute, negative never
}

const (
	fileMode   = 0o600
	lockWait   = time.Second // another process holds the file: say so, do not hang
	maxBatch   = 256         // functions in one commit: bounds how long the first of them waits
	sweepBatch = 500         // records removed in one commit
)

// A Store is a storage.Store in a bbolt file. Safe for concurrent use.
type Store struct {
	db    *bolt.DB
	now   func() time.Time
	queue chan *job

	mu     sync.RWMutex // held for reading while a job is put into the queue
	closed bool

	writer  sync.WaitGroup
	sweeper sync.WaitGroup
	stop    chan struct{}
}

var _ storage.Store = (*Store)(nil)

// Errors of a Store.
var (
	ErrClosed = errors.New("boltstore: closed")
	// ErrBroken is returned by every Update after a commit has failed: what the disk holds is then not known until the file
	// is opened again.
	ErrBroken = errors.New("boltstore: an earlier commit failed, restart the server")
)

// Open opens the file, or makes it. The file is readable and writable by its owner only, also if it was not before.
func Open(cfg Config) (*Store, error) {
	if cfg.Path == "" {
		return nil, errors.New("boltstore: no path")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SweepEvery == 0 {
		cfg.SweepEvery = time.Minute
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("boltstore: making the folder: %w", err)
	}
	db, err := bolt.Open(cfg.Path, fileMode, &bolt.Options{
		Timeout: lockWait,
		// The list of free pages is rebuilt when the file is opened, which is rare; each commit is then smaller.
		NoFreelistSync: true,
		FreelistType:   bolt.FreelistMapType,
	})
	if err != nil {
		return nil, fmt.Errorf("boltstore: opening (is another server running?): %w", err)
	}
	if err := os.Chmod(cfg.Path, fileMode); err != nil {
		return nil, errors.Join(fmt.Errorf("boltstore: restricting the file: %w", err), db.Close())
	}
	s := &Store{db: db, now: cfg.Now, queue: make(chan *job, maxBatch), stop: make(chan struct{})}
	s.writer.Add(1)
	go s.write()
	if cfg.SweepEvery > 0 {
		s.sweeper.Add(1)
		go s.sweep(cfg.SweepEvery)
	}
	return s, nil
}

// View implements storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.db.View(func(tx *bolt.Tx) error {
		return fn(overlay.New(base{tx}, s.now(), true))
	})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Update implements storage.Store. It waits for its commit even if ctx ends meanwhile, for the outcome must be known.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return s.do(&job{ctx: ctx, run: func(tx *bolt.Tx) error {
		o := overlay.New(base{tx}, s.now(), false)
		if err := fn(o); err != nil {
			return err
		}
		return o.Writes(
			func(r storage.Record) error { return put(tx, r) },
			func(k storage.Kind, id string) error { return remove(tx, k, id) },
		)
	}})
}

// Sweep removes at most limit expired records and returns how many it removed.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.do(&job{ctx: ctx, run: func(tx *bolt.Tx) error {
		var err error
		n, err = sweep(tx, s.now(), limit)
		return err
	}})
	return n, err
}

func (s *Store) sweep(every time.Duration) {
	defer s.sweeper.Done()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
		}
		for {
			// An error is met again by the next request, which has somebody to tell.
			if n, err := s.Sweep(context.Background(), sweepBatch); err != nil || n < sweepBatch {
				break
			}
		}
	}
}

// Close waits for what is being written, then closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.stop)
	close(s.queue)
	s.mu.Unlock()
	s.sweeper.Wait()
	s.writer.Wait()
	return s.db.Close()
}
