// Package disk makes what was written to files durable. It owns no file and no format.
package disk

import (
	"errors"
	"os"
)

// SyncDir makes the names in a folder durable: of a file that was made in it, or removed.
func SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
