package wiring

import (
	"context"
	"crypto"
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

// An HSM holds the open tokens of the server. Each is opened once, whatever its keys are for.
type HSM struct {
	// Signers sign ID tokens, by algorithm.
	Signers map[string]crypto.Signer
	// NextSigners will take their place, by algorithm.
	NextSigners map[string]crypto.Signer
	// Ready tells why the keys cannot be used now, nil if they can.
	Ready func(context.Context) error
	// Close logs out.
	Close func() error

	open []openToken
}

// NoHSM returns an HSM of a server without keys in tokens, of which nothing is asked; Agreement may open one.
func NoHSM() *HSM {
	return &HSM{Ready: func(context.Context) error { return nil }, Close: func() error { return nil }}
}
