package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"brama/storage"
	"brama/storage/memstore"
	"brama/storage/seal"
)

func sealer(t testing.TB, b byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{b}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, s storage.Store) *Keys {
	t.Helper()
	k, err := Open(context.Background(), Config{Store: s, Sealer: sealer(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// activeID is the kid that the next token of alg will have.
func activeID(k *Keys, alg string) string { return k.current.Load().active(alg, k.cfg.Now()).id }

func TestSignAndVerify(t *testing.T) {
	store := memstore.New(memstore.Config{})
	k := open(t, store)
	again := open(t, store)
	if !bytes.Equal(k.JWKS(), again.JWKS()) {
		t.Error("keys changed over a restart")
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(k.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	for _, alg := range Algorithms() {
		token, err := k.Sign(alg, []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Verify(token); err != nil || string(got) != `{"a":1}` {
			t.Errorf("%s: Verify = %q, %v", alg, got, err)
		}
		// A stranger with the published set only.
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		h := parsed.Signatures[0].Protected
		found := set.Key(h.KeyID)
		if len(found) != 1 || found[0].Algorithm != alg || found[0].Use != "sig" {
			t.Fatalf("%s: published as %+v", alg, found)
		}
		if _, err := parsed.Verify(found[0]); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		thumb, err := found[0].Thumbprint(crypto.SHA256)
		if err != nil || base64.RawURLEncoding.EncodeToString(thumb) != h.KeyID {
			t.Errorf("%s: kid is not the thumbprint", alg)
		}
		if h.ExtraHeaders[jose.HeaderType] != "JWT" {
			t.Errorf("%s: typ %v", alg, h.ExtraHeaders)
		}
	}
	if _, err := k.Sign("HS256", nil); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("HS256: %v", err)
	}
}

// TestAppendToken: what is appended stands behind what was there and verifies, and two signatures of one message differ.
func TestAppendToken(t *testing.T) {
	k := open(t, memstore.New(memstore.Config{}))
	payload := []byte(`{"jti":"1"}`)
	for _, alg := range Algorithms() {
		b, err := k.AppendToken([]byte("before."), alg, payload)
		if err != nil {
			t.Fatal(err)
		}
		token, found := strings.CutPrefix(string(b), "before.")
		if got, err := k.Verify(token); !found || err != nil || string(got) != string(payload) {
			t.Errorf("%s: %s, %q, %v", alg, b, got, err)
		}
	}
	one, err := k.AppendToken(nil, ES256, payload)
	other, e := k.AppendToken(nil, ES256, payload)
	if err != nil || e != nil || bytes.Equal(one, other) {
		t.Errorf("no randomness in a nonce: %s, %v, %v", one, err, e)
	}
	if b, err := k.AppendToken(nil, "HS256", payload); b != nil || !errors.Is(err, ErrAlgorithm) {
		t.Errorf("HS256: %s, %v", b, err)
	}
}

// T91: what is published has no private member, and no other than those named here.
func TestJWKSPublicOnly(t *testing.T) {
	k := open(t, memstore.New(memstore.Config{}))
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(k.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != len(Algorithms()) {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for i, one := range set.Keys {
		if one["alg"] != Algorithms()[i] {
			t.Errorf("key %d is for %s, want %s", i, one["alg"], Algorithms()[i])
		}
		allowed := []string{"kty", "kid", "use", "alg", "crv", "x", "y"}
		switch one["kty"] {
		case "RSA":
			allowed = []string{"kty", "kid", "use", "alg", "n", "e"}
		case "OKP":
			allowed = []string{"kty", "kid", "use", "alg", "crv", "x"}
		}
		for name := range one {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s key publishes %q", one["kty"], name)
			}
		}
	}
}

// T73: a token with the public key as HMAC secret, with alg none, with a foreign kid, or altered, is not ours.
func TestForgedTokens(t *testing.T) {
	k := open(t, memstore.New(memstore.Config{}))
	good, err := k.Sign(ES256, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	hs := b64([]byte(`{"alg":"HS256","typ":"JWT","kid":"`+activeID(k, RS256)+`"}`)) + "." + parts[1]
	m := hmac.New(sha256.New, k.JWKS())
	m.Write([]byte(hs))
	other := open(t, memstore.New(memstore.Config{}))
	foreign, err := other.Sign(ES256, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	typed, err := k.SignTyped("logout+jwt", ES256, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"hs256 with public key": hs + "." + b64(m.Sum(nil)),
		"none":                  b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"foreign key":           foreign,
		"payload changed":       parts[0] + "." + b64([]byte(`{"a":2}`)) + "." + parts[2],
		"alg of another key":    b64([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+activeID(k, ES256)+`"}`)) + "." + parts[1] + "." + parts[2],
		"no kid":                b64([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2],
		"another typ":           typed,
		"empty":                 "",
		"json serialisation":    `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		if _, err := k.Verify(token); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

// T87: the private key is not in the store, and another key-encryption key does not open it.
func TestSealedInStore(t *testing.T) {
	store := memstore.New(memstore.Config{})
	open(t, store)
	if _, err := Open(context.Background(), Config{Store: store, Sealer: sealer(t, 2)}); err == nil {
		t.Error("opened with another key-encryption key")
	}
	n := 0
	if err := store.View(context.Background(), func(tx storage.Tx) error {
		for r, err := range tx.Scan(KindKey, "") {
			if err != nil {
				return err
			}
			n++
			var s stored
			if err := json.Unmarshal(r.Body, &s); err != nil {
				return err
			}
			der, err := sealer(t, 1).Open(purpose(r.ID), s.Sealed)
			if err != nil {
				return err
			}
			if bytes.Contains(r.Body, der) || bytes.Contains(s.Sealed, der[len(der)-32:]) {
				t.Error("private key in the clear")
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != len(Algorithms()) {
		t.Errorf("%d keys in the store", n)
	}
}

func TestFirstStartRace(t *testing.T) {
	store := memstore.New(memstore.Config{})
	sets := make([][]byte, 4)
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() { sets[i] = open(t, store).JWKS() })
	}
	wg.Wait()
	for _, s := range sets[1:] {
		if !bytes.Equal(s, sets[0]) {
			t.Fatal("two processes started with different keys")
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := open(f, memstore.New(memstore.Config{}))
	for _, alg := range Algorithms() {
		token, err := k.Sign(alg, []byte(`{"a":1}`))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if payload, err := k.Verify(token); err == nil && string(payload) != `{"a":1}` {
			t.Fatalf("verified %q", payload)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k := open(b, memstore.New(memstore.Config{}))
	payload := bytes.Repeat([]byte("x"), 600)
	for _, alg := range Algorithms() {
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Sign(alg, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ES256/appended", func(b *testing.B) {
		token := make([]byte, 0, 2048)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.AppendToken(token, ES256, payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}
