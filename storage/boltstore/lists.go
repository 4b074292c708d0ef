package boltstore

import (
	"encoding/binary"
	"errors"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
)

// The indexes say which records of a kind are in a group, and which ones may have to go when a span of time is over. One
// commit of the tree writes a list for each group, and one for each span, so that a hundred records are a few entries:
//
//	groups:  kind 0 group 0 span (4 bytes, big endian) ‖ number of the frame (8) → for each record: length of id (2) ‖ id
//	         kind 0 group 0 id → nothing, for a record that has no end
//	expiry:  span (4) ‖ number of the frame (8) ‖ part (4) → for each record: length of kind (1, less 1) ‖ kind ‖ length of id (2) ‖ id
//
// A record stands in the lists of the span in which it ends. It may also stand in those of an earlier end or group, and may
// be gone: whoever reads a list asks the record itself. A list of a group goes when its span is over, and stands in a list of
// ends for that as if it were a record, of the kind groupsBucket.
const (
	// spanBits are those of a time in nanoseconds that lie within a span: 17 s, by which a sweep is late at most.
	spanBits = 34
	// listSize is how long a list may grow before the next part begins: what a sweep leaves of one is written anew.
	listSize = 64 << 10
)

// span returns the span in which a record ends that expires at a time in nanoseconds.
func span(at int64) uint32 { return uint32(max(at, 0) >> spanBits) }

func groupKey(k storage.Kind, group string) []byte {
	key := make([]byte, 0, len(k)+len(group)+2+len(listTail{})+64)
	key = append(append(key, k...), 0)
	return append(append(key, group...), 0)
}

// listTail is the end of the key of a list of a group: span and number.
type listTail [12]byte

// lists are those of one commit.
type lists struct {
	groups map[groupList][]byte
	spans  map[uint32][][]byte
}

type groupList struct {
	kind  storage.Kind
	group string
	span  uint32
}

// index adds to the indexes what r has and old has not, which it replaces, and takes away what old alone has an entry of its
// own for. The id is in w.key.
func (w *treeWriter) index(old, r *storage.Record) error {
	was, is := expires(old), expires(r)
	if old.Group != "" && was == 0 && (old.Group != r.Group || is != 0) {
		if err := w.single(old.Group, (*bolt.Bucket).Delete); err != nil {
			return err
		}
	}
	if is == 0 {
		if r.Group == "" || old.Group == r.Group && was == 0 {
			return nil
		}
		return w.single(r.Group, func(b *bolt.Bucket, key []byte) error { return b.Put(key, nil) })
	}
	moved := was == 0 || span(was) != span(is)
	if r.Group != "" && (moved || old.Group != r.Group) {
		w.lists.addToGroup(groupList{w.kind, r.Group, span(is)}, w.key)
	}
	if moved {
		w.lists.addToSpan(span(is), w.kind, w.key)
	}
	return nil
}

// single changes the entry of the record in w.key, which has no end.
func (w *treeWriter) single(group string, change func(*bolt.Bucket, []byte) error) error {
	b, err := w.tx.CreateBucketIfNotExists(groupsBucket)
	if err != nil {
		return err
	}
	return change(b, append(groupKey(w.kind, group), w.key...))
}

func (l *lists) addToGroup(of groupList, id []byte) {
	if l.groups == nil {
		l.groups = map[groupList][]byte{}
	}
	l.groups[of] = appendListed(l.groups[of], id)
}

func (l *lists) addToSpan(span uint32, k storage.Kind, id []byte) {
	if l.spans == nil {
		l.spans = map[uint32][][]byte{}
	}
	parts := l.spans[span]
	if n := len(parts); n == 0 || len(parts[n-1]) > listSize {
		parts = append(parts, nil)
		l.spans[span] = parts
	}
	last := &parts[len(parts)-1]
	*last = appendListed(append(append(*last, byte(len(k)-1)), k...), id)
}

func appendListed(list, id []byte) []byte {
	return append(binary.BigEndian.AppendUint16(list, uint16(len(id))), id...)
}

