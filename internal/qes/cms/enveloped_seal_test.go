package cms_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// A party is a key with a certificate that is well-formed and signed by nobody.
type party struct {
	key  *dstu4145.PrivateKey
	cert *tbs.Certificate
}

// options of newParty.
type partyOptions struct {
	usage byte   // keyUsage as its octet, 0 leaves the extension out
	sbox  []byte // ДКЕ in the parameters
	noSKI bool
}

var agreementOnly = partyOptions{usage: 0x08}

var serials byte

func newParty(t testing.TB, c *dstu4145.Curve, o partyOptions) party {
	t.Helper()
	key, err := dstu4145.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serials++
	return certify(t, key, serials, o)
}

func certify(t testing.TB, key *dstu4145.PrivateKey, serial byte, o partyOptions) party {
	t.Helper()
	public := key.PublicKey()
	algorithm := spki.CurveAlgorithm(key.Curve())
	if o.sbox != nil {
		curve := der.NewReader(algorithm.Parameters).Sequence()
		algorithm.Parameters = der.EncodeSequence(curve.Rest(), der.EncodeOctetString(o.sbox))
	}
	name := der.EncodeSequence(der.Element(der.Set, der.EncodeSequence(der.EncodeOID(tbs.OIDCommonName), der.EncodeString(der.UTF8String, "Тест"))))
	var extensions [][]byte
	if !o.noSKI {
		id := der.EncodeOctetString(der.EncodeOctetString(spki.KeyID(public)))
		extensions = append(extensions, der.EncodeSequence(der.EncodeOID(der.NewOID("2.5.29.14")), id))
	}
	if o.usage != 0 {
		bits := der.EncodeOctetString([]byte{3, 2, 3, o.usage})
		extensions = append(extensions, der.EncodeSequence(der.EncodeOID(der.NewOID("2.5.29.15")), der.EncodeBoolean(true), bits))
	}
	signature := spki.Algorithm{OID: spki.OIDDSTU4145}.Encode()
	day := der.EncodeString(der.UTCTime, "260101000000Z")
	body := [][]byte{
		der.Element(der.Constructed(0), der.EncodeInt(2)),
		der.EncodeInt(int(serial)),
		signature, name, der.EncodeSequence(day, day), name,
		der.EncodeSequence(algorithm.Encode(), der.EncodeBitString(der.EncodeOctetString(public.Bytes()))),
	}
	if extensions != nil {
		body = append(body, der.Element(der.Constructed(3), der.EncodeSequence(extensions...)))
	}
	cert, err := tbs.Parse(der.EncodeSequence(der.EncodeSequence(body...), signature, der.EncodeBitString(make([]byte, 66))))
	if err != nil {
		t.Fatal(err)
	}
	return party{key, cert}
}

