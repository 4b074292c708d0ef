package cmp

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"brama/internal/fetch"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// Limits of a search.
const (
	atOnce          = 4 // providers asked at the same time when all are
	maxAbsent       = 10_000
	defaultAbsent   = 2 * time.Minute
	defaultDeadline = 8 * time.Second
	perProvider     = 3 * time.Second
)

// Errors of a search (errors.Is).
var (
	// ErrNotFound says that everybody who was asked answered, and none has a certificate for the keys.
	ErrNotFound = errors.New("cmp: no certificate found for the key")
	// ErrUnavailable says that nothing was found, but somebody could not be asked: the person may try again.
	ErrUnavailable = errors.New("cmp: certificate search is unavailable")
	// ErrNoService says that the chosen issuer is unknown or has no such service.
	ErrNoService = errors.New("cmp: the issuer has no certificate search")
)

// A Config says whom to ask and how.
type Config struct {
	// Do sends a request: fetch.Client.Do.
	Do func(context.Context, fetch.Request) (*fetch.Response, error)
	// Services returns those who may be asked, in order: those of trustlist.Store.Providers at the present time, so that no
	// address is used for which no CA certificate is proven.
	Services func() []Service
	// Absent is how long "not found" is remembered; 0 is two minutes.
	Absent time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// A Service is the certificate search of one issuer.
type Service struct {
	Issuer string // ID of the provider in the directory
	URL    string
}

// A Client searches. It is safe for concurrent use.
type Client struct {
	cfg Config

	breaker fetch.Breaker // by address

	mu     sync.Mutex
	absent map[question]time.Time // until when
}

// A question is one provider and one set of identifiers, hashed.
type question struct {
	url string
	ids [sha256.Size]byte
}

// New returns a client.
func New(cfg Config) (*Client, error) {
	if cfg.Do == nil || cfg.Services == nil {
		return nil, errors.New("cmp: Do and Services are required")
	}
	if cfg.Absent == 0 {
		cfg.Absent = defaultAbsent
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{cfg: cfg, breaker: fetch.Breaker{Now: cfg.Now}, absent: make(map[question]time.Time)}, nil
}

// FindCertificates returns the certificates (DER) whose public keys have one of keyIDs: ГОСТ 34.311 or Купина-256 key
// identifiers of ДСТУ keys (32 bytes), SHA-1 ones of other keys (20 bytes), at most MaxKeyIDs. issuer is the ID of one
// provider, which alone is asked: who has a key is nobody else's business (T100). With issuer "" all are asked, four at
// once, until one has found something. Errors are ErrNotFound, ErrUnavailable, ErrNoService and ErrKeyID.
func (c *Client) FindCertificates(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error) {
	request, err := EncodeRequest(keyIDs)
	if err != nil {
		return nil, err
	}
	var asked []Service
	for _, s := range c.cfg.Services() {
		if s.URL != "" && (issuer == "" || s.Issuer == issuer) {
			asked = append(asked, s)
		}
	}
	if len(asked) == 0 {
		return nil, ErrNoService
	}
	ctx, cancel := context.WithTimeout(ctx, defaultDeadline)
	defer cancel()
	results := make(chan result, len(asked))
	tokens := make(chan struct{}, atOnce)
	go func() {
		for _, s := range asked {
			select {
			case tokens <- struct{}{}:
			case <-ctx.Done():
				results <- result{err: ctx.Err()}
				continue
			}
			go func() {
				defer func() { <-tokens }()
				found, err := c.ask(ctx, s.URL, request, keyIDs)
				results <- result{found, err}
			}()
		}
	}()
	var failures error
	for range asked {
		r := <-results
		if len(r.found) > 0 {
			return r.found, nil // the deferred cancel stops the others
		}
		failures = errors.Join(failures, r.err)
	}
	if failures != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, failures)
	}
	return nil, ErrNotFound
}

type result struct {
	found [][]byte
	err   error
}

// ask asks one provider. No certificate and no error is a definite "not found", which is remembered.
func (c *Client) ask(ctx context.Context, url string, request []byte, keyIDs [][]byte) ([][]byte, error) {
	q := question{url: url, ids: sha256.Sum256(request)}
	if c.knownAbsent(q) {
		return nil, nil
	}
	var certificates [][]byte
	err := c.breaker.Do(url, func() (err error) {
		certificates, err = c.exchange(ctx, url, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	found := matching(certificates, keyIDs)
	if len(found) == 0 {
		c.remember(q)
	}
	return found, nil
}

func (c *Client) exchange(ctx context.Context, url string, request []byte) ([][]byte, error) {
	res, err := c.cfg.Do(ctx, fetch.Request{
		URL: url, ContentType: "application/cmp-request", Body: request, PlainHTTP: true, Timeout: perProvider, MaxBody: maxResponse,
	})
	if err != nil {
		return nil, err
	}
	if res.Status != 200 {
		return nil, fmt.Errorf("status %d", res.Status)
	}
	return ParseResponse(res.Body)
}

// matching keeps the certificates whose key has one of the identifiers. What the server sends besides (its own
// certificates, a chain, somebody else's) is dropped, as is what cannot be read.
func matching(certificates, keyIDs [][]byte) [][]byte {
	var out [][]byte
	for _, der := range certificates {
		c, err := tbs.Parse(der)
		if err != nil || containsBytes(out, der) {
			continue
		}
		for _, id := range keyIdentifiers(c.PublicKey) {
			if containsBytes(keyIDs, id) {
				out = append(out, der)
				break
			}
		}
	}
	return out
}

// keyIdentifiers are the identifiers under which a public key is asked for.
func keyIdentifiers(k *spki.Info) [][]byte {
	if k.DSTU != nil {
		return [][]byte{spki.KeyID(k.DSTU), spki.KeyIDKupyna(k.DSTU)}
	}
	sum := sha1.Sum(k.Key) // RFC 5280 4.2.1.2 (1): a name, not a proof
	return [][]byte{sum[:]}
}

func (c *Client) knownAbsent(q question) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.absent[q]
	return ok && c.cfg.Now().Before(until)
}

func (c *Client) remember(q question) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	if len(c.absent) >= maxAbsent {
		for k, until := range c.absent {
			if !now.Before(until) {
				delete(c.absent, k)
			}
		}
		if len(c.absent) >= maxAbsent {
			return // remembering is a courtesy to the providers, not a rule
		}
	}
	c.absent[q] = now.Add(c.cfg.Absent)
}
