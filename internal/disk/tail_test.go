package disk

import (
	"os"
	"path/filepath"
	"testing"
)

// What is written while a sync runs is not taken for synced, and a file that cannot be synced is an error of Sync.
func TestTail(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	tail := NewTail(f)
	write := func() {
		t.Helper()
		if _, err := f.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		tail.Wrote()
	}
	tail.Begin()
	if tail.begun != nil {
		t.Error("a sync of nothing")
	}
	for range 10 {
		write()
		tail.Begin()
		write()
		tail.Begin()
		if !tail.wrote {
			t.Error("what was written after Begin counts as synced")
		}
		if err := tail.Sync(); err != nil || tail.Waiting() {
			t.Fatalf("%v, more to sync: %v", err, tail.Waiting())
		}
	}
	write()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	tail.Begin()
	for range 2 {
		if tail.Sync() == nil {
			t.Error("a closed file was synced")
		}
	}
}
