package storage_test

import (
	"errors"
	"testing"
	"time"

	"brama/storage"
	"brama/storage/memstore"
)

// TestSpendSignature: once, until the end of its challenge.
func TestSpendSignature(t *testing.T) {
	now := time.Now()
	s := memstore.New(memstore.Config{Now: func() time.Time { return now }})
	digest, until := [32]byte{1}, now.Add(time.Minute)
	spend := func() error {
		return s.Update(t.Context(), func(tx storage.Tx) error { return storage.SpendSignature(tx, digest, until) })
	}
	spent := func() (yes bool) {
		err := s.View(t.Context(), func(tx storage.Tx) (err error) { yes, err = storage.SignatureSpent(tx, digest); return err })
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if spent() {
		t.Error("spent before it was")
	}
	if err := spend(); err != nil || !spent() {
		t.Errorf("the first time: %v, spent %v", err, spent())
	}
	if err := spend(); !errors.Is(err, storage.ErrSpent) {
		t.Errorf("the second time: %v", err)
	}
	now = until.Add(time.Second)
	if spent() {
		t.Error("kept after the challenge is over")
	}
}
