package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
	"brama/storage/internal/overlay"
)

// On the disk every kind is a bucket of its own:
//
//	id → expires (int64 nanoseconds of Unix time, big endian, 0 never) ‖ length of group (1 byte … MaxID as uvarint) ‖ group ‖ body
//
// and two buckets, whose names no kind can have, are indexes with empty values:
//
//	groups:  kind 0 group 0 id
//	expiry:  expires (8 bytes) ‖ kind 0 id
//
// A third one, meta, has under "applied" the number of the last frame of the journal that is in the tree (8 bytes).
//
// Kinds, groups and ids hold no zero byte (overlay checks).
var (
	groupsBucket = []byte("\x00groups")
	expiryBucket = []byte("\x00expiry")
	metaBucket   = []byte("\x00meta")
	appliedKey   = []byte("applied")
)

// readApplied returns the number of the last frame that is in the tree, 0 if there is none.
func readApplied(tx *bolt.Tx) (uint64, error) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return 0, nil
	}
	v := b.Get(appliedKey)
	if len(v) != 8 {
		return 0, errors.New("boltstore: the number of the last frame is damaged")
	}
	return binary.BigEndian.Uint64(v), nil
}

func writeApplied(tx *bolt.Tx, number uint64) error {
	b, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	return b.Put(appliedKey, binary.BigEndian.AppendUint64(nil, number))
}

type base struct{ tx *bolt.Tx }

var _ overlay.Base = base{}

// Get implements overlay.Base.
func (b base) Get(k storage.Kind, id string) (storage.Record, bool, error) {
	bucket := b.tx.Bucket([]byte(k))
	if bucket == nil {
		return storage.Record{}, false, nil
	}
	v := bucket.Get([]byte(id))
	if v == nil {
		return storage.Record{}, false, nil
	}
	r, err := parse(k, id, v)
	return r, err == nil, err
}

// Scan implements overlay.Base.
func (b base) Scan(k storage.Kind, group string) iter.Seq2[storage.Record, error] {
	return func(yield func(storage.Record, error) bool) {
		if group != "" {
			b.scanGroup(k, group, yield)
			return
		}
		bucket := b.tx.Bucket([]byte(k))
		if bucket == nil {
			return
		}
		c := bucket.Cursor()
		for id, v := c.First(); id != nil; id, v = c.Next() {
			if r, err := parse(k, string(id), v); !yield(r, err) {
				return
			}
		}
	}
}

func (b base) scanGroup(k storage.Kind, group string, yield func(storage.Record, error) bool) {
	index := b.tx.Bucket(groupsBucket)
	if index == nil {
		return
	}
	prefix := groupKey(k, group, "")
	c := index.Cursor()
	for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
		r, ok, err := b.Get(k, string(key[len(prefix):]))
		if err == nil && !ok {
			err = fmt.Errorf("boltstore: index names a %s record that is not there", k)
		}
		if !yield(r, err) {
			return
		}
	}
}

func parse(k storage.Kind, id string, v []byte) (storage.Record, error) {
	bad := fmt.Errorf("boltstore: damaged %s record", k)
	if len(v) < 9 {
		return storage.Record{}, bad
	}
	r := storage.Record{Kind: k, ID: id}
	if n := int64(binary.BigEndian.Uint64(v)); n != 0 {
		r.Expires = time.Unix(0, n)
	}
	size, n := binary.Uvarint(v[8:])
	if n <= 0 || size > uint64(len(v)-8-n) {
		return storage.Record{}, bad
	}
	rest := v[8+n:]
	r.Group, r.Body = string(rest[:size]), rest[size:]
	return r, nil
}

func format(r storage.Record) []byte { return appendFormat(make([]byte, 0, formatSize(r)), r) }

func formatSize(r storage.Record) int {
	var length [binary.MaxVarintLen64]byte
	return 8 + binary.PutUvarint(length[:], uint64(len(r.Group))) + len(r.Group) + len(r.Body)
}

