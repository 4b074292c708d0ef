package qestest

import (
	"errors"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/tbs"
)

var (
	oidContentType   = der.NewOID("1.2.840.113549.1.9.3")
	oidMessageDigest = der.NewOID("1.2.840.113549.1.9.4")
	oidSigningTime   = der.NewOID("1.2.840.113549.1.9.5")
	oidSigningCertV2 = der.NewOID("1.2.840.113549.1.9.16.2.47")
	oidTSAPolicy     = der.NewOID("1.2.804.2.1.1.1.2.3.1")
)

// A stampRequest is TimeStampReq (RFC 3161 2.4.1).
type stampRequest struct {
	imprint []byte // MessageImprint, whole element
	nonce   []byte // INTEGER, whole element; nil if absent
	certReq bool
}

func readStampRequest(b []byte) (s stampRequest, err error) {
	r := der.NewReader(b)
	q := r.Sequence()
	if q.Int() != 1 {
		return s, errors.New("version")
	}
	s.imprint = q.Read(der.Sequence).Full
	q.Optional(der.ObjectID)
	if nonce, ok := q.Optional(der.Integer); ok {
		s.nonce = nonce.Full
	}
	if q.Peek(der.Boolean) {
		s.certReq = q.Boolean()
	}
	q.Optional(der.Constructed(0))
	return s, errors.Join(q.Done(), r.Done())
}

// answerTSP answers a TimeStampReq with a TimeStampResp.
func (p *Provider) answerTSP(a *authority, request []byte) ([]byte, error) {
	q, err := readStampRequest(request)
	if err != nil {
		return der.EncodeSequence(der.EncodeSequence(der.EncodeInt(2))), nil //nolint:nilerr // the rejection is the answer
	}
	p.mu.Lock()
	a.serials++
	serial := a.serials
	p.mu.Unlock()
	token, err := stampToken(a, q, int(serial), p.cfg.Now())
	if err != nil {
		return nil, err
	}
	return der.EncodeSequence(der.EncodeSequence(der.EncodeInt(0)), token), nil
}

// TimeStamp returns a time-stamp token (ContentInfo) of an authority over data, at the given time, without a certificate
// inside, as national authorities give it.
func (p *Provider) TimeStamp(authority string, data []byte, at time.Time) ([]byte, error) {
	a := p.byID[authority]
	if a == nil {
		return nil, errors.New("qestest: no such authority")
	}
	sum, err := a.tsa.key.Digest(data)
	if err != nil {
		return nil, err
	}
	imprint := der.EncodeSequence(a.tsa.key.digest.Encode(), der.EncodeOctetString(sum))
	return stampToken(a, stampRequest{imprint: imprint}, 1, at)
}

// stampToken makes a SignedData over a TSTInfo (RFC 3161 2.4.2).
func stampToken(a *authority, q stampRequest, serial int, at time.Time) ([]byte, error) {
	info := der.EncodeSequence(
		der.EncodeInt(1), der.EncodeOID(oidTSAPolicy), q.imprint, der.EncodeInt(serial), encodeGeneralized(at), q.nonce,
	)
	key := a.tsa.key
	sum, err := key.Digest(info)
	if err != nil {
		return nil, err
	}
	certSum, err := key.Digest(a.tsa.der)
	if err != nil {
		return nil, err
	}
	c, err := tbs.Parse(a.tsa.der)
	if err != nil {
		return nil, err
	}
	var hash []byte
	if key.DSTU != nil {
		hash = key.digest.Encode() // the default, SHA-256, is left out
	}
	attribute := func(oid der.OID, value []byte) []byte {
		return der.EncodeSequence(der.EncodeOID(oid), der.Element(der.Set, value))
	}
	attributes := der.EncodeSetOf(
		attribute(oidContentType, der.EncodeOID(cms.OIDTSTInfo)),
		attribute(oidMessageDigest, der.EncodeOctetString(sum)),
		attribute(oidSigningTime, encodeTime(at)),
		attribute(oidSigningCertV2, der.EncodeSequence(der.EncodeSequence(der.EncodeSequence(hash, der.EncodeOctetString(certSum))))),
	)
	value, err := key.Sign(attributes)
	if err != nil {
		return nil, err
	}
	inMessage := append([]byte{}, attributes...)
	inMessage[0] = byte(der.Constructed(0))
	signerInfo := der.EncodeSequence(
		der.EncodeInt(1), der.EncodeSequence(c.RawIssuer, der.Element(der.Integer, c.Serial)),
		key.digest.Encode(), inMessage, key.signature.Encode(), der.EncodeOctetString(value),
	)
	var certificates []byte
	if q.certReq {
		certificates = der.Element(der.Constructed(0), a.tsa.der)
	}
	signed := der.EncodeSequence(
		der.EncodeInt(3), der.Element(der.Set, key.digest.Encode()),
		der.EncodeSequence(der.EncodeOID(cms.OIDTSTInfo), der.Element(der.Constructed(0), der.EncodeOctetString(info))),
		certificates, der.Element(der.Set, signerInfo),
	)
	return der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0), signed)), nil
}
