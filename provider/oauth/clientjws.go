package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
)

// maxTried bounds the keys that one signature is verified with (threat T94).
const maxTried = 4

var (
	errClientKey       = errors.New("oauth: no key of the client fits the signature")
	errClientSignature = errors.New("oauth: signature of the client does not verify")
)

// A parsedSets remembers the registered key sets that were parsed, by their text. Safe for concurrent use.
type parsedSets struct {
	mu   sync.RWMutex
	sets map[string]*jose.JSONWebKeySet
}

const maxParsedSets = 4096

func (s *parsedSets) parse(raw []byte) (*jose.JSONWebKeySet, error) {
	s.mu.RLock()
	set := s.sets[string(raw)]
	s.mu.RUnlock()
	if set != nil {
		return set, nil
	}
	set, err := parseKeySet(raw)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets == nil || len(s.sets) >= maxParsedSets {
		s.sets = map[string]*jose.JSONWebKeySet{}
	}
	s.sets[string(raw)] = set
	return set, nil
}

// clientKeys returns the public keys of a client: the registered ones, or those behind its jwks_uri. seen, if not nil, are
// keys of an earlier call in which the wanted one was not. errKeysUnavailable says that they cannot be had now.
func (p *Provider) clientKeys(ctx context.Context, c *Client, seen *jose.JSONWebKeySet) (*jose.JSONWebKeySet, error) {
	switch {
	case len(c.JWKS) != 0:
		return p.parsed.parse(c.JWKS)
	case c.JWKSURI != "":
		return p.sources.keys(ctx, c.JWKSURI, seen)
	}
	return nil, fmt.Errorf("%w: it has none", errClientKey)
}

// verifyClientJWS verifies a compact JWS of the client with its keys, and returns the payload and the header. algs are the
// algorithms that the client may use here; a key in the header is never looked at, one that is named is looked up and never
// fetched from where the header says (threat T73). The payload is not looked at.
func (p *Provider) verifyClientJWS(ctx context.Context, c *Client, token string, algs []string) ([]byte, jose.Header, error) {
	jws, err := jose.ParseSignedCompact(token, joseAlgorithms(algs))
	if err != nil {
		return nil, jose.Header{}, fmt.Errorf("%w: not a JWS of an allowed algorithm", errClientSignature) // the cause quotes what came
	}
	header := jws.Signatures[0].Protected
	set, err := p.clientKeys(ctx, c, nil)
	if err != nil {
		return nil, jose.Header{}, err
	}
	payload, err := tryKeys(jws, token, header, set)
	if err == nil || c.JWKSURI == "" || header.KeyID != "" && !errors.Is(err, errClientKey) {
		return payload, header, err
	}
	// The client may have changed its keys since we asked for them.
	newer, e := p.clientKeys(ctx, c, set)
	if e != nil {
		return nil, jose.Header{}, e
	}
	if newer != set {
		payload, err = tryKeys(jws, token, header, newer)
	}
	return payload, header, err
}

// tryKeys verifies with the key that the header names, or with every key that may have made the signature.
func tryKeys(jws *jose.JSONWebSignature, token string, header jose.Header, set *jose.JSONWebKeySet) ([]byte, error) {
	tried := 0
	for _, k := range set.Keys {
		if header.KeyID != "" && k.KeyID != header.KeyID || !signs(k, header.Algorithm) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if header.Algorithm == ed25519Alg {
			if public, ok := k.Key.(ed25519.PublicKey); ok && verifyEd25519(public, token) {
				return jws.UnsafePayloadWithoutVerification(), nil // verified this moment
			}
			continue
		}
		if payload, err := jws.Verify(k.Key); err == nil {
			return payload, nil
		}
	}
	if tried == 0 {
		return nil, errClientKey
	}
	return nil, errClientSignature
}

// signs reports whether a key is for signatures of alg: by its kind, and by use and alg where it says them (RFC 7517, 4.2 and
// 4.4).
func signs(k jose.JSONWebKey, alg string) bool {
	if k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != alg && !(k.Algorithm == ed25519Alg && alg == "EdDSA") && !(k.Algorithm == "EdDSA" && alg == ed25519Alg) {
		return false
	}
	switch k.Key.(type) {
	case *ecdsa.PublicKey:
		return alg == "ES256"
	case *rsa.PublicKey:
		return slices.Contains([]string{"PS256", "RS256"}, alg)
	case ed25519.PublicKey:
		return alg == "EdDSA" || alg == ed25519Alg
	}
	return false
}

// ed25519Alg is the newer name of EdDSA with Ed25519 (RFC 9864, 2.2), which go-jose does not know yet and libraries of clients
// write. Where EdDSA may be used, both names may.
const ed25519Alg = "Ed25519"

// joseAlgorithms returns what a signature may say it is made by.
func joseAlgorithms(algs []string) []jose.SignatureAlgorithm {
	allowed := make([]jose.SignatureAlgorithm, 0, len(algs)+1)
	for _, a := range algs {
		allowed = append(allowed, jose.SignatureAlgorithm(a))
		if a == "EdDSA" {
			allowed = append(allowed, ed25519Alg)
		}
	}
	return allowed
}

// verifyEd25519 verifies a compact JWS under the newer name. The header must leave nothing to understand beyond it.
func verifyEd25519(public ed25519.PublicKey, token string) bool {
	end := strings.LastIndexByte(token, '.')
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || end < 0 {
		return false
	}
	var header map[string]josejson.RawMessage
	if err := josejson.Unmarshal(raw, &header); err != nil {
		return false
	}
	for _, unknown := range []string{"crit", "b64"} {
		if _, ok := header[unknown]; ok {
			return false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	return err == nil && ed25519.Verify(public, []byte(token[:end]), signature)
}
