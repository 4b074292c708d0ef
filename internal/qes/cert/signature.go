package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
)

// Errors of verification. Like every primitive they say no more.
var (
	ErrSignature = errors.New("cert: invalid signature")
	ErrAlgorithm = errors.New("cert: unsupported signature algorithm, parameters or key")
)

// Bounds of RSA that hold before any mathematics (threats T12, T94).
const (
	MinRSABits  = 2048
	MaxRSABits  = 8192
	minExponent = 65537
)

// A family is a kind of key.
type family int

const (
	familyDSTU family = iota + 1
	familyECDSA
	familyRSA
	familyPSS
)

// A Scheme is one row of the table of signature algorithms: the identifier fixes the digest (threat T11). The zero Scheme
// verifies nothing.
type Scheme struct {
	Name   string  // "DSTU4145-GOST34311", "ECDSA-SHA256", "RSA-SHA256", "RSA-PSS-SHA256"
	Digest der.OID // of the message, and of the content in CMS
	family family
	hash   crypto.Hash // zero for the national digests
}

// DigestOf returns the hash of a digest algorithm and its name as the command line has it ("gost34311", "sha256"), or nil
// for one that is not taken: SHA-1 and all that is older are not.
func DigestOf(oid der.OID) (newHash func() hash.Hash, name string) {
	switch oid {
	case spki.OIDGOST34311:
		return cms.NationalDigest(oid), "gost34311"
	case spki.OIDKupyna256:
		return cms.NationalDigest(oid), "kupyna256"
	case spki.OIDKupyna384:
		return cms.NationalDigest(oid), "kupyna384"
	case spki.OIDKupyna512:
		return cms.NationalDigest(oid), "kupyna512"
	case cms.OIDSHA256:
		return sha256.New, "sha256"
	case cms.OIDSHA384:
		return sha512.New384, "sha384"
	case cms.OIDSHA512:
		return sha512.New, "sha512"
	}
	return nil, ""
}

// SumOf returns the digest of data under a digest algorithm that DigestOf knows, nil for any other.
func SumOf(oid der.OID, data []byte) []byte {
	if oid == cms.OIDSHA256 {
		sum := sha256.Sum256(data)
		return sum[:]
	}
	if sum := cms.NationalSum(oid, data); sum != nil {
		return sum
	}
	newHash, _ := DigestOf(oid)
	if newHash == nil {
		return nil
	}
	h := newHash()
	h.Write(data)
	return h.Sum(nil)
}

// Signature algorithms of RFC 5758, RFC 8017 and RFC 4055.
var (
	oidPSS  = der.NewOID("1.2.840.113549.1.1.10")
	oidMGF1 = der.NewOID("1.2.840.113549.1.1.8")

	ecdsaSchemes = map[der.OID]Scheme{
		der.NewOID("1.2.840.10045.4.3.2"): {"ECDSA-SHA256", cms.OIDSHA256, familyECDSA, crypto.SHA256},
		der.NewOID("1.2.840.10045.4.3.3"): {"ECDSA-SHA384", cms.OIDSHA384, familyECDSA, crypto.SHA384},
		der.NewOID("1.2.840.10045.4.3.4"): {"ECDSA-SHA512", cms.OIDSHA512, familyECDSA, crypto.SHA512},
	}
	rsaSchemes = map[der.OID]Scheme{
		der.NewOID("1.2.840.113549.1.1.11"): {"RSA-SHA256", cms.OIDSHA256, familyRSA, crypto.SHA256},
		der.NewOID("1.2.840.113549.1.1.12"): {"RSA-SHA384", cms.OIDSHA384, familyRSA, crypto.SHA384},
		der.NewOID("1.2.840.113549.1.1.13"): {"RSA-SHA512", cms.OIDSHA512, familyRSA, crypto.SHA512},
	}
	rsaByDigest = map[der.OID]Scheme{
		cms.OIDSHA256: {"RSA-SHA256", cms.OIDSHA256, familyRSA, crypto.SHA256},
		cms.OIDSHA384: {"RSA-SHA384", cms.OIDSHA384, familyRSA, crypto.SHA384},
		cms.OIDSHA512: {"RSA-SHA512", cms.OIDSHA512, familyRSA, crypto.SHA512},
	}
)

