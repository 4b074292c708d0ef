package revocation

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"hash"

	"brama/internal/der"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
	"brama/internal/qes/cert"
	"brama/internal/qes/spki"
)

var (
	oidSHA1   = der.NewOID("1.3.14.3.2.26")
	oidSHA256 = der.NewOID("2.16.840.1.101.3.4.2.1")
)

// certIDHashes are the digests that may stand in a CertID. They name the issuer and prove nothing, so that SHA-1 is no harm
// here; the responders for ECDSA and RSA certificates take nothing else.
func certIDHash(oid der.OID) func() hash.Hash {
	switch oid {
	case spki.OIDGOST34311:
		return gost34311.New
	case spki.OIDKupyna256:
		return kupyna.New256
	case oidSHA1:
		return sha1.New
	case oidSHA256:
		return sha256.New
	}
	return nil
}

// defaultCertID chooses the digest by the algorithm that signed the certificate, as issuers do: ГОСТ 34.311 for ДСТУ 4145
// with it, Купина-256 where that signed (not seen on a real responder yet; a directory entry may say otherwise), SHA-1
// for ECDSA and RSA.
func defaultCertID(leaf *cert.Certificate) der.OID {
	switch digest := spki.SignatureDigest(leaf.SignatureAlgorithm.OID); {
	case digest == spki.OIDGOST34311:
		return spki.OIDGOST34311
	case digest != "":
		return spki.OIDKupyna256
	}
	return oidSHA1
}

// A certID is CertID of RFC 6960 4.1.1.
type certID struct {
	hash              der.OID
	nameHash, keyHash []byte
	serial            []byte // content octets of the INTEGER
}

// newCertID names leaf to a responder of issuer. issuerKeyHash covers the content of the BIT STRING, which for ДСТУ is the
// DER OCTET STRING that holds the point.
func newCertID(leaf, issuer *cert.Certificate, oid der.OID) (certID, error) {
	newHash := certIDHash(oid)
	if newHash == nil {
		return certID{}, errors.New("revocation: digest of CertID is not supported")
	}
	sum := func(b []byte) []byte {
		h := newHash()
		h.Write(b)
		return h.Sum(nil)
	}
	return certID{hash: oid, nameHash: sum(issuer.RawSubject), keyHash: sum(issuer.PublicKey.Key), serial: leaf.Serial}, nil
}

func (id certID) equal(other certID) bool {
	return id.hash == other.hash && bytes.Equal(id.nameHash, other.nameHash) &&
		bytes.Equal(id.keyHash, other.keyHash) && bytes.Equal(id.serial, other.serial)
}

func (id certID) encode() []byte {
	var parameters []byte
	if id.hash == oidSHA1 || id.hash == oidSHA256 {
		parameters = der.EncodeNull() // some responders compare the whole AlgorithmIdentifier
	}
	return der.EncodeSequence(
		der.EncodeSequence(der.EncodeOID(id.hash), parameters),
		der.EncodeOctetString(id.nameHash),
		der.EncodeOctetString(id.keyHash),
		der.Element(der.Integer, id.serial),
	)
}

func readCertID(r *der.Reader) certID {
	s := r.Sequence()
	id := certID{hash: spki.ParseAlgorithm(s).OID, nameHash: s.OctetString(), keyHash: s.OctetString(), serial: s.Integer()}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
	return id
}

// encodeRequest makes an OCSPRequest (RFC 6960 4.1.1) for one certificate, unsigned, with a nonce (RFC 9654).
func encodeRequest(id certID, nonce []byte) []byte {
	extension := der.EncodeSequence(der.EncodeOID(oidNonce), der.EncodeOctetString(der.EncodeOctetString(nonce)))
	return der.EncodeSequence(der.EncodeSequence(
		der.EncodeSequence(der.EncodeSequence(id.encode())),
		der.Element(der.Constructed(2), der.EncodeSequence(extension)),
	))
}
