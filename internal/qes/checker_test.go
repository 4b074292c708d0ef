package qes_test

import (
	"context"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// always is a checker with one answer.
type always qes.RevocationStatus

func (a always) Check(_ context.Context, _ *cert.Certificate, _ qes.Service, at time.Time) (qes.Revocation, error) {
	return qes.Revocation{Status: qes.RevocationStatus(a), ThisUpdate: at}, nil
}
