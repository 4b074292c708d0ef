package qes

import (
	"context"
	"errors"
	"time"

	"brama/internal/qes/cert"
)

// ServiceType is a kind of trust service.
type ServiceType string

// Services that are looked for.
const (
	ServiceCAQC ServiceType = "CA/QC" // issues qualified certificates
	ServiceOCSP ServiceType = "OCSP"
	ServiceTSA  ServiceType = "TSA"
	ServiceRoot ServiceType = "ROOT"
)

// A Service is a trust service as of a moment.
type Service struct {
	Type        ServiceType
	Name        string // for people, from the list, never from the certificate
	Certificate *cert.Certificate
	// Anchor is the pinned root that Certificate was proven under (Certificate itself for a root).
	Anchor *cert.Certificate
	// OCSP, TSP, CMP are addresses from the provider table; "" if none.
	OCSP, TSP, CMP string
}

// ErrTrustListStale says that the list is past its next update.
var ErrTrustListStale = errors.New("trusted list is past its next update")

// ErrRevocationUnavailable says that no fresh signed evidence could be had.
var ErrRevocationUnavailable = errors.New("revocation status is unavailable")

// A TrustStore answers from the trusted list. Services returns the services of type t that could have issued child
// and were granted at time at: path to a pinned root verified, every step. It does no I/O; a list past its next update
// is ErrTrustListStale, not an empty answer. A store may also have KnowsIssuer(child) bool, which says whether child's
// issuer is in the list by name, genuine or not.
type TrustStore interface {
	Services(t ServiceType, child *cert.Certificate, at time.Time) ([]Service, error)
}

// A RevocationChecker finds the status of leaf at time at. The zero Revocation is Unknown. It never reports Good
// without fresh signed evidence; if none can be had the error wraps ErrRevocationUnavailable.
type RevocationChecker interface {
	Check(ctx context.Context, leaf *cert.Certificate, issuer Service, at time.Time) (Revocation, error)
}
