package keys

import (
	"crypto"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// external makes a key of one whose private half only signs.
func external(alg string, s crypto.Signer) (*key, error) {
	p, err := describe(s.Public(), alg)
	if err != nil {
		return nil, fmt.Errorf("external key for %s: %w", alg, err)
	}
	k := &key{id: p.KeyID, alg: jose.SignatureAlgorithm(alg), public: s.Public(), external: true}
	k.signer, err = jose.NewSigner(
		jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: cryptosigner.Opaque(s), KeyID: k.id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("keys: the external key cannot sign with %s: %w", alg, err)
	}
	return k, nil
}
