package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/connectors"
	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/tbs"
)

// A Key is a key of the institution for key agreement, to which a system encrypts its answers.
type Key struct {
	Private     cms.EnvelopeKey // at hand, or in a token
	Certificate *tbs.Certificate
	SBox        []byte // ДКЕ, packed; nil is what the certificate says
}

// Keys are the keys for one system, the newest first: older ones open what was sealed before the change.
type Keys struct{ list []Key }

// NewKeys checks that each certificate is of its key and for key agreement.
func NewKeys(list []Key) (*Keys, error) {
	if len(list) == 0 {
		return nil, errors.New("upstream: a key for key agreement is needed")
	}
	for _, k := range list {
		if cms.CheckEnvelopeKey(k.Private) != nil || k.Certificate == nil || k.Certificate.PublicKey.DSTU == nil {
			return nil, errors.New("upstream: a key of ДСТУ 4145 with its certificate is needed")
		}
		if usage, ok := k.Certificate.KeyUsage(); !ok || usage&tbs.KeyAgreement == 0 {
			return nil, cms.ErrNotAgreement
		}
		if !k.Certificate.PublicKey.DSTU.Equal(k.Private.Public()) {
			return nil, errors.New("upstream: the certificate is of another key")
		}
	}
	return &Keys{list: slices.Clone(list)}, nil
}

// Certificate returns the certificate that is shown to the system, DER. Without one that is valid at now the refusal is for
// the operator.
func (k *Keys) Certificate(now time.Time) ([]byte, error) {
	for _, key := range k.list {
		if !now.Before(key.Certificate.NotBefore) && !now.After(key.Certificate.NotAfter) {
			return key.Certificate.Raw, nil
		}
	}
	return nil, connectors.Retry(CodeInternal, errors.New("no certificate for key agreement is valid now"))
}

// errForm is content that is neither an object nor a SignedData.
var errForm = errors.New("upstream: the content of the envelope has another form")

// Open decrypts message, an EnvelopedData, and returns the object in it, or the SignedData in DER that holds it: the other is
// nil. senders are certificates that may be the sender's. Nothing of it is authentic: anyone can seal an envelope (threat
// T47). Errors tell the operator what everyone can see in the message; behind that there is one (threat T49).
func (k *Keys) Open(message []byte, senders []*tbs.Certificate) (object, signed []byte, err error) {
	e, err := cms.ParseEnveloped(message, cms.AnswerLimits)
	if err != nil {
		return nil, nil, err
	}
	refusal := cms.ErrNotRecipient
	for _, key := range k.list {
		opened, err := e.Open(cms.OpenOptions{Key: key.Private, Certificates: []*tbs.Certificate{key.Certificate}, SBox: key.SBox, Senders: senders})
		if err == nil {
			return split(opened)
		}
		if refusal != cms.ErrEnvelope { //nolint:errorlint // it is returned bare
			refusal = err
		}
	}
	return nil, nil, refusal
}

// split tells the two forms apart by the first octet, as the systems' own programs do; what is in them is then read strictly.
func split(o *cms.Opened) (object, signed []byte, err error) {
	content := bytes.TrimSpace(o.Content)
	switch {
	case len(content) > 0 && content[0] == '{':
		return content, nil, nil
	case len(o.Content) == 0 || o.Content[0] != byte(der.Sequence):
		return nil, nil, fmt.Errorf("%w: %w", cms.ErrEnvelope, errForm)
	case o.ContentType == cms.OIDSignedData && !startsWithOID(o.Content):
		// RFC 5652 6.1 encrypts the content of the type, without the ContentInfo around it.
		return nil, der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0), o.Content)), nil
	}
	return nil, o.Content, nil
}

func startsWithOID(b []byte) bool {
	r := der.NewReader(b)
	seq := r.Sequence()
	seq.OID()
	return seq.Err() == nil
}
