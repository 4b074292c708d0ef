//go:build !linux

package boltstore

import bolt "go.etcd.io/bbolt"

func forget(*bolt.Tx) {}
