package disk

import (
	"errors"
	"os"
	"syscall"
)

// Sync makes what was written to f durable: its bytes and its length, but not the time of the change, which is a write of
// its own.
func Sync(f *os.File) error {
	if w := begin(f); w != nil {
		return w.wait()
	}
	return block(f)
}

// block is Sync in a call that blocks its thread.
func block(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
