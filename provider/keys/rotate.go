package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/storage"
)

// A set is the keys as they are now. It does not change; Refresh puts another in its place.
type set struct {
	byAlg map[string][]*key // in the order in which they sign
	byID  map[string]*key
	jwks  []byte
}

// active returns the key of alg that signs at now: the last whose time has come. If the clock went back behind all of
// them, or if the one that signed was revoked, it is the first.
func (s *set) active(alg string, now time.Time) *key {
	keys := s.byAlg[alg]
	for i := len(keys) - 1; i >= 0; i-- {
		if keys[i].private != nil && (i == 0 || !keys[i].signsFrom.After(now)) {
			return keys[i]
		}
	}
	for _, one := range keys {
		if one.private != nil {
			return one
		}
	}
	return nil
}

// Run keeps the keys fresh until ctx ends: it makes successors in time, takes over what other processes made, and forgets
// what has retired. What fails is logged and tried again at the next check; signing goes on with the keys there are.
func (k *Keys) Run(ctx context.Context) {
	ticker := time.NewTicker(k.cfg.CheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
			k.cfg.Log.Error("signing keys cannot be refreshed", "err", err)
		}
	}
}

// Refresh does once what Run does again and again.
func (k *Keys) Refresh(ctx context.Context) error {
	k.refreshing.Lock()
	defer k.refreshing.Unlock()
	if len(k.cfg.External) > 0 {
		return k.refreshExternal(ctx)
	}
	now := k.cfg.Now()
	records, err := k.read(ctx, KindKey)
	if err != nil {
		return err
	}
	for _, alg := range k.algorithms {
		if k.due(of(records, alg), now) {
			if err := k.create(ctx, alg, now, k.due); err != nil {
				return err
			}
		}
	}
	if slices.ContainsFunc(records, func(r record) bool { return k.over(records, r, now) }) {
		if err := k.forget(ctx, KindKey, now); err != nil {
			return err
		}
	}
	// Another process may have been faster: what the store holds counts.
	if records, err = k.read(ctx, KindKey); err != nil {
		return err
	}
	return k.publish(records, nil, func(r record) (*key, error) { return r.open(k.cfg.Sealer) })
}

func (k *Keys) read(ctx context.Context, kind storage.Kind) (records []record, err error) {
	err = k.cfg.Store.View(ctx, func(tx storage.Tx) error {
		records, err = scan(tx, kind)
		return err
	})
	return records, err
}

// due reports whether a key is to be made for an algorithm of which records are all there are, in order.
func (k *Keys) due(records []record, now time.Time) bool {
	last := -1
	for i, r := range records {
		if !k.revoked(r.id) {
			last = i
		}
	}
	return last < 0 || !now.Before(records[last].SignsFrom.Add(k.cfg.RotateEvery-k.cfg.PublishAhead))
}

func (k *Keys) revoked(id string) bool { return slices.Contains(k.cfg.Revoked, id) }

// over reports whether r is of no more use: revoked, or so long after its successor took over that nothing it signed is
// asked for.
func (k *Keys) over(records []record, r record, now time.Time) bool {
	if k.revoked(r.id) {
		return true
	}
	same := of(records, r.Alg)
	i := slices.IndexFunc(same, func(x record) bool { return x.id == r.id })
	for _, next := range same[i+1:] {
		if !k.revoked(next.id) {
			return !now.Before(next.SignsFrom.Add(k.cfg.KeepFor))
		}
	}
	return false
}

// Rotate makes the successors of the keys now, before their time, where they are not published yet. They sign when portals
// have had the time to learn of them. External keys are replaced by hand.
func (k *Keys) Rotate(ctx context.Context) error {
	if len(k.cfg.External) > 0 {
		return errors.New("keys: external keys are replaced by hand")
	}
	waiting := func(records []record, now time.Time) bool {
		return !slices.ContainsFunc(records, func(r record) bool { return !k.revoked(r.id) && r.SignsFrom.After(now) })
	}
	k.refreshing.Lock()
	for _, alg := range k.algorithms {
		if err := k.create(ctx, alg, k.cfg.Now(), waiting); err != nil {
			k.refreshing.Unlock()
			return err
		}
	}
	k.refreshing.Unlock()
	return k.Refresh(ctx)
}

