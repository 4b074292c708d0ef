package oauth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Limits of a client's key set.
const (
	maxKeySet  = 64 << 10 // bytes
	maxKeys    = 32
	minRSABits = 2048
	maxRSABits = 8192 // what is larger makes one signature cost as much as a hundred others (threat T94)
)

// parseKeySet reads a client's JWK set (RFC 7517): the public keys on P-256, of RSA and of Ed25519. Keys of other kinds and
// such as cannot be read are left out, as RFC 7517, 5 asks; a private or symmetric one is an error, for then somebody has
// published a secret. A set without a usable key is an error too.
func parseKeySet(raw []byte) (*jose.JSONWebKeySet, error) {
	if len(raw) > maxKeySet {
		return nil, fmt.Errorf("is larger than %d bytes", maxKeySet)
	}
	var list struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("is not a JWK set") // the cause may quote it
	}
	if len(list.Keys) > maxKeys {
		return nil, fmt.Errorf("has more than %d keys", maxKeys)
	}
	set, unusable := &jose.JSONWebKeySet{}, errors.New("has no key")
	for i, one := range list.Keys {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(one, &members); err != nil {
			return nil, errors.New("has a key that is not an object")
		}
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
			if _, ok := members[secret]; ok {
				return nil, fmt.Errorf("key %d is not public", i)
			}
		}
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(one); err != nil {
			unusable = fmt.Errorf("key %d cannot be used", i)
			continue
		}
		if err := checkPublicKey(k.Key); err != nil {
			unusable = fmt.Errorf("key %d %w", i, err)
			continue
		}
		set.Keys = append(set.Keys, k)
	}
	if len(set.Keys) == 0 {
		return nil, unusable
	}
	return set, nil
}

func checkPublicKey(public any) error {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return errors.New("is on a curve other than P-256")
		}
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSABits || n > maxRSABits {
			return fmt.Errorf("is RSA of %d bits, not of %d to %d", n, minRSABits, maxRSABits)
		}
		if key.E < 65537 || key.E%2 == 0 {
			return errors.New("is RSA with a small or even exponent")
		}
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return errors.New("is not an Ed25519 key")
		}
	default:
		return errors.New("is of a kind that is not known")
	}
	return nil
}

// hasCertificate reports whether a TLS certificate can be recognised by the key.
func hasCertificate(k jose.JSONWebKey) bool {
	return len(k.Certificates) != 0 || len(k.CertificateThumbprintSHA256) != 0
}
