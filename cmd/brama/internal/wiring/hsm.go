package wiring

import (
	"context"
	"crypto"
	"errors"
	"fmt"
)

// HSMConfig names a token of the server and the keys in it.
type HSMConfig struct {
	Module string // absolute path of its PKCS#11 module
	Token  string // label
	// PIN is called before each login.
	PIN func() ([]byte, error)
	// Signing are the labels of the keys, by algorithm.
	Signing map[string]string
	// Next are the labels of their successors, by algorithm; may be nil.
	Next map[string]string
}

// An HSM holds the open tokens of the server. Each is opened once, whatever its keys are for. The zero value has none;
// Agreement may open one.
type HSM struct {
	// Signers sign ID tokens, by algorithm.
	Signers map[string]crypto.Signer
	// NextSigners will take their place, by algorithm.
	NextSigners map[string]crypto.Signer

	open []openToken
}

// An openToken is a token with the sessions that all its keys share.
type openToken struct {
	module, token string
	sessions      sessions
}

// sessions are those of one token; see pkcs11.Pool.
type sessions interface {
	Check(context.Context) error
	Close() error
}

// named says of which token an error is.
func (t *openToken) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("module %s: token %q: %w", t.module, t.token, err)
}

// Ready tells why the keys cannot be used now, nil if they can.
func (h *HSM) Ready(ctx context.Context) error {
	var errs []error
	for _, t := range h.open {
		errs = append(errs, t.named(t.sessions.Check(ctx)))
	}
	return errors.Join(errs...)
}

// Close logs out of every token.
func (h *HSM) Close() error {
	var errs []error
	for _, t := range h.open {
		errs = append(errs, t.named(t.sessions.Close()))
	}
	return errors.Join(errs...)
}
