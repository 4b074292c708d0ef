package boltstore

import (
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// forget gives back the pages of the mapped file. They are the system's copies of what is on the disk, and come back by
// themselves; without this a server would hold every page that it ever looked at.
func (s *Store) forget() error {
	// The mapping stays as it is while a transaction reads.
	return s.db.View(func(tx *bolt.Tx) error {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, s.db.Info().Data, uintptr(tx.Size()), syscall.MADV_DONTNEED) // advice
		return nil
	})
}