// SchemeOf reads a signature algorithm by allow-lists of identifier and parameters; anything else is ErrAlgorithm. digest is
// SignerInfo.digestAlgorithm, which CMS needs where signatureAlgorithm says rsaEncryption only (RFC 3370 3.2); "" elsewhere.
// A digest that is given must be the one that the signature algorithm fixes.
func SchemeOf(a spki.Algorithm, digest der.OID) (Scheme, error) {
	var s Scheme
	var ok bool
	switch {
	case spki.SignatureDigest(a.OID) != "":
		fixed := spki.SignatureDigest(a.OID)
		s, ok = Scheme{Name: dstuNames[fixed], Digest: fixed, family: familyDSTU}, noParameters(a)
	case a.OID == oidPSS:
		s, ok = pssScheme(a.Parameters)
	case a.OID == spki.OIDRSA:
		s, ok = rsaByDigest[digest]
		ok = ok && noParameters(a)
	default:
		if s, ok = ecdsaSchemes[a.OID]; ok {
			ok = a.Parameters == nil // RFC 5758 3.2
		} else if s, ok = rsaSchemes[a.OID]; ok {
			ok = noParameters(a)
		}
	}
	if !ok || digest != "" && digest != s.Digest {
		return Scheme{}, ErrAlgorithm
	}
	return s, nil
}

var dstuNames = map[der.OID]string{
	spki.OIDGOST34311: "DSTU4145-GOST34311",
	spki.OIDKupyna256: "DSTU4145-KUPYNA256",
	spki.OIDKupyna384: "DSTU4145-KUPYNA384",
	spki.OIDKupyna512: "DSTU4145-KUPYNA512",
}

// noParameters takes absent parameters and NULL: the standards want the one for some algorithms and the other for others,
// and writers confuse them.
func noParameters(a spki.Algorithm) bool {
	return a.Parameters == nil || len(a.Parameters) == 2 && a.Parameters[0] == byte(der.Null)
}

// dropDSTUParameters serves certificates and CRLs: an old root repeats the curve there, which is the key's and not the
// signature's, so that nothing is decided by it.
func dropDSTUParameters(a spki.Algorithm) spki.Algorithm {
	if spki.SignatureDigest(a.OID) != "" {
		a.Parameters = nil
	}
	return a
}

// pssScheme reads RSASSA-PSS-params (RFC 4055 3.1): one digest for both uses, salt as long as it, the default trailer. The
// defaults are SHA-1, so that the first three fields are never absent.
func pssScheme(parameters []byte) (Scheme, bool) {
	outer := der.NewReader(parameters)
	r := outer.Sequence()
	hashField := r.Nested(der.Constructed(0))
	digest := spki.ParseAlgorithm(hashField)
	mgfField := r.Nested(der.Constructed(1))
	mgf := spki.ParseAlgorithm(mgfField)
	saltField := r.Nested(der.Constructed(2))
	salt := saltField.Int()
	if errors.Join(hashField.Done(), mgfField.Done(), saltField.Done(), r.Done(), outer.Done()) != nil {
		return Scheme{}, false
	}
	s, ok := rsaByDigest[digest.OID]
	inner := der.NewReader(mgf.Parameters)
	mgfDigest := spki.ParseAlgorithm(inner)
	if !ok || mgf.OID != oidMGF1 || inner.Done() != nil || mgfDigest.OID != digest.OID || salt != s.hash.Size() ||
		!noParameters(digest) || !noParameters(mgfDigest) {
		return Scheme{}, false
	}
	s.Name = "RSA-PSS" + s.Name[len("RSA"):]
	s.family = familyPSS
	return s, true
}

// fits reports whether the key is of the family of s.
func (s Scheme) fits(key *spki.Info) bool {
	switch s.family {
	case familyDSTU:
		return key.Algorithm.OID == spki.OIDDSTU4145
	case familyECDSA:
		return key.Algorithm.OID == spki.OIDECPublicKey
	case familyRSA:
		return key.Algorithm.OID == spki.OIDRSA
	case familyPSS:
		return key.Algorithm.OID == spki.OIDRSA || key.Algorithm.OID == oidPSS
	}
	return false
}

// Key returns the public key: *dstu4145.PublicKey, *ecdsa.PublicKey on P-256, P-384 or P-521, or *rsa.PublicKey within the
// bounds of this package; ErrAlgorithm for any other.
func (c *Certificate) Key() (crypto.PublicKey, error) {
	if c.PublicKey.DSTU != nil {
		return c.PublicKey.DSTU, nil
	}
	c.keyOnce.Do(func() { c.key, c.keyErr = c.readKey() })
	return c.key, c.keyErr
}

