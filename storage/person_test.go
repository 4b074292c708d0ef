package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/storage"
	"brama/storage/memstore"
	"brama/storage/seal"
)

var bg = context.Background()

func newVault(t *testing.T) *storage.Vault {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{1}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	v, err := storage.NewVault(s, bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rnokpp(v string) storage.Identifier {
	return storage.Identifier{Type: "RNOKPP", Country: "UA", Value: v}
}
func unzr(v string) storage.Identifier {
	return storage.Identifier{Type: "UNZR", Country: "UA", Value: v}
}
func passport(v string) storage.Identifier {
	return storage.Identifier{Type: "PASSPORT", Country: "UA", Value: v}
}

func signIn(t *testing.T, s storage.Store, v *storage.Vault, p storage.Person) (storage.Person, bool, error) {
	t.Helper()
	var got storage.Person
	var created bool
	err := s.Update(bg, func(tx storage.Tx) error {
		var err error
		got, created, err = v.SignIn(tx, p, time.Unix(1, 0).UTC())
		return err
	})
	return got, created, err
}

func TestSignIn(t *testing.T) {
	s, v := memstore.New(memstore.Config{}), newVault(t)
	first, created, err := signIn(t, s, v, storage.Person{Name: "Стара", Identifiers: []storage.Identifier{rnokpp("1")}})
	if err != nil || !created || first.ID == "" {
		t.Fatalf("first: %+v, %v, %v", first, created, err)
	}
	second, created, err := signIn(t, s, v, storage.Person{Name: "Нова", BirthDate: "1990-01-02", Identifiers: []storage.Identifier{rnokpp("1"), unzr("2")}})
	if err != nil || created || second.ID != first.ID || second.Name != "Нова" {
		t.Fatalf("second: %+v, %v, %v", second, created, err)
	}
	third, created, err := signIn(t, s, v, storage.Person{Name: "Нова", Identifiers: []storage.Identifier{unzr("2")}})
	if err != nil || created || third.ID != first.ID || third.BirthDate != "1990-01-02" {
		t.Fatalf("by the number learned later: %+v, %v, %v", third, created, err)
	}
	other, created, err := signIn(t, s, v, storage.Person{Identifiers: []storage.Identifier{{Type: "TIN", Country: "PL", Value: "1"}}})
	if err != nil || !created || other.ID == first.ID {
		t.Errorf("foreign number with the same digits: %+v, %v, %v", other, created, err)
	}
	if _, _, err := signIn(t, s, v, storage.Person{}); err == nil {
		t.Error("person without identifiers accepted")
	}
}

// T31: two persons, or one with a conflicting value, are a refusal, never a merge; and a refusal writes nothing.
func TestConflictingLookup(t *testing.T) {
	s, v := memstore.New(memstore.Config{}), newVault(t)
	for _, p := range []storage.Person{
		{Identifiers: []storage.Identifier{rnokpp("1"), passport("A1")}, BirthDate: "1990-01-02"},
		{Identifiers: []storage.Identifier{unzr("2")}},
	} {
		if _, _, err := signIn(t, s, v, p); err != nil {
			t.Fatal(err)
		}
	}
	for name, p := range map[string]storage.Person{
		"two persons":       {Identifiers: []storage.Identifier{rnokpp("1"), unzr("2")}},
		"two persons again": {Identifiers: []storage.Identifier{unzr("2"), rnokpp("1")}},
		"conflicting value": {Identifiers: []storage.Identifier{passport("A1"), rnokpp("9")}},
		"twice in one":      {Identifiers: []storage.Identifier{rnokpp("7"), rnokpp("8")}},
		"other birth date":  {Identifiers: []storage.Identifier{rnokpp("1")}, BirthDate: "1991-01-02"},
	} {
		if _, _, err := signIn(t, s, v, p); !errors.Is(err, storage.ErrPersonConflict) {
			t.Errorf("%s: %v, want ErrPersonConflict", name, err)
		}
	}
	if _, created, err := signIn(t, s, v, storage.Person{Identifiers: []storage.Identifier{rnokpp("9")}}); err != nil || !created {
		t.Errorf("a refused identifier was indexed: %v, %v", created, err)
	}
	p, created, err := signIn(t, s, v, storage.Person{Identifiers: []storage.Identifier{rnokpp("1"), passport("B2")}})
	if err != nil || created || len(p.Identifiers) != 3 {
		t.Errorf("renewed passport: %+v, %v, %v", p, created, err)
	}
}

// Property of T31: after any sequence of logins, no person holds two values of one number and no value has two persons.
func TestConflictingLookupProperty(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, v := memstore.New(memstore.Config{}), newVault(t)
		owner := map[storage.Identifier]string{}
		for range 30 {
			var ids []storage.Identifier
			for _, make := range []func(string) storage.Identifier{rnokpp, unzr, passport} {
				if rng.IntN(2) == 0 {
					ids = append(ids, make(string(rune('0'+rng.IntN(4)))))
				}
			}
			if len(ids) == 0 {
				continue
			}
			rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			p, _, err := signIn(t, s, v, storage.Person{Identifiers: ids})
			if errors.Is(err, storage.ErrPersonConflict) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]string{}
			for _, i := range p.Identifiers {
				if owner[i] != "" && owner[i] != p.ID {
					t.Fatalf("seed %d: %s of two persons", seed, i.Type)
				}
				owner[i] = p.ID
				if i.Type != "PASSPORT" && values[i.Type] != "" {
					t.Fatalf("seed %d: two values of %s", seed, i.Type)
				}
				values[i.Type] = i.Value
			}
			for _, i := range ids {
				if !slices.Contains(p.Identifiers, i) {
					t.Fatalf("seed %d: %s was not kept", seed, i.Type)
				}
			}
		}
	}
}

