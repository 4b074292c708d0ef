package qestest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"brama/internal/qes/trustlist"
)

// Names of the authorities of a provider.
const (
	// Main is trusted and issues with ДСТУ on M257 under a root on M431.
	Main = "main"
	// Second is another trusted issuer, on M431.
	Second = "second"
	// Kupyna belongs to the first issuer and signs with Купина-256.
	Kupyna = "kupyna"
	// ECDSA belongs to the first issuer, P-256.
	ECDSA = "ecdsa"
	// RSA belongs to the first issuer; it exists if Config.RSA says so.
	RSA = "rsa"
	// Diia keeps the keys of persons itself and has them signed with by telephone; M257. It and DiiaECDSA exist if
	// Config.Diia says so.
	Diia = "diia"
	// DiiaECDSA is its twin on P-256.
	DiiaECDSA = "diia-ecdsa"
	// Stranger is in no trusted list.
	Stranger = "stranger"
)

// Codes of the legal entities of the issuers in the directory, by which searches name them.
const (
	MainEDRPOU   = "10000001"
	SecondEDRPOU = "10000002"
	DiiaEDRPOU   = "10000003" // if Config.Diia says so
)

// A Config says where the provider answers.
type Config struct {
	// BaseURL is where Handler will be served, without a slash at the end: it stands in every certificate. http only: what
	// is served is signed.
	BaseURL string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// RSA adds an RSA authority: its keys take a second to make.
	RSA bool
	// Diia adds the provider of the method "diia".
	Diia bool
}

// A Provider is a running provider. It is safe for concurrent use.
type Provider struct {
	cfg         Config
	host        string
	authorities []*authority
	byID        map[string]*authority

	mu     sync.Mutex
	faults map[string]Fault // by service
	onOCSP func(*Answer)
	onCRL  func(*List)
	asked  map[string]int // by service
}

// An authority is one issuing CA with its servers.
type authority struct {
	id        string
	provider  string // code of the legal entity, "" if in no directory
	cn        string
	root, ca  node
	ocsp, tsa node

	// guarded by Provider.mu
	records map[string]*record // by content octets of the serial number
	serials uint32
	number  int // of the CRL: one more with every change
}

// A node is a certificate with its key.
type node struct {
	name []byte
	key  *Key
	der  []byte
}

// A record is one issued certificate.
type record struct {
	issued *Issued
	status Status
	since  time.Time
	hidden bool // the search does not find it
}

// New makes the keys and certificates of all authorities.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || strings.HasSuffix(cfg.BaseURL, "/") {
		return nil, errors.New("qestest: BaseURL is an http address without a slash at the end")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Provider{
		cfg: cfg, host: u.Hostname(), byID: make(map[string]*authority),
		faults: make(map[string]Fault), asked: make(map[string]int),
	}
	national, err := p.newRoot("Центральний засвідчувальний орган (ТЕСТ)", M431)
	if err != nil {
		return nil, err
	}
	stranger, err := p.newRoot("Невідомий засвідчувальний орган (ТЕСТ)", M257)
	if err != nil {
		return nil, err
	}
	kupyna, err := p.newRoot("Центральний засвідчувальний орган (Купина) (ТЕСТ)", M431Kupyna)
	if err != nil {
		return nil, err
	}
	ecdsa, err := p.newRoot("Central certification authority (TEST)", P256)
	if err != nil {
		return nil, err
	}
	add := func(id, edrpou, cn string, root node, a Algorithm) {
		if err == nil {
			err = p.newAuthority(id, edrpou, cn, root, a)
		}
	}
	add(Main, MainEDRPOU, "КНЕДП «Калина» (ТЕСТ)", national, M257)
	add(Second, SecondEDRPOU, "КНЕДП «Верба» (ТЕСТ)", national, M431)
	add(Kupyna, MainEDRPOU, "КНЕДП «Калина» (Купина) (ТЕСТ)", kupyna, M257Kupyna)
	add(ECDSA, MainEDRPOU, "QTSP «Kalyna» ECDSA (TEST)", ecdsa, P256)
	if cfg.Diia {
		add(Diia, DiiaEDRPOU, "КНЕДП «Дія» (ТЕСТ)", national, M257)
		add(DiiaECDSA, DiiaEDRPOU, "QTSP \"DIIA\" (TEST)", ecdsa, P256)
	}
	add(Stranger, "", "КНЕДП «Полин» (ТЕСТ)", stranger, M257)
	if cfg.RSA && err == nil {
		var root node
		if root, err = p.newRoot("Central certification authority RSA (TEST)", RSA2048); err == nil {
			add(RSA, MainEDRPOU, "QTSP «Kalyna» RSA (TEST)", root, RSA2048)
		}
	}
	return p, err
}

