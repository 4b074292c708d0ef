//go:build !linux

package disk

import "os"

// Sync makes what was written to f durable.
func Sync(f *os.File) error { return f.Sync() }
