package config

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"time"

	"brama/provider"
	"brama/provider/oauth"
)

// MTLS says where portals may prove themselves by client certificates (RFC 8705). Without it they cannot.
type MTLS struct {
	// Address is the https address of the endpoints for them; the issuer if empty. With another host than the issuer's,
	// browsers are never asked for a certificate: the certificate of tls must be good for both.
	Address string `yaml:"address"`
	// ClientCA is a PEM file of the authorities of tls_client_auth; self_signed_tls_client_auth needs none.
	ClientCA string `yaml:"client_ca"`
	// Proxy is a reverse proxy that ends TLS and hands the certificate on.
	Proxy *CertificateProxy `yaml:"proxy"`
}

// A CertificateProxy hands client certificates on in a header. It must take that header away from what comes from outside.
type CertificateProxy struct {
	// Header is Client-Cert if empty (RFC 9440; percent-encoded PEM is read too).
	Header string `yaml:"header"`
	// From are the networks from which alone the header is believed, such as 127.0.0.1/32.
	From []string `yaml:"from"`
}

// TrustedProxies are reverse proxies that say from which address a request came. Without them the address of the connection
// counts: behind a proxy all people then share one limit, or none if it is on this machine.
type TrustedProxies struct {
	// From are the networks of the proxies, such as 127.0.0.1/32: what comes from elsewhere is not believed.
	From []string `yaml:"from"`
	// Header is X-Forwarded-For if empty, or Forwarded (RFC 7239), or another one of the first kind. The proxy must put the
	// address that it sees at its end, or overwrite the header.
	Header string `yaml:"header"`
}

// Registration lets clients register themselves (RFC 7591), with an initial access token. Without it they cannot.
type Registration struct {
	Tokens []RegistrationToken `yaml:"tokens"`
	// Claims are those that a registered client may receive beyond names.
	Claims []string `yaml:"claims"`
	// MaxClients bounds them; 1000 if zero.
	MaxClients int `yaml:"max_clients"`
	// Unused and Idle are how long a client stays that never, or no longer, proves itself; 2 days and a year if zero.
	Unused Duration `yaml:"unused"`
	Idle   Duration `yaml:"idle"`
}

// A RegistrationToken is an initial access token, by its SHA-256 in hexadecimal.
type RegistrationToken struct {
	Name    string    `yaml:"name"`
	SHA256  string    `yaml:"sha256"`
	Expires time.Time `yaml:"expires"`
}

// ClientServers says which servers of portals may be asked for keys and told of logouts, beside those of the open internet.
type ClientServers struct {
	// Networks are private networks in which they may be.
	Networks []string `yaml:"networks"`
	// CAFile is a PEM file of further authorities of their certificates.
	CAFile string `yaml:"ca_file"`
}

// checkAccess finds faults in how clients come and are reached.
func (c *Config) checkAccess() []error {
	k := new(checker)
	if m := c.MTLS; m != nil {
		if u, err := url.Parse(m.Address); m.Address != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(m.Address, "/")) {
			k.fault("mtls.address", "%q is not an https address without a slash at the end", m.Address)
		}
		if c.TLS == nil && m.Proxy == nil {
			k.fault("mtls", "needs tls, or proxy where another server ends TLS")
		}
		if p := m.Proxy; p != nil {
			if len(p.From) == 0 {
				k.fault("mtls.proxy.from", "is required: the header of anybody else is not believed")
			}
			proxies(k, "mtls.proxy.from", p.From)
		}
	}
	if p := c.TrustedProxies; p != nil {
		if len(p.From) == 0 {
			k.fault("trusted_proxies.from", "is required: the header of anybody else is not believed")
		}
		proxies(k, "trusted_proxies.from", p.From)
		if !headerName.MatchString(p.Header) {
			k.fault("trusted_proxies.header", "%q is no name of a header", p.Header)
		}
	}
	if r := c.Registration; r != nil {
		if len(r.Tokens) == 0 {
			k.fault("registration.tokens", "at least one is required")
		}
		for i, t := range r.Tokens {
			if h, err := hex.DecodeString(t.SHA256); t.Name == "" || err != nil || len(h) != sha256.Size {
				k.fault(fmt.Sprintf("registration.tokens[%d]", i), "name is required, and sha256 of 64 hexadecimal digits")
			}
		}
	}
	networks(k, "client_servers", c.ClientServers.Networks)
	return k.faults
}

// headerName is what a header field may be called; empty means the usual one.
var headerName = regexp.MustCompile(`^[A-Za-z0-9-]{0,64}$`)

// proxies checks networks in which proxies stand, and returns them.
func proxies(k *checker, field string, list []string) (networks []netip.Prefix) {
	for i, s := range list {
		n, err := netip.ParsePrefix(s)
		if err != nil || n != n.Masked() || n.Bits() == 0 {
			k.fault(fmt.Sprintf("%s[%d]", field, i), "%q is no network (as 127.0.0.1/32)", s)
			continue
		}
		networks = append(networks, n)
	}
	return networks
}

// Proxies are the trusted proxies as the provider wants them. They were checked by Load.
func (c *Config) Proxies() provider.TrustedProxies {
	t := c.TrustedProxies
	if t == nil {
		return provider.TrustedProxies{}
	}
	header := t.Header
	if header == "" {
		header = "X-Forwarded-For"
	}
	return provider.TrustedProxies{From: proxies(new(checker), "", t.From), Header: header}
}

// Prefixes returns the networks. They were checked by Load.
func (s *ClientServers) Prefixes() []netip.Prefix {
	k := new(checker)
	networks(k, "", s.Networks)
	return k.networks
}

// Access returns how client certificates come, and whether clients register themselves, as the provider wants it.
func (c *Config) Access() (provider.MTLS, *oauth.RegistrationConfig, error) {
	var m provider.MTLS
	if c.MTLS != nil {
		if m.Base = c.MTLS.Address; m.Base == "" {
			m.Base = c.Issuer
		}
		if name := c.MTLS.ClientCA; name != "" {
			b, err := c.ReadFile("mtls.client_ca", name)
			if err != nil {
				return m, nil, err
			}
			m.CAs = x509.NewCertPool()
			if !m.CAs.AppendCertsFromPEM(b) {
				return m, nil, fmt.Errorf("mtls.client_ca: %s holds no certificate in PEM", name)
			}
		}
		if p := c.MTLS.Proxy; p != nil {
			if m.Header = textproto.CanonicalMIMEHeaderKey(p.Header); m.Header == "" {
				m.Header = "Client-Cert"
			}
			m.Proxies = proxies(new(checker), "", p.From)
		}
	}
	if c.Registration == nil {
		return m, nil, nil
	}
	r := &oauth.RegistrationConfig{Claims: c.Registration.Claims, MaxClients: c.Registration.MaxClients,
		Unused: time.Duration(c.Registration.Unused), Idle: time.Duration(c.Registration.Idle)}
	for _, t := range c.Registration.Tokens {
		hash, err := hex.DecodeString(t.SHA256)
		if err != nil {
			return m, nil, err
		}
		r.Tokens = append(r.Tokens, oauth.InitialToken{Name: t.Name, Hash: hash, Expires: t.Expires})
	}
	return m, r, nil
}