func appendFormat(v []byte, r storage.Record) []byte {
	v = binary.BigEndian.AppendUint64(v, uint64(expires(r)))
	v = binary.AppendUvarint(v, uint64(len(r.Group)))
	v = append(v, r.Group...)
	return append(v, r.Body...)
}

func expires(r storage.Record) int64 {
	if r.Expires.IsZero() {
		return 0
	}
	return r.Expires.UnixNano()
}

func groupKey(k storage.Kind, group, id string) []byte {
	key := make([]byte, 0, len(k)+len(group)+len(id)+2)
	key = append(append(key, k...), 0)
	key = append(append(key, group...), 0)
	return append(key, id...)
}

func expiryKey(at int64, k storage.Kind, id string) []byte {
	key := make([]byte, 0, 8+len(k)+len(id)+1)
	key = binary.BigEndian.AppendUint64(key, uint64(at))
	key = append(append(key, k...), 0)
	return append(key, id...)
}

// put writes a record and its index entries, and takes away those of the record it replaces.
func put(tx *bolt.Tx, r storage.Record) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(r.Kind))
	if err != nil {
		return err
	}
	var old storage.Record
	if v := bucket.Get([]byte(r.ID)); v != nil {
		if old, err = parse(r.Kind, r.ID, v); err != nil {
			return err
		}
		if err := unindex(tx, old, r); err != nil {
			return err
		}
	}
	if err := bucket.Put([]byte(r.ID), format(r)); err != nil {
		return err
	}
	return index(tx, old, r)
}

// index adds the index entries of r that old does not have: a page that is not touched is not written.
func index(tx *bolt.Tx, old, r storage.Record) error {
	if r.Group != "" && r.Group != old.Group {
		b, err := tx.CreateBucketIfNotExists(groupsBucket)
		if err != nil {
			return err
		}
		if err := b.Put(groupKey(r.Kind, r.Group, r.ID), nil); err != nil {
			return err
		}
	}
	if at := expires(r); at != 0 && at != expires(old) {
		b, err := tx.CreateBucketIfNotExists(expiryBucket)
		if err != nil {
			return err
		}
		return b.Put(expiryKey(at, r.Kind, r.ID), nil)
	}
	return nil
}

// unindex takes away the index entries of old that next does not have.
func unindex(tx *bolt.Tx, old, next storage.Record) error {
	if b := tx.Bucket(groupsBucket); b != nil && old.Group != "" && old.Group != next.Group {
		if err := b.Delete(groupKey(old.Kind, old.Group, old.ID)); err != nil {
			return err
		}
	}
	if b, at := tx.Bucket(expiryBucket), expires(old); b != nil && at != 0 && at != expires(next) {
		return b.Delete(expiryKey(at, old.Kind, old.ID))
	}
	return nil
}

func remove(tx *bolt.Tx, k storage.Kind, id string) error {
	bucket := tx.Bucket([]byte(k))
	if bucket == nil {
		return nil
	}
	v := bucket.Get([]byte(id))
	if v == nil {
		return nil
	}
	old, err := parse(k, id, v)
	if err != nil {
		return err
	}
	if err := unindex(tx, old, storage.Record{}); err != nil {
		return err
	}
	return bucket.Delete([]byte(id))
}

// sweep removes at most limit records that had expired at now.
func sweep(tx *bolt.Tx, now time.Time, limit int) (int, error) {
	b := tx.Bucket(expiryBucket)
	if b == nil {
		return 0, nil
	}
	type entry struct {
		kind storage.Kind
		id   string
	}
	var found []entry
	end := uint64(now.UnixNano())
	c := b.Cursor()
	for key, _ := c.First(); key != nil && len(found) < limit; key, _ = c.Next() {
		if binary.BigEndian.Uint64(key) > end {
			break
		}
		kind, id, ok := bytes.Cut(key[8:], []byte{0})
		if !ok {
			return 0, errors.New("boltstore: damaged expiry index")
		}
		found = append(found, entry{storage.Kind(kind), string(id)})
	}
	for _, e := range found {
		if err := remove(tx, e.kind, e.id); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
