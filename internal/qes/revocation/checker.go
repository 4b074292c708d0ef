package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/sync/singleflight"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// Defaults and limits of a Checker.
const (
	DefaultTimeout  = 3 * time.Second
	DefaultCacheFor = 5 * time.Minute

	crlTimeout = 10 * time.Second
	nonceSize  = 32
)

// A Config says whom to ask and how.
type Config struct {
	// Do sends a request: fetch.Client.Do. Plain http is asked for: what comes back is signed.
	Do func(context.Context, fetch.Request) (*fetch.Response, error)
	// Responders returns certificates that may be those of issuer's responders (trustlist.Store.Responders): most answers
	// come without one. nil means none.
	Responders func(issuer *cert.Certificate) []*cert.Certificate
	// AllowsHost reports whether a certificate of issuer may send us to host (trustlist.Store.AllowsHost). nil allows none:
	// then only the addresses of the directory are asked, and no CRL.
	AllowsHost func(issuer *cert.Certificate, host string) bool
	// CertID returns the digest for the CertID where a directory entry states one; nil, or "" from it, chooses by the
	// algorithm that signed the certificate.
	CertID func(issuer *cert.Certificate) der.OID
	// Clock, if set, is told when each verified answer with our nonce says that it was made, and while it finds ours wrong no
	// answer is taken, of whatever issuer (threat T25).
	Clock *Clock
	// Timeout bounds one question to a responder; 0 is DefaultTimeout.
	Timeout time.Duration
	// CacheFor bounds how long an answer is used again while it is fresh; 0 is DefaultCacheFor, negative is never.
	CacheFor time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// A Checker is a qes.RevocationChecker over the network, safe for concurrent use.
type Checker struct {
	cfg     Config
	flight  singleflight.Group
	breaker fetch.Breaker // by address
	lists   lists

	answers answers
}

var _ qes.RevocationChecker = (*Checker)(nil)

// New returns a checker.
func New(cfg Config) (*Checker, error) {
	if cfg.Do == nil {
		return nil, errors.New("revocation: Do is required")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.CacheFor == 0 {
		cfg.CacheFor = DefaultCacheFor
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Checker{cfg: cfg, breaker: fetch.Breaker{Now: cfg.Now}}, nil
}

// Check asks the responder of leaf's issuer, whose path was verified before. The evidence is fresh by our clock, and the
// Status is what it says now: at is not used to soften it, so a caller that looks into the past compares RevokedAt with at
// itself. An answer "unknown" is StatusUnknown without an error. The CRL is read only where the responder could not be
// reached; a responder that answers anything else (tryLater, a wrong signature, another certificate, an old answer) is
// believed to be there and is not gone around. Every error wraps qes.ErrRevocationUnavailable.
func (c *Checker) Check(ctx context.Context, leaf *cert.Certificate, issuer qes.Service, at time.Time) (qes.Revocation, error) {
	if leaf == nil || issuer.Certificate == nil {
		return qes.Revocation{}, fmt.Errorf("%w: no certificate", qes.ErrRevocationUnavailable)
	}
	answer, err := c.answer(ctx, leaf, issuer)
	if err == nil && c.cfg.Clock != nil {
		err = c.cfg.Clock.Err(c.cfg.Now()) // only now: this answer too may have told that the clock is right again
	}
	if err != nil {
		return qes.Revocation{}, fmt.Errorf("%w: %w", qes.ErrRevocationUnavailable, err)
	}
	return answer, nil
}

// answer is the remembered answer, or a new one.
func (c *Checker) answer(ctx context.Context, leaf *cert.Certificate, issuer qes.Service) (qes.Revocation, error) {
	c.lists.sweep(c.cfg.Now())
	key := cacheKey{leaf.Fingerprint(), issuer.Certificate.Fingerprint()}
	if answer, ok := c.answers.get(key, c.cfg.Now()); ok {
		return answer, nil
	}
	// One question for all who ask the same; it goes on when the first of them gives up.
	result := c.flight.DoChan(string(key.leaf[:])+string(key.issuer[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Timeout+crlTimeout)
		defer cancel()
		answer, until, err := c.ask(ctx, leaf, issuer)
		if err != nil {
			return nil, err
		}
		c.remember(key, answer, until)
		return answer, nil
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return qes.Revocation{}, r.Err
		}
		return r.Val.(qes.Revocation), nil
	case <-ctx.Done():
		return qes.Revocation{}, ctx.Err()
	}
}

// ask returns an answer and the time until which it may be used again.
func (c *Checker) ask(ctx context.Context, leaf *cert.Certificate, issuer qes.Service) (qes.Revocation, time.Time, error) {
	answer, until, err := c.askResponder(ctx, leaf, issuer)
	if err == nil || !errors.Is(err, errUnreachable) {
		return answer, until, err
	}
	answer, until, errCRL := c.askCRL(ctx, leaf, issuer)
	if errCRL != nil {
		return qes.Revocation{}, time.Time{}, errors.Join(err, errCRL)
	}
	return answer, until, nil
}

// errUnreachable says that no OCSP answer of any kind was had.
var errUnreachable = errors.New("revocation: responder could not be reached")

func (c *Checker) askResponder(ctx context.Context, leaf *cert.Certificate, issuer qes.Service) (qes.Revocation, time.Time, error) {
	address := c.responderAddress(leaf, issuer)
	if address == "" {
		return qes.Revocation{}, time.Time{}, fmt.Errorf("%w: no address is listed", errUnreachable)
	}
	oid := defaultCertID(leaf)
	if c.cfg.CertID != nil {
		if stated := c.cfg.CertID(issuer.Certificate); stated != "" {
			oid = stated
		}
	}
	id, err := newCertID(leaf, issuer.Certificate, oid)
	if err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	body, err := c.exchange(ctx, address, fetch.Request{
		URL: address, ContentType: "application/ocsp-request", Accept: "application/ocsp-response",
		Body: encodeRequest(id, nonce), PlainHTTP: true, Timeout: c.cfg.Timeout, MaxBody: MaxOCSP,
	})
	if err != nil {
		return qes.Revocation{}, time.Time{}, fmt.Errorf("%w: %w", errUnreachable, err)
	}
	return c.read(body, id, nonce, issuer.Certificate)
}

// read verifies a response to a question of ours.
func (c *Checker) read(body []byte, id certID, nonce []byte, issuer *cert.Certificate) (qes.Revocation, time.Time, error) {
	r, err := parseResponse(body)
	if err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	var candidates []*cert.Certificate
	if c.cfg.Responders != nil {
		candidates = c.cfg.Responders(issuer)
	}
	if err := r.verify(id, issuer, candidates); err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	// The nonce may be absent (many responders leave it out); another one is an answer to somebody else, replayed.
	ours := r.nonce != nil
	if ours && !bytes.Equal(r.nonce, nonce) && !bytes.Equal(r.nonce, der.EncodeOctetString(nonce)) {
		return qes.Revocation{}, time.Time{}, ErrNonce
	}
	now := c.cfg.Now()
	if ours { // without our nonce it may be old, and says nothing of clocks
		if c.cfg.Clock != nil {
			c.cfg.Clock.observe(issuer, r.producedAt, now)
		}
		// Whoever's clock it is, one of the two is wrong, and this answer was judged by ours.
		if off := now.Sub(r.producedAt); off.Abs() > MaxClockSkew {
			return qes.Revocation{}, time.Time{}, fmt.Errorf("%w: ours is %s ahead of the responder's", ErrClock, off.Round(time.Second))
		}
	}
	if err := fresh(r.single[0], now, ours); err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	if ahead := r.producedAt.Sub(now); ahead > Skew {
		return qes.Revocation{}, time.Time{}, fmt.Errorf("%w: producedAt lies %s ahead", ErrNotFresh, ahead)
	}
	until := r.single[0].nextUpdate
	if until.IsZero() {
		until = r.single[0].thisUpdate.Add(MaxAge)
	}
	return r.revocation(), until, nil
}

// responderAddress is the AIA address of leaf if its host is listed for the issuer, else the directory's (T95).
func (c *Checker) responderAddress(leaf *cert.Certificate, issuer qes.Service) string {
	for _, address := range leaf.OCSPAddresses() {
		if c.allowed(issuer.Certificate, address) {
			return address
		}
	}
	return issuer.OCSP
}

func (c *Checker) allowed(issuer *cert.Certificate, address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.User == nil && c.cfg.AllowsHost != nil && c.cfg.AllowsHost(issuer, u.Hostname())
}

// exchange sends one request under the breaker of its address and wants status 200.
func (c *Checker) exchange(ctx context.Context, address string, request fetch.Request) ([]byte, error) {
	var body []byte
	err := c.breaker.Do(address, func() error {
		res, err := c.cfg.Do(ctx, request)
		if err != nil {
			return err
		}
		if res.Status != 200 {
			return fmt.Errorf("status %d", res.Status)
		}
		body = res.Body
		return nil
	})
	return body, err
}

// remember keeps an answer that says something, not longer than it is fresh.
func (c *Checker) remember(key cacheKey, answer qes.Revocation, until time.Time) {
	if c.cfg.CacheFor < 0 || answer.Status == qes.StatusUnknown {
		return
	}
	now := c.cfg.Now()
	if limit := now.Add(c.cfg.CacheFor); until.After(limit) {
		until = limit
	}
	c.answers.put(key, answer, until, now)
}
