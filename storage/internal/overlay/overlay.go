// Package overlay is the half of a transaction that backends share: it collects the writes of one function over a base
// that only reads, so that a function that fails leaves nothing and several functions can share one commit.
package overlay

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"brama/storage"
)

// Limits of a record, so that no caller can fill the store with one value or an index with one key.
const (
	MaxID   = 256     // bytes, id and group
	MaxBody = 1 << 20 // bytes: an identity with its evidence is far below
)

// A Base is what lies below: the committed state. It may return expired records; the overlay hides them. A returned body
// stays as it is, also after the transaction.
type Base interface {
	Get(k storage.Kind, id string) (storage.Record, bool, error)
	Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error]
}

type key struct {
	kind storage.Kind
	id   string
}

var errEnded = errors.New("storage: the transaction has ended")

func (k key) of(r *storage.Record) bool { return r.ID == k.id && r.Kind == k.kind }

// A Write is the newest that a transaction did to a record.
type Write struct {
	Record  storage.Record // of a deletion the kind and the id
	Deleted bool
	Seen    bool // the transaction has read what the base has under this name
	Absent  bool // and that is nothing
}

type seen struct {
	key    key
	absent bool
}

const (
	// fewWrites is how many are looked through before an index is made: a request writes a handful.
	fewWrites = 16
	// usual is how many reads are remembered.
	usual = 4
)

// A Tx is a storage.Tx over a Base. Not safe for concurrent use.
type Tx struct {
	base     Base
	now      time.Time
	readOnly bool
	ended    bool
	writes   []Write     // in the order of the first write of each record
	index    map[key]int // in writes; nil while they are few
	reads    []seen      // the first of them
}

// A Room is where the transactions of a writer keep what they did, one after another, so that not each needs one of its own.
// The zero value is empty.
type Room struct {
	writes []Write
	reads  [usual]seen
}

// New returns a transaction at the time now that has the room until it ends.
func (r *Room) New(base Base, now time.Time) *Tx {
	return &Tx{base: base, now: now, writes: r.writes[:0], reads: r.reads[:0]}
}

// End ends the transaction that has the room: what it did is gone, and nothing can be done in it.
func (r *Room) End(t *Tx) {
	if writes := t.writes; cap(writes) <= fewWrites {
		clear(writes)
		r.writes = writes
	}
	r.reads = [usual]seen{}
	*t = Tx{readOnly: true, ended: true}
}

var _ storage.Tx = (*Tx)(nil)

// New returns a transaction at the time now.
func New(base Base, now time.Time, readOnly bool) *Tx {
	return &Tx{base: base, now: now, readOnly: readOnly}
}

// Get implements storage.Tx.
func (t *Tx) Get(k storage.Kind, id string) (storage.Record, error) {
	at := key{k, id}
	if i := t.find(at); i >= 0 {
		w := &t.writes[i]
		if w.Deleted || t.expired(w.Record) {
			return storage.Record{}, storage.ErrNotFound
		}
		return w.Record, nil
	}
	if t.ended {
		return storage.Record{}, errEnded
	}
	r, ok, err := t.base.Get(k, id)
	if err != nil {
		return storage.Record{}, err
	}
	if len(t.reads) < cap(t.reads) {
		t.reads = append(t.reads, seen{at, !ok})
	}
	if !ok || t.expired(r) {
		return storage.Record{}, storage.ErrNotFound
	}
	return r, nil
}

func (t *Tx) expired(r storage.Record) bool {
	return !r.Expires.IsZero() && !r.Expires.After(t.now)
}

// Insert implements storage.Tx. An expired record is absent, so its id is free.
func (t *Tx) Insert(r storage.Record) error {
	_, err := t.Get(r.Kind, r.ID)
	if err == nil {
		return storage.ErrExists
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return t.Put(r)
}

// Put implements storage.Tx.
func (t *Tx) Put(r storage.Record) error {
	if err := check(r); err != nil {
		return err
	}
	return t.write(Write{Record: r})
}

func check(r storage.Record) error {
	switch {
	case r.Kind == "" || r.ID == "":
		return errors.New("storage: record without kind or id")
	case strings.IndexByte(string(r.Kind), 0) >= 0 || strings.IndexByte(r.Group, 0) >= 0 || strings.IndexByte(r.ID, 0) >= 0:
		return fmt.Errorf("storage: name of a %s record holds a zero byte", strings.TrimRight(string(r.Kind), "\x00"))
	case len(r.Kind) > MaxID || len(r.ID) > MaxID || len(r.Group) > MaxID:
		return fmt.Errorf("storage: name of a %s record is longer than %d bytes", r.Kind, MaxID)
	case len(r.Body) > MaxBody:
		return fmt.Errorf("storage: %s record of %d bytes, limit %d", r.Kind, len(r.Body), MaxBody)
	}
	return nil
}

// Delete implements storage.Tx. Deleting what is absent is no error.
func (t *Tx) Delete(k storage.Kind, id string) error {
	return t.write(Write{Record: storage.Record{Kind: k, ID: id}, Deleted: true})
}

// find returns where the write of a record stands, -1 if it was not written.
func (t *Tx) find(k key) int {
	if t.index != nil {
		if i, ok := t.index[k]; ok {
			return i
		}
		return -1
	}
	for i := range t.writes {
		if k.of(&t.writes[i].Record) {
			return i
		}
	}
	return -1
}

func (t *Tx) write(w Write) error {
	if t.readOnly {
		return errors.New("storage: write in a View")
	}
	k := key{w.Record.Kind, w.Record.ID}
	if i := t.find(k); i >= 0 {
		w.Seen, w.Absent = t.writes[i].Seen, t.writes[i].Absent
		t.writes[i] = w
		return nil
	}
	for i := range t.reads {
		if t.reads[i].key == k {
			w.Seen, w.Absent = true, t.reads[i].absent
			break
		}
	}
	t.writes = append(t.writes, w)
	switch n := len(t.writes); {
	case t.index != nil:
		t.index[k] = n - 1
	case n > fewWrites:
		t.index = make(map[key]int, 4*fewWrites)
		for i := range t.writes {
			r := &t.writes[i].Record
			t.index[key{r.Kind, r.ID}] = i
		}
	}
	return nil
}

// Scan implements storage.Tx. Writing during a scan is allowed; whether the scan sees it is not said.
func (t *Tx) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		if t.ended {
			yield(storage.Record{}, errEnded)
			return
		}
		seen := map[string]bool{}
		var own []storage.Record
		for i := range t.writes {
			o := &t.writes[i]
			if o.Record.Kind != k {
				continue
			}
			seen[o.Record.ID] = true
			if !o.Deleted && (group == "" || o.Record.Group == group) && !t.expired(o.Record) {
				own = append(own, o.Record)
			}
		}
		for r, err := range t.base.Scan(k, group) {
			if err != nil {
				yield(storage.Record{}, err)
				return
			}
			if seen[r.ID] || t.expired(r) {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
		for _, r := range own {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Writes returns what the transaction did, in the order of the first write of each record.
func (t *Tx) Writes() []Write { return t.writes }
