package cms

import (
	"errors"
	"io"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// Errors of Seal, each one cause (errors.Is).
var (
	ErrNoRecipients     = errors.New("cms: no recipients")
	ErrNotAgreement     = errors.New("cms: the certificate is not for key agreement with ДСТУ 4145")
	ErrSenderCurve      = errors.New("cms: the sender's key is on another curve than the recipient's")
	ErrSenderMismatch   = errors.New("cms: the sender's certificate is of another key")
	ErrUnknownAlgorithm = errors.New("cms: no such cipher, agreement or key wrap")
)

// A Sender is a static key with which messages are made, so that only its owner, and any of the recipients, could have
// made them.
type Sender struct {
	Key         KeyAgreer
	Certificate *tbs.Certificate // of Key; the recipient must have it, or get it in the message
	// Attach puts the certificate into the message.
	Attach bool
	// ByKeyID names the key by its subjectKeyIdentifier instead of issuer and serial number.
	ByKeyID bool
}

// SealOptions say what is encrypted, for whom and how. Content, Recipients and Rand are required.
type SealOptions struct {
	Content     []byte
	ContentType der.OID // zero is OIDData
	// Recipients are certificates for key agreement. Whether they are valid is the caller's to know.
	Recipients []*tbs.Certificate
	// ByKeyID names the recipients by their subjectKeyIdentifier instead of issuer and serial number.
	ByKeyID bool
	// Sender is nil for an ephemeral key, made anew for every recipient.
	Sender *Sender
	// Cipher is OIDGOST28147CFB (also for zero), OIDGOST28147CTR, OIDKalyna256CFB or OIDKalyna256CTR.
	Cipher der.OID
	// Agreement and Wrap are zero for those that go with the cipher: cofactor Diffie-Hellman with ГОСТ 34.311 and the wrap
	// of ГОСТ 28147, or with Купина-256 and the wrap of Калина.
	Agreement, Wrap der.OID
	// Rand is where keys and vectors come from: crypto/rand.Reader.
	Rand io.Reader
}

// ukmSize is the length of the user keying material that goes with a static sender, as other programs make it: it makes
// every message's keys different.
const ukmSize = 64

// Seal makes a ContentInfo with an EnvelopedData (RFC 5652 6.1), in DER.
func Seal(o SealOptions) ([]byte, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	content, _ := findContentCipher(o.Cipher)
	secrets := make([]byte, keySize+content.iv)
	if _, err := io.ReadFull(o.Rand, secrets); err != nil {
		return nil, err
	}
	key, iv := secrets[:keySize], secrets[keySize:]
	defer clear(key)
	var recipients [][]byte
	for _, c := range o.Recipients {
		info, err := o.keyAgree(c, key)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, info)
	}
	encrypted := make([]byte, len(o.Content))
	if err := content.crypt(key, cipherParameters{iv: iv}, encrypted, o.Content, false); err != nil {
		return nil, err
	}

	var originator []byte
	if o.Sender != nil && o.Sender.Attach {
		originator = der.Element(der.Constructed(0), der.Element(der.Constructed(0), o.Sender.Certificate.Raw))
	}
	algorithm := spki.Algorithm{OID: o.Cipher, Parameters: der.EncodeSequence(der.EncodeOctetString(iv))}
	enveloped := der.EncodeSequence(
		der.EncodeInt(2), // RFC 5652 6.1: neither other certificates nor passwords
		originator,
		der.EncodeSetOf(recipients...),
		der.EncodeSequence(der.EncodeOID(o.ContentType), algorithm.Encode(), der.Element(der.Context(0), encrypted)),
	)
	return der.EncodeSequence(der.EncodeOID(OIDEnvelopedData), der.Element(der.Constructed(0), enveloped)), nil
}

// complete fills the zero fields in and checks the others.
func (o *SealOptions) complete() error {
	if o.ContentType == "" {
		o.ContentType = OIDData
	}
	if o.Cipher == "" {
		o.Cipher = OIDGOST28147CFB
	}
	agreement, wrap := OIDCofactorDHWithGOST34311, OIDGOST28147Wrap
	if o.Cipher == OIDKalyna256CFB || o.Cipher == OIDKalyna256CTR {
		agreement, wrap = OIDCofactorDHWithKupyna256, OIDKalynaWrap
	}
	if o.Agreement == "" {
		o.Agreement = agreement
	}
	if o.Wrap == "" {
		o.Wrap = wrap
	}
	_, cipherKnown := findContentCipher(o.Cipher)
	_, wrapKnown := findKeyWrap(spki.Algorithm{OID: o.Wrap})
	_, agreementKnown := findAgreement(o.Agreement)
	if !cipherKnown || !wrapKnown || !agreementKnown {
		return ErrUnknownAlgorithm
	}
	if len(o.Recipients) == 0 {
		return ErrNoRecipients
	}
	if o.Rand == nil {
		return errors.New("cms: no randomness")
	}
	for _, c := range o.Recipients {
		if err := checkAgreement(c); err != nil {
			return err
		}
	}
	if o.Sender == nil {
		return nil
	}
	if o.Sender.Key == nil || o.Sender.Certificate == nil {
		return errNoKey
	}
	if err := checkAgreement(o.Sender.Certificate); err != nil {
		return err
	}
	if !o.Sender.Certificate.PublicKey.DSTU.Equal(o.Sender.Key.Public()) {
		return ErrSenderMismatch
	}
	return nil
}