// Validity of the authorities around the start: long enough for certificates that expired years ago.
const (
	rootBefore, rootAfter = 10, 10 // years
	caBefore, caAfter     = 8, 8
)

func (p *Provider) newRoot(cn string, a Algorithm) (node, error) {
	key, err := NewKey(a)
	if err != nil {
		return node{}, err
	}
	n := node{key: key, name: name{
		{oidOrganization, "Тестовий центр"}, {oidCommonName, cn}, {oidSerialNumber, "UA-00000000-0001"},
		{oidCountry, "UA"}, {oidLocality, "Київ"},
	}.encode()}
	now := p.cfg.Now()
	n.der, err = template{
		serial: serialNumber(key, 1, 1), subject: n.name, key: key,
		notBefore: now.AddDate(-rootBefore, 0, 0), notAfter: now.AddDate(rootAfter, 0, 0),
		extensions: [][]byte{subjectKeyID(key), authorityKeyID(key), keyUsage(usageCA), basicConstraints(true, 2)},
	}.certify(n.name, key)
	return n, err
}

func (p *Provider) newAuthority(id, edrpou, cn string, root node, algorithm Algorithm) error {
	a := &authority{id: id, provider: edrpou, cn: cn, root: root, records: make(map[string]*record), number: 1}
	code := edrpou
	if code == "" {
		code = "10000009"
	}
	subject := func(cn string) []byte {
		return name{
			{oidOrganization, "ТОВ «Тестові послуги»"}, {oidCommonName, cn}, {oidSerialNumber, "UA-" + code + "-0001"},
			{oidCountry, "UA"}, {oidLocality, "Київ"}, {oidOrgID, "NTRUA-" + code},
		}.encode()
	}
	now := p.cfg.Now()
	from, to := now.AddDate(-caBefore, 0, 0), now.AddDate(caAfter, 0, 0)
	make := func(n *node, cn string, kind uint32, issuer node, extensions ...[]byte) error {
		key, err := NewKey(algorithm)
		if err != nil {
			return err
		}
		n.key, n.name = key, subject(cn)
		a.serials++
		n.der, err = template{
			serial: serialNumber(issuer.key, kind, a.serials), subject: n.name, key: key, notBefore: from, notAfter: to,
			extensions: append([][]byte{subjectKeyID(key), authorityKeyID(issuer.key), policies(), qcStatements(true, false)}, extensions...),
		}.certify(issuer.name, issuer.key)
		return err
	}
	err := make(&a.ca, cn, 1, root, keyUsage(usageCA), basicConstraints(true, 0))
	if err == nil {
		err = make(&a.ocsp, "OCSP-сервер "+cn, 2, a.ca, keyUsage(usageOCSP), extKeyUsage(false, oidOCSPSigning), basicConstraints(false, 0))
	}
	if err == nil {
		err = make(&a.tsa, "TSP-сервер "+cn, 2, a.ca, keyUsage(usageTSP), extKeyUsage(true, oidTimeStamping), basicConstraints(false, 0))
	}
	if err != nil {
		return err
	}
	p.authorities = append(p.authorities, a)
	p.byID[id] = a
	return nil
}

