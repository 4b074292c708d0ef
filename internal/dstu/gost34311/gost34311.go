// Package gost34311 is the hash of ГОСТ 34.311-95 (ДКЕ № 1, zero start vector), HMAC and the derivations over it.
package gost34311

import "hash"

const (
	Size      = 32
	BlockSize = 32
)

// New returns the hash.
func New() hash.Hash { panic("unimplemented") }

// Sum returns the digest of data.
func Sum(data []byte) [Size]byte { panic("unimplemented") }

// NewHMAC returns HMAC (RFC 2104) over this hash.
func NewHMAC(key []byte) hash.Hash { panic("unimplemented") }

// PBKDF2 derives size bytes (RFC 8018) with HMAC over this hash.
func PBKDF2(password, salt []byte, iterations, size int) []byte { panic("unimplemented") }

// ContainerKey is the derivation of Key-6.dat: the hash applied to password, then to its own output, rounds times in all.
func ContainerKey(password []byte, rounds int) [Size]byte { panic("unimplemented") }
