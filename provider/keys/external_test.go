package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
	"brama/storage/memstore"
)

// device is a signer with nothing else; broken makes it give wrong signatures.
type device struct {
	crypto.Signer
	broken bool
}

func (d *device) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if d.broken {
		digest = bytes.Repeat([]byte{1}, len(digest))
	}
	return d.Signer.Sign(r, digest, opts)
}

func devices(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{ES256: &device{Signer: ec}, RS256: &device{Signer: r}}
}

func with(store storage.Store, external map[string]crypto.Signer, t *testing.T) (*Keys, error) {
	return Open(context.Background(), Config{Store: store, Sealer: sealer(t, 1), External: external})
}

// TestExternal: the published set holds the external keys and no other, and tokens verify by it.
func TestExternal(t *testing.T) {
	store := memstore.New(memstore.Config{})
	before := open(t, store)
	old, err := before.Sign(ES256, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	external := devices(t)
	k, err := with(store, external, t)
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(k.JWKS(), &set); err != nil || len(set.Keys) != len(external) {
		t.Fatalf("set of %d keys, %v", len(set.Keys), err)
	}
	for alg, s := range external {
		token, err := k.Sign(alg, []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		h := parsed.Signatures[0].Protected
		found := set.Key(h.KeyID)
		if len(found) != 1 || found[0].Algorithm != alg || h.ExtraHeaders[jose.HeaderType] != "JWT" {
			t.Fatalf("%s: header %+v, published as %+v", alg, h, found)
		}
		if equal, ok := s.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !equal.Equal(found[0].Key) {
			t.Errorf("%s: another key is published", alg)
		}
		if payload, err := parsed.Verify(found[0]); err != nil || string(payload) != `{"a":1}` {
			t.Errorf("%s: %q, %v", alg, payload, err)
		}
		if _, err := k.Verify(token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	// A copy of the store and its secret signs no token that anyone would take.
	if _, err := k.Verify(old); !errors.Is(err, ErrSignature) {
		t.Errorf("a token of the key in the store: %v", err)
	}
	fresh := memstore.New(memstore.Config{})
	if _, err := with(fresh, external, t); err != nil {
		t.Fatal(err)
	}
	none, err := Open(t.Context(), Config{Store: fresh, Sealer: sealer(t, 1), Algorithms: []string{EdDSA}})
	if err != nil {
		t.Fatal(err)
	}
	records, err := none.read(t.Context(), KindKey)
	if err != nil || len(records) != 1 || records[0].Alg != EdDSA {
		t.Errorf("%d keys were made in the store, %v", len(records), err)
	}
}

// TestExternalFaulty: a wrong signature goes nowhere, at the start and later.
func TestExternalFaulty(t *testing.T) {
	for _, alg := range []string{ES256, RS256} {
		external := devices(t)
		d := external[alg].(*device)
		k, err := with(memstore.New(memstore.Config{}), external, t)
		if err != nil {
			t.Fatal(err)
		}
		d.broken = true
		if token, err := k.Sign(alg, []byte("{}")); !errors.Is(err, errExternal) || token != "" {
			t.Errorf("%s: Sign = %q, %v", alg, token, err)
		}
		if _, err := with(memstore.New(memstore.Config{}), external, t); !errors.Is(err, errExternal) {
			t.Errorf("%s: Open = %v", alg, err)
		}
	}
}

func TestExternalRefuses(t *testing.T) {
	good := devices(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, external := range map[string]map[string]crypto.Signer{
		"swapped":           {ES256: good[RS256]},
		"another curve":     {ES256: p384},
		"unknown algorithm": {"ES384": p384},
		"no key":            {ES256: nil},
	} {
		if _, err := with(memstore.New(memstore.Config{}), external, t); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
