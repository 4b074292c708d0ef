package cert

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/tbs"
)

// A Certificate is a certificate that was parsed strictly by package tbs and read a second time by another reader.
type Certificate struct {
	*tbs.Certificate

	once sync.Once
	read person

	keyOnce sync.Once
	key     crypto.PublicKey
	keyErr  error

	tables atomic.Pointer[dstu4145.PublicKey] // the key with its tables, after Precompute or PrecomputeSmall

	asked     atomic.Pointer[facts]
	issuerKey atomic.Pointer[[]byte] // the SubjectPublicKeyInfo that was found to have signed it

	sums sums
}

// ErrParsersDiffer says that two readers read different things in the same bytes, or that only one of them could
// (threat T26).
var ErrParsersDiffer = errors.New("cert: two readers disagree about the certificate")

// Parse reads one certificate in DER, at most tbs.MaxSize octets. Package tbs reads it, and what it read is compared with
// what another reader finds in the same octets; nothing is taken from that one.
func Parse(b []byte) (*Certificate, error) {
	t, err := tbs.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	if err := confirm(t); err != nil {
		return nil, err
	}
	return &Certificate{Certificate: t}, nil
}

// Warning says what crypto/x509 refuses the certificate for, "" if it takes it. Some old test certificates are not as
// RFC 5280 wants them, and are readable here all the same.
func (c *Certificate) Warning() string {
	if _, err := x509.ParseCertificate(c.Raw); err != nil {
		return err.Error()
	}
	return ""
}

// Equal reports whether both are the same certificate octet for octet.
func (c *Certificate) Equal(other *Certificate) bool {
	return c != nil && other != nil && bytes.Equal(c.Raw, other.Raw)
}

// Fingerprint is the SHA-256 of the whole certificate, as pins name it.
func (c *Certificate) Fingerprint() [sha256.Size]byte { return c.facts().fingerprint }

// CheckSignatureFrom verifies c's signature by parent's key and nothing else (names, usage and path are the caller's).
func (c *Certificate) CheckSignatureFrom(parent *Certificate) error {
	s, err := SchemeOf(dropDSTUParameters(c.SignatureAlgorithm), "")
	if err != nil {
		return err
	}
	if c.IssuedBy(parent) {
		return nil
	}
	key, err := parent.keyFor(s)
	if err != nil {
		return err
	}
	err = parent.verify(s, key, c.sums.of(s.Digest, signedPart, c.RawTBS), c.Signature)
	if err == nil {
		c.issuedBy(parent)
	}
	return err
}

// HasDigest reports whether value is the digest of the whole certificate, by length and value; false if the algorithm is not
// taken. The digest is computed once.
func (c *Certificate) HasDigest(oid der.OID, value []byte) bool {
	d := c.sums.of(oid, whole, c.Raw)
	return d != nil && subtle.ConstantTimeCompare(d, value) == 1
}

// A part of a certificate that is hashed.
type part int

const (
	whole part = iota
	signedPart
)

// sums remembers digests of a certificate's octets, which never change: the first few that were asked for.
type sums struct {
	mu    sync.Mutex
	known [3]sum
}

type sum struct {
	oid   der.OID
	of    part
	value []byte // nil: the place is free
}

// of returns the digest of b, which is always the same part of the certificate; nil if the algorithm is not taken.
func (s *sums) of(oid der.OID, of part, b []byte) []byte {
	if value := s.find(oid, of); value != nil {
		return value
	}
	value := SumOf(oid, b)
	if value == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.known {
		if s.known[i].value == nil {
			s.known[i] = sum{oid, of, value}
			break
		}
	}
	return value
}

func (s *sums) find(oid der.OID, of part) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.known {
		if k.oid == oid && k.of == of {
			return k.value
		}
	}
	return nil
}
