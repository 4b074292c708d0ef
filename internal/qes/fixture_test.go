package qes

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var challenge = []byte("brama-login-v1\nлише для входу, не є документом\nhttps://id.example.ua\nportal\n")

// A world is an issuer, what a store knows of it and what a checker says: the doubles of this package.
type world struct {
	key     *ecdsa.PrivateKey
	issuer  *cert.Certificate
	trusted bool  // issuer is a service granted now
	known   bool  // issuer is in the list by name
	stale   error // of the list
	status  Revocation
	down    error
	asked   int // how often the checker was asked
}

func (w *world) Services(t ServiceType, child *cert.Certificate, at time.Time) ([]Service, error) {
	if w.stale != nil {
		return nil, w.stale
	}
	if t != ServiceCAQC || !w.trusted || child.CheckSignatureFrom(w.issuer) != nil || string(child.RawIssuer) != string(w.issuer.RawSubject) {
		return nil, nil //nolint:nilerr // no service issued it
	}
	return []Service{{Type: t, Name: "надавач", Certificate: w.issuer, Anchor: w.issuer}}, nil
}

func (w *world) KnowsIssuer(child *cert.Certificate) bool {
	return w.known && string(child.RawIssuer) == string(w.issuer.RawSubject)
}

func (w *world) Check(context.Context, *cert.Certificate, Service, time.Time) (Revocation, error) {
	w.asked++
	return w.status, w.down
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{trusted: true, known: true, status: Revocation{Status: StatusGood, Source: "ocsp"}, key: newKey(t)}
	w.issuer = w.certificate(t, w.key.Public(), func(x *x509.Certificate) {
		x.Subject = pkix.Name{CommonName: "Тестовий надавач"}
		x.BasicConstraintsValid, x.IsCA = true, true
		x.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	})
	return w
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certificate issues a qualified person's certificate, with changes.
func (w *world) certificate(t testing.TB, public crypto.PublicKey, change func(*x509.Certificate)) *cert.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.AddDate(-1, 0, 0),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		Subject:      pkix.Name{CommonName: "Тест Особа", SerialNumber: "TINUA-3184710691"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}, Critical: true,
			Value: der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("0.4.0.1862.1.1"))))}},
	}
	if change != nil {
		change(x)
	}
	parent := x
	if w.issuer != nil {
		if parent, err = x509.ParseCertificate(w.issuer.Raw); err != nil {
			t.Fatal(err)
		}
	}
	b, err := x509.CreateCertificate(rand.Reader, x, parent, public, w.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// person issues a certificate and its key.
func (w *world) person(t testing.TB, change func(*x509.Certificate)) (*ecdsa.PrivateKey, *cert.Certificate) {
	t.Helper()
	key := newKey(t)
	return key, w.certificate(t, key.Public(), change)
}

func (w *world) validator(t testing.TB, policy Policy) *Validator {
	t.Helper()
	v, err := New(Config{Trust: w, Revocation: w, Policy: policy, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// login signs the challenge as our programs do, with changes of the options.
func login(t testing.TB, key crypto.Signer, c *cert.Certificate, change func(*cms.Options)) []byte {
	t.Helper()
	s, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	o := cms.Options{Certificate: c.Raw, Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: now}
	if change != nil {
		change(&o)
	}
	b, err := cms.Sign(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var errDown = errors.New("no answer")