// checkAgreement refuses a certificate whose key is not for key agreement: with national certificates a person has two, and
// what is encrypted to the other one cannot be read.
func checkAgreement(c *tbs.Certificate) error {
	usage, ok := c.KeyUsage()
	if c.PublicKey.DSTU == nil || !ok || usage&tbs.KeyAgreement == 0 {
		return ErrNotAgreement
	}
	return nil
}

// keyAgree encodes the KeyAgreeRecipientInfo of one recipient.
func (o *SealOptions) keyAgree(c *tbs.Certificate, key []byte) ([]byte, error) {
	peer := c.PublicKey.DSTU
	var sbox *gost28147.SBox
	if packed := c.PublicKey.SBox; packed != nil {
		var err error
		if sbox, err = gost28147.ParseSBox(packed); err != nil {
			return nil, err
		}
	}
	a, _ := findAgreement(o.Agreement)
	originator, z, ukm, err := o.agree(a, peer)
	if err != nil {
		return nil, err
	}
	defer clear(z)
	wrap := spki.Algorithm{OID: o.Wrap, Parameters: der.EncodeNull()}
	keks := a.keks(z, wrap, ukm)
	w, _ := findKeyWrap(wrap)
	wrapped, err := w.wrap(keks[0], sbox, key, o.Rand)
	clear(keks[0])
	clear(keks[1])
	if err != nil {
		return nil, err
	}
	name, err := encodeRecipientName(c, o.ByKeyID)
	if err != nil {
		return nil, err
	}
	var material []byte
	if ukm != nil {
		material = der.Element(der.Constructed(1), der.EncodeOctetString(ukm))
	}
	return der.Element(der.Constructed(1),
		der.EncodeInt(3),
		der.Element(der.Constructed(0), originator),
		material,
		spki.Algorithm{OID: o.Agreement, Parameters: wrap.Encode()}.Encode(),
		der.EncodeSequence(der.EncodeSequence(name, der.EncodeOctetString(wrapped))),
	), nil
}

// agree returns the encoded OriginatorIdentifierOrKey, the shared secret and the user keying material.
func (o *SealOptions) agree(a agreement, peer *dstu4145.PublicKey) (originator, z, ukm []byte, err error) {
	if s := o.Sender; s != nil {
		ukm = make([]byte, ukmSize)
		if _, err := io.ReadFull(o.Rand, ukm); err != nil {
			return nil, nil, nil, err
		}
		if s.Certificate.PublicKey.DSTU.Curve() != peer.Curve() {
			return nil, nil, nil, ErrSenderCurve
		}
		if originator, err = encodeSenderName(s.Certificate, s.ByKeyID); err != nil {
			return nil, nil, nil, err
		}
		z, err = a.secret(s.Key, peer)
		return originator, z, ukm, err
	}
	for {
		ephemeral, err := dstu4145.GenerateKey(peer.Curve(), o.Rand)
		if err != nil {
			return nil, nil, nil, err
		}
		if z, err = a.secret(ephemeral, peer); err != nil {
			return nil, nil, nil, err
		}
		// A secret from which programs derive different keys is not used: there are enough others.
		if leadingZeros(z) > 1 {
			continue
		}
		public := ephemeral.Public().(*dstu4145.PublicKey)
		originator = spki.EncodePublicKey(public)
		originator[0] = byte(der.Constructed(1)) // IMPLICIT
		return originator, z, nil, nil
	}
}

func encodeIssuerAndSerial(c *tbs.Certificate) []byte {
	return der.EncodeSequence(c.RawIssuer, encodeSerial(c))
}

// keyIDOf returns the identifier that the certificate states; one without it cannot be named so.
func keyIDOf(c *tbs.Certificate) ([]byte, error) {
	id := subjectKeyID(c)
	if id == nil {
		return nil, errors.New("cms: the certificate has no subjectKeyIdentifier")
	}
	return id, nil
}

func encodeRecipientName(c *tbs.Certificate, byKeyID bool) ([]byte, error) {
	if !byKeyID {
		return encodeIssuerAndSerial(c), nil
	}
	id, err := keyIDOf(c)
	if err != nil {
		return nil, err
	}
	return der.Element(der.Constructed(0), der.EncodeOctetString(id)), nil
}

func encodeSenderName(c *tbs.Certificate, byKeyID bool) ([]byte, error) {
	if !byKeyID {
		return encodeIssuerAndSerial(c), nil
	}
	id, err := keyIDOf(c)
	if err != nil {
		return nil, err
	}
	return der.Element(der.Context(0), id), nil
}
