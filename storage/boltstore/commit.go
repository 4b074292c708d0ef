package boltstore

import (
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// A job is one function waiting to be written, and its answer.
type job struct {
	ctx      context.Context
	run      func(*bolt.Tx) error
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
	}
}

// commit runs the functions one after another in one transaction. A function that fails has written nothing and does not
// disturb the others. If the commit itself fails, all fail, and the returned error says that the store is broken.
func (s *Store) commit(batch []*job) error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return fail(batch, err)
	}
	wrote := false
	for _, j := range batch {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		j.call(tx)
		if j.err == nil && j.panicked == nil {
			wrote = true
		} else if isHalfWritten(j.err) {
			_ = tx.Rollback() // the reason is already in hand
			answer(batch, j.err)
			return nil
		}
	}
	if !wrote {
		_ = tx.Rollback() // nothing to lose
		return nil
	}
	if err := tx.Commit(); err != nil {
		return fail(batch, err)
	}
	return nil
}

func (j *job) call(tx *bolt.Tx) {
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
