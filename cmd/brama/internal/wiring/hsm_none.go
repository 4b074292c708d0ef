//go:build !pkcs11 || !cgo

package wiring

import (
	"errors"

	"brama/internal/qes/cms"
)

// ErrNoHSM is the refusal of a program without PKCS#11.
var ErrNoHSM = errors.New("this brama is built without PKCS#11: build it with `CGO_ENABLED=1 go build -tags pkcs11 ./cmd/brama`, or take pkcs11 out of the configuration")

// HSMBuilt returns ErrNoHSM: the program has no PKCS#11.
func HSMBuilt() error { return ErrNoHSM }

// Agreement returns ErrNoHSM.
func (h *HSM) Agreement(AgreementKey) (cms.EnvelopeKey, error) { return nil, ErrNoHSM }

// OpenHSM returns ErrNoHSM.
func OpenHSM(HSMConfig) (*HSM, error) { return nil, ErrNoHSM }