func seal(t testing.TB, o cms.SealOptions) []byte {
	t.Helper()
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	b, err := cms.Seal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, b []byte, o cms.OpenOptions) *cms.Opened {
	t.Helper()
	opened, err := parse(t, b).Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

var (
	ciphers    = []der.OID{cms.OIDGOST28147CFB, cms.OIDGOST28147CTR, cms.OIDKalyna256CFB, cms.OIDKalyna256CTR}
	agreements = []der.OID{cms.OIDCofactorDHWithGOST34311, cms.OIDDHWithGOST34311, cms.OIDCofactorDHWithKupyna256, cms.OIDDHWithKupyna256}
	wraps      = []der.OID{cms.OIDGOST28147Wrap, cms.OIDKalynaWrap}
)

// TestSealOpen walks every cipher, agreement, wrap, kind of sender and way of naming.
func TestSealOpen(t *testing.T) {
	contents := [][]byte{{}, []byte("{"), bytes.Repeat([]byte("брама "), 100)}
	for _, curve := range []*dstu4145.Curve{dstu4145.M257(), dstu4145.M431()} {
		recipient, sender := newParty(t, curve, agreementOnly), newParty(t, curve, agreementOnly)
		for _, cipher := range ciphers {
			for _, agreement := range agreements {
				for _, wrap := range wraps {
					for _, static := range []bool{false, true} {
						for _, byKeyID := range []bool{false, true} {
							name := fmt.Sprint(curve.Name(), cipher, agreement, wrap, static, byKeyID)
							content := contents[int(agreement[len(agreement)-1]+cipher[len(cipher)-1])%len(contents)]
							o := cms.SealOptions{Content: content, Recipients: []*tbs.Certificate{recipient.cert}, ByKeyID: byKeyID,
								Cipher: cipher, Agreement: agreement, Wrap: wrap}
							if static {
								o.Sender = &cms.Sender{Key: sender.key, Certificate: sender.cert, ByKeyID: byKeyID}
							}
							opened := open(t, seal(t, o), cms.OpenOptions{Key: recipient.key, Certificates: []*tbs.Certificate{sender.cert, recipient.cert}, Senders: []*tbs.Certificate{recipient.cert, sender.cert}})
							if !bytes.Equal(opened.Content, content) || opened.ContentType != cms.OIDData {
								t.Errorf("%s: got %q, want %q", name, opened.Content, content)
							}
							if static && opened.UnverifiedSender != sender.cert || opened.Recipient.Ephemeral == static {
								t.Errorf("%s: wrong sender", name)
							}
						}
					}
				}
			}
		}
	}
}

// TestSealDefaults: the wrap and the derivation go with the cipher, and the content type stays.
func TestSealDefaults(t *testing.T) {
	p := newParty(t, dstu4145.M257(), agreementOnly)
	for _, v := range []struct{ cipher, agreement, wrap der.OID }{
		{"", cms.OIDCofactorDHWithGOST34311, cms.OIDGOST28147Wrap},
		{cms.OIDKalyna256CFB, cms.OIDCofactorDHWithKupyna256, cms.OIDKalynaWrap},
	} {
		e := parse(t, seal(t, cms.SealOptions{Content: []byte("1"), ContentType: cms.OIDSignedData, Recipients: []*tbs.Certificate{p.cert}, Cipher: v.cipher}))
		if r := e.Recipients[0]; r.Agreement != v.agreement || r.Wrap.OID != v.wrap {
			t.Errorf("%s: %s, %s", v.cipher, r.Agreement, r.Wrap.OID)
		}
		opened, err := e.Open(cms.OpenOptions{Key: p.key})
		if err != nil || opened.ContentType != cms.OIDSignedData {
			t.Errorf("%s: %v, %v", v.cipher, opened, err)
		}
	}
}

// TestManyRecipients: each of them opens the message, on whatever curve; a stranger does not.
func TestManyRecipients(t *testing.T) {
	var parties []party
	var certs []*tbs.Certificate
	for _, c := range dstu4145.Curves() {
		p := newParty(t, c, agreementOnly)
		parties, certs = append(parties, p), append(certs, p.cert)
	}
	b := seal(t, cms.SealOptions{Content: []byte("усім"), Recipients: certs})
	for _, p := range parties {
		for _, own := range [][]*tbs.Certificate{certs, nil} {
			if got := open(t, b, cms.OpenOptions{Key: p.key, Certificates: own}); string(got.Content) != "усім" {
				t.Errorf("%s: %q", p.key.Curve().Name(), got.Content)
			}
		}
	}
	stranger := newParty(t, dstu4145.M257(), agreementOnly)
	e := parse(t, b)
	if _, err := e.Open(cms.OpenOptions{Key: stranger.key, Certificates: []*tbs.Certificate{stranger.cert}}); err != cms.ErrNotRecipient {
		t.Errorf("a stranger with a certificate: %v", err)
	}
	if _, err := e.Open(cms.OpenOptions{Key: stranger.key}); err != cms.ErrEnvelope {
		t.Errorf("a stranger who tries: %v", err)
	}
	if _, err := cms.ParseEnveloped(b, cms.EnvelopeLimits{Size: len(b), Recipients: len(certs) - 1}); !errors.Is(err, cms.ErrTooMany) {
		t.Errorf("one recipient more than allowed: %v", err)
	}
	if _, err := cms.ParseEnveloped(b, cms.EnvelopeLimits{Size: len(b) - 1, Recipients: len(certs)}); !errors.Is(err, cms.ErrTooBig) {
		t.Errorf("one octet more than allowed: %v", err)
	}
}

// TestForeignSBox: the ДКЕ of the recipient's certificate is that of the wrap.
func TestForeignSBox(t *testing.T) {
	sbox := bytes.Repeat([]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}, 8)
	if _, err := gost28147.ParseSBox(sbox); err != nil {
		t.Fatal(err)
	}
	p := newParty(t, dstu4145.M257(), partyOptions{usage: 8, sbox: sbox})
	e := parse(t, seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{p.cert}}))
	for name, o := range map[string]cms.OpenOptions{
		"by certificate": {Key: p.key, Certificates: []*tbs.Certificate{p.cert}},
		"by option":      {Key: p.key, SBox: sbox},
	} {
		if opened, err := e.Open(o); err != nil || string(opened.Content) != "1" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.Open(cms.OpenOptions{Key: p.key}); err != cms.ErrEnvelope {
		t.Errorf("with ДКЕ № 1: %v", err)
	}
}

