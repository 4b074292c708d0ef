package boltstore

import (
	"encoding/binary"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
)

// The index of ends says which records may have to go when a span of time is over. One commit of the tree writes one list for
// each span in which some of its records end, so that a hundred records are a few entries:
//
//	span (4 bytes, big endian) ‖ number of the frame (8) ‖ part (4) → for each record: length of kind (1 byte) ‖ kind ‖ length of id (2) ‖ id
//
// A record stands in a list of the span in which it ends. It also stands in those of earlier ends, and may be gone: whoever
// reads a list asks the record itself.
const (
	// spanBits are those of a time in nanoseconds that lie within a span: 17 s, by which a sweep is late at most.
	spanBits = 34
	// listSize is how long a list may grow before the next part begins: what a sweep leaves of one is written anew.
	listSize = 64 << 10
)

// slot returns the span in which a record ends that expires at a time in nanoseconds.
func slot(at int64) uint32 { return uint32(max(at, 0) >> spanBits) }

// listings are the lists of one commit.
type listings struct{ spans map[uint32][][]byte }

func (l *listings) add(span uint32, k storage.Kind, id []byte) {
	if l.spans == nil {
		l.spans = map[uint32][][]byte{}
	}
	parts := l.spans[span]
	if n := len(parts); n == 0 || len(parts[n-1]) > listSize {
		parts = append(parts, nil)
		l.spans[span] = parts
	}
	last := &parts[len(parts)-1]
	*last = append(append(*last, byte(len(k)-1)), k...)
	*last = append(binary.BigEndian.AppendUint16(*last, uint16(len(id))), id...)
}

// write puts the lists into the tree by a commit that brings the frames up to number: each number comes once.
func (l *listings) write(tx *bolt.Tx, number uint64) error {
	if len(l.spans) == 0 {
		return nil
	}
	b, err := tx.CreateBucketIfNotExists(expiryBucket)
	if err != nil {
		return err
	}
	var key [16]byte
	for span, parts := range l.spans {
		binary.BigEndian.PutUint32(key[:], span)
		binary.BigEndian.PutUint64(key[4:], number)
		for i, list := range parts {
			binary.BigEndian.PutUint32(key[12:], uint32(i))
			if err := b.Put(key[:], list); err != nil {
				return err
			}
		}
	}
	return nil
}

var errExpiry = errors.New("boltstore: damaged expiry index")

// readListed takes the first record from a list.
func readListed(list []byte) (k storage.Kind, id string, rest []byte, err error) {
	n := int(list[0]) + 1
	if len(list) < 1+n+2 {
		return "", "", nil, errExpiry
	}
	k, list = storage.Kind(list[1:1+n]), list[1+n:]
	n, list = int(binary.BigEndian.Uint16(list)), list[2:]
	if len(list) < n {
		return "", "", nil, errExpiry
	}
	id, err = parseID(list[:n])
	return k, id, list[n:], err
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
func sweepTree(tx *bolt.Tx, now time.Time, limit int) (removed int, more bool, err error) {
	b := tx.Bucket(expiryBucket)
	if b == nil {
		return 0, false, nil
	}
	s := &sweep{w: treeWriter{tx: tx}, now: now, limit: limit, looks: looksPerRecord * limit}
	end := slot(now.UnixNano())
	for s.removed < s.limit && s.looks > 0 {
		key, list := b.Cursor().First()
		if key == nil || len(key) != 16 || binary.BigEndian.Uint32(key) >= end {
			if key != nil && len(key) != 16 {
				err = errExpiry
			}
			return s.removed, false, err
		}
		key = append([]byte(nil), key...) // the page may change under it
		left, err := s.list(append([]byte(nil), list...))
		if err != nil {
			return 0, false, err
		}
		if len(left) == 0 {
			err = b.Delete(key)
		} else {
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
		k, id, rest, err := readListed(list)
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
	if s.w.kind != k || s.w.records == nil {
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
