package trustlist

import (
	"bytes"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// mayIssue reports whether c, by its own words, may stand above below CAs at time at.
func (c *candidate) mayIssue(at time.Time, below int) bool {
	c.read.Do(func() {
		isCA, pathLen := c.BasicConstraints()
		usage, ok := c.KeyUsage()
		c.pathLen = pathLen
		c.authority = isCA && ok && usage&tbs.KeyCertSign != 0 &&
			len(c.Unresolved()) == 0 // nameConstraints, policyConstraints, and whatever nobody here knows (RFC 5280 4.2)
	})
	return c.authority && (c.pathLen < 0 || c.pathLen >= below) && !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

// hasServerUsage reports whether the extended key usage of c names the work of t.
func hasServerUsage(c *cert.Certificate, t qes.ServiceType) bool {
	if t == qes.ServiceTSA {
		return c.HasExtKeyUsage(cert.EKUTimeStamping)
	}
	return c.HasExtKeyUsage(cert.EKUOCSPSigning)
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
	aki := child.AuthorityKeyID()
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
	if child.IssuedBy(parent.Certificate) { // as it was found before
		return true
	}
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
	if ok {
		s.store.tables.count(parent)
	}
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
	ski := c.SubjectKeyID()
	if len(aki) == 0 || len(ski) == 0 || bytes.Equal(aki, ski) {
		return true
	}
	k := c.PublicKey.DSTU
	return k != nil && (bytes.Equal(aki, spki.KeyID(k)) || bytes.Equal(aki, spki.KeyIDKupyna(k)))
}

func (s *Store) withdrawn(c *candidate, at time.Time) bool {
	since, ok := s.cfg.Withdrawn[c.id]
	return ok && !at.Before(since)
}
