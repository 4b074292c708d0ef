package storage

import (
	"errors"
	"slices"
	"time"
)

// KindConsent is the kind of what persons have agreed to.
const KindConsent Kind = "consent"

// A Consent is what a person has agreed to that one portal learns. It is written by every sign-in there, so that its
// absence means that the portal is new to the person.
type Consent struct {
	Person  string // the record is in this group
	Client  string
	Claims  []string  // what the portal gets of those that there is a choice about or not
	Version string    // of the notice
	Agreed  time.Time // of the tick; zero if none was asked
	Last    time.Time // sign-in
}

// Covers reports whether a tick was set for this version of the notice and for all these claims.
func (c *Consent) Covers(version string, claims []string) bool {
	if c.Agreed.IsZero() || c.Version != version {
		return false
	}
	return !slices.ContainsFunc(claims, func(claim string) bool { return !slices.Contains(c.Claims, claim) })
}

func consentID(person, client string) string { return HashSecret(person + "\x00" + client) }

// PutConsent stores c in place of what was agreed before.
func PutConsent(tx Tx, c Consent) error {
	if c.Person == "" || c.Client == "" {
		return errors.New("storage: consent of nobody")
	}
	return tx.Put(Record{Kind: KindConsent, ID: consentID(c.Person, c.Client), Group: c.Person, Body: c.pack()})
}

// GetConsent returns what a person agreed to at a client. ErrNotFound.
func GetConsent(tx Tx, person, client string) (Consent, error) {
	r, err := tx.Get(KindConsent, consentID(person, client))
	if err != nil {
		return Consent{}, err
	}
	c := Consent{Person: r.Group}
	return c, c.unpack(r.Body)
}
