package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/storage/seal"
)

// largeList is a CRL of a size that no single evidence could have.
func largeList(b byte) []byte { return bytes.Repeat([]byte{0x30, b, 0x5c, 0x0a}, (MaxEvidence+1)/4+1) }

func lastEvidence(t *testing.T, dir string) string {
	t.Helper()
	all := lines(t, dir)
	var one struct{ Evidence struct{ ID string } }
	if err := json.Unmarshal(all[len(all)-1], &one); err != nil {
		t.Fatal(err)
	}
	return one.Evidence.ID
}

func kept(t *testing.T, dir string) (lists []string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, evidenceDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), "-") {
			lists = append(lists, f.Name())
		}
	}
	return lists
}

// TestLargeLists: while a responder cannot be reached sign-ins go on by the authority's list, however large it is; it is kept
// once a day, over restarts, and comes back with the evidence.
func TestLargeLists(t *testing.T) {
	dir := t.TempDir()
	s, err := seal.New(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 30, 12, 0, 0, 0, time.UTC)
	for day := range 2 {
		for range 2 {
			f, err := Open(Config{Dir: dir, Key: testKey(2), Sealer: s, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					e := &Evidence{Signature: []byte("s"), Revocation: largeList(1)}
					if err := f.Record(ctx, Event{Action: "login.verified", Outcome: Passed, Evidence: e}); err != nil {
						t.Error(err)
					}
					if e.RevocationList != "" || len(e.Revocation) == 0 {
						t.Error("the caller's evidence was changed")
					}
				})
			}
			all.Wait()
			got, err := f.Evidence(lastEvidence(t, dir))
			if err != nil || string(got.Signature) != "s" || !bytes.Equal(got.Revocation, largeList(1)) {
				t.Fatalf("the list does not come back: %v", err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if lists := kept(t, dir); len(lists) != day+1 {
			t.Errorf("%d lists on day %d: %v", len(lists), day, lists)
		}
		now = now.Add(24 * time.Hour)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, evidenceDir, kept(t, dir)[0]))
	if err != nil || bytes.Contains(sealed, largeList(1)[:64]) {
		t.Errorf("the list is not sealed, %v", err)
	}
}

// TestListIsTheOneNamed: a list that was exchanged is none, and a name leads nowhere else.
func TestListIsTheOneNamed(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	record(t, f, Event{Action: "a", Outcome: Passed, Evidence: &Evidence{Revocation: largeList(1)}})
	first := lastEvidence(t, dir)
	record(t, f, Event{Action: "a", Outcome: Passed, Evidence: &Evidence{Revocation: largeList(2)}})
	lists := kept(t, dir)
	if len(lists) != 2 {
		t.Fatalf("%v", lists)
	}
	folder := filepath.Join(dir, evidenceDir)
	for _, name := range lists {
		other, err := os.ReadFile(filepath.Join(folder, lists[0]))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), append(other[:len(other)-1], other[len(other)-1]^1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Evidence(first); err == nil {
		t.Error("a list that was changed is taken")
	}
	for _, name := range []string{"", "20261230", "20261230-00", "../20261230-" + strings.Repeat("0", 64), "20261230-" + strings.Repeat("z", 64)} {
		if _, err := f.list(name); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	if err := f.Record(ctx, Event{Action: "a", Outcome: Passed, Evidence: &Evidence{Revocation: make([]byte, maxList+1)}}); err == nil {
		t.Error("a list beyond the bound is kept")
	}
}
