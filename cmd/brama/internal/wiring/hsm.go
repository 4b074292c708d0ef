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
}

// An HSM is an open token of the server.
type HSM struct {
	// Signers sign ID tokens, by algorithm.
	Signers map[string]crypto.Signer
	// Ready tells why the keys cannot be used now, nil if they can.
	Ready func(context.Context) error
	// Close logs out.
	Close func() error
}
