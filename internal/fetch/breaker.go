package fetch

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrPaused says that a service failed repeatedly and is left alone for a while.
var ErrPaused = errors.New("fetch: service is paused after repeated failures")

// A Breaker stops asking a service that fails again and again, so that its outage does not hold our requests. The zero
// value is ready. It is safe for concurrent use. Keys must come from a table of ours, never from a request.
type Breaker struct {
	// Failures in a row open the breaker; 0 is 3.
	Failures int
	// Pause is how long it stays open; 0 is 30 seconds. Then one call is let through to try.
	Pause time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	mu    sync.Mutex
	state map[string]*breakerState
}

type breakerState struct {
	failures int
	until    time.Time
}

// Do calls f unless the breaker of key is open (ErrPaused), and counts its error as a failure of the service.
func (b *Breaker) Do(key string, f func() error) error {
	if !b.enter(key) {
		return ErrPaused
	}
	err := f()
	b.leave(key, err)
	return err
}

// Paused reports whether a call for key would be refused now. A page shows it; only Do decides.
func (b *Breaker) Paused(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state[key]
	failures, _ := b.limits()
	return s != nil && s.failures >= failures && b.now().Before(s.until)
}

func (b *Breaker) now() time.Time {
	if b.Now == nil {
		return time.Now()
	}
	return b.Now()
}

func (b *Breaker) limits() (failures int, pause time.Duration) {
	failures, pause = b.Failures, b.Pause
	if failures == 0 {
		failures = 3
	}
	if pause == 0 {
		pause = 30 * time.Second
	}
	return failures, pause
}

func (b *Breaker) enter(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.state[key]
	failures, pause := b.limits()
	if s == nil || s.failures < failures {
		return true
	}
	if b.now().Before(s.until) {
		return false
	}
	s.until = b.now().Add(pause) // this call tries; the others wait for its outcome
	return true
}

func (b *Breaker) leave(key string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(err, context.Canceled) {
		return // our own change of mind says nothing of the service
	}
	if err == nil {
		delete(b.state, key)
		return
	}
	if b.state == nil {
		b.state = make(map[string]*breakerState)
	}
	s := b.state[key]
	if s == nil {
		s = &breakerState{}
		b.state[key] = s
	}
	_, pause := b.limits()
	s.failures++
	s.until = b.now().Add(pause)
}
