package cms

import (
	"bytes"
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// OpenOptions say with what a message is opened. Key is required.
type OpenOptions struct {
	Key EnvelopeKey
	// Certificates are certificates of Key; those of other keys are passed over. With one, only recipients that are named by
	// it, or by an identifier of the key, are tried. Without any, every recipient is whose name could be the key's.
	Certificates []*tbs.Certificate
	// SBox is the ДКЕ of Key, packed, for the key wrap of ГОСТ 28147. nil is what the certificate says, or ДКЕ № 1.
	SBox []byte
	// Senders are certificates among which the sender's is looked for if the message names one; those in the message
	// itself are looked at after them.
	Senders []*tbs.Certificate
}

// An Opened is the content of a message. Nothing in it is authentic: an envelope has no integrity of its own and proves
// nothing of its maker (T47). Whoever needs more verifies a SignedData within.
type Opened struct {
	ContentType der.OID
	Content     []byte
	Recipient   Recipient
	// UnverifiedSender is the certificate of the key with which the message was made, nil for an ephemeral key. Whether the
	// certificate is worth anything was not looked at.
	UnverifiedSender *tbs.Certificate
}

// Open decrypts the message. What is wrong with the message in the eyes of anyone is told as it is (ErrEnvelopeAlgorithm,
// ErrNotRecipient, ErrSenderUnknown); every failure behind that is ErrEnvelope itself.
func (e *EnvelopedData) Open(o OpenOptions) (*Opened, error) {
	content, ok := findContentCipher(e.ContentAlgorithm.OID)
	if !ok {
		return nil, ErrEnvelopeAlgorithm
	}
	parameters, err := content.parameters(e.ContentAlgorithm.Parameters)
	if err != nil {
		return nil, err
	}
	me, err := newSelf(o)
	if err != nil {
		return nil, err
	}
	refusal := ErrNotRecipient
	tried := false
	for _, r := range e.Recipients {
		if !me.isNamed(r.Name) {
			continue
		}
		a, known := findAgreement(r.Agreement)
		w, wrapKnown := findKeyWrap(r.Wrap)
		if !known || !wrapKnown {
			refusal = ErrEnvelopeAlgorithm
			continue
		}
		peer, sender, found := e.sender(r, me, o)
		if !found {
			refusal = ErrSenderUnknown
			continue
		}
		tried = true
		key := me.unwrap(r, a, w, peer)
		if key == nil {
			continue
		}
		plain := make([]byte, len(e.encryptedContent))
		err := content.crypt(key, parameters, plain, e.encryptedContent, true)
		clear(key)
		if err != nil {
			return nil, ErrEnvelope
		}
		return &Opened{ContentType: e.ContentType, Content: plain, Recipient: r, UnverifiedSender: sender}, nil
	}
	if tried {
		return nil, ErrEnvelope
	}
	return nil, refusal
}

// sender finds the public key of the other side. An ephemeral key that is not usable is nil and found: what is wrong with
// it is not told apart from a wrong key.
func (e *EnvelopedData) sender(r Recipient, me *self, o OpenOptions) (peer *dstu4145.PublicKey, certificate *tbs.Certificate, found bool) {
	if r.Ephemeral {
		return ephemeralKey(r.originatorKey, me.public.Curve()), nil, true
	}
	for _, c := range o.Senders {
		if r.Sender.names(c) {
			return c.PublicKey.DSTU, c, true
		}
	}
	for _, raw := range e.UnverifiedCertificates {
		if c, err := tbs.Parse(raw); err == nil && r.Sender.names(c) {
			return c.PublicKey.DSTU, c, true
		}
	}
	return nil, nil, false
}

// ephemeralKey reads an originatorKey. RFC 5753 3.1.1 lets its parameters be absent or NULL: the curve is then the
// recipient's.
func ephemeralKey(raw []byte, curve *dstu4145.Curve) *dstu4145.PublicKey {
	info, err := spki.Parse(raw)
	if err != nil {
		return nil
	}
	if p := info.Algorithm.Parameters; info.Algorithm.OID == spki.OIDDSTU4145 && (p == nil || bytes.Equal(p, der.EncodeNull())) {
		info, err = spki.Parse(der.EncodeSequence(spki.CurveAlgorithm(curve).Encode(), der.EncodeBitString(info.Key)))
		if err != nil {
			return nil
		}
	}
	return info.DSTU
}

// names reports whether n names the key of c: by issuer and serial number, or by the key identifier that c states or
// that one of the national rules computes.
func (n KeyName) names(c *tbs.Certificate) bool {
	if n.SubjectKeyID == nil {
		return n.RawIssuer != nil && bytes.Equal(n.RawIssuer, c.RawIssuer) && c.SameSerial(n.Serial)
	}
	if stated := subjectKeyID(c); stated != nil && bytes.Equal(stated, n.SubjectKeyID) {
		return true
	}
	return c.PublicKey.DSTU != nil && n.isKeyID(c.PublicKey.DSTU)
}

func (n KeyName) isKeyID(k *dstu4145.PublicKey) bool {
	return bytes.Equal(n.SubjectKeyID, spki.KeyID(k)) || bytes.Equal(n.SubjectKeyID, spki.KeyIDKupyna(k))
}

// oidSubjectKeyID is 2.5.29.14.
const oidSubjectKeyID der.OID = "\x55\x1d\x0e"

func subjectKeyID(c *tbs.Certificate) []byte {
	e := c.Extension(oidSubjectKeyID)
	if e == nil {
		return nil
	}
	r := der.NewReader(e.Value)
	id := r.OctetString()
	if r.Done() != nil {
		return nil
	}
	return id
}

// A self is the recipient that we are.
type self struct {
	key          EnvelopeKey
	public       *dstu4145.PublicKey
	certificates []*tbs.Certificate // of key
	sbox         *gost28147.SBox
}

var errNoKey = errors.New("cms: no key for key agreement")

func newSelf(o OpenOptions) (*self, error) {
	if err := CheckEnvelopeKey(o.Key); err != nil {
		return nil, err
	}
	public, _ := o.Key.Public().(*dstu4145.PublicKey)
	s := &self{key: o.Key, public: public}
	packed := o.SBox
	for _, c := range o.Certificates {
		if c.PublicKey.DSTU == nil || !c.PublicKey.DSTU.Equal(public) {
			continue
		}
		s.certificates = append(s.certificates, c)
		if packed == nil {
			packed = c.PublicKey.SBox
		}
	}
	if packed != nil {
		sbox, err := gost28147.ParseSBox(packed)
		if err != nil {
			return nil, err
		}
		s.sbox = sbox
	}
	return s, nil
}

func (s *self) isNamed(n KeyName) bool {
	for _, c := range s.certificates {
		if n.names(c) {
			return true
		}
	}
	if n.SubjectKeyID != nil {
		return n.isKeyID(s.public)
	}
	return len(s.certificates) == 0
}

// unwrap returns the content key, or nil. peer is nil if the sender's key cannot be used.
func (s *self) unwrap(r Recipient, a agreement, w keyWrap, peer *dstu4145.PublicKey) []byte {
	if peer == nil || peer.Curve() != s.public.Curve() {
		return nil
	}
	key, atHand := s.key.(KeyAgreer)
	if !atHand {
		return s.unwrapInside(r, peer)
	}
	z, err := a.secret(key, peer)
	if err != nil {
		return nil
	}
	keks := a.keks(z, r.Wrap, r.ukm)
	first, err := w.unwrap(keks[0], s.sbox, r.encryptedKey)
	second, err2 := w.unwrap(keks[1], s.sbox, r.encryptedKey)
	for _, secret := range [][]byte{z, keks[0], keks[1]} {
		clear(secret)
	}
	if err != nil {
		first, err = second, err2
	}
	if err != nil {
		return nil
	}
	return first
}

// unwrapInside has a token unwrap: what it derives is not seen here.
func (s *self) unwrapInside(r Recipient, peer *dstu4145.PublicKey) []byte {
	w := WrappedKey{Agreement: r.Agreement, Wrap: r.Wrap, Peer: peer, UKM: r.ukm, Key: r.encryptedKey}
	if s.sbox != nil {
		w.SBox = s.sbox.Bytes()
	}
	inside, ok := s.key.(KeyUnwrapper)
	if !ok {
		return nil
	}
	key, err := inside.UnwrapKey(w)
	if err != nil || len(key) != keySize {
		return nil
	}
	return key
}
