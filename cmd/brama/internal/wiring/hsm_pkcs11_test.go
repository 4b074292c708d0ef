//go:build pkcs11 && cgo

package wiring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"brama/internal/tools/softhsm"
	"brama/provider/keys"
	"brama/storage/memstore"
	"brama/storage/seal"
)

const (
	hsmPIN = "48151623"
	issuer = "https://id.example.gov.ua"
)

// hsm is a token of SoftHSM 2 with an EC key, "key 01", an RSA key, "key 02", and an EC key of another curve, "key 03".
func hsm(t *testing.T) HSMConfig {
	t.Helper()
	store := softhsm.New(t)
	token := store.Add("brama", hsmPIN)
	var private []any
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private = append(private, k)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []any{private[0], r, private[1]} {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		token.AddKey(der, nil)
	}
	return HSMConfig{Module: softhsm.Module, Token: "brama", PIN: func() ([]byte, error) { return []byte(hsmPIN), nil },
		Signing: map[string]string{keys.ES256: "key 01", keys.RS256: "key 02"}}
}

// verifier knows the published keys and nothing else.
func verifier(t *testing.T, k *keys.Keys) *oidc.IDTokenVerifier {
	t.Helper()
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(k.JWKS(), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("set of %d keys, %v", len(set.Keys), err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(k.JWKS()) }))
	t.Cleanup(server.Close)
	return oidc.NewVerifier(issuer, oidc.NewRemoteKeySet(context.Background(), server.URL),
		&oidc.Config{ClientID: "portal", SupportedSigningAlgs: k.Algorithms(), SkipExpiryCheck: true})
}

// TestHSM: ID tokens signed in the token verify for a portal, many at once.
func TestHSM(t *testing.T) {
	c := hsm(t)
	h, err := OpenHSM(c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	sealer, err := seal.New(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	k, err := keys.Open(t.Context(), keys.Config{Store: memstore.New(memstore.Config{}), Sealer: sealer, External: h.Signers})
	if err != nil {
		t.Fatal(err)
	}
	portal := verifier(t, k)
	var wg sync.WaitGroup
	for range 8 {
		for _, alg := range k.Algorithms() {
			wg.Go(func() {
				token, err := k.Sign(alg, []byte(`{"iss":"`+issuer+`","aud":"portal","sub":"s","iat":1,"exp":2}`))
				if err != nil {
					t.Errorf("%s: %v", alg, err)
					return
				}
				if id, err := portal.Verify(context.Background(), token); err != nil || id.Subject != "s" {
					t.Errorf("%s: %v", alg, err)
				}
			})
		}
	}
	wg.Wait()
	if err := h.Ready(t.Context()); err != nil {
		t.Errorf("Ready = %v", err)
	}
	if s, err := h.Signers[keys.RS256].Sign(rand.Reader, make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256}); err == nil {
		t.Errorf("PSS gave %x", s)
	}
}

// TestHSMRefuses: what is wrong with the token is told at the start, in words that name the setting.
func TestHSMRefuses(t *testing.T) {
	good := hsm(t)
	for _, c := range []struct {
		name   string
		change func(*HSMConfig)
		want   []string
	}{
		{"no module", func(c *HSMConfig) { c.Module = "/nonexistent/module.so" }, []string{"keys.pkcs11", "/nonexistent/module.so", "cannot be loaded"}},
		{"no token", func(c *HSMConfig) { c.Token = "another" }, []string{"keys.pkcs11", `"another"`, `"brama"`}},
		{"no key", func(c *HSMConfig) { c.Signing = map[string]string{keys.ES256: "key 77"} }, []string{"signing.ES256", `"key 77"`}},
		{"another curve", func(c *HSMConfig) { c.Signing = map[string]string{keys.ES256: "key 03"} }, []string{"signing.ES256", `"key 03"`, "P-256"}},
		// The last: then the token wants a login by hand.
		{"wrong PIN", func(c *HSMConfig) { c.PIN = func() ([]byte, error) { return []byte("00000000"), nil } }, []string{"keys.pkcs11", "wrong PIN"}},
		{"right PIN after it", func(*HSMConfig) {}, []string{"wrong PIN was tried since the last login"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			h, err := OpenHSM(cfg)
			if err == nil {
				_ = h.Close()
				t.Fatal("opened")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v: nothing of %q", err, w)
				}
			}
			for _, pin := range []string{hsmPIN, "00000000"} {
				if strings.Contains(err.Error(), pin) {
					t.Errorf("the error tells the PIN: %v", err)
				}
			}
		})
	}
}
