package boltstore

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
)

// On the disk every kind is a bucket of its own:
//
//	id → expires (int64 nanoseconds of Unix time, big endian, 0 never) ‖ length of group (1 byte … MaxID as uvarint) ‖ group ‖ body
//
// An id that is the hexadecimal form of bytes, as hashes are, stands there as 1 and these bytes, any other as 2 and its text.
// Two buckets, whose names no kind can have, are indexes, groups and expiry (lists.go). A third one, meta, has under "applied" the number of the last frame of the journal that is in the tree (8 bytes).
//
// Kinds, groups and ids hold no zero byte (overlay checks).
var (
	groupsBucket = []byte("\x00groups")
	expiryBucket = []byte("\x00expiry")
	metaBucket   = []byte("\x00meta")
	appliedKey   = []byte("applied")
	formKey      = []byte("form")
	form         = []byte{2} // 1 had ids as text, and none under "form"
)

const (
	idBytes = 1
	idText  = 2
)

// readApplied returns the number of the last frame that is in the tree, 0 if there is none.
func readApplied(tx *bolt.Tx) (uint64, error) {
	b := tx.Bucket(metaBucket)
	if b == nil {
		return 0, nil
	}
	if !bytes.Equal(b.Get(formKey), form) {
		return 0, ErrForm
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
	if b.Get(formKey) == nil {
		if err := b.Put(formKey, form); err != nil {
			return err
		}
	}
	return b.Put(appliedKey, binary.BigEndian.AppendUint64(nil, number))
}

// appendID appends an id as it stands on the disk.
func appendID(b []byte, id string) []byte {
	at := len(b)
	if len(id)%2 == 0 {
		b = append(append(b, idBytes), make([]byte, len(id)/2)...)
		var all byte
		for i, raw := 0, b[at+1:]; i < len(raw); i++ {
			high, low := nibbles[id[2*i]], nibbles[id[2*i+1]]
			all |= high | low
			raw[i] = high<<4 | low
		}
		if all <= 15 {
			return b
		}
	}
	return append(append(b[:at], idText), id...)
}

// nibbles are what the digits of lower-case hexadecimal stand for, 0xff for what is none.
var nibbles = func() (table [256]byte) {
	for c := range table {
		table[c] = 0xff
	}
	for n, c := range []byte("0123456789abcdef") {
		table[c] = byte(n)
	}
	return table
}()

// parseID reads an id as it stands on the disk.
func parseID(b []byte) (string, error) {
	switch {
	case len(b) > 1 && b[0] == idBytes:
		return hex.EncodeToString(b[1:]), nil
	case len(b) > 1 && b[0] == idText:
		return string(b[1:]), nil
	}
	return "", errors.New("boltstore: damaged id")
}

func parseEntry(k storage.Kind, key, v []byte) (storage.Record, error) {
	id, err := parseID(key)
	if err != nil {
		return storage.Record{}, err
	}
	return parse(k, id, v)
}

// parse reads a record; its body is memory of v.
func parse(k storage.Kind, id string, v []byte) (storage.Record, error) {
	if len(v) < 9 {
		return storage.Record{}, damaged(k)
	}
	r := storage.Record{Kind: k, ID: id}
	if n := int64(binary.BigEndian.Uint64(v)); n != 0 {
		r.Expires = time.Unix(0, n)
	}
	size, n := binary.Uvarint(v[8:])
	if n <= 0 || size > uint64(len(v)-8-n) {
		return storage.Record{}, damaged(k)
	}
	rest := v[8+n:]
	r.Group, r.Body = string(rest[:size]), rest[size:]
	return r, nil
}

func damaged(k storage.Kind) error { return fmt.Errorf("boltstore: damaged %s record", k) }

func format(r storage.Record) []byte { return appendFormat(make([]byte, 0, formatSize(&r)), &r) }

func formatSize(r *storage.Record) int {
	n := 1
	for size := len(r.Group); size >= 0x80; size >>= 7 {
		n++
	}
	return 8 + n + len(r.Group) + len(r.Body)
}

func appendFormat(v []byte, r *storage.Record) []byte {
	v = binary.BigEndian.AppendUint64(v, uint64(expires(r)))
	v = binary.AppendUvarint(v, uint64(len(r.Group)))
	v = append(v, r.Group...)
	return append(v, r.Body...)
}

func expires(r *storage.Record) int64 {
	if r.Expires.IsZero() {
		return 0
	}
	return r.Expires.UnixNano()
}

// A treeWriter brings records into the tree, one kind after another.
type treeWriter struct {
	tx      *bolt.Tx
	filter  *filter
	number  uint64 // of the last frame that the commit brings
	kind    storage.Kind
	records *bolt.Bucket // of the kind
	key     []byte
	values  []byte // room for those that are put, which must stay until the commit
	lists   lists
}

const valueRoom = 32 << 10

// begin turns to the records of a kind.
func (w *treeWriter) begin(k storage.Kind) (err error) {
	w.kind = k
	w.records, err = w.tx.CreateBucketIfNotExists([]byte(k))
	return err
}

// put writes a record and its index entries, and takes away those of the record it replaces. absent says that there is none.
func (w *treeWriter) put(r storage.Record, absent bool) error {
	w.key = appendID(w.key[:0], r.ID)
	var old storage.Record
	if !absent {
		v := w.records.Get(w.key)
		if absent = v == nil; !absent {
			var err error
			if old, err = parse(r.Kind, r.ID, v); err != nil {
				return err
			}
		}
	}
	if absent {
		w.filter.add(w.kind, w.key)
	}
	size := formatSize(&r)
	if cap(w.values)-len(w.values) < size {
		w.values = make([]byte, 0, max(size, valueRoom))
	}
	at := len(w.values)
	w.values = appendFormat(w.values, &r)
	if err := w.records.Put(w.key, w.values[at:len(w.values):len(w.values)]); err != nil {
		return err
	}
	return w.index(&old, &r)
}

// remove removes a record and its index entries.
func (w *treeWriter) remove(id string) error {
	w.key = appendID(w.key[:0], id)
	v := w.records.Get(w.key)
	if v == nil {
		return nil
	}
	old, err := parse(w.kind, id, v)
	if err != nil {
		return err
	}
	if err := w.index(&old, &storage.Record{Kind: w.kind, ID: id}); err != nil {
		return err
	}
	w.filter.remove(w.kind, w.key)
	return w.records.Delete(w.key)
}
