//go:build !linux

package boltstore

import "os"

func syncData(f *os.File) error { return f.Sync() }
