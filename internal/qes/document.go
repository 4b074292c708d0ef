package qes

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/tbs"
)

// A DocumentConfig is what validation of signed documents needs. It is not for logins: it takes plain CMS, several signers,
// seals, small curves and values that came inside the signature, and says what it thinks of each.
type DocumentConfig struct {
	Trust      TrustStore        // required
	Revocation RevocationChecker // nil asks nobody
	Evidence   Evidence          // nil leaves embedded values alone
	Now        func() time.Time  // nil means time.Now
}

// Evidence judges revocation values that came inside a signature, without asking anybody; package revocation does.
type Evidence interface {
	JudgeOCSP(basic []byte, leaf, issuer *cert.Certificate, candidates []*cert.Certificate, at time.Time) (Revocation, error)
	JudgeCRL(list []byte, leaf, issuer *cert.Certificate, at time.Time) (Revocation, error)
}

// A Document is one question.
type Document struct {
	Signature []byte
	// Content is what a detached signature covers; nil if it is not at hand.
	Content []byte
	// Candidates may be the certificates of signers, TSAs and responders. Nothing is trusted for being here.
	Candidates []*cert.Certificate
	// At is the time at which the signature is to be judged; zero is now.
	At time.Time
}

// A ValueState is what is known of the mathematics of a signature over its content.
type ValueState string

// SignedDataNotFound is the code of a signature whose content is not at hand. A login never meets it.
const SignedDataNotFound Code = "SIGNED_DATA_NOT_FOUND"

// States of a signature value.
const (
	ValueNotChecked ValueState = "not_checked"
	ValueValid      ValueState = "valid"
	ValueInvalid    ValueState = "invalid"
)

// A SignatureReport is the outcome for one SignerInfo. Certificate is the one that it names, proven or not; nil if it is not
// at hand. Result.Signer is set once its value has verified.
type SignatureReport struct {
	Result
	Value           ValueState
	Level           string
	DigestAlgorithm string // "gost34311", "sha256"; the OID if it is not taken
	Certificate     *cert.Certificate
	RawIssuer       []byte // as the SignerInfo names it; nil if it names a key
	Serial          []byte
	BestTime        time.Time // the time of a proven signature time-stamp, else the time of the question
}

// A DocumentReport is the outcome for all: the worst of its signatures.
type DocumentReport struct {
	Indication    Indication
	SubIndication SubIndication
	Code          Code
	Signatures    []SignatureReport
}

// A DocumentValidator validates signed documents.
type DocumentValidator struct{ cfg DocumentConfig }

