// Package boltstore is a storage.Store in one file (bbolt), for one process. It owns how records lie on the disk and when
// they are durable; what they mean is package storage's.
//
// Durability is the point: Update returns nil only after its own commit was written and synced. Concurrent Updates share
// one commit (group commit), so that the price of a sync is paid once for all that wait.
package boltstore
