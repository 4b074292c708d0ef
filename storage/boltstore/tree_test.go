package boltstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
	"brama/storage/storagetest"
)

// entries returns how many there are in a bucket of the file.
func (s *Store) entries(t testing.TB, bucket []byte) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(bucket); b != nil {
			n = b.Inspect().KeyN
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func settle(t testing.TB, s *Store) {
	t.Helper()
	if _, err := s.Sweep(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
}

func update(t testing.TB, s *Store, fn func(storage.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// What came and went between two commits of the file never gets into it, and what was in the file goes.
func TestCameAndWent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	del := func(id string) {
		update(t, s, func(tx storage.Tx) error { return tx.Delete("k", id) })
	}
	putOne(t, s, "a", "1")
	putOne(t, s, "a", "2")
	del("a")
	putOne(t, s, "stays", "1")
	settle(t, s)
	if n := s.entries(t, []byte("k")); n != 1 {
		t.Errorf("%d records in the file, want 1", n)
	}
	update(t, s, func(tx storage.Tx) error { return tx.Put(storage.Record{Kind: "k", ID: "moves", Group: "g"}) })
	settle(t, s)
	del("stays")
	del("stays") // it is not there, but in the file it is
	del("moves")
	update(t, s, func(tx storage.Tx) error { return tx.Put(storage.Record{Kind: "k", ID: "moves", Group: "other"}) })
	settle(t, s)
	if got := contents(t, s); len(got) != 0 {
		t.Errorf("in the group: %v", got)
	}
	del("moves")
	settle(t, s)
	if n := s.entries(t, []byte("k")) + s.entries(t, groupsBucket); n != 0 {
		t.Errorf("%d entries in the file, want none", n)
	}
}

// A file of another form is not taken for an empty one.
func TestForm(t *testing.T) {
	for _, other := range [][]byte{nil, {1}, {3}, {2, 0}} {
		path := filepath.Join(t.TempDir(), "db")
		s := open(t, path, nil)
		putOne(t, s, "a", "1")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, fileMode, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket(metaBucket)
			if other == nil {
				return b.Delete(formKey)
			}
			return b.Put(formKey, other)
		}), db.Close()); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(Config{Path: path, SweepEvery: -1}); !errors.Is(err, ErrForm) {
			t.Errorf("form %x: %v", other, err)
			if err == nil {
				_ = s.Close()
			}
		}
	}
}

func TestID(t *testing.T) {
	for _, id := range []string{"a", "ab", "abc", "AB", "aB", "00", "zz", "a\xff", storage.HashSecret("x"), strings.ToUpper(storage.HashSecret("x")), strings.Repeat("ab", 128), "\x01", "\x02ab"} {
		b := appendID([]byte("before"), id)[len("before"):]
		if got, err := parseID(b); err != nil || got != id {
			t.Errorf("%q: %x, which is %q, %v", id, b, got, err)
		}
		_, err := hex.DecodeString(id)
		if short := err == nil && strings.ToLower(id) == id; short != (len(b) == 1+len(id)/2 && b[0] == idBytes) {
			t.Errorf("%q: %x", id, b)
		}
	}
	for _, b := range [][]byte{nil, {}, {1}, {2}, {0, 1}, {3, 1}} {
		if id, err := parseID(b); err == nil {
			t.Errorf("%x is %q", b, id)
		}
	}
}

// A sweep that ends for its limit in the middle of a list goes on there, and leaves alone what is of another end by now.
func TestSweepPart(t *testing.T) {
	clock := storagetest.NewClock()
	s := open(t, filepath.Join(t.TempDir(), "db"), clock.Now)
	put := func(id string, in time.Duration) {
		update(t, s, func(tx storage.Tx) error {
			return tx.Put(storage.Record{Kind: "k", ID: id, Group: "g", Expires: clock.Now().Add(in), Body: []byte("x")})
		})
	}
	for i := range 10 {
		put(fmt.Sprint("short", i), time.Second)
	}
	put("longer", time.Second)
	settle(t, s)
	put("longer", time.Hour)
	put("new", time.Hour)
	settle(t, s)
	if n := s.entries(t, expiryBucket); n != 2 {
		t.Errorf("%d lists, want 2", n)
	}
	clock.Advance(time.Minute)
	for _, want := range []int{4, 4, 2, 0} {
		if n, _, err := s.sweepSome(context.Background(), 4); n != want || err != nil {
			t.Fatalf("swept %d, %v, want %d", n, err, want)
		}
	}
	if got := contents(t, s); len(got) != 2 || got["longer"] == "" || got["new"] == "" {
		t.Errorf("left %v", got)
	}
	clock.Advance(2 * time.Hour)
	if n, more, err := s.sweepSome(context.Background(), 4); n != 2 || more || err != nil {
		t.Errorf("swept %d, %v, %v", n, more, err)
	}
	if n := s.entries(t, []byte("k")) + s.entries(t, groupsBucket) + s.entries(t, expiryBucket); n != 0 {
		t.Errorf("%d entries left", n)
	}
}

