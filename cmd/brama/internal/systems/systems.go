package systems

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/bankid"
	"brama/connectors/cloud"
	"brama/connectors/diia"
	"brama/connectors/idgov"
	"brama/connectors/levels"
	"brama/connectors/mobileid"
	"brama/internal/fetch"
	"brama/provider"
	"brama/storage"
)

// Config is what the methods are made of.
type Config struct {
	Settings *config.Config // required
	Engine   *wiring.Engine // required
	Levels   *levels.Policy // nil is the one in the program
	Outbound *fetch.Client  // see Outbound; required
	// Secret is the server's, from which addresses of notifications are derived.
	Secret []byte
	// Store keeps the ids of requests that cannot name their login.
	Store storage.Store
	// Agreement opens keys that are in tokens; nil refuses them.
	Agreement func(wiring.AgreementKey) (idgov.EnvelopeKey, error)
	Now       func() time.Time // nil means time.Now
}

// Outbound returns the client for the systems of others: with the private networks and the further roots of the
// configuration, and no others.
func Outbound(c *config.Config) (*fetch.Client, error) {
	return outbound(c, "connectors.ca_file", c.Connectors.CAFile, c.Connectors.Prefixes())
}

// Portals returns the client for the servers of portals: their keys, their sectors, their logouts.
func Portals(c *config.Config) (*fetch.Client, error) {
	return outbound(c, "client_servers.ca_file", c.ClientServers.CAFile, c.ClientServers.Prefixes())
}

func outbound(c *config.Config, field, name string, networks []netip.Prefix) (*fetch.Client, error) {
	cfg := fetch.Config{AllowNetworks: networks}
	if name != "" {
		b, err := c.ReadFile(field, name)
		if err != nil {
			return nil, err
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the roots of this computer: %w", err)
		}
		if !roots.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("%s: %s holds no certificate in PEM", field, name)
		}
		cfg.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return fetch.New(cfg)
}

// New makes the methods that the configuration has settings for.
func New(c Config) (map[string]connectors.Connector, error) {
	if c.Settings == nil || c.Engine == nil || c.Outbound == nil {
		return nil, errors.New("systems: settings, engine and outbound client are needed")
	}
	s := &c.Settings.Connectors
	methods := map[string]connectors.Connector{}
	add := func(there bool, method string, make func() (connectors.Connector, error)) error {
		if !there {
			return nil
		}
		m, err := make()
		if err != nil {
			return fmt.Errorf("connectors.%s: %w", method, err)
		}
		methods[method] = m
		return nil
	}
	err := errors.Join(
		add(s.Diia != nil, diia.Method, c.diia),
		add(s.IDGov != nil, idgov.Method, c.idgov),
		add(s.BankID != nil, bankid.Method, c.bankid),
		add(s.Cloud != nil, cloud.Method, c.cloud),
		add(s.MobileID != nil, mobileid.Method, c.mobileid),
	)
	if err != nil {
		return nil, err
	}
	return methods, nil
}

// DiiaClient makes the client of the partner API. (The verbs of brama diia use it too.)
func DiiaClient(c *config.Config, outbound *fetch.Client) (*diia.Client, error) {
	d := c.Connectors.Diia
	if d == nil {
		return nil, errors.New("connectors.diia: there are no settings")
	}
	acquirer, err := c.Credential("connectors.diia.acquirer_token", d.AcquirerTokenFile, d.AcquirerTokenEnv)
	if err != nil {
		return nil, err
	}
	auth, err := c.Credential("connectors.diia.auth_token", d.AuthTokenFile, d.AuthTokenEnv)
	if err != nil {
		return nil, err
	}
	return diia.NewClient(diia.ClientConfig{BaseURL: d.URL, AcquirerToken: diia.Secret(acquirer), AuthToken: diia.Secret(auth), Do: outbound,
		LinkOrigins: d.LinkOrigins})
}

func (c *Config) diia() (connectors.Connector, error) {
	d := c.Settings.Connectors.Diia
	if d.Branch == "" {
		return nil, errors.New("branch and offer are required (brama diia setup makes them)")
	}
	client, err := DiiaClient(c.Settings, c.Outbound)
	if err != nil {
		return nil, err
	}
	cfg := diia.Config{Client: client, Verifier: c.Engine.Remote, Branch: d.Branch, Offer: d.Offer, Scope: diia.Scope(d.Scope),
		Algorithm: diia.Algorithm(d.Algorithm), MaxLevel: connectors.LoA(d.MaxLevel), Levels: c.Levels, TrustList: c.Engine.TrustList, Now: c.Now}
	if cfg.Scope == diia.Auth {
		if c.Store == nil {
			return nil, errors.New("systems: the scope auth needs a store")
		}
		cfg.Index = Index{Store: c.Store, System: diia.Method}
	}
	return diia.New(cfg)
}

