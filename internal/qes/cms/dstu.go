package cms

import (
	"errors"
	"hash"
	"io"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
	"brama/internal/qes/spki"
)

// NationalDigest returns the hash of a national digest algorithm, nil for any other identifier. ГОСТ 34.311 is the one with
// ДКЕ № 1 and a zero start vector, whatever ДКЕ a key carries.
func NationalDigest(oid der.OID) func() hash.Hash {
	switch oid {
	case spki.OIDGOST34311:
		return gost34311.New
	case spki.OIDKupyna256:
		return kupyna.New256
	case spki.OIDKupyna384:
		return kupyna.New384
	case spki.OIDKupyna512:
		return kupyna.New512
	}
	return nil
}

// NationalSum returns the digest of data under a national digest algorithm, nil for any other identifier.
func NationalSum(oid der.OID, data []byte) []byte {
	switch oid {
	case spki.OIDGOST34311:
		sum := gost34311.Sum(data)
		return sum[:]
	case spki.OIDKupyna256:
		sum := kupyna.Sum256(data)
		return sum[:]
	}
	newHash := NationalDigest(oid)
	if newHash == nil {
		return nil
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil)
}

type dstuSigner struct {
	key               *dstu4145.PrivateKey
	digest, signature der.OID
	rand              io.Reader
}

// NewDSTUSigner returns a signer with a ДСТУ 4145 key and one of the algorithms OIDDSTUWith…; the digest follows from it.
// rand is where the nonce takes its hedge from: crypto/rand.Reader, which this package does not import because math/big
// comes with it.
func NewDSTUSigner(key *dstu4145.PrivateKey, signature der.OID, rand io.Reader) (Signer, error) {
	digest := spki.SignatureDigest(signature)
	if digest == "" || key == nil || rand == nil {
		return nil, errors.New("cms: no key, no randomness, or not a ДСТУ 4145 signature algorithm")
	}
	return &dstuSigner{key: key, digest: digest, signature: signature, rand: rand}, nil
}

var _ Signer = (*dstuSigner)(nil)

// The national algorithms have no parameters in CMS.
func (s *dstuSigner) DigestAlgorithm() spki.Algorithm    { return spki.Algorithm{OID: s.digest} }
func (s *dstuSigner) SignatureAlgorithm() spki.Algorithm { return spki.Algorithm{OID: s.signature} }

func (s *dstuSigner) Digest(data []byte) ([]byte, error) {
	return NationalSum(s.digest, data), nil
}

func (s *dstuSigner) Sign(data []byte) ([]byte, error) {
	digest, err := s.Digest(data)
	if err != nil {
		return nil, err
	}
	return s.key.Sign(s.rand, digest, nil)
}
