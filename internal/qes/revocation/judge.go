package revocation

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// Rules of freshness (threat T23).
const (
	// Skew is how far a responder's clock may run before ours.
	Skew = 2 * time.Minute
	// MaxAge is how old an OCSP answer may be that says no nextUpdate, as those of Ukrainian responders do not.
	MaxAge = 10 * time.Minute
	// MaxAgeStated bounds an answer with a nextUpdate that does not repeat our nonce, and a CRL: an old one says nothing of
	// today, whatever it says of itself.
	MaxAgeStated = 24 * time.Hour
)

// Causes for which evidence is not taken. All of them mean "not known", never "good" and never "revoked".
var (
	ErrCertID    = errors.New("revocation: the answer is about another certificate")
	ErrResponder = errors.New("revocation: not signed by the issuer or its responder")
	ErrNotFresh  = errors.New("revocation: evidence is not fresh")
	ErrNonce     = errors.New("revocation: nonce of the answer is not ours")
	ErrScope     = errors.New("revocation: CRL does not cover the certificate")
	ErrClock     = errors.New("revocation: our clock and the responders' are too far apart")
)

// Evidence judges embedded values for a qes.DocumentValidator; see [Judge] and [JudgeCRL].
type Evidence struct{}

var _ qes.Evidence = Evidence{}

// JudgeOCSP is [Judge].
func (Evidence) JudgeOCSP(basic []byte, leaf, issuer *cert.Certificate, candidates []*cert.Certificate, at time.Time) (qes.Revocation, error) {
	return Judge(basic, leaf, issuer, candidates, at)
}

// JudgeCRL is [JudgeCRL].
func (Evidence) JudgeCRL(list []byte, leaf, issuer *cert.Certificate, at time.Time) (qes.Revocation, error) {
	return JudgeCRL(list, leaf, issuer, at)
}

// Judge reads an embedded BasicOCSPResponse about leaf at time at, without asking anybody. candidates are certificates that
// may be the responder's, besides those inside; they need no trust. A response made after at, up to the end of leaf's
// validity, speaks for at too; one made before must have been fresh at at. The Status is what the response says: a
// certificate that was revoked later than the moment in question has RevokedAt to tell. Any error means that nothing is
// known; the zero Revocation is returned with it.
func Judge(basic []byte, leaf, issuer *cert.Certificate, candidates []*cert.Certificate, at time.Time) (qes.Revocation, error) {
	r, err := parseBasic(basic)
	if err != nil {
		return qes.Revocation{}, err
	}
	if len(r.single) != 1 {
		return qes.Revocation{}, fmt.Errorf("%w: %d answers", ErrCertID, len(r.single))
	}
	one := r.single[0]
	want, err := newCertID(leaf, issuer, one.id.hash) // the asker chose the digest, and it is gone
	if err != nil {
		return qes.Revocation{}, err
	}
	if err := r.verify(want, issuer, candidates); err != nil {
		return qes.Revocation{}, err
	}
	if one.thisUpdate.After(at) {
		if one.thisUpdate.After(leaf.NotAfter) { // a responder may forget what has expired
			return qes.Revocation{}, fmt.Errorf("%w: made after the certificate expired", ErrNotFresh)
		}
	} else if err := fresh(one, at, false); err != nil {
		return qes.Revocation{}, err
	}
	return r.revocation(), nil
}

// JudgeCRL reads an embedded full CRL about leaf at time at by the same rules; its own nextUpdate is the limit.
func JudgeCRL(list []byte, leaf, issuer *cert.Certificate, at time.Time) (qes.Revocation, error) {
	c, err := parseCRL(list)
	if err != nil {
		return qes.Revocation{}, err
	}
	if c.base != nil {
		return qes.Revocation{}, fmt.Errorf("%w: a delta without its base", ErrScope)
	}
	if err := c.verify(leaf, issuer); err != nil {
		return qes.Revocation{}, err
	}
	if err := c.index(); err != nil {
		return qes.Revocation{}, err
	}
	if c.thisUpdate.After(at) {
		if c.thisUpdate.After(leaf.NotAfter) {
			return qes.Revocation{}, fmt.Errorf("%w: made after the certificate expired", ErrNotFresh)
		}
	} else if c.nextUpdate.IsZero() || at.After(c.nextUpdate) {
		return qes.Revocation{}, fmt.Errorf("%w: CRL of %s", ErrNotFresh, c.thisUpdate.Format(time.RFC3339))
	}
	return c.revocation(leaf, nil), nil
}

// verify applies everything but time: one answer, about want, by an authorised responder.
func (o *response) verify(want certID, issuer *cert.Certificate, candidates []*cert.Certificate) error {
	if len(o.single) != 1 {
		return fmt.Errorf("%w: %d answers", ErrCertID, len(o.single))
	}
	if !o.single[0].id.equal(want) {
		return ErrCertID
	}
	return o.verifyResponder(issuer, candidates)
}

// maxTried bounds the signatures verified for one response.
const maxTried = 8

