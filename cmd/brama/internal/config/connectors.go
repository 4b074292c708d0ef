package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Connectors are the systems of others by which people may sign in. A method without settings is not offered.
type Connectors struct {
	// Networks are private networks in which a system may be; addresses of others that are not public are never asked.
	Networks []string `yaml:"networks"`
	// CAFile holds roots in PEM that are trusted for TLS of these systems besides those of the computer.
	CAFile   string    `yaml:"ca_file"`
	Diia     *Diia     `yaml:"diia"`
	IDGov    *IDGov    `yaml:"idgov"`
	BankID   *BankID   `yaml:"bankid"`
	Cloud    *Cloud    `yaml:"cloud"`
	MobileID *MobileID `yaml:"mobileid"`
}

// Diia is the method diia: Дія.Підпис by the acquirers' API.
type Diia struct {
	URL               string `yaml:"url"`
	AcquirerTokenFile string `yaml:"acquirer_token_file"`
	AcquirerTokenEnv  string `yaml:"acquirer_token_env"`
	AuthTokenFile     string `yaml:"auth_token_file"`
	AuthTokenEnv      string `yaml:"auth_token_env"`
	// Branch and Offer are made by `brama diia setup`, for which both may be absent.
	Branch    string `yaml:"branch"`
	Offer     string `yaml:"offer"`
	Scope     string `yaml:"scope"`
	Algorithm string `yaml:"algorithm"`
	MaxLevel  string `yaml:"max_level"`
	// LinkOrigins are where the application's links may lead; https://diia.app if empty.
	LinkOrigins []string `yaml:"link_origins"`
}

// IDGov is the method idgov: the integrated system of electronic identification.
type IDGov struct {
	URL              string              `yaml:"url"`
	ClientID         string              `yaml:"client_id"`
	ClientSecretFile string              `yaml:"client_secret_file"`
	ClientSecretEnv  string              `yaml:"client_secret_env"`
	Keys             []EnvelopeKey       `yaml:"keys"`
	AuthTypes        []string            `yaml:"auth_types"`
	Clients          map[string][]string `yaml:"clients"`
	MobileID         bool                `yaml:"mobile_id"`
	Signers          []string            `yaml:"signers"`
	Senders          []string            `yaml:"senders"`
	CertOnce         bool                `yaml:"cert_once"`
}

// BankID is the method bankid: the centre of BankID НБУ.
type BankID struct {
	URL                string        `yaml:"url"`
	ClientID           string        `yaml:"client_id"`
	ClientSecretFile   string        `yaml:"client_secret_file"`
	ClientSecretEnv    string        `yaml:"client_secret_env"`
	Keys               []EnvelopeKey `yaml:"keys"`
	DataSet            string        `yaml:"dataset"`
	AskBank            bool          `yaml:"ask_bank"`
	WithoutRedirectURI bool          `yaml:"without_redirect_uri"`
	Banks              []Bank        `yaml:"banks"`
}

// A Bank is a member of BankID НБУ.
type Bank struct {
	ID       string   `yaml:"id"`
	MemberID string   `yaml:"member_id"`
	Name     string   `yaml:"name"`
	EDRPOU   string   `yaml:"edrpou"`
	Signers  []string `yaml:"signers"`
}

// An EnvelopeKey is a key for key agreement: in a container, or in a token.
type EnvelopeKey struct {
	Container    string `yaml:"container"`
	PasswordFile string `yaml:"password_file"`
	PasswordEnv  string `yaml:"password_env"`
	// PKCS11 is there in place of the three above.
	PKCS11      *EnvelopePKCS11 `yaml:"pkcs11"`
	Certificate string          `yaml:"certificate"`
}

// EnvelopePKCS11 names a key that never leaves its token.
type EnvelopePKCS11 struct {
	Module  string `yaml:"module"` // absolute path of the library; its code runs in the server
	Token   string `yaml:"token"`  // label
	PINFile string `yaml:"pin_file"`
	Key     string `yaml:"key"` // label of the private key
}

// Cloud is the method cloud.
type Cloud struct {
	MaxLevel  string          `yaml:"max_level"`
	Providers []CloudProvider `yaml:"providers"`
}

