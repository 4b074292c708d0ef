package disk

import "os"

// A Tail knows how much of a file that only grows is on the disk. It is for one goroutine at a time.
type Tail struct {
	file  *os.File
	begun *waiter // a sync that nobody waits for yet; nil if there is none
	wrote bool    // since it began, or the last one
}

// NewTail returns the Tail of a file of which everything is on the disk.
func NewTail(f *os.File) Tail { return Tail{file: f} }

// Wrote says that the file has grown.
func (t *Tail) Wrote() { t.wrote = true }

// Begin has what was written brought to the disk while the caller does something else. Whatever goes wrong, Sync says.
func (t *Tail) Begin() {
	if !t.wrote || t.begun != nil {
		return
	}
	if t.begun = begin(t.file); t.begun != nil {
		t.wrote = false
	}
}

// Sync returns once all that was written is on the disk. After an error nothing is known of the file any more.
func (t *Tail) Sync() error {
	if w := t.begun; w != nil {
		t.begun = nil
		if err := w.wait(); err != nil {
			return err
		}
	}
	if !t.wrote {
		return nil
	}
	if err := Sync(t.file); err != nil {
		return err
	}
	t.wrote = false
	return nil
}

// Waiting reports whether anything that was written may not be on the disk.
func (t *Tail) Waiting() bool { return t.wrote || t.begun != nil }
