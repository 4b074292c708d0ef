// Package bankid is the method "bankid": the browser goes to the centre of BankID НБУ and on to the person's bank, and comes
// back with a code, for which the bank tells who its client is: signed by the bank, and encrypted to the institution's key for
// key agreement. It speaks both versions of the protocol, with a list of fields and with the code of a data set.
//
// An answer has no ЄДРПОУ, so nobody acts for an organisation by it, and documents cannot be signed this way. It does not know
// the page with the button, nor who the person is for us. What the clients of other systems have in common with it is in
// connectors/internal/upstream; its double is bankidtest.
package bankid

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/internal/upstream"
	"brama/internal/qes/cert"
)

// Method is the id of this method.
const Method = "bankid"

// Name is what people call the system.
const Name = "BankID НБУ"

// A Key is a key of the institution for key agreement with its certificate; see upstream.Key.
type Key = upstream.Key

// A Fingerprint is SHA-256 of a certificate in DER.
type Fingerprint = upstream.Fingerprint

// A Bank is a member of the system that may tell who its clients are.
type Bank struct {
	ID       string // the parameter bank_id
	MemberID string // memberId in answers
	Name     string // for people; the one in the list of the centre is not shown
	// EDRPOU is the code of the bank: its seal signs the answers.
	EDRPOU string
	// Signers, if there are any, are the only certificates with which this bank signs, of whatever kind.
	Signers []Fingerprint
}

// A System says where the system is and who asks; see upstream.System.
type System = upstream.System

// Config is what the connector needs.
type Config struct {
	// System's BaseURL is https://id.bank.gov.ua or https://testid.bank.gov.ua. Its keys are for this system alone.
	System
	// DataSet is the code of the data set by the contract (protocol v2); "" asks for a list of fields (v1).
	DataSet string
	// Banks are the members whose answers are taken. Required.
	Banks []Bank
	// AskBank lets the person choose the bank here; otherwise the centre asks.
	AskBank bool
	// WithoutRedirectURI leaves redirect_uri to the registration, as some clients do.
	WithoutRedirectURI bool
}

// Connector implements connectors.Connector.
type Connector struct {
	upstream.Returns
	cfg    Config
	client *upstream.Client
	keys   *upstream.Keys

	listTime, tokenTime, resourceTime time.Duration
}

var _ connectors.Connector = (*Connector)(nil)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	client, keys, err := upstream.Open(Name, &c.System)
	if err != nil {
		return nil, fmt.Errorf("bankid: %w", err)
	}
	if len(c.Banks) == 0 {
		return nil, errors.New("bankid: without banks no answer can be taken")
	}
	seen := map[string]bool{anyBank: true}
	for _, b := range c.Banks {
		switch {
		case b.ID == "" || b.MemberID == "" || b.Name == "" || b.EDRPOU == "" && len(b.Signers) == 0:
			return nil, fmt.Errorf("bankid: bank %q needs an id, a member id, a name, and a code or certificates", b.ID)
		case seen[b.ID] || seen["\x00"+b.MemberID]:
			return nil, fmt.Errorf("bankid: bank %q stands twice", b.ID)
		}
		seen[b.ID], seen["\x00"+b.MemberID] = true, true
	}
	c.Banks = slices.Clone(c.Banks)
	return &Connector{Returns: Method, cfg: c, client: client, keys: keys, listTime: listTime, tokenTime: tokenTime, resourceTime: resourceTime}, nil
}

// A Choice is a bank on the page.
type Choice struct{ ID, Name string }

// PageData is the data of the page "bankid": an entry of S6. With Banks the form has the value "bank", the id of one of them
// or "any" for a choice at the centre.
type PageData struct {
	Origin string // of the centre, for the policy of forms
	Banks  []Choice
}

// anyBank leaves the choice of the bank to the centre.
const anyBank = "any"

// Idle is what the entry shows before the person presses anything.
func (c *Connector) Idle() connectors.Page { return c.page(c.cfg.Banks) }

func (c *Connector) page(banks []Bank) connectors.Page {
	data := PageData{Origin: c.client.Origin()}
	if c.cfg.AskBank {
		for _, b := range banks {
			data.Banks = append(data.Banks, Choice{ID: b.ID, Name: b.Name})
		}
	}
	return connectors.Page{Name: Method, Data: data}
}

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA { return signing.MaxAnswerLoA(c.cfg.Levels, Method, true) }

// Down reports whether the centre has failed again and again and is left alone for a while.
func (c *Connector) Down() bool { return c.client.Down(calls...) }

// Begin sends the browser to the centre, or asks for the bank first.
func (c *Connector) Begin(ctx context.Context, login connectors.Login) (connectors.Step, error) {
	if err := c.client.RefuseDown(calls...); err != nil {
		return nil, err
	}
	if c.cfg.AskBank {
		return c.page(c.working(ctx)), nil
	}
	return c.depart(login, "")
}

// depart sends the browser to the centre, with a bank already chosen or "".
func (c *Connector) depart(login connectors.Login, bank string) (connectors.Step, error) {
	j, state, err := upstream.Depart(login, Method, bank)
	if err != nil {
		return nil, err
	}
	q := url.Values{"response_type": {"code"}, "client_id": {c.cfg.ClientID}, "state": {j.State}}
	if !c.cfg.WithoutRedirectURI {
		q.Set("redirect_uri", login.ReturnURL)
	}
	if bank != "" {
		q.Set("bank_id", bank)
	}
	if c.cfg.DataSet != "" {
		q.Set("dataset", c.cfg.DataSet)
	}
	return connectors.Redirect{URL: c.client.Page(authorizePath, q), State: state}, nil
}

// Advance takes the choice of a bank by a form, or the return: the code is spent for a token, the token for the bank's answer.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if ev.Via == connectors.ViaForm {
		return c.chosen(login, ev.Values["bank"])
	}
	j, code, err := c.client.Return(login, Method, ev, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	certificate, err := c.keys.Certificate(c.cfg.Now())
	if err != nil {
		return nil, err
	}
	token, err := c.token(ctx, code, login.ReturnURL)
	if err != nil {
		return nil, err
	}
	a, err := c.resource(ctx, token, certificate)
	if err != nil {
		return nil, err
	}
	id, err := c.identify(ctx, a, j.Choice)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// chosen goes to the bank that the person chose on our page.
func (c *Connector) chosen(login connectors.Login, value []string) (connectors.Step, error) {
	switch {
	case !c.cfg.AskBank || len(value) != 1:
	case !c.cfg.Now().Before(login.Expires):
		return nil, connectors.Retry(upstream.CodeTooLate, nil)
	case value[0] == anyBank:
		return c.depart(login, "")
	case c.bank(func(b Bank) bool { return b.ID == value[0] }) != nil:
		return c.depart(login, value[0])
	}
	return nil, connectors.Retry(upstream.CodeUnknown, errors.New("no such bank"))
}

func (c *Connector) bank(match func(Bank) bool) *Bank {
	if i := slices.IndexFunc(c.cfg.Banks, match); i >= 0 {
		return &c.cfg.Banks[i]
	}
	return nil
}

// An answer is what the centre hands over from the bank.
type answer struct {
	customer          []byte // EnvelopedData
	certificate       *cert.Certificate
	memberID, session string
}
