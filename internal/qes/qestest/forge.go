package qestest

import (
	"time"

	"brama/internal/der"
	"brama/internal/qes/cert"
)

// A Forgery is how a certificate departs from what the provider would issue. The zero value of every field is what an
// ordinary certificate of a person has.
type Forgery struct {
	// For Request.Forge: another authority key identifier.
	AuthorityKeyID []byte

	// For IssueBelow: what the intermediate certificate says. Intermediate is only there to be seen in tests.
	Intermediate    bool
	CA, KeyCertSign bool
	PathLen         int // −1 leaves it out
	Critical        bool
	UnderCA         bool // issued by the CA of Main, which may have none below; else by its root
	Expired         bool // yesterday
	Young           bool // valid since yesterday, while the leaf is valid for a year already
}

// IssueBelow makes an intermediate certificate with the common name of Main's CA, and a person's certificate that its key
// has signed, valid for a year already.
func (p *Provider) IssueBelow(f Forgery) (leaf *cert.Certificate, intermediate []byte, err error) {
	a, now := p.byID[Main], p.cfg.Now()
	key, err := NewKey(M257)
	if err != nil {
		return nil, nil, err
	}
	issuer := a.root
	if f.UnderCA {
		issuer = a.ca
	}
	subject := name{{oidOrganization, "ТОВ «Інші послуги»"}, {oidCommonName, a.cn}, {oidCountry, "UA"}}.encode()
	usage := byte(usageSign)
	if f.KeyCertSign {
		usage = usageCA
	}
	t := template{
		serial: serialNumber(issuer.key, 1, 0xffff), subject: subject, key: key,
		notBefore: now.AddDate(-3, 0, 0), notAfter: now.AddDate(3, 0, 0),
		extensions: [][]byte{subjectKeyID(key), authorityKeyID(issuer.key), keyUsage(usage), basicConstraints(f.CA, f.PathLen)},
	}
	if f.Critical {
		t.extensions = append(t.extensions, extension(der.NewOID("1.3.6.1.4.1.99999.3"), true, der.EncodeNull()))
	}
	if f.Expired {
		t.notAfter = now.Add(-24 * time.Hour)
	}
	if f.Young {
		t.notBefore = now.Add(-24 * time.Hour)
	}
	if intermediate, err = t.certify(issuer.name, issuer.key); err != nil {
		return nil, nil, err
	}
	person, err := NewKey(M257)
	if err != nil {
		return nil, nil, err
	}
	r := Request{FamilyName: "Тестенко", GivenName: "Олена", RNOKPP: "1234567899"}
	der, err := template{
		serial: serialNumber(key, 4, 1), subject: r.subject(1).encode(), key: person,
		notBefore: now.AddDate(-1, 0, 0), notAfter: now.AddDate(1, 0, 0),
		extensions: [][]byte{subjectKeyID(person), authorityKeyID(key), keyUsage(usageSign), qcStatements(true, false)},
	}.certify(subject, key)
	if err != nil {
		return nil, nil, err
	}
	leaf, err = cert.Parse(der)
	return leaf, intermediate, err
}

// ForgeResponder makes a certificate with the name of Main's responder, issued in the name of the CA of one authority by the
// key of another's, with or without OCSPSigning, valid until notAfter (zero: a year).
func (p *Provider) ForgeResponder(issuer, signer string, ocspSigning bool, notAfter time.Time) (certificate []byte, key *Key, err error) {
	now := p.cfg.Now()
	if notAfter.IsZero() {
		notAfter = now.AddDate(1, 0, 0)
	}
	if key, err = NewKey(M257); err != nil {
		return nil, nil, err
	}
	by := p.byID[signer].ca.key
	t := template{
		serial: serialNumber(by, 2, 0xfffe), subject: p.byID[Main].ocsp.name, key: key,
		notBefore: now.AddDate(-1, 0, 0), notAfter: notAfter,
		extensions: [][]byte{subjectKeyID(key), authorityKeyID(by), keyUsage(usageSign)},
	}
	if ocspSigning {
		t.extensions = append(t.extensions, extKeyUsage(false, oidOCSPSigning))
	}
	certificate, err = t.certify(p.byID[issuer].ca.name, by)
	return certificate, key, err
}
