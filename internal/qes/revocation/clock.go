package revocation

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"brama/internal/qes/cert"
)

const (
	// MaxClockSkew is how far our clock may be from a responder's before nothing that was judged by it is worth anything.
	MaxClockSkew = 5 * time.Minute
	// clockMemory is how long an observation counts. It ends by itself, so that a server whose clock was mended comes back
	// although nobody has signed in meanwhile; the next answer would tell again.
	clockMemory = 10 * time.Minute
)

// A Clock compares our clock with what responders sign, for a server whose clock moved takes expired certificates and
// writes worthless evidence (threat T25). The last word of each issuer counts, and ours is wrong if most of them say so:
// one careless provider does not stop the logins of all. The zero value is ready, and safe for concurrent use.
type Clock struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]observation
}

type observation struct {
	at    time.Time
	ahead time.Duration // of our clock
}

// observe notes that an answer for a certificate of issuer, made for us just now, says that it was made at producedAt.
func (c *Clock) observe(issuer *cert.Certificate, producedAt, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[[sha256.Size]byte]observation)
	}
	c.seen[issuer.Fingerprint()] = observation{at: now, ahead: now.Sub(producedAt)}
}

// Err tells by how much our clock is off, nil if nothing says so.
func (c *Clock) Err(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var off, count int
	var worst time.Duration
	for issuer, o := range c.seen {
		if now.Sub(o.at).Abs() > clockMemory {
			delete(c.seen, issuer)
			continue
		}
		count++
		if o.ahead.Abs() > MaxClockSkew {
			off++
			if o.ahead.Abs() > worst.Abs() {
				worst = o.ahead
			}
		}
	}
	if 2*off > count {
		return fmt.Errorf("%w: by %s, as %d of %d issuers say", ErrClock, worst.Round(time.Second), off, count)
	}
	return nil
}
