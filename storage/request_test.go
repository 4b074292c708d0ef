package storage_test

import (
	"errors"
	"testing"
	"time"

	"brama/storage"
	"brama/storage/memstore"
)

// TestRequests: a request is found by system and id until its time is over, and its id is not in the store.
func TestRequests(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := memstore.New(memstore.Config{Now: func() time.Time { return now }})
	put := func(system, id, login string) {
		t.Helper()
		err := s.Update(t.Context(), func(tx storage.Tx) error {
			return storage.PutRequest(tx, system, id, storage.Request{Login: login}, now.Add(time.Minute))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	get := func(system, id string) (r storage.Request, err error) {
		err = s.View(t.Context(), func(tx storage.Tx) error {
			r, err = storage.GetRequest(tx, system, id)
			return err
		})
		return r, err
	}
	put("diia", "a/+=", "login1")
	put("diia", "b", "login2")
	if r, err := get("diia", "a/+="); err != nil || r.Login != "login1" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := get("other", "b"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("of another system: %+v, %v", r, err)
	}
	put("diia", "b", "login3")
	if r, err := get("diia", "b"); err != nil || r.Login != "login3" {
		t.Errorf("%+v, %v", r, err)
	}
	now = now.Add(time.Minute)
	if r, err := get("diia", "b"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("too late: %+v, %v", r, err)
	}
}
