package web

import "sync"

// recent keeps what was made last, by key: at most twice its limit, in two halves of which the older one is dropped as a whole.
// The zero value is empty.
type recent[K comparable, V any] struct {
	mu       sync.Mutex
	now, old map[K]V
}

// keep keeps v under key; limit is that of one half.
func (r *recent[K, V]) keep(key K, v V, limit int) {
	if r.now == nil || len(r.now) >= limit {
		r.now, r.old = map[K]V{}, r.now
	}
	r.now[key] = v
}
