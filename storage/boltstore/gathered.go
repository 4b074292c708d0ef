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
	kinds map[storage.Kind]map[string]*version
}

type version struct {
	number uint64
	change
	absent bool     // the tree has no such record
	before *version // nil also if nobody can ask for it any more
}

func newGathered() *gathered { return &gathered{kinds: map[storage.Kind]map[string]*version{}} }

// add adds a change of the frame called number, which is not yet one that readers see. absent says that the record was not
// there. unread says that nobody reads a state before that of the last frame.
func (g *gathered) add(number uint64, c change, absent, unread bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := g.kinds[c.record.Kind]
	if ids == nil {
		ids = map[string]*version{}
		g.kinds[c.record.Kind] = ids
	}
	before := ids[c.record.ID]
	if before != nil {
		absent = before.absent
		switch {
		case before.number == number:
			before.change = c
			return
		case unread:
			before.before = nil
		}
	}
	ids[c.record.ID] = &version{number, c, absent, before}
}

func (g *gathered) get(k storage.Kind, id string, number uint64) (change, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if v := g.kinds[k][id].at(number); v != nil {
		return v.change, true
	}
	return change{}, false
}

// at returns the newest version up to a frame, nil if there is none.
func (v *version) at(number uint64) *version {
	for v != nil && v.number > number {
		v = v.before
	}
	return v
}

// of returns the newest changes of a kind up to the frame called number, by id.
func (g *gathered) of(k storage.Kind, number uint64) map[string]change {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make(map[string]change, len(g.kinds[k]))
	for id, newest := range g.kinds[k] {
		if v := newest.at(number); v != nil {
			out[id] = v.change
		}
	}
	return out
}

// apply writes everything into the tree. What came and went meanwhile never gets there.
func (g *gathered) apply(tx *bolt.Tx, f *filter, number uint64) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	w := treeWriter{tx: tx, filter: f, number: number}
	for k, ids := range g.kinds {
		if err := w.begin(k); err != nil {
			return err
		}
		for _, v := range ids {
			var err error
			switch {
			case !v.remove:
				err = w.put(v.record, v.absent)
			case !v.absent:
				err = w.remove(v.record.ID)
			}
			if err != nil {
				return err
			}
		}
	}
	return w.writeLists()
}

func (g *gathered) empty() bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.kinds) == 0
}

// A state is what a transaction reads: what gathered up to a frame, over the tree.
type state struct {
	tree     *tree
	gathered *gathered
	number   uint64
}

var _ overlay.Base = (*state)(nil)

// Get implements overlay.Base.
func (s *state) Get(k storage.Kind, id string) (storage.Record, bool, error) {
	if c, ok := s.gathered.get(k, id, s.number); ok {
		return c.record, !c.remove, nil
	}
	return s.tree.Get(k, id)
}

// Scan implements overlay.Base.
func (s *state) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		newer := s.gathered.of(k, s.number)
		for r, err := range s.tree.Scan(k, group) {
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
