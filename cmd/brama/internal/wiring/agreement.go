package wiring

import "brama/internal/dstu/dstu4145"

// An AgreementKey names a key for key agreement in a token.
type AgreementKey struct {
	Module string // absolute path of its PKCS#11 module
	Token  string // label
	Label  string // of the private key
	// Public is the key of the certificate, which the token's must be.
	Public *dstu4145.PublicKey
	// PIN is called before each login.
	PIN func() ([]byte, error)
}
