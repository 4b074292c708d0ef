package boltstore

import (
	"hash/maphash"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
)

// A filter knows of most names that the tree has not, without a look at its pages: half of what a sign-in asks for is not
// there, for it is about to be made. It counts the names that the tree has, each in two places that its hash says; whoever
// has an empty place is not there. The tree that it belongs to is the newest one alone.
type filter struct {
	seed   maphash.Seed
	counts []uint8 // a full one stays full; nil while the tree has nothing
}

// filterPlaces are good for some 300,000 records. With many more the filter says little, and costs as little.
const filterPlaces = 1 << 20

// newFilter counts what the tree has.
func newFilter(db *bolt.DB) (*filter, error) {
	f := &filter{seed: maphash.MakeSeed()}
	err := db.View(func(tx *bolt.Tx) error {
		if err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			if name[0] == 0 {
				return nil // an index
			}
			kind := storage.Kind(name)
			return b.ForEach(func(key, _ []byte) error {
				f.add(kind, key)
				return nil
			})
		}); err != nil {
			return err
		}
		forget(tx)
		return nil
	})
	return f, err
}

func (f *filter) places(k storage.Kind, key []byte) [2]*uint8 {
	h := maphash.Bytes(f.seed, key) ^ maphash.String(f.seed, string(k))
	return [2]*uint8{&f.counts[h%filterPlaces], &f.counts[h>>32%filterPlaces]}
}

// has is false for a record, by its kind and its id as it stands on the disk, that the tree has not.
func (f *filter) has(k storage.Kind, key []byte) bool {
	if f.counts == nil {
		return false
	}
	p := f.places(k, key)
	return *p[0] != 0 && *p[1] != 0
}

func (f *filter) add(k storage.Kind, key []byte) {
	if f.counts == nil {
		f.counts = make([]uint8, filterPlaces)
	}
	for _, p := range f.places(k, key) {
		if *p < 255 {
			*p++
		}
	}
}

// remove takes back one add.
func (f *filter) remove(k storage.Kind, key []byte) {
	for _, p := range f.places(k, key) {
		if *p < 255 {
			*p--
		}
	}
}
