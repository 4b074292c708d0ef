package upstreamtest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/tbs"
)

// A System is an organisation with its keys: a seal, an official who works there, and keys for key agreement on the two
// curves in use.
type System struct {
	provider *qestest.Provider
	seal     *qestest.Issued
	official *qestest.Issued
	stranger *qestest.Issued // a seal with the same code, by an issuer whom nobody knows
	senders  map[*dstu4145.Curve]*qestest.Issued
}

// NewSystem issues the certificates of the organisation with the code edrpou.
func NewSystem(p *qestest.Provider, organization, edrpou string) (*System, error) {
	s := &System{provider: p, senders: map[*dstu4145.Curve]*qestest.Issued{}}
	issue := func(r qestest.Request) *qestest.Issued {
		r.Organization, r.EDRPOU = organization, edrpou
		i, err := p.Issue(r)
		if err != nil {
			panic("upstreamtest: internal error: " + err.Error())
		}
		return i
	}
	if p == nil {
		return nil, errors.New("upstreamtest: a provider is needed")
	}
	s.seal = issue(qestest.Request{Kind: qestest.Seal})
	s.official = issue(qestest.Request{Kind: qestest.Employee, FamilyName: "Службовець", GivenName: "Ірина", MiddleName: "Іванівна", RNOKPP: "3333322221", Title: "оператор"})
	s.stranger = issue(qestest.Request{Kind: qestest.Seal, Authority: qestest.Stranger})
	s.senders[dstu4145.M257()] = issue(qestest.Request{Kind: qestest.Encryption})
	s.senders[dstu4145.M431()] = issue(qestest.Request{Kind: qestest.Encryption, Algorithm: qestest.M431})
	return s, nil
}

// Signer is the certificate of the seal, DER, and its SHA-256.
func (s *System) Signer() ([]byte, [sha256.Size]byte) {
	return s.seal.Certificate.Raw, s.seal.Certificate.Fingerprint()
}

// Senders are the certificates of the static keys.
func (s *System) Senders() []*tbs.Certificate {
	var list []*tbs.Certificate
	for _, i := range s.senders {
		list = append(list, i.Certificate.Certificate)
	}
	return list
}

// SetSealStatus changes what the provider says of the seal.
func (s *System) SetSealStatus(status qestest.Status) { s.provider.SetStatus(s.seal, status) }

// A Form is how an answer is wrapped. The zero value is what most of them look like: unsigned, with an ephemeral key,
// ГОСТ 28147 CFB, the recipient by issuer and serial number.
type Form struct {
	Signed   bool
	CTR      bool
	ByKeyID  bool // the recipient, and a static sender, by subjectKeyIdentifier
	Static   bool // a static key of the system
	Attach   bool // with its certificate in the message
	Bare     bool // the inner SignedData without ContentInfo, as contentType signedData
	Official bool // signed by the official instead of the seal
	Stranger bool // signed by the stranger
	Spoilt   bool // the signature is over another content
	Tampered bool // the wrapped key was changed on the way
}

// Seal wraps content for the certificate recipient, DER. sender is the certificate of the static key, nil without one.
func (s *System) Seal(content, recipient []byte, f Form) (message, sender []byte, err error) {
	to, err := tbs.Parse(recipient)
	if err != nil {
		return nil, nil, err
	}
	o := cms.SealOptions{Content: content, Recipients: []*tbs.Certificate{to}, ByKeyID: f.ByKeyID, Rand: rand.Reader}
	if f.Signed {
		if o.Content, err = s.sign(content, f); err != nil {
			return nil, nil, err
		}
		if f.Bare {
			o.ContentType, o.Content = cms.OIDSignedData, bare(o.Content)
		}
	}
	if f.CTR {
		o.Cipher = cms.OIDGOST28147CTR
	}
	if f.Static {
		if to.PublicKey.DSTU == nil {
			return nil, nil, cms.ErrNotAgreement
		}
		i := s.senders[to.PublicKey.DSTU.Curve()]
		if i == nil {
			return nil, nil, cms.ErrSenderCurve
		}
		sender = i.Certificate.Raw
		o.Sender = &cms.Sender{Key: i.Key.DSTU, Certificate: i.Certificate.Certificate, Attach: f.Attach, ByKeyID: f.ByKeyID}
	}
	if message, err = cms.Seal(o); err != nil {
		return nil, nil, err
	}
	if f.Tampered {
		message = tamper(message)
	}
	return message, sender, nil
}

// SealRaw encrypts content as it is, of any form.
func (s *System) SealRaw(content, recipient []byte) ([]byte, error) {
	message, _, err := s.Seal(content, recipient, Form{})
	return message, err
}

func (s *System) sign(content []byte, f Form) ([]byte, error) {
	by := s.seal
	switch {
	case f.Official:
		by = s.official
	case f.Stranger:
		by = s.stranger
	}
	signed, err := cms.Sign(by.Key, cms.Options{Certificate: by.Certificate.Raw, Content: content, SigningTime: time.Now()})
	if f.Spoilt && err == nil {
		// One character of the content, which is JSON, so that it still reads.
		at := bytes.Index(signed, []byte(`":"`))
		signed = bytes.Clone(signed)
		signed[at+3] ^= 1
	}
	return signed, err
}

// bare takes the ContentInfo off.
func bare(message []byte) []byte {
	outer := der.NewReader(message)
	info := outer.Sequence()
	info.OID()
	explicit := info.Nested(der.Constructed(0))
	return explicit.Next().Full
}

// wrapped is the head of an encryptedKey of ГОСТ 28147: an OCTET STRING of 44 octets.
var wrapped = []byte{byte(der.OctetString), 44}

func tamper(message []byte) []byte {
	message = bytes.Clone(message)
	if at := bytes.Index(message, wrapped); at >= 0 {
		message[at+len(wrapped)+20] ^= 1
	}
	return message
}
