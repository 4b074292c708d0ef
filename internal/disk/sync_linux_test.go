package disk

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func file(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func write(t testing.TB, f *os.File) {
	t.Helper()
	if _, err := f.Write(make([]byte, 1000)); err != nil {
		t.Error(err)
	}
}

// Many files at once, each answer to its own.
func TestSync(t *testing.T) {
	var wg sync.WaitGroup
	for range 32 {
		f := file(t)
		wg.Go(func() {
			for range 10 {
				write(t, f)
				if err := Sync(f); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	w := begin(file(t))
	if w == nil {
		t.Skip("this system has no asynchronous sync")
	}
	if err := w.wait(); err != nil {
		t.Error(err)
	}
	if n := len(idle.list); n > 32 {
		t.Errorf("%d waiters for 32 files", n)
	}
}

// What cannot be synced is an error, whoever is asked, and the next file is synced as before.
func TestSyncFails(t *testing.T) {
	read, written, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer written.Close()
	if err := Sync(written); err == nil {
		t.Error("a pipe was synced")
	}
	f := file(t)
	if err := Sync(f); err != nil {
		t.Error(err)
	}
	_ = f.Close()
	if err := Sync(f); err == nil {
		t.Error("a closed file was synced")
	}
}

// Where the kernel does not take the order, the thread blocks.
func TestSyncWithoutWaiters(t *testing.T) {
	idle.Lock()
	idle.none = true
	idle.Unlock()
	defer func() { idle.Lock(); idle.none = false; idle.Unlock() }()
	f := file(t)
	write(t, f)
	if err := Sync(f); err != nil {
		t.Error(err)
	}
	if takeWaiter() != nil {
		t.Error("a waiter where there are none")
	}
}

func BenchmarkSync(b *testing.B) {
	for name, do := range map[string]func(*os.File) error{"poller": Sync, "blocking": block} {
		b.Run(name, func(b *testing.B) {
			f := file(b)
			for b.Loop() {
				write(b, f)
				if err := do(f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
