package provider

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limits of one address. A person needs a few requests a login; many people behind one address are still fewer than this.
const (
	limitBurst  = 120
	limitRefill = time.Second / 2 // one request each
	// maxBuckets bounds the memory; with more addresses than that the oldest are forgotten.
	maxBuckets = 100_000
)

// A limiter counts costly requests by network address, in memory: a flood of one stranger must not become work (T93).
type limiter struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[netip.Addr]bucket
	swept   time.Time
}

type bucket struct {
	spent int
	since time.Time // of the last refill
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[netip.Addr]bucket{}, swept: now()}
}

// allow takes one request of an address. Loopback is not counted: that is a reverse proxy that is not trusted to
// name others (Config.TrustedProxies) and does it for the addresses that it sees, or a developer.
func (l *limiter) allow(remote string) bool {
	parsed, err := netip.ParseAddrPort(remote)
	if err != nil {
		return true // no network address: a test, or a socket of the machine
	}
	address := parsed.Addr().Unmap()
	if address.IsLoopback() {
		return true
	}
	if address.Is6() {
		network, _ := address.WithZone("").Prefix(64) // one subscriber has a whole /64
		address = network.Addr()
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute || len(l.buckets) >= maxBuckets {
		l.sweep(now)
	}
	b := l.buckets[address].refill(now)
	if b.spent >= limitBurst {
		l.buckets[address] = b
		return false
	}
	b.spent++
	l.buckets[address] = b
	return true
}

// refill gives back one request for every limitRefill since the last.
func (b bucket) refill(now time.Time) bucket {
	if b.since.IsZero() {
		b.since = now
	}
	if n := int(now.Sub(b.since) / limitRefill); n > 0 {
		b.spent = max(0, b.spent-n)
		b.since = b.since.Add(time.Duration(n) * limitRefill)
	}
	return b
}

func (l *limiter) sweep(now time.Time) {
	for a, b := range l.buckets {
		if b.refill(now).spent == 0 {
			delete(l.buckets, a)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets) // a flood of addresses: forgetting is better than refusing everybody
	}
	l.swept = now
}

// limited refuses a stranger's flood with RATE_LIMITED.
func (p *Provider) limited(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.limit.allow(r.RemoteAddr) {
			p.problem(w, r, http.StatusTooManyRequests, "RATE_LIMITED", map[string]string{"n": "1"}, time.Minute)
			return
		}
		next(w, r)
	}
}
