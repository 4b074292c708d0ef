package mobileid

import (
	"context"
	"errors"
	"fmt"

	"brama/connectors"
	"brama/internal/fetch"
)

// Status codes (ETSI TS 102 204, 8.4; the list is that of services in use).
const (
	statusAccepted    = 100
	statusSignature   = 500 // a signature; some services say it while there is none yet
	statusRevoked     = 501
	statusValid       = 502
	statusInvalid     = 503
	statusOutstanding = 504
)

// A statusError is an answer that ends the request without a signature.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("mobileid: status %d", e.code) }

// A faultError is a SOAP fault; code is 0 if it names none that is known. Its text is the service's and goes nowhere.
type faultError struct{ code int }

func (e *faultError) Error() string { return fmt.Sprintf("mobileid: fault %d", e.code) }

// pending says that there is nothing yet, or why there will be nothing.
func (a *answer) pending() error {
	switch a.status {
	case statusAccepted, statusOutstanding, statusSignature:
		return nil
	}
	return &statusError{a.status}
}

// faults are the codes of faults (TS 102 204 and the services in use). What is not here is our configuration or the
// service's trouble: 101–104 and 106–109 parameters, access and profile, 405, 406, 900.
var faults = map[int]string{
	105: "REMOTE_NO_ACCOUNT",  // unknown client
	208: "REMOTE_EXPIRED",     // transaction is over
	209: "REMOTE_UNREACHABLE", // the telephone is off or without network
	401: "REMOTE_REFUSED",     // the person cancelled
	402: "PIN_LOCKED",         // PIN blocked
	403: "PIN_LOCKED",         // card blocked
	404: "REMOTE_NO_ACCOUNT",  // no key on the card
	422: "REMOTE_NO_ACCOUNT",  // no certificate
}

// answered maps what a service says, and does not say, to a code.
func (o *Operator) answered(err error) error {
	var fault *faultError
	var status *statusError
	switch {
	case errors.Is(err, context.Canceled):
		return connectors.Retry("INTERNAL", err) // our side went away
	case errors.As(err, &fault) && faults[fault.code] != "":
		return o.refuse(faults[fault.code], err)
	case errors.As(err, &status) && status.code == statusRevoked:
		return o.refuse("CERT_REVOKED", err)
	case errors.As(err, &status) && status.code == statusInvalid:
		return o.refuse("SIG_INVALID", err)
	}
	if fault != nil || status != nil {
		err = fmt.Errorf("%w: %w", connectors.ErrOver, err) // it has answered: asked again it says the same
	}
	r := o.refuse("REMOTE_DOWN", err)
	if errors.Is(err, fetch.ErrPaused) {
		r.Values["n"] = "30"
	}
	return r
}
