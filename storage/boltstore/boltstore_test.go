package boltstore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"brama/storage"
	"brama/storage/storagetest"
)

func open(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(Config{Path: path, Now: now, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, now func() time.Time) storage.Store {
		return open(t, filepath.Join(t.TempDir(), "db"), now)
	})
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "db")
	s := open(t, path, nil)
	r := storage.Record{Kind: "k", ID: "a", Group: "g", Body: []byte("x")}
	if err := s.Update(context.Background(), func(tx storage.Tx) error { return tx.Put(r) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(context.Background(), func(storage.Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Update after Close: %v", err)
	}
	if err := s.View(context.Background(), func(storage.Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("View after Close: %v", err)
	}
	s = open(t, path, nil)
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		_, err := tx.Get("k", "a")
		return err
	}); err != nil {
		t.Error(err)
	}
	if _, err := Open(Config{Path: path}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("opened twice: %v", err)
	}
}

// TestSecondProcess: what one server has open, another process cannot open, and is told so; what one winner is in one process is
// so on the machine (threat T5). The store of a server that was killed is free.
func TestSecondProcess(t *testing.T) {
	const child = "BRAMA_TEST_HOLD_STORE"
	if path := os.Getenv(child); path != "" {
		if _, err := Open(Config{Path: path, SweepEvery: -1}); err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("open\n")
		time.Sleep(time.Minute) // it is killed before
	}
	path := filepath.Join(t.TempDir(), "db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestSecondProcess$")
	cmd.Env = append(os.Environ(), child+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the first process says %q, %v", line, err)
	}
	if s, err := Open(Config{Path: path, SweepEvery: -1}); !errors.Is(err, ErrInUse) {
		t.Errorf("the second process opens it too: %v", err)
		if err == nil {
			s.Close()
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	s, err := Open(Config{Path: path, SweepEvery: -1})
	if err != nil {
		t.Fatalf("after the first was killed: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, path, nil)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode().Perm(), err)
	}
}

// hold keeps the writer of s busy until release is called.
func hold(s *Store, wg *sync.WaitGroup) (release func()) {
	entered, done := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		_ = s.Update(context.Background(), func(storage.Tx) error {
			close(entered)
			<-done
			return nil
		})
	})
	<-entered
	return func() { close(done) }
}

// Updates that wait together share a commit: while one function is held, the others gather, and a single transaction
// writes them all.
func TestGroupCommit(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"), nil)
	var wg sync.WaitGroup
	release := hold(s, &wg)
	const n = 100
	for i := range n {
		wg.Go(func() {
			if err := s.Update(context.Background(), func(tx storage.Tx) error {
				return tx.Put(storage.Record{Kind: "k", ID: fmt.Sprint(i)})
			}); err != nil {
				t.Error(err)
			}
		})
	}
	s.waitFor(n)
	before := s.frames()
	release()
	wg.Wait()
	if got := s.frames() - before; got > 2 {
		t.Errorf("%d commits for %d updates that waited together", got, n)
	}
}

// waitFor returns once n wait for the writer.
func (s *Store) waitFor(n int) {
	for s.writer.Waiting() < n {
		time.Sleep(time.Millisecond)
	}
}

// frames is how many frames are on the disk since the file was made.
func (s *Store) frames() uint64 {
	s.reading.RLock()
	defer s.reading.RUnlock()
	return s.number
}

// Nobody is answered before the commit that holds their write: what an answered caller reads from the file alone is there.
func TestAnsweredIsOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path, nil)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			body := fmt.Sprintf("marker-%02d-", i)
			if err := s.Update(context.Background(), func(tx storage.Tx) error {
				return tx.Put(storage.Record{Kind: "k", ID: fmt.Sprint(i), Body: []byte(body)})
			}); err != nil {
				t.Error(err)
				return
			}
			journal, err := os.ReadFile(path + journalSuffix)
			if err != nil || !bytes.Contains(journal, []byte(body)) {
				t.Errorf("%q is not in the journal (%v)", body, err)
			}
		})
	}
	wg.Wait()
}

func TestSweepsByItself(t *testing.T) {
	clock := storagetest.NewClock()
	s, err := Open(Config{Path: filepath.Join(t.TempDir(), "db"), Now: clock.Now, SweepEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Update(context.Background(), func(tx storage.Tx) error {
		return tx.Put(storage.Record{Kind: "k", ID: "a", Group: "g", Expires: clock.Now().Add(time.Second)})
	}); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		left := 0
		if !s.settled() {
			left++
		}
		if err := s.db.View(func(tx *bolt.Tx) error {
			for _, name := range [][]byte{[]byte("k"), groupsBucket, expiryBucket} {
				if b := tx.Bucket(name); b != nil {
					left += b.Inspect().KeyN
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d entries left", left)
		}
	}
}

func TestDamagedRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, err := bolt.Open(path, fileMode, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("k"))
		if err != nil {
			return err
		}
		return b.Put(appendID(nil, "a"), []byte{1, 2, 3})
	}), db.Close()); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, nil)
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		_, err := tx.Get("k", "a")
		return err
	}); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("damaged record: %v", err)
	}
	if err := s.Update(context.Background(), func(tx storage.Tx) error {
		return errors.Join(tx.Put(storage.Record{Kind: "k", ID: "b"}), tx.Put(storage.Record{Kind: "k", ID: "a"}))
	}); err == nil {
		t.Error("wrote over a damaged record")
	}
	if err := s.View(context.Background(), func(tx storage.Tx) error {
		_, err := tx.Get("k", "b")
		return err
	}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("half of a failed update is there: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(format(storage.Record{Group: "g", Body: []byte("x"), Expires: time.Unix(1, 0)}))
	f.Add(format(storage.Record{}))
	f.Add(append(binary.BigEndian.AppendUint64(nil, 1), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, v []byte) {
		r, err := parse("k", "a", v)
		if err != nil {
			return
		}
		if again, err := parse("k", "a", format(r)); err != nil || again.Group != r.Group || !bytes.Equal(again.Body, r.Body) {
			t.Fatalf("%v, %v", again, err)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "db"), nil)
	body := make([]byte, 500)
	var i int
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			i++
			if err := s.Update(context.Background(), func(tx storage.Tx) error {
				return tx.Put(storage.Record{Kind: "k", ID: fmt.Sprint(i), Body: body})
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("together", func(b *testing.B) {
		b.SetParallelism(64)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := s.Update(context.Background(), func(tx storage.Tx) error {
					return tx.Put(storage.Record{Kind: "k", ID: storage.HashSecret(fmt.Sprint(time.Now().UnixNano())), Body: body})
				}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
