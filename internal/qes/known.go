package qes

import (
	"bytes"
	"hash/maphash"
	"sync"

	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
)

// maxKnown bounds the certificates that a Validator remembers, of about 3 KiB each, and 5 KiB more where the person came twice.
const maxKnown = 256

// known remembers how certificates read, found by a hash under a key of its own and compared octet for octet: reading one
// twice, by two readers that must agree, costs as much as verifying it. Only those are remembered that had a path to a
// granted service, so that strangers cannot fill it. Remembered is what follows from the octets alone: the reading, and
// which key they were signed with. Every check of time, trust and status is made anew. The zero value is empty.
type known struct {
	mu     sync.Mutex
	seed   maphash.Seed
	byHash map[uint64]*cert.Certificate // nil until the first
	order  [maxKnown]uint64             // a ring, the oldest at next once it is full
	next   int
}

// parse is cert.Parse of octets of its own, so that what is remembered does not hold the whole message.
func (k *known) parse(b []byte) (*cert.Certificate, error) {
	if len(b) > tbs.MaxSize {
		return cert.Parse(b) // which refuses it
	}
	if c := k.find(b); c != nil {
		return c, nil
	}
	return cert.Parse(bytes.Clone(b))
}

func (k *known) find(b []byte) *cert.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byHash == nil {
		return nil
	}
	if c := k.byHash[maphash.Bytes(k.seed, b)]; c != nil && bytes.Equal(c.Raw, b) {
		return c
	}
	return nil
}

// remember keeps c, which parse returned. Of two certificates with one hash the first stays. The key of one that is kept
// already gets small tables: its owner has come again.
func (k *known) remember(c *cert.Certificate) {
	if !k.keep(c) {
		c.PrecomputeSmall()
	}
}

// keep reports whether c is new.
func (k *known) keep(c *cert.Certificate) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byHash == nil {
		k.seed, k.byHash = maphash.MakeSeed(), make(map[uint64]*cert.Certificate)
	}
	id := maphash.Bytes(k.seed, c.Raw)
	if other := k.byHash[id]; other != nil {
		return other != c
	}
	if len(k.byHash) == maxKnown {
		delete(k.byHash, k.order[k.next])
	}
	k.byHash[id], k.order[k.next] = c, id
	k.next = (k.next + 1) % maxKnown
	return true
}
