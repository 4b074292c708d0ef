package fetch

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := &Breaker{Now: func() time.Time { return now }}
	down := errors.New("down")
	calls := 0
	ask := func(key string, err error) error {
		return b.Do(key, func() error { calls++; return err })
	}
	for range 3 {
		if err := ask("a", down); !errors.Is(err, down) {
			t.Fatalf("got %v", err)
		}
	}
	if err := ask("a", nil); !errors.Is(err, ErrPaused) || calls != 3 {
		t.Fatalf("after three failures: got %v, %d calls", err, calls)
	}
	if !b.Paused("a") || b.Paused("b") {
		t.Fatalf("paused: %v, another service: %v; want true, false", b.Paused("a"), b.Paused("b"))
	}
	if err := ask("b", nil); err != nil {
		t.Fatalf("another service: got %v", err)
	}
	now = now.Add(31 * time.Second)
	if err := ask("a", down); !errors.Is(err, down) {
		t.Fatalf("after the pause: got %v", err)
	}
	if err := ask("a", nil); !errors.Is(err, ErrPaused) {
		t.Fatalf("a failed trial: got %v, want another pause", err)
	}
	now = now.Add(31 * time.Second)
	if err := ask("a", nil); err != nil {
		t.Fatalf("a good trial: got %v", err)
	}
	if err := ask("a", down); !errors.Is(err, down) {
		t.Fatalf("closed again: got %v", err)
	}
	for range 5 {
		ask("c", context.Canceled)
	}
	if err := ask("c", nil); err != nil {
		t.Fatalf("cancelled calls opened it: %v", err)
	}
	if err := ask("a", nil); err != nil {
		t.Fatalf("one failure does not open it: got %v", err)
	}
}
