package qestest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// An Algorithm is a kind of key with the signature algorithm that goes with it.
type Algorithm string

// Algorithms. The zero value is M257.
const (
	M257       Algorithm = "M257" // ДСТУ 4145, ГОСТ 34.311
	M431       Algorithm = "M431"
	M191       Algorithm = "M191"        // too small for a login
	M257Kupyna Algorithm = "M257-Kupyna" // ДСТУ 4145, Купина-256
	M431Kupyna Algorithm = "M431-Kupyna"
	P256       Algorithm = "P-256" // ECDSA, SHA-256
	RSA2048    Algorithm = "RSA-2048"
)

// A Key is a private key with its algorithm. It is a cms.Signer.
type Key struct {
	DSTU *dstu4145.PrivateKey // nil for the others
	std  crypto.Signer        // *ecdsa.PrivateKey or *rsa.PrivateKey

	algorithm         Algorithm
	signature, digest spki.Algorithm
	public            []byte // content of the BIT STRING
	spki              []byte
}

var _ cms.Signer = (*Key)(nil)

var (
	oidECDSASHA256 = der.NewOID("1.2.840.10045.4.3.2")
	oidRSASHA256   = der.NewOID("1.2.840.113549.1.1.11")
)

// NewKey makes a key; "" is M257.
func NewKey(a Algorithm) (*Key, error) {
	if a == "" {
		a = M257
	}
	k := &Key{algorithm: a}
	var err error
	switch a {
	case M257, M431, M191, M257Kupyna, M431Kupyna:
		k.DSTU, err = dstu4145.GenerateKey(curveOf(a), rand.Reader)
	case P256:
		k.std, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA2048:
		k.std, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("qestest: unknown algorithm %q", a)
	}
	if err != nil {
		return nil, err
	}
	return k, k.describe()
}

func curveOf(a Algorithm) *dstu4145.Curve {
	switch a {
	case M431, M431Kupyna:
		return dstu4145.M431()
	case M191:
		return dstu4145.Curves()[4]
	}
	return dstu4145.M257()
}

// describe fills what follows from the key.
func (k *Key) describe() error {
	switch {
	case k.DSTU != nil:
		k.signature, k.digest = spki.Algorithm{OID: cms.OIDDSTUWithGOST34311}, spki.Algorithm{OID: spki.OIDGOST34311}
		if k.isKupyna() {
			k.signature, k.digest = spki.Algorithm{OID: cms.OIDDSTUWithKupyna256}, spki.Algorithm{OID: spki.OIDKupyna256}
		}
		k.spki = spki.EncodePublicKey(k.DSTU.Public().(*dstu4145.PublicKey))
	default:
		k.signature, k.digest = spki.Algorithm{OID: oidECDSASHA256}, spki.Algorithm{OID: cms.OIDSHA256}
		if k.algorithm == RSA2048 {
			k.signature = spki.Algorithm{OID: oidRSASHA256, Parameters: der.EncodeNull()}
		}
		b, err := x509.MarshalPKIXPublicKey(k.std.Public())
		if err != nil {
			return err
		}
		k.spki = b
	}
	info, err := spki.Parse(k.spki)
	if err != nil {
		return err
	}
	k.public = info.Key
	return nil
}

func (k *Key) isKupyna() bool { return k.algorithm == M257Kupyna || k.algorithm == M431Kupyna }

// Algorithm returns the kind of key.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// ID returns the identifier under which certificates and searches know the key: 32 octets of ГОСТ 34.311 or Купина-256 for
// ДСТУ keys, by the algorithm that it signs with; 20 of SHA-1 for the others.
func (k *Key) ID() []byte {
	switch {
	case k.isKupyna():
		sum := kupyna.Sum256(k.public)
		return sum[:]
	case k.DSTU != nil:
		sum := gost34311.Sum(k.public)
		return sum[:]
	}
	sum := sha1.Sum(k.public)
	return sum[:]
}

// PKCS8 returns the PrivateKeyInfo of an ECDSA or RSA key, and nil for a ДСТУ key, which package keystore writes.
func (k *Key) PKCS8() ([]byte, error) {
	if k.DSTU != nil {
		return nil, nil
	}
	return x509.MarshalPKCS8PrivateKey(k.std)
}

// DigestAlgorithm implements cms.Signer.
func (k *Key) DigestAlgorithm() spki.Algorithm { return k.digest }

// SignatureAlgorithm implements cms.Signer.
func (k *Key) SignatureAlgorithm() spki.Algorithm { return k.signature }

// Digest implements cms.Signer.
func (k *Key) Digest(data []byte) ([]byte, error) {
	if sum := cms.NationalSum(k.digest.OID, data); sum != nil {
		return sum, nil
	}
	sum := sha256.Sum256(data)
	return sum[:], nil
}

// Sign implements cms.Signer: the value in the form of CMS.
func (k *Key) Sign(data []byte) ([]byte, error) {
	digest, err := k.Digest(data)
	if err != nil {
		return nil, err
	}
	if k.DSTU != nil {
		return k.DSTU.Sign(rand.Reader, digest, nil)
	}
	return k.std.Sign(rand.Reader, digest, crypto.SHA256)
}

// signBits returns the algorithm and the BIT STRING that stand under a certificate, CRL or OCSP response: there a ДСТУ
// value is wrapped in an OCTET STRING.
func (k *Key) signBits(tbs []byte) (algorithm, value []byte, err error) {
	v, err := k.Sign(tbs)
	if err != nil {
		return nil, nil, err
	}
	if k.DSTU != nil {
		v = der.EncodeOctetString(v)
	}
	return k.signature.Encode(), der.EncodeBitString(v), nil
}

// signed puts tbs, algorithm and signature together.
func (k *Key) signed(tbs []byte, more ...[]byte) ([]byte, error) {
	algorithm, value, err := k.signBits(tbs)
	if err != nil {
		return nil, err
	}
	return der.EncodeSequence(append([][]byte{tbs, algorithm, value}, more...)...), nil
}
