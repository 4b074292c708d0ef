package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brama/storage"
	"brama/storage/memstore"
)

const day = 24 * time.Hour

// quick are keys of one cheap algorithm.
func quick(t *testing.T, store storage.Store, change func(*Config)) *Keys {
	t.Helper()
	cfg := Config{Store: store, Sealer: sealer(t, 1), Algorithms: []string{ES256}, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	k, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func kids(t *testing.T, k *Keys) []string {
	t.Helper()
	var set struct {
		Keys []publicKey `json:"keys"`
	}
	if err := json.Unmarshal(k.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, one := range set.Keys {
		ids = append(ids, one.KeyID)
	}
	return ids
}

func sign(t *testing.T, k *Keys) string {
	t.Helper()
	token, err := k.Sign(ES256, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestRotation: a successor is published a day before it signs, and the old key for 30 days after its last signature, in
// two processes over one store that say nothing to each other (T91).
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Config{})
		seldom := func(c *Config) { c.CheckEvery = 5 * time.Minute }
		first, second := quick(t, store, seldom), quick(t, store, seldom)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, k := range []*Keys{first, second} {
			wg.Go(func() { k.Run(ctx) })
		}
		defer wg.Wait()
		defer stop()
		both := func(what string, n int) []string {
			t.Helper()
			synctest.Wait()
			a, b := kids(t, first), kids(t, second)
			if !slices.Equal(a, b) || len(a) != n {
				t.Fatalf("%s: one publishes %v, the other %v, want %d keys", what, a, b, n)
			}
			if activeID(first, ES256) != activeID(second, ES256) {
				t.Fatalf("%s: two processes sign with different keys", what)
			}
			return a
		}
		old := both("at the start", 1)[0]
		token := sign(t, first)

		time.Sleep(89*day - time.Second)
		both("before the day", 1)
		time.Sleep(6 * time.Minute)
		published := both("a day ahead", 2)
		if activeID(first, ES256) != old {
			t.Fatal("the new key signs at once")
		}
		time.Sleep(day - 12*time.Minute)
		if activeID(first, ES256) != old {
			t.Fatal("the new key signs too early")
		}
		time.Sleep(12 * time.Minute)
		if id := activeID(first, ES256); id == old || !slices.Contains(published, id) {
			t.Fatalf("%s signs, which was not published ahead", id)
		}
		last := sign(t, second)
		for _, one := range []string{token, last} {
			for _, k := range []*Keys{first, second} {
				if _, err := k.Verify(one); err != nil {
					t.Errorf("a token of the time of the change: %v", err)
				}
			}
		}
		time.Sleep(30*day - 10*time.Minute)
		both("after 30 days", 2)
		if _, err := second.Verify(token); err != nil {
			t.Errorf("a token of the old key is no hint any more: %v", err)
		}
		time.Sleep(15 * time.Minute)
		if got := both("later", 1); got[0] == old {
			t.Error("the wrong key is forgotten")
		}
		if _, err := second.Verify(token); !errors.Is(err, ErrSignature) {
			t.Errorf("a token of a forgotten key: %v", err)
		}
		if records, err := first.read(ctx, KindKey); err != nil || len(records) != 1 {
			t.Errorf("%d records are left, %v", len(records), err)
		}
	})
}

// TestRotationAfterSleep: a server that was off for years takes its old key until portals have met the new one.
func TestRotationAfterSleep(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	store := memstore.New(memstore.Config{})
	clock := func(c *Config) { c.Now = func() time.Time { return now } }
	old := activeID(quick(t, store, clock), ES256)
	now = now.Add(1000 * day)
	k := quick(t, store, clock)
	if got := kids(t, k); len(got) != 2 || activeID(k, ES256) != old {
		t.Fatalf("published %v, signing %s", got, activeID(k, ES256))
	}
	now = now.Add(day)
	if activeID(k, ES256) == old {
		t.Error("the old key signs for ever")
	}
	// A clock that goes back is no reason to sign with nothing.
	now = now.Add(-2000 * day)
	if activeID(k, ES256) != old {
		t.Error("no key signs in the past")
	}
}

// TestSuccessorRace: of 32 processes whose time comes at once, one makes the successor.
func TestSuccessorRace(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	clock := func(c *Config) { c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now } }
	store := memstore.New(memstore.Config{})
	all := make([]*Keys, 32)
	for i := range all {
		all[i] = quick(t, store, clock)
	}
	mu.Lock()
	now = now.Add(89 * day)
	mu.Unlock()
	var wg sync.WaitGroup
	for _, k := range all {
		wg.Go(func() {
			// Each has seen that it is time.
			if err := errors.Join(k.create(context.Background(), ES256, k.cfg.Now(), k.due), k.Refresh(context.Background())); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := all[0].Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := kids(t, all[0])
	if len(want) != 2 {
		t.Fatalf("%d keys, want 2", len(want))
	}
	for _, k := range all {
		if got := kids(t, k); !slices.Equal(got, want) {
			t.Fatalf("one process publishes %v, another %v", want, got)
		}
	}
}

// TestRevokedKey is the drill of T91: a key that is known to somebody is out of the set, of the store and of belief with
// the next start, and another one signs.
func TestRevokedKey(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, successor := range []bool{false, true} {
		store := memstore.New(memstore.Config{})
		clock := func(c *Config) { c.Now = func() time.Time { return now } }
		k := quick(t, store, clock)
		leaked, token := activeID(k, ES256), sign(t, k)
		if successor {
			now = now.Add(89 * day)
			if err := k.Refresh(t.Context()); err != nil || len(kids(t, k)) != 2 {
				t.Fatalf("%v, %v", kids(t, k), err)
			}
		}
		next := quick(t, store, func(c *Config) { clock(c); c.Revoked = []string{leaked} })
		if got := kids(t, next); len(got) != 1 || got[0] == leaked || activeID(next, ES256) != got[0] {
			t.Errorf("successor %t: published %v, signing %s, leaked %s", successor, got, activeID(next, ES256), leaked)
		}
		if _, err := next.Verify(token); !errors.Is(err, ErrSignature) {
			t.Errorf("successor %t: a token of a leaked key: %v", successor, err)
		}
		// Another process hears of it by the store.
		if err := k.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Verify(token); !errors.Is(err, ErrSignature) || slices.Contains(kids(t, k), leaked) {
			t.Errorf("successor %t: another process publishes %v, %v", successor, kids(t, k), err)
		}
	}
}

// A store that fails, or a record that does not open, changes nothing: the keys there are go on.
func TestRefreshFails(t *testing.T) {
	store := memstore.New(memstore.Config{})
	k := quick(t, store, nil)
	before := bytes.Clone(k.JWKS())
	if err := store.Update(t.Context(), func(tx storage.Tx) error {
		return insert(tx, KindKey, record{id: "x", stored: stored{Alg: ES256, Created: time.Now(), SignsFrom: time.Now().Add(day), Sealed: []byte("x")}})
	}); err != nil {
		t.Fatal(err)
	}
	if err := k.Refresh(t.Context()); err == nil {
		t.Error("a damaged record was not told of")
	}
	if !bytes.Equal(before, k.JWKS()) {
		t.Error("the set changed")
	}
	sign(t, k)
}

// T91: whoever can write the store, and has not its key, adds no key of his own, nor gives a key another algorithm.
func TestRecordIsBound(t *testing.T) {
	store := memstore.New(memstore.Config{})
	k := quick(t, store, nil)
	records, err := k.read(t.Context(), KindKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*record){
		"algorithm": func(r *record) { r.Alg = RS256 },
		"id":        func(r *record) { r.id = "another" },
	} {
		r := records[0]
		change(&r)
		if _, err := r.open(k.cfg.Sealer); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestTimesAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ahead of nobody":     func(c *Config) { c.PublishAhead = MaxAge },
		"longer than it is":   func(c *Config) { c.RotateEvery = day },
		"negative":            func(c *Config) { c.KeepFor = -1 },
		"unknown algorithm":   func(c *Config) { c.Algorithms = []string{"HS256"} },
		"no algorithm":        func(c *Config) { c.Algorithms = []string{} },
		"successor of no-one": func(c *Config) { c.ExternalNext = devices(t) },
	} {
		cfg := Config{Store: memstore.New(memstore.Config{}), Sealer: sealer(t, 1), Algorithms: []string{ES256}}
		change(&cfg)
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestExternalRotation: a key in a token is replaced by hand, and what it signed stays good: next, signing, retired.
func TestExternalRotation(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	store := memstore.New(memstore.Config{})
	fresh := func() *device {
		one, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return &device{Signer: one}
	}
	old, next := fresh(), fresh()
	open := func(change func(*Config)) *Keys {
		return quick(t, store, func(c *Config) {
			c.Now, c.Algorithms = func() time.Time { return now }, nil
			change(c)
		})
	}
	k := open(func(c *Config) { c.External = map[string]crypto.Signer{ES256: old} })
	token := sign(t, k)
	if !slices.Equal(k.Algorithms(), []string{ES256}) {
		t.Errorf("algorithms %v", k.Algorithms())
	}
	k = open(func(c *Config) {
		c.External, c.ExternalNext = map[string]crypto.Signer{ES256: old}, map[string]crypto.Signer{ES256: next}
	})
	ahead := kids(t, k)
	if len(ahead) != 2 || activeID(k, ES256) != ahead[0] {
		t.Fatalf("published %v", ahead)
	}
	now = now.Add(day)
	k = open(func(c *Config) { c.External = map[string]crypto.Signer{ES256: next} })
	if got := kids(t, k); len(got) != 2 || activeID(k, ES256) != ahead[1] {
		t.Fatalf("published %v, signing %s", got, activeID(k, ES256))
	}
	for name, one := range map[string]string{"old": token, "new": sign(t, k)} {
		if _, err := k.Verify(one); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(30 * day)
	if err := k.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Verify(token); !errors.Is(err, ErrSignature) || len(kids(t, k)) != 1 {
		t.Errorf("retired for ever: %v, %v", kids(t, k), err)
	}
}

// TestRotate: the successor is published at once and signs a day later, and asking twice makes one.
func TestRotate(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := quick(t, memstore.New(memstore.Config{}), func(c *Config) { c.Now = func() time.Time { return now } })
	old := activeID(k, ES256)
	for range 2 {
		if err := k.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kids(t, k); len(got) != 2 || !slices.Contains(got, old) {
			t.Fatalf("published: %v", got)
		}
		if activeID(k, ES256) != old {
			t.Fatal("the new key signs at once")
		}
	}
	now = now.Add(day)
	if activeID(k, ES256) == old {
		t.Error("the new key does not sign after a day")
	}
}

// TestRestartsAroundRotation: a server that is started anew before, between and after the steps of a change goes on where the store
// stands: nothing signs that portals have not met, and what was signed stays good.
func TestRestartsAroundRotation(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := begin
	store := memstore.New(memstore.Config{Now: func() time.Time { return now }})
	clock := func(c *Config) { c.Now = func() time.Time { return now } }
	k := quick(t, store, clock)
	old, token := activeID(k, ES256), sign(t, k)
	var next string
	for _, step := range []struct {
		after     time.Duration
		published int
		signsNew  bool
	}{
		{89*day - time.Hour, 1, false}, {89*day + time.Hour, 2, false}, {90*day - time.Hour, 2, false}, {90*day + 3*time.Hour, 2, true}, {119 * day, 2, true},
	} {
		now = begin.Add(step.after)
		k = quick(t, store, clock) // the restart
		ids := kids(t, k)
		if len(ids) != step.published || !slices.Contains(ids, old) {
			t.Fatalf("after %v: %v is published, want %d with the old one", step.after, ids, step.published)
		}
		for _, id := range ids {
			if id != old && next == "" {
				next = id
			}
			if id != old && id != next {
				t.Fatalf("after %v: a restart made another successor", step.after)
			}
		}
		if id := activeID(k, ES256); (id == next) != step.signsNew || !step.signsNew && id != old {
			t.Errorf("after %v: %s signs", step.after, id)
		}
		if _, err := k.Verify(token); err != nil {
			t.Errorf("after %v: a token of the first key: %v", step.after, err)
		}
	}
}
