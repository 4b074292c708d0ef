package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"brama/storage/seal"
)

var ctx = context.Background()

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func open(t testing.TB, dir string) *File {
	t.Helper()
	f, err := tryOpen(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func tryOpen(t testing.TB, dir string) (*File, error) {
	t.Helper()
	s, err := seal.New(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return Open(Config{Dir: dir, Key: testKey(2), Sealer: s})
}

func record(t testing.TB, f *File, e Event) {
	t.Helper()
	if err := f.Record(ctx, e); err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, dir string) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))
}

func write(t *testing.T, dir, name string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	number := Identifier{Type: "RNOKPP", Country: "UA", Value: "3333333334"}
	record(t, f, Event{
		Action: "login.verified", Outcome: Passed, Login: "l", Client: "c", Connector: "filekey", Person: "p", Address: "192.0.2.1",
		Identifiers: []Identifier{number}, Detail: map[string]string{"b": "2", "a": "1"},
		Evidence: &Evidence{Signature: []byte("signature of 3333333334"), TrustList: "42"},
	})
	record(t, f, Event{Action: "login.refused", Outcome: Failed, Code: "CERT_REVOKED"})
	got := lines(t, dir)
	if len(got) != 2 {
		t.Fatalf("%d lines", len(got))
	}
	var one struct {
		Seq         int
		Action      string
		Outcome     string
		Identifiers []struct{ Type, Masked, Hash string }
		Evidence    struct{ ID, SHA256 string }
		Detail      map[string]string
	}
	if err := json.Unmarshal(got[0], &one); err != nil {
		t.Fatal(err)
	}
	if one.Seq != 1 || one.Action != "login.verified" || one.Detail["a"] != "1" || one.Identifiers[0].Masked != "********34" ||
		one.Identifiers[0].Hash != f.IdentifierHash(number) {
		t.Errorf("got %s", got[0])
	}
	e, err := f.Evidence(one.Evidence.ID)
	if err != nil || string(e.Signature) != "signature of 3333333334" || e.TrustList != "42" {
		t.Errorf("evidence %+v, %v", e, err)
	}
	record(t, f, Event{Action: "login.verified", Outcome: Passed, Evidence: &Evidence{Content: []byte("another")}})
	for _, bad := range []string{"", "../audit", "../audit-x-0-10", "20261231-x--1-5", "20261231-x-0-99999999999", one.Evidence.ID + "-1",
		strings.Replace(one.Evidence.ID, "-0-", "-1-", 1)} {
		if _, err := f.Evidence(bad); err == nil {
			t.Errorf("%q is evidence", bad)
		}
	}
	if e, err := f.Evidence(one.Evidence.ID); err != nil || e.TrustList != "42" {
		t.Errorf("after another one: %+v, %v", e, err)
	}
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte("3333333334")) {
			t.Errorf("%s holds the number", d.Name())
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", d.Name(), info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Event{{}, {Action: "a"}, {Outcome: Passed}} {
		if err := f.Record(ctx, bad); err == nil {
			t.Errorf("%+v recorded", bad)
		}
	}
}

// The longest line that can be recorded can be verified.
func TestLongestLine(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	v := strings.Repeat("\x01", MaxValue+1)
	e := Event{Action: v, Outcome: Outcome(v), Code: v, Login: v, Client: v, Connector: v, Person: v, Actor: v, Address: v, Evidence: &Evidence{}, Detail: map[string]string{}}
	for i := range maxDetails {
		e.Detail[fmt.Sprint(i)+v] = v
	}
	for range maxIdentifiers {
		e.Identifiers = append(e.Identifiers, Identifier{v, v, v})
	}
	record(t, f, e)
	if n, err := Verify(dir, "", testKey(2)); n != 1 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
	e.Detail["one more"] = ""
	if err := f.Record(ctx, e); err == nil {
		t.Error("too many details recorded")
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		f := open(t, dir)
		record(t, f, Event{Action: "a", Outcome: Passed, Login: fmt.Sprint(i)})
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Record(ctx, Event{Action: "a", Outcome: Passed}); !errors.Is(err, ErrClosed) {
			t.Errorf("Record after Close: %v", err)
		}
	}
	if n, err := Verify(dir, "", testKey(2)); n != 3 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
	if _, err := Verify(dir, "", testKey(3)); !errors.Is(err, ErrTampered) {
		t.Errorf("with another key: %v", err)
	}
}

// A crash leaves half a line, of a record that nobody was answered.
func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	record(t, f, Event{Action: "a", Outcome: Passed})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(filepath.Join(dir, logName))
	write(t, dir, logName, append(bytes.Clone(raw), raw[:len(raw)/2]...))
	f = open(t, dir)
	record(t, f, Event{Action: "b", Outcome: Passed})
	if n, err := Verify(dir, "", testKey(2)); n != 2 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

