// Package token is the method "token": brama-agent on the person's computer has a hardware token sign the challenge, shown
// and agreed to in a window of its own; the page brings only the signature here. What the page or the agent says of
// hardware counts for nothing: the level is high only where the certificate says that the key is in a qualified device.
//
// It does not know the page, which is provider/web, nor the agent, which is cmd/brama-agent and has its own list of sites.
package token

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
)

// Method is the id of this method. The agent signs challenges of this method only.
const Method = "token"

// AgentPort is where agents listen unless the administrators of all workplaces have agreed on another port; AgentProtocol is
// the least version of its protocol that the page speaks.
const (
	AgentPort     = 24145
	AgentProtocol = 1
)

// An Issuer is a provider whom the person may choose for the search.
type Issuer struct {
	ID   string // stable, for the page's memory and the search
	Name string // for people
}

// PageData is the data of the page "token".
type PageData struct {
	Issuers  []Issuer
	Agent    string // origin of the agent as the page calls it
	Protocol int    // least version of the agent's protocol
}

// Fixed says that the data of a connector's page never change.
func (*PageData) Fixed() {}

// A SearchFunc finds the certificates of keys at a provider, "" meaning all of them.
type SearchFunc func(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error)

// Config is what the connector needs.
type Config struct {
	Verifier signing.Verifier // required
	// WithoutDevice is the level of a certificate that does not say its key is in a qualified device: substantial, or low by
	// policy. "" means substantial; high is refused, since nothing here could show it.
	WithoutDevice connectors.LoA
	// Issuers are shown in this order; nil offers automatic choice only.
	Issuers []Issuer
	// Search may be nil: then certificates come from the token.
	Search SearchFunc
	// AgentPort is where the agents listen; 0 means the constant of this package.
	AgentPort int
	// Levels is the policy that gives levels; nil is the one in the program.
	Levels *levels.Policy
	// TrustList names the version of the trusted list for the evidence; may be nil.
	TrustList func() string
	Now       func() time.Time // nil means time.Now
}

// Connector implements connectors.Connector and connectors.Searcher.
type Connector struct {
	checker *signing.Checker
	page    *PageData
	search  SearchFunc
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Searcher  = (*Connector)(nil)
)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	switch c.WithoutDevice {
	case "":
		c.WithoutDevice = connectors.Substantial
	case connectors.Low, connectors.Substantial:
	default:
		return nil, fmt.Errorf("token: %q is no level for a key that may be outside a device: low or substantial", c.WithoutDevice)
	}
	if c.AgentPort == 0 {
		c.AgentPort = AgentPort
	}
	if c.AgentPort < 1024 || c.AgentPort > 65535 {
		return nil, fmt.Errorf("token: port %d of the agent", c.AgentPort)
	}
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels,
		WithoutDevice: c.WithoutDevice})
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	return &Connector{checker: checker, search: c.Search,
		page: &PageData{Issuers: slices.Clone(c.Issuers), Agent: "http://127.0.0.1:" + strconv.Itoa(c.AgentPort), Protocol: AgentProtocol}}, nil
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: "token", Data: c.page}
}

// Agent is the origin that the page must be allowed to call.
func (c *Connector) Agent() string { return c.page.Agent }

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA { return c.checker.MaxLoA() }

// Begin returns the page that talks to the agent.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance takes the signature, base64 of the SignedData in the value "signature", and no other value.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	return c.checker.Form(ctx, login, ev)
}

// maxKeyIDs bounds one search: a token holds a few keys, each with its two ids.
const maxKeyIDs = 16

// ErrNoSearch says that certificates cannot be looked up here.
var ErrNoSearch = errors.New("token: no certificate search is configured")

// FindCertificates implements connectors.Searcher. Each key id has 32 octets (GOST 34.311 or Kupyna-256 of the public
// point) or 20 (SHA-1, of RSA and ECDSA keys).
func (c *Connector) FindCertificates(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error) {
	switch {
	case c.search == nil:
		return nil, ErrNoSearch
	case len(keyIDs) == 0 || len(keyIDs) > maxKeyIDs:
		return nil, fmt.Errorf("token: %d key ids", len(keyIDs))
	case slices.ContainsFunc(keyIDs, func(id []byte) bool { return len(id) != 32 && len(id) != 20 }):
		return nil, errors.New("token: key id of another length than 20 or 32 octets")
	case issuer != "" && !slices.ContainsFunc(c.page.Issuers, func(i Issuer) bool { return i.ID == issuer }):
		return nil, errors.New("token: unknown issuer")
	}
	return c.search(ctx, issuer, keyIDs)
}
