//go:build !js

package dstu4145

import "crypto/sha256"

func sum256(m []byte) [32]byte { return sha256.Sum256(m) }
