// Package cert is certificates with ДСТУ keys: QC statements, subject identifiers, key usage, kinds, signature of one
// certificate by another.
package cert

import (
	"crypto/x509"
	"time"

	"brama/internal/qes/tbs"
)

// A Certificate is a certificate that was parsed strictly by package tbs and, where crypto/x509 takes it, by Go as well.
type Certificate struct {
	*tbs.Certificate
	X509    *x509.Certificate // nil where Go refuses it (some old test certificates); Warning says so
	Warning string
}

// Parse reads one certificate.
func Parse(der []byte) (*Certificate, error) { panic("unimplemented") }

// CheckSignatureFrom verifies c's signature by parent's key and nothing else (names, usage and path are the caller's).
func (c *Certificate) CheckSignatureFrom(parent *Certificate) error { panic("unimplemented") }

// VerifySignature verifies sig over message by c's key under the given signature algorithm (RFC 5280 form: BIT STRING
// content). It serves certificates, CRLs, OCSP responses and SignerInfos.

// A Kind is what a certificate is for.
type Kind int

// Kinds.
const (
	KindUnknown Kind = iota
	KindPerson
	KindEmployee
	KindEntrepreneur
	KindSeal
	KindEncryption
	KindService // CA, OCSP, TSP, CMP, TLS
)

// An Identifier is a typed value read from the subject.
type Identifier struct {
	Type    string // "RNOKPP", "EDRPOU", "UNZR", "PASSPORT", "TIN" (foreign)
	Country string // "UA" or ISO 3166
	Value   string
}

// A Subject is what the certificate says of a person.
type Subject struct {
	CommonName, FamilyName, GivenName, MiddleName string
	Organization, OrganizationalUnit, Title       string
	Email                                         string
	Identifiers                                   []Identifier
	BirthDate                                     time.Time // zero unless proven (УНЗР or dateOfBirth attribute)
}

// Subject reads every place where certificates keep identifiers. Two different values of one type are
// ErrIdentifiersDisagree.
func (c *Certificate) Subject() (Subject, error) { panic("unimplemented") }

// Kind tells what the certificate is for.
func (c *Certificate) Kind() Kind { panic("unimplemented") }