// serialNumber makes 20 octets in the manner of national issuers: eight of the issuer's key identifier, the kind, a counter.
// The top bit is cleared, so that the number is not negative.
func serialNumber(issuer *Key, kind, counter uint32) []byte {
	b := append([]byte{}, issuer.ID()[:8]...)
	b[0] = b[0]&0x7f | 0x40
	b = binary.BigEndian.AppendUint32(b, kind<<24)
	b = binary.BigEndian.AppendUint32(b, counter)
	return append(b, 0, 0, 0, 1)
}

// Now is the provider's clock.
func (p *Provider) Now() time.Time { return p.cfg.Now() }

// url is the address of a service of an authority.
func (p *Provider) url(a *authority, service string) string {
	return p.cfg.BaseURL + "/" + a.id + "/" + service
}

// Pins returns the roots that vouch for the trusted authorities.
func (p *Provider) Pins() []trustlist.Pin {
	var pins []trustlist.Pin
	seen := make(map[trustlist.Fingerprint]bool)
	for _, a := range p.authorities {
		f := trustlist.FingerprintOf(a.root.der)
		if a.provider != "" && !seen[f] {
			seen[f] = true
			pins = append(pins, trustlist.Pin{Fingerprint: f, Name: "(TEST)", Origin: "made at start"})
		}
	}
	return pins
}

// Candidates returns the certificates of all authorities and servers, in DER; those of the stranger too, as a bundle of
// strangers' making would.
func (p *Provider) Candidates() [][]byte {
	var out [][]byte
	for _, a := range p.authorities {
		out = append(out, a.root.der, a.ca.der, a.ocsp.der, a.tsa.der)
	}
	return out
}

// Directory returns the entries of the two trusted issuers.
func (p *Provider) Directory() []trustlist.Provider {
	var list []trustlist.Provider
	index := make(map[string]int)
	for _, a := range p.authorities {
		if a.provider == "" {
			continue
		}
		if i, ok := index[a.provider]; ok {
			list[i].IssuerCNs = append(list[i].IssuerCNs, a.cn)
			continue
		}
		index[a.provider] = len(list)
		list = append(list, trustlist.Provider{
			EDRPOU: a.provider, Host: p.host, IssuerCNs: []string{a.cn},
			OCSP: p.url(a, ServiceOCSP), TSP: p.url(a, ServiceTSP), CMP: p.url(a, ServiceCMP),
		})
	}
	return list
}

// TrustConfig returns what a trustlist.Store needs to trust this provider.
func (p *Provider) TrustConfig() trustlist.Config {
	return trustlist.Config{
		Pins: p.Pins(), Candidates: p.Candidates(), Directory: p.Directory(), AllowTest: true, Now: p.cfg.Now,
	}
}

// TrustStore returns a store that trusts this provider and nobody else.
func (p *Provider) TrustStore() (*trustlist.Store, error) { return trustlist.New(p.TrustConfig()) }

// CACertificate returns the certificate of an authority, DER; nil if there is none of that name.
func (p *Provider) CACertificate(authority string) []byte {
	if a := p.byID[authority]; a != nil {
		return a.ca.der
	}
	return nil
}

// RootCertificate returns the root above an authority, DER; nil if there is none of that name.
func (p *Provider) RootCertificate(authority string) []byte {
	if a := p.byID[authority]; a != nil {
		return a.root.der
	}
	return nil
}

// ResponderCertificate and TSACertificate return those of an authority's servers.
func (p *Provider) ResponderCertificate(authority string) []byte {
	if a := p.byID[authority]; a != nil {
		return a.ocsp.der
	}
	return nil
}

// TSACertificate returns the certificate of an authority's time-stamp server.
func (p *Provider) TSACertificate(authority string) []byte {
	if a := p.byID[authority]; a != nil {
		return a.tsa.der
	}
	return nil
}

// Address returns the URL of a service (ServiceOCSP, …) of an authority.
func (p *Provider) Address(authority, service string) (string, error) {
	a := p.byID[authority]
	if a == nil {
		return "", fmt.Errorf("qestest: no authority %q", authority)
	}
	return p.url(a, service), nil
}
