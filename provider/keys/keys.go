package keys

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
)

// Algorithms that Keys sign with (RFC 7518, RFC 8037).
const (
	ES256 = "ES256"
	RS256 = "RS256"
	PS256 = "PS256"
	EdDSA = "EdDSA" // Ed25519
)

const rsaBits = 2048

// TypeJWT is the typ of an ID token.
const TypeJWT = "JWT"

// Algorithms lists what Keys can sign with, the default first. Which of them a provider has, its Keys tell.
func Algorithms() []string { return []string{ES256, RS256, PS256, EdDSA} }

// MaxAge is how long anyone may keep a set of keys before asking for it again: the max-age of its Cache-Control.
const MaxAge = 5 * time.Minute

// Times of a key's life, where the configuration says nothing.
const (
	defaultRotate = 90 * 24 * time.Hour
	defaultAhead  = 24 * time.Hour
	defaultKeep   = 30 * 24 * time.Hour
	defaultCheck  = time.Minute
)

// Config is what Open needs.
type Config struct {
	Store  storage.Store
	Sealer storage.Sealer   // its keys are the key-encryption keys; they stand outside the store
	Now    func() time.Time // the clock; nil means time.Now
	// Algorithms are those that keys are made for; nil is all. With External they are those of External, and no others.
	Algorithms []string
	// External are keys that stand elsewhere, by algorithm: ECDSA on P-256 for ES256, RSA of 2048 bits or more for RS256 and
	// PS256, Ed25519 for EdDSA. With them no key is made in the store, and none that is there is opened or published: it
	// could be copied, which an external key is to end. The store remembers their public halves only, so that a key that is
	// no longer given stays published for KeepFor.
	External map[string]crypto.Signer
	// ExternalNext are the successors of External: published, but not signed with.
	ExternalNext map[string]crypto.Signer

	// RotateEvery is how long a key signs; 0 means 90 days. External keys are replaced by hand.
	RotateEvery time.Duration
	// PublishAhead is how long a new key is published before it signs; 0 means a day. Less than MaxAge and two checks is
	// refused: a portal would meet a signature by a key that it cannot know.
	PublishAhead time.Duration
	// KeepFor is how long a key stays published after its last signature; 0 means 30 days. It must cover the life of an ID
	// token, and the time for which an expired one is taken as a hint.
	KeepFor time.Duration
	// CheckEvery is how often Run looks what is to be done, and what other processes have done; 0 means a minute.
	CheckEvery time.Duration
	// Revoked are ids of keys that are known to somebody else. They are deleted from the store, never published, and nothing
	// signed by them is believed.
	Revoked []string
	Log     *slog.Logger // nil means slog.Default
}

// Keys are the signing keys of a provider: for each algorithm an active one, and it may be a next one and retired ones.
// Safe for concurrent use.
type Keys struct {
	cfg        Config
	algorithms []string
	current    atomic.Pointer[set]
	refreshing sync.Mutex
}

// Errors of Sign and Verify.
var (
	ErrAlgorithm = errors.New("keys: no key for this algorithm")
	ErrSignature = errors.New("keys: token is not signed by a key of ours")
	errExternal  = errors.New("keys: the signature of the external key does not verify")
)