// NewDocumentValidator checks cfg.
func NewDocumentValidator(cfg DocumentConfig) (*DocumentValidator, error) {
	if cfg.Trust == nil {
		return nil, errors.New("qes: a trust store is needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &DocumentValidator{cfg: cfg}, nil
}

// Validate judges every signature of d (ETSI EN 319 102-1, 5.3 and, where there is a time-stamp, 5.5 as far as it is
// implemented: the signature time-stamp proves that the signature existed, archive time-stamps are not read).
func (v *DocumentValidator) Validate(ctx context.Context, d Document) *DocumentReport {
	sd, err := cms.Parse(d.Signature, cms.DocumentLimits)
	if err == nil && len(sd.Signers) == 0 {
		err = errors.New("no signer")
	}
	if err != nil {
		e := parseRefusal(err)
		return &DocumentReport{Indication: e.Indication, SubIndication: e.SubIndication, Code: e.Code}
	}
	report := &DocumentReport{Indication: Passed}
	for i := range sd.Signers {
		j := &judgement{cfg: &v.cfg, document: d, sd: sd, info: &sd.Signers[i]}
		r := j.run(ctx)
		report.Signatures = append(report.Signatures, r)
		if worse(r.Indication, report.Indication) {
			report.Indication, report.SubIndication, report.Code = r.Indication, r.SubIndication, r.Code
		}
	}
	return report
}

// worse orders failed before indeterminate before passed.
func worse(a, b Indication) bool {
	rank := map[Indication]int{Failed: 2, Indeterminate: 1}
	return rank[a] > rank[b]
}

// A judgement is the work on one SignerInfo.
type judgement struct {
	cfg      *DocumentConfig
	document Document
	sd       *cms.SignedData
	info     *cms.SignerInfo

	report     SignatureReport
	signer     *signer
	unsigned   cms.UnsignedAttributes
	candidates []*cert.Certificate
	stamped    bool // BestTime comes from a proven time-stamp
	mismatch   bool // the certificate is not the one under the signature
}

func (j *judgement) warn(s string) {
	if !slices.Contains(j.report.Warnings, s) {
		j.report.Warnings = append(j.report.Warnings, s)
	}
}

// content returns what the signature covers; false if it is not at hand.
func (j *judgement) content() ([]byte, bool) {
	if !j.sd.Detached {
		return j.sd.Content, true
	}
	return j.document.Content, j.document.Content != nil
}

func (j *judgement) run(ctx context.Context) SignatureReport {
	r := &j.report
	r.Value, r.Level = ValueNotChecked, cms.LevelCMS
	r.RawIssuer, r.Serial = j.info.RawIssuer, j.info.Serial
	r.CheckedAt = j.cfg.Now()
	r.BestTime = r.CheckedAt
	if !j.document.At.IsZero() {
		r.BestTime = j.document.At
	}
	if _, r.DigestAlgorithm = cert.DigestOf(j.info.Digest.OID); r.DigestAlgorithm == "" {
		r.DigestAlgorithm = j.info.Digest.OID.String()
	}
	r.SignatureAlgorithm = j.info.Algorithm.OID.String()
	refusal := j.judge(ctx)
	if purpose := j.loginPurpose(); purpose != nil {
		refusal = purpose
	}
	if refusal == nil {
		r.Indication = Passed
		return *r
	}
	r.Indication, r.SubIndication, r.Code = refusal.Indication, refusal.SubIndication, refusal.Code
	return *r
}

// loginPurpose refuses a signature that signs a person in: it is no document, whatever it covers (threat T1).
func (j *judgement) loginPurpose() *Error {
	isLogin := j.signer != nil && j.signer.attributes != nil && j.signer.attributes.Purpose == cms.PurposeLogin
	if content, ok := j.content(); ok {
		isLogin = isLogin || IsLoginText(content)
	}
	if !isLogin {
		return nil
	}
	return fail(SigInvalid, SubSigConstraints, errors.New("this is a signature for a login, not a document"))
}

// IsLoginText reports whether content begins as the text of a login does, after whatever a person does not see: no document may
// be signed or taken that does (threats T1, T2).
func IsLoginText(content []byte) bool {
	const looked = 4096
	seen := bytes.TrimLeftFunc(content[:min(len(content), looked)], blank)
	if len(seen) == 0 {
		// A text that hides its beginning so far is no document either.
		return len(content) > looked
	}
	return bytes.HasPrefix(bytes.ToLower(seen[:min(len(seen), 16)]), []byte("brama-"))
}

// blank reports whether r is a space, a line end, a byte order mark or another character that shows nothing.
func blank(r rune) bool {
	switch {
	case r <= ' ', r == 0x7f, r >= 0x80 && r <= 0xa0, r == 0xad:
		return true
	case r >= 0x2000 && r <= 0x200f, r >= 0x2028 && r <= 0x202f, r >= 0x205f && r <= 0x206f:
		return true
	case r == 0x1680, r == 0x180e, r == 0x3000, r == 0xfeff:
		return true
	}
	return false
}

// judge goes through the steps; nil is passed.
func (j *judgement) judge(ctx context.Context) *Error {
	r := &j.report
	var refusal *Error
	if j.signer, refusal = readSigner(j.info, j.sd.ContentType); refusal != nil {
		if refusal.Code == FormatUnsupported && !j.digestDisagrees() {
			refusal.Indication = Indeterminate // an algorithm that we do not know proves nothing either way
		}
		return refusal
	}
	s := j.signer
	r.SignatureAlgorithm = s.scheme.Name
	var err error
	if j.unsigned, err = j.info.UnsignedAttributes(); err != nil {
		j.warn("the unsigned attributes cannot be read")
	}
	r.Level = cms.Level(s.attributes, j.unsigned)
	if s.attributes != nil {
		r.UnverifiedSigningTime, r.Purpose = s.attributes.SigningTime, string(s.attributes.Purpose)
		if !s.attributes.InOrder {
			j.warn("the signed attributes are not in the order of DER")
		}
		if !s.attributes.Single {
			j.warn("a signed attribute stands twice")
		}
	}
	j.collect()
	if refusal := j.chooseCertificate(); refusal != nil {
		return refusal
	}
	if refusal := j.verifyValue(); refusal != nil {
		return refusal
	}
	if j.mismatch {
		return fail(SigInvalid, SubSigConstraints, errOtherCertificate)
	}
	r.Signer = s.certificate
	j.describe()
	j.timeStamps()
	if _, ok := j.content(); !ok {
		return unknown(SignedDataNotFound, SubSignedDataNotFound, errors.New("the content is not at hand"))
	}
	return j.certificate(ctx)
}

// digestDisagrees reports whether the signature algorithm is known and the digest another than its own (threat T11).
func (j *judgement) digestDisagrees() bool {
	_, err := cert.SchemeOf(j.info.Algorithm, "")
	return err == nil
}

// collect reads every certificate that may be of use. What cannot be read is left out.
func (j *judgement) collect() {
	raw := append(slices.Clone(j.sd.UnverifiedCertificates), j.unsigned.CertificateValues...)
	for _, b := range raw {
		c, err := cert.Parse(b)
		if err != nil {
			j.warn("a certificate in the message cannot be read")
			continue
		}
		j.candidates = append(j.candidates, c)
	}
	j.candidates = append(j.candidates, j.document.Candidates...)
}

// chooseCertificate takes, of the certificates that the SignerInfo names, the one that signing-certificate-v2 fixes.
func (j *judgement) chooseCertificate() *Error {
	s := j.signer
	fixed := s.attributes != nil && len(s.attributes.SigningCertificates) > 0
	for _, c := range j.candidates {
		if !s.named(c) {
			continue
		}
		if fits := !fixed || matches(s.attributes.SigningCertificates[0], c); fits || s.certificate == nil {
			s.certificate, j.mismatch = c, !fits
			if fits {
				break
			}
		}
	}
	j.report.Certificate = s.certificate
	if s.certificate == nil {
		return unknown(CertMissing, SubNoSigningCertificate, nil)
	}
	if !fixed {
		j.warn("the signature does not name its certificate under the signature")
	}
	if warning := s.certificate.Warning(); warning != "" {
		j.warn("the certificate is not in the form of RFC 5280: " + warning)
	}
	return nil
}

// verifyValue does the mathematics over the attributes, or over the content where there are none, and binds the content.
func (j *judgement) verifyValue() *Error {
	s, r := j.signer, &j.report
	content, ok := j.content()
	if ok && len(content) == 0 {
		// Implementations disagree on the national digest of nothing.
		return fail(SigInvalid, SubSigConstraints, errors.New("empty content"))
	}
	message := s.info.RawSignedAttributes
	if message == nil {
		if !ok {
			return unknown(SignedDataNotFound, SubSignedDataNotFound, errors.New("the content is not at hand"))
		}
		if looksLikeAttributes(content) {
			return fail(SigInvalid, SubSigConstraints, errors.New("the content is a set of attributes"))
		}
		message = content
	}
	err := s.certificate.Verify(s.scheme, message, s.info.Signature)
	switch {
	case errors.Is(err, cert.ErrAlgorithm):
		return unknown(FormatUnsupported, SubCryptoConstraints, err)
	case err != nil:
		r.Value = ValueInvalid
		return fail(SigInvalid, SubSigCryptoFailure, err)
	}
	if ok && s.attributes != nil && !s.covers(content) {
		r.Value = ValueInvalid
		return fail(SigInvalid, SubHashFailure, errors.New("messageDigest is of another content"))
	}
	if !j.sd.Detached && j.document.Content != nil && !bytes.Equal(j.sd.Content, j.document.Content) {
		r.Value = ValueInvalid
		return fail(SigInvalid, SubHashFailure, errors.New("the content of the message is another one"))
	}
	r.Value = ValueValid
	return nil
}

// looksLikeAttributes reports whether content is the DER of a SET OF Attribute: a signature over attributes must not pass
// for one over such a document (threat T10).
func looksLikeAttributes(content []byte) bool {
	v, err := der.Parse(content)
	if err != nil || v.Tag != der.Set {
		return false
	}
	r := v.Reader()
	n := 0
	for ; r.More(); n++ {
		attribute := r.Sequence()
		attribute.OID()
		attribute.Set()
		if attribute.Done() != nil {
			return false
		}
	}
	return n > 0 && r.Done() == nil
}

// describe warns of what a login would refuse.
func (j *judgement) describe() {
	c := j.signer.certificate
	if key, err := c.Key(); err == nil {
		if k, ok := key.(*dstu4145.PublicKey); ok && k.Curve().FieldBits() < minLoginField {
			j.warn("the curve " + k.Curve().Name() + " is small: a digest of 256 bits is cut")
		}
	}
	if len(j.sd.Signers) > 1 {
		j.warn("the document has several signers")
	}
	if j.signer.attributes == nil {
		j.warn("plain CMS: no attributes are under the signature")
	}
	if !c.Qualified() {
		j.warn("the certificate does not say that it is qualified")
	}
	if subject, err := c.Subject(); err == nil {
		for _, w := range subject.Warnings {
			j.warn(w)
		}
	}
}

// signingUsage are the key usages of which one must be there.
const signingUsage = tbs.DigitalSignature | tbs.NonRepudiation

// CertificatesIn returns every certificate in a signed message: beside the signatures, in their unsigned attributes and in
// their time-stamps. They are candidates and not read yet; a message that cannot be read has none.
func CertificatesIn(signature []byte) [][]byte {
	sd, err := cms.Parse(signature, cms.DocumentLimits)
	if err != nil {
		return nil
	}
	list := slices.Clone(sd.UnverifiedCertificates)
	for i := range sd.Signers {
		var tokens [][]byte
		if a, err := sd.Signers[i].SignedAttributes(); err == nil && a != nil {
			tokens = append(tokens, a.ContentTimeStamps...)
		}
		if u, err := sd.Signers[i].UnsignedAttributes(); err == nil {
			list = append(list, u.CertificateValues...)
			tokens = append(tokens, u.SignatureTimeStamps...)
		}
		for _, token := range tokens {
			if ts, err := cms.ParseTimeStamp(token); err == nil {
				list = append(list, ts.SignedData.UnverifiedCertificates...)
			}
		}
	}
	return list
}