func (c *Config) idgov() (connectors.Connector, error) {
	s := c.Settings.Connectors.IDGov
	const at = "connectors.idgov."
	secret, err := c.Settings.Credential(at+"client_secret", s.ClientSecretFile, s.ClientSecretEnv)
	if err != nil {
		return nil, err
	}
	keys, err := c.keys(at+"keys", s.Keys)
	if err != nil {
		return nil, err
	}
	signers, err := c.fingerprints(at+"signers", s.Signers)
	if err != nil {
		return nil, err
	}
	senders, err := c.certificates(at+"senders", s.Senders)
	if err != nil {
		return nil, err
	}
	return idgov.New(idgov.Config{System: c.system(s.URL, s.ClientID, secret, keys), AuthTypes: s.AuthTypes, Clients: maps.Clone(s.Clients),
		MobileID: s.MobileID, Signers: signers, Senders: senders, CertOnce: s.CertOnce})
}

// system is where a system is and who asks it.
func (c *Config) system(address, id, secret string, keys []idgov.Key) idgov.System {
	return idgov.System{BaseURL: address, ClientID: id, ClientSecret: secret, Keys: keys, Documents: c.Engine.Documents,
		Do: c.Outbound.Do, Levels: c.Levels, TrustList: c.Engine.TrustList, Now: c.Now}
}

func (c *Config) bankid() (connectors.Connector, error) {
	s := c.Settings.Connectors.BankID
	const at = "connectors.bankid."
	secret, err := c.Settings.Credential(at+"client_secret", s.ClientSecretFile, s.ClientSecretEnv)
	if err != nil {
		return nil, err
	}
	keys, err := c.keys(at+"keys", s.Keys)
	if err != nil {
		return nil, err
	}
	var banks []bankid.Bank
	for i, b := range s.Banks {
		signers, err := c.fingerprints(fmt.Sprintf("%sbanks[%d].signers", at, i), b.Signers)
		if err != nil {
			return nil, err
		}
		banks = append(banks, bankid.Bank{ID: b.ID, MemberID: b.MemberID, Name: b.Name, EDRPOU: b.EDRPOU, Signers: signers})
	}
	return bankid.New(bankid.Config{System: c.system(s.URL, s.ClientID, secret, keys), DataSet: s.DataSet, Banks: banks, AskBank: s.AskBank,
		WithoutRedirectURI: s.WithoutRedirectURI})
}

func (c *Config) cloud() (connectors.Connector, error) {
	s := c.Settings.Connectors.Cloud
	cfg := cloud.Config{Verifier: c.Engine.Remote, Do: c.Outbound.Do, NotifyURL: provider.NotifyURL(c.Settings.Issuer, c.Secret, cloud.Method),
		MaxLevel: connectors.LoA(s.MaxLevel), Levels: c.Levels, TrustList: c.Engine.TrustList, Now: c.Now}
	for i, p := range s.Providers {
		secret, err := c.reread(fmt.Sprintf("connectors.cloud.providers[%d].client_secret", i), p.ClientSecretFile, p.ClientSecretEnv)
		if err != nil {
			return nil, err
		}
		cfg.Providers = append(cfg.Providers, cloud.Provider{ID: p.ID, Name: p.Name, Kind: cloud.Kind(p.Kind), URL: p.URL,
			Identifier: cloud.IdentifierKind(p.Identifier), Hosts: slices.Clone(p.Hosts), ClientID: p.ClientID, Secret: secret,
			ServiceByCode: p.ServiceByCode, OAuthURL: p.OAuthURL})
	}
	return cloud.New(cfg)
}

func (c *Config) mobileid() (connectors.Connector, error) {
	s := c.Settings.Connectors.MobileID
	cfg := mobileid.Config{Verifier: c.Engine.Remote, Do: c.Outbound.Do, MaxLevel: connectors.LoA(s.MaxLevel), Levels: c.Levels,
		TrustList: c.Engine.TrustList, Now: c.Now}
	for i, o := range s.Operators {
		password, err := c.reread(fmt.Sprintf("connectors.mobileid.operators[%d].password", i), o.PasswordFile, o.PasswordEnv)
		if err != nil {
			return nil, err
		}
		cfg.Operators = append(cfg.Operators, mobileid.Operator{ID: o.ID, Name: o.Name, URL: o.URL, APID: o.APID, Password: password,
			MSSP: o.MSSP, Profile: o.Profile, SOAP11: o.SOAP == "1.1"})
	}
	return mobileid.New(cfg)
}

// reread returns what reads a credential at each use, so that a changed file counts without a restart. It is read once now:
// a file that is not there is a fault of the configuration.
func (c *Config) reread(field, file, env string) (func() (string, error), error) {
	read := func() (string, error) { return c.Settings.Credential(field, file, env) }
	_, err := read()
	return read, err
}

// An Index keeps ids of requests in a store. It implements diia.Index.
type Index struct {
	Store  storage.Store
	System string
}

var _ diia.Index = Index{}

// Put implements diia.Index.
func (x Index) Put(ctx context.Context, id, login string, until time.Time) error {
	return x.Store.Update(ctx, func(tx storage.Tx) error {
		return storage.PutRequest(tx, x.System, id, storage.Request{Login: login}, until)
	})
}

// Get implements diia.Index.
func (x Index) Get(ctx context.Context, id string) (login string, err error) {
	err = x.Store.View(ctx, func(tx storage.Tx) error {
		r, err := storage.GetRequest(tx, x.System, id)
		login = r.Login
		return err
	})
	return login, err
}
