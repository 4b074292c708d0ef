package login

import (
	"context"
	"errors"
	"path/filepath"

	"brama/cmd/brama-agent/internal/module"
	"brama/cmd/brama-agent/internal/window"
	"brama/internal/pkcs11"
)

// A Code is one stable cause that the page has a text for.
type Code string

// Codes of a login that gave no signature.
const (
	Cancelled        Code = "AGENT_CANCELLED" // the person said no
	NoWindow         Code = "AGENT_NO_WINDOW" // the person could not be asked
	TokenAbsent      Code = "TOKEN_ABSENT"
	TokenRemoved     Code = "TOKEN_REMOVED"
	TokenUnsupported Code = "TOKEN_UNSUPPORTED"
	TokenFault       Code = "TOKEN_FAULT" // a module crashed, hung or talked nonsense; value "module"
	PINWrong         Code = "PIN_WRONG"   // value "attempts": "low", "last" or absent
	PINLocked        Code = "PIN_LOCKED"
	PINExpired       Code = "PIN_EXPIRED"
	CertNotFound     Code = "KEY_CERT_NOT_FOUND"
	CertSeal         Code = "CERT_SEAL"
	CertUsage        Code = "CERT_USAGE"
	Internal         Code = "INTERNAL"
)

// A Refusal is the error of a login: what the page is told, and the cause for the log. The cause holds no PIN and names no
// person.
type Refusal struct {
	Code   Code
	Values map[string]string
	Err    error
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return string(r.Code)
	}
	return string(r.Code) + ": " + r.Err.Error()
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(code Code, err error) *Refusal { return &Refusal{Code: code, Err: err} }

// refusalOf gives an error of a window or a module its code.
func refusalOf(err error, path string) *Refusal {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, window.ErrCancelled), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refuse(Cancelled, err)
	case errors.Is(err, window.ErrUnavailable):
		return refuse(NoWindow, err)
	case errors.Is(err, pkcs11.ErrRemoved):
		return refuse(TokenRemoved, err)
	case errors.Is(err, pkcs11.ErrUnsupported):
		return refuse(TokenUnsupported, err)
	case errors.Is(err, pkcs11.ErrPINWrong):
		return refuse(PINWrong, err)
	case errors.Is(err, pkcs11.ErrPINLocked):
		return refuse(PINLocked, err)
	case errors.Is(err, pkcs11.ErrPINExpired):
		return refuse(PINExpired, err)
	case errors.Is(err, pkcs11.ErrCancelled):
		return refuse(Cancelled, err)
	case errors.Is(err, pkcs11.ErrFault), errors.Is(err, pkcs11.ErrAuthentication), errors.Is(err, pkcs11.ErrNoModule),
		errors.Is(err, pkcs11.ErrNotBuilt), isChildFault(err):
		return &Refusal{Code: TokenFault, Values: map[string]string{"module": filepath.Base(path)}, Err: err}
	default:
		return refuse(Internal, err)
	}
}

// isChildFault tells whether the child process is gone.
func isChildFault(err error) bool {
	return errors.Is(err, module.ErrCrashed) || errors.Is(err, module.ErrHung) || errors.Is(err, module.ErrGarbage)
}
