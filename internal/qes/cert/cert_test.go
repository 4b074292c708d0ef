package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

func statements(oid der.OID, info []byte) func(*x509.Certificate) {
	return func(x *x509.Certificate) {
		x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: stdOID(oidQCStatements), Critical: true,
			Value: der.EncodeSequence(der.EncodeSequence(der.EncodeOID(oid), info))})
	}
}

// TestAlgorithmTable: the identifier fixes the digest, parameters are those of the standard, and whatever has no row is
// refused (T11, T12).
func TestAlgorithmTable(t *testing.T) {
	null := der.EncodeNull()
	algorithm := func(oid string, parameters []byte) spki.Algorithm {
		return spki.Algorithm{OID: der.NewOID(oid), Parameters: parameters}
	}
	hashAlgorithm := func(oid der.OID) []byte { return spki.Algorithm{OID: oid, Parameters: null}.Encode() }
	pss := func(h, mgf der.OID, salt int) []byte {
		return der.EncodeSequence(
			der.Element(der.Constructed(0), hashAlgorithm(h)),
			der.Element(der.Constructed(1), spki.Algorithm{OID: oidMGF1, Parameters: hashAlgorithm(mgf)}.Encode()),
			der.Element(der.Constructed(2), der.EncodeInt(salt)))
	}
	const dstu = "1.2.804.2.1.1.1.1.3."
	for _, test := range []struct {
		name   string
		a      spki.Algorithm
		digest der.OID
		want   string // "" is a refusal
	}{
		{"ДСТУ with ГОСТ 34.311", algorithm(dstu+"1.1", nil), spki.OIDGOST34311, "DSTU4145-GOST34311"},
		{"ДСТУ with NULL", algorithm(dstu+"1.1", null), spki.OIDGOST34311, "DSTU4145-GOST34311"},
		{"ДСТУ with a curve", algorithm(dstu+"1.1", der.EncodeSequence()), spki.OIDGOST34311, ""},
		{"ДСТУ with another digest", algorithm(dstu+"1.1", nil), cms.OIDSHA256, ""},
		{"ДСТУ with Купина under ГОСТ", algorithm(dstu+"1.1", nil), spki.OIDKupyna256, ""},
		{"Купина-256", algorithm(dstu+"6.1.1", nil), spki.OIDKupyna256, "DSTU4145-KUPYNA256"},
		{"Купина-256 without the basis", algorithm(dstu+"6.1", nil), spki.OIDKupyna256, "DSTU4145-KUPYNA256"},
		{"Купина-384", algorithm(dstu+"6.2.1", nil), spki.OIDKupyna384, "DSTU4145-KUPYNA384"},
		{"Купина-512", algorithm(dstu+"6.3.1", nil), spki.OIDKupyna512, "DSTU4145-KUPYNA512"},
		{"Купина-512 with 256", algorithm(dstu+"6.3.1", nil), spki.OIDKupyna256, ""},
		{"big-endian", algorithm(dstu+"1.1.1.1", nil), spki.OIDGOST34311, ""},
		{"normal basis", algorithm(dstu+"1.2", nil), spki.OIDGOST34311, ""},
		{"ECDSA", algorithm("1.2.840.10045.4.3.2", nil), cms.OIDSHA256, "ECDSA-SHA256"},
		{"ECDSA-384", algorithm("1.2.840.10045.4.3.3", nil), cms.OIDSHA384, "ECDSA-SHA384"},
		{"ECDSA-512", algorithm("1.2.840.10045.4.3.4", nil), cms.OIDSHA512, "ECDSA-SHA512"},
		{"ECDSA with NULL", algorithm("1.2.840.10045.4.3.2", null), cms.OIDSHA256, ""},
		{"ECDSA with SHA-1", algorithm("1.2.840.10045.4.1", nil), der.NewOID("1.3.14.3.2.26"), ""},
		{"ECDSA with SHA-224", algorithm("1.2.840.10045.4.3.1", nil), der.NewOID("2.16.840.1.101.3.4.2.4"), ""},
		{"ECDSA-256 with SHA-512", algorithm("1.2.840.10045.4.3.2", nil), cms.OIDSHA512, ""},
		{"RSA", algorithm("1.2.840.113549.1.1.11", null), cms.OIDSHA256, "RSA-SHA256"},
		{"RSA in a certificate", algorithm("1.2.840.113549.1.1.11", null), "", "RSA-SHA256"},
		{"RSA-384", algorithm("1.2.840.113549.1.1.12", null), cms.OIDSHA384, "RSA-SHA384"},
		{"RSA-512", algorithm("1.2.840.113549.1.1.13", null), cms.OIDSHA512, "RSA-SHA512"},
		{"rsaEncryption", algorithm("1.2.840.113549.1.1.1", null), cms.OIDSHA256, "RSA-SHA256"},
		{"rsaEncryption without a digest", algorithm("1.2.840.113549.1.1.1", null), "", ""},
		{"rsaEncryption with SHA-1", algorithm("1.2.840.113549.1.1.1", null), der.NewOID("1.3.14.3.2.26"), ""},
		{"RSA with SHA-1", algorithm("1.2.840.113549.1.1.5", null), der.NewOID("1.3.14.3.2.26"), ""},
		{"RSA with MD5", algorithm("1.2.840.113549.1.1.4", null), der.NewOID("1.2.840.113549.2.5"), ""},
		{"PSS", algorithm("1.2.840.113549.1.1.10", pss(cms.OIDSHA256, cms.OIDSHA256, 32)), cms.OIDSHA256, "RSA-PSS-SHA256"},
		{"PSS-512", algorithm("1.2.840.113549.1.1.10", pss(cms.OIDSHA512, cms.OIDSHA512, 64)), cms.OIDSHA512, "RSA-PSS-SHA512"},
		{"PSS, two digests", algorithm("1.2.840.113549.1.1.10", pss(cms.OIDSHA256, cms.OIDSHA512, 32)), cms.OIDSHA256, ""},
		{"PSS, short salt", algorithm("1.2.840.113549.1.1.10", pss(cms.OIDSHA256, cms.OIDSHA256, 20)), cms.OIDSHA256, ""},
		{"PSS, defaults", algorithm("1.2.840.113549.1.1.10", der.EncodeSequence()), "", ""},
		{"PSS without parameters", algorithm("1.2.840.113549.1.1.10", nil), cms.OIDSHA256, ""},
		{"Ed25519", algorithm("1.3.101.112", nil), cms.OIDSHA512, ""},
		{"nothing", spki.Algorithm{}, "", ""},
	} {
		s, err := SchemeOf(test.a, test.digest)
		if test.want == "" {
			if !errors.Is(err, ErrAlgorithm) || s != (Scheme{}) {
				t.Errorf("%s: taken as %q", test.name, s.Name)
			}
		} else if err != nil || s.Name != test.want {
			t.Errorf("%s: %q, %v", test.name, s.Name, err)
		}
	}
}

