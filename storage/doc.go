// Package storage is the contract of the state and the meaning of what is stored: typed entities and the rules that hold
// for them ("a code is spent once") are written here once, over Tx. Backends (boltstore, pgstore, memstore) only store.
package storage