// writeLists puts the lists into the tree, by a commit that brings the frames up to number: each number comes once.
func (w *treeWriter) writeLists() error {
	if len(w.lists.spans) == 0 {
		return nil // and no list of a group
	}
	groups, err := w.tx.CreateBucketIfNotExists(groupsBucket)
	if err != nil {
		return err
	}
	ends, err := w.tx.CreateBucketIfNotExists(expiryBucket)
	if err != nil {
		return err
	}
	for of, list := range w.lists.groups {
		var tail listTail
		binary.BigEndian.PutUint32(tail[:], of.span)
		binary.BigEndian.PutUint64(tail[4:], w.number)
		key := append(groupKey(of.kind, of.group), tail[:]...)
		if err := groups.Put(key, list); err != nil {
			return err
		}
		w.lists.addToSpan(of.span, storage.Kind(groupsBucket), append([]byte{idText}, key...))
	}
	var key [16]byte
	binary.BigEndian.PutUint64(key[4:], w.number)
	for span, parts := range w.lists.spans {
		binary.BigEndian.PutUint32(key[:], span)
		for i, list := range parts {
			binary.BigEndian.PutUint32(key[12:], uint32(i))
			if err := ends.Put(key[:], list); err != nil {
				return err
			}
		}
	}
	return nil
}

var errLists = errors.New("boltstore: damaged index")

// readListed takes the first id from a list.
func readListed(list []byte) (id string, rest []byte, err error) {
	if len(list) < 2 {
		return "", nil, errLists
	}
	n, list := int(binary.BigEndian.Uint16(list)), list[2:]
	if len(list) < n {
		return "", nil, errLists
	}
	id, err = parseID(list[:n])
	return id, list[n:], err
}

// readEnding takes the first record from a list of ends.
func readEnding(list []byte) (k storage.Kind, id string, rest []byte, err error) {
	if len(list) == 0 || len(list) < 2+int(list[0]) {
		return "", "", nil, errLists
	}
	n := 2 + int(list[0])
	id, rest, err = readListed(list[n:])
	return storage.Kind(list[1:n]), id, rest, err
}

// listedIDs are those of an entry of the index of groups; tail is the end of its key.
func listedIDs(tail, list []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(list) == 0 {
			yield(parseID(tail))
			return
		}
		for len(list) > 0 {
			id, rest, err := readListed(list)
			if !yield(id, err) || err != nil {
				return
			}
			list = rest
		}
	}
}

// A sweep removes records whose span is over.
type sweep struct {
	w       treeWriter
	now     time.Time
	limit   int // records that are removed at most
	looks   int // records that are looked at at most: some have gone before
	removed int
}

const looksPerRecord = 8

// sweepTree removes at most limit records that had expired at now. more says that it ended for a limit.
func sweepTree(tx *bolt.Tx, f *filter, now time.Time, limit int) (removed int, more bool, err error) {
	b := tx.Bucket(expiryBucket)
	if b == nil {
		return 0, false, nil
	}
	s := &sweep{w: treeWriter{tx: tx, filter: f}, now: now, limit: limit, looks: looksPerRecord * limit}
	for s.removed < s.limit && s.looks > 0 {
		key, list := b.Cursor().First()
		switch {
		case key == nil:
			return s.removed, false, nil
		case len(key) != 16:
			return 0, false, errLists
		case binary.BigEndian.Uint32(key) >= span(now.UnixNano()):
			return s.removed, false, nil
		}
		key = append([]byte(nil), key...) // the page changes under it
		left, err := s.list(append([]byte(nil), list...))
		if err == nil && len(left) == 0 {
			err = b.Delete(key)
		} else if err == nil {
			err = b.Put(key, left)
		}
		if err != nil {
			return 0, false, err
		}
	}
	return s.removed, true, nil
}

// list removes what a list names and has expired, and returns what it did not come to.
func (s *sweep) list(list []byte) ([]byte, error) {
	for len(list) > 0 && s.removed < s.limit && s.looks > 0 {
		k, id, rest, err := readEnding(list)
		if err != nil {
			return nil, err
		}
		if err := s.one(k, id); err != nil {
			return nil, err
		}
		list = rest
		s.looks--
	}
	return list, nil
}

func (s *sweep) one(k storage.Kind, id string) error {
	if string(k) == string(groupsBucket) {
		b := s.w.tx.Bucket(groupsBucket)
		if b == nil {
			return nil
		}
		return b.Delete([]byte(id))
	}
	if s.w.kind != k {
		if err := s.w.begin(k); err != nil {
			return err
		}
	}
	s.w.key = appendID(s.w.key[:0], id)
	v := s.w.records.Get(s.w.key)
	if v == nil {
		return nil
	}
	r, err := parse(k, id, v)
	if err != nil || r.Expires.IsZero() || r.Expires.After(s.now) {
		return err
	}
	s.removed++
	return s.w.remove(id)
}
