package revocation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// lists keeps CRLs by address while they are young, and the highest number seen of each: a list never goes back (T24). The
// zero value is empty.
type lists struct {
	mu   sync.Mutex
	byID map[string]*crl
	last map[string]floor
}

// A floor is what the next list of an address must not be below.
type floor struct {
	number     []byte
	thisUpdate time.Time
}

// Bounds of what is kept. There are two lists for every issuer in use, of some megabytes for a large one.
const (
	maxLists  = 16
	maxKept   = 64 << 20 // octets of all of them
	maxFloors = 256
)

// get returns the list that was kept under address, nil if none.
func (l *lists) get(address string) *crl {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[address]
}

// put keeps a verified list unless it is older than the one before: then it is an error.
func (l *lists) put(address string, c *crl) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.last[address]
	if ok && (compareNumbers(c.number, last.number) < 0 || c.thisUpdate.Before(last.thisUpdate)) {
		return fmt.Errorf("%w: CRL number or thisUpdate has fallen", ErrNotFresh)
	}
	if l.byID == nil {
		l.byID, l.last = make(map[string]*crl), make(map[string]floor)
	}
	if !ok && len(l.last) >= maxFloors {
		for k := range l.last {
			delete(l.last, k)
			break
		}
	}
	l.last[address] = floor{bytes.Clone(c.number), c.thisUpdate}
	l.byID[address] = c
	for len(l.byID) > 1 && (len(l.byID) > maxLists || l.octets() > maxKept) {
		l.dropOldest(address)
	}
	return nil
}

func (l *lists) octets() int {
	n := 0
	for _, c := range l.byID {
		n += c.octets()
	}
	return n
}

func (l *lists) dropOldest(but string) {
	oldest := ""
	for k, c := range l.byID {
		if k != but && (oldest == "" || c.fetched.Before(l.byID[oldest].fetched)) {
			oldest = k
		}
	}
	delete(l.byID, oldest)
}

// sweep forgets the lists that would be asked for again anyway: they are large, and of no use once the responder is back.
func (l *lists) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, c := range l.byID {
		if now.Sub(c.fetched) >= recheck {
			delete(l.byID, k)
		}
	}
}

// askCRL reads the full list that leaf names, on a host that is listed for its issuer, and the delta that the list names.
func (c *Checker) askCRL(ctx context.Context, leaf *cert.Certificate, issuer qes.Service) (qes.Revocation, time.Time, error) {
	err := errors.New("revocation: no CRL address is listed")
	for _, address := range leaf.CRLAddresses() {
		if !c.allowed(issuer.Certificate, address) {
			continue
		}
		var answer qes.Revocation
		var until time.Time
		if answer, until, err = c.readLists(ctx, address, leaf, issuer); err == nil {
			return answer, until, nil
		}
	}
	return qes.Revocation{}, time.Time{}, err
}

func (c *Checker) readLists(ctx context.Context, address string, leaf *cert.Certificate, issuer qes.Service) (qes.Revocation, time.Time, error) {
	now := c.cfg.Now()
	full, err := c.list(ctx, address, leaf, issuer)
	if err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	if full.base != nil {
		return qes.Revocation{}, time.Time{}, fmt.Errorf("%w: a delta without its base", ErrScope)
	}
	if err := full.inForce(now); err != nil {
		return qes.Revocation{}, time.Time{}, err
	}
	delta, errDelta := c.deltaOf(ctx, full, leaf, issuer)
	if delta != nil {
		return full.revocation(leaf, delta), delta.nextUpdate, nil
	}
	if age := now.Sub(full.thisUpdate); age > MaxAgeStated {
		return qes.Revocation{}, time.Time{}, errors.Join(fmt.Errorf("%w: CRL was made %s ago", ErrNotFresh, age), errDelta)
	}
	return full.revocation(leaf, nil), full.nextUpdate, nil
}

// deltaOf returns the verified, fresh delta of full, or nil and why not.
func (c *Checker) deltaOf(ctx context.Context, full *crl, leaf *cert.Certificate, issuer qes.Service) (*crl, error) {
	var err error
	for _, address := range full.freshest {
		if !c.allowed(issuer.Certificate, address) {
			continue
		}
		var delta *crl
		if delta, err = c.list(ctx, address, leaf, issuer); err != nil {
			continue
		}
		if err = delta.inForce(c.cfg.Now()); err != nil {
			continue
		}
		if err = delta.matches(full); err == nil {
			return delta, nil
		}
	}
	return nil, err
}

// matches applies RFC 5280 5.2.4: the base is not newer than the full list, and the delta is not older than it.
func (c *crl) matches(full *crl) error {
	switch {
	case c.base == nil:
		return fmt.Errorf("%w: not a delta", ErrScope)
	case full.number == nil || c.number == nil,
		compareNumbers(c.base, full.number) > 0, compareNumbers(c.number, full.number) < 0:
		return fmt.Errorf("%w: the delta belongs to another base", ErrScope)
	case (c.point == nil) != (full.point == nil):
		return fmt.Errorf("%w: the delta has another scope", ErrScope)
	}
	return nil
}

// inForce applies the list's own limits of time.
func (c *crl) inForce(now time.Time) error {
	switch {
	case c.thisUpdate.Sub(now) > Skew:
		return fmt.Errorf("%w: CRL is of the future", ErrNotFresh)
	case c.nextUpdate.IsZero():
		return fmt.Errorf("%w: CRL without nextUpdate", ErrNotFresh)
	case now.After(c.nextUpdate):
		return fmt.Errorf("%w: CRL is past its nextUpdate", ErrNotFresh)
	case c.base != nil && now.Sub(c.thisUpdate) > MaxAgeStated:
		return fmt.Errorf("%w: delta CRL is too old", ErrNotFresh)
	}
	return nil
}

// recheck is how soon a list that is kept is asked for again.
const recheck = 10 * time.Minute

// list returns a list whose signature and scope were verified, from what is kept while that is young, else from the network.
func (c *Checker) list(ctx context.Context, address string, leaf *cert.Certificate, issuer qes.Service) (*crl, error) {
	now := c.cfg.Now()
	if kept := c.lists.get(address); kept != nil && now.Sub(kept.fetched) < recheck && kept.inForce(now) == nil {
		if kept.signer == issuer.Certificate.Fingerprint() && kept.concerns(leaf, issuer.Certificate) == nil {
			return kept, nil
		}
	}
	body, err := c.exchange(ctx, address, fetch.Request{URL: address, PlainHTTP: true, Timeout: crlTimeout, MaxBody: MaxCRL})
	if err != nil {
		return nil, err
	}
	got, err := parseCRL(body)
	if err != nil {
		return nil, err
	}
	if err := got.verify(leaf, issuer.Certificate); err != nil {
		return nil, err
	}
	if err := got.index(); err != nil {
		return nil, err
	}
	got.fetched, got.signer = now, issuer.Certificate.Fingerprint()
	if err := c.lists.put(address, got); err != nil {
		return nil, err
	}
	return got, nil
}