// verifyResponder finds who signed: the issuer's key itself, or a delegate that this very key certified for OCSPSigning
// (RFC 6960 4.2.2.2). A name leads to candidates only; where several bear it, the signature decides.
func (o *response) verifyResponder(issuer *cert.Certificate, candidates []*cert.Certificate) error {
	all := []*cert.Certificate{issuer}
	for _, der := range o.certificates {
		if c, err := cert.Parse(der); err == nil {
			all = append(all, c)
		}
	}
	all = append(all, candidates...)
	tried := 0
	for _, c := range all {
		if !o.namedAs(c) || !authorised(c, issuer, o.producedAt) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		if c.VerifySignature(o.algorithm, o.tbs, o.signature) == nil {
			return nil
		}
	}
	return ErrResponder
}

// namedAs reports whether the ResponderID means c: by name, or by a digest of its key, where the national digests are in
// use beside SHA-1 (4.2.1).
func (o *response) namedAs(c *cert.Certificate) bool {
	if o.byName != nil {
		return bytes.Equal(o.byName, c.RawSubject)
	}
	if k := c.PublicKey.DSTU; k != nil && (bytes.Equal(o.byKey, spki.KeyID(k)) || bytes.Equal(o.byKey, spki.KeyIDKupyna(k))) {
		return true
	}
	sum, sum256 := sha1.Sum(c.PublicKey.Key), sha256.Sum256(c.PublicKey.Key)
	return bytes.Equal(o.byKey, sum[:]) || bytes.Equal(o.byKey, sum256[:])
}

// authorised reports whether c may speak for issuer at the time when the response was made.
func authorised(c, issuer *cert.Certificate, producedAt time.Time) bool {
	if bytes.Equal(c.PublicKey.Raw, issuer.PublicKey.Raw) {
		return true
	}
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) &&
		!producedAt.Before(c.NotBefore) && !producedAt.After(c.NotAfter) &&
		c.HasExtKeyUsage(cert.EKUOCSPSigning) && len(c.Unresolved()) == 0 &&
		c.CheckSignatureFrom(issuer) == nil
}

// fresh applies the rules of time to an answer at now; ours says that it repeats our nonce, so that it was made for us.
func fresh(s single, now time.Time, ours bool) error {
	age := now.Sub(s.thisUpdate)
	switch {
	case age < -Skew:
		return fmt.Errorf("%w: thisUpdate lies %s ahead", ErrNotFresh, -age)
	case s.nextUpdate.IsZero():
		if age > MaxAge {
			return fmt.Errorf("%w: made %s ago", ErrNotFresh, age)
		}
	case now.After(s.nextUpdate.Add(Skew)):
		return fmt.Errorf("%w: past its nextUpdate", ErrNotFresh)
	case !ours && age > MaxAgeStated:
		return fmt.Errorf("%w: made %s ago", ErrNotFresh, age)
	}
	return nil
}

// revocation tells what a verified response says.
func (o *response) revocation() qes.Revocation {
	s := o.single[0]
	out := qes.Revocation{Reason: -1, ThisUpdate: s.thisUpdate, Source: "ocsp", Evidence: o.raw}
	switch s.status {
	case statusGood:
		out.Status = qes.StatusGood
	case statusRevoked:
		out.Status, out.RevokedAt, out.Reason = qes.StatusRevoked, s.revokedAt, s.reason
		if s.reason == reasonHold {
			out.Status = qes.StatusSuspended
		}
	}
	return out
}

// verify applies everything but time: the list is the issuer's own, signed by it, and its scope has leaf in it.
func (c *crl) verify(leaf, issuer *cert.Certificate) error {
	if err := c.concerns(leaf, issuer); err != nil {
		return err
	}
	if issuer.VerifySignature(c.algorithm, c.tbs, c.signature) != nil {
		return ErrResponder
	}
	return nil
}

// concerns is verify without the signature.
func (c *crl) concerns(leaf, issuer *cert.Certificate) error {
	if !bytes.Equal(c.issuer, issuer.RawSubject) || !bytes.Equal(leaf.RawIssuer, issuer.RawSubject) {
		return ErrScope
	}
	if usage, ok := issuer.KeyUsage(); !ok || usage&tbs.CRLSign == 0 {
		return ErrResponder
	}
	if !c.covers(leaf.CRLAddresses()) {
		return ErrScope
	}
	return nil
}

// evidence is both lists, one behind the other, made once for all whom they tell of.
func (c *crl) evidence(full *crl) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.with != full {
		c.with, c.together = full, slices.Concat(full.raw, c.raw)
	}
	return c.together
}

// revocation tells what a verified full list, with its verified delta if there is one, says of leaf.
func (c *crl) revocation(leaf *cert.Certificate, delta *crl) qes.Revocation {
	out := qes.Revocation{Status: qes.StatusGood, Reason: -1, ThisUpdate: c.thisUpdate, Source: "crl", Evidence: c.raw}
	if c.entries == nil || delta != nil && delta.entries == nil {
		return qes.Revocation{Reason: -1} // a mistake here, and StatusUnknown
	}
	e := c.entries.find(leaf.Serial)
	if delta != nil {
		out.ThisUpdate, out.Evidence = delta.thisUpdate, delta.evidence(c)
		if d := delta.entries.find(leaf.Serial); d != nil {
			e = d
		}
	}
	switch {
	case e == nil:
	case e.revoked:
		out.Status, out.RevokedAt, out.Reason = qes.StatusRevoked, e.since, e.last
	case e.last == reasonRemove && delta != nil: // a hold that ended since the base (RFC 5280 5.3.1)
	default:
		out.Status, out.RevokedAt, out.Reason = qes.StatusSuspended, e.since, reasonHold
	}
	return out
}