// T87 for persons: nothing readable in the records, and no plain hash of a number.
func TestDumpHoldsNothingOfPersons(t *testing.T) {
	s, v := memstore.New(memstore.Config{}), newVault(t)
	if _, _, err := signIn(t, s, v, storage.Person{Name: "Шевченко Тарас", BirthDate: "1990-01-02", Identifiers: []storage.Identifier{rnokpp("3333333334")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(bg, func(tx storage.Tx) error {
		n := 0
		for _, k := range []storage.Kind{storage.KindPerson, storage.KindIdentifier} {
			for r, err := range tx.Scan(k, "") {
				if err != nil {
					return err
				}
				n++
				dump := string(r.Kind) + r.ID + r.Group + string(r.Body)
				for _, secret := range []string{"Шевченко", "3333333334", "1990-01-02", storage.HashSecret("3333333334")} {
					if strings.Contains(dump, secret) {
						t.Errorf("%s record holds %q", k, secret)
					}
				}
			}
		}
		if n != 2 {
			t.Errorf("%d records, want 2", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestGrantLife(t *testing.T) {
	s := memstore.New(memstore.Config{})
	now := time.Now()
	id := storage.HashSecret("code")
	update := func(fn func(storage.Tx) error) error { return s.Update(bg, fn) }
	if err := update(func(tx storage.Tx) error {
		return storage.InsertGrant(tx, storage.Grant{ID: id, Client: "c", Person: "p", Expires: now.Add(time.Minute)})
	}); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx storage.Tx) error {
		g, err := storage.GetGrant(tx, id)
		if err != nil {
			return err
		}
		return errors.Join(storage.SpendGrant(tx, g, now, now.Add(time.Hour)), storage.RevokeToken(tx, "t", now.Add(time.Hour)))
	}); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx storage.Tx) error {
		g, err := storage.LiveGrant(tx, id)
		if err != nil || g.Client != "c" || g.Person != "p" || g.Spent.IsZero() {
			t.Errorf("got %+v, %v", g, err)
		}
		if err := storage.CheckToken(tx, "other"); err != nil {
			t.Errorf("a token that was not revoked: %v", err)
		}
		if err := storage.CheckToken(tx, "t"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a revoked token: %v", err)
		}
		if err := storage.SpendGrant(tx, g, now, now); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("spent twice: %v", err)
		}
		return storage.RevokeGrant(tx, id, now)
	}); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx storage.Tx) error {
		if _, err := storage.LiveGrant(tx, id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("tokens of a dead grant: %v", err)
		}
		return errors.Join(storage.RevokeGrant(tx, id, now), storage.RevokeGrant(tx, "absent", now))
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSessionsAndLogins(t *testing.T) {
	s := memstore.New(memstore.Config{})
	now := time.Now()
	id := storage.HashSecret("cookie")
	if err := s.Update(bg, func(tx storage.Tx) error {
		login := storage.SessionLogin{SID: "s1", Realm: "client:a", ACR: "high", AMR: []string{"swk"}, AuthTime: now.UTC().Truncate(time.Second), Ends: now.Add(time.Hour)}
		login.Tell("a", "person")
		want := storage.Session{ID: id, Person: "p", Logins: []storage.SessionLogin{login}, Expires: now.Add(time.Hour)}
		if err := storage.InsertSession(tx, want); err != nil {
			return err
		}
		got, err := storage.GetSession(tx, id)
		if err != nil || got.Person != "p" || got.Revision != 1 || !got.Expires.Equal(want.Expires) {
			t.Errorf("got %+v, %v", got, err)
		}
		if l := got.Login("client:a", now); l == nil || l.ACR != "high" || !l.AuthTime.Equal(login.AuthTime) || l.Client("a").Role != "person" || l.Client("b") != nil {
			t.Errorf("got %+v", l)
		}
		if got.Login("client:a", now.Add(time.Hour)) != nil || got.Login("client:b", now) != nil {
			t.Error("a login lives beyond its end, or in another realm")
		}
		if err := storage.UpdateSession(tx, got); err != nil {
			return err
		}
		if err := storage.UpdateSession(tx, got); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("UpdateSession at an old revision: %v", err)
		}
		if all, err := storage.SessionsOf(tx, "p"); err != nil || len(all) != 1 || all[0].ID != id {
			t.Errorf("SessionsOf: %v, %v", all, err)
		}
		if ended, err := storage.EndSession(tx, id); err != nil || ended.Person != "p" || !slices.Equal(ended.SIDs(), []string{"s1"}) {
			t.Errorf("EndSession: %+v, %v", ended, err)
		}
		if _, err := storage.EndSession(tx, id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("ended twice: %v", err)
		}
		if _, err = storage.GetSession(tx, id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("after EndSession: %v", err)
		}
		l := storage.Login{ID: "l", Expires: now.Add(time.Hour), Body: []byte("a")}
		if err := storage.InsertLogin(tx, l); err != nil {
			return err
		}
		l.Revision, l.Body = 1, []byte("b")
		if next, err := storage.UpdateLogin(tx, l); next != 2 || err != nil {
			t.Errorf("UpdateLogin = %d, %v", next, err)
		}
		if _, err := storage.UpdateLogin(tx, l); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("UpdateLogin at an old revision: %v", err)
		}
		if got, err := storage.GetLogin(tx, "l"); err != nil || got.Revision != 2 || string(got.Body) != "b" {
			t.Errorf("GetLogin = %+v, %v", got, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestSessionRealms: a login takes the place of that of its realm, remembers whom the old one told, and makes room.
func TestSessionRealms(t *testing.T) {
	now := time.Now()
	s := storage.Session{Person: "p"}
	login := func(sid, realm, client string) storage.SessionLogin {
		l := storage.SessionLogin{SID: sid, Realm: realm, Ends: now.Add(time.Hour)}
		l.Tell(client, "")
		return l
	}
	s.Add(login("1", "group:g", "a"))
	s.Login("group:g", now).Tell("b", "organization")
	s.Add(login("2", "client:c", "c"))
	s.Add(login("3", "group:g", "a"))
	g := s.Login("group:g", now)
	if len(s.Logins) != 2 || g.SID != "3" || g.Client("a").SID != "3" || g.Client("b").SID != "1" || g.Client("b").Role != "organization" {
		t.Errorf("got %+v", s)
	}
	if !slices.Equal(s.SIDs(), []string{"1", "2", "3"}) {
		t.Errorf("SIDs are %v", s.SIDs())
	}
	if !slices.Equal(g.Retired, []string{"1"}) || s.Login("client:c", now).Retired != nil {
		t.Errorf("retired: %v in the group, %v elsewhere", g.Retired, s.Login("client:c", now).Retired)
	}
	for i := range storage.MaxSessionLogins - 2 {
		if dropped := s.Add(login(fmt.Sprint("x", i), fmt.Sprint("client:x", i), "x")); dropped != nil {
			t.Errorf("dropped %v", dropped)
		}
	}
	if dropped := s.Add(login("last", "client:last", "l")); len(dropped) != 1 || dropped[0].SID != "2" || len(s.Logins) != storage.MaxSessionLogins {
		t.Errorf("dropped %v, %d left", dropped, len(s.Logins))
	}
	// What a login can remember no more is handed out: no SID is forgotten while something lives under it.
	known := map[string]bool{}
	for i := range 100 {
		for _, d := range s.Add(login(fmt.Sprint("y", i), "group:g", "a")) {
			known[d.SID] = true
			if len(d.Clients) != 0 {
				t.Errorf("%s is told of, who is signed in", d.SID)
			}
		}
	}
	for _, sid := range s.SIDs() {
		known[sid] = true
	}
	for i := range 100 {
		if sid := fmt.Sprint("y", i); !known[sid] {
			t.Errorf("%s is forgotten", sid)
		}
	}
	if n := len(s.Login("group:g", now).Retired); n > 40 {
		t.Errorf("%d are remembered", n)
	}
}

// TestConsentCovers: another version of the notice, or a claim more, is not agreed to.
func TestConsentCovers(t *testing.T) {
	s := memstore.New(memstore.Config{})
	if err := s.Update(bg, func(tx storage.Tx) error {
		if err := storage.PutConsent(tx, storage.Consent{Person: "p", Client: "c", Claims: []string{"name", "rnokpp"}, Version: "1", Agreed: time.Now()}); err != nil {
			return err
		}
		c, err := storage.GetConsent(tx, "p", "c")
		if err != nil || c.Person != "p" || !c.Covers("1", []string{"name"}) || c.Covers("2", []string{"name"}) || c.Covers("1", []string{"name", "unzr"}) {
			t.Errorf("got %+v, %v", c, err)
		}
		c.Agreed = time.Time{}
		if c.Covers("1", nil) {
			t.Error("agreed without a tick")
		}
		for _, other := range [][2]string{{"q", "c"}, {"p", "d"}, {"p\x00c", ""}} {
			if _, err := storage.GetConsent(tx, other[0], other[1]); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%q: %v", other, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// T30: the birth date alone decides too, where it is proven without the number that holds it; what is not said conflicts
// with nothing, and a refusal changes nothing.
func TestSameNumberOtherBirthDate(t *testing.T) {
	s, v := memstore.New(memstore.Config{}), newVault(t)
	for _, step := range []struct {
		family, birth string
		conflict      bool
		kept          string
	}{
		{"Перша", "", false, ""},
		{"Перша", "1990-01-02", false, "1990-01-02"},
		{"Перша", "1990-01-03", true, ""},
		{"Друга", "1990-02-01", true, ""},
		{"Перша", "", false, "1990-01-02"},
		{"Друга", "1990-01-02", false, "1990-01-02"},
	} {
		p, created, err := signIn(t, s, v, storage.Person{FamilyName: step.family, BirthDate: step.birth, Identifiers: []storage.Identifier{rnokpp("1")}})
		if errors.Is(err, storage.ErrPersonConflict) != step.conflict || !step.conflict && err != nil {
			t.Errorf("%+v: %v", step, err)
			continue
		}
		if !step.conflict && (p.BirthDate != step.kept || p.FamilyName != step.family || created != (step.kept == "")) {
			t.Errorf("%+v: got %+v, new %v", step, p, created)
		}
	}
}
