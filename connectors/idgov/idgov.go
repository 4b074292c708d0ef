// Package idgov is the method "idgov": the browser goes to the integrated system of electronic identification
// (id.gov.ua, ІСЕІ) and comes back with a code, for which the system tells who the person is, encrypted to the institution's
// key for key agreement. It is a client of that system's protocol, which looks like OAuth 2.0 and is no OpenID Connect.
//
// It does not know the page with the button, nor who the person is for us. What the clients of other systems have in common
// with it is in connectors/internal/upstream; its double is idgovtest.
package idgov

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/internal/upstream"
	"brama/internal/challenge"
	"brama/internal/qes/cms"
	"brama/internal/qes/tbs"
)

// Method is the id of this method.
const Method = "idgov"

// Name is what people call the system.
const Name = "ID.GOV.UA"

// Means of the system, by which auth_type limits what it offers.
const (
	DigSign   = "dig_sign"   // a signature with a file, a token or a cloud key
	BankID    = "bank_id"    // BankID НБУ
	MobileID  = "mobile_id"  // not offered by the system's own page any more
	DiiaID    = "diia_id"    // Дія.Підпис
	DiiaOAuth = "diia_oauth" // a session of the Diia app
)

// means are all of them, in the order of the system's page.
var means = []string{DigSign, BankID, MobileID, DiiaID, DiiaOAuth}

// A Key is a key of the institution for key agreement with its certificate; see upstream.Key.
type Key = upstream.Key

// An EnvelopeKey is the private half of a Key; see cms.EnvelopeKey.
type EnvelopeKey = cms.EnvelopeKey

// A Fingerprint is SHA-256 of a certificate in DER.
type Fingerprint = upstream.Fingerprint

// A System says where the system is and who asks; see upstream.System.
type System = upstream.System

// Config is what the connector needs.
type Config struct {
	// System's BaseURL is https://id.gov.ua or https://test.id.gov.ua. Its keys are for this system alone.
	System
	// AuthTypes are the means that are asked for; nil is dig_sign, bank_id and diia_id. Clients has lists for clients that
	// may use others, by client_id of the portal.
	AuthTypes []string
	Clients   map[string][]string
	// MobileID allows mobile_id in these lists: the system documents it and may not offer it.
	MobileID bool
	// Signers are the certificates with which the system may sign its answers. Without one no signature is known to be the
	// system's, and the level is substantial at most.
	Signers []Fingerprint
	// Senders are certificates for envelopes made with a static key of the system.
	Senders []*tbs.Certificate
	// CertOnce sends the certificate in the encoding of forms alone. The system's developers advise to encode it twice in a
	// query; what it takes in a form is not documented.
	CertOnce bool
}

// Connector implements connectors.Connector.
type Connector struct {
	upstream.Returns
	cfg    Config
	client *upstream.Client
	keys   *upstream.Keys

	tokenTime, userInfoTime, logoutTime time.Duration
}

var _ connectors.Connector = (*Connector)(nil)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	client, keys, err := upstream.Open(Name, &c.System)
	if err != nil {
		return nil, fmt.Errorf("idgov: %w", err)
	}
	if c.AuthTypes == nil {
		c.AuthTypes = []string{DigSign, BankID, DiiaID}
	}
	lists := map[string][]string{"": c.AuthTypes}
	for client, list := range c.Clients {
		lists[client] = list
	}
	for client, list := range lists {
		if err := checkMeans(list, c.MobileID); err != nil {
			return nil, fmt.Errorf("idgov: auth_type of client %q: %w", client, err)
		}
		lists[client] = slices.Clone(list)
	}
	c.AuthTypes, c.Clients = lists[""], lists
	c.Signers, c.Senders = slices.Clone(c.Signers), slices.Clone(c.Senders)
	return &Connector{Returns: Method, cfg: c, client: client, keys: keys, tokenTime: tokenTime, userInfoTime: userInfoTime, logoutTime: logoutTime}, nil
}

func checkMeans(list []string, mobile bool) error {
	if len(list) == 0 {
		return errors.New("nothing is allowed")
	}
	for _, m := range list {
		switch {
		case !slices.Contains(means, m):
			return fmt.Errorf("%q is none", m)
		case m == MobileID && !mobile:
			return errors.New("mobile_id is not switched on")
		}
	}
	return nil
}

// PageData is the data of the page "idgov" (S6): it explains the way there and back.
type PageData struct {
	Origin string // of the system, for the policy of forms
	Means  []string
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: Method, Data: PageData{Origin: c.client.Origin(), Means: slices.Clone(c.cfg.AuthTypes)}}
}

// MaxLoA is the highest level this method gives: high only if answers can be known to be the system's.
func (c *Connector) MaxLoA() connectors.LoA {
	return signing.MaxAnswerLoA(c.cfg.Levels, Method, len(c.cfg.Signers) > 0)
}

// Down reports whether the system has failed again and again and is left alone for a while.
func (c *Connector) Down() bool { return c.client.Down(calls...) }

// allowed returns the means for the client of login, which stands in its challenge.
func (c *Connector) allowed(login connectors.Login) ([]string, error) {
	text, err := challenge.Parse(login.Challenge)
	if err != nil {
		return nil, connectors.Retry(upstream.CodeInternal, fmt.Errorf("the challenge of the login: %w", err))
	}
	if list, ok := c.cfg.Clients[text.Client]; ok {
		return list, nil
	}
	return c.cfg.AuthTypes, nil
}

// Begin sends the browser to the system. Nothing is asked of it yet.
func (c *Connector) Begin(_ context.Context, login connectors.Login) (connectors.Step, error) {
	if err := c.client.RefuseDown(calls...); err != nil {
		return nil, err
	}
	list, err := c.allowed(login)
	if err != nil {
		return nil, err
	}
	authTypes := strings.Join(list, ",")
	j, state, err := upstream.Depart(login, Method, authTypes)
	if err != nil {
		return nil, err
	}
	// The path is the root of the site.
	return connectors.Redirect{State: state, URL: c.client.Page("/", url.Values{
		"response_type": {"code"}, "client_id": {c.cfg.ClientID}, "auth_type": {authTypes},
		"state": {j.State}, "redirect_uri": {login.ReturnURL},
	})}, nil
}

// Advance takes the return: the code is spent for a token, the token for the attributes.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	j, code, err := c.client.Return(login, Method, ev, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	certificate, err := c.keys.Certificate(c.cfg.Now())
	if err != nil {
		return nil, err
	}
	t, err := c.token(ctx, code, login.ReturnURL)
	if err != nil {
		return nil, err
	}
	message, err := c.userInfo(ctx, t, certificate)
	if err != nil {
		return nil, err
	}
	id, err := c.identify(ctx, message, t, strings.Split(j.Choice, ","))
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}
