package boltstore

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// A job is one function waiting to be written, and its answer. One of run and settle is set.
type job struct {
	ctx      context.Context
	run      func(storage.Tx) error
	settle   func(*bolt.Tx) error // runs in the commit that brings the tree up to date
	unsynced bool                 // it need not be on the disk when it is answered
	err      error
	panicked any
	done     chan struct{}
}

// do gives a job to the writer and waits for its answer.
func (s *Store) do(j *job) error {
	j.done = make(chan struct{})
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return ErrClosed
	}
	select {
	case s.queue <- j:
	case <-j.ctx.Done():
		s.mu.RUnlock()
		return j.ctx.Err()
	}
	s.mu.RUnlock()
	<-j.done
	if j.panicked != nil {
		panic(j.panicked) // in the goroutine that owns the function
	}
	return j.err
}

// write is the only writer: it takes what has gathered while the last commit was being synced, and commits it as one.
func (s *Store) write() {
	defer s.writer.Done()
	var broken error
	for first := range s.queue {
		batch := []*job{first}
	gather:
		for len(batch) < maxBatch {
			select {
			case j, ok := <-s.queue:
				if !ok {
					break gather
				}
				batch = append(batch, j)
			default:
				break gather
			}
		}
		if broken == nil {
			broken = s.commit(batch)
		} else {
			answer(batch, broken)
		}
		for _, j := range batch {
			close(j.done)
		}
		if broken == nil && s.journal.full() {
			// Nobody waits for it: what it moves is on the disk. If it fails, the next one is told.
			if err := s.settle(nil); err != nil {
				broken = fmt.Errorf("%w: %w", ErrBroken, err)
			}
		}
	}
	if broken == nil {
		_ = s.settle(nil) // the next start does it otherwise
	}
}

// commit runs the functions one after another over one state, and writes what they wrote as one frame of the journal. It
// waits for the disk if one of them does, which has then also seen nothing that a crash could take back.
// A function that fails has written nothing and does not disturb the others. If the disk fails, all fail, and the returned
// error says that the store is broken.
func (s *Store) commit(batch []*job) error {
	tx, now, err := s.read()
	if err != nil {
		return fail(batch, err)
	}
	now.number++ // what this batch writes is seen by its later functions
	s.journal.begin()
	wrote, sync := false, false
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil || j.run == nil {
			continue
		}
		o := overlay.New(now, s.now(), false)
		j.call(o)
		if j.err != nil || j.panicked != nil {
			continue
		}
		sync = sync || !j.unsynced
		var changes []change
		if changes, j.err = collect(now, o); j.err != nil {
			continue
		}
		for _, c := range changes {
			s.journal.add(c)
			s.gathered.add(now.number, c)
			wrote = true
		}
	}
	_ = tx.Rollback() // it only read
	if wrote {
		if err := s.journal.write(); err != nil {
			return fail(batch, err)
		}
	}
	if sync {
		if err := s.journal.sync(); err != nil {
			return fail(batch, err)
		}
	}
	if wrote {
		s.reading.Lock()
		s.number = now.number
		s.reading.Unlock()
	}
	for _, j := range batch {
		if j.settle != nil && j.err == nil {
			if err := s.settle(j.settle); err != nil {
				return fail([]*job{j}, err)
			}
		}
	}
	return nil
}

// collect returns what a function wrote. A record that is damaged is not written over: whoever mends the file must see it.
func collect(now state, o *overlay.Tx) ([]change, error) {
	var changes []change
	take := func(c change) error {
		changes = append(changes, c)
		_, _, err := now.Get(c.record.Kind, c.record.ID)
		return err
	}
	err := o.Writes(
		func(r storage.Record) error { return take(change{record: r}) },
		func(k storage.Kind, id string) error {
			return take(change{record: storage.Record{Kind: k, ID: id}, remove: true})
		},
	)
	return changes, err
}

// errNothing rolls a commit of the tree back that would change nothing.
var errNothing = errors.New("nothing to write")

// settle moves what gathered into the tree by one commit, also does what also does in it, and begins the journal anew.
func (s *Store) settle(also func(*bolt.Tx) error) error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		if also == nil && s.gathered.empty() {
			return errNothing
		}
		if err := s.gathered.apply(tx); err != nil {
			return err
		}
		if err := writeApplied(tx, s.number); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	s.reading.Lock()
	s.gathered = newGathered()
	s.reading.Unlock()
	return errors.Join(s.journal.restart(), s.forget())
}

func (j *job) call(tx storage.Tx) {
	defer func() {
		if p := recover(); p != nil {
			j.panicked = p
		}
	}()
	j.err = j.run(tx)
}

func fail(batch []*job, err error) error {
	broken := fmt.Errorf("%w: %w", ErrBroken, err)
	answer(batch, broken)
	return broken
}

func answer(batch []*job, err error) {
	for _, j := range batch {
		j.err = err
	}
}
