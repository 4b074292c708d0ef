package qes

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
)

// maxKnown bounds the certificates that a Validator remembers, of about 3 KiB each.
const maxKnown = 256

// known remembers how certificates read, by the SHA-256 of all their octets: reading one twice, by two readers that must
// agree, costs as much as verifying it. Only those are remembered that had a path to a granted service, so that
// strangers cannot fill it. Nothing but the reading is remembered: every check is made anew. The zero value is empty.
type known struct {
	mu    sync.Mutex
	byID  map[[sha256.Size]byte]*cert.Certificate
	order [maxKnown][sha256.Size]byte // a ring, the oldest at next once it is full
	next  int
}

// parse is cert.Parse of octets of its own, so that what is remembered does not hold the whole message.
func (k *known) parse(b []byte) (*cert.Certificate, error) {
	if len(b) > tbs.MaxSize {
		return cert.Parse(b) // which refuses it
	}
	id := sha256.Sum256(b)
	k.mu.Lock()
	c := k.byID[id]
	k.mu.Unlock()
	if c != nil && bytes.Equal(c.Raw, b) {
		return c, nil
	}
	return cert.Parse(bytes.Clone(b))
}

// remember keeps c, which parse returned.
func (k *known) remember(c *cert.Certificate) {
	id := c.Fingerprint()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = make(map[[sha256.Size]byte]*cert.Certificate)
	}
	if k.byID[id] != nil {
		return
	}
	if len(k.byID) == maxKnown {
		delete(k.byID, k.order[k.next])
	}
	k.byID[id], k.order[k.next] = c, id
	k.next = (k.next + 1) % maxKnown
}
