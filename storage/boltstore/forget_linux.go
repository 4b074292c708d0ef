package boltstore

import (
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// forget gives back the pages of the mapped file, which stays mapped while tx reads. They are the system's copies of what is
// on the disk, and come back by themselves; without this a server would hold every page that it ever looked at.
func forget(tx *bolt.Tx) {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, tx.DB().Info().Data, uintptr(tx.Size()), syscall.MADV_DONTNEED) // advice
}
