package qestest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
	"brama/internal/qes/spki"
)

var (
	oidOCSPBasic = der.NewOID("1.3.6.1.5.5.7.48.1.1")
	oidOCSPNonce = der.NewOID("1.3.6.1.5.5.7.48.1.2")
	oidSHA1      = der.NewOID("1.3.14.3.2.26")
	oidSHA256    = der.NewOID("2.16.840.1.101.3.4.2.1")
)

// An Answer is an OCSP response before it is signed: a test may change anything in it ([Provider.OnOCSP]).
type Answer struct {
	ResponseStatus int // 0 is successful; anything else is all that is said

	// The CertID, as it was asked.
	Hash              der.OID
	NameHash, KeyHash []byte
	Serial            []byte // content octets

	Status                 Status
	RevokedAt              time.Time
	Reason                 int // CRLReason; −1 leaves it out
	ThisUpdate, NextUpdate time.Time
	ProducedAt             time.Time
	Nonce                  []byte // value of the extension; nil leaves it out
	Copies                 int    // number of equal SingleResponses; 0 is 1

	Signer      string // authority whose responder signs; "" is the one that was asked
	ByCA        bool   // the CA's own key signs
	Key         *Key   // this key signs, under the responder's name
	ByKey       bool   // the responder is named by its key's identifier
	Certificate []byte // put into the response; nil for none
	Critical    bool   // an unknown critical extension is added
	BreakValue  bool   // a bit of the signature is changed
}