func withKey(t *testing.T, public crypto.PublicKey, signer crypto.Signer) *Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0), SubjectKeyId: []byte{1}}
	b, err := x509.CreateCertificate(rand.Reader, template, template, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerifySignature(t *testing.T) {
	message := []byte("to be signed")
	d := sha256.Sum256(message)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecCert, rsaCert := withKey(t, ec.Public(), ec), withKey(t, rsaKey.Public(), rsaKey)
	ecSig, _ := ecdsa.SignASN1(rand.Reader, ec, d[:])
	rsaSig, _ := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, d[:])
	pssSig, _ := rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, d[:], &rsa.PSSOptions{SaltLength: 32})
	ecAlgorithm := spki.Algorithm{OID: der.NewOID("1.2.840.10045.4.3.2")}
	rsaAlgorithm := spki.Algorithm{OID: der.NewOID("1.2.840.113549.1.1.11"), Parameters: der.EncodeNull()}
	hash := spki.Algorithm{OID: cms.OIDSHA256}.Encode()
	pssAlgorithm := spki.Algorithm{OID: oidPSS, Parameters: der.EncodeSequence(
		der.Element(der.Constructed(0), hash),
		der.Element(der.Constructed(1), spki.Algorithm{OID: oidMGF1, Parameters: hash}.Encode()),
		der.Element(der.Constructed(2), der.EncodeInt(32)))}
	for _, test := range []struct {
		name string
		c    *Certificate
		a    spki.Algorithm
		sig  []byte
		want error
	}{
		{"ECDSA", ecCert, ecAlgorithm, ecSig, nil},
		{"RSA", rsaCert, rsaAlgorithm, rsaSig, nil},
		{"PSS", rsaCert, pssAlgorithm, pssSig, nil},
		{"PSS under PKCS 1", rsaCert, rsaAlgorithm, pssSig, ErrSignature},
		{"PKCS 1 under PSS", rsaCert, pssAlgorithm, rsaSig, ErrSignature},
		{"RSA by an EC key", ecCert, rsaAlgorithm, rsaSig, ErrAlgorithm},
		{"EC by an RSA key", rsaCert, ecAlgorithm, ecSig, ErrAlgorithm},
		{"ДСТУ by an EC key", ecCert, spki.Algorithm{OID: spki.OIDDSTU4145}, make([]byte, 64), ErrAlgorithm},
		{"empty", ecCert, ecAlgorithm, nil, ErrSignature},
		{"trailing", ecCert, ecAlgorithm, append(append([]byte{}, ecSig...), 0), ErrSignature},
	} {
		if err := test.c.VerifySignature(test.a, message, test.sig); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if err := ecCert.VerifySignature(ecAlgorithm, []byte("other"), ecSig); !errors.Is(err, ErrSignature) {
		t.Errorf("other message: %v", err)
	}
	if err := ecCert.CheckSignatureFrom(ecCert); err != nil {
		t.Errorf("self-signed: %v", err)
	}
	if err := rsaCert.CheckSignatureFrom(ecCert); err == nil {
		t.Error("RSA certificate from an EC key")
	}
}

