package qes

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
)

// timeStamps verifies the tokens in and beside the signature. A signature time-stamp whose authority is trusted proves that
// the signature existed at its time; one that is not about this signature lowers the level.
func (j *judgement) timeStamps() {
	s, r := j.signer, &j.report
	if s.attributes != nil {
		if content, ok := j.content(); ok {
			for _, token := range s.attributes.ContentTimeStamps {
				if _, err := j.timeStamp(token, content); err != nil {
					j.warn("content time-stamp: " + err.Error())
				}
			}
		}
	}
	for _, token := range j.unsigned.SignatureTimeStamps {
		at, err := j.timeStamp(token, s.info.Signature)
		if errors.Is(err, errNotOurs) {
			r.Level = cms.LevelBES
		}
		if err != nil {
			j.warn("signature time-stamp: " + err.Error())
			continue
		}
		if at.Before(r.BestTime) {
			r.BestTime, j.stamped = at, true
		}
	}
}

var (
	errNotOurs     = errors.New("it is malformed or of other octets")
	errNoAuthority = errors.New("the certificate of its authority is not at hand")
	errUntrusted   = errors.New("no path from its authority to a trusted root")
)

// timeStamp verifies one token over data (RFC 3161 2.4.2) and returns its time.
func (j *judgement) timeStamp(token, data []byte) (time.Time, error) {
	ts, err := cms.ParseTimeStamp(token)
	if err != nil {
		return time.Time{}, errNotOurs
	}
	imprint := cert.SumOf(ts.Hash.OID, data)
	if imprint == nil || !plain(ts.Hash) || subtle.ConstantTimeCompare(imprint, ts.Imprint) != 1 {
		return time.Time{}, errNotOurs
	}
	s, refusal := readSigner(&ts.SignedData.Signers[0], cms.OIDTSTInfo)
	if refusal != nil || !s.covers(ts.SignedData.Content) {
		return time.Time{}, errNotOurs
	}
	authority, err := j.authority(s, ts)
	if err != nil {
		return time.Time{}, err
	}
	services, err := j.cfg.Trust.Services(ServiceTSA, authority, ts.Time)
	if err != nil || len(services) == 0 {
		return time.Time{}, errUntrusted
	}
	return ts.Time, nil
}

// authority finds the certificate that made a token: named by it, valid at its time, for time-stamping and nothing unknown.
func (j *judgement) authority(s *signer, ts *cms.TimeStamp) (*cert.Certificate, error) {
	candidates := j.candidates
	for _, b := range ts.SignedData.UnverifiedCertificates {
		if c, err := cert.Parse(b); err == nil {
			candidates = append([]*cert.Certificate{c}, candidates...)
		}
	}
	for _, c := range candidates {
		if !s.named(c) || !c.HasExtKeyUsage(cert.EKUTimeStamping) || len(c.Unresolved()) > 0 ||
			ts.Time.Before(c.NotBefore) || ts.Time.After(c.NotAfter) {
			continue
		}
		if ids := s.attributes.SigningCertificates; len(ids) > 0 && !matches(ids[0], c) {
			continue
		}
		if c.Verify(s.scheme, s.info.RawSignedAttributes, s.info.Signature) != nil {
			return nil, errNotOurs
		}
		return c, nil
	}
	return nil, errNoAuthority
}

// certificate judges the signer's certificate at BestTime: path, validity, usage, status (EN 319 102-1, 5.2.6).
func (j *judgement) certificate(ctx context.Context) *Error {
	r, c := &j.report, j.signer.certificate
	at := r.BestTime
	services, err := j.services(c, at)
	switch {
	case errors.Is(err, ErrTrustListStale):
		return unknown(TrustListStale, SubTryLater, err)
	case err != nil:
		return unknown(Internal, SubCertificateChainGeneralFailure, err)
	case len(services) == 0:
		if d, ok := j.cfg.Trust.(issuerDirectory); ok && d.KnowsIssuer(c) {
			return unknown(ChainNotFound, SubNoChain, nil)
		}
		return unknown(KeyIssuerUntrusted, SubNoChain, nil)
	}
	r.Issuer, r.Anchor = services[0].Certificate, services[0].Anchor
	if usage, ok := c.KeyUsage(); !ok {
		j.warn("the certificate does not say what its key is for")
	} else if usage&signingUsage == 0 {
		return unknown(CertUsage, SubChainConstraints, fmt.Errorf("certificate for %s", c.Kind()))
	}
	if list := c.Unresolved(); len(list) > 0 {
		return unknown(CertUsage, SubChainConstraints, fmt.Errorf("critical extension %s is not resolved", list[0]))
	}
	if _, err := c.Subject(); err != nil {
		return unknown(CertIdentifiersDisagree, SubChainConstraints, err)
	}
	switch {
	case at.Before(c.NotBefore): // a signature that exists cannot be older than its certificate
		return fail(CertNotYetValid, SubNotYetValid, nil)
	case at.After(c.NotAfter) && j.stamped:
		return fail(CertExpired, SubExpired, nil)
	case at.After(c.NotAfter):
		return unknown(CertExpired, SubOutOfBoundsNoPOE, nil)
	}
	return j.status(ctx, services)
}

