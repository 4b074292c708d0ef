package config

import (
	"fmt"
	"path/filepath"
)

// Keys says where keys stand that are not in the store.
type Keys struct {
	PKCS11 *PKCS11 `yaml:"pkcs11"`
}

// PKCS11 is a hardware security module, or another token with a PKCS#11 module.
type PKCS11 struct {
	// Module is the absolute path of the library of its maker. Its code runs in the server.
	Module string `yaml:"module"`
	// Token is the label of the token.
	Token string `yaml:"token"`
	// PINFile holds the PIN of the token's user, in one line.
	PINFile string `yaml:"pin_file"`
	// Signing are the labels of the private keys that sign tokens. Both are required: a key in the store beside one in the
	// token would make a copy of the store as good as the token.
	Signing struct {
		ES256 string `yaml:"ES256"`
		RS256 string `yaml:"RS256"`
	} `yaml:"signing"`
}

// maxPIN is the length of a PIN in bytes; PKCS#11 sets none, and tokens take far less.
const maxPIN = 255

func (k *Keys) check() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	p := k.PKCS11
	if p == nil {
		fault("keys: pkcs11 is the only place for keys outside the store, and it is not there")
		return faults
	}
	if !filepath.IsAbs(p.Module) {
		fault("keys.pkcs11.module: %q is no absolute path", p.Module)
	}
	if p.Token == "" {
		fault("keys.pkcs11.token: the label of the token is required")
	}
	if p.PINFile == "" {
		fault("keys.pkcs11.pin_file is required")
	}
	for _, s := range []struct{ alg, label string }{{"ES256", p.Signing.ES256}, {"RS256", p.Signing.RS256}} {
		if s.label == "" {
			fault("keys.pkcs11.signing.%s: the label of the key is required (portals may ask for either algorithm)", s.alg)
		}
	}
	if p.Signing.ES256 != "" && p.Signing.ES256 == p.Signing.RS256 {
		fault("keys.pkcs11.signing: two algorithms have two keys with two labels")
	}
	return faults
}

// PIN reads the PIN of the token. The caller clears it.
func (c *Config) PIN() ([]byte, error) { return c.PINOf("keys.pkcs11.pin_file", c.Keys.PKCS11.PINFile) }
