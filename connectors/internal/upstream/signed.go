package upstream

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/connectors"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
)

// Documents validates signed documents. *qes.DocumentValidator implements it. (Answers are signed with a seal, for which the
// validator of logins has no use.)
type Documents interface {
	Validate(ctx context.Context, d qes.Document) *qes.DocumentReport
}

// A Signed is content with the certificate of who signed it. That certificate has passed: path, validity, status, now.
type Signed struct {
	Content    []byte
	Message    []byte // the SignedData, DER
	Signer     *cert.Certificate
	Revocation []byte // evidence of the status
}

// maxSignedAge bounds how far before the check a time-stamp may put the signature: an answer is made for the question.
const maxSignedAge = 15 * time.Minute

// signedLimits bound the signature within an answer.
var signedLimits = cms.Limits{Size: 4 << 20, Signers: 1, Certificates: 8}

// Codes of the validator that say that the answer cannot be had now.
var indeterminate = []qes.Code{qes.CertStatusUnreachable, qes.TrustListStale}

// Verify validates message, one attached SignedData by one signer. candidates may be certificates of the signer. Every error
// is a refusal; whose the signature may be is the caller's to say.
func (c *Client) Verify(ctx context.Context, v Documents, message []byte, candidates []*cert.Certificate) (*Signed, error) {
	sd, err := cms.Parse(message, signedLimits)
	if err != nil {
		return nil, c.Invalid(err)
	}
	if len(sd.Signers) != 1 || sd.Detached || sd.ContentType != cms.OIDData {
		return nil, c.Invalid(errors.New("the signature in the answer is not one over its content"))
	}
	report := v.Validate(ctx, qes.Document{Signature: message, Candidates: candidates})
	if report == nil || len(report.Signatures) != 1 {
		return nil, c.Invalid(errors.New("the signature in the answer was not judged"))
	}
	s := report.Signatures[0]
	if report.Indication != qes.Passed || s.Indication != qes.Passed || s.Value != qes.ValueValid || s.Signer == nil {
		if slices.Contains(indeterminate, report.Code) {
			return nil, connectors.Retry(string(report.Code), errors.New("the signer of the answer"), "issuer", issuerOf(s.Certificate))
		}
		return nil, c.Invalid(fmt.Errorf("the signature in the answer: %w (%s)", report.Code, report.SubIndication))
	}
	if age := s.CheckedAt.Sub(s.BestTime); age > maxSignedAge || age < -maxSignedAge || s.CheckedAt.After(s.Signer.NotAfter) {
		return nil, c.Invalid(errors.New("the signature in the answer is not of now"))
	}
	return &Signed{Content: sd.Content, Message: message, Signer: s.Signer, Revocation: s.Revocation.Evidence}, nil
}

func issuerOf(c *cert.Certificate) string {
	if c == nil {
		return ""
	}
	return c.IssuerName()
}

// A Fingerprint is SHA-256 of a certificate in DER.
type Fingerprint = [sha256.Size]byte

// By reports whether s may speak for an organisation: signed with one of the pinned certificates, or, if none is pinned,
// with a seal of the organisation with the code edrpou. A certificate of a person who works there is not enough: it signs
// what that person wants (threat T48).
func (s *Signed) By(edrpou string, pins []Fingerprint) bool {
	if len(pins) > 0 {
		return slices.Contains(pins, s.Signer.Fingerprint())
	}
	if edrpou == "" || s.Signer.Kind() != cert.KindSeal || !s.Signer.Qualified() {
		return false
	}
	subject, err := s.Signer.Subject()
	return err == nil && subject.Identifier(cert.EDRPOU) == edrpou
}