// Open loads the keys, and makes those that are absent. Whoever opens them calls Run.
func Open(ctx context.Context, cfg Config) (*Keys, error) {
	if cfg.Store == nil || cfg.Sealer == nil {
		return nil, errors.New("keys: no store or no key-encryption key")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	for d, fallback := range map[*time.Duration]time.Duration{
		&cfg.RotateEvery: defaultRotate, &cfg.PublishAhead: defaultAhead, &cfg.KeepFor: defaultKeep, &cfg.CheckEvery: defaultCheck,
	} {
		if *d < 0 {
			return nil, errors.New("keys: negative time")
		}
		if *d == 0 {
			*d = fallback
		}
	}
	switch {
	case cfg.PublishAhead < MaxAge+2*cfg.CheckEvery:
		return nil, fmt.Errorf("keys: a new key is published %s before it signs, want at least %s", cfg.PublishAhead, MaxAge+2*cfg.CheckEvery)
	case cfg.RotateEvery <= cfg.PublishAhead:
		return nil, fmt.Errorf("keys: a key signs for %s and its successor is published %s ahead", cfg.RotateEvery, cfg.PublishAhead)
	}
	k := &Keys{cfg: cfg}
	if err := k.choose(); err != nil {
		return nil, err
	}
	k.current.Store(&set{byID: map[string]*key{}})
	if err := k.Refresh(ctx); err != nil {
		return nil, err
	}
	for _, alg := range k.algorithms {
		if cfg.External[alg] != nil {
			if _, err := k.Sign(alg, []byte("{}")); err != nil { // now, and not at the first sign-in
				return nil, err
			}
		}
	}
	return k, nil
}

// choose fills algorithms.
func (k *Keys) choose() error {
	wanted := k.cfg.Algorithms
	if wanted == nil {
		wanted = Algorithms()
	}
	if len(k.cfg.External) > 0 || len(k.cfg.ExternalNext) > 0 {
		wanted = nil
		for alg, s := range k.cfg.External {
			if s == nil {
				return fmt.Errorf("%w: external %q", ErrAlgorithm, alg)
			}
			wanted = append(wanted, alg)
		}
		for alg, s := range k.cfg.ExternalNext {
			if s == nil || k.cfg.External[alg] == nil {
				return fmt.Errorf("%w: successor for %q of no external key", ErrAlgorithm, alg)
			}
		}
	}
	for _, alg := range wanted {
		if !slices.Contains(Algorithms(), alg) {
			return fmt.Errorf("%w: %q", ErrAlgorithm, alg)
		}
	}
	for _, alg := range Algorithms() { // in this order, so that the set is the same at each start
		if slices.Contains(wanted, alg) {
			k.algorithms = append(k.algorithms, alg)
		}
	}
	if len(k.algorithms) == 0 {
		return fmt.Errorf("%w: none is wanted", ErrAlgorithm)
	}
	return nil
}

// Algorithms lists the algorithms of which there is a key, the default first. The caller must not change it.
func (k *Keys) Algorithms() []string { return k.algorithms }

// KeptFor returns for how long a key stays published after its last signature.
func (k *Keys) KeptFor() time.Duration { return k.cfg.KeepFor }

// Sign returns payload as a compact JWS under the active key of alg, with alg, kid and typ "JWT" in its header. ErrAlgorithm.
func (k *Keys) Sign(alg string, payload []byte) (string, error) {
	return k.SignTyped(TypeJWT, alg, payload)
}

// SignTyped is Sign with another typ, such as "logout+jwt": what is signed for one use cannot be shown for another.
func (k *Keys) SignTyped(typ, alg string, payload []byte) (string, error) {
	token, err := k.sign(make([]byte, 0, signedSize(len(payload))), typ, alg, payload)
	return string(token), err
}

// AppendToken appends to dst what Sign returns. ErrAlgorithm.
func (k *Keys) AppendToken(dst []byte, alg string, payload []byte) ([]byte, error) {
	return k.sign(dst, TypeJWT, alg, payload)
}

func (k *Keys) sign(dst []byte, typ, alg string, payload []byte) ([]byte, error) {
	one := k.current.Load().active(alg, k.cfg.Now())
	if one == nil {
		return nil, ErrAlgorithm
	}
	at := len(dst)
	dst, err := one.sign(dst, typ, payload)
	if err != nil {
		return nil, fmt.Errorf("keys: signing with %s: %w", one.id, err)
	}
	if one.external {
		// A wrong signature of RSA can tell the key: nobody sees it.
		if _, err := one.verify(string(dst[at:])); err != nil {
			return nil, fmt.Errorf("signing with %s: %w", one.id, errExternal)
		}
	}
	return dst, nil
}

// algorithmsOfJOSE is what a token of ours can name.
var algorithmsOfJOSE = []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA}

// Verify returns the payload of a compact JWS with typ "JWT" signed by any published key: active, next or retired. The key
// is looked up by kid among ours, never fetched, and used only with its own algorithm. It does not look at what the payload
// says. ErrSignature.
func (k *Keys) Verify(token string) ([]byte, error) { return k.VerifyTyped(TypeJWT, token) }

// VerifyTyped is Verify for another typ.
func (k *Keys) VerifyTyped(typ, token string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(token, algorithmsOfJOSE)
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, ErrSignature
	}
	header := parsed.Signatures[0].Protected
	one := k.current.Load().byID[header.KeyID]
	if one == nil || one.alg != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != typ {
		return nil, ErrSignature
	}
	payload, err := parsed.Verify(one.public)
	if err != nil {
		return nil, ErrSignature
	}
	return payload, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517), which may be kept for MaxAge. The caller must not change it.
func (k *Keys) JWKS() []byte { return k.current.Load().jwks }
