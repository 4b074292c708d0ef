package trustlist

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
)

// A Config is everything that a store answers from. It is copied and checked by [New].
type Config struct {
	// Pins are the anchors. None is an error: a store without anchors is a mistake, not a policy.
	Pins []Pin
	// Candidates are certificates in DER, of roots, CAs and their OCSP and TSA servers, in any order. One that cannot be
	// read is left out and counted ([Store.Skipped]).
	Candidates [][]byte
	// Directory says which issuers are granted and where their services are. Common names may not stand twice.
	Directory []Provider
	// Withdrawn are certificates that vouch for nothing since the given time (the zero time: never did).
	Withdrawn map[Fingerprint]time.Time
	// NextUpdate, if set, is the time after which every answer is qes.ErrTrustListStale.
	NextUpdate time.Time
	// AllowUnlisted makes a proven CA that no directory entry names a service without addresses. It is for verification by
	// hand, where the anchor was given on the command line; a login never sets it.
	AllowUnlisted bool
	// AllowTest lets known test roots and names vouch. It is for `brama dev` and tests.
	AllowTest bool
	// Now is the clock for NextUpdate; nil means time.Now.
	Now func() time.Time
}

// Limits of a path. The real ones have two steps, three where a test hierarchy stands below another.
const (
	maxPath     = 5
	maxVerified = 32 // signatures verified for one question, so that a bundle of look-alikes costs no more
)

// A Store is an immutable qes.TrustStore, safe for concurrent use.
type Store struct {
	cfg       Config
	anchors   map[Fingerprint]bool
	bySubject map[string][]*candidate
	all       []*candidate
	providers map[string]*Provider // by issuer CN
	skipped   int

	mu       sync.Mutex
	verified map[[2]Fingerprint]bool // child, parent: both candidates, so it is bounded by the bundle

	tables tables
}

type candidate struct {
	*cert.Certificate
	id       Fingerprint
	cn       string
	provider *Provider    // nil if not in the directory
	issued   atomic.Int32 // certificates found genuine by its key, until there are tables

	read      sync.Once // the next two
	authority bool      // it may issue by its own words, but for time and length of the path
	pathLen   int       // −1 if it has no limit
}

var _ qes.TrustStore = (*Store)(nil)

// ErrTestRoot says that a known test authority was given as an anchor to a store that is not for tests.
var ErrTestRoot = errors.New("trustlist: a test root is no anchor here")

