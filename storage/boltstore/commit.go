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
}

// do writes a job.
func (s *Store) do(j *job) error {
	if !s.writer.Do(j) {
		return ErrClosed
	}
	if j.panicked != nil {
		panic(j.panicked) // in the goroutine that owns the function
	}
	return j.err
}

// write is what the writer does.
func (s *Store) write(jobs []*job) (after func()) {
	if s.broken != nil {
		answer(jobs, s.broken)
		return nil
	}
	if s.broken = s.commit(jobs); s.broken != nil || !s.journal.full() {
		return nil
	}
	// Nobody waits for it: what it moves is on the disk. If it fails, the next one is told.
	return func() {
		if err := s.settle(nil); err != nil {
			s.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
}

// abort is for a writer that did not come to its end: what is in the journal then is not known.
func (s *Store) abort(jobs []*job) { s.broken = fail(jobs, errEnded) }

var errEnded = errors.New("the writer ended")

// commit runs the functions one after another over one state, and writes what they wrote as one frame of the journal. It
// waits for the disk if one of them does, which has then also seen nothing that a crash could take back.
// A function that fails has written nothing and does not disturb the others. If the disk fails, all fail, and the returned
// error says that the store is broken.
func (s *Store) commit(batch []*job) error {
	s.view = state{s.tree, s.gathered, s.number + 1} // what this batch writes is seen by its later functions
	s.journal.begin()
	wrote, sync := false, false
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil || j.run == nil {
			continue
		}
		o := s.room.New(&s.view, s.now())
		j.call(o)
		if j.err == nil && j.panicked == nil {
			sync = sync || !j.unsynced
			wrote = s.take(j, o.Writes()) || wrote
		}
		s.room.End(o)
	}
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
		s.number = s.view.number
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

// take puts what a function wrote into the frame, and reports whether it wrote anything.
func (s *Store) take(j *job, writes []overlay.Write) bool {
	if j.err = s.look(writes); j.err != nil {
		return false
	}
	unread := s.tree.alone()
	for i := range writes {
		w := &writes[i]
		c := change{record: w.Record, remove: w.Deleted}
		s.journal.add(&c)
		s.gathered.add(s.view.number, c, w.Absent, unread)
	}
	return len(writes) > 0
}

// look reads what a function wrote over without having read it. A record that is damaged is not written over: whoever mends
// the file must see it.
func (s *Store) look(writes []overlay.Write) error {
	for i := range writes {
		w := &writes[i]
		if w.Seen {
			continue
		}
		_, ok, err := s.view.Get(w.Record.Kind, w.Record.ID)
		if err != nil {
			return err
		}
		w.Seen, w.Absent = true, !ok
	}
	return nil
}

// settle moves what gathered into the tree by one commit, also does what also does in it, and begins the journal anew.
func (s *Store) settle(also func(*bolt.Tx) error) error {
	if also == nil && s.gathered.empty() {
		return nil
	}
	s.letGo()
	if err := s.db.Update(func(tx *bolt.Tx) error {
		if err := s.gathered.apply(tx, s.filter, s.number); err != nil {
			return err
		}
		if err := writeApplied(tx, s.number); err != nil {
			return err
		}
		if also != nil {
			return also(tx)
		}
		return nil
	}); err != nil {
		return err
	}
	t, err := newTree(s.db)
	if err != nil {
		return err
	}
	t.filter = s.filter
	forget(t.tx)
	s.reading.Lock()
	s.tree, s.gathered = t, newGathered()
	s.reading.Unlock()
	return s.journal.restart()
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