func fill(t *testing.T, dir string, n int) {
	t.Helper()
	f := open(t, dir)
	for i := range n {
		record(t, f, Event{Action: "a", Outcome: Failed, Login: fmt.Sprint(i)})
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// T89: whatever is changed, moved, added or removed inside is seen.
func TestAuditEdited(t *testing.T) {
	for name, change := range map[string]func(l [][]byte) [][]byte{
		"outcome":       func(l [][]byte) [][]byte { l[2] = bytes.Replace(l[2], []byte("failed"), []byte("passed"), 1); return l },
		"line removed":  func(l [][]byte) [][]byte { return append(l[:2], l[3:]...) },
		"first removed": func(l [][]byte) [][]byte { return l[1:] },
		"lines swapped": func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l },
		"line repeated": func(l [][]byte) [][]byte { return append(l, l[4]) },
		"mac of other":  func(l [][]byte) [][]byte { copy(l[1][len(l[1])-60:], l[2][len(l[2])-60:]); return l },
		"no mac":        func(l [][]byte) [][]byte { l[4] = []byte(`{"seq":5}`); return l },
		"blank line":    func(l [][]byte) [][]byte { l[4] = nil; return l },
		"field added": func(l [][]byte) [][]byte {
			l[4] = bytes.Replace(l[4], []byte(`,"mac"`), []byte(`,"x":"y","mac"`), 1)
			return l
		},
	} {
		dir := t.TempDir()
		fill(t, dir, 5)
		write(t, dir, logName, append(bytes.Join(change(lines(t, dir)), []byte("\n")), '\n'))
		if _, err := Verify(dir, "", testKey(2)); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: Verify says %v", name, err)
		}
		if _, err := tryOpen(t, dir); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: Open says %v", name, err)
		}
	}
}

// T89: a chain alone does not show that its end is missing; the checkpoints do.
func TestTailCutDetected(t *testing.T) {
	for _, left := range []int{0, 1, 4} {
		dir := t.TempDir()
		fill(t, dir, 5)
		l := lines(t, dir)
		raw := bytes.Join(l[:left], []byte("\n"))
		if left > 0 {
			raw = append(raw, '\n')
		}
		write(t, dir, logName, raw)
		if _, err := Verify(dir, "", testKey(2)); !errors.Is(err, ErrTampered) {
			t.Errorf("%d of 5 lines left: %v", left, err)
		}
		if _, err := tryOpen(t, dir); !errors.Is(err, ErrTampered) {
			t.Errorf("%d of 5 lines left: Open says %v", left, err)
		}
	}
	dir := t.TempDir()
	fill(t, dir, 2)
	raw, _ := os.ReadFile(filepath.Join(dir, checkpointName))
	write(t, dir, checkpointName, bytes.Replace(raw, []byte(`"seq":2`), []byte(`"seq":1`), 1))
	if _, err := Verify(dir, "", testKey(2)); !errors.Is(err, ErrTampered) {
		t.Errorf("edited checkpoint: %v", err)
	}
}

// T90: a value cannot end its line, forge another, or move the cursor of who reads it.
func TestHostileAuditFields(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	hostile := []string{
		"a\nb", "a\r\n{\"seq\":2}", `","outcome":"passed`, `\`, `\"`, "\x1b[2J\x1b[31m", "\u202egnp.exe", "\u2066x\u2069", "\x00", "\x7f\u0085\u009b",
		"\xff\xfe", "\u2028\u2029", "\u200b\ufeff", "\U000e0041", strings.Repeat("ї", 10000), "\xf0\x9f\x98",
	}
	for _, h := range hostile {
		record(t, f, Event{
			Action: h + "a", Outcome: Failed, Code: h, Login: h, Client: h, Connector: h, Person: h, Actor: h, Address: h,
			Identifiers: []Identifier{{Type: h, Country: h, Value: h}}, Detail: map[string]string{h: h},
		})
	}
	raw, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(raw) {
		if r != '\n' && !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			t.Fatalf("log holds %U", r)
		}
	}
	n := 0
	s := bufio.NewScanner(bytes.NewReader(raw))
	s.Buffer(nil, maxLine)
	for s.Scan() {
		var m struct{ Outcome, Login string }
		if err := json.Unmarshal(s.Bytes(), &m); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if m.Outcome != "failed" {
			t.Errorf("line %d: outcome %q", n, m.Outcome)
		}
		if h := hostile[n]; len(h) <= MaxValue && strings.ToValidUTF8(h, "") == h && m.Login != h {
			t.Errorf("line %d: %q became %q", n, h, m.Login)
		}
		n++
	}
	if s.Err() != nil || n != len(hostile) {
		t.Errorf("%d lines, want %d (%v)", n, len(hostile), s.Err())
	}
	if n, err := Verify(dir, "", testKey(2)); int(n) != len(hostile) || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

func TestConcurrentRecords(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			mark := fmt.Sprintf("login-%03d", i)
			if err := f.Record(ctx, Event{Action: "a", Outcome: Passed, Login: mark}); err != nil {
				t.Error(err)
			}
			raw, err := os.ReadFile(filepath.Join(dir, logName))
			if err != nil || !bytes.Contains(raw, []byte(mark)) {
				t.Errorf("%s was answered and is not in the file", mark)
			}
		})
	}
	wg.Wait()
	if n, err := Verify(dir, "", testKey(2)); n != 200 || err != nil {
		t.Errorf("Verify = %d, %v", n, err)
	}
}

