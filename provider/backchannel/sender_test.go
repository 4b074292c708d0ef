package backchannel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brama/internal/audit"
	"brama/storage"
	"brama/storage/boltstore"
	"brama/storage/memstore"
)

// A portal hears, or does not.
type portal struct {
	mu     sync.Mutex
	told   []string // sids
	times  []time.Time
	answer func(try int) (int, error)
	hang   bool
}

// list returns the sids that it was told, in order.
func (p *portal) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

type auditDouble struct {
	mu     sync.Mutex
	events []audit.Event
}

func (a *auditDouble) Record(_ context.Context, e audit.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
	return nil
}

func (a *auditDouble) list() []audit.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.events)
}

func newSender(t *testing.T, store storage.Store, portals map[string]*portal) (*Sender, *auditDouble) {
	t.Helper()
	a := &auditDouble{}
	s, err := New(Config{
		Store: store, Audit: a, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Tokens: func(_ context.Context, client, _, sid string) (string, string, error) {
			if portals[client] == nil {
				return "", "", ErrNobody
			}
			return client, sid, nil
		},
		Post: func(ctx context.Context, uri, token string) (int, error) {
			p := portals[uri]
			if p.hang {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.told = append(p.told, token)
			p.times = append(p.times, time.Now())
			if p.answer == nil {
				return 200, nil
			}
			return p.answer(len(p.told))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, a
}

func insert(t *testing.T, store storage.Store, client string, sids ...string) {
	t.Helper()
	if err := store.Update(t.Context(), func(tx storage.Tx) error {
		for _, sid := range sids {
			if err := storage.InsertFarewell(tx, storage.Farewell{ID: client + sid, Client: client, Person: "p", SID: sid, Next: time.Now(), Expires: time.Now().Add(24 * time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func waiting(t *testing.T, store storage.Store) (n int) {
	t.Helper()
	if err := store.View(t.Context(), func(tx storage.Tx) error {
		n = 0
		for _, err := range tx.Scan(storage.KindFarewell, "") {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs s until stop is called.
func run(s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

// TestTries: a portal that is down is asked again after growing pauses, and given up after a bounded number of tries; one that
// comes back is told once more.
func TestTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		down := &portal{answer: func(int) (int, error) { return 0, errors.New("refused") }}
		back := &portal{answer: func(try int) (int, error) {
			if try < 3 {
				return 503, nil
			}
			return 204, nil
		}}
		s, a := newSender(t, store, map[string]*portal{"down": down, "back": back})
		stop := run(s)
		defer stop()
		begin := time.Now()
		insert(t, store, "down", "1")
		insert(t, store, "back", "2")
		insert(t, store, "nobody", "3")
		s.Wake()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if len(back.list()) != 3 || len(down.list()) != len(pauses)+1 {
			t.Errorf("%d and %d tries", len(back.list()), len(down.list()))
		}
		at := begin
		for i, when := range down.times {
			if i > 0 {
				at = at.Add(pauses[i-1])
			}
			if late := when.Sub(at); late < 0 || late > 2*time.Second {
				t.Errorf("try %d is %v late", i+1, late)
			}
			at = when
		}
		if n := waiting(t, store); n != 0 {
			t.Errorf("%d messages wait for ever", n)
		}
		var outcomes []string
		for _, e := range a.list() {
			outcomes = append(outcomes, fmt.Sprint(e.Client, " ", e.Outcome, " ", e.Code))
		}
		slices.Sort(outcomes)
		if !slices.Equal(outcomes, []string{"back passed ", "down failed LOGOUT_NOT_HEARD"}) {
			t.Errorf("the audit has %q", outcomes)
		}
	})
}

// TestHangingPortal: a portal that never answers keeps nobody else waiting, and costs one try for all its messages.
func TestHangingPortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		hangs, good := &portal{hang: true}, &portal{}
		s, _ := newSender(t, store, map[string]*portal{"hangs": hangs, "good": good})
		var sids []string
		for i := range 50 {
			sids = append(sids, fmt.Sprint(i))
		}
		insert(t, store, "hangs", sids...)
		stop := run(s)
		defer stop()
		synctest.Wait()
		insert(t, store, "good", "1")
		s.Wake()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(good.list()) != 1 {
			t.Errorf("the other portal was told %d times", len(good.list()))
		}
		time.Sleep(4100 * time.Millisecond)
		synctest.Wait()
		due := 0
		if err := store.View(t.Context(), func(tx storage.Tx) error {
			list, _, err := storage.Farewells(tx, time.Now(), 100)
			due = len(list)
			return err
		}); err != nil || due != 0 {
			t.Errorf("%d are due still: %v", due, err)
		}
	})
}

// TestRestart: what was not sent when the process ended is sent by the next one, and what was sent is not sent again.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	open := func() storage.Store {
		store, err := boltstore.Open(boltstore.Config{Path: path, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	store := open()
	insert(t, store, "a", "sent")
	heard := make(chan struct{}, 8)
	p := &portal{answer: func(int) (int, error) { heard <- struct{}{}; return 200, nil }}
	s, _ := newSender(t, store, map[string]*portal{"a": p})
	stop := run(s)
	<-heard
	stop()
	insert(t, store, "a", "waiting")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = open()
	defer store.Close()
	s, _ = newSender(t, store, map[string]*portal{"a": p})
	stop = run(s)
	<-heard
	stop()
	if !slices.Equal(p.list(), []string{"sent", "waiting"}) || waiting(t, store) != 0 {
		t.Errorf("told %v, %d left", p.list(), waiting(t, store))
	}
}

// TestSeveralSenders: of many processes with one queue one sends each message.
func TestSeveralSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		p := &portal{}
		var sids []string
		for i := range 20 {
			sids = append(sids, fmt.Sprint(i))
		}
		insert(t, store, "a", sids...)
		for range 32 {
			s, _ := newSender(t, store, map[string]*portal{"a": p})
			defer run(s)()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		got := p.list()
		slices.Sort(got)
		slices.Sort(sids)
		if !slices.Equal(got, sids) {
			t.Errorf("told %v", got)
		}
	})
}

// TestProcessDiesInATry: a try that ended with its process is made again when its lease is over.
func TestProcessDiesInATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		insert(t, store, "a", "1")
		if err := store.Update(t.Context(), func(tx storage.Tx) error {
			f, err := storage.GetFarewell(tx, "a1")
			if err != nil {
				return err
			}
			_, err = storage.ClaimFarewell(tx, f, time.Now().Add(lease))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		p := &portal{}
		s, _ := newSender(t, store, map[string]*portal{"a": p})
		defer run(s)()
		time.Sleep(lease / 2)
		synctest.Wait()
		if len(p.list()) != 0 {
			t.Error("told in the time of another")
		}
		time.Sleep(lease)
		synctest.Wait()
		if len(p.list()) != 1 {
			t.Errorf("told %d times", len(p.list()))
		}
	})
}
