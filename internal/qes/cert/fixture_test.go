package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"brama/internal/der"
)

// issued makes a certificate by crypto/x509 with the given changes: it has the usage and statements of a person's and names
// nobody.
func issued(t testing.TB, change func(*x509.Certificate)) *Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(77),
		NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		Subject:      pkix.Name{CommonName: "тест"},
	}
	if change != nil {
		change(template)
	}
	b, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func stdOID(o der.OID) asn1.ObjectIdentifier {
	var out asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der.EncodeOID(o), &out); err != nil {
		panic(err)
	}
	return out
}

// named adds an attribute to the subject.
func named(x *x509.Certificate, oid der.OID, value any) {
	x.Subject.ExtraNames = append(x.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: stdOID(oid), Value: value})
}

// directory adds subjectDirectoryAttributes.
func directory(x *x509.Certificate, attributes ...[]byte) {
	x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: stdOID(oidSubjectDirectoryAttributes), Value: der.EncodeSequence(attributes...)})
}

func directoryAttribute(oid der.OID, values ...string) []byte {
	var encoded [][]byte
	for _, v := range values {
		tag := der.PrintableString
		for _, r := range v {
			if r > 0x7f {
				tag = der.UTF8String
			}
		}
		encoded = append(encoded, der.EncodeString(tag, v))
	}
	return der.EncodeSequence(der.EncodeOID(oid), der.EncodeSetOf(encoded...))
}
