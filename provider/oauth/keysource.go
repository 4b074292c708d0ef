package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"brama/internal/fetch"
)

// A FetchFunc asks other people's servers for what a client publishes there: its keys, the list of its sector. It is
// fetch.Client.Do, which decides where requests may go.
type FetchFunc func(context.Context, fetch.Request) (*fetch.Response, error)

// What a client's server may cost us (threats T86, T96).
const (
	fetchTimeout = 2500 * time.Millisecond
	keysFresh    = 10 * time.Minute // after that they are asked for again
	keysUsable   = time.Hour        // and used so long if there is no answer
	keysFailed   = 30 * time.Second // a failure is remembered
	// Keys that are not known make us ask again: three times at once, then once in a minute, whoever sends them.
	refreshBurst = 3
	refreshEvery = time.Minute
	maxSources   = 4096
)

// errKeysUnavailable says that a client's keys cannot be had now: neither yes nor no.
var errKeysUnavailable = errors.New("oauth: the keys of the client cannot be fetched")

// A keySource fetches and remembers the key sets behind jwks_uri. Safe for concurrent use.
type keySource struct {
	fetch FetchFunc
	now   func() time.Time

	mu   sync.Mutex
	uris map[string]*fetchedKeys
}

// fetchedKeys are the keys of one jwks_uri. A request under way has a channel that is closed at its end.
type fetchedKeys struct {
	set     *jose.JSONWebKeySet // nil before the first answer
	fetched time.Time           // of set
	failed  time.Time           // of the last failure, zero after a success
	err     error
	under   chan struct{}
	tokens  float64 // refreshes left
	refill  time.Time
}

func newKeySource(fetch FetchFunc, now func() time.Time) *keySource {
	return &keySource{fetch: fetch, now: now, uris: map[string]*fetchedKeys{}}
}

// keys returns the keys behind uri. refresh asks for newer ones than seen, which the caller found wanting; if there are none
// to be had, seen comes again.
func (s *keySource) keys(ctx context.Context, uri string, seen *jose.JSONWebKeySet) (*jose.JSONWebKeySet, error) {
	if s.fetch == nil {
		return nil, fmt.Errorf("%w: nothing is fetched here", errKeysUnavailable)
	}
	s.mu.Lock()
	e := s.entry(uri)
	now := s.now()
	fresh := e.set != nil && now.Sub(e.fetched) < keysFresh
	switch {
	case fresh && (seen == nil || seen != e.set):
		set := e.set
		s.mu.Unlock()
		return set, nil
	case e.under != nil: // somebody is asking already
	case !e.failed.IsZero() && now.Sub(e.failed) < keysFailed:
		set, err := e.usable(now)
		s.mu.Unlock()
		return set, err
	case fresh && !e.take(now):
		s.mu.Unlock()
		return seen, nil
	default:
		e.under = make(chan struct{})
		// Whoever asked first may hang up; the others still wait for the answer.
		go s.ask(context.WithoutCancel(ctx), uri, e)
	}
	under := e.under
	s.mu.Unlock()
	select {
	case <-under:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errKeysUnavailable, ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.usable(s.now())
}

// usable returns what there is, if it is not too old: a client whose server is down for a minute is not locked out, and a
// key that was withdrawn is not kept for ever by whoever keeps that server down.
func (e *fetchedKeys) usable(now time.Time) (*jose.JSONWebKeySet, error) {
	if e.set != nil && now.Sub(e.fetched) < keysUsable {
		return e.set, nil
	}
	if e.err == nil {
		return nil, errKeysUnavailable
	}
	return nil, fmt.Errorf("%w: %w", errKeysUnavailable, e.err)
}

// take takes one refresh of those that unknown keys may cause.
func (e *fetchedKeys) take(now time.Time) bool {
	if !e.refill.IsZero() {
		e.tokens = min(refreshBurst, e.tokens+float64(now.Sub(e.refill))/float64(refreshEvery))
	}
	e.refill = now
	if e.tokens < 1 {
		return false
	}
	e.tokens--
	return true
}

// entry returns the entry of uri, new if need be. The caller holds mu.
func (s *keySource) entry(uri string) *fetchedKeys {
	if e, ok := s.uris[uri]; ok {
		return e
	}
	for other, e := range s.uris {
		if len(s.uris) < maxSources {
			break
		}
		if e.under == nil {
			delete(s.uris, other)
		}
	}
	e := &fetchedKeys{tokens: refreshBurst}
	s.uris[uri] = e
	return e
}

func (s *keySource) ask(ctx context.Context, uri string, e *fetchedKeys) {
	body, err := fetchJSON(ctx, s.fetch, uri)
	var set *jose.JSONWebKeySet
	if err == nil {
		set, err = parseKeySet(body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		e.err, e.failed = err, s.now()
	} else {
		e.set, e.fetched, e.err, e.failed = set, s.now(), nil, time.Time{}
	}
	close(e.under)
	e.under = nil
}

// fetchJSON gets a small JSON document that a client publishes.
func fetchJSON(ctx context.Context, do FetchFunc, uri string) ([]byte, error) {
	return fetchDocument(ctx, do, uri, "application/json, application/jwk-set+json", maxKeySet)
}

// fetchDocument gets a small document that a client publishes. Its type is not looked at: servers of files say many things of
// theirs, and what is another one fails when it is read.
func fetchDocument(ctx context.Context, do FetchFunc, uri, accept string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	// http only on this computer, which nothing but the client of dev may reach.
	u, err := url.Parse(uri)
	plain := err == nil && u.Scheme == "http" && loopbackName(u.Hostname())
	res, err := do(ctx, fetch.Request{URL: uri, PlainHTTP: plain, Accept: accept, Timeout: fetchTimeout, MaxBody: most})
	if err != nil {
		return nil, err
	}
	if res.Status != http.StatusOK {
		return nil, fmt.Errorf("oauth: the client's server answers with status %d", res.Status)
	}
	return res.Body, nil
}