// New checks cfg and indexes it. No signature is verified yet.
func New(cfg Config) (*Store, error) {
	if len(cfg.Pins) == 0 {
		return nil, errors.New("trustlist: no pinned root")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{
		cfg:       cfg,
		anchors:   make(map[Fingerprint]bool),
		bySubject: make(map[string][]*candidate),
		providers: make(map[string]*Provider),
		verified:  make(map[[2]Fingerprint]bool),
	}
	for _, p := range cfg.Pins {
		if !cfg.AllowTest && (isTestPin(p.Fingerprint) || isTestName(p.Name)) {
			return nil, fmt.Errorf("%w: %s %q", ErrTestRoot, p.Fingerprint, p.Name)
		}
		s.anchors[p.Fingerprint] = true
	}
	if err := s.index(slices.Clone(cfg.Directory)); err != nil {
		return nil, err
	}
	for _, der := range cfg.Candidates {
		if err := s.add(der); err != nil {
			s.skipped++
		}
	}
	return s, nil
}

func (s *Store) index(directory []Provider) error {
	s.cfg.Directory = directory
	ids := make(map[string]bool)
	for i := range directory {
		p := &directory[i]
		if err := p.check(); err != nil {
			return fmt.Errorf("trustlist: directory entry %d: %w", i, err)
		}
		if ids[p.ID()] {
			return fmt.Errorf("trustlist: directory: %s stands twice", p.ID())
		}
		ids[p.ID()] = true
		for _, cn := range p.IssuerCNs {
			if other := s.providers[cn]; other != nil && other != p {
				return fmt.Errorf("trustlist: directory: issuer name of %s and %s at once", other.ID(), p.ID())
			}
			s.providers[cn] = p
		}
	}
	return nil
}

func (s *Store) add(der []byte) error {
	c, err := cert.Parse(der)
	if err != nil {
		return err
	}
	id := FingerprintOf(c.Raw)
	for _, other := range s.bySubject[string(c.RawSubject)] {
		if other.id == id {
			return nil
		}
	}
	known := &candidate{Certificate: c, id: id, cn: c.SubjectAttribute(tbs.OIDCommonName)}
	if !s.cfg.AllowTest && (isTestPin(id) || isTestName(known.cn)) {
		return nil // T17: the public bundles hold test authorities beside the real ones
	}
	known.provider = s.providers[known.cn]
	s.bySubject[string(c.RawSubject)] = append(s.bySubject[string(c.RawSubject)], known)
	s.all = append(s.all, known)
	return nil
}

func isTestPin(f Fingerprint) bool {
	for _, p := range testPins() {
		if p.Fingerprint == f {
			return true
		}
	}
	return false
}

// Skipped is the number of candidates that could not be read.
func (s *Store) Skipped() int { return s.skipped }

// Len is the number of candidates in use.
func (s *Store) Len() int { return len(s.all) }

// Services returns the services of type t that issued child and were granted at time at. Each has a path to a pinned root
// that was verified step by step: names by DER, signature, basicConstraints, keyCertSign, pathLen, validity at at. For
// qes.ServiceRoot these are the roots that issued child directly. For qes.ServiceOCSP and qes.ServiceTSA child is the
// certificate of a responder or authority, whose extended key usage is checked too. No service is an empty answer; a
// store past its next update answers qes.ErrTrustListStale.
func (s *Store) Services(t qes.ServiceType, child *cert.Certificate, at time.Time) ([]qes.Service, error) {
	if child == nil || child.Certificate == nil {
		return nil, errors.New("trustlist: no certificate")
	}
	if !s.cfg.NextUpdate.IsZero() && s.cfg.Now().After(s.cfg.NextUpdate) {
		return nil, qes.ErrTrustListStale
	}
	switch t {
	case qes.ServiceCAQC, qes.ServiceRoot:
	case qes.ServiceOCSP, qes.ServiceTSA:
		if !hasServerUsage(child, t) {
			return nil, nil
		}
	default:
		return nil, fmt.Errorf("trustlist: unknown service type %q", t)
	}
	search := search{store: s, at: at, budget: maxVerified}
	var out []qes.Service
	for _, p := range search.issuers(child, Fingerprint{}, 0) {
		if service, ok := s.service(t, p); ok {
			out = append(out, service)
		}
	}
	return out, nil
}

// service applies the meaning of t to a proven issuer.
func (s *Store) service(t qes.ServiceType, p path) (qes.Service, bool) {
	issuer, provider := p.issuer, p.issuer.provider
	root := s.anchors[issuer.id]
	switch {
	case t == qes.ServiceRoot:
		if !root {
			return qes.Service{}, false
		}
	case provider != nil, s.cfg.AllowUnlisted:
	case t == qes.ServiceCAQC:
		return qes.Service{}, false // no entry: not granted to issue qualified certificates, as far as we know
	case !root: // the servers of a listed provider, or of the root itself
		return qes.Service{}, false
	}
	service := qes.Service{Type: t, Name: issuer.cn, Certificate: issuer.Certificate, Anchor: p.anchor.Certificate}
	if provider != nil {
		service.Name = provider.Name()
		service.OCSP, service.TSP, service.CMP = provider.OCSP, provider.TSP, provider.CMP
	}
	return service, true
}

// ProviderIssuing returns the directory entry of the issuer that child names as its own, whether or not child is genuine;
// false if there is none.
func (s *Store) ProviderIssuing(child *cert.Certificate) (Provider, bool) {
	p := s.providers[child.IssuerAttribute(tbs.OIDCommonName)]
	if p == nil {
		return Provider{}, false
	}
	return *p, true
}

// AllowsHost reports whether a certificate of issuer may name host (without port) as the place of its services: only a host
// that the directory lists for that issuer is ever asked (T95).
func (s *Store) AllowsHost(issuer *cert.Certificate, host string) bool {
	p := s.providers[issuer.SubjectAttribute(tbs.OIDCommonName)]
	return p != nil && p.OwnsHost(host)
}

// CertID returns the digest that the responder of issuer wants in a CertID, "" if the directory states none.
func (s *Store) CertID(issuer *cert.Certificate) der.OID {
	if p := s.providers[issuer.SubjectAttribute(tbs.OIDCommonName)]; p != nil {
		return p.CertID
	}
	return ""
}

// ProviderNamed returns the directory entry with the given common name among its issuer names; false if none.
func (s *Store) ProviderNamed(cn string) (Provider, bool) {
	p := s.providers[cn]
	if p == nil {
		return Provider{}, false
	}
	return *p, true
}

// Providers returns the directory entries that have at least one CA certificate with a verified path at time at, in the
// directory's order: only these are offered to people, and only these are asked for anything (T103).
func (s *Store) Providers(at time.Time) []Provider {
	proven := make(map[*Provider]bool)
	for _, c := range s.all {
		if c.provider == nil || proven[c.provider] || !c.mayIssue(at, 0) {
			continue
		}
		search := search{store: s, at: at, budget: maxVerified}
		if _, ok := search.prove(c, 0); ok && !s.withdrawn(c, at) {
			proven[c.provider] = true
		}
	}
	var out []Provider
	for i := range s.cfg.Directory {
		if p := &s.cfg.Directory[i]; proven[p] {
			out = append(out, *p)
		}
	}
	return out
}

// Responders returns the candidates that name issuer as theirs and have OCSPSigning: those who may have signed a response
// without their certificate in it. They are not proven: package revocation verifies the signature of each it uses.
func (s *Store) Responders(issuer *cert.Certificate) []*cert.Certificate {
	return s.servers(qes.ServiceOCSP, func(c *candidate) bool { return string(c.RawIssuer) == string(issuer.RawSubject) })
}

// TimeStampAuthorities returns the candidates with timeStamping: time-stamp tokens mostly come without a certificate. They
// are not proven: ask Services with qes.ServiceTSA.
func (s *Store) TimeStampAuthorities() []*cert.Certificate {
	return s.servers(qes.ServiceTSA, func(*candidate) bool { return true })
}

func (s *Store) servers(t qes.ServiceType, keep func(*candidate) bool) []*cert.Certificate {
	var out []*cert.Certificate
	for _, c := range s.all {
		if keep(c) && hasServerUsage(c.Certificate, t) {
			out = append(out, c.Certificate)
		}
	}
	return out
}