// services finds who issued c. Outside of c's validity its issuer may be gone as well: then the path is the one of the
// nearest moment at which c was valid, and the validity is what is wrong.
func (j *judgement) services(c *cert.Certificate, at time.Time) ([]Service, error) {
	services, err := j.cfg.Trust.Services(ServiceCAQC, c, at)
	if err != nil || len(services) > 0 {
		return services, err
	}
	switch {
	case at.After(c.NotAfter):
		return j.cfg.Trust.Services(ServiceCAQC, c, c.NotAfter)
	case at.Before(c.NotBefore):
		return j.cfg.Trust.Services(ServiceCAQC, c, c.NotBefore)
	}
	return nil, nil
}

// status finds what is known of the certificate at BestTime: from values inside the signature first, since they cost
// nothing, and from the issuer's responder if it may be asked.
func (j *judgement) status(ctx context.Context, services []Service) *Error {
	r, c := &j.report, j.signer.certificate
	for _, service := range services {
		if revocation, ok := j.embedded(service); ok {
			r.Revocation = revocation
			return j.statusIs(revocation)
		}
	}
	err := errors.New("nobody was asked")
	if j.cfg.Revocation != nil && !r.CheckedAt.After(c.NotAfter) { // a responder may forget what has expired
		for _, service := range services[:min(len(services), maxServices)] {
			var revocation Revocation
			if revocation, err = j.cfg.Revocation.Check(ctx, c, service, r.CheckedAt); err == nil {
				r.Issuer, r.Anchor, r.Revocation = service.Certificate, service.Anchor, revocation
				return j.statusIs(revocation)
			}
		}
	}
	return unknown(CertStatusUnreachable, SubTryLater, err)
}

// embedded judges the values in and beside the signature. A value that is not good evidence is as if it were not there.
func (j *judgement) embedded(service Service) (Revocation, bool) {
	if j.cfg.Evidence == nil {
		return Revocation{}, false
	}
	c, at := j.signer.certificate, j.report.BestTime
	ocsp := append([][]byte(nil), j.unsigned.OCSPValues...)
	for _, response := range j.sd.UnverifiedOCSP {
		if basic := basicResponse(response); basic != nil {
			ocsp = append(ocsp, basic)
		}
	}
	for _, basic := range ocsp {
		if r, err := j.cfg.Evidence.JudgeOCSP(basic, c, service.Certificate, j.candidates, at); err == nil && r.Status != StatusUnknown {
			return r, true
		}
	}
	for _, list := range append(append([][]byte(nil), j.unsigned.CRLValues...), j.sd.UnverifiedCRLs...) {
		if r, err := j.cfg.Evidence.JudgeCRL(list, c, service.Certificate, at); err == nil && r.Status != StatusUnknown {
			return r, true
		}
	}
	return Revocation{}, false
}

// basicResponse takes the BasicOCSPResponse out of a successful OCSPResponse (RFC 6960 4.2.1), nil if it is none.
func basicResponse(b []byte) []byte {
	r := der.NewReader(b).Sequence()
	if status := r.Read(der.Enumerated); len(status.Bytes) != 1 || status.Bytes[0] != 0 {
		return nil
	}
	body := r.Nested(der.Constructed(0)).Sequence()
	if body.OID() != oidBasicOCSP {
		return nil
	}
	return body.OctetString()
}

var oidBasicOCSP = der.NewOID("1.3.6.1.5.5.7.48.1.1")

// statusIs turns a status into an outcome at BestTime: a revocation after it leaves a proven signature good.
func (j *judgement) statusIs(r Revocation) *Error {
	at := j.report.BestTime
	if (r.Status == StatusRevoked || r.Status == StatusSuspended) && !r.RevokedAt.IsZero() && r.RevokedAt.After(at) {
		j.warn("the certificate was revoked later")
		return nil
	}
	switch r.Status {
	case StatusGood:
		return nil
	case StatusRevoked:
		if j.stamped {
			return fail(CertRevoked, SubRevoked, nil)
		}
		return unknown(CertRevoked, SubRevokedNoPOE, nil)
	case StatusSuspended:
		return unknown(CertSuspended, SubTryLater, nil)
	default:
		return unknown(CertStatusUnknown, SubTryLater, nil)
	}
}
