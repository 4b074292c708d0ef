package cloud

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"slices"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// remote is a cms.Signer whose value is made elsewhere. The first pass collects what is to be signed; the second puts the
// value where it belongs. Both give the same signed attributes, for everything that goes into them is fixed.
type remote struct {
	signature, digest spki.Algorithm
	value             []byte
	signed            []byte
}

var _ cms.Signer = (*remote)(nil)

func (r *remote) DigestAlgorithm() spki.Algorithm    { return r.digest }
func (r *remote) SignatureAlgorithm() spki.Algorithm { return r.signature }

func (r *remote) Digest(data []byte) ([]byte, error) {
	newHash, _ := cert.DigestOf(r.digest.OID)
	if newHash == nil {
		return nil, cert.ErrAlgorithm
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil), nil
}

func (r *remote) Sign(data []byte) ([]byte, error) {
	r.signed = slices.Clone(data)
	if r.value == nil {
		return nil, errCollected
	}
	return r.value, nil
}

// errCollected ends the first pass.
var errCollected = errors.New("cloud: signed attributes are collected")

// algorithms are what may be asked of a provider, by kind of key; the first that the key offers is taken.
var (
	ecdsaBySize = map[int]spki.Algorithm{
		256: {OID: der.NewOID("1.2.840.10045.4.3.2")},
		384: {OID: der.NewOID("1.2.840.10045.4.3.3")},
		521: {OID: der.NewOID("1.2.840.10045.4.3.4")},
	}
	rsaSHA256 = spki.Algorithm{OID: der.NewOID("1.2.840.113549.1.1.11"), Parameters: der.EncodeNull()}
)

// newRemote chooses the algorithm for the key of c out of those that the provider offers, by their dotted names. Some name
// the algorithm of the key only.
func newRemote(c *cert.Certificate, offered []string) (*remote, error) {
	key, err := c.Key()
	if err != nil {
		return nil, err
	}
	var list []spki.Algorithm
	keyOID := c.PublicKey.Algorithm.OID
	switch k := key.(type) {
	case *dstu4145.PublicKey:
		list = []spki.Algorithm{{OID: cms.OIDDSTUWithGOST34311}, {OID: cms.OIDDSTUWithKupyna256}}
	case *ecdsa.PublicKey:
		list = []spki.Algorithm{ecdsaBySize[k.Curve.Params().BitSize]}
	case *rsa.PublicKey:
		list = []spki.Algorithm{rsaSHA256}
	}
	for _, a := range list {
		if !slices.Contains(offered, a.OID.String()) && !slices.Contains(offered, keyOID.String()) {
			continue
		}
		s, err := cert.SchemeOf(a, "")
		if err != nil {
			return nil, err
		}
		return &remote{signature: a, digest: spki.Algorithm{OID: s.Digest}}, nil
	}
	return nil, cert.ErrAlgorithm
}

// options are the same in both passes. The attribute purpose=login makes the signature no document (threat T1).
func options(c *cert.Certificate, challenge []byte, at time.Time) cms.Options {
	return cms.Options{Certificate: c.Raw, Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: at}
}

// hash returns the digest that the provider is to sign: of signed attributes made here, never of a caller's choice.
func (r *remote) hash(c *cert.Certificate, challenge []byte, at time.Time) ([]byte, error) {
	r.value = nil
	if _, err := cms.Sign(r, options(c, challenge, at)); !errors.Is(err, errCollected) {
		return nil, err
	}
	return r.Digest(r.signed)
}

// errOtherKey says that a value does not verify with the certificate that was fixed before (threats T15, T53).
var errOtherKey = errors.New("cloud: the signature is not by the key that was chosen")

// assemble makes the SignedData out of the raw value, which must verify with c.
func (r *remote) assemble(c *cert.Certificate, challenge []byte, at time.Time, raw []byte) ([]byte, error) {
	scheme, err := cert.SchemeOf(r.signature, "")
	if err != nil {
		return nil, err
	}
	if _, err := r.hash(c, challenge, at); err != nil {
		return nil, err
	}
	for _, value := range forms(c, raw) {
		if c.Verify(scheme, r.signed, value) == nil {
			r.value = value
			return cms.Sign(r, options(c, challenge, at))
		}
	}
	return nil, errOtherKey
}

// forms are the values of CMS that raw may stand for: ECDSA comes as DER or as r || s, the others have one form.
func forms(c *cert.Certificate, raw []byte) [][]byte {
	list := [][]byte{raw}
	key, err := c.Key()
	if err != nil {
		return nil
	}
	if k, ok := key.(*ecdsa.PublicKey); ok {
		if size := (k.Curve.Params().BitSize + 7) / 8; len(raw) == 2*size {
			list = append(list, der.EncodeSequence(unsigned(raw[:size]), unsigned(raw[size:])))
		}
	}
	if k, ok := key.(*dstu4145.PublicKey); ok {
		if value, ok := cms.DSTUSignature(raw, k.Curve().SignatureSize()); ok {
			list = [][]byte{value}
		}
	}
	return list
}

// unsigned encodes big-endian octets as an INTEGER.
func unsigned(b []byte) []byte {
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	if b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	return der.Element(der.Integer, b)
}
