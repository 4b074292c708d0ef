package qes

import (
	"time"

	"brama/internal/qes/cert"
)

// An Indication is the main result of a validation (ETSI EN 319 102-1, 5.1.3). The zero value is Indeterminate: what was
// not proven is not passed.
type Indication int

// The three outcomes.
const (
	Indeterminate Indication = iota
	Passed
	Failed
)

// String returns TOTAL-PASSED, TOTAL-FAILED or INDETERMINATE.
func (i Indication) String() string {
	switch i {
	case Passed:
		return "TOTAL-PASSED"
	case Failed:
		return "TOTAL-FAILED"
	default:
		return "INDETERMINATE"
	}
}

// A Result is the outcome of validating one signature over known content.
type Result struct {
	Indication    Indication
	SubIndication SubIndication // "" if passed
	Code          Code          // "" if passed; the same code as in the error
	// Signer is the certificate whose key made the signature; nil unless the signature value verified.
	Signer *cert.Certificate
	// Issuer is the granted service's certificate that issued Signer; nil unless there is a path to it.
	Issuer *cert.Certificate
	// Anchor is the pinned root at the end of the path.
	Anchor *cert.Certificate
	// UnverifiedSigningTime is the signer's claim; zero if absent. It decides nothing.
	UnverifiedSigningTime time.Time
	SignatureAlgorithm    string // e.g. "DSTU4145-GOST34311", "ECDSA-SHA256"
	Purpose               string // value of the signed attribute purpose; "" if absent
	CheckedAt             time.Time
	Revocation            Revocation
	Warnings              []string
}

// RevocationStatus is what is known of a certificate. The zero value is Unknown.
type RevocationStatus int

// The four states.
const (
	StatusUnknown RevocationStatus = iota
	StatusGood
	StatusRevoked
	StatusSuspended // certificateHold
)

// A Revocation is signed evidence of a certificate's status. The zero Revocation is Unknown.
type Revocation struct {
	Status     RevocationStatus
	RevokedAt  time.Time // zero unless revoked or suspended
	Reason     int       // CRLReason, −1 if not given
	ThisUpdate time.Time
	Source     string // "ocsp" or "crl"
	Evidence   []byte // the BasicOCSPResponse or CRL, DER
}
