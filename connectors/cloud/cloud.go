// Package cloud is the method "cloud": a key that a provider keeps for the person, who approves its use on a telephone. It
// is a client of the Cloud Signature Consortium API, versions 1 and 2, and of the SmartID family at the level of its JSON.
//
// It signs one hash, that of signed attributes made here over the challenge, and only where the provider binds its
// authorisation to that hash (SCAL 2). The certificate is fixed before anything is signed, and what comes back is verified
// with it before package signing judges it as any other signature. A provider's notification is a hint to ask, its texts
// are never shown, and its addresses are opened only if their host is configured (threats T15, T53, T54).
//
// It does not know the pages (provider/web), how often a number may be tried (provider/authflow), nor how the SmartID family
// encrypts its sessions: that is [Envelope], of which none exists outside the double, so that those providers stay refused.
package cloud

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
	"brama/internal/fetch"
)

// Method is the id of this method.
const Method = "cloud"

// Times of one request.
const (
	// DefaultWait is how long a telephone may take.
	DefaultWait = 180 * time.Second
	// grace is how much longer a result is taken (ux.md 3).
	grace = 30 * time.Second
	// pollEvery is how often the page asks.
	pollEvery = 2 * time.Second
	// callTime bounds one question to a provider; a press asks at most six.
	callTime = 5 * time.Second
	// maxAnswer bounds one answer: a credential with its chain has about 10 KiB.
	maxAnswer = 128 << 10
)

// Config is what the connector needs.
type Config struct {
	Verifier  signing.Verifier // required
	Providers []Provider       // at least one; shown in this order
	// Do sends a request; (*fetch.Client).Do.
	Do func(context.Context, fetch.Request) (*fetch.Response, error)
	// Breaker leaves a provider alone that fails again and again, by its id; nil is one of its own.
	Breaker *fetch.Breaker
	// Envelope is the session encryption of the SmartID family. Providers of that family are refused without it.
	Envelope Envelope
	// NotifyURL is where providers may tell that something happened; "" means that nobody is told it.
	NotifyURL string
	// MaxLevel lowers what the policy gives; "" leaves it.
	MaxLevel connectors.LoA
	// Wait is how long a telephone may take; 0 is DefaultWait.
	Wait time.Duration
	// AllowHTTP lets addresses be http. It is for `brama dev` and tests.
	AllowHTTP bool
	// Levels is the policy that gives levels; nil is the one in the program.
	Levels *levels.Policy
	// TrustList names the version of the trusted list for the evidence; may be nil.
	TrustList func() string
	Now       func() time.Time // nil means time.Now
}

// Connector implements connectors.Connector and connectors.Notified.
type Connector struct {
	cfg     Config
	checker *signing.Checker
	zone    *time.Location
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Notified  = (*Connector)(nil)
)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	switch {
	case c.Do == nil:
		return nil, errors.New("cloud: Do is needed")
	case len(c.Providers) == 0:
		return nil, errors.New("cloud: no provider")
	case c.Wait < 0:
		return nil, errors.New("cloud: negative time")
	}
	if c.MaxLevel != "" && signing.Least(c.MaxLevel, connectors.Low) != connectors.Low {
		return nil, fmt.Errorf("cloud: %q is no level", c.MaxLevel)
	}
	if c.Wait == 0 {
		c.Wait = DefaultWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Breaker == nil {
		c.Breaker = &fetch.Breaker{Now: c.Now}
	}
	if c.NotifyURL != "" {
		if _, err := checkURL(c.NotifyURL, c.AllowHTTP, nil); err != nil {
			return nil, fmt.Errorf("cloud: address of notifications: %w", err)
		}
	}
	c.Providers = slices.Clone(c.Providers)
	for i := range c.Providers {
		if err := c.Providers[i].check(&c); err != nil {
			return nil, fmt.Errorf("cloud: provider %q: %w", c.Providers[i].ID, err)
		}
		for _, other := range c.Providers[:i] {
			if other.ID == c.Providers[i].ID {
				return nil, fmt.Errorf("cloud: provider %q stands twice", other.ID)
			}
		}
	}
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels, Cap: c.MaxLevel})
	if err != nil {
		return nil, fmt.Errorf("cloud: %w", err)
	}
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		zone = time.UTC
	}
	return &Connector{cfg: c, checker: checker, zone: zone}, nil
}

// MaxLoA is the highest level this method gives here.
func (c *Connector) MaxLoA() connectors.LoA { return c.checker.MaxLoA() }

// PageData is the data of the page "cloud".
type PageData struct {
	Providers []Choice
	Provider  string // id of the one in use, "" before a press
	// Keys are the keys among which the person chooses (value "credential"); nil if there is nothing to choose.
	Keys []Key
	// OTP says that the provider has sent the person a one-time code, which is typed here (value "otp").
	OTP bool
	// Notice is the code of something to tell that is no error: REMOTE_CANCELLED.
	Notice string
	// Wait is there while the person is to approve; the page then asks again and again.
	Wait *WaitData
}

