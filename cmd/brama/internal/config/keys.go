package config

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// Keys says how the keys that sign tokens live, and where those stand that are not in the store.
type Keys struct {
	PKCS11 *PKCS11 `yaml:"pkcs11"`
	// RotateEvery is how long a key of the store signs; 90 days if zero. Keys in a token are replaced by hand (pkcs11.next).
	RotateEvery Duration `yaml:"rotate_every"`
	// Algorithms are those of which there is a key in the store: some of ES256, RS256, PS256 and EdDSA, all if absent.
	Algorithms []string `yaml:"algorithms"`
	// Revoked are the ids (kid) of keys that are known to somebody else: they are deleted, and what they signed is not
	// believed.
	Revoked []string `yaml:"revoked"`
}

// HSM is the token with the keys that sign, nil if they are in the store.
func (c *Config) HSM() *PKCS11 {
	if c.Keys == nil {
		return nil
	}
	return c.Keys.PKCS11
}

// Labels are those of two keys in a token, by algorithm.
type Labels struct {
	ES256 string `yaml:"ES256"`
	RS256 string `yaml:"RS256"`
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
	Signing Labels `yaml:"signing"`
	// Next are keys that will take the place of those, published a day or more before; may be empty. A key that is in neither
	// any more stays published for 30 days.
	Next Labels `yaml:"next"`
}

// minRotation is the least time for which a key signs.
const minRotation = 48 * time.Hour

// maxPIN is the length of a PIN in bytes; PKCS#11 sets none, and tokens take far less.
const maxPIN = 255

func (k *Keys) check() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, id := range k.Revoked {
		if b, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(b) != sha256.Size {
			fault("keys.revoked: %q is no id of a key (the kid in its tokens)", id)
		}
	}
	if k.RotateEvery != 0 && time.Duration(k.RotateEvery) < minRotation {
		fault("keys.rotate_every: %s is less than %s; a new key is published a day before it signs", time.Duration(k.RotateEvery), minRotation)
	}
	if k.Algorithms != nil && !slices.Contains(k.Algorithms, "ES256") {
		fault("keys.algorithms: ES256 is not there, which tokens are signed with unless a client asks for another")
	}
	for _, alg := range k.Algorithms {
		if !slices.Contains([]string{"ES256", "RS256", "PS256", "EdDSA"}, alg) {
			fault("keys.algorithms: %q is none of ES256, RS256, PS256 and EdDSA", alg)
		}
	}
	p := k.PKCS11
	if p == nil {
		if k.RotateEvery == 0 && len(k.Revoked) == 0 && k.Algorithms == nil {
			fault("keys: neither pkcs11, rotate_every, algorithms nor revoked is there")
		}
		return faults
	}
	if k.Algorithms != nil {
		fault("keys.algorithms: a token has the algorithms of its keys (keys.pkcs11.signing)")
	}
	if k.RotateEvery != 0 {
		fault("keys.rotate_every: keys in a token are replaced by hand (keys.pkcs11.next)")
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
	seen := map[string]bool{}
	for _, label := range []string{p.Signing.ES256, p.Signing.RS256, p.Next.ES256, p.Next.RS256} {
		if label != "" && seen[label] {
			fault("keys.pkcs11: %q stands twice; two keys have two labels", label)
		}
		seen[label] = true
	}
	return faults
}

// PIN reads the PIN of the token. The caller clears it.
func (c *Config) PIN() ([]byte, error) { return c.PINOf("keys.pkcs11.pin_file", c.Keys.PKCS11.PINFile) }
