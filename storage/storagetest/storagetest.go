// Package storagetest is the contract of storage.Store as a test: every backend calls Run.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/storage"
)

// A Clock is the clock of the store under test.
type Clock struct{ at atomic.Int64 }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time { return time.Unix(0, c.at.Load()) }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.at.Add(int64(d)) }

// NewClock returns a clock that stands at some moment.
func NewClock() *Clock {
	c := &Clock{}
	c.at.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

// A Sweeper is a store that removes expired records by itself.
type Sweeper interface {
	Sweep(ctx context.Context, limit int) (int, error)
}

// Run tests the store that open returns, a new and empty one each time, closed by open's own cleanup.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) storage.Store) {
	for name, test := range map[string]func(*testing.T, storage.Store, *Clock){
		"Records":         testRecords,
		"Isolation":       testIsolation,
		"FailedUpdate":    testFailedUpdate,
		"Panic":           testPanic,
		"Expiry":          testExpiry,
		"Sweep":           testSweep,
		"Scan":            testScan,
		"ScanWhileWrite":  testScanWhileWriting,
		"Limits":          testLimits,
		"ReadOnlyView":    testReadOnlyView,
		"Cancelled":       testCancelled,
		"Snapshot":        testSnapshot,
		"RaceInsert":      testRaceInsert,
		"RaceCounter":     testRaceCounter,
		"RaceLogin":       testRaceLogin,
		"RaceCode":        testRaceCode,
		"RaceRefresh":     testRaceRefresh,
		"RaceSession":     testRaceSession,
		"RaceFarewell":    testRaceFarewell,
		"RaceWithFailing": testRaceWithFailing,
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			test(t, open(t, clock.Now), clock)
		})
	}
}

var ctx = context.Background()

const kind storage.Kind = "thing"

func rec(id, group, body string) storage.Record {
	return storage.Record{Kind: kind, ID: id, Group: group, Body: []byte(body)}
}