// A sweep that meets only what has gone before ends for that too, and says that there is more.
func TestSweepLooks(t *testing.T) {
	clock := storagetest.NewClock()
	s := open(t, filepath.Join(t.TempDir(), "db"), clock.Now)
	ids := func(yield func(string) bool) {
		for i := range 3 * looksPerRecord {
			if !yield(fmt.Sprint(i)) {
				return
			}
		}
	}
	update(t, s, func(tx storage.Tx) (err error) {
		for id := range ids {
			err = errors.Join(err, tx.Put(storage.Record{Kind: "k", ID: id, Expires: clock.Now().Add(time.Second)}))
		}
		return err
	})
	settle(t, s)
	update(t, s, func(tx storage.Tx) (err error) {
		for id := range ids {
			err = errors.Join(err, tx.Delete("k", id))
		}
		return err
	})
	clock.Advance(time.Minute)
	for i := 0; ; i++ {
		n, more, err := s.sweepSome(context.Background(), 1)
		if n != 0 || err != nil || i > 3 {
			t.Fatalf("sweep %d: %d, %v", i, n, err)
		}
		if !more {
			if i < 3 {
				t.Errorf("%d sweeps for three times what one looks at", i)
			}
			return
		}
	}
}

// A group has what is in it now, whatever it had before, and its lists go with the last that is in them.
func TestGroupLists(t *testing.T) {
	clock := storagetest.NewClock()
	s := open(t, filepath.Join(t.TempDir(), "db"), clock.Now)
	put := func(id, group string, in time.Duration) {
		r := storage.Record{Kind: "k", ID: id, Group: group, Body: []byte("x")}
		if in > 0 {
			r.Expires = clock.Now().Add(in)
		}
		update(t, s, func(tx storage.Tx) error { return tx.Put(r) })
	}
	has := func(want ...string) {
		t.Helper()
		got := contents(t, s)
		for _, id := range want {
			if got[id] == "" {
				t.Errorf("%s is not in the group", id)
			}
		}
		if len(got) != len(want) {
			t.Errorf("in the group: %v, want %v", got, want)
		}
	}
	put("a", "g", time.Minute)
	put("b", "g", time.Minute)
	put("c", "g", time.Minute)
	put("forever", "g", 0)
	settle(t, s)
	if n := s.entries(t, groupsBucket); n != 2 {
		t.Errorf("%d entries, want a list and one of its own", n)
	}
	put("a", "g", time.Hour)
	put("b", "other", time.Minute)
	update(t, s, func(tx storage.Tx) error { return tx.Delete("k", "c") })
	settle(t, s)
	has("a", "forever")
	put("b", "g", time.Minute)
	put("c", "g", 0)
	settle(t, s)
	has("a", "b", "c", "forever")
	put("c", "g", time.Hour)
	put("forever", "g", time.Hour)
	clock.Advance(2 * time.Minute)
	settle(t, s)
	settle(t, s)
	has("a", "c", "forever")
	if n := s.entries(t, groupsBucket); n != 2 {
		t.Errorf("%d entries, want one list of each commit", n)
	}
	clock.Advance(2 * time.Hour)
	for range 10 {
		settle(t, s)
	}
	if n := s.entries(t, []byte("k")) + s.entries(t, groupsBucket) + s.entries(t, expiryBucket); n != 0 {
		t.Errorf("%d entries left", n)
	}
}

func FuzzLists(f *testing.F) {
	var l lists
	l.addToSpan(1, "k", appendID(nil, "id"))
	l.addToSpan(1, "kind", appendID(nil, storage.HashSecret("x")))
	f.Add(l.spans[1][0], []byte{idText, 'x'})
	f.Add(appendListed(appendListed(nil, appendID(nil, "id")), appendID(nil, "another")), []byte(nil))
	f.Fuzz(func(t *testing.T, list, tail []byte) {
		for _, err := range listedIDs(tail, list) {
			if err != nil {
				break
			}
		}
		for rest := list; len(rest) > 0; {
			k, id, next, err := readEnding(rest)
			if err != nil {
				return
			}
			if k == "" || id == "" || len(next) >= len(rest) {
				t.Fatalf("%q %q, %d bytes left of %d", k, id, len(next), len(rest))
			}
			rest = next
		}
	})
}

