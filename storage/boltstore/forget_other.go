//go:build !linux

package boltstore

func (s *Store) forget() error { return nil }
