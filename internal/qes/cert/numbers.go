package cert

import "time"

// Numbers are what another system says of a person, in the places where it has them.
type Numbers struct {
	Person string    // in the place of the tax number: РНОКПП, or the passport of who has none
	UNZR   string    // record number of the demographic register, with its hyphen or without
	Birth  time.Time // zero if the system gave none
}

// ReadNumbers reads numbers that did not come in a certificate by the rules for those that did, so that one person is one
// person by every road (threats T29, T30). The subject has Identifiers, BirthDate and Warnings only. A date of birth other
// than the one in УНЗР is an [*IdentifierError].
func ReadNumbers(n Numbers) (Subject, error) {
	v := new(values)
	if n.Person != "" {
		v.person(n.Person)
	}
	if n.UNZR != "" {
		v.unzr(n.UNZR)
	}
	if !n.Birth.IsZero() {
		v.addBirth(n.Birth)
	}
	if v.disagree != "" {
		return Subject{}, &IdentifierError{Type: v.disagree}
	}
	return Subject{Identifiers: v.list, BirthDate: v.birth, Warnings: v.warnings}, nil
}

// CleanText brings a text of another system to what texts of certificates are: NFC, letters, marks, digits, punctuation and
// single spaces, at most 256 characters (threat T97).
func CleanText(s string) string { return clean(s) }
