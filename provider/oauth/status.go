package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"brama/storage"
)

// A StatusFunc asks whether a certificate (DER), which has signed a person in, is good now. nil is yes; a *StatusError with
// Ended is no; any other error means that it cannot be known now.
type StatusFunc func(ctx context.Context, certificate []byte) error

// A StatusError says that a certificate is not good, or not known to be.
type StatusError struct {
	Code  string // message code
	Ended bool   // it is not good; else nobody could tell
	Err   error
}

// Error returns the code and the cause.
func (e *StatusError) Error() string {
	if e.Err == nil {
		return e.Code
	}
	return e.Code + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Err }

const (
	// statusLife is how long a grant may live on one answer about the certificate that it was given by (threat T80).
	statusLife = 12 * time.Hour
	// statusWait bounds one question.
	statusWait = 10 * time.Second

	codeExpiredCertificate = "CERT_EXPIRED"
	codeUnknownStatus      = "CERT_STATUS_UNKNOWN"
	codeStatusUnreachable  = "CERT_STATUS_UNREACHABLE"
)

// A grantStatus is what a grant with refresh tokens keeps of the certificate that it was given by.
type grantStatus struct {
	ID       string // of storage.Certificate
	Checked  time.Time
	NotAfter time.Time
}

// statusOf returns what a grant of this login keeps for later questions, nil where there will be none.
func statusOf(c *Client, s *Subject) *grantStatus {
	held := &s.Identity.Certificate
	if held.ID == "" || !c.Allows(GrantRefreshToken) {
		return nil
	}
	return &grantStatus{ID: held.ID, Checked: held.CheckedAt, NotAfter: held.NotAfter}
}

// checkCertificate asks again, when the last answer is older than statusLife, whether the certificate of a login is good, before a
// refresh gives anything. If it has ended, so has the grant; if nobody can tell, the refresh token stays as it is, and the client
// comes again. asked says that the answer was good and new: the caller notes it in the transaction of the refresh.
func (p *Provider) checkCertificate(ctx context.Context, client *Client, h *held) (asked bool, err error) {
	g, s, kept := &h.grant, h.claims.Status, h.certificate
	if s == nil {
		return false, nil
	}
	now := p.cfg.Now()
	if !now.Before(s.NotAfter) {
		return false, p.endByCertificate(ctx, client, g, codeExpiredCertificate)
	}
	if p.cfg.CertificateStatus == nil {
		return false, nil
	}
	fresh := now.Before(s.Checked.Add(statusLife))
	switch {
	case kept == nil && fresh:
		return false, nil
	case kept == nil:
		return false, badGrant(codeUnknownStatus)
	case kept.Ended != "":
		return false, p.endByCertificate(ctx, client, g, kept.Ended)
	case fresh, now.Before(kept.Checked.Add(statusLife)):
		return false, nil
	}
	raw, err := p.cfg.Sealer.Open("certificate:"+s.ID, kept.Sealed)
	if err != nil {
		return false, err
	}
	question, cancel := context.WithTimeout(ctx, statusWait)
	defer cancel()
	err = p.cfg.CertificateStatus(question, raw)
	if err == nil {
		return true, nil
	}
	var e *StatusError
	if !errors.As(err, &e) {
		e = &StatusError{Code: codeStatusUnreachable, Err: err}
	}
	if !e.Ended {
		return false, &Error{Code: "temporarily_unavailable", Description: e.Code, Status: http.StatusServiceUnavailable, Err: err}
	}
	err = p.cfg.Store.Update(context.WithoutCancel(ctx), func(tx storage.Tx) error {
		return storage.CheckedCertificate(tx, s.ID, e.Code, now)
	})
	if err != nil {
		return false, err
	}
	return false, p.endByCertificate(ctx, client, g, e.Code)
}

// endByCertificate kills a grant whose certificate is good no more, and returns what the client is told.
func (p *Provider) endByCertificate(ctx context.Context, client *Client, g *storage.Grant, code string) error {
	if err := p.revoke(ctx, g, client, code); err != nil {
		return err
	}
	return badGrant(code)
}