// The file outgrows its mapping while there are readers: the writer waits for them alone, not for the store itself.
func TestFileOutgrowsItsMapping(t *testing.T) {
	s, err := Open(Config{Path: filepath.Join(t.TempDir(), "db"), SweepEvery: -1, mapped: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var wg sync.WaitGroup
	body := bytes.Repeat([]byte("x"), 100<<10)
	for i := range 4 {
		wg.Go(func() {
			for n := range 20 {
				update(t, s, func(tx storage.Tx) error {
					return tx.Put(storage.Record{Kind: "k", ID: fmt.Sprint(i, " ", n), Group: "g", Body: body})
				})
				_ = contents(t, s)
			}
		})
	}
	wg.Wait()
	settle(t, s)
	if got := contents(t, s); len(got) != 80 {
		t.Errorf("%d records, want 80", len(got))
	}
}

// Whoever waits for a writer that ends in the middle is told, and so is everybody later.
func TestWriterEnds(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"), nil)
	putOne(t, s, "a", "1")
	var wg sync.WaitGroup
	release := hold(s, &wg)
	wg.Go(func() {
		_ = s.Update(context.Background(), func(storage.Tx) error {
			runtime.Goexit()
			return nil
		})
	})
	s.waitFor(1)
	for range 3 { // with it in a batch
		wg.Go(func() {
			if err := s.Update(context.Background(), func(tx storage.Tx) error { return tx.Delete("k", "a") }); !errors.Is(err, ErrBroken) {
				t.Errorf("who waited: %v", err)
			}
		})
	}
	s.waitFor(4)
	release()
	wg.Wait()
	if err := s.Update(context.Background(), func(storage.Tx) error { return nil }); !errors.Is(err, ErrBroken) {
		t.Errorf("who came later: %v", err)
	}
	if got := contents(t, s); got["a"] != "1" {
		t.Errorf("got %v", got)
	}
}

// What a View has begun to read it reads to the end, however often the file is written meanwhile.
func TestViewOutlivesTree(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"), nil)
	for i := range 50 {
		putOne(t, s, fmt.Sprintf("%02d", i), "old")
	}
	settle(t, s)
	n := 0
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		for r, err := range tx.Scan("k", "g") {
			if err != nil || string(r.Body) != "old" {
				t.Fatalf("%s: %q, %v", r.ID, r.Body, err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				putOne(t, s, r.ID, "new")
				settle(t, s)
			}()
			<-done
			n++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != 50 {
		t.Errorf("%d records, want 50", n)
	}
	if !s.tree.alone() {
		t.Error("somebody still has the tree")
	}
}

// The filter has every name that the tree has, whatever was written, removed, swept and opened again, and few others.
func TestFilter(t *testing.T) {
	clock := storagetest.NewClock()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, clock.Now)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		update(t, s, func(tx storage.Tx) (err error) {
			for range 50 {
				r := storage.Record{Kind: storage.Kind([]string{"k", "l"}[random.IntN(2)]), ID: fmt.Sprint(random.IntN(300))}
				switch random.IntN(4) {
				case 0:
					err = errors.Join(err, tx.Delete(r.Kind, r.ID))
				case 1:
					err = errors.Join(err, tx.Put(r))
				default:
					r.Expires = clock.Now().Add(time.Duration(random.IntN(100)) * time.Second)
					err = errors.Join(err, tx.Put(r))
				}
			}
			return err
		})
		clock.Advance(time.Duration(random.IntN(30)) * time.Second)
		if _, err := s.Sweep(context.Background(), 20); err != nil {
			t.Fatal(err)
		}
		if round == 15 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, path, clock.Now)
		}
		count, missed, wrong := 0, 0, 0
		for _, k := range []storage.Kind{"k", "l"} {
			for n := range 300 {
				id := fmt.Sprint(n)
				_, has, err := (&state{tree: s.tree.bare(), gathered: newGathered()}).Get(k, id)
				if err != nil {
					t.Fatal(err)
				}
				says := s.filter.has(k, appendID(nil, id))
				switch {
				case has && !says:
					missed++
				case !has && says:
					wrong++
				}
				if has {
					count++
				}
			}
		}
		if missed > 0 || wrong > 10 || count == 0 {
			t.Fatalf("round %d, %d records: %d missed, %d wrong", round, count, missed, wrong)
		}
	}
}

// bare is t without its filter.
func (t *tree) bare() *tree {
	return &tree{tx: t.tx, users: 1, cursors: map[storage.Kind]*bolt.Cursor{}}
}

// A View of an older tree still has what is removed from the newest.
func TestViewAndFilter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"), nil)
	putOne(t, s, "a", "1")
	settle(t, s)
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			update(t, s, func(tx storage.Tx) error { return tx.Delete("k", "a") })
			settle(t, s)
		}()
		<-done
		_, err := tx.Get("k", "a")
		return err
	}); err != nil {
		t.Error(err)
	}
}

func BenchmarkID(b *testing.B) {
	id, room := storage.HashSecret("x"), make([]byte, 0, 64)
	for b.Loop() {
		appendID(room, id)
	}
}
