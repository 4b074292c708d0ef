package oauth

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms in which tokens are encrypted for clients that ask (RFC 7518, 4 and 5): with their public key only. We encrypt
// and never decrypt: what comes encrypted to us is refused everywhere.
var (
	encryptionAlgs = []string{"ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256"}
	encryptionEncs = []string{defaultEnc, "A128GCM", "A256GCM"}
)

const defaultEnc = "A128CBC-HS256" // OpenID Connect Dynamic Client Registration 1.0, 2

var errNoEncryptionKey = errors.New("oauth: no key of the client is for encryption")

// encrypt returns payload for a client alone, as a compact JWE under the key of its set that fits alg (OpenID Connect Core,
// 10.2). enc "" is the default. nested says that payload is a JWT, which cty then tells (RFC 7519, 5.2). Errors of the
// client's keys are *Error: indeterminate if they cannot be had now, refused if none fits.
func (p *Provider) encrypt(ctx context.Context, c *Client, alg, enc, payload string, nested bool) (string, error) {
	key, err := p.encryptionKey(ctx, c, alg)
	switch {
	case errors.Is(err, errKeysUnavailable):
		return "", &Error{Code: "temporarily_unavailable", Description: "the client's keys cannot be had now", Status: http.StatusServiceUnavailable, Err: err}
	case err != nil:
		return "", &Error{Code: "invalid_request", Description: "the client has no key to encrypt for", Status: http.StatusBadRequest, Err: err}
	}
	options := &jose.EncrypterOptions{}
	if nested {
		options = options.WithContentType("JWT")
	}
	// The recipient is made of the bare key and its name: nothing else of what the client published goes into the header.
	e, err := jose.NewEncrypter(jose.ContentEncryption(cmp.Or(enc, defaultEnc)),
		jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: key.Key, KeyID: key.KeyID}, options)
	if err != nil {
		return "", fmt.Errorf("oauth: encrypting for client %s: %w", c.ID, err)
	}
	sealed, err := e.Encrypt([]byte(payload))
	if err != nil {
		return "", fmt.Errorf("oauth: encrypting for client %s: %w", c.ID, err)
	}
	return sealed.CompactSerialize()
}

// encryptionKey returns the client's key for alg. Keys behind a jwks_uri are asked for again if none fits.
func (p *Provider) encryptionKey(ctx context.Context, c *Client, alg string) (*jose.JSONWebKey, error) {
	set, err := p.clientKeys(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	if key := pickEncryptionKey(set, alg); key != nil || c.JWKSURI == "" {
		return key, missing(key)
	}
	if set, err = p.clientKeys(ctx, c, set); err != nil {
		return nil, err
	}
	key := pickEncryptionKey(set, alg)
	return key, missing(key)
}

func missing(key *jose.JSONWebKey) error {
	if key == nil {
		return errNoEncryptionKey
	}
	return nil
}

// pickEncryptionKey returns the first key of a set that is for alg, one that says "enc" before one that says nothing of its
// use; nil if there is none. A key for signatures is never used (RFC 7517, 4.2 and 4.4).
func pickEncryptionKey(set *jose.JSONWebKeySet, alg string) *jose.JSONWebKey {
	fits := func(k jose.JSONWebKey, use string) bool {
		var kind bool
		switch k.Key.(type) {
		case *ecdsa.PublicKey:
			kind = strings.HasPrefix(alg, "ECDH-ES")
		case *rsa.PublicKey:
			kind = strings.HasPrefix(alg, "RSA-OAEP")
		}
		return kind && k.Use == use && (k.Algorithm == "" || k.Algorithm == alg)
	}
	for _, use := range []string{"enc", ""} {
		if i := slices.IndexFunc(set.Keys, func(k jose.JSONWebKey) bool { return fits(k, use) }); i >= 0 {
			return &set.Keys[i]
		}
	}
	return nil
}
