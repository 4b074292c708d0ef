//go:build pkcs11 && cgo

package wiring

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/pkcs11"
	"brama/internal/qes/cms"
)

// HSMBuilt returns nil: the program has PKCS#11.
func HSMBuilt() error { return nil }

// OpenHSM loads the module, logs in to the token, once, and finds the keys.
func OpenHSM(c HSMConfig) (*HSM, error) {
	pool, err := pkcs11.OpenPool(pkcs11.PoolConfig{Module: c.Module, Token: c.Token, PIN: c.PIN})
	if err != nil {
		return nil, fmt.Errorf("keys.pkcs11: module %s: %w", c.Module, err)
	}
	h := &HSM{Signers: map[string]crypto.Signer{}, NextSigners: map[string]crypto.Signer{}, open: []openToken{{c.Module, c.Token, pool}}}
	for _, group := range []struct {
		setting string
		labels  map[string]string
		signers map[string]crypto.Signer
	}{{"signing", c.Signing, h.Signers}, {"next", c.Next, h.NextSigners}} {
		for alg, label := range group.labels {
			key, err := pool.Key(label)
			if err == nil {
				group.signers[alg], err = key.Signer()
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("keys.pkcs11.%s.%s: token %q: %w", group.setting, alg, c.Token, err), pool.Close())
			}
		}
	}
	return h, nil
}

// agreementSessions is how many envelopes a token opens at once: an answer is opened in milliseconds, and some tokens have
// one session only.
const agreementSessions = 1

// Agreement finds a key for key agreement in a token, which is opened unless it is open already.
func (h *HSM) Agreement(k AgreementKey) (cms.EnvelopeKey, error) {
	pool, err := h.token(k)
	if err != nil {
		return nil, err
	}
	key, err := pool.AgreementKey(k.Label)
	if err != nil {
		return nil, fmt.Errorf("token %q: %w", k.Token, err)
	}
	// A token need not show the public half; the certificate names it then, and a wrong key opens nothing.
	if point := key.Point(); point != nil && !bytes.Equal(point, der.EncodeOctetString(k.Public.Bytes())) && !bytes.Equal(point, k.Public.Bytes()) {
		return nil, fmt.Errorf("token %q: key %q is not the key of the certificate", k.Token, k.Label)
	}
	return &inToken{key: key, public: k.Public}, nil
}

func (h *HSM) token(k AgreementKey) (*pkcs11.Pool, error) {
	for _, t := range h.open {
		switch {
		case t.module == k.Module && t.token == k.Token:
			pool, ok := t.sessions.(*pkcs11.Pool)
			if !ok {
				return nil, errors.New("wiring: internal error: token of another library")
			}
			return pool, nil
		case t.module == k.Module:
			return nil, fmt.Errorf("the module is open for the token %q already: a program uses one token of a module", t.token)
		}
	}
	pool, err := pkcs11.OpenPool(pkcs11.PoolConfig{Module: k.Module, Token: k.Token, PIN: k.PIN, Sessions: agreementSessions})
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", k.Module, err)
	}
	h.open = append(h.open, openToken{k.Module, k.Token, pool})
	return pool, nil
}

// An inToken is a key for key agreement that never leaves its token.
type inToken struct {
	key    *pkcs11.PoolKey
	public *dstu4145.PublicKey
}

var _ cms.KeyUnwrapper = (*inToken)(nil)

// Public implements cms.EnvelopeKey.
func (k *inToken) Public() crypto.PublicKey { return k.public }

// errAlgorithm is a message by algorithms for which tokens have no known mechanism.
var errAlgorithm = errors.New("wiring: tokens open envelopes with ГОСТ 34.311, the key wrap of ГОСТ 28147 and ДКЕ № 1 only")

// UnwrapKey implements cms.KeyUnwrapper.
func (k *inToken) UnwrapKey(w cms.WrappedKey) ([]byte, error) {
	cofactor := w.Agreement == cms.OIDCofactorDHWithGOST34311
	if !cofactor && w.Agreement != cms.OIDDHWithGOST34311 || w.Wrap.OID != cms.OIDGOST28147Wrap ||
		w.SBox != nil && !bytes.Equal(w.SBox, gost28147.DKE1().Bytes()) {
		return nil, errAlgorithm
	}
	return k.key.Unwrap(pkcs11.Wrapped{Cofactor: cofactor, Point: w.Peer.Bytes(), UKM: w.UKM, Key: w.Key})
}
