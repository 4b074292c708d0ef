package boltstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"brama/storage"
)

func noteOne(t testing.TB, s *Store, id, body string) {
	t.Helper()
	if err := s.UpdateUnsynced(context.Background(), func(tx storage.Tx) error {
		return tx.Put(storage.Record{Kind: "k", ID: id, Group: "g", Body: []byte(body)})
	}); err != nil {
		t.Fatal(err)
	}
}

// onDisk are the numbers of the last frame that was written and of the last that is on the disk.
func (s *Store) onDisk() (written, synced uint64) {
	_ = s.do(&job{ctx: context.Background(), unsynced: true, run: func(storage.Tx) error {
		written, synced = s.journal.number, s.journal.synced // in the writer's goroutine
		return nil
	}})
	return written, synced
}

// What does not wait for the disk is seen at once and outlives the process; the next Update carries it to the disk, also one
// that writes nothing: it may have answered by what it saw.
func TestUnsynced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	putOne(t, s, "a", "1")
	noteOne(t, s, "b", "1")
	if written, synced := s.onDisk(); written != 2 || synced != 1 {
		t.Errorf("written %d, on the disk %d, want 2 and 1", written, synced)
	}
	if got := contents(t, s); got["b"] != "1" {
		t.Errorf("not seen: %v", got)
	}
	if got := contents(t, open(t, crashed(t, path, readJournal(t, path)), nil)); got["b"] != "1" {
		t.Errorf("lost with the process: %v", got)
	}
	if err := s.Update(context.Background(), func(tx storage.Tx) error { _, err := tx.Get("k", "b"); return err }); err != nil {
		t.Fatal(err)
	}
	if written, synced := s.onDisk(); written != 2 || synced != 2 {
		t.Errorf("after an Update: written %d, on the disk %d, want 2 and 2", written, synced)
	}
}

// A disk may get the frames of one sync in any order. What stood behind a lost one never comes back, least of all when a
// frame of the same length is written in its place.
func TestLostFrame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	putOne(t, s, "a", "1")
	first := len(readJournal(t, path))
	noteOne(t, s, "b", "2")
	second := len(readJournal(t, path))
	noteOne(t, s, "c", "3")
	journal := readJournal(t, path)
	clear(journal[first:second])
	for size := first - 6; size < first+6; size++ { // one of them ends where the third began
		again := open(t, crashed(t, path, journal), nil)
		if got := contents(t, again); len(got) != 1 || got["a"] != "1" {
			t.Fatalf("got %v, want the first alone", got)
		}
		path := again.db.Path()
		putOne(t, again, "d", strings.Repeat("4", size))
		once := open(t, crashed(t, path, readJournal(t, path)), nil)
		if got := contents(t, once); len(got) != 2 || len(got["d"]) != size {
			t.Fatalf("after a write of %d bytes: %v", size, got)
		}
		if err := errors.Join(again.Close(), once.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// A frame that was on the disk and does not check is damage, and no torn end: the server does not start without what it has
// answered.
func TestDamagedJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	var ends []int
	for i := range 4 {
		putOne(t, s, fmt.Sprint(i), "body")
		ends = append(ends, len(readJournal(t, path)))
	}
	whole := readJournal(t, path)
	for at := range whole {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x10
		again, err := Open(Config{Path: crashed(t, path, b)})
		// Nothing behind the last says that it was on the disk, and the last of the frames before says so of no other.
		if damaged := at < ends[len(ends)-2]; damaged != errors.Is(err, errDamaged) {
			t.Fatalf("byte %d of %v: %v", at, ends, err)
		}
		if err == nil {
			_ = again.Close()
		}
	}
}
