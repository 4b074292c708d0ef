package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
)

// KindKey is the kind of signing keys in the store.
const KindKey storage.Kind = "signing-key"

// Algorithms that Keys sign with (RFC 7518).
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

const rsaBits = 2048

// Algorithms lists what Keys sign with, the default first.
func Algorithms() []string { return []string{ES256, RS256} }

// Config is what Open needs.
type Config struct {
	Store  storage.Store
	Sealer storage.Sealer   // its keys are the key-encryption keys; they stand outside the store
	Now    func() time.Time // the clock; nil means time.Now
	// External are keys that stand elsewhere, by algorithm: ECDSA on P-256 for ES256, RSA of 2048 bits or more for RS256. For
	// these algorithms no key is made in the store, and none that is there is opened or published: it could be copied,
	// which an external key is to end.
	External map[string]crypto.Signer
}

// Keys are the signing keys of a provider, one for each algorithm. Safe for concurrent use.
type Keys struct {
	active map[string]*key // by algorithm
	byID   map[string]*key
	jwks   []byte
}

type key struct {
	id     string
	alg    jose.SignatureAlgorithm
	public crypto.PublicKey
	signer jose.Signer
	// external is a key outside this process, whose signatures are verified before anyone sees them: a wrong one of RSA can
	// tell the key.
	external bool
}

// stored is the record of a key: the private half, PKCS#8, is sealed for the key's own id.
type stored struct {
	Alg     string    `json:"alg"`
	Created time.Time `json:"created"`
	Sealed  []byte    `json:"sealed"`
}

// Errors of Sign and Verify.
var (
	ErrAlgorithm = errors.New("keys: no key for this algorithm")
	ErrSignature = errors.New("keys: token is not signed by a key of ours")
	errExternal  = errors.New("keys: the signature of the external key does not verify")
)

// Open loads the keys, and makes those that are absent.
func Open(ctx context.Context, cfg Config) (*Keys, error) {
	if cfg.Store == nil || cfg.Sealer == nil {
		return nil, errors.New("keys: no store or no key-encryption key")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	records, err := load(ctx, cfg.Store)
	if err != nil {
		return nil, err
	}
	for _, alg := range Algorithms() {
		if cfg.External[alg] == nil && !slices.ContainsFunc(records, func(r record) bool { return r.Alg == alg }) {
			if err := create(ctx, cfg, alg); err != nil {
				return nil, err
			}
		}
	}
	// Another process may have been faster: what the store holds counts.
	if records, err = load(ctx, cfg.Store); err != nil {
		return nil, err
	}
	k := &Keys{active: map[string]*key{}, byID: map[string]*key{}}
	var public []publicKey
	add := func(one *key) error {
		p, err := describe(one.public, string(one.alg))
		if err != nil {
			return err
		}
		public = append(public, p)
		k.byID[one.id] = one
		k.active[string(one.alg)] = one // the newest, records being in order of age
		return nil
	}
	for _, r := range records {
		if cfg.External[r.Alg] != nil {
			continue
		}
		one, err := r.open(cfg.Sealer)
		if err != nil {
			return nil, err
		}
		if err := add(one); err != nil {
			return nil, err
		}
	}
	for alg, s := range cfg.External {
		if !slices.Contains(Algorithms(), alg) || s == nil {
			return nil, fmt.Errorf("%w: external %q", ErrAlgorithm, alg)
		}
	}
	for _, alg := range Algorithms() { // in this order, so that the set is the same at each start
		s := cfg.External[alg]
		if s == nil {
			continue
		}
		one, err := external(alg, s)
		if err != nil {
			return nil, err
		}
		if err := add(one); err != nil {
			return nil, err
		}
		if _, err := k.Sign(alg, []byte("{}")); err != nil { // now, and not at the first sign-in
			return nil, err
		}
	}
	k.jwks, err = json.Marshal(struct {
		Keys []publicKey `json:"keys"`
	}{public})
	return k, err
}

type record struct {
	stored
	id string
}

func load(ctx context.Context, s storage.Store) ([]record, error) {
	var out []record
	err := s.View(ctx, func(tx storage.Tx) error {
		var err error
		out, err = scan(tx)
		return err
	})
	return out, err
}

func scan(tx storage.Tx) ([]record, error) {
	var out []record
	for r, err := range tx.Scan(KindKey, "") {
		if err != nil {
			return nil, fmt.Errorf("keys: reading: %w", err)
		}
		one := record{id: r.ID}
		if err := json.Unmarshal(r.Body, &one.stored); err != nil {
			return nil, fmt.Errorf("keys: reading %s: %w", r.ID, err)
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b record) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return out, nil
}

// create makes a key for alg, unless the store got one meanwhile.
func create(ctx context.Context, cfg Config, alg string) error {
	var private crypto.Signer
	var err error
	switch alg {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	default:
		err = ErrAlgorithm
	}
	if err != nil {
		return fmt.Errorf("keys: making a key for %s: %w", alg, err)
	}
	p, err := describe(private.Public(), alg)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("keys: encoding a key for %s: %w", alg, err)
	}
	body, err := json.Marshal(stored{Alg: alg, Created: cfg.Now().UTC(), Sealed: cfg.Sealer.Seal(purpose(p.KeyID), der)})
	clear(der)
	if err != nil {
		return err
	}
	return cfg.Store.Update(ctx, func(tx storage.Tx) error {
		existing, err := scan(tx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(existing, func(r record) bool { return r.Alg == alg }) {
			return nil
		}
		return tx.Insert(storage.Record{Kind: KindKey, ID: p.KeyID, Body: body})
	})
}

func purpose(id string) string { return "signing-key:" + id }

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
	k := &key{id: r.id, alg: jose.SignatureAlgorithm(r.Alg), public: private.Public()}
	k.signer, err = jose.NewSigner(
		jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: private, KeyID: r.id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("keys: %s cannot sign with %s: %w", r.id, r.Alg, err)
	}
	return k, nil
}

// Sign returns payload as a compact JWS under the active key of alg, with alg, kid and typ "JWT" in its header. ErrAlgorithm.
func (k *Keys) Sign(alg string, payload []byte) (string, error) {
	one := k.active[alg]
	if one == nil {
		return "", ErrAlgorithm
	}
	signed, err := one.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("keys: signing with %s: %w", one.id, err)
	}
	if one.external {
		if _, err := signed.Verify(one.public); err != nil {
			return "", fmt.Errorf("signing with %s: %w", one.id, errExternal)
		}
	}
	return signed.CompactSerialize()
}

// Verify returns the payload of a compact JWS signed by any published key. The key is looked up by kid among ours, never
// fetched, and used only with its own algorithm. It does not look at what the payload says. ErrSignature.
func (k *Keys) Verify(token string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, ErrSignature
	}
	header := parsed.Signatures[0].Protected
	one := k.byID[header.KeyID]
	if one == nil || string(one.alg) != header.Algorithm {
		return nil, ErrSignature
	}
	payload, err := parsed.Verify(one.public)
	if err != nil {
		return nil, ErrSignature
	}
	return payload, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517). The caller must not change it.
func (k *Keys) JWKS() []byte { return k.jwks }
