package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brama/storage"
)

// settled reports whether everything that is on the disk is in the tree.
func (s *Store) settled() bool {
	s.reading.RLock()
	defer s.reading.RUnlock()
	return s.gathered.empty()
}

func putOne(t testing.TB, s *Store, id, body string) {
	t.Helper()
	if err := s.Update(context.Background(), func(tx storage.Tx) error {
		return tx.Put(storage.Record{Kind: "k", ID: id, Group: "g", Body: []byte(body)})
	}); err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		for r, err := range tx.Scan("k", "g") {
			if err != nil {
				return err
			}
			out[r.ID] = string(r.Body)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// crashed returns the path of a copy of the file as it is on the disk now, with a journal.
func crashed(t testing.TB, path string, journal []byte) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "db")
	tree, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{to: tree, to + journalSuffix: journal} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func readJournal(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path + journalSuffix)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What was answered is there after a crash, wherever the next write was torn; what was not is there whole or not at all.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	ends := []int{0}
	for i := range 3 {
		putOne(t, s, fmt.Sprint(i), "body")
		ends = append(ends, len(readJournal(t, path)))
	}
	whole := readJournal(t, path)
	for cut := range len(whole) + 1 {
		want := 0
		for want < 3 && ends[want+1] <= cut {
			want++
		}
		for _, torn := range [][]byte{whole[:cut], append(whole[:cut:cut], make([]byte, len(whole)-cut)...)} {
			again := open(t, crashed(t, path, torn), nil)
			if got := contents(t, again); len(got) != want {
				t.Fatalf("%d bytes of the journal arrived: %v, want %d records", cut, got, want)
			}
			// It goes on from there.
			putOne(t, again, "next", "body")
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A crash after each of many writes, over several rounds of the journal, with values of all sizes.
func TestCrashAtAnyTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	random := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	for i := range 60 {
		id := fmt.Sprint(random.IntN(10))
		body := string(make([]byte, random.IntN(120<<10)))
		if random.IntN(4) == 0 {
			if err := s.Update(context.Background(), func(tx storage.Tx) error { return tx.Delete("k", id) }); err != nil {
				t.Fatal(err)
			}
			delete(want, id)
		} else {
			putOne(t, s, id, body)
			want[id] = body
		}
		if i%7 == 0 {
			if _, err := s.Sweep(context.Background(), 10); err != nil {
				t.Fatal(err)
			}
		}
		// One more answered write, so that the writer is not moving the round of this one while the files are copied.
		putOne(t, s, "mark", fmt.Sprint(i))
		want["mark"] = fmt.Sprint(i)
		again := open(t, crashed(t, path, readJournal(t, path)), nil)
		got := contents(t, again)
		if len(got) != len(want) {
			t.Fatalf("after %d writes: %d records, want %d", i+1, len(got), len(want))
		}
		for id, body := range want {
			if got[id] != body {
				t.Fatalf("after %d writes: record %s has %d bytes, want %d", i+1, id, len(got[id]), len(body))
			}
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s.frames() < 100 {
		t.Errorf("%d frames", s.frames())
	}
}

// After Close the file alone has everything, and a journal that was moved into the tree, but not yet begun anew, is not taken
// over twice.
func TestJournalAppliedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	putOne(t, s, "a", "old")
	journal := readJournal(t, path)
	putOne(t, s, "a", "new")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + journalSuffix); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, open(t, crashed(t, path, nil), nil)); got["a"] != "new" {
		t.Errorf("the file alone: %v", got)
	}
	if got := contents(t, open(t, crashed(t, path, journal), nil)); got["a"] != "new" {
		t.Errorf("an old journal was taken over: %v", got)
	}
}

// Frames of an earlier round behind the newest frame are not its successors.
func TestEarlierRound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	for i := range 5 {
		putOne(t, s, "a", fmt.Sprint("first ", i))
	}
	if _, err := s.Sweep(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	putOne(t, s, "a", "other 0")
	again := open(t, crashed(t, path, readJournal(t, path)), nil)
	if got := contents(t, again); got["a"] != "other 0" || again.frames() != s.frames() {
		t.Errorf("got %v in %d frames, want %d", got, again.frames(), s.frames())
	}
}

// A file that is older than its journal's beginning has lost answered writes: that is said, not passed over.
func TestJournalOfAnotherFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	old := crashed(t, path, nil)
	putOne(t, s, "a", "1")
	if _, err := s.Sweep(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	putOne(t, s, "a", "2")
	if err := os.WriteFile(old+journalSuffix, readJournal(t, path), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Path: old}); !errors.Is(err, errJournal) {
		t.Errorf("got %v", err)
	}
}

// A View keeps what it began with, while the state is written and moved into the tree.
func TestViewKeepsItsState(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"), nil)
	putOne(t, s, "a", "1")
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			putOne(t, s, "a", "once")
			putOne(t, s, "a", "2")
			putOne(t, s, "b", "2")
			if r, err := tx.Get("k", "a"); err != nil || string(r.Body) != "1" {
				t.Errorf("before a commit of the file: %q, %v", r.Body, err)
			}
			if _, err := s.Sweep(context.Background(), 1); err != nil {
				t.Error(err)
			}
			putOne(t, s, "a", "3")
		}()
		<-done
		r, err := tx.Get("k", "a")
		if err != nil || string(r.Body) != "1" {
			t.Errorf("got %q, %v", r.Body, err)
		}
		for r := range tx.Scan("k", "g") {
			if r.ID != "a" || string(r.Body) != "1" {
				t.Errorf("scan: %s %q", r.ID, r.Body)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, s); got["a"] != "3" || got["b"] != "2" {
		t.Errorf("afterwards %v", got)
	}
}

// A disk that fails ends the writing; what was answered before stays.
func TestBrokenJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	putOne(t, s, "a", "1")
	_ = s.journal.file.Close()
	for range 2 {
		if err := s.Update(context.Background(), func(tx storage.Tx) error {
			return tx.Put(storage.Record{Kind: "k", ID: "a", Group: "g", Body: []byte("2")})
		}); !errors.Is(err, ErrBroken) {
			t.Errorf("got %v, want ErrBroken", err)
		}
	}
	if got := contents(t, s); got["a"] != "1" {
		t.Errorf("got %v", got)
	}
	_ = s.Close()
	if got := contents(t, open(t, path, nil)); got["a"] != "1" {
		t.Errorf("opened again: %v", got)
	}
}

func FuzzJournal(f *testing.F) {
	path := filepath.Join(f.TempDir(), "db")
	s := open(f, path, func() time.Time { return time.Unix(1, 0) })
	putOne(f, s, "a", "body")
	if err := s.Update(context.Background(), func(tx storage.Tx) error { return tx.Delete("k", "a") }); err != nil {
		f.Fatal(err)
	}
	f.Add(readJournal(f, path), uint64(0))
	f.Add(readJournal(f, path), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, applied uint64) {
		changes, end, number, err := readFrames(b, applied)
		if err != nil {
			return
		}
		if end > int64(len(b)) || number < applied || len(changes) > 0 && number == applied {
			t.Fatalf("%d changes, end %d of %d, number %d behind %d", len(changes), end, len(b), number, applied)
		}
		for rest := b[:end]; len(rest) > 0; {
			size := binary.BigEndian.Uint32(rest)
			rest = rest[frameHeader+size:]
		}
	})
}