// A record that cannot be written is an error, and so is every one after it.
func TestAuditFailureIsAnError(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	record(t, f, Event{Action: "a", Outcome: Passed})
	_ = f.file.Close() // as if the disk had gone
	for range 2 {
		if err := f.Record(ctx, Event{Action: "b", Outcome: Passed}); !errors.Is(err, ErrBroken) {
			t.Errorf("got %v, want ErrBroken", err)
		}
	}
}

// What cannot keep its evidence is not recorded.
func TestEvidenceFirst(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, evidenceDir)); err != nil {
		t.Fatal(err)
	}
	if err := f.Record(ctx, Event{Action: "c", Outcome: Passed, Evidence: &Evidence{}}); !errors.Is(err, ErrBroken) {
		t.Errorf("recorded without its evidence: %v", err)
	}
	if got := lines(t, dir); len(got) != 1 || len(got[0]) != 0 {
		t.Errorf("the log has %q", got)
	}
}

// Each day has a file of evidence, which goes on after a restart, behind what a crash left there.
func TestEvidenceOfDays(t *testing.T) {
	dir := t.TempDir()
	s, _ := seal.New(testKey(1))
	now := time.Date(2026, 12, 30, 23, 59, 0, 0, time.UTC)
	var ids []string
	for i := range 6 {
		f, err := Open(Config{Dir: dir, Key: testKey(2), Sealer: s, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			record(t, f, Event{Action: "a", Outcome: Passed, Evidence: &Evidence{TrustList: fmt.Sprint(len(ids))}})
			all := lines(t, dir)
			var one struct{ Evidence struct{ ID string } }
			if err := json.Unmarshal(all[len(all)-1], &one); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, one.Evidence.ID)
			if i%2 == 1 {
				now = now.Add(24 * time.Hour)
			}
		}
		for n, id := range ids {
			if e, err := f.Evidence(id); err != nil || e.TrustList != fmt.Sprint(n) {
				t.Errorf("evidence %s: %+v, %v, want %d", id, e, err, n)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		torn, err := os.OpenFile(filepath.Join(dir, evidenceDir, now.Format(dayFormat)), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := torn.WriteString("torn"); err != nil {
			t.Fatal(err)
		}
		_ = torn.Close()
	}
	if days, err := os.ReadDir(filepath.Join(dir, evidenceDir)); err != nil || len(days) != 7 {
		t.Errorf("%d days, %v", len(days), err)
	}
}

func TestCheckpointEveryMinute(t *testing.T) {
	dir := t.TempDir()
	s, _ := seal.New(testKey(1))
	now := time.Unix(1000, 0)
	f, err := Open(Config{Dir: dir, Key: testKey(2), Sealer: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 10 {
		record(t, f, Event{Action: "a", Outcome: Passed})
		now = now.Add(20 * time.Second)
	}
	raw, err := os.ReadFile(filepath.Join(dir, checkpointName))
	if n := bytes.Count(raw, []byte("\n")); err != nil || n != 4 {
		t.Errorf("%d checkpoints in 200 s, %v, want 4", n, err)
	}
}

func FuzzVerify(f *testing.F) {
	dir := f.TempDir()
	log := open(f, dir)
	for range 3 {
		record(f, log, Event{Action: "a", Outcome: Passed})
	}
	_ = log.Close()
	raw, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, logName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		// The end of the file without its line feed is the only difference that does not matter.
		if _, err := Verify(dir, "", testKey(2)); err == nil && !bytes.Equal(bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), bytes.TrimSuffix(raw, []byte("\n"))) {
			t.Fatalf("verified %q", b)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	f := open(b, b.TempDir())
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := f.Record(ctx, Event{Action: "login.verified", Outcome: Passed, Login: "l", Client: "c"}); err != nil {
				b.Error(err)
			}
		}
	})
}
