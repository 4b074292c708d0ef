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

	"brama/internal/batch"
	"brama/storage"
	"brama/storage/internal/overlay"
)

// Config of a Store.
type Config struct {
	Path       string           // of the file; its folder is made (0700) if absent
	Now        func() time.Time // the clock; nil means time.Now
	SweepEvery time.Duration    // how often expired records are removed; 0 means a minute, negative never

	mapped int // bytes of the file that are mapped at first; 0 means 256 MiB
}

const (
	fileMode   = 0o600
	lockWait   = time.Second // another process holds the file: say so, do not hang
	sweepBatch = 500         // records removed in one commit

	journalSuffix = "-journal"
)

// A Store is a storage.Store in a bbolt file. Safe for concurrent use.
type Store struct {
	db      *bolt.DB
	journal *journal // the writer's
	now     func() time.Time

	reading  sync.RWMutex // held for reading while a View takes hold of the state, for writing while the state moves on
	tree     *tree        // nil while what gathered moves into it
	gathered *gathered
	number   uint64 // of the last frame that was written

	writer batch.Writer[*job]
	filter *filter // the writer's while there is no tree, else the tree's
	broken error   // the writer's: why there is nothing to be written any more
	view   state   // the writer's
	room   overlay.Room

	sweeper sync.WaitGroup
	stop    chan struct{}
}

var _ storage.Store = (*Store)(nil)

// Errors of a Store.
var (
	ErrClosed = errors.New("boltstore: closed")
	// ErrInUse is returned by Open while another process has the file: one store is one server's.
	ErrInUse = errors.New("boltstore: another server has the file open")
	// ErrForm is returned by Open for a file that another version of this program has written in another form.
	ErrForm = errors.New("boltstore: the file has the form of another version")
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
	if cfg.mapped == 0 {
		cfg.mapped = 256 << 20
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
		InitialMmapSize: cfg.mapped,
		NoStatistics:    true,
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
	s := &Store{db: db, now: cfg.Now, gathered: newGathered(), stop: make(chan struct{})}
	s.writer.Write, s.writer.Abort = s.write, s.abort
	if err := s.recover(cfg.Path + journalSuffix); err != nil {
		return nil, errors.Join(err, db.Close())
	}
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
		s.gathered.add(j.number, c, false, true)
	}
	if s.filter, err = newFilter(s.db); err == nil {
		err = s.settle(nil)
	}
	if err == nil && s.tree == nil { // there was nothing to take over
		if s.tree, err = newTree(s.db); err == nil {
			s.tree.filter = s.filter
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("boltstore: taking over the journal: %w", err), j.file.Close())
	}
	return nil
}

// View implements storage.Store.
func (s *Store) View(ctx context.Context, fn func(storage.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now, err := s.hold()
	if err != nil {
		return err
	}
	defer now.tree.release()
	return fn(overlay.New(&now, s.now(), true))
}

// hold takes hold of the state as it is: a tree and what gathered over it belong together. Whoever holds it releases the tree.
func (s *Store) hold() (now state, err error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	now = state{s.tree, s.gathered, s.number}
	if now.tree == nil {
		now.tree, err = newTree(s.db)
	} else {
		now.tree.use()
	}
	return now, err
}

// letGo ends the store's own use of the tree: nothing of it may be open for long while the file is written, which may have
// to map it anew.
func (s *Store) letGo() {
	s.reading.Lock()
	t := s.tree
	s.tree = nil
	s.reading.Unlock()
	if t != nil {
		t.unfilter()
		t.release()
	}
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
	n, _, err := s.sweepSome(ctx, limit)
	return n, err
}

func (s *Store) sweepSome(ctx context.Context, limit int) (n int, more bool, err error) {
	err = s.do(&job{ctx: ctx, settle: func(tx *bolt.Tx) (err error) {
		n, more, err = sweepTree(tx, s.filter, s.now(), limit)
		return err
	}})
	return n, more, err
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
			if _, more, err := s.sweepSome(context.Background(), sweepBatch); err != nil || !more {
				break
			}
		}
	}
}

// Close waits for what is being written, moves it into the file, and closes it: the journal is then empty.
func (s *Store) Close() error {
	if !s.writer.Close() {
		return nil
	}
	close(s.stop)
	s.sweeper.Wait()
	if s.broken == nil {
		_ = s.settle(nil) // the next start does it otherwise
	}
	s.letGo()
	return errors.Join(s.journal.file.Close(), s.db.Close())
}
