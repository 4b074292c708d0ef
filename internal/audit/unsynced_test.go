package audit

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brama/internal/disk"
	"brama/storage/seal"
)

// An event on which nothing is let out yet is written and read like any other; the next one brings both to the disk, evidence
// first. A checkpoint never says more than the disk holds.
func TestUnsynced(t *testing.T) {
	dir := t.TempDir()
	s, err := seal.New(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f, err := Open(Config{Dir: dir, Key: testKey(2), Sealer: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	record(t, f, Event{Action: "login.verified", Outcome: Passed, Unsynced: true, Evidence: &Evidence{Content: []byte("text")}})
	if !f.tail.Waiting() || !f.kept.tail.Waiting() {
		t.Errorf("lines waiting for the disk: %v, evidence: %v", f.tail.Waiting(), f.kept.tail.Waiting())
	}
	if n := len(lines(t, dir)); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	if b, err := os.ReadFile(filepath.Join(dir, checkpointName)); err != nil || len(b) != 0 {
		t.Errorf("a checkpoint before the line is on the disk: %s, %v", b, err)
	}
	record(t, f, Event{Action: "login.confirmed", Outcome: Passed})
	if f.tail.Waiting() || f.kept.tail.Waiting() {
		t.Errorf("still waiting: lines %v, evidence %v", f.tail.Waiting(), f.kept.tail.Waiting())
	}
	now = now.Add(24 * time.Hour) // another file
	record(t, f, Event{Action: "login.verified", Outcome: Passed, Unsynced: true, Evidence: &Evidence{Content: []byte("text")}})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.tail.Waiting() || f.kept.tail.Waiting() {
		t.Error("closed before everything was on the disk")
	}
	if again := open(t, dir); again.head.seq != 3 {
		t.Errorf("%d lines after a restart, want 3", again.head.seq)
	}
}

// A line that goes to the disk while its act is prepared is written at once, with the evidence before it on the disk, and is
// on the disk when the act is let out. If it does not come there, that is an error, for this act and every other.
func TestDurable(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	record(t, f, Event{Action: "login.verified", Outcome: Passed, Unsynced: true, Evidence: &Evidence{Content: []byte("text")}})
	var d Durable
	record(t, f, Event{Action: "login.confirmed", Outcome: Passed, Durable: &d})
	if n := len(lines(t, dir)); n != 2 || f.kept.tail.Waiting() || !f.tail.Waiting() {
		t.Errorf("%d lines, want 2; evidence waits: %v, lines wait: %v", n, f.kept.tail.Waiting(), f.tail.Waiting())
	}
	if err := d.Wait(); err != nil || f.tail.Waiting() {
		t.Errorf("%v, lines wait: %v", err, f.tail.Waiting())
	}
	if n := len(lines(t, dir)); n != 2 {
		t.Errorf("waiting wrote a line: %d", n)
	}

	var failing, after Durable
	record(t, f, Event{Action: "login.confirmed", Outcome: Passed, Durable: &failing})
	gone, err := os.Create(filepath.Join(dir, "gone"))
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	f.tail = disk.NewTail(gone)
	f.tail.Wrote()
	if err := failing.Wait(); !errors.Is(err, ErrBroken) {
		t.Errorf("a line that is not on the disk: %v", err)
	}
	if err := f.Record(t.Context(), Event{Action: "login.confirmed", Outcome: Passed, Durable: &after}); !errors.Is(err, ErrBroken) {
		t.Errorf("the next one: %v", err)
	}
}
