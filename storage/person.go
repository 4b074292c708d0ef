package storage

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"
)

// Kinds of what is known of persons.
const (
	KindPerson     Kind = "person"
	KindIdentifier Kind = "identifier"
)

// ErrPersonConflict is returned when identifiers lead to two persons, or to one who has another value of the same type.
// Joining or choosing is never right: it is a refusal and an alert.
var ErrPersonConflict = errors.New("storage: identifiers disagree about the person")

// A Sealer encrypts what the store must not show, bound to a purpose. Its keys stand outside the store (storage/seal).
type Sealer interface {
	Seal(purpose string, plaintext []byte) []byte
	Open(purpose string, sealed []byte) ([]byte, error)
}

// An Identifier is a typed number that names a person: a number of another type or country is another number.
type Identifier struct {
	Type    string // "RNOKPP", "UNZR", "PASSPORT", "TIN"
	Country string // ISO 3166-1 alpha-2
	Value   string
}

// mayChange reports whether a person can get a new value: passports are renewed, numbers of registers are for life.
func (i Identifier) mayChange() bool { return i.Type == "PASSPORT" }

// A Person is who has signed in here before. ID is random and says nothing; names are those of the last login.
type Person struct {
	ID          string
	Identifiers []Identifier
	Name        string
	FamilyName  string
	GivenName   string
	MiddleName  string
	BirthDate   string // YYYY-MM-DD, "" unless proven
	Created     time.Time
	LastLogin   time.Time
}

// A Vault reads and writes persons. A record is sealed; the index over identifiers is an HMAC under a key outside the
// store, for there are only 10¹⁰ tax numbers and a plain hash would give them away. Safe for concurrent use.
type Vault struct {
	sealer Sealer
	index  sync.Pool // of HMAC under the index key: what it computes from the key alone is kept
}

// NewVault returns a Vault. The index key has at least 32 random bytes and cannot be changed later without indexing anew.
func NewVault(sealer Sealer, indexKey []byte) (*Vault, error) {
	if sealer == nil {
		return nil, errors.New("storage: vault without a sealer")
	}
	if len(indexKey) < 32 {
		return nil, fmt.Errorf("storage: index key of %d bytes, want at least 32", len(indexKey))
	}
	key := append([]byte(nil), indexKey...)
	return &Vault{sealer: sealer, index: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}, nil
}

// indexID returns the name of an identifier in the index. Each part is written with its length.
func (v *Vault) indexID(i Identifier) string {
	m := v.index.Get().(hash.Hash) //nolint:forcetypeassert // nothing else is put there
	room := make([]byte, 0, 2*sha256.Size)
	for _, part := range [...]string{i.Type, i.Country, i.Value} {
		room = append(binary.BigEndian.AppendUint32(room, uint32(len(part))), part...)
	}
	m.Write(room)
	var name [2 * sha256.Size]byte
	hex.Encode(name[:], m.Sum(room[:0]))
	m.Reset() // nothing of the number stays in it
	v.index.Put(m)
	return string(name[:])
}

// Person returns the person called id. ErrNotFound.
func (v *Vault) Person(tx Tx, id string) (Person, error) {
	r, err := tx.Get(KindPerson, id)
	if err != nil {
		return Person{}, err
	}
	plain, err := v.sealer.Open("person:"+id, r.Body)
	if err != nil {
		return Person{}, fmt.Errorf("storage: opening a person: %w", err)
	}
	p := Person{ID: id}
	return p, p.unpack(plain)
}

// FindPerson returns the person to whom all the identifiers lead that are known. Every identifier is looked up.
// ErrNotFound if none is known, ErrPersonConflict.
func (v *Vault) FindPerson(tx Tx, ids []Identifier) (Person, error) {
	if len(ids) == 0 {
		return Person{}, errors.New("storage: no identifier to find a person by")
	}
	if disagree(ids, ids) {
		return Person{}, ErrPersonConflict
	}
	owner := ""
	for _, i := range ids {
		r, err := tx.Get(KindIdentifier, v.indexID(i))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Person{}, err
		}
		if owner != "" && owner != r.Group {
			return Person{}, ErrPersonConflict
		}
		owner = r.Group
	}
	if owner == "" {
		return Person{}, ErrNotFound
	}
	p, err := v.Person(tx, owner)
	if err != nil {
		return Person{}, err
	}
	if disagree(p.Identifiers, ids) {
		return Person{}, ErrPersonConflict
	}
	return p, nil
}

// disagree reports whether two different values of one type and country stand in a and b together.
func disagree(a, b []Identifier) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Type == y.Type && x.Country == y.Country && x.Value != y.Value && !x.mayChange() {
				return true
			}
		}
	}
	return false
}

// SignIn finds the person of seen by its identifiers, or makes one, and writes what this login showed: new identifiers are
// added, names replaced (another surname is lawful), a birth date kept. seen.ID is ignored. It returns the person as stored
// and whether it is new. ErrPersonConflict, also when the birth date is another one.
func (v *Vault) SignIn(tx Tx, seen Person, now time.Time) (Person, bool, error) {
	p, err := v.FindPerson(tx, seen.Identifiers)
	created := errors.Is(err, ErrNotFound)
	switch {
	case created:
		p = Person{ID: rand.Text(), Created: now}
	case err != nil:
		return Person{}, false, err
	}
	if p.BirthDate != "" && seen.BirthDate != "" && p.BirthDate != seen.BirthDate {
		return Person{}, false, ErrPersonConflict
	}
	if seen.BirthDate != "" {
		p.BirthDate = seen.BirthDate
	}
	p.Name, p.FamilyName, p.GivenName, p.MiddleName = seen.Name, seen.FamilyName, seen.GivenName, seen.MiddleName
	p.LastLogin = now
	for _, i := range seen.Identifiers {
		if !has(p.Identifiers, i) {
			p.Identifiers = append(p.Identifiers, i)
			// ErrExists cannot be: FindPerson saw it absent, or owned by p, whose list would have it.
			if err := tx.Put(Record{Kind: KindIdentifier, ID: v.indexID(i), Group: p.ID}); err != nil {
				return Person{}, false, err
			}
		}
	}
	err = tx.Put(Record{Kind: KindPerson, ID: p.ID, Body: v.sealer.Seal("person:"+p.ID, p.pack())})
	return p, created, err
}

func has(ids []Identifier, i Identifier) bool {
	for _, x := range ids {
		if x == i {
			return true
		}
	}
	return false
}
