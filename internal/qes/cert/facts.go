package cert

import (
	"bytes"
	"crypto/sha256"

	"brama/internal/der"
)

// facts are what the octets of a certificate say and every login asks for, read once. They are the same at any time and
// under any trusted list.
type facts struct {
	fingerprint [sha256.Size]byte
	kind        Kind // by the usage alone
	personal    bool // the kind is the subject's to tell
	unresolved  []der.OID
	statements  QCStatements
	issuerName  string
	email       []string
}

// facts reads them the first time; two who ask at once may both.
func (c *Certificate) facts() *facts {
	if f := c.asked.Load(); f != nil {
		return f
	}
	f := &facts{fingerprint: sha256.Sum256(c.Raw), unresolved: c.readUnresolved(), issuerName: c.readIssuerName(), email: c.readEmailAddresses()}
	f.statements, _ = c.qcStatements() // zero with an error
	f.kind, f.personal = c.kindByUsage(f.statements)
	c.asked.Store(f)
	return f
}

// IssuedBy reports whether CheckSignatureFrom has found that parent's key signed c: neither the octets of the one nor the key
// of the other can change. It says nothing that depends on time.
func (c *Certificate) IssuedBy(parent *Certificate) bool {
	key := c.issuerKey.Load()
	return key != nil && bytes.Equal(*key, parent.PublicKey.Raw)
}

// issuedBy notes it: the last key that was found, octet for octet.
func (c *Certificate) issuedBy(parent *Certificate) {
	key := bytes.Clone(parent.PublicKey.Raw)
	c.issuerKey.Store(&key)
}
