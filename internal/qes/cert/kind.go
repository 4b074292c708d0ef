package cert

import (
	"brama/internal/qes/tbs"
)

// A Kind is what a certificate is for. The zero value is the refusal.
type Kind int

// Kinds.
const (
	KindUnknown Kind = iota
	KindPerson
	KindEmployee
	KindEntrepreneur
	KindSeal
	KindEncryption
	KindService // CA, OCSP, TSP, CMP, TLS
)

// String names the kind for operators.
func (k Kind) String() string {
	switch k {
	case KindPerson:
		return "person"
	case KindEmployee:
		return "employee"
	case KindEntrepreneur:
		return "entrepreneur"
	case KindSeal:
		return "seal"
	case KindEncryption:
		return "encryption"
	case KindService:
		return "service"
	default:
		return "unknown"
	}
}

const encryptingBits = tbs.KeyEncipherment | tbs.DataEncipherment | tbs.KeyAgreement | tbs.EncipherOnly | tbs.DecipherOnly

// Kind tells what the certificate is for: by a positive list (threat T20). A certificate with an authority's bits or usages is
// a service; one that can encrypt is for encryption, whatever else it can; one without key usage, without nonRepudiation,
// or with an extended key usage that nobody knows is KindUnknown.
func (c *Certificate) Kind() Kind {
	f := c.facts()
	if f.personal {
		return c.person().kind
	}
	return f.kind
}

// IsPersonal reports whether key usage and extended key usage are those of a person's signature, whether or not the
// certificate names anybody.
func (c *Certificate) IsPersonal() bool {
	return c.facts().personal
}

// kindByUsage decides without the subject, or leaves it to the subject: personal.
func (c *Certificate) kindByUsage(qc QCStatements) (k Kind, personal bool) {
	usage, ok := c.KeyUsage()
	isCA, _ := c.BasicConstraints()
	ekus, err := c.extKeyUsage()
	switch {
	case err != nil:
		return KindUnknown, false
	case isCA, usage&(tbs.KeyCertSign|tbs.CRLSign) != 0, qc.Web:
		return KindService, false
	}
	seal, known := qc.Seal && !qc.Sign, true
	for _, eku := range ekus {
		switch {
		case eku == EKUSeal:
			seal = true
		case eku == EKUOCSPSigning, eku == EKUTimeStamping, eku == EKUCMP, eku == ekuServerAuth:
			return KindService, false
		case !personEKU[eku]:
			known = false
		}
	}
	switch {
	case !ok:
		return KindUnknown, false
	case usage&encryptingBits != 0:
		return KindEncryption, false
	case usage&tbs.NonRepudiation == 0:
		return KindUnknown, false
	case seal:
		return KindSeal, false
	case !known:
		return KindUnknown, false
	}
	return KindUnknown, true
}

// kind tells persons apart by their identifiers: РНОКПП or its substitute alone, with the code of an organisation, or
// with the same number as code.
func (v *values) kind() Kind {
	switch {
	case v.entrepreneur:
		return KindEntrepreneur
	case v.hasOrganization && (v.hasPerson || v.hasName):
		return KindEmployee
	case v.hasOrganization:
		return KindSeal // a legal person by itself signs with a seal
	case v.hasPerson || v.hasName:
		return KindPerson
	default:
		return KindUnknown
	}
}
