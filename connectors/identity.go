package connectors

import (
	"fmt"
	"log/slog"
	"time"
)

// IdentifierType is a kind of number that names a person or an organisation.
type IdentifierType string

// Identifier types.
const (
	RNOKPP   IdentifierType = "RNOKPP" // taxpayer number (РНОКПП)
	UNZR     IdentifierType = "UNZR"   // record number in the demographic register (УНЗР)
	Passport IdentifierType = "PASSPORT"
	TIN      IdentifierType = "TIN" // foreign tax number
	EDRPOU   IdentifierType = "EDRPOU"
)

// An Identifier is a typed number. It masks itself in logs.
type Identifier struct {
	Type    IdentifierType `json:"type"`
	Country string         `json:"country"` // ISO 3166-1 alpha-2, "UA" for national numbers
	Value   string         `json:"value"`
}

// LogValue hides all but the type.
func (i Identifier) LogValue() slog.Value {
	return slog.StringValue(string(i.Type) + ":***")
}

// String hides the value, so that it cannot slip into a message by %v.
func (i Identifier) String() string { return string(i.Type) + ":***" }

// A Role is a capacity that the certificate gives: the person, or a position in an organisation.
type Role struct {
	ID           string `json:"id"` // "person" or "organization"
	EDRPOU       string `json:"edrpou,omitempty"`
	Organization string `json:"organization,omitempty"`
	Title        string `json:"title,omitempty"`
}

// A LoA is a level of assurance. The zero value is no level.
type LoA string

// Levels, as in the acr claim.
const (
	Low         LoA = "low"
	Substantial LoA = "substantial"
	High        LoA = "high"
)

// A CertificateInfo is what tokens may say of the certificate.
type CertificateInfo struct {
	Issuer    string    `json:"issuer"` // provider name from the trusted list
	Serial    string    `json:"serial"` // hex
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	CheckedAt time.Time `json:"checked_at"` // of the status
	Qualified bool      `json:"qualified"`
	// ID names the certificate itself, so that its status can be asked again later; "" if we never saw it. It is for nobody else.
	ID string `json:"id,omitempty"`
	// Raw is the certificate, DER. It is kept once, under ID, and not with every login.
	Raw []byte `json:"-"`
}

// An Evidence is what the audit keeps of a login: enough to repeat the verification in court.
type Evidence struct {
	Signature  []byte `json:"signature,omitempty"`  // SignedData, DER, or the ASiC container around it
	Content    []byte `json:"content,omitempty"`    // the challenge
	Revocation []byte `json:"revocation,omitempty"` // OCSP response or CRL, DER
	TrustList  string `json:"trust_list,omitempty"` // version or digest of the list
}

// An Identity is a person whom a connector has proven. Two different values of one identifier type are a refusal, never
// a choice, so each type stands at most once.
type Identity struct {
	Name, FamilyName, GivenName, MiddleName string
	Identifiers                             []Identifier // of the person; organisations are in Roles
	BirthDate                               time.Time    // zero unless proven
	Email                                   string       // of the certificate that signed; nobody has verified it
	Roles                                   []Role       // at least "person"; the first is the default
	Certificate                             CertificateInfo
	LoA                                     LoA
	AMR                                     []string
	AuthTime                                time.Time
	Evidence                                Evidence
}

// Identifier returns the value of type t, "" if there is none.
func (id *Identity) Identifier(t IdentifierType) string {
	for _, i := range id.Identifiers {
		if i.Type == t {
			return i.Value
		}
	}
	return ""
}

// A Refusal is an error of Begin or Advance with the stable code of its message and the values for its placeholders.
// It may wrap ErrRetry.
type Refusal struct {
	Code   string
	Values map[string]string
	Err    error
}

// Retry makes a refusal that leaves the login where it was. values are pairs of a placeholder of the message and its value;
// err, the cause for the log, may be nil.
func Retry(code string, err error, values ...string) *Refusal {
	r := &Refusal{Code: code, Err: ErrRetry}
	if err != nil {
		r.Err = fmt.Errorf("%w: %w", ErrRetry, err)
	}
	for i := 0; i+1 < len(values); i += 2 {
		if r.Values == nil {
			r.Values = map[string]string{}
		}
		r.Values[values[i]] = values[i+1]
	}
	return r
}

// Error returns the code and the cause.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return r.Code
	}
	return r.Code + ": " + r.Err.Error()
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }
