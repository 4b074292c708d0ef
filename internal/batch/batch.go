package batch

import "sync"

// MaxSize is how many jobs are in one batch at most: it bounds how long the first of them waits.
const MaxSize = 256

// A Writer has jobs done in batches, one batch at a time. Whoever comes while nobody writes does it in its own goroutine, at
// once. Whoever comes meanwhile waits; all who wait are written by the first of them, as soon as the one before is done.
//
// Write does the jobs of a batch, in the order in which they came. If it returns a function, that runs in a goroutine of its
// own before the next batch, while the jobs of this one are answered. Write, what it returns, and Abort run one after another
// and see what the last of them did.
//
// Abort is called if Write did not return: it panicked, or ended its goroutine. Those who wait are then answered too, and
// what Abort leaves in the jobs is what they get.
//
// The fields are set before the first Do.
type Writer[J any] struct {
	Write func(jobs []J) (after func())
	Abort func(jobs []J)

	mu      sync.Mutex
	idle    *sync.Cond // of mu: nobody writes; nil until somebody closes
	writing bool
	closed  bool
	waiting []*place[J]
	alone   [1]J // the batch of one that did not wait
}

// A place is where one waits.
type place[J any] struct {
	job  J
	turn chan struct{} // closed once the job is done, or it is its turn to write
	lead []*place[J]   // what it then has to write; nil if the job is done
}

// Do returns once the job is done, false if the Writer was closed before.
func (w *Writer[J]) Do(job J) bool {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return false
	}
	if !w.writing {
		w.writing = true
		w.mu.Unlock()
		w.alone[0] = job
		w.write(w.alone[:], nil)
		return true
	}
	p := &place[J]{job: job, turn: make(chan struct{})}
	w.waiting = append(w.waiting, p)
	w.mu.Unlock()
	<-p.turn
	if p.lead != nil {
		jobs := make([]J, len(p.lead))
		for i, one := range p.lead {
			jobs[i] = one.job
		}
		w.write(jobs, p.lead[1:])
	}
	return true
}

// write does the jobs, tells those who wait for them, and lets the next write.
func (w *Writer[J]) write(jobs []J, others []*place[J]) {
	returned := false
	defer func() {
		if !returned {
			w.Abort(jobs)
			tell(others)
			w.pass()
		}
	}()
	after := w.Write(jobs)
	returned = true
	tell(others)
	if after == nil {
		w.pass()
		return
	}
	go func() {
		after()
		w.pass()
	}()
}

func tell[J any](places []*place[J]) {
	for _, p := range places {
		close(p.turn)
	}
}

// pass lets the first of those who wait write.
func (w *Writer[J]) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.alone[:])
	n := min(len(w.waiting), MaxSize)
	if n == 0 {
		w.writing = false
		if w.idle != nil {
			w.idle.Broadcast()
		}
		return
	}
	first := w.waiting[0]
	first.lead = w.waiting[:n:n]
	if w.waiting = w.waiting[n:]; len(w.waiting) == 0 {
		w.waiting = nil
	}
	close(first.turn)
}

// Waiting returns how many wait for their turn.
func (w *Writer[J]) Waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting)
}

// Close lets nobody in any more and returns once all are done, false if it was called before.
func (w *Writer[J]) Close() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.closed = true
	w.idle = sync.NewCond(&w.mu)
	for w.writing {
		w.idle.Wait()
	}
	return true
}
