package upstreamtest

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

// Tickets are codes or tokens with what they stand for. The zero value is ready.
type Tickets[T any] struct {
	// Reusable lets a ticket be taken again and again, for tests that repeat a call.
	Reusable bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	mu   sync.Mutex
	open map[string]ticket[T]
}

type ticket[T any] struct {
	value T
	until time.Time
}

// maxTickets bounds what is kept: who presses without end loses the oldest.
const maxTickets = 10000

// Issue returns a ticket of 40 hex digits that is good for life.
func (t *Tickets[T]) Issue(value T, life time.Duration) string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails
	id := hex.EncodeToString(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil || len(t.open) >= maxTickets {
		t.open = map[string]ticket[T]{}
	}
	t.open[id] = ticket[T]{value, t.now().Add(life)}
	return id
}

// Take spends a ticket.
func (t *Tickets[T]) Take(id string) (T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.open[id]
	if !t.Reusable {
		delete(t.open, id)
	}
	return k.value, ok && t.now().Before(k.until)
}

// Get returns what a ticket stands for, without spending it.
func (t *Tickets[T]) Get(id string) (T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.open[id]
	return k.value, ok && t.now().Before(k.until)
}

func (t *Tickets[T]) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}
