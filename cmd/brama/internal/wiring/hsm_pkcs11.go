//go:build pkcs11 && cgo

package wiring

import (
	"crypto"
	"errors"
	"fmt"

	"brama/internal/pkcs11"
)

// HSMBuilt returns nil: the program has PKCS#11.
func HSMBuilt() error { return nil }

// OpenHSM loads the module, logs in to the token, once, and finds the keys.
func OpenHSM(c HSMConfig) (*HSM, error) {
	pool, err := pkcs11.OpenPool(pkcs11.PoolConfig{Module: c.Module, Token: c.Token, PIN: c.PIN})
	if err != nil {
		return nil, fmt.Errorf("keys.pkcs11: module %s: %w", c.Module, err)
	}
	h := &HSM{Signers: map[string]crypto.Signer{}, Ready: pool.Check, Close: pool.Close}
	for alg, label := range c.Signing {
		key, err := pool.Key(label)
		if err == nil {
			h.Signers[alg], err = key.Signer()
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("keys.pkcs11.signing.%s: token %q: %w", alg, c.Token, err), pool.Close())
		}
	}
	return h, nil
}
