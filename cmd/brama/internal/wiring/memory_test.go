package wiring

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, mostGC}, {1 << 20, mostGC}, {4 << 20, 400}, {6 << 20, 233}, {8 << 20, 150}, {10 << 20, 100}, {13 << 20, leastGC}, {15 << 20, leastGC}, {heapRoom, leastGC}, {1 << 40, leastGC}} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("%d bytes live: %d, want %d", c.live, got, c.want)
		}
	}
}

// It ends with its context.
func TestKeepMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); KeepMemory(ctx) }()
		CollectOften()
		time.Sleep(3 * memoryStep)
		stop()
		<-done
	})
}

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int64
	}{{0, limitRoom}, {8 << 20, limitRoom}, {9 << 20, 26 << 20}, {10 << 20, 26 << 20}, {11 << 20, 30 << 20}, {100 << 20, 206 << 20}} {
		got := memoryLimit(c.live)
		if got != c.want {
			t.Errorf("%d MiB live: %d MiB, want %d", c.live>>20, got>>20, c.want>>20)
		}
		if got < int64(2*c.live) {
			t.Errorf("%d MiB live: %d MiB leave no room", c.live>>20, got>>20)
		}
	}
}
