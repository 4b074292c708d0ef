package trustlist

import "sync/atomic"

const (
	// manyIssued is the number of certificates after which the tables of an issuer's key have paid for themselves.
	manyIssued = 64
	// maxTables bounds all tables of a store, in octets: a dozen issuers on M257.
	maxTables = 4 << 20
	// reserved is what one issuer's tables take at most (M431), before they are made.
	reserved = 768 << 10
)

// tables bounds the memory of the tables of issuers' keys. Those who have them keep them: there are some thirty issuers,
// most people have their certificates from few of them, and one that comes too late is only verified as quickly as others
// are. Certificates that turn out forged are not counted, so that strangers cannot take the room.
type tables struct{ octets atomic.Int64 }

// count notes that c has issued a certificate, and makes the tables of c's key when there were manyIssued.
func (t *tables) count(c *candidate) {
	if c.issued.Load() >= manyIssued || c.issued.Add(1) != manyIssued {
		return
	}
	if t.octets.Add(reserved) > maxTables {
		t.octets.Add(-reserved)
		return
	}
	t.octets.Add(int64(c.Precompute()) - reserved)
}
