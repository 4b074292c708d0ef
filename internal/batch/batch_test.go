package batch

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

type job struct {
	n    int
	done bool
	end  bool // the goroutine of whoever does it
}

// All who wait are done as one, in the order in which they came, by one of them; nobody waits for what runs afterwards.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		release, after := make(chan struct{}), make(chan struct{})
		w := &Writer[*job]{Write: func(jobs []*job) func() {
			var numbers []int
			for _, j := range jobs {
				numbers = append(numbers, j.n)
				j.done = true
			}
			batches = append(batches, numbers)
			if len(batches) == 1 {
				<-release
				return func() { <-after }
			}
			return nil
		}}
		var wg sync.WaitGroup
		do := func(n int) *job {
			j := &job{n: n}
			wg.Go(func() {
				if !w.Do(j) || !j.done {
					t.Errorf("job %d is not done", n)
				}
			})
			synctest.Wait()
			return j
		}
		do(0)
		for n := range MaxSize + 2 {
			do(1 + n)
		}
		close(release)
		synctest.Wait()
		if got := w.Waiting(); got != MaxSize+2 || len(batches) != 1 {
			t.Errorf("%d wait, %d batches, while something runs", got, len(batches))
		}
		close(after)
		wg.Wait()
		var sizes, all []int
		for _, b := range batches {
			sizes, all = append(sizes, len(b)), append(all, b...)
		}
		if !slices.Equal(sizes, []int{1, MaxSize, 2}) || !slices.IsSorted(all) {
			t.Errorf("batches of %v: %v", sizes, all)
		}
	})
}

// One writes at a time, and everything is done that was let in.
func TestRace(t *testing.T) {
	sum := 0 // under nothing: the race detector says if two write
	w := &Writer[*job]{Write: func(jobs []*job) func() {
		for _, j := range jobs {
			sum += j.n
		}
		return func() { sum++; sum-- }
	}}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 100 {
				if !w.Do(&job{n: 1}) {
					t.Error("closed")
				}
			}
		})
	}
	wg.Wait()
	if !w.Close() || w.Close() || sum != 3200 {
		t.Errorf("sum %d, want 3200", sum)
	}
	if w.Do(&job{n: 1}) || sum != 3200 {
		t.Error("done after it was closed")
	}
}

// Close waits for those who wait.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		done := 0
		w := &Writer[*job]{Write: func(jobs []*job) func() { <-release; done += len(jobs); return func() { <-release } }}
		for range 5 {
			go w.Do(&job{})
			synctest.Wait()
		}
		closed := false
		go func() { w.Close(); closed = true }()
		synctest.Wait()
		if closed {
			t.Error("closed while somebody writes")
		}
		close(release)
		synctest.Wait()
		if !closed || done != 5 {
			t.Errorf("closed %v, %d done", closed, done)
		}
	})
}

// Who writes may panic or end its goroutine: those who wait for it hear of it.
func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		aborted := 0
		w := &Writer[*job]{Write: func(jobs []*job) func() {
			for _, j := range jobs {
				if j.end {
					runtime.Goexit()
				}
			}
			<-release
			return nil
		}, Abort: func(jobs []*job) { aborted += len(jobs) }}
		var answered atomic.Int32
		for _, end := range []bool{false, true, false, false} {
			go func() {
				defer answered.Add(1)
				w.Do(&job{end: end})
			}()
			synctest.Wait()
		}
		close(release)
		synctest.Wait()
		if answered.Load() != 4 || aborted != 3 {
			t.Errorf("%d answered, %d aborted", answered.Load(), aborted)
		}
		if !w.Do(&job{}) {
			t.Error("it does not go on")
		}
	})
}
