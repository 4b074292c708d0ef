// Package boltstore is a storage.Store in one file (bbolt), for one process. It owns how records lie on the disk and when
// they are durable; what they mean is package storage's.
//
// Durability is the point: Update returns nil only after its own writes were synced. They go into a journal first, by one
// write and one sync; concurrent Updates share a frame of it (group commit), so that the price of a sync is paid once for all
// that wait. What gathered in the journal goes into the file from time to time, and when the store is closed.
package boltstore
