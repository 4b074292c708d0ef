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

	journalSuffix = "-journal"
)

// A Store is a storage.Store in a bbolt file. Safe for concurrent use.
type Store struct {
	db      *bolt.DB
	journal *journal // the writer's
	now     func() time.Time
	queue   chan *job

	reading  sync.RWMutex // held for reading while a View takes hold of the state, for writing while the state moves on
	gathered *gathered
	number   uint64 // of the last frame that was written

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
	// ErrInUse is returned by Open while another process has the file: one store is one server's.
	ErrInUse = errors.New("boltstore: another server has the file open")
	// ErrBroken is returned by every Update after a commit has failed: what the disk holds is then not known until the file
	// is opened again.
	ErrBroken = errors.New("boltstore: an earlier commit failed, restart the server")
)

// Open opens the file, or makes it, and beside it the journal, whose name has "-journal" behind: what a crash left there goes
// into the file. Both are readable and writable by their owner only, also if they were not before.
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
		// Addresses only: while the file grows into them, nothing has to be mapped anew and copied.
		InitialMmapSize: 256 << 20,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, cfg.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("boltstore: opening: %w", err)
	}
	if err := os.Chmod(cfg.Path, fileMode); err != nil {
		return nil, errors.Join(fmt.Errorf("boltstore: restricting the file: %w", err), db.Close())
	}
	s := &Store{db: db, now: cfg.Now, gathered: newGathered(), queue: make(chan *job, maxBatch), stop: make(chan struct{})}
	if err := s.recover(cfg.Path + journalSuffix); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.writer.Add(1)
	go s.write()
	if cfg.SweepEvery > 0 {
		s.sweeper.Add(1)
		go s.sweep(cfg.SweepEvery)
	}
	return s, nil
}

// recover opens the journal and puts into the tree what it has.
func (s *Store) recover(path string) error {
	var applied uint64
	if err := s.db.View(func(tx *bolt.Tx) (err error) {
		applied, err = readApplied(tx)
		return err
	}); err != nil {
		return err
	}
	j, changes, err := openJournal(path, applied)
	if err != nil {
		return err
	}
	s.journal, s.number = j, j.number
	for _, c := range changes {
		s.gathered.add(j.number, c)
	}
	if err := s.settle(nil); err != nil {
		return errors.Join(fmt.Errorf("boltstore: taking over the journal: %w", err), j.file.Close())
	}
	return nil
}

// View implements storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, now, err := s.read()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return fn(overlay.New(now, s.now(), true))
}

// read takes hold of the state as it is: a tree and what gathered over it belong together.
func (s *Store) read() (*bolt.Tx, state, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	tx, err := s.db.Begin(false)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return tx, state{base{tx}, s.gathered, s.number}, err
}

// Update implements storage.Store. It waits for its commit even if ctx ends meanwhile, for the outcome must be known.
func (s *Store) Update(ctx context.Context, fn func(storage.Tx) error) error {
	return s.do(&job{ctx: ctx, run: fn})
}

// UpdateUnsynced implements storage.Store.
func (s *Store) UpdateUnsynced(ctx context.Context, fn func(storage.Tx) error) error {
	return s.do(&job{ctx: ctx, run: fn, unsynced: true})
}

// Sweep removes at most limit expired records and returns how many it removed.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	n := 0
	err := s.do(&job{ctx: ctx, settle: func(tx *bolt.Tx) error {
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

// Close waits for what is being written, moves it into the file, and closes it: the journal is then empty.
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
	return errors.Join(s.journal.file.Close(), s.db.Close())
}
