// Package demo is the method "demo" of `brama dev`: a plain form with one button per demo person, signed here with that
// person's demo key. The bytes then take the road of every other signature: the same validation, the same rules. It is
// linked into the dev wiring only and holds no key itself.
package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
)

// Method is the id of this method.
const Method = "demo"

// A SignFunc signs the challenge with the key of a demo person and returns the SignedData in DER, with the signed
// attribute purpose=login. A person whose key cannot sign gives a *connectors.Refusal with the code that the browser
// program would show.
type SignFunc func(ctx context.Context, person string, challenge []byte) ([]byte, error)

// PageData is the data of the page "demo".
type PageData struct{ Persons []string }

// Fixed says that the data of a connector's page never change.
func (*PageData) Fixed() {}

// Config is what the connector needs.
type Config struct {
	Verifier  signing.Verifier // required
	Persons   []string         // the outcomes, in the order of the buttons; required
	Sign      SignFunc         // required
	TrustList func() string    // may be nil
	Now       func() time.Time // nil means time.Now
}

// Connector implements connectors.Connector.
type Connector struct {
	checker *signing.Checker
	persons []string
	page    *PageData
	sign    SignFunc
}

var _ connectors.Connector = (*Connector)(nil)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	if len(c.Persons) == 0 || c.Sign == nil {
		return nil, errors.New("demo: persons and their keys are needed")
	}
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList})
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	persons := slices.Clone(c.Persons)
	return &Connector{checker: checker, persons: persons, page: &PageData{Persons: persons}, sign: c.Sign}, nil
}

// Idle is the form.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: "demo", Data: c.page}
}

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA { return signing.MaxLoA(nil, Method) }

// Begin returns the form.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance signs as the person named by the value "person".
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	person := ev.Values.Get("person")
	if ev.Via != connectors.ViaForm || !slices.Contains(c.persons, person) {
		return nil, &connectors.Refusal{Code: "TX_UNKNOWN", Err: fmt.Errorf("%w: no such demo person", connectors.ErrRetry)}
	}
	signature, err := c.sign(ctx, person, login.Challenge)
	if err != nil {
		var refusal *connectors.Refusal
		if errors.As(err, &refusal) {
			return nil, &connectors.Refusal{Code: refusal.Code, Values: refusal.Values, Err: fmt.Errorf("%w: %w", connectors.ErrRetry, err)}
		}
		return nil, fmt.Errorf("signing as a demo person: %w", err)
	}
	id, err := c.checker.Identify(ctx, login, signature)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// Immediate says that the form needs no challenge beforehand: the press makes one, and it is signed here.
func (c *Connector) Immediate() bool { return true }
