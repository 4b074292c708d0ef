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

	turn  chan struct{} // of one that waits: closed once it is answered, or is the writer
	batch []*job        // what it then has to write, itself the first; nil if it is answered
}

// do writes a job. There is one writer at a time: whoever comes while nobody writes does it, in its own goroutine. Whoever
// comes meanwhile waits, and all who wait are written by the first of them as one, as soon as the writer is done.
func (s *Store) do(j *job) error {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return ErrClosed
	case s.writing:
		j.turn = make(chan struct{})
		s.waiting = append(s.waiting, j)
		s.mu.Unlock()
		<-j.turn
		if j.batch != nil {
			s.write(j.batch)
		}
	default:
		s.writing = true
		s.mu.Unlock()
		s.write([]*job{j})
	}
	if j.panicked != nil {
		panic(j.panicked) // in the goroutine that owns the function
	}
	return j.err
}

// write commits a batch, tells those who wait for it, and makes another the writer.
func (s *Store) write(batch []*job) {
	written := false
	defer func() {
		if !written { // it panics, or its goroutine ends: those who wait must not wait for ever
			s.broken = fail(batch, errEnded)
			s.tell(batch)
			s.pass()
		}
	}()
	if s.broken == nil {
		s.broken = s.commit(batch)
	} else {
		answer(batch, s.broken)
	}
	written = true
	s.tell(batch)
	if s.broken != nil || !s.journal.full() {
		s.pass()
		return
	}
	// Nobody waits for it: what it moves is on the disk. If it fails, the next one is told.
	go func() {
		if err := s.settle(nil); err != nil {
			s.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		}
		s.pass()
	}()
}

var errEnded = errors.New("the writer ended")

// tell wakes all of a batch but the first, whose goroutine it is.
func (s *Store) tell(batch []*job) {
	for _, j := range batch[1:] {
		close(j.turn)
	}
}

// pass makes the first of those who wait the writer.
func (s *Store) pass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxBatch)
	if n == 0 {
		s.writing = false
		s.idle.Broadcast()
		return
	}
	batch := s.waiting[:n:n]
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	batch[0].batch = batch
	close(batch[0].turn)
}

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
		o := overlay.New(&s.view, s.now(), false)
		j.call(o)
		if j.err != nil || j.panicked != nil {
			continue
		}
		sync = sync || !j.unsynced
		writes := o.Writes()
		if j.err = s.look(writes); j.err != nil {
			continue
		}
		unread := s.tree.alone()
		for i := range writes {
			w := &writes[i]
			c := change{record: w.Record, remove: w.Deleted}
			s.journal.add(&c)
			s.gathered.add(s.view.number, c, w.Absent, unread)
			wrote = true
		}
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
		if err := s.gathered.apply(tx, s.number); err != nil {
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
