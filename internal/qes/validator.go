package qes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
)

// A Config is what a Validator needs. It is copied by [New].
type Config struct {
	Trust      TrustStore        // required
	Revocation RevocationChecker // required
	Policy     Policy
	Now        func() time.Time // the clock; nil means time.Now
}

// A Policy says what is accepted at a login. The zero value is the strict one.
type Policy struct {
	// Limits bound the message; the zero value is cms.LoginLimits.
	Limits cms.Limits
	// RequirePurpose refuses a signature without the signed attribute purpose=login, which our own programs add and others
	// cannot.
	RequirePurpose bool
}

// minLoginField is the degree of the smallest field that a login takes (threat T12): below it a digest of 256 bits is cut.
const minLoginField = 257

// A Validator validates login signatures. It is safe for concurrent use if its TrustStore and RevocationChecker are.
type Validator struct {
	cfg   Config
	known known
}

// New checks cfg.
func New(cfg Config) (*Validator, error) {
	if cfg.Trust == nil || cfg.Revocation == nil {
		return nil, errors.New("qes: a trust store and a revocation checker are needed")
	}
	if cfg.Policy.Limits == (cms.Limits{}) {
		cfg.Policy.Limits = cms.LoginLimits
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Validator{cfg: cfg}, nil
}

// Verify validates a login signature over exactly content, now: one SignedData of one signer, attached or detached, with
// CAdES-BES attributes, by a natural person's qualified certificate. Passed is the only result without an error; every
// other has an *[Error] with the same code. The order is that of architecture.md, section 4: what is cheap and local first,
// the question for revocation last and only for a signature and a path that are good. The time that the signer claims
// decides nothing.
//
// What a certificate by itself is refused for (its validity, kind and identifiers) is reported only once its signature has
// verified and its issuer is known: a stranger's certificate is a stranger's, whatever else is wrong with it.
func (v *Validator) Verify(ctx context.Context, signature, content []byte) (*Result, error) {
	res := &Result{CheckedAt: v.cfg.Now()}
	if refusal := v.verify(ctx, res, signature, content); refusal != nil {
		res.Indication, res.SubIndication, res.Code = refusal.Indication, refusal.SubIndication, refusal.Code
		return res, refusal
	}
	res.Indication = Passed
	return res, nil
}

func (v *Validator) verify(ctx context.Context, res *Result, signature, content []byte) *Error {
	// (a) sizes, strict parse
	sd, err := cms.Parse(signature, v.cfg.Policy.Limits)
	if err != nil {
		return parseRefusal(err)
	}
	// (b) binding
	s, refusal := v.bind(sd, content)
	if refusal != nil {
		return refusal
	}
	res.UnverifiedSigningTime = s.attributes.SigningTime
	res.Purpose = string(s.attributes.Purpose)
	// (c) algorithms, (d) the certificate that the signature names
	if refusal := s.choose(sd.UnverifiedCertificates, v.known.parse); refusal != nil {
		return refusal
	}
	res.SignatureAlgorithm = s.scheme.Name
	if refusal := loginStrength(s.certificate); refusal != nil {
		return refusal
	}
	own := v.judge(s.certificate, res)
	// (e) signature value
	if err := s.certificate.Verify(s.scheme, s.info.RawSignedAttributes, s.info.Signature); err != nil {
		return fail(SigInvalid, SubSigCryptoFailure, err)
	}
	res.Signer = s.certificate
	// (f) path to a service granted now
	services, refusal := v.path(s.certificate, res.CheckedAt, own)
	if len(services) > 0 {
		res.Issuer, res.Anchor = services[0].Certificate, services[0].Anchor
	}
	if refusal != nil {
		return refusal
	}
	v.known.remember(s.certificate)
	// (g) revocation
	return v.status(ctx, res, services)
}

// Standing judges a certificate that has signed somebody in before, now: whether it could do so again. It is what Verify does
// but for the signature: its validity and kind, its path to a service granted now, and its status. The outcomes and errors are
// those of Verify.
func (v *Validator) Standing(ctx context.Context, certificate []byte) (*Result, error) {
	res := &Result{CheckedAt: v.cfg.Now()}
	if refusal := v.standing(ctx, res, certificate); refusal != nil {
		res.Indication, res.SubIndication, res.Code = refusal.Indication, refusal.SubIndication, refusal.Code
		return res, refusal
	}
	res.Indication = Passed
	return res, nil
}

func (v *Validator) standing(ctx context.Context, res *Result, certificate []byte) *Error {
	c, err := v.known.parse(certificate)
	if err != nil {
		return fail(CMSMalformed, SubFormatFailure, err)
	}
	res.Signer = c
	services, refusal := v.path(c, res.CheckedAt, v.judge(c, res))
	if refusal != nil {
		return refusal
	}
	return v.status(ctx, res, services)
}

// fail makes a refusal of the first class: the answer is no.
func fail(code Code, sub SubIndication, err error) *Error {
	return &Error{Code: code, Indication: Failed, SubIndication: sub, Err: err}
}

// unknown makes a refusal of the second class: the answer cannot be had now.
func unknown(code Code, sub SubIndication, err error) *Error {
	return &Error{Code: code, Indication: Indeterminate, SubIndication: sub, Err: err}
}

// with adds the value of a placeholder.
func (e *Error) with(name, value string) *Error {
	if e.Values == nil {
		e.Values = make(map[string]string)
	}
	e.Values[name] = value
	return e
}

// unsupported is a signature that can be read and is not taken; kind is "signers", "format", "algorithm" or "curve".
func unsupported(kind, name string, sub SubIndication) *Error {
	return fail(FormatUnsupported, sub, fmt.Errorf("%s %s is not accepted", kind, name)).with("kind", kind).with("name", name)
}

func parseRefusal(err error) *Error {
	switch {
	case errors.Is(err, cms.ErrEnveloped):
		return unsupported("format", "EnvelopedData", SubFormatFailure)
	case errors.Is(err, cms.ErrNotSignedData):
		return unsupported("format", "CMS", SubFormatFailure)
	default:
		return fail(CMSMalformed, SubFormatFailure, err)
	}
}

// bind checks that the one signature of sd is over content and fit for a login, before any key is looked at.
func (v *Validator) bind(sd *cms.SignedData, content []byte) (*signer, *Error) {
	switch {
	case len(content) == 0:
		return nil, fail(SigInvalid, SubSigConstraints, errors.New("empty content"))
	case len(sd.Signers) == 0:
		return nil, fail(CMSMalformed, SubFormatFailure, errors.New("no signer"))
	case len(sd.Signers) > 1:
		return nil, unsupported("signers", "", SubSigConstraints)
	case sd.ContentType != cms.OIDData:
		return nil, unsupported("format", sd.ContentType.String(), SubSigConstraints)
	case !sd.Detached && !bytes.Equal(sd.Content, content):
		return nil, fail(SigInvalid, SubHashFailure, errors.New("the content of the message is another one"))
	}
	s, refusal := readSigner(&sd.Signers[0], sd.ContentType)
	if refusal != nil {
		return nil, refusal
	}
	a := s.attributes
	switch {
	case a == nil:
		return nil, unsupported("format", "CMS", SubSigConstraints)
	case len(a.SigningCertificates) == 0:
		return nil, unsupported("format", "CMS", SubSigConstraints)
	case !a.Single:
		return nil, fail(CMSMalformed, SubSigConstraints, errors.New("a signed attribute stands twice"))
	case !a.InOrder && a.Purpose != "":
		// Our programs write DER; some that are not ours leave the attributes in the order they were made (threat T11 is
		// about reading other octets than those that are hashed, which cannot be: they are hashed as they came).
		return nil, fail(CMSMalformed, SubSigConstraints, errors.New("signed attributes are not in DER order"))
	case v.cfg.Policy.RequirePurpose && a.Purpose != cms.PurposeLogin:
		return nil, fail(SigInvalid, SubSigConstraints, errors.New("no attribute purpose=login"))
	}
	if !s.covers(content) {
		return nil, fail(SigInvalid, SubHashFailure, errors.New("messageDigest is of another content"))
	}
	return s, nil
}

// loginStrength is the allow-list of keys for a login: package cert has refused everything but ten binary curves, three
// prime ones and RSA of sound size; the small binary fields are refused here.
func loginStrength(c *cert.Certificate) *Error {
	key, err := c.Key()
	if err != nil {
		return unsupported("curve", "", SubCryptoConstraints)
	}
	if k, ok := key.(*dstu4145.PublicKey); ok && k.Curve().FieldBits() < minLoginField {
		return unsupported("curve", k.Curve().Name(), SubCryptoConstraints)
	}
	return nil
}

// judge finds what the certificate by itself is refused for: nil, or the refusal that counts if its issuer is known.
func (v *Validator) judge(c *cert.Certificate, res *Result) *Error {
	switch c.Kind() {
	case cert.KindPerson, cert.KindEmployee, cert.KindEntrepreneur:
	case cert.KindSeal:
		return fail(CertSeal, SubChainConstraints, nil)
	default:
		if c.IsPersonal() {
			return fail(CertNoTaxNo, SubChainConstraints, errors.New("the certificate names nobody"))
		}
		return fail(CertUsage, SubChainConstraints, fmt.Errorf("certificate for %s", c.Kind()))
	}
	switch now := res.CheckedAt; {
	case now.Before(c.NotBefore):
		return fail(CertNotYetValid, SubNotYetValid, nil).with("date", c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		return fail(CertExpired, SubExpired, nil).with("date", c.NotAfter.UTC().Format(time.RFC3339))
	}
	if list := c.Unresolved(); len(list) > 0 {
		return fail(CertUsage, SubChainConstraints, fmt.Errorf("critical extension %s is not resolved", list[0]))
	}
	if !c.Qualified() {
		return fail(CertNotQualified, SubChainConstraints, nil)
	}
	subject, err := c.Subject()
	if err != nil {
		e := fail(CertIdentifiersDisagree, SubChainConstraints, err)
		var which *cert.IdentifierError
		if errors.As(err, &which) {
			return e.with("number", which.Type)
		}
		return e
	}
	res.Warnings = append(res.Warnings, subject.Warnings...)
	for _, id := range subject.Identifiers {
		if id.Type != cert.EDRPOU {
			return nil
		}
	}
	return fail(CertNoTaxNo, SubChainConstraints, errors.New("no identifier of a person"))
}

// An issuerDirectory is a TrustStore that can tell whether it has heard of an issuer at all, whether or not a certificate is
// genuine: CHAIN_NOT_FOUND instead of KEY_ISSUER_UNTRUSTED.
type issuerDirectory interface {
	KnowsIssuer(child *cert.Certificate) bool
}

// path finds the granted services that issued c; own is the refusal of judge, which gives way only to an unknown issuer.
func (v *Validator) path(c *cert.Certificate, at time.Time, own *Error) ([]Service, *Error) {
	services, err := v.cfg.Trust.Services(ServiceCAQC, c, at)
	switch {
	case err == nil && len(services) > 0, errors.Is(err, ErrTrustListStale) && own != nil:
		return services, own
	case errors.Is(err, ErrTrustListStale):
		return nil, unknown(TrustListStale, SubTryLater, err)
	case err != nil:
		return nil, unknown(Internal, SubCertificateChainGeneralFailure, err)
	}
	if d, ok := v.cfg.Trust.(issuerDirectory); ok && d.KnowsIssuer(c) {
		if own != nil {
			return nil, own
		}
		return nil, unknown(ChainNotFound, SubNoChain, nil).with("issuer", c.IssuerName())
	}
	return nil, unknown(KeyIssuerUntrusted, SubNoChain, nil).with("issuer", c.IssuerName())
}

// maxServices bounds the requests for one login: an issuer with two certificates of one key is asked about twice at most.
const maxServices = 2

// status asks for the revocation of the signer at each service until one answers.
func (v *Validator) status(ctx context.Context, res *Result, services []Service) *Error {
	var last *Error
	for _, service := range services[:min(len(services), maxServices)] {
		res.Issuer, res.Anchor = service.Certificate, service.Anchor
		r, err := v.cfg.Revocation.Check(ctx, res.Signer, service, res.CheckedAt)
		if err != nil {
			last = unknown(CertStatusUnreachable, SubTryLater, err).with("issuer", service.Name)
			continue
		}
		res.Revocation = r
		date := r.RevokedAt.UTC().Format(time.RFC3339)
		switch r.Status {
		case StatusGood:
			return nil
		case StatusRevoked:
			return fail(CertRevoked, SubRevoked, nil).with("date", date).with("issuer", service.Name)
		case StatusSuspended:
			return fail(CertSuspended, SubRevoked, nil).with("date", date).with("issuer", service.Name)
		default:
			return unknown(CertStatusUnknown, SubTryLater, nil).with("issuer", service.Name)
		}
	}
	return last
}