func update(t *testing.T, s storage.Store, fn func(storage.Tx) error) {
	t.Helper()
	if err := s.Update(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s storage.Store, rs ...storage.Record) {
	t.Helper()
	update(t, s, func(tx storage.Tx) error {
		for _, r := range rs {
			if err := tx.Put(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func get(t *testing.T, s storage.Store, id string) (storage.Record, error) {
	t.Helper()
	var r storage.Record
	err := s.View(ctx, func(tx storage.Tx) error {
		var err error
		r, err = tx.Get(kind, id)
		return err
	})
	return r, err
}

func ids(t *testing.T, s storage.Store, group string) []string {
	t.Helper()
	var out []string
	err := s.View(ctx, func(tx storage.Tx) error {
		for r, err := range tx.Scan(kind, group) {
			if err != nil {
				return err
			}
			out = append(out, r.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func testRecords(t *testing.T, s storage.Store, clock *Clock) {
	want := storage.Record{Kind: kind, ID: "a", Group: "g", Expires: clock.Now().Add(time.Hour), Body: []byte("one")}
	put(t, s, want)
	got, err := get(t, s, "a")
	if err != nil || got.Kind != kind || got.ID != "a" || got.Group != "g" || string(got.Body) != "one" || !got.Expires.Equal(want.Expires) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := s.Update(ctx, func(tx storage.Tx) error { return tx.Insert(rec("a", "", "two")) }); !errors.Is(err, storage.ErrExists) {
		t.Errorf("Insert of an existing id: %v, want ErrExists", err)
	}
	put(t, s, rec("a", "", "two"))
	if got, err = get(t, s, "a"); err != nil || string(got.Body) != "two" || got.Group != "" || !got.Expires.IsZero() {
		t.Errorf("after Put: %+v, %v", got, err)
	}
	update(t, s, func(tx storage.Tx) error { return tx.Delete(kind, "a") })
	if _, err = get(t, s, "a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after Delete: %v, want ErrNotFound", err)
	}
	update(t, s, func(tx storage.Tx) error { return tx.Delete(kind, "a") })
	update(t, s, func(tx storage.Tx) error { return tx.Insert(rec("a", "", "three")) })
	if got, err := get(t, s, "a"); err != nil || string(got.Body) != "three" {
		t.Errorf("after a second Insert: %+v, %v", got, err)
	}
	put(t, s, storage.Record{Kind: "other", ID: "a", Body: []byte("x")})
	if got, _ := get(t, s, "a"); string(got.Body) != "three" {
		t.Error("kinds share ids")
	}
}

// What somebody has read stays as it was, whatever is written and removed later.
func testIsolation(t *testing.T, s storage.Store, _ *Clock) {
	const n = 50
	read := func(want string) (bodies [][]byte) {
		if err := s.View(ctx, func(tx storage.Tx) error {
			for i := range n {
				r, err := tx.Get(kind, fmt.Sprint(i))
				if err != nil {
					return err
				}
				bodies = append(bodies, r.Body)
			}
			for r, err := range tx.Scan(kind, "g") {
				if err != nil {
					return err
				}
				bodies = append(bodies, r.Body)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		check(t, bodies, want, 2*n)
		return bodies
	}
	var texts []string
	var before [][][]byte
	for round := range 5 {
		text := strings.Repeat(fmt.Sprint(round), 500)
		for i := range n {
			put(t, s, rec(fmt.Sprint(i), "g", text))
		}
		written := read(text)
		if sweeper, ok := s.(Sweeper); ok { // which may move records elsewhere
			if _, err := sweeper.Sweep(ctx, 1); err != nil {
				t.Fatal(err)
			}
		}
		texts, before = append(texts, text), append(before, append(written, read(text)...))
	}
	for i, text := range texts {
		check(t, before[i], text, 4*n)
	}
}

func check(t *testing.T, bodies [][]byte, want string, n int) {
	t.Helper()
	if len(bodies) != n {
		t.Fatalf("%d bodies, want %d", len(bodies), n)
	}
	for _, b := range bodies {
		if string(b) != want {
			t.Fatalf("a body is %.20q, want %.20q", b, want)
		}
	}
}

func testFailedUpdate(t *testing.T, s storage.Store, _ *Clock) {
	put(t, s, rec("a", "", "one"))
	failure := errors.New("no")
	err := s.Update(ctx, func(tx storage.Tx) error {
		if err := tx.Put(rec("a", "", "two")); err != nil {
			return err
		}
		if err := tx.Put(rec("b", "", "two")); err != nil {
			return err
		}
		if r, err := tx.Get(kind, "a"); err != nil || string(r.Body) != "two" {
			t.Errorf("own write not seen: %q, %v", r.Body, err)
		}
		if err := tx.Delete(kind, "a"); err != nil {
			return err
		}
		if _, err := tx.Get(kind, "a"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("own delete not seen: %v", err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v, want the function's error", err)
	}
	if got := ids(t, s, ""); !slices.Equal(got, []string{"a"}) {
		t.Errorf("failed update left %v", got)
	}
	if r, _ := get(t, s, "a"); string(r.Body) != "one" {
		t.Errorf("failed update left %q", r.Body)
	}
}

func testPanic(t *testing.T, s storage.Store, _ *Clock) {
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("panic did not reach the caller")
			}
		}()
		_ = s.Update(ctx, func(tx storage.Tx) error {
			_ = tx.Put(rec("a", "", "one"))
			panic("boom")
		})
	}()
	if got := ids(t, s, ""); len(got) != 0 {
		t.Errorf("panicking update left %v", got)
	}
	put(t, s, rec("b", "", "one")) // the store lives on
}

func testExpiry(t *testing.T, s storage.Store, clock *Clock) {
	r := rec("a", "g", "one")
	r.Expires = clock.Now().Add(time.Minute)
	put(t, s, r, rec("b", "g", "stays"))
	clock.Advance(time.Minute - 1)
	if _, err := get(t, s, "a"); err != nil {
		t.Errorf("before its end: %v", err)
	}
	clock.Advance(1)
	if _, err := get(t, s, "a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("at its end: %v, want ErrNotFound", err)
	}
	if got := ids(t, s, "g"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("scan shows %v", got)
	}
	update(t, s, func(tx storage.Tx) error { return tx.Insert(rec("a", "", "again")) })
	if got, err := get(t, s, "a"); err != nil || string(got.Body) != "again" {
		t.Errorf("Insert over an expired record: %q, %v", got.Body, err)
	}
	if got := ids(t, s, "g"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("old group of a replaced record shows %v", got)
	}
}

func testSweep(t *testing.T, s storage.Store, clock *Clock) {
	sweeper, ok := s.(Sweeper)
	if !ok {
		t.Skip("store does not sweep")
	}
	for i := range 10 {
		r := rec(fmt.Sprint("short", i), "g", "x")
		r.Expires = clock.Now().Add(time.Minute)
		put(t, s, r)
	}
	r := rec("renewed", "g", "x")
	r.Expires = clock.Now().Add(time.Minute)
	put(t, s, r)
	r.Expires = clock.Now().Add(time.Hour)
	put(t, s, r, rec("forever", "g", "x"))
	if n, err := sweeper.Sweep(ctx, 100); n != 0 || err != nil {
		t.Errorf("swept %d, %v before anything expired", n, err)
	}
	clock.Advance(2 * time.Minute)
	if n, err := sweeper.Sweep(ctx, 7); n != 7 || err != nil {
		t.Errorf("swept %d, %v, want 7", n, err)
	}
	if n, err := sweeper.Sweep(ctx, 7); n != 3 || err != nil {
		t.Errorf("swept %d, %v, want 3", n, err)
	}
	if got := ids(t, s, "g"); !slices.Equal(got, []string{"forever", "renewed"}) {
		t.Errorf("left %v", got)
	}
}

func testScan(t *testing.T, s storage.Store, _ *Clock) {
	put(t, s, rec("a", "g", "x"), rec("b", "g", "x"), rec("c", "gg", "x"), rec("d", "", "x"))
	for group, want := range map[string][]string{"g": {"a", "b"}, "gg": {"c"}, "": {"a", "b", "c", "d"}, "none": nil} {
		if got := ids(t, s, group); !slices.Equal(got, want) {
			t.Errorf("group %q: %v, want %v", group, got, want)
		}
	}
	update(t, s, func(tx storage.Tx) error {
		if err := tx.Put(rec("b", "gg", "moved")); err != nil {
			return err
		}
		if err := tx.Put(rec("e", "g", "new")); err != nil {
			return err
		}
		if err := tx.Delete(kind, "a"); err != nil {
			return err
		}
		var inside []string
		for r, err := range tx.Scan(kind, "g") {
			if err != nil {
				return err
			}
			inside = append(inside, r.ID)
		}
		if !slices.Equal(inside, []string{"e"}) {
			t.Errorf("inside the update: %v", inside)
		}
		return nil
	})
	for group, want := range map[string][]string{"g": {"e"}, "gg": {"b", "c"}} {
		if got := ids(t, s, group); !slices.Equal(got, want) {
			t.Errorf("after moving, group %q: %v, want %v", group, got, want)
		}
	}
}

func testScanWhileWriting(t *testing.T, s storage.Store, _ *Clock) {
	for i := range 50 {
		put(t, s, rec(fmt.Sprintf("%02d", i), "g", "x"))
	}
	update(t, s, func(tx storage.Tx) error {
		n := 0
		for r, err := range tx.Scan(kind, "g") {
			if err != nil {
				return err
			}
			n++
			if err := tx.Delete(kind, r.ID); err != nil {
				return err
			}
		}
		if n != 50 {
			t.Errorf("scanned %d, want 50", n)
		}
		return nil
	})
	if got := ids(t, s, ""); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func testLimits(t *testing.T, s storage.Store, _ *Clock) {
	for name, r := range map[string]storage.Record{
		"no id":            {Kind: kind},
		"no kind":          {ID: "a"},
		"zero byte in id":  rec("a\x00b", "", ""),
		"zero byte, group": rec("a", "g\x00", ""),
		"long id":          rec(string(make([]byte, 300)), "", ""),
		"large body":       {Kind: kind, ID: "a", Body: make([]byte, 2<<20)},
	} {
		if err := s.Update(ctx, func(tx storage.Tx) error { return tx.Put(r) }); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func testReadOnlyView(t *testing.T, s storage.Store, _ *Clock) {
	err := s.View(ctx, func(tx storage.Tx) error { return tx.Put(rec("a", "", "x")) })
	if err == nil {
		t.Error("a View wrote")
	}
}

func testCancelled(t *testing.T, s storage.Store, _ *Clock) {
	c, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Update(c, func(tx storage.Tx) error { return tx.Put(rec("a", "", "x")) }); !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	if err := s.View(c, func(storage.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	if got := ids(t, s, ""); len(got) != 0 {
		t.Errorf("wrote %v", got)
	}
}

// A View sees pairs that writers always change together.
func testSnapshot(t *testing.T, s storage.Store, _ *Clock) {
	put(t, s, rec("a", "", "0"), rec("b", "", "0"))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			v := fmt.Sprint(i)
			if err := s.Update(ctx, func(tx storage.Tx) error {
				return errors.Join(tx.Put(rec("a", "", v)), tx.Put(rec("b", "", v)))
			}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 200 {
		if err := s.View(ctx, func(tx storage.Tx) error {
			a, err := tx.Get(kind, "a")
			if err != nil {
				return err
			}
			b, err := tx.Get(kind, "b")
			if err != nil {
				return err
			}
			if string(a.Body) != string(b.Body) {
				return fmt.Errorf("saw %q and %q", a.Body, b.Body)
			}
			return nil
		}); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}
