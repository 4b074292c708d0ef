package cms

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// An octetSigner gives a value of a chosen length, for sizes that signatures of other algorithms have.
type octetSigner struct{ value []byte }

func (s octetSigner) DigestAlgorithm() spki.Algorithm { return spki.Algorithm{OID: OIDSHA256} }
func (s octetSigner) SignatureAlgorithm() spki.Algorithm {
	return spki.Algorithm{OID: spki.OIDRSA, Parameters: der.EncodeNull()}
}
func (s octetSigner) Sign([]byte) ([]byte, error) { return bytes.Clone(s.value), nil }
func (s octetSigner) Digest(data []byte) ([]byte, error) {
	d := sha256.Sum256(data)
	return d[:], nil
}

// nested is the message of RFC 5652, each structure made by itself from the inside out.
func nested(s Signer, c *tbs.Certificate, o Options, attributes, value []byte) []byte {
	digest := s.DigestAlgorithm().Encode()
	attributes = bytes.Clone(attributes)
	attributes[0] = byte(der.Constructed(0))
	info := der.EncodeSequence(
		der.EncodeInt(1), der.EncodeSequence(c.RawIssuer, der.Element(der.Integer, c.Serial)), digest, attributes,
		s.SignatureAlgorithm().Encode(), der.EncodeOctetString(value),
	)
	content := der.EncodeOID(OIDData)
	if !o.Detached {
		content = append(content, der.Element(der.Constructed(0), der.EncodeOctetString(o.Content))...)
	}
	certificates := der.EncodeSetOf(append([][]byte{c.Raw}, o.Chain...)...)
	certificates[0] = byte(der.Constructed(0))
	return der.EncodeSequence(der.EncodeOID(OIDSignedData), der.Element(der.Constructed(0), der.EncodeSequence(
		der.EncodeInt(1), der.Element(der.Set, digest), der.EncodeSequence(content), certificates, der.Element(der.Set, info),
	)))
}

// TestSignWritesOnce: the message is that which is made from the inside out, whatever the lengths of its parts, and its
// attributes are what was asked for.
func TestSignWritesOnce(t *testing.T) {
	raw := vectors.Read(t, "certs/diia-test-sign.cer")
	c, err := tbs.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	key, err := dstu4145.GenerateKey(dstu4145.M257(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	national, err := NewDSTUSigner(key, OIDDSTUWithGOST34311, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := vectors.Read(t, "certs/diia-ca.cer")
	for _, s := range []Signer{national, octetSigner{make([]byte, 127)}, octetSigner{make([]byte, 128)}, octetSigner{make([]byte, 256)}, octetSigner{make([]byte, 2048)}} {
		p, err := Prepare(s, raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 100, 127, 128, 250, 256, 4000, 1 << 16} {
			for i, o := range []Options{
				{},
				{Detached: true, Purpose: PurposeLogin, SigningTime: time.Date(2026, 3, 1, 12, 0, 5, 7, time.UTC)},
				{Purpose: PurposeLogin, SigningTime: time.Date(2050, 1, 1, 1, 30, 0, 0, time.FixedZone("", 3600)), Chain: [][]byte{other}},
				{Detached: true, SigningTime: time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC), Chain: [][]byte{other, other}},
			} {
				o.Content = bytes.Repeat([]byte{'x'}, size)
				b, err := p.Sign(o)
				if err != nil {
					t.Fatal(err)
				}
				sd, err := Parse(b, DocumentLimits)
				if err != nil {
					t.Fatalf("%d octets, options %d: %v", size, i, err)
				}
				if !bytes.Equal(b, nested(s, c, o, sd.Signers[0].RawSignedAttributes, sd.Signers[0].Signature)) {
					t.Fatalf("%d octets, options %d: not the message that is made from the inside out", size, i)
				}
				a, err := sd.Signers[0].SignedAttributes()
				digest, _ := s.Digest(o.Content)
				if err != nil || !a.InOrder || !a.Single || a.ContentType != OIDData || a.Purpose != o.Purpose || !bytes.Equal(a.MessageDigest, digest) ||
					!a.SigningTime.Equal(o.SigningTime.Truncate(time.Second)) || len(a.SigningCertificates) != 1 || !bytes.Equal(a.SigningCertificates[0].Serial, c.Serial) {
					t.Fatalf("%d octets, options %d: attributes %+v, %v", size, i, a, err)
				}
			}
		}
	}
}

// TestSignAllocations: a message is written into one piece of memory, whatever its nesting.
func TestSignAllocations(t *testing.T) {
	p, err := Prepare(octetSigner{make([]byte, 64)}, vectors.Read(t, "certs/diia-test-sign.cer"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Content: []byte("content"), Detached: true, Purpose: PurposeLogin, SigningTime: time.Now()}
	n := testing.AllocsPerRun(20, func() {
		if _, err := p.Sign(o); err != nil {
			t.Fatal(err)
		}
	})
	// The digest, the attributes, the value and the message.
	if n > 4 {
		t.Errorf("%v allocations, want 4", n)
	}
}

// TestSignTwice: what was prepared is not changed by a signature.
func TestSignTwice(t *testing.T) {
	s := octetSigner{make([]byte, 64)}
	p, err := Prepare(s, vectors.Read(t, "certs/diia-test-sign.cer"))
	if err != nil {
		t.Fatal(err)
	}
	var made [][]byte
	for _, content := range []string{"one", "another", "one"} {
		b, err := p.Sign(Options{Content: []byte(content), Purpose: PurposeLogin})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, b)
	}
	if !slices.Equal(made[0], made[2]) || slices.Equal(made[0], made[1]) {
		t.Error("the message depends on those before it")
	}
}
