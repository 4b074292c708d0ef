// Package tbs reads the fields of an X.509 certificate by internal/der: strictly, without interpreting extensions, and
// light enough for the browser program. Package cert builds on it.
package tbs

import (
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// A Certificate holds the fields of RFC 5280 4.1. All byte slices alias Raw.
type Certificate struct {
	Raw, RawTBS           []byte
	Version               int
	Serial                []byte // content octets of the INTEGER as they stand (may be negative as DER)
	SignatureAlgorithm    spki.Algorithm
	Signature             []byte // content octets of the BIT STRING
	RawIssuer, RawSubject []byte // Name, whole element
	NotBefore, NotAfter   time.Time
	PublicKey             *spki.Info
	Extensions            []Extension
}

// An Extension of RFC 5280 4.2.
type Extension struct {
	OID      der.OID
	Critical bool
	Value    []byte
}

// Parse reads exactly one certificate.
func Parse(b []byte) (*Certificate, error) { panic("unimplemented") }

// Extension returns the extension with the given OID, or nil.
func (c *Certificate) Extension(oid der.OID) *Extension { panic("unimplemented") }

// KeyUsage bits (RFC 5280 4.2.1.3), bit 0 = digitalSignature; ok is false if the extension is absent or unreadable.
func (c *Certificate) KeyUsage() (bits uint16, ok bool) { panic("unimplemented") }

// Attribute returns the first value of the attribute in the subject (or issuer) Name, decoded to UTF-8.
func (c *Certificate) SubjectAttribute(oid der.OID) string { panic("unimplemented") }
func (c *Certificate) IssuerAttribute(oid der.OID) string  { panic("unimplemented") }