// TestWeakKeys: keys out of bounds are refused before mathematics (T12, T94).
func TestWeakKeys(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	number := func(bits int) *big.Int { return new(big.Int).SetBit(big.NewInt(1), bits-1, 1) }
	for name, key := range map[string]crypto.PublicKey{
		"P-224":      p224.Public(),
		"RSA 1024":   &rsa.PublicKey{N: number(1024), E: 65537},
		"RSA 2047":   &rsa.PublicKey{N: number(2047), E: 65537},
		"RSA 16384":  &rsa.PublicKey{N: number(16384), E: 65537},
		"exponent 3": &rsa.PublicKey{N: number(2048), E: 3},
		"even":       &rsa.PublicKey{N: number(2048), E: 65538},
	} {
		if _, err := withKey(t, key, issuer).Key(); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := withKey(t, &rsa.PublicKey{N: number(2048), E: 65537}, issuer).Key(); err != nil {
		t.Errorf("RSA 2048: %v", err)
	}
}

// TestUnresolvedCritical: a critical extension that nobody reads is a refusal (T19).
func TestUnresolvedCritical(t *testing.T) {
	critical := func(oid string, value []byte) func(*x509.Certificate) {
		return func(x *x509.Certificate) {
			x.ExtraExtensions = append(x.ExtraExtensions, pkix.Extension{Id: stdOID(der.NewOID(oid)), Critical: true, Value: value})
		}
	}
	for _, test := range []struct {
		name   string
		change func(*x509.Certificate)
		want   int
	}{
		{"none", nil, 0},
		{"statements", statements(oidQCUkraine, nil), 0},
		{"unknown", critical("1.2.3.4", der.EncodeNull()), 1},
		{"name constraints", critical("2.5.29.30", der.EncodeSequence()), 1},
		{"policies", critical("2.5.29.32", der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.804.2.1.1.1.2.2"))))), 0},
		{"unreadable policies", critical("2.5.29.32", []byte{1, 2, 3}), 1},
		{"unreadable statements", critical("1.3.6.1.5.5.7.1.3", der.EncodeOctetString(nil)), 1},
	} {
		b := issuedRaw(t, test.change)
		c, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := c.Unresolved(); len(got) != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func issuedRaw(t *testing.T, change func(*x509.Certificate)) []byte { return issued(t, change).Raw }

func TestExtensions(t *testing.T) {
	c := issued(t, func(x *x509.Certificate) {
		x.OCSPServer = []string{"http://ocsp.test/x", "ldap://no"}
		x.IssuingCertificateURL = []string{"http://ca.test/ca.p7b"}
		x.CRLDistributionPoints = []string{"http://crl.test/full.crl", "ldap://no"}
		x.SubjectKeyId, x.AuthorityKeyId = []byte{1, 2}, []byte{3, 4}
		statements(oidQCCompliance, nil)(x)
	})
	if got := c.OCSPAddresses(); len(got) != 1 || got[0] != "http://ocsp.test/x" {
		t.Errorf("OCSP %q", got)
	}
	if got := c.CRLAddresses(); len(got) != 1 || got[0] != "http://crl.test/full.crl" {
		t.Errorf("CRL %q", got)
	}
	if string(c.SubjectKeyID()) != "\x01\x02" {
		t.Errorf("SKI %x", c.SubjectKeyID())
	}
	if !c.Qualified() || c.QCStatements().SSCD {
		t.Errorf("statements %+v", c.QCStatements())
	}
	if issued(t, nil).Qualified() {
		t.Error("qualified without a statement")
	}
	ca := issued(t, func(x *x509.Certificate) { x.BasicConstraintsValid, x.IsCA, x.MaxPathLenZero = true, true, true })
	if isCA, pathLen := ca.BasicConstraints(); !isCA || pathLen != 0 {
		t.Errorf("CA %v, path %d", isCA, pathLen)
	}
	if isCA, pathLen := c.BasicConstraints(); isCA || pathLen != -1 {
		t.Errorf("CA %v, path %d", isCA, pathLen)
	}
}

// TestDigest: what is remembered is the digest of the octets asked for, by the algorithm asked for, however many are asked.
func TestDigest(t *testing.T) {
	c := issued(t, nil)
	for range 2 {
		for _, oid := range []der.OID{cms.OIDSHA256, cms.OIDSHA384, spki.OIDGOST34311, spki.OIDKupyna256, cms.OIDSHA512} {
			newHash, _ := DigestOf(oid)
			for of, b := range map[part][]byte{whole: c.Raw, signedPart: c.RawTBS} {
				h := newHash()
				h.Write(b)
				if got := c.sums.of(oid, of, b); !bytes.Equal(got, h.Sum(nil)) {
					t.Errorf("%s of part %d: %x", oid, of, got)
				}
			}
			value := SumOf(oid, c.Raw)
			if !c.HasDigest(oid, value) {
				t.Errorf("%s: %x is not the digest", oid, value)
			}
			if value[0] ^= 1; c.HasDigest(oid, value) || c.HasDigest(oid, value[1:]) || c.HasDigest(oid, nil) {
				t.Errorf("%s: another value is the digest", oid)
			}
		}
	}
	sha1 := der.NewOID("1.3.14.3.2.26")
	if SumOf(sha1, c.Raw) != nil || c.HasDigest(sha1, nil) {
		t.Error("SHA-1 is taken")
	}
}
