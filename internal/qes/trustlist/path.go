package trustlist

import (
	"bytes"
	"time"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

var (
	oidSubjectKeyID     = der.NewOID("2.5.29.14")
	oidKeyUsage         = der.NewOID("2.5.29.15")
	oidBasicConstraints = der.NewOID("2.5.29.19")
	oidPolicies         = der.NewOID("2.5.29.32")
	oidAuthorityKeyID   = der.NewOID("2.5.29.35")
	oidExtKeyUsage      = der.NewOID("2.5.29.37")
	oidQCStatements     = der.NewOID("1.3.6.1.5.5.7.1.3")
	oidOCSPSigning      = der.NewOID("1.3.6.1.5.5.7.3.9")
	oidTimeStamping     = der.NewOID("1.3.6.1.5.5.7.3.8")
)

// An authority is what a certificate says of its right to issue others.
type authority struct {
	isCA, signs bool
	pathLen     int // −1 if not limited
	keyID       []byte
	unresolved  bool // it has a critical extension that is not known here
}

// authorityOf reads the extensions that path building needs (RFC 5280 4.2.1.9, 4.2.1.3, 4.2.1.2). One that is malformed
// is a fault of the whole certificate.
func authorityOf(c *tbs.Certificate) (authority, error) {
	a := authority{pathLen: -1}
	for _, x := range c.Extensions {
		r := der.NewReader(x.Value)
		switch x.OID {
		case oidBasicConstraints:
			bc := r.Sequence()
			if bc.Peek(der.Boolean) {
				a.isCA = bc.Boolean()
			}
			if bc.Peek(der.Integer) {
				a.pathLen = bc.Int()
			}
			if err := bc.Done(); err != nil {
				return authority{}, err
			}
		case oidSubjectKeyID:
			a.keyID = r.OctetString()
		case oidKeyUsage, oidPolicies, oidExtKeyUsage, oidQCStatements:
			continue // read elsewhere, or of no effect on a path
		default:
			// nameConstraints, policyConstraints and whatever is not known: refused if critical (RFC 5280 4.2).
			a.unresolved = a.unresolved || x.Critical
			continue
		}
		if err := r.Done(); err != nil {
			return authority{}, err
		}
	}
	usage, ok := c.KeyUsage()
	a.signs = ok && usage&tbs.KeyCertSign != 0
	return a, nil
}

// mayIssue reports whether c, by its own words, may stand above below CAs at time at.
func (c *candidate) mayIssue(at time.Time, below int) bool {
	return c.ca.isCA && c.ca.signs && !c.ca.unresolved &&
		(c.ca.pathLen < 0 || c.ca.pathLen >= below) &&
		!at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

// hasServerUsage reports whether the extended key usage of c names the work of t.
func hasServerUsage(c *tbs.Certificate, t qes.ServiceType) bool {
	want := oidOCSPSigning
	if t == qes.ServiceTSA {
		want = oidTimeStamping
	}
	x := c.Extension(oidExtKeyUsage)
	if x == nil {
		return false
	}
	r := der.NewReader(x.Value)
	usages, found := r.Sequence(), false
	for usages.More() {
		found = usages.OID() == want || found
	}
	return found && usages.Done() == nil && r.Done() == nil
}

// authorityKeyID returns the keyIdentifier of c's AKI, nil if there is none.
func authorityKeyID(c *tbs.Certificate) []byte {
	x := c.Extension(oidAuthorityKeyID)
	if x == nil {
		return nil
	}
	r := der.NewReader(x.Value)
	id, ok := r.Sequence().Optional(der.Context(0))
	if !ok {
		return nil
	}
	return id.Bytes
}

// A path is a proven issuer and the root it was proven under.
type path struct{ issuer, anchor *candidate }

// A search is one question; its budget bounds the mathematics.
type search struct {
	store  *Store
	at     time.Time
	budget int
}

// issuers returns the candidates that issued child and have a path to a pin (RFC 5280 6.1.3). id is child's fingerprint if
// it is a candidate itself, else zero; below is the number of CAs below the issuer that is looked for.
func (s *search) issuers(child *cert.Certificate, id Fingerprint, below int) []path {
	if below >= maxPath {
		return nil
	}
	aki := authorityKeyID(child.Certificate)
	var out []path
	for _, c := range s.store.bySubject[string(child.RawIssuer)] { // names by DER: equal octets, no folding of case
		switch {
		case c.id == id, !c.mayIssue(s.at, below), s.store.withdrawn(c, s.at):
		case child.NotBefore.Before(c.NotBefore), child.NotBefore.After(c.NotAfter): // issued by nobody's valid key
		case !c.couldBeNamed(aki), !s.signed(child, id, c):
		default:
			if anchor, ok := s.prove(c, below); ok {
				out = append(out, path{issuer: c, anchor: anchor})
			}
		}
	}
	return out
}

// prove finds the pin above c, or c itself.
func (s *search) prove(c *candidate, below int) (anchor *candidate, ok bool) {
	if s.store.anchors[c.id] {
		return c, true
	}
	for _, p := range s.issuers(c.Certificate, c.id, below+1) {
		return p.anchor, true
	}
	return nil, false
}

// signed verifies that parent's key signed child. Between two candidates the answer is kept.
func (s *search) signed(child *cert.Certificate, id Fingerprint, parent *candidate) bool {
	key := [2]Fingerprint{id, parent.id}
	if id != (Fingerprint{}) {
		s.store.mu.Lock()
		ok, known := s.store.verified[key]
		s.store.mu.Unlock()
		if known {
			return ok
		}
	}
	if s.budget--; s.budget < 0 {
		return false
	}
	ok := child.CheckSignatureFrom(parent.Certificate) == nil
	if id != (Fingerprint{}) {
		s.store.mu.Lock()
		s.store.verified[key] = ok
		s.store.mu.Unlock()
	}
	return ok
}

// couldBeNamed reports whether aki names c's key. It only saves work: the signature decides. A key has two identifiers
// (ГОСТ 34.311 and Купина-256), and an AKI may hold either.
func (c *candidate) couldBeNamed(aki []byte) bool {
	if len(aki) == 0 || len(c.ca.keyID) == 0 || bytes.Equal(aki, c.ca.keyID) {
		return true
	}
	k := c.PublicKey.DSTU
	return k != nil && (bytes.Equal(aki, spki.KeyID(k)) || bytes.Equal(aki, spki.KeyIDKupyna(k)))
}

func (s *Store) withdrawn(c *candidate, at time.Time) bool {
	since, ok := s.cfg.Withdrawn[c.id]
	return ok && !at.Before(since)
}
