package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/storage"
)

// external makes a key of one whose private half only signs.
func external(alg string, s crypto.Signer) (*key, error) {
	p, err := describe(s.Public(), alg)
	if err != nil {
		return nil, fmt.Errorf("external key for %s: %w", alg, err)
	}
	return &key{id: p.KeyID, alg: alg, public: s.Public(), private: s, external: true}, nil
}

// refreshExternal publishes the external keys, their successors, and those that were external before, while they are of
// use.
func (k *Keys) refreshExternal(ctx context.Context) error {
	now := k.cfg.Now()
	var given, signing []*key
	for _, alg := range k.algorithms { // in this order, so that the set is the same at each start
		one, err := external(alg, k.cfg.External[alg])
		if err != nil {
			return err
		}
		if k.revoked(one.id) {
			return fmt.Errorf("keys: %s, the external key for %s, is among those that are revoked", one.id, alg)
		}
		given, signing = append(given, one), append(signing, one)
		if s := k.cfg.ExternalNext[alg]; s != nil {
			next, err := external(alg, s)
			if err != nil {
				return err
			}
			next.private = nil // it signs when it is told to
			given = append(given, next)
		}
	}
	if err := k.remember(ctx, signing, now); err != nil {
		return err
	}
	records, err := k.read(ctx, KindExternal)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(records, func(r record) bool { return k.over(records, r, now) }) {
		if err := k.forget(ctx, KindExternal, now); err != nil {
			return err
		}
	}
	records = slices.DeleteFunc(records, func(r record) bool {
		return slices.ContainsFunc(given, func(one *key) bool { return one.id == r.id }) || k.over(records, r, now)
	})
	return k.publish(records, given, func(r record) (*key, error) { return r.openExternal(k.cfg.Sealer) })
}

// remember writes the public halves of keys that sign, once each.
func (k *Keys) remember(ctx context.Context, signing []*key, now time.Time) error {
	known, err := k.read(ctx, KindExternal)
	if err != nil {
		return err
	}
	for _, one := range signing {
		if slices.ContainsFunc(known, func(r record) bool { return r.id == one.id }) {
			continue
		}
		der, err := x509.MarshalPKIXPublicKey(one.public)
		if err != nil {
			return fmt.Errorf("keys: encoding %s: %w", one.id, err)
		}
		r := record{id: one.id, stored: stored{Alg: one.alg, Created: now.UTC(), SignsFrom: now.UTC(), Sealed: k.cfg.Sealer.Seal(externalPurpose(one.id), der)}}
		err = k.cfg.Store.Update(ctx, func(tx storage.Tx) error { return insert(tx, KindExternal, r) })
		if err != nil && !errors.Is(err, storage.ErrExists) { // another process was faster
			return err
		}
	}
	return nil
}
