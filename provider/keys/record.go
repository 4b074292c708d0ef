package keys

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"brama/storage"
)

// Kinds of keys in the store.
const (
	KindKey storage.Kind = "signing-key"
	// KindExternal is the public half of a key that stands elsewhere.
	KindExternal storage.Kind = "signing-key-external"
)

// stored is the record of a key. Sealed, for the key's own id, is the private half as PKCS#8, or the public half of an
// external key as SPKI: sealed too, so that nobody who can write the store alone adds a key of his own to the set.
type stored struct {
	Alg     string    `json:"alg"`
	Created time.Time `json:"created"`
	// SignsFrom is when the key takes over. Records without it are of the first keys, which signed at once.
	SignsFrom time.Time `json:"signs_from,omitzero"`
	Sealed    []byte    `json:"sealed"`
}

type record struct {
	stored
	id string
}

// scan returns the records of a kind in the order of their times.
func scan(tx storage.Tx, kind storage.Kind) ([]record, error) {
	var out []record
	for r, err := range tx.Scan(kind, "") {
		if err != nil {
			return nil, fmt.Errorf("keys: reading: %w", err)
		}
		one := record{id: r.ID}
		if err := json.Unmarshal(r.Body, &one.stored); err != nil {
			return nil, fmt.Errorf("keys: reading %s: %w", r.ID, err)
		}
		if one.SignsFrom.IsZero() {
			one.SignsFrom = one.Created
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b record) int { return cmp.Or(a.SignsFrom.Compare(b.SignsFrom), cmp.Compare(a.id, b.id)) })
	return out, nil
}

// of returns those of records that are for alg.
func of(records []record, alg string) []record {
	var out []record
	for _, r := range records {
		if r.Alg == alg {
			out = append(out, r)
		}
	}
	return out
}

func purpose(id string) string { return "signing-key:" + id }

func externalPurpose(id string) string { return "signing-key-external:" + id }

// generate makes a key for alg: its id and its private half as PKCS#8.
func generate(alg string) (id string, der []byte, err error) {
	var private crypto.Signer
	switch alg {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256, PS256:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = ErrAlgorithm
	}
	if err != nil {
		return "", nil, fmt.Errorf("keys: making a key for %s: %w", alg, err)
	}
	p, err := describe(private.Public(), alg)
	if err != nil {
		return "", nil, err
	}
	der, err = x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", nil, fmt.Errorf("keys: encoding a key for %s: %w", alg, err)
	}
	return p.KeyID, der, nil
}

// insert writes a record of a key.
func insert(tx storage.Tx, kind storage.Kind, r record) error {
	body, err := json.Marshal(r.stored)
	if err != nil {
		return fmt.Errorf("keys: encoding %s: %w", r.id, err)
	}
	return tx.Insert(storage.Record{Kind: kind, ID: r.id, Body: body})
}

// open returns the key of a record of the store.
func (r record) open(sealer storage.Sealer) (*key, error) {
	der, err := sealer.Open(purpose(r.id), r.Sealed)
	if err != nil {
		return nil, fmt.Errorf("keys: opening %s (is the key-encryption key the right one?): %w", r.id, err)
	}
	defer clear(der)
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("keys: parsing %s", r.id) // the cause could quote the key
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("keys: %s is no signing key", r.id)
	}
	return r.check(&key{id: r.id, alg: r.Alg, public: private.Public(), private: private, signsFrom: r.SignsFrom})
}

// openExternal returns the public half of an external key.
func (r record) openExternal(sealer storage.Sealer) (*key, error) {
	der, err := sealer.Open(externalPurpose(r.id), r.Sealed)
	if err != nil {
		return nil, fmt.Errorf("keys: opening %s (is the key-encryption key the right one?): %w", r.id, err)
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("keys: parsing %s: %w", r.id, err)
	}
	return r.check(&key{id: r.id, alg: r.Alg, public: public, signsFrom: r.SignsFrom, external: true})
}

// check refuses a key that does not fit what its record says of it, which is not sealed.
func (r record) check(k *key) (*key, error) {
	p, err := describe(k.public, k.alg)
	if err != nil {
		return nil, err
	}
	if p.KeyID != r.id {
		return nil, fmt.Errorf("keys: %s is another key than its record says", r.id)
	}
	return k, nil
}
