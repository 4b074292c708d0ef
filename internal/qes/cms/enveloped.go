package cms

import (
	"bytes"
	"errors"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

// EnvelopeLimits bound an encrypted message before its meaning is looked at. A zero field is no allowance at all.
type EnvelopeLimits struct {
	Size       int // octets of the whole message, before BER is rewritten
	Recipients int // of all RecipientInfos together
}

// The limits in use.
var (
	// AnswerLimits are for the answers of identity systems, which are texts of a few kilobytes, at times with scans of
	// documents in them.
	AnswerLimits = EnvelopeLimits{Size: 4 << 20, Recipients: 16}
	// FileLimits are for the verbs of the command line, where the person chose the file.
	FileLimits = EnvelopeLimits{Size: 256 << 20, Recipients: 1024}
)

// maxUKM bounds the user keying material: 64 octets everywhere but in one old test message with 32.
const maxUKM = 1024

// Errors about encrypted messages, each one cause (errors.Is); ErrTooBig, ErrTooMany and ErrNotCMS serve here too. All of
// them but ErrEnvelope follow from what anyone can read in the message.
var (
	ErrNotEnveloped      = errors.New("cms: not an encrypted message")
	ErrMalformedEnvelope = errors.New("cms: malformed EnvelopedData")
	ErrNoContent         = errors.New("cms: the encrypted content is not in the message")
	ErrEnvelopeAlgorithm = errors.New("cms: the message is encrypted by an algorithm that is not supported")
	ErrNotRecipient      = errors.New("cms: the message is not for this key")
	ErrSenderUnknown     = errors.New("cms: the certificate of the sender is needed and was not given")
	// ErrEnvelope is every failure in which the private key had a part, and says nothing else, so that answers to forged
	// messages cannot be used to learn about the key (T49).
	ErrEnvelope = errors.New("cms: the message cannot be opened with this key")
)

// Ciphers, agreements and wraps of national envelopes.
var (
	OIDGOST28147CTR  = der.NewOID("1.2.804.2.1.1.1.1.1.1.2")
	OIDGOST28147CFB  = der.NewOID("1.2.804.2.1.1.1.1.1.1.3")
	OIDGOST28147Wrap = der.NewOID("1.2.804.2.1.1.1.1.1.1.5")
	OIDKalyna256CTR  = der.NewOID("1.2.804.2.1.1.1.1.1.3.2.2")
	OIDKalyna256CFB  = der.NewOID("1.2.804.2.1.1.1.1.1.3.3.2")
	OIDKalynaWrap    = der.NewOID("1.2.804.2.1.1.1.1.1.3.11")

	OIDCofactorDHWithGOST34311 = der.NewOID("1.2.804.2.1.1.1.1.3.4")
	OIDDHWithGOST34311         = der.NewOID("1.2.804.2.1.1.1.1.3.5")
	OIDCofactorDHWithKupyna256 = der.NewOID("1.2.804.2.1.1.1.1.3.7")
	OIDDHWithKupyna256         = der.NewOID("1.2.804.2.1.1.1.1.3.8")
)

// An EnvelopedData is what RFC 5652 6.1 describes, read and not yet decrypted. Slices alias the message, or a copy of it if
// it came in BER.
type EnvelopedData struct {
	ContentType der.OID
	// ContentAlgorithm is the cipher of the content with its parameters, supported or not.
	ContentAlgorithm spki.Algorithm
	// Recipients are those by key agreement, in order; the other kinds of RFC 5652 6.2 are skipped.
	Recipients []Recipient
	// UnverifiedCertificates are the originator's certificates in the message, DER, not read yet.
	UnverifiedCertificates [][]byte
	encryptedContent       []byte
}

// A KeyName names a certificate's key: by RawIssuer (Name, DER) and Serial (content octets of the INTEGER), or by
// SubjectKeyID, the others being nil.
type KeyName struct {
	RawIssuer, Serial []byte
	SubjectKeyID      []byte
}

// A Recipient is one RecipientEncryptedKey of a KeyAgreeRecipientInfo (RFC 5652 6.2.2) with what it shares with its
// neighbours.
type Recipient struct {
	Name KeyName
	// Ephemeral says that the sender made a key for this message; Sender names the certificate of a static one.
	Ephemeral bool
	Sender    KeyName
	// Agreement is the key agreement with its derivation; Wrap how the content key is encrypted.
	Agreement der.OID
	Wrap      spki.Algorithm

	originatorKey []byte // SubjectPublicKeyInfo, unchecked; nil for a static sender
	ukm           []byte // nil if absent
	encryptedKey  []byte
}

// ParseEnveloped reads a ContentInfo that holds an EnvelopedData (RFC 5652 3, 6). BER is taken. Nothing in it is
// authentic: neither the form nor, later, the content says who made the message.
func ParseEnveloped(b []byte, limits EnvelopeLimits) (*EnvelopedData, error) {
	if len(b) > limits.Size {
		return nil, ErrTooBig
	}
	if len(b) == 0 || b[0] != byte(der.Sequence) {
		return nil, ErrNotCMS
	}
	b, err := der.Normalize(b)
	if err != nil {
		return nil, malformedEnvelope(err)
	}
	outer := der.NewReader(b)
	info := outer.Sequence()
	contentType := info.OID()
	if info.Err() != nil {
		return nil, ErrNotCMS
	}
	if contentType != OIDEnvelopedData {
		return nil, ErrNotEnveloped
	}
	explicit := info.Nested(der.Constructed(0))
	body := explicit.Sequence()
	e := new(EnvelopedData)
	err = e.parse(body, limits)
	for _, r := range []*der.Reader{body, explicit, info, outer} {
		if err == nil {
			err = r.Done()
		}
	}
	if err != nil {
		return nil, malformedEnvelope(err)
	}
	return e, nil
}

func malformedEnvelope(err error) error {
	for _, own := range []error{ErrTooMany, ErrNoContent} {
		if errors.Is(err, own) {
			return err
		}
	}
	return &malformedEnvelopeError{err}
}

// A malformedEnvelopeError is ErrMalformedEnvelope and its cause.
type malformedEnvelopeError struct{ err error }

func (e *malformedEnvelopeError) Error() string {
	return ErrMalformedEnvelope.Error() + ": " + e.err.Error()
}
func (e *malformedEnvelopeError) Unwrap() []error { return []error{ErrMalformedEnvelope, e.err} }

func (e *EnvelopedData) parse(r *der.Reader, limits EnvelopeLimits) error {
	if version := r.Int(); r.Err() == nil && (version > 4 || version == 1) {
		return der.ErrValue
	}
	if originator, ok := r.Optional(der.Constructed(0)); ok {
		if err := e.parseOriginatorInfo(originator.Reader()); err != nil {
			return err
		}
	}
	recipients := r.Set()
	n := 0
	for recipients.More() {
		v := recipients.Next()
		switch v.Tag {
		case der.Constructed(1):
			if err := e.parseKeyAgree(v.Reader(), limits.Recipients-n); err != nil {
				return err
			}
		case der.Sequence, der.Constructed(2), der.Constructed(3), der.Constructed(4):
		default:
			return der.ErrTag
		}
		if n++; max(n, len(e.Recipients)) > limits.Recipients {
			return ErrTooMany
		}
	}
	if err := recipients.Done(); err != nil {
		return err
	}
	if n == 0 { // SET SIZE (1..MAX)
		return der.ErrValue
	}
	if err := e.parseContent(r.Sequence()); err != nil {
		return err
	}
	r.Optional(der.Constructed(1)) // unprotectedAttrs
	return r.Err()
}

// maxOriginatorCertificates bounds certificates, and CRLs, that a sender may add.
const maxOriginatorCertificates = 32

func (e *EnvelopedData) parseOriginatorInfo(r *der.Reader) error {
	if certificates, ok := r.Optional(der.Constructed(0)); ok {
		set := certificates.Reader()
		for set.More() {
			if len(e.UnverifiedCertificates) == maxOriginatorCertificates {
				return ErrTooMany
			}
			if v := set.Next(); v.Tag == der.Sequence { // other kinds of certificates are skipped
				e.UnverifiedCertificates = append(e.UnverifiedCertificates, v.Full)
			}
		}
		if err := set.Done(); err != nil {
			return err
		}
	}
	r.Optional(der.Constructed(1)) // crls
	return r.Done()
}

// parseKeyAgree reads a KeyAgreeRecipientInfo.
func (e *EnvelopedData) parseKeyAgree(r *der.Reader, limit int) error {
	if version := r.Int(); r.Err() == nil && version != 3 {
		return der.ErrValue
	}
	var shared Recipient
	originator := r.Nested(der.Constructed(0))
	shared.parseOriginator(originator)
	if err := originator.Done(); err != nil {
		return err
	}
	if r.Peek(der.Constructed(1)) {
		explicit := r.Nested(der.Constructed(1))
		shared.ukm = explicit.OctetString()
		if err := explicit.Done(); err != nil {
			return err
		}
		if len(shared.ukm) > maxUKM {
			return der.ErrValue
		}
	}
	agreement := spki.ParseAlgorithm(r)
	shared.Agreement = agreement.OID
	// The parameter is the wrap for every agreement of RFC 5753 and of ours; what is in another is not looked at.
	if _, known := findAgreement(agreement.OID); known {
		wrap := der.NewReader(agreement.Parameters)
		shared.Wrap = spki.ParseAlgorithm(wrap)
		if err := wrap.Done(); err != nil {
			return err
		}
	}
	keys := r.Sequence()
	for n := 0; keys.More(); n++ {
		if n == limit {
			return ErrTooMany
		}
		one := shared
		key := keys.Sequence()
		one.Name = parseRecipientName(key)
		one.encryptedKey = key.OctetString()
		if err := key.Done(); err != nil {
			return err
		}
		e.Recipients = append(e.Recipients, one)
	}
	return errors.Join(keys.Done(), r.Done())
}

// parseOriginator reads the choice of OriginatorIdentifierOrKey.
func (s *Recipient) parseOriginator(r *der.Reader) {
	switch {
	case r.Peek(der.Sequence):
		s.Sender = parseIssuerAndSerial(r.Sequence(), r)
	case r.Peek(der.Context(0)): // IMPLICIT SubjectKeyIdentifier
		s.Sender.SubjectKeyID = r.Next().Bytes
	default: // IMPLICIT OriginatorPublicKey, which has the form of a SubjectPublicKeyInfo
		s.Ephemeral = true
		v := r.Read(der.Constructed(1))
		s.originatorKey = der.Element(der.Sequence, v.Bytes)
		if len(s.originatorKey) > spki.MaxSize {
			r.Fail(der.ErrValue)
		}
	}
}

func parseIssuerAndSerial(seq, parent *der.Reader) KeyName {
	name := KeyName{RawIssuer: seq.Read(der.Sequence).Full, Serial: seq.Integer()}
	if err := seq.Done(); err != nil {
		parent.Fail(err)
		return KeyName{}
	}
	return name
}

// parseRecipientName reads the choice of KeyAgreeRecipientIdentifier.
func parseRecipientName(r *der.Reader) KeyName {
	if r.Peek(der.Sequence) {
		return parseIssuerAndSerial(r.Sequence(), r)
	}
	id := r.Nested(der.Constructed(0)) // IMPLICIT RecipientKeyIdentifier
	name := KeyName{SubjectKeyID: id.OctetString()}
	id.Optional(der.GeneralizedTime) // date
	id.Optional(der.Sequence)        // other
	if err := id.Done(); err != nil {
		r.Fail(err)
	}
	return name
}

// parseContent reads EncryptedContentInfo.
func (e *EnvelopedData) parseContent(r *der.Reader) error {
	e.ContentType = r.OID()
	e.ContentAlgorithm = spki.ParseAlgorithm(r)
	switch {
	case r.Peek(der.Context(0)):
		e.encryptedContent = r.Next().Bytes
	case r.Peek(der.Constructed(0)): // BER: an octet string in segments, under an implicit tag that hides it
		var parts [][]byte
		segments := r.Nested(der.Constructed(0))
		for segments.More() {
			parts = append(parts, segments.OctetString())
		}
		if err := segments.Done(); err != nil {
			return err
		}
		e.encryptedContent = bytes.Join(parts, nil)
	default:
		if err := r.Done(); err != nil {
			return err
		}
		return ErrNoContent
	}
	return r.Done()
}
