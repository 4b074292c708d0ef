package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A request by reference (OpenID Connect Core, 6.2; RFC 9101, 5.2): request_uri is an address of the client behind which a
// signed request object lies. We ask there for a stranger, so that little is asked: addresses that the client has registered,
// letter for letter, each so often, with the rules of fetch (threats T86, T95, T96). Nothing of an answer is kept: an object
// may name a person.
const (
	maxRequestURI = 512 // characters (RFC 9101, 5.2)
	objectMedia   = "application/oauth-authz-req+jwt, application/jwt"
	// What one address may be asked for: so much at once, then so often, and not for a while after it failed.
	objectBurst  = 20
	objectEvery  = 200 * time.Millisecond
	objectFailed = 10 * time.Second
)

// byReference reports whether requests are taken by reference.
func (c *Config) byReference() bool { return c.Fetch != nil && !c.RequirePAR }

// badReference is the answer to a request_uri behind which there is no request of the client (OpenID Connect Core, 3.1.2.6).
func badReference(description string, err error) *Error {
	return &Error{Code: "invalid_request_uri", Description: description, Status: http.StatusBadRequest, Err: err}
}

// openReference reads a request that came by reference. Whatever can be refused without a question to the client's server
// is refused first.
//
// The fragment is part of what is registered, and not compared with the content: it says which version of the content is meant
// (OpenID Connect Core, 6.2), for servers that keep one, and who made the content says its signature.
func (p *Provider) openReference(r *http.Request, c *Client, outer url.Values) (*submission, error) {
	uri := outer.Get("request_uri")
	switch {
	case outer.Get("request") != "":
		return nil, invalidRequest("request stands beside request_uri") // RFC 9101, 5
	case c.NeedsPAR():
		return nil, invalidRequest("requests of this client have to be pushed (PAR)")
	case !slices.Contains(c.RequestURIs, uri):
		return nil, badReference("request_uri is not registered", nil)
	case p.cfg.Stranger != nil && !p.cfg.Stranger(r):
		return nil, &Error{Code: "temporarily_unavailable", Description: "too many requests", Status: http.StatusTooManyRequests}
	}
	object, err := p.objects.object(r.Context(), uri)
	switch {
	case errors.Is(err, errReferenceBusy):
		return nil, &Error{Code: "temporarily_unavailable", Description: "request_uri was asked for too often", Status: http.StatusTooManyRequests, Err: err}
	case err != nil:
		return nil, badReference("request_uri cannot be fetched", err)
	}
	form := url.Values{"request": {object}}
	if t := outer.Get("response_type"); t != "" {
		form.Set("response_type", t)
	}
	a, err := p.openRequest(r.Context(), c, form)
	if bad := (*Error)(nil); errors.As(err, &bad) && bad.Code == "invalid_request_object" {
		return nil, badReference(bad.Description, bad.Err)
	}
	return a, err
}

var errReferenceBusy = errors.New("oauth: request_uri was asked for too often")

// An objectSource asks for what lies behind request_uri. Safe for concurrent use.
type objectSource struct {
	fetch FetchFunc
	now   func() time.Time

	mu   sync.Mutex
	uris map[string]*objectServer // by address, without fragment
}

// An objectServer is what is remembered of one address.
type objectServer struct {
	tokens float64 // questions left
	refill time.Time
	failed time.Time // of the last question; zero if it was answered
}

func newObjectSource(fetch FetchFunc, now func() time.Time) *objectSource {
	return &objectSource{fetch: fetch, now: now, uris: map[string]*objectServer{}}
}

// object returns the text behind uri, which is a registered one.
func (s *objectSource) object(ctx context.Context, uri string) (string, error) {
	address, _, _ := strings.Cut(uri, "#")
	if err := s.admit(address); err != nil {
		return "", err
	}
	body, err := fetchDocument(ctx, s.fetch, address, objectMedia, maxRequestObject)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.uris[address]; e != nil {
		if e.failed = (time.Time{}); err != nil && ctx.Err() == nil { // who hung up says nothing of the server
			e.failed = s.now()
		}
	}
	return strings.TrimSpace(string(body)), err
}

// admit takes one question of those that an address may be asked, whatever its fragment.
func (s *objectSource) admit(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	e, ok := s.uris[address]
	if !ok {
		if len(s.uris) >= maxSources {
			clear(s.uris) // forgetting is better than refusing everybody
		}
		e = &objectServer{tokens: objectBurst, refill: now}
		s.uris[address] = e
	}
	if !e.failed.IsZero() && now.Sub(e.failed) < objectFailed {
		return errors.New("oauth: request_uri failed a moment ago")
	}
	e.tokens = min(objectBurst, e.tokens+float64(now.Sub(e.refill))/float64(objectEvery))
	e.refill = now
	if e.tokens < 1 {
		return errReferenceBusy
	}
	e.tokens--
	return nil
}

// checkRequestURIs checks the addresses of request objects that a client registers (OpenID Connect Dynamic Client
// Registration 1.0, 2).
func (c *Client) checkRequestURIs() error {
	if len(c.RequestURIs) == 0 {
		return nil
	}
	switch {
	case len(c.RequestURIs) > maxList:
		return faulty("more than %d request_uris", maxList)
	case c.NeedsPAR():
		return faulty("request_uris of a client whose requests have to be pushed")
	case !c.hasKeys():
		return faulty("request_uris without jwks or jwks_uri: request objects are signed")
	}
	for _, uri := range c.RequestURIs {
		address, fragment, _ := strings.Cut(uri, "#")
		if len(uri) > maxRequestURI || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.Contains(fragment, "#") {
			return faulty("request_uri is not an address of at most %d characters of ASCII", maxRequestURI)
		}
		if err := checkFetched(address); err != nil {
			return faulty("request_uri: %w", fmt.Errorf("%q %w", address, err))
		}
	}
	return nil
}