// create makes a key for alg if due still says so when the store is written. The first one signs at once, a successor when
// portals have had the time to learn of it.
func (k *Keys) create(ctx context.Context, alg string, now time.Time, due func([]record, time.Time) bool) error {
	id, der, err := generate(alg)
	if err != nil {
		return err
	}
	r := record{id: id, stored: stored{Alg: alg, Created: now.UTC(), Sealed: k.cfg.Sealer.Seal(purpose(id), der)}}
	clear(der)
	made := false
	err = k.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		made = false
		all, err := scan(tx, KindKey)
		if err != nil {
			return err
		}
		existing := of(all, alg)
		if !due(existing, now) {
			return nil
		}
		r.SignsFrom = r.Created
		if slices.ContainsFunc(existing, func(x record) bool { return !k.revoked(x.id) }) {
			r.SignsFrom = r.Created.Add(k.cfg.PublishAhead)
		}
		made = true
		return insert(tx, KindKey, r)
	})
	if err == nil && made && r.SignsFrom.After(r.Created) {
		k.cfg.Log.Info("next signing key made", "kid", id, "alg", alg, "signs_from", r.SignsFrom)
	}
	return err
}

// forget deletes records that are over.
func (k *Keys) forget(ctx context.Context, kind storage.Kind, now time.Time) error {
	var gone []string
	err := k.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		gone = nil
		records, err := scan(tx, kind)
		if err != nil {
			return err
		}
		for _, r := range records {
			if !k.over(records, r, now) {
				continue
			}
			if err := tx.Delete(kind, r.id); err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			gone = append(gone, r.id)
		}
		return nil
	})
	if err == nil && len(gone) > 0 {
		k.cfg.Log.Info("signing keys forgotten", "kid", gone)
	}
	return err
}

// publish puts a new set in place, made of records, which open opens where it is not open yet, and of more.
func (k *Keys) publish(records []record, more []*key, open func(record) (*key, error)) error {
	before := k.current.Load()
	s := &set{byAlg: map[string][]*key{}, byID: map[string]*key{}}
	now := k.cfg.Now()
	var public []publicKey
	add := func(one *key) error {
		p, err := describe(one.public, one.alg)
		if err != nil {
			return err
		}
		public = append(public, p)
		s.byID[one.id] = one
		s.byAlg[one.alg] = append(s.byAlg[one.alg], one)
		return nil
	}
	for _, r := range records {
		// A key of an algorithm that is no longer wanted is published until it is forgotten, and signs nothing.
		if k.over(records, r, now) {
			continue
		}
		one := before.byID[r.id]
		if one == nil {
			var err error
			if one, err = open(r); err != nil {
				return err
			}
		}
		if !slices.Contains(k.algorithms, r.Alg) && one.private != nil {
			silent := *one
			silent.private, one = nil, &silent
		}
		if err := add(one); err != nil {
			return err
		}
	}
	for _, one := range more {
		if err := add(one); err != nil {
			return err
		}
	}
	for _, alg := range k.algorithms {
		if s.active(alg, now) == nil {
			return fmt.Errorf("%w: %s", ErrAlgorithm, alg)
		}
	}
	// The default algorithm first: there are clients that take the first key of their kind.
	slices.SortStableFunc(public, func(a, b publicKey) int {
		return slices.Index(Algorithms(), a.Algorithm) - slices.Index(Algorithms(), b.Algorithm)
	})
	var err error
	if s.jwks, err = json.Marshal(struct {
		Keys []publicKey `json:"keys"`
	}{public}); err != nil {
		return err
	}
	k.current.Store(s)
	return nil
}