// OnOCSP sets a function that changes answers before they are signed; nil ends that.
func (p *Provider) OnOCSP(f func(*Answer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onOCSP = f
}

func digest(oid der.OID, b []byte) []byte {
	switch oid {
	case spki.OIDGOST34311:
		sum := gost34311.Sum(b)
		return sum[:]
	case spki.OIDKupyna256:
		sum := kupyna.Sum256(b)
		return sum[:]
	case oidSHA1:
		sum := sha1.Sum(b)
		return sum[:]
	case oidSHA256:
		sum := sha256.Sum256(b)
		return sum[:]
	}
	return nil
}

// readOCSPRequest reads a request for one certificate (RFC 6960 4.1.1).
func readOCSPRequest(b []byte) (a Answer, err error) {
	r := der.NewReader(b)
	outer := r.Sequence()
	tbs := outer.Sequence()
	outer.Optional(der.Constructed(0))
	tbs.Optional(der.Constructed(0)) // version
	tbs.Optional(der.Constructed(1)) // requestorName
	list := tbs.Sequence()
	request := list.Sequence()
	id := request.Sequence()
	algorithm := id.Sequence()
	a.Hash = algorithm.OID()
	a.NameHash, a.KeyHash, a.Serial = id.OctetString(), id.OctetString(), id.Integer()
	if extensions, ok := tbs.Optional(der.Constructed(2)); ok {
		for x := extensions.Reader().Sequence(); x.More(); {
			one := x.Sequence()
			oid := one.OID()
			one.Optional(der.Boolean)
			if value := one.OctetString(); oid == oidOCSPNonce {
				a.Nonce = value
			}
		}
	}
	return a, errors.Join(r.Done(), outer.Done(), tbs.Done(), list.Done(), id.Done())
}

// answerOCSP answers one request.
func (p *Provider) answerOCSP(a *authority, request []byte) ([]byte, error) {
	answer, err := readOCSPRequest(request)
	if err != nil {
		return encodeOCSPStatus(1), nil // malformedRequest
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	answer.ThisUpdate, answer.ProducedAt, answer.Reason, answer.Status = now, now, -1, Unknown
	// RFC 6960 2.2: of another issuer's certificate nothing is known.
	if bytes.Equal(answer.NameHash, digest(answer.Hash, a.ca.name)) && bytes.Equal(answer.KeyHash, digest(answer.Hash, a.ca.key.public)) {
		if rec := a.records[string(answer.Serial)]; rec != nil {
			answer.Status, answer.RevokedAt = rec.status, rec.since
		}
	}
	if answer.Status == Suspended {
		answer.Reason = 6
	}
	if a.ca.key.DSTU == nil {
		answer.Certificate = a.ocsp.der // as the ECDSA responders of national issuers do
	}
	if p.onOCSP != nil {
		p.onOCSP(&answer)
	}
	return p.encodeOCSP(a, answer)
}

func encodeOCSPStatus(status byte) []byte {
	return der.EncodeSequence(der.Element(der.Enumerated, []byte{status}))
}

func (p *Provider) encodeOCSP(a *authority, answer Answer) ([]byte, error) {
	if answer.ResponseStatus != 0 {
		return encodeOCSPStatus(byte(answer.ResponseStatus)), nil
	}
	signer := a
	if answer.Signer != "" {
		signer = p.byID[answer.Signer]
	}
	by := signer.ocsp
	if answer.ByCA {
		by = signer.ca
	}
	if answer.Key != nil {
		by.key = answer.Key
	}
	responder := der.Element(der.Constructed(1), by.name)
	if answer.ByKey {
		sum := sha1.Sum(by.key.public)
		responder = der.Element(der.Constructed(2), der.EncodeOctetString(sum[:]))
	}
	var list [][]byte
	for range max(answer.Copies, 1) {
		list = append(list, answer.single())
	}
	var extensions [][]byte
	if answer.Nonce != nil {
		extensions = append(extensions, extension(oidOCSPNonce, false, answer.Nonce))
	}
	if answer.Critical {
		extensions = append(extensions, extension(der.NewOID("1.3.6.1.4.1.99999.1"), true, der.EncodeNull()))
	}
	var tail []byte
	if extensions != nil {
		tail = der.Element(der.Constructed(1), der.EncodeSequence(extensions...))
	}
	data := der.EncodeSequence(responder, encodeGeneralized(answer.ProducedAt), der.EncodeSequence(list...), tail)
	algorithm, value, err := by.key.signBits(data)
	if err != nil {
		return nil, err
	}
	if answer.BreakValue {
		value[len(value)-5] ^= 1
	}
	var certificates []byte
	if answer.Certificate != nil {
		certificates = der.Element(der.Constructed(0), der.EncodeSequence(answer.Certificate))
	}
	basic := der.EncodeSequence(data, algorithm, value, certificates)
	return der.EncodeSequence(
		der.Element(der.Enumerated, []byte{0}),
		der.Element(der.Constructed(0), der.EncodeSequence(der.EncodeOID(oidOCSPBasic), der.EncodeOctetString(basic))),
	), nil
}

func (a Answer) single() []byte {
	var status []byte
	switch a.Status {
	case Good:
		status = der.Element(der.Context(0))
	case Revoked, Suspended:
		var reason []byte
		if a.Reason >= 0 {
			reason = der.Element(der.Constructed(0), der.Element(der.Enumerated, []byte{byte(a.Reason)}))
		}
		status = der.Element(der.Constructed(1), encodeGeneralized(a.RevokedAt), reason)
	default:
		status = der.Element(der.Context(2))
	}
	var next []byte
	if !a.NextUpdate.IsZero() {
		next = der.Element(der.Constructed(0), encodeGeneralized(a.NextUpdate))
	}
	return der.EncodeSequence(
		der.EncodeSequence(
			der.EncodeSequence(der.EncodeOID(a.Hash)), der.EncodeOctetString(a.NameHash), der.EncodeOctetString(a.KeyHash),
			der.Element(der.Integer, a.Serial),
		),
		status, encodeGeneralized(a.ThisUpdate), next,
	)
}

// keyIDDigests are the digests that give a key its identifiers.
var keyIDDigests = []der.OID{spki.OIDGOST34311, spki.OIDKupyna256, oidSHA1}
