// Package filekey is the method "file": the browser program opens a key container in the page and signs the challenge
// there; only the signature comes here. It never sees a key or a password, and does not know the page: that is
// provider/web, and the program is cmd/brama-wasm.
package filekey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
)

// Method is the id of this method.
const Method = "file"

// An Issuer is a provider whom the person may choose.
type Issuer struct {
	ID   string // stable, for the page's memory and the search
	Name string // for people
	// Names are the common names of its CA certificates, by which the page sees that a key is another issuer's.
	Names []string
}

// PageData is the data of the page "filekey".
type PageData struct{ Issuers []Issuer }

// Fixed says that the data of a connector's page never change.
func (*PageData) Fixed() {}

// A SearchFunc finds the certificates of keys at a provider, "" meaning all of them. It is given key ids and nothing
// else of the person.
type SearchFunc func(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error)

// Config is what the connector needs.
type Config struct {
	Verifier signing.Verifier // required
	// Issuers are shown in this order; nil offers automatic choice only.
	Issuers []Issuer
	// Search may be nil: then certificates come from the container or by hand.
	Search SearchFunc
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
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels})
	if err != nil {
		return nil, fmt.Errorf("filekey: %w", err)
	}
	return &Connector{checker: checker, page: &PageData{Issuers: slices.Clone(c.Issuers)}, search: c.Search}, nil
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: "filekey", Data: c.page}
}

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA { return c.checker.MaxLoA() }

// Begin returns the page that opens the key.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance takes the signature, base64 of the SignedData in the value "signature", and no other value.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	return c.checker.Form(ctx, login, ev)
}

// Limits of one search: a container holds at most a few keys, each with its two ids.
const (
	maxKeyIDs = 16
	keyIDSize = 32
)

// ErrNoSearch says that certificates cannot be looked up here.
var ErrNoSearch = errors.New("filekey: no certificate search is configured")

// FindCertificates implements connectors.Searcher. Each key id has 32 octets (GOST 34.311 or Kupyna-256 of the public
// point) or 20 (SHA-1, of RSA and ECDSA keys).
func (c *Connector) FindCertificates(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error) {
	if c.search == nil {
		return nil, ErrNoSearch
	}
	if len(keyIDs) == 0 || len(keyIDs) > maxKeyIDs {
		return nil, fmt.Errorf("filekey: %d key ids", len(keyIDs))
	}
	for _, id := range keyIDs {
		if len(id) != keyIDSize && len(id) != 20 {
			return nil, fmt.Errorf("filekey: key id of %d octets", len(id))
		}
	}
	if issuer != "" && !slices.ContainsFunc(c.page.Issuers, func(i Issuer) bool { return i.ID == issuer }) {
		return nil, errors.New("filekey: unknown issuer")
	}
	return c.search(ctx, issuer, keyIDs)
}