// TestSenderInMessage: a certificate that the sender attaches is found.
func TestSenderInMessage(t *testing.T) {
	to, from := newParty(t, dstu4145.M257(), agreementOnly), newParty(t, dstu4145.M257(), agreementOnly)
	b := seal(t, cms.SealOptions{Content: []byte("1"), Recipients: []*tbs.Certificate{to.cert},
		Sender: &cms.Sender{Key: from.key, Certificate: from.cert, Attach: true}})
	opened := open(t, b, cms.OpenOptions{Key: to.key})
	if opened.UnverifiedSender == nil || !bytes.Equal(opened.UnverifiedSender.Raw, from.cert.Raw) {
		t.Error("the sender's certificate was not found in the message")
	}
	// The sender could compute the secret, but the message does not name him as a recipient.
	if _, err := parse(t, b).Open(cms.OpenOptions{Key: from.key, Certificates: []*tbs.Certificate{from.cert}}); err != cms.ErrNotRecipient {
		t.Errorf("the sender is not a recipient: %v", err)
	}
}

func TestSealRefused(t *testing.T) {
	p257, p431 := newParty(t, dstu4145.M257(), agreementOnly), newParty(t, dstu4145.M431(), agreementOnly)
	signing, bare := newParty(t, dstu4145.M257(), partyOptions{usage: 0xc0}), newParty(t, dstu4145.M257(), partyOptions{})
	noID := newParty(t, dstu4145.M257(), partyOptions{usage: 8, noSKI: true})
	to := []*tbs.Certificate{p257.cert}
	for name, v := range map[string]struct {
		o    cms.SealOptions
		want error // nil: any
	}{
		"nobody":             {cms.SealOptions{}, cms.ErrNoRecipients},
		"signing key":        {cms.SealOptions{Recipients: []*tbs.Certificate{signing.cert}}, cms.ErrNotAgreement},
		"no usage":           {cms.SealOptions{Recipients: []*tbs.Certificate{bare.cert}}, cms.ErrNotAgreement},
		"cipher":             {cms.SealOptions{Recipients: to, Cipher: cms.OIDKalynaWrap}, cms.ErrUnknownAlgorithm},
		"agreement":          {cms.SealOptions{Recipients: to, Agreement: cms.OIDKalynaWrap}, cms.ErrUnknownAlgorithm},
		"wrap":               {cms.SealOptions{Recipients: to, Wrap: cms.OIDKalyna256CFB}, cms.ErrUnknownAlgorithm},
		"sender's curve":     {cms.SealOptions{Recipients: to, Sender: &cms.Sender{Key: p431.key, Certificate: p431.cert}}, cms.ErrSenderCurve},
		"sender's cert":      {cms.SealOptions{Recipients: to, Sender: &cms.Sender{Key: p431.key, Certificate: p257.cert}}, cms.ErrSenderMismatch},
		"sender signs":       {cms.SealOptions{Recipients: to, Sender: &cms.Sender{Key: signing.key, Certificate: signing.cert}}, cms.ErrNotAgreement},
		"sender without key": {cms.SealOptions{Recipients: to, Sender: &cms.Sender{Certificate: p257.cert}}, nil},
		"no identifier":      {cms.SealOptions{Recipients: []*tbs.Certificate{noID.cert}, ByKeyID: true}, nil},
		"no randomness":      {cms.SealOptions{Recipients: to, Rand: bytes.NewReader(nil)}, io.EOF},
		"little randomness":  {cms.SealOptions{Recipients: to, Rand: io.LimitReader(rand.Reader, 79)}, io.ErrUnexpectedEOF},
	} {
		v.o.Content = []byte("1")
		if v.o.Rand == nil {
			v.o.Rand = rand.Reader
		}
		b, err := cms.Seal(v.o)
		if err == nil || b != nil || v.want != nil && !errors.Is(err, v.want) {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
	}
}