// A CloudProvider keeps keys for people.
type CloudProvider struct {
	ID               string   `yaml:"id"`
	Name             string   `yaml:"name"`
	Kind             string   `yaml:"kind"`
	URL              string   `yaml:"url"`
	Identifier       string   `yaml:"identifier"`
	ServiceByCode    bool     `yaml:"service_by_code"`
	ClientID         string   `yaml:"client_id"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	ClientSecretEnv  string   `yaml:"client_secret_env"`
	OAuthURL         string   `yaml:"oauth_url"`
	Hosts            []string `yaml:"hosts"`
}

// MobileID is the method mobileid.
type MobileID struct {
	MaxLevel  string           `yaml:"max_level"`
	Operators []MobileOperator `yaml:"operators"`
}

// A MobileOperator is a mobile signature service.
type MobileOperator struct {
	ID           string `yaml:"id"`
	Name         string `yaml:"name"`
	URL          string `yaml:"url"`
	APID         string `yaml:"ap_id"`
	PasswordFile string `yaml:"password_file"`
	PasswordEnv  string `yaml:"password_env"`
	MSSP         string `yaml:"mssp"`
	Profile      string `yaml:"profile"`
	SOAP         string `yaml:"soap"`
}

// InTokens returns the fields of envelope keys that are in a token.
func (c *Connectors) InTokens() (fields []string) {
	add := func(field string, keys []EnvelopeKey) {
		for i, k := range keys {
			if k.PKCS11 != nil {
				fields = append(fields, fmt.Sprintf("%s[%d].pkcs11", field, i))
			}
		}
	}
	if c.IDGov != nil {
		add("connectors.idgov.keys", c.IDGov.Keys)
	}
	if c.BankID != nil {
		add("connectors.bankid.keys", c.BankID.Keys)
	}
	return fields
}

// A checker collects faults, each with the field that it is about.
type checker struct {
	faults   []error
	networks []netip.Prefix
}

func (k *checker) fault(field, format string, args ...any) {
	k.faults = append(k.faults, fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)))
}

// required finds what is empty.
func (k *checker) required(field, value string) {
	if value == "" {
		k.fault(field, "is required")
	}
}

func (k *checker) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.fault(field, "%q is not one of %s", value, strings.Join(slices.DeleteFunc(allowed, func(s string) bool { return s == "" }), ", "))
	}
}

var (
	environmentName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	entryID         = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
)

// credential checks the two ways in which a secret may come. There is no third: what stands in this file is read by more
// people than it should be.
func (k *checker) credential(field, file, env string) {
	switch {
	case (file == "") == (env == ""):
		k.fault(field, "exactly one of %s_file and %s_env is required", field, field)
	case env != "" && !environmentName.MatchString(env):
		k.fault(field+"_env", "%q is no name of a variable", env)
	}
}

// privateNetworks are those in which an institution keeps its own: nothing of this computer, no link-local addresses (where
// clouds give out credentials), nothing of the open internet, which needs no permission.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// prefixes reads the networks.
func (c *Connectors) prefixes(k *checker) { networks(k, "connectors", c.Networks) }

// networks reads the networks of a part of the file.
func networks(k *checker, part string, list []string) {
	for i, s := range list {
		field := fmt.Sprintf("%s.networks[%d]", part, i)
		p, err := netip.ParsePrefix(s)
		if err != nil || p != p.Masked() {
			k.fault(field, "%q is no network (as 10.20.0.0/16)", s)
			continue
		}
		if !slices.ContainsFunc(privateNetworks, func(n netip.Prefix) bool { return n.Bits() <= p.Bits() && n.Contains(p.Addr()) }) {
			k.fault(field, "%s is no part of a private network; loopback and link-local addresses are never asked", s)
			continue
		}
		k.networks = append(k.networks, p)
	}
}

// Prefixes returns the networks. They were checked by Load.
func (c *Connectors) Prefixes() []netip.Prefix {
	var k checker
	c.prefixes(&k)
	return k.networks
}

// address checks the address of a system: https, and not one of this computer, where only doubles answer (threat T92).
func (k *checker) address(field, raw string, origin bool) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		k.fault(field, "is required")
		return
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(raw, "/"):
		k.fault(field, "%q is not an https address without user, query, fragment and a slash at the end", redactURL(raw))
		return
	case origin && u.Path != "":
		k.fault(field, "%q has a path", raw)
	}
	k.host(field, u.Host)
}

// host refuses this computer and private addresses outside the networks. What a name resolves to is checked at each call.
func (k *checker) host(field, host string) {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		k.fault(field, "%s is this computer: doubles are for brama dev", name)
		return
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		if name == "" || strings.ContainsAny(name, "/\\@ ") {
			k.fault(field, "%q is no host", host)
		}
		return
	}
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback() || ip.IsUnspecified():
		k.fault(field, "%s is this computer: doubles are for brama dev", ip)
	case !ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast():
		k.fault(field, "%s is no address of a system", ip)
	case ip.IsPrivate() && !slices.ContainsFunc(k.networks, func(p netip.Prefix) bool { return p.Contains(ip) }):
		k.fault(field, "%s is private: name its network in connectors.networks", ip)
	}
}

// redactURL keeps a password that somebody wrote into an address out of the message.
func redactURL(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "…"
}

func (k *checker) level(field, value string) { k.oneOf(field, value, "", "low", "substantial", "high") }

// check finds every fault.
func (c *Connectors) check() []error {
	k := new(checker)
	c.prefixes(k)
	if d := c.Diia; d != nil {
		d.check(k)
	}
	if s := c.IDGov; s != nil {
		s.check(k)
	}
	if s := c.BankID; s != nil {
		s.check(k)
	}
	if s := c.Cloud; s != nil {
		s.check(k)
	}
	if s := c.MobileID; s != nil {
		s.check(k)
	}
	return k.faults
}

func (d *Diia) check(k *checker) {
	const at = "connectors.diia."
	k.address(at+"url", d.URL, true)
	k.credential(at+"acquirer_token", d.AcquirerTokenFile, d.AcquirerTokenEnv)
	k.credential(at+"auth_token", d.AuthTokenFile, d.AuthTokenEnv)
	if (d.Branch == "") != (d.Offer == "") {
		k.fault(at+"offer", "branch and offer go together: `brama diia setup` prints both")
	}
	k.oneOf(at+"scope", d.Scope, "", "hashedFilesSigning", "auth")
	k.oneOf(at+"algorithm", d.Algorithm, "", "DSTU", "ECDSA")
	k.level(at+"max_level", d.MaxLevel)
	for i, o := range d.LinkOrigins {
		k.address(fmt.Sprintf("%slink_origins[%d]", at, i), o, true)
	}
}

func (s *IDGov) check(k *checker) {
	const at = "connectors.idgov."
	k.address(at+"url", s.URL, true)
	k.required(at+"client_id", s.ClientID)
	k.credential(at+"client_secret", s.ClientSecretFile, s.ClientSecretEnv)
	envelopeKeys(k, at+"keys", s.Keys)
	s.means(k, at+"auth_types", s.AuthTypes, s.AuthTypes == nil)
	for client, list := range s.Clients {
		s.means(k, at+"clients."+client, list, false)
	}
}

// means checks a list of auth_type.
func (s *IDGov) means(k *checker, field string, list []string, mayBeEmpty bool) {
	if len(list) == 0 && !mayBeEmpty {
		k.fault(field, "nothing is allowed")
	}
	for i, m := range list {
		k.oneOf(fmt.Sprintf("%s[%d]", field, i), m, "dig_sign", "bank_id", "diia_id", "diia_oauth", "mobile_id")
		if m == "mobile_id" && !s.MobileID {
			k.fault(fmt.Sprintf("%s[%d]", field, i), "mobile_id is not switched on (connectors.idgov.mobile_id: true)")
		}
	}
}

func (s *BankID) check(k *checker) {
	const at = "connectors.bankid."
	k.address(at+"url", s.URL, true)
	k.required(at+"client_id", s.ClientID)
	k.credential(at+"client_secret", s.ClientSecretFile, s.ClientSecretEnv)
	envelopeKeys(k, at+"keys", s.Keys)
	if len(s.Banks) == 0 {
		k.fault(at+"banks", "at least one is required: the answer of a bank that is not configured is not taken")
	}
	for i, b := range s.Banks {
		field := fmt.Sprintf("%sbanks[%d].", at, i)
		k.required(field+"id", b.ID)
		k.required(field+"member_id", b.MemberID)
		k.required(field+"name", b.Name)
		if b.EDRPOU == "" && len(b.Signers) == 0 {
			k.fault(field+"edrpou", "the bank's code, or certificates in signers, are required")
		}
	}
}

// envelopeKeys checks the keys of one system.
func envelopeKeys(k *checker, field string, keys []EnvelopeKey) {
	if len(keys) == 0 {
		k.fault(field, "at least one is required (brama envelope-key request makes one)")
	}
	for i, key := range keys {
		at := fmt.Sprintf("%s[%d].", field, i)
		k.required(at+"certificate", key.Certificate)
		if p := key.PKCS11; p != nil {
			if key.Container != "" || key.PasswordFile != "" || key.PasswordEnv != "" {
				k.fault(at+"pkcs11", "a key is in a token or in a container, not in both")
			}
			if !filepath.IsAbs(p.Module) {
				k.fault(at+"pkcs11.module", "%q is no absolute path", p.Module)
			}
			k.required(at+"pkcs11.token", p.Token)
			k.required(at+"pkcs11.pin_file", p.PINFile)
			k.required(at+"pkcs11.key", p.Key)
			continue
		}
		k.required(at+"container", key.Container)
		k.credential(at+"password", key.PasswordFile, key.PasswordEnv)
	}
}

func (s *Cloud) check(k *checker) {
	k.level("connectors.cloud.max_level", s.MaxLevel)
	if len(s.Providers) == 0 {
		k.fault("connectors.cloud.providers", "at least one is required")
	}
	seen := map[string]bool{}
	for i := range s.Providers {
		p := &s.Providers[i]
		at := fmt.Sprintf("connectors.cloud.providers[%d].", i)
		entry(k, at, p.ID, p.Name, seen)
		switch p.Kind {
		case "csc1", "csc2":
		case "smartid", "vchasno":
			k.fault(at+"kind", "%s is switched off: the encryption of its sessions is not published (see the page on the cloud)", p.Kind)
			continue
		default:
			k.oneOf(at+"kind", p.Kind, "csc1", "csc2")
			continue
		}
		k.address(at+"url", p.URL, false)
		if p.OAuthURL != "" {
			k.address(at+"oauth_url", p.OAuthURL, false)
		}
		for j, h := range p.Hosts {
			k.host(fmt.Sprintf("%shosts[%d]", at, j), h)
		}
		k.required(at+"client_id", p.ClientID)
		k.credential(at+"client_secret", p.ClientSecretFile, p.ClientSecretEnv)
		k.oneOf(at+"identifier", p.Identifier, "", "phone", "email", "name")
		if p.ServiceByCode == (p.Identifier != "") {
			k.fault(at+"identifier", "is there exactly where service_by_code is not: somebody has to find the person's keys")
		}
	}
}

func (s *MobileID) check(k *checker) {
	k.level("connectors.mobileid.max_level", s.MaxLevel)
	if len(s.Operators) == 0 {
		k.fault("connectors.mobileid.operators", "at least one is required")
	}
	seen := map[string]bool{}
	for i, o := range s.Operators {
		at := fmt.Sprintf("connectors.mobileid.operators[%d].", i)
		entry(k, at, o.ID, o.Name, seen)
		k.address(at+"url", o.URL, false)
		k.required(at+"ap_id", o.APID)
		k.credential(at+"password", o.PasswordFile, o.PasswordEnv)
		k.oneOf(at+"soap", o.SOAP, "", "1.1", "1.2")
	}
}

// entry checks the id and the name of an entry that the person chooses from.
func entry(k *checker, at, id, name string, seen map[string]bool) {
	if !entryID.MatchString(id) {
		k.fault(at+"id", "%q is not 1 to 32 of a–z 0–9 _ -", id)
	}
	if seen[id] {
		k.fault(at+"id", "%q stands twice", id)
	}
	seen[id] = true
	if name == "" || len(name) > 120 {
		k.fault(at+"name", "1 to 120 octets are required")
	}
}
