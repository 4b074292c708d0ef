package wiring

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapRoom is what the heap may grow to before it is collected, in bytes. A small live heap would otherwise be collected
	// every few sign-ins.
	heapRoom   = 20 << 20
	mostGC     = 400 // GOGC at most, however small the live heap
	leastGC    = 60  // GOGC at least: memory is dearer here than the collector's time
	defaultGC  = 100 // of Go
	startTime  = time.Second
	memoryStep = time.Second
	givenBack  = 2 // steps: on a busy machine a start takes more than one

	// A commit of the store's tree takes and leaves as much as the whole server keeps. limitRoom bounds what such a moment
	// makes of the percentage: it is heapRoom and what the runtime needs beside the heap.
	limitRoom = heapRoom + 6<<20
)

// startGC is GOGC while a server is put together: what it keeps then lies close, where it would be strewn among as much that
// is thrown away.
const startGC = 25

// CollectOften is called before a server is put together, KeepMemory when it is. An operator's GOGC is obeyed instead.
func CollectOften() {
	if !ownGC() {
		debug.SetGCPercent(startGC)
	}
}

// KeepMemory gives back what the start left behind, and then keeps the collector at heapRoom, until ctx ends. An operator's
// GOMEMLIMIT is obeyed instead of ours.
func KeepMemory(ctx context.Context) {
	t := time.NewTimer(startTime)
	defer t.Stop()
	own, percent := ownGC(), startGC
	_, ownLimit := os.LookupEnv("GOMEMLIMIT")
	limit := int64(math.MaxInt64)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			if !own {
				debug.SetGCPercent(defaultGC)
			}
			if !ownLimit {
				debug.SetMemoryLimit(math.MaxInt64)
			}
			return
		case <-t.C:
		}
		if n < givenBack {
			debug.FreeOSMemory()
		}
		live := liveHeap()
		if want := gcPercent(live); !own && (want > percent+percent/8 || want < percent-percent/8) {
			percent = want
			debug.SetGCPercent(percent)
		}
		if want := memoryLimit(live); !ownLimit && want != limit {
			limit = want
			debug.SetMemoryLimit(limit)
		}
		t.Reset(memoryStep)
	}
}

// memoryLimit is GOMEMLIMIT for a live heap of so many bytes. It leaves room for as much again, in steps, so that a server
// that really needs more is not slowed down.
func memoryLimit(live uint64) int64 {
	const step = 4 << 20
	return max(limitRoom, int64((2*live+step-1)/step*step)+limitRoom-heapRoom)
}

func ownGC() bool {
	_, own := os.LookupEnv("GOGC")
	return own
}

// gcPercent is GOGC for a live heap of so many bytes: heapRoom in all, within bounds.
func gcPercent(live uint64) int {
	if live >= heapRoom {
		return leastGC
	}
	return max(leastGC, min(mostGC, int((heapRoom-live)*100/max(live, 1))))
}

// liveHeap is what the last collection left, in bytes.
func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return heapRoom
	}
	return s[0].Value.Uint64()
}
