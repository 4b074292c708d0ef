package boltstore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"brama/storage"
)

// BenchmarkSignIn is what one sign-in asks of a store, by kind and size; it reports the time of the processor, which the waiting
// for a disk has no part in.
func BenchmarkSignIn(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "db"), nil)
	var before, after syscall.Rusage
	i := 0
	step := func(unsynced bool, fn func(storage.Tx) error) {
		do := s.Update
		if unsynced {
			do = s.UpdateUnsynced
		}
		if err := do(context.Background(), fn); err != nil {
			b.Fatal(err)
		}
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for b.Loop() {
		i++
		login, grant, now := storage.HashSecret(fmt.Sprint("login", i))[:22], storage.HashSecret(fmt.Sprint("grant", i)), time.Now()
		record := func(k storage.Kind, id, group string, size int, lives time.Duration) storage.Record {
			return storage.Record{Kind: k, ID: id, Group: group, Expires: now.Add(lives), Body: make([]byte, size)}
		}
		save := func(tx storage.Tx) error {
			if _, err := tx.Get("login", login); err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			return tx.Put(record("login", login, "", 530, 15*time.Minute))
		}
		look := func(k storage.Kind, id string) {
			_ = s.View(context.Background(), func(tx storage.Tx) error { _, err := tx.Get(k, id); return err })
		}
		step(true, save)
		look("login", login)
		step(true, func(tx storage.Tx) error {
			return errors.Join(save(tx), tx.Insert(record("signature", storage.HashSecret(fmt.Sprint("signature", i)), "", 2, 10*time.Minute)))
		})
		step(true, save)
		look("login", login)
		step(true, func(tx storage.Tx) error {
			return errors.Join(save(tx), tx.Insert(record("session", storage.HashSecret(fmt.Sprint("session", i)), "person", 550, 8*time.Hour)))
		})
		step(false, func(tx storage.Tx) error { return tx.Insert(record("grant", grant, "person", 660, 24*time.Hour)) })
		look("grant", grant)
		step(false, func(tx storage.Tx) error {
			if _, err := tx.Get("grant", grant); err != nil {
				return err
			}
			return errors.Join(tx.Put(record("grant", grant, "person", 660, 720*time.Hour)), tx.Insert(record("refresh", grant, "", 34, 720*time.Hour)))
		})
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(spent)/1e3/float64(i), "cpu-µs/op")
}
