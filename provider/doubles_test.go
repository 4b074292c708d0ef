package provider_test

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"brama/internal/audit"
	"brama/storage"
)

// auditLog keeps events, and fails when told to.
type auditLog struct {
	mu     sync.Mutex
	events []audit.Event
	fails  bool
	lost   bool // what is written does not come to the disk
	// meanwhile is done once when an event of this action is recorded: in the middle of what the server does.
	meanwhile map[string]func()
}

func (l *auditLog) Record(_ context.Context, e audit.Event) error {
	l.mu.Lock()
	do := l.meanwhile[e.Action]
	delete(l.meanwhile, e.Action)
	l.mu.Unlock()
	if do != nil {
		do()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails {
		return errors.New("audit: disk is full")
	}
	if l.lost && e.Durable != nil {
		e.Durable.Await(func() error { return errors.New("audit: the disk is gone") })
	}
	l.events = append(l.events, e)
	return nil
}

func (l *auditLog) fail(yes bool) { l.mu.Lock(); l.fails = yes; l.mu.Unlock() }

// last returns the newest event of an action.
func (l *auditLog) last(action string) (audit.Event, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.events) - 1; i >= 0; i-- {
		if l.events[i].Action == action {
			return l.events[i], true
		}
	}
	return audit.Event{}, false
}

func (l *auditLog) count(action string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.Action == action {
			n++
		}
	}
	return n
}

// countingStore counts the transactions that write.
type countingStore struct {
	storage.Store
	mu      sync.Mutex
	updates int
}

func (s *countingStore) Update(ctx context.Context, fn func(storage.Tx) error) error {
	s.mu.Lock()
	s.updates++
	s.mu.Unlock()
	return s.Store.Update(ctx, fn)
}

func (s *countingStore) UpdateUnsynced(ctx context.Context, fn func(storage.Tx) error) error {
	s.mu.Lock()
	s.updates++
	s.mu.Unlock()
	return s.Store.UpdateUnsynced(ctx, fn)
}

func (s *countingStore) count() int { s.mu.Lock(); defer s.mu.Unlock(); return s.updates }

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}
func (b *syncBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }
