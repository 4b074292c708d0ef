package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"brama/storage"
)

const racers = 32

// race runs fn at once from many goroutines and returns the errors.
func race(fn func(i int) error) []error {
	out := make([]error, racers)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			out[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return out
}

// oneWinner checks that one racer had no error and the others want.
func oneWinner(t *testing.T, errs []error, want error) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		switch {
		case err == nil:
			winners++
		case !errors.Is(err, want):
			t.Errorf("loser got %v, want %v", err, want)
		}
	}
	if winners != 1 {
		t.Errorf("%d winners, want 1", winners)
	}
}

func testRaceInsert(t *testing.T, s storage.Store, _ *Clock) {
	oneWinner(t, race(func(i int) error {
		return s.Update(ctx, func(tx storage.Tx) error { return tx.Insert(rec("a", "", fmt.Sprint(i))) })
	}), storage.ErrExists)
}

func testRaceCounter(t *testing.T, s storage.Store, _ *Clock) {
	put(t, s, rec("a", "", ""))
	for _, err := range race(func(int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			r, err := tx.Get(kind, "a")
			if err != nil {
				return err
			}
			r.Body = append(r.Body, '+')
			return tx.Put(r)
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if r, _ := get(t, s, "a"); len(r.Body) != racers {
		t.Errorf("counted %d, want %d", len(r.Body), racers)
	}
}

func testRaceLogin(t *testing.T, s storage.Store, clock *Clock) {
	l := storage.Login{ID: "login", Revision: 1, Expires: clock.Now().Add(time.Hour), Body: []byte("state")}
	update(t, s, func(tx storage.Tx) error { return storage.InsertLogin(tx, l) })
	oneWinner(t, race(func(i int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			mine := l
			mine.Body = fmt.Append(nil, i)
			_, err := storage.UpdateLogin(tx, mine)
			return err
		})
	}), storage.ErrConflict)
}

func testRaceCode(t *testing.T, s storage.Store, clock *Clock) {
	id := storage.HashSecret("code")
	g := storage.Grant{ID: id, Client: "c", Person: "p", Expires: clock.Now().Add(time.Minute)}
	update(t, s, func(tx storage.Tx) error { return storage.InsertGrant(tx, g) })
	oneWinner(t, race(func(i int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			seen, err := storage.GetGrant(tx, id)
			if err != nil {
				return err
			}
			return errors.Join(
				storage.SpendGrant(tx, seen, clock.Now(), clock.Now().Add(time.Hour)),
				storage.InsertRefresh(tx, storage.RefreshFamily{Grant: id, Generation: 1, Retries: i, Expires: clock.Now().Add(time.Hour)}),
			)
		})
	}), storage.ErrConflict)
}

// A refresh token is used once; with a grace, once and as often again as the grace allows.
func testRaceRefresh(t *testing.T, s storage.Store, clock *Clock) {
	for retries := range 3 {
		id := storage.HashSecret(fmt.Sprint("code", retries))
		now := clock.Now()
		update(t, s, func(tx storage.Tx) error {
			return storage.InsertRefresh(tx, storage.RefreshFamily{Grant: id, Generation: 1, Rotated: now, Used: now, Expires: now.Add(time.Hour)})
		})
		rules := storage.RefreshRules{Rotate: true, Idle: time.Hour, Grace: time.Minute, Retries: retries}
		winners := 0
		for _, err := range race(func(int) error {
			return s.Update(ctx, func(tx storage.Tx) error {
				f, err := storage.UseRefresh(tx, id, 1, rules, now)
				if err == nil && f.Generation != 2 {
					return fmt.Errorf("generation %d", f.Generation)
				}
				return err
			})
		}) {
			switch {
			case err == nil:
				winners++
			case !errors.Is(err, storage.ErrReused):
				t.Error(err)
			}
		}
		if winners != 1+retries {
			t.Errorf("%d winners, want %d", winners, 1+retries)
		}
	}
}

// A session is ended once, and of two who sign in with its cookie one renews it.
func testRaceSession(t *testing.T, s storage.Store, clock *Clock) {
	id := storage.HashSecret("cookie")
	update(t, s, func(tx storage.Tx) error {
		return storage.InsertSession(tx, storage.Session{ID: id, Person: "p", Expires: clock.Now().Add(time.Hour)})
	})
	oneWinner(t, race(func(i int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			ended, err := storage.EndSession(tx, id)
			if err != nil {
				return err
			}
			if i%2 == 0 {
				ended.ID = storage.HashSecret(fmt.Sprint("cookie", i))
				return storage.InsertSession(tx, ended)
			}
			return storage.InsertFarewell(tx, storage.Farewell{ID: fmt.Sprint(i), Client: "c", Expires: clock.Now().Add(time.Hour)})
		})
	}), storage.ErrNotFound)
	var left int
	update(t, s, func(tx storage.Tx) error {
		left = 0
		for _, k := range []storage.Kind{storage.KindSession, storage.KindFarewell} {
			for _, err := range tx.Scan(k, "") {
				if err != nil {
					return err
				}
				left++
			}
		}
		return nil
	})
	if left != 1 {
		t.Errorf("%d records come of one session, want 1", left)
	}
}

// A message to a portal is sent by one of those who see that it is due.
func testRaceFarewell(t *testing.T, s storage.Store, clock *Clock) {
	update(t, s, func(tx storage.Tx) error {
		return storage.InsertFarewell(tx, storage.Farewell{ID: "f", Client: "c", Next: clock.Now(), Expires: clock.Now().Add(time.Hour)})
	})
	var seen []storage.Farewell
	update(t, s, func(tx storage.Tx) (err error) {
		seen, _, err = storage.Farewells(tx, clock.Now(), 10)
		return err
	})
	if len(seen) != 1 {
		t.Fatalf("%d are due, want 1", len(seen))
	}
	oneWinner(t, race(func(int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			_, err := storage.ClaimFarewell(tx, seen[0], clock.Now().Add(time.Minute))
			return err
		})
	}), storage.ErrConflict)
	update(t, s, func(tx storage.Tx) error {
		due, next, err := storage.Farewells(tx, clock.Now(), 10)
		if err != nil || len(due) != 0 || !next.Equal(clock.Now().Add(time.Minute)) {
			t.Errorf("afterwards %d are due, the next at %v: %v", len(due), next, err)
		}
		f, err := storage.GetFarewell(tx, "f")
		if err != nil || f.Tries != 1 {
			t.Errorf("tries: %d, %v", f.Tries, err)
		}
		return err
	})
}

// A function that fails does not disturb those which share its commit.
func testRaceWithFailing(t *testing.T, s storage.Store, _ *Clock) {
	failure := errors.New("no")
	for i, err := range race(func(i int) error {
		return s.Update(ctx, func(tx storage.Tx) error {
			if err := tx.Put(rec(fmt.Sprintf("%02d", i), "", "x")); err != nil {
				return err
			}
			if i%2 == 1 {
				return failure
			}
			return nil
		})
	}) {
		if (i%2 == 1) != (err != nil) {
			t.Errorf("racer %d: %v", i, err)
		}
	}
	if got := ids(t, s, ""); len(got) != racers/2 {
		t.Errorf("left %v", got)
	}
}
