package boltstore

import (
	"iter"
	"sync"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// gathered is what the journal has and the tree has not yet: for each record its versions, by the number of the frame that
// wrote it, so that a reader keeps the state that it began with. When the tree gets it all, a new one takes its place; who
// still reads keeps the old one.
type gathered struct {
	mu    sync.RWMutex
	kinds map[storage.Kind]map[string][]version
}

type version struct {
	number uint64
	change
}

func newGathered() *gathered { return &gathered{kinds: map[storage.Kind]map[string][]version{}} }

// add adds a change of the frame called number, which is not yet one that readers see.
func (g *gathered) add(number uint64, c change) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := g.kinds[c.record.Kind]
	if ids == nil {
		ids = map[string][]version{}
		g.kinds[c.record.Kind] = ids
	}
	versions := ids[c.record.ID]
	if n := len(versions); n > 0 && versions[n-1].number == number {
		versions[n-1].change = c
		return
	}
	ids[c.record.ID] = append(versions, version{number, c})
}

func (g *gathered) get(k storage.Kind, id string, number uint64) (change, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return newest(g.kinds[k][id], number)
}

func newest(versions []version, number uint64) (change, bool) {
	for i := len(versions) - 1; i >= 0; i-- {
		if versions[i].number <= number {
			return versions[i].change, true
		}
	}
	return change{}, false
}

// of returns the newest changes of a kind up to the frame called number, by id.
func (g *gathered) of(k storage.Kind, number uint64) map[string]change {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make(map[string]change, len(g.kinds[k]))
	for id, versions := range g.kinds[k] {
		if c, ok := newest(versions, number); ok {
			out[id] = c
		}
	}
	return out
}

// apply writes everything into the tree.
func (g *gathered) apply(tx *bolt.Tx) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, ids := range g.kinds {
		for _, versions := range ids {
			c := versions[len(versions)-1].change
			var err error
			if c.remove {
				err = remove(tx, c.record.Kind, c.record.ID)
			} else {
				err = put(tx, c.record)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gathered) empty() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.kinds) == 0
}

// A state is what a transaction reads: what gathered up to a frame, over the tree.
type state struct {
	base
	gathered *gathered
	number   uint64
}

var _ overlay.Base = state{}

// Get implements overlay.Base.
func (s state) Get(k storage.Kind, id string) (storage.Record, bool, error) {
	if c, ok := s.gathered.get(k, id, s.number); ok {
		return c.record, !c.remove, nil
	}
	return s.base.Get(k, id)
}

// Scan implements overlay.Base.
func (s state) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		newer := s.gathered.of(k, s.number)
		for r, err := range s.base.Scan(k, group) {
			if _, ok := newer[r.ID]; ok && err == nil {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
		for _, c := range newer {
			if !c.remove && (group == "" || c.record.Group == group) && !yield(c.record, nil) {
				return
			}
		}
	}
}
