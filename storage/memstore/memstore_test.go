package memstore

import (
	"testing"
	"time"

	"brama/storage"
	"brama/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, now func() time.Time) storage.Store {
		s := New(Config{Now: now})
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}
