package storage

import (
	"errors"
	"time"

	"brama/internal/pack"
)

// KindCertificate is the kind of certificates that have signed persons in.
const KindCertificate Kind = "certificate"

// A Certificate is what is kept of a person's certificate so that its status can be asked again while grants live that were
// given by it (threat T80). One record serves all of them: who finds that it has ended says so to all.
type Certificate struct {
	ID      string // SHA-256 of the certificate, hex
	Person  string // the record is in this group
	Sealed  []byte // the certificate, sealed by its writer
	Checked time.Time
	Ended   string    // why it is good no more, a message code; "" if it was good when it was asked about last
	Expires time.Time // with the certificate
}

// checkedStep is what Checked may lag behind, so that not every login writes.
const checkedStep = time.Hour

// KeepCertificate stores c as it was seen now, or notes that it was found good again. seal makes c.Sealed, if it is needed.
func KeepCertificate(tx Tx, c Certificate, seal func() []byte) error {
	known, err := GetCertificate(tx, c.ID)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case known.Person == c.Person && known.Ended == "" && c.Checked.Sub(known.Checked) < checkedStep:
		return nil
	}
	c.Sealed = seal()
	return tx.Put(c.record())
}

// GetCertificate returns what is kept of a certificate. ErrNotFound, also once it has expired.
func GetCertificate(tx Tx, id string) (Certificate, error) {
	r, err := tx.Get(KindCertificate, id)
	if err != nil {
		return Certificate{}, err
	}
	p, err := openPacked(r.Body)
	if err != nil {
		return Certificate{}, damaged(KindCertificate, err)
	}
	c := Certificate{ID: id, Person: r.Group, Expires: r.Expires, Checked: p.Time(), Ended: p.String(), Sealed: readBytes(p)}
	return c, damaged(KindCertificate, p.End())
}

// CheckedCertificate notes in tx that the status of a certificate was asked again at now: ended is the code of why it is good no
// more, "" if it is. A certificate that is absent is no error.
func CheckedCertificate(tx Tx, id, ended string, now time.Time) error {
	c, err := GetCertificate(tx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if now.Before(c.Checked) {
		return nil // somebody signed in by it meanwhile
	}
	c.Checked, c.Ended = now, ended
	return tx.Put(c.record())
}

func (c *Certificate) record() Record {
	b := pack.AppendTime(newPacked(64+len(c.Sealed)), c.Checked)
	b = pack.AppendString(pack.AppendString(b, c.Ended), c.Sealed)
	return Record{Kind: KindCertificate, ID: c.ID, Group: c.Person, Expires: c.Expires, Body: b}
}