// A Choice is a provider as the page shows it.
type Choice struct {
	ID, Name   string
	Identifier IdentifierKind // "" if it needs none
	Down       bool           // it fails again and again and is left alone for a while
}

// A Key is a key as the page shows it, from its certificate.
type Key struct {
	Value, Name, Organization, Title, Issuer string
	NotAfter                                 time.Time
}

// WaitData is what the waiting page shows.
type WaitData struct {
	Provider string // name
	Code     string // two digits, the same as on the telephone
	// Link opens the provider's program on this telephone, and is the text of the QR code on others; "" if the provider
	// finds the person by itself.
	Link  string
	Until time.Time // the page offers a new request after it
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page { return connectors.Page{Name: "cloud", Data: c.pageData()} }

func (c *Connector) pageData() PageData {
	var d PageData
	for i := range c.cfg.Providers {
		p := &c.cfg.Providers[i]
		d.Providers = append(d.Providers, Choice{ID: p.ID, Name: p.Name, Identifier: p.Identifier, Down: c.cfg.Breaker.Paused(p.ID)})
	}
	return d
}

// Immediate says that the press of the form needs no challenge made before it.
func (c *Connector) Immediate() bool { return true }

// Down reports whether every provider is left alone after repeated failures.
func (c *Connector) Down() bool {
	return !slices.ContainsFunc(c.cfg.Providers, func(p Provider) bool { return !c.cfg.Breaker.Paused(p.ID) })
}

// Begin returns the page that asks for the provider. Nothing is requested before a press.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance takes, of a form, "cancel"; or "provider" with "identifier", which begins a request anew; or "credential"; or
// "otp". Of a return it takes what OAuth gives. A poll asks the provider, a notification with the right token does too.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if !c.cfg.Now().Before(login.Expires) {
		return nil, connectors.Retry("CHALLENGE_EXPIRED", nil)
	}
	st, err := readState(login.State)
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	f := &flow{c: c, login: login, st: st, p: c.provider(st.Provider)}
	if f.p == nil && st.Provider != "" {
		// The entry was taken out of the configuration in the middle of a login.
		f.st = state{}
	}
	switch ev.Via {
	case connectors.ViaForm:
		return f.form(ctx, ev.Values)
	case connectors.ViaReturn:
		return f.back(ctx, ev.Values)
	case connectors.ViaPoll:
		return f.poll(ctx)
	case connectors.ViaNotify:
		token := ev.Values.Get("t")
		if f.st.Notify == "" || subtle.ConstantTimeCompare([]byte(token), []byte(f.st.Notify)) != 1 {
			return nil, connectors.Retry("TX_UNKNOWN", errors.New("notification without the token of this request"))
		}
		return f.poll(ctx)
	}
	return nil, connectors.Retry("TX_UNKNOWN", errors.New("event of another kind"))
}

// LoginOf implements connectors.Notified: the address that the provider was given names the login. What the body says is
// never read.
func (c *Connector) LoginOf(ev connectors.Event) (string, error) {
	id := ev.Values.Get("login")
	if !isToken(id, 64) || !isToken(ev.Values.Get("t"), 64) {
		return "", errors.New("cloud: notification names no login")
	}
	return id, nil
}

// Spends reports whether ev is the return that login waits for: its state is to be forgotten before Advance looks at it, so
// that it comes once.
func (c *Connector) Spends(login connectors.Login, ev connectors.Event) bool {
	st, err := readState(login.State)
	state := ev.Values["state"]
	return err == nil && ev.Via == connectors.ViaReturn && st.OAuth != "" && len(state) == 1 && subtle.ConstantTimeCompare([]byte(state[0]), []byte(st.OAuth)) == 1
}

// Reply implements connectors.Notified: the provider learns nothing of how it went.
func (c *Connector) Reply(error) (contentType string, body []byte) {
	return "application/json", []byte("{}")
}

func (c *Connector) provider(id string) *Provider {
	for i := range c.cfg.Providers {
		if c.cfg.Providers[i].ID == id {
			return &c.cfg.Providers[i]
		}
	}
	return nil
}

// refuse names the provider in the message.
func (p *Provider) refuse(code string, err error) *connectors.Refusal {
	return connectors.Retry(code, err, "name", p.Name)
}

// unsuitable is a key or a provider that cannot be used here, and why: "scal", "pin", "mode", "method", "keyalgorithm". The
// texts of the pages have a word for each, under "kind.".
func (p *Provider) unsuitable(kind string, err error) *connectors.Refusal {
	r := p.refuse("REMOTE_UNSUITABLE", err)
	r.Values["kind"] = kind
	return r
}

// ok2xx are the statuses that carry what was asked for; 202 says that it is not there yet.
func ok2xx(status int) bool { return status == http.StatusOK || status == http.StatusAccepted }