func (c *Certificate) readKey() (crypto.PublicKey, error) {
	if c.PublicKey.DSTUErr != nil {
		return nil, fmt.Errorf("%w: %w", ErrAlgorithm, c.PublicKey.DSTUErr)
	}
	if c.PublicKey.Algorithm.OID != spki.OIDECPublicKey && c.PublicKey.Algorithm.OID != spki.OIDRSA {
		return nil, ErrAlgorithm
	}
	key, err := x509.ParsePKIXPublicKey(c.PublicKey.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return k, nil
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits >= MinRSABits && bits <= MaxRSABits && k.E >= minExponent && k.E%2 == 1 {
			return k, nil
		}
	}
	return nil, ErrAlgorithm
}

// VerifySignature verifies sig over message by c's key under the given signature algorithm. For ДСТУ 4145 sig is r || s or
// the OCTET STRING of that, which is what the BIT STRING of a certificate, CRL or OCSP response holds. It is ErrAlgorithm
// where nothing could be computed and ErrSignature where the answer is no. Variable time: signatures are public.
func (c *Certificate) VerifySignature(a spki.Algorithm, message, sig []byte) error {
	s, err := SchemeOf(a, "")
	if err != nil {
		return err
	}
	return c.Verify(s, message, sig)
}

// Verify is VerifySignature for an algorithm that was looked up before.
func (c *Certificate) Verify(s Scheme, message, sig []byte) error {
	key, err := c.keyFor(s)
	if err != nil {
		return err
	}
	return c.verify(s, key, SumOf(s.Digest, message), sig)
}

// keyFor returns the key, if it is one for s.
func (c *Certificate) keyFor(s Scheme) (crypto.PublicKey, error) {
	if !s.fits(c.PublicKey) {
		return nil, ErrAlgorithm
	}
	return c.Key()
}

// verify verifies sig by key, which is c's and fits s.
func (c *Certificate) verify(s Scheme, key crypto.PublicKey, digest, sig []byte) error {
	if digest == nil {
		return ErrAlgorithm
	}
	ok := false
	switch k := key.(type) {
	case *dstu4145.PublicKey:
		var value []byte
		if value, ok = cms.DSTUSignature(sig, k.Curve().SignatureSize()); ok {
			if fast := c.tables.Load(); fast != nil {
				k = fast
			}
			ok = k.Verify(digest, value)
		}
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(k, digest, sig)
	case *rsa.PublicKey:
		if s.family == familyPSS {
			ok = rsa.VerifyPSS(k, s.hash, digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.hash}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(k, s.hash, digest, sig) == nil
		}
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// Precompute makes tables for the key of an issuer that is used again and again: verifying by it takes a third of the time
// from then on. It returns how many octets the tables take, 0 for a key without any. See dstu4145.PublicKey.Precompute.
func (c *Certificate) Precompute() int {
	if c.PublicKey.DSTU == nil {
		return 0
	}
	fast := c.tables.Load()
	if fast == nil {
		fast = c.PublicKey.DSTU
	}
	fast = fast.Precompute()
	c.tables.Store(fast)
	return fast.TableSize()
}

// PrecomputeSmall makes the small tables, for a person who comes again: some KiB, where Precompute takes hundreds. What
// there is already stays. See dstu4145.PublicKey.PrecomputeSmall.
func (c *Certificate) PrecomputeSmall() {
	if c.PublicKey.DSTU == nil || c.tables.Load() != nil {
		return
	}
	c.tables.CompareAndSwap(nil, c.PublicKey.DSTU.PrecomputeSmall())
}

// TableSize is the number of octets of the tables of c's key.
func (c *Certificate) TableSize() int {
	if k := c.tables.Load(); k != nil {
		return k.TableSize()
	}
	return 0
}

// Curve names the curve of the key: "M257", "P-256", or "" for RSA and keys that are not taken.
func (c *Certificate) Curve() string {
	key, err := c.Key()
	if err != nil {
		return ""
	}
	switch k := key.(type) {
	case *dstu4145.PublicKey:
		return k.Curve().Name()
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	}
	return ""
}
