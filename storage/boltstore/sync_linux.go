package boltstore

import (
	"os"
	"syscall"
)

// syncData makes what was written to f durable: its bytes and its length, but not the time of the change.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR { //nolint:errorlint // a plain errno
			return err
		}
	}
}
