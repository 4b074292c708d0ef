package qestest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"brama/internal/qes/cert"
)

// A Kind is what a certificate is for.
type Kind int

// Kinds. The zero value is a person.
const (
	Person Kind = iota
	Employee
	Entrepreneur
	Seal
	Encryption // an agreement certificate alone
)

// A Status is what the responder says of a certificate. The zero value is Good.
type Status int

// Statuses.
const (
	Good Status = iota
	Revoked
	Suspended
	Unknown // the responder has never heard of it
)

// A Request describes a certificate. Only invented people: whoever reads a log of a test must not meet a real one.
type Request struct {
	Authority string // "" is Main
	Kind      Kind
	Algorithm Algorithm // "" is M257
	Key       *Key      // an existing key instead of a new one

	FamilyName, GivenName, MiddleName string
	Title, Organization               string
	RNOKPP, EDRPOU, UNZR              string
	// Old writes the numbers into subjectDirectoryAttributes only, and a number of the issuer's own into serialNumber, as
	// before 2023; else they stand in both places.
	Old bool

	NotBefore, NotAfter time.Time // zero: a year ago, in a year
	Status              Status
	NotQualified        bool // no statement of qualification
	Device              bool // the key is said to be in a qualified device
	Unpublished         bool // the search does not find it
	// WithAgreement adds a second key (M257) with an encryption certificate, as national providers issue pairs.
	WithAgreement bool
	Forge         *Forgery // for tests of those who read
}

// An Issued is a certificate with its key.
type Issued struct {
	Certificate *cert.Certificate
	Key         *Key
	Chain       [][]byte // the issuer's certificate and the root, DER
	Agreement   *Issued  // nil unless asked for
	Authority   string
}

// Issue issues a certificate, and publishes it unless told not to.
func (p *Provider) Issue(r Request) (*Issued, error) {
	if r.Authority == "" {
		r.Authority = Main
	}
	a := p.byID[r.Authority]
	if a == nil {
		return nil, fmt.Errorf("qestest: no authority %q", r.Authority)
	}
	key := r.Key
	if key == nil {
		var err error
		if key, err = NewKey(r.Algorithm); err != nil {
			return nil, err
		}
	}
	out, err := p.issue(a, r, key)
	if err != nil || !r.WithAgreement {
		return out, err
	}
	second := r
	second.Kind, second.Key, second.WithAgreement = Encryption, nil, false
	if key.DSTU == nil {
		return nil, errors.New("qestest: only DSTU keys are issued in pairs")
	}
	if out.Agreement, err = p.Issue(second); err != nil {
		return nil, err
	}
	return out, nil
}

func (p *Provider) issue(a *authority, r Request, key *Key) (*Issued, error) {
	now := p.cfg.Now()
	if r.NotBefore.IsZero() {
		r.NotBefore = now.AddDate(-1, 0, 0)
	}
	if r.NotAfter.IsZero() {
		r.NotAfter = now.AddDate(1, 0, 0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a.serials++
	serial := serialNumber(a.ca.key, 4, a.serials)
	der, err := template{
		serial: serial, subject: r.subject(a.serials).encode(), key: key,
		notBefore: r.NotBefore, notAfter: r.NotAfter, extensions: r.extensions(p, a, key),
	}.certify(a.ca.name, a.ca.key)
	if err != nil {
		return nil, err
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("qestest: reading what was issued: %w", err)
	}
	issued := &Issued{Certificate: c, Key: key, Chain: [][]byte{a.ca.der, a.root.der}, Authority: a.id}
	a.records[string(serial)] = &record{issued: issued, status: r.Status, since: now, hidden: r.Unpublished}
	if r.Status != Good {
		a.number++
	}
	return issued, nil
}

func (r Request) subject(counter uint32) name {
	given := strings.TrimSpace(r.GivenName + " " + r.MiddleName)
	number := fmt.Sprintf("%d", 2000000+counter)
	if !r.Old && r.RNOKPP != "" && r.Kind != Seal {
		number = "TINUA-" + r.RNOKPP
	}
	n := name{{oidOrganization, r.Organization}}
	if r.Kind == Seal || r.FamilyName == "" { // the agreement certificate that goes with a seal names nobody either
		n = append(n, attribute{oidCommonName, r.Organization})
	} else {
		n = append(n,
			attribute{oidTitle, r.Title},
			attribute{oidCommonName, strings.TrimSpace(r.FamilyName + " " + given)},
			attribute{oidSurname, r.FamilyName},
			attribute{oidGivenName, given},
		)
	}
	n = append(n, attribute{oidSerialNumber, number}, attribute{oidCountry, "UA"}, attribute{oidLocality, "Київ"})
	if !r.Old && r.EDRPOU != "" && r.Kind != Entrepreneur {
		n = append(n, attribute{oidOrgID, "NTRUA-" + r.EDRPOU})
	}
	return n
}

func (r Request) extensions(p *Provider, a *authority, key *Key) [][]byte {
	numbers := []attribute{{oidDRFO, r.RNOKPP}, {oidEDRPOU, r.EDRPOU}, {oidUNZR, r.UNZR}}
	switch r.Kind {
	case Entrepreneur:
		numbers[1].value = r.RNOKPP // a sole trader's code is the own number
	case Seal:
		numbers[0].value, numbers[2].value = "", ""
	}
	usage := byte(usageSign)
	if r.Kind == Encryption {
		usage = usageAgree
	}
	aki := a.ca.key.ID()
	if r.Forge != nil && r.Forge.AuthorityKeyID != nil {
		aki = r.Forge.AuthorityKeyID
	}
	list := [][]byte{
		subjectKeyID(key), encodeAuthorityKeyID(aki), keyUsage(usage), policies(), basicConstraints(false, 0),
		qcStatements(!r.NotQualified, r.Device), directoryAttributes(numbers...),
	}
	if r.Kind == Seal {
		list = append(list, extKeyUsage(true, oidSealUsage))
	}
	return append(list,
		distribution(oidCRLDistribution, p.url(a, ServiceCRL)),
		distribution(oidFreshestCRL, p.url(a, ServiceDelta)),
		access(oidAuthorityInfo, oidAccessOCSP, p.url(a, ServiceOCSP)),
		access(oidSubjectInfo, oidAccessTimeStamp, p.url(a, ServiceTSP)),
	)
}

// SetStatus changes what the provider says of a certificate and of its agreement certificate.
func (p *Provider) SetStatus(i *Issued, status Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.byID[i.Authority]
	a.number++
	for ; i != nil; i = i.Agreement {
		if rec := a.records[string(i.Certificate.Serial)]; rec != nil {
			rec.status, rec.since = status, p.cfg.Now()
		}
	}
}
