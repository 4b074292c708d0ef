package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
	if !f.unsynced || !f.kept.unsynced {
		t.Errorf("lines waiting for the disk: %v, evidence: %v", f.unsynced, f.kept.unsynced)
	}
	if n := len(lines(t, dir)); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	if b, err := os.ReadFile(filepath.Join(dir, checkpointName)); err != nil || len(b) != 0 {
		t.Errorf("a checkpoint before the line is on the disk: %s, %v", b, err)
	}
	record(t, f, Event{Action: "login.confirmed", Outcome: Passed})
	if f.unsynced || f.kept.unsynced {
		t.Errorf("still waiting: lines %v, evidence %v", f.unsynced, f.kept.unsynced)
	}
	now = now.Add(24 * time.Hour) // another file
	record(t, f, Event{Action: "login.verified", Outcome: Passed, Unsynced: true, Evidence: &Evidence{Content: []byte("text")}})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.unsynced || f.kept.unsynced {
		t.Error("closed before everything was on the disk")
	}
	if again := open(t, dir); again.head.seq != 3 {
		t.Errorf("%d lines after a restart, want 3", again.head.seq)
	}
}
