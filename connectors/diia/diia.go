package diia

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
	_ "time/tzdata" // the name of the file shows Kyiv's time, also where the machine has no time zones

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
	"brama/internal/challenge"
)

// Method is the id of this method.
const Method = "diia"

// Values of the field "action" in the forms of the page.
const (
	ActionRequest = "request" // «Отримати код», «Оновити код»
	ActionCheck   = "check"   // «Перевірити», for a browser without scripts
	ActionCancel  = "cancel"  // «Скасувати»
)

// Codes of messages that this method has besides those of a signature.
const (
	CodeExpired   = "REMOTE_EXPIRED"
	CodeCancelled = "REMOTE_CANCELLED"
	CodeDown      = "REMOTE_DOWN"
	codeUnknown   = "TX_UNKNOWN"
	codeInternal  = "INTERNAL"
)

// A Phase is where the page of a login is (ux.md 3).
type Phase string

// Phases. Requesting and verifying pass while a call is answered; there is no sign of "opened" in the protocol.
const (
	Idle      Phase = "idle"
	Waiting   Phase = "waiting"
	Expired   Phase = "expired"
	Cancelled Phase = "cancelled"
)

// PageData is the data of the page "diia". All but Phase and Down is empty while nothing waits.
type PageData struct {
	Phase   Phase
	Link    string    // for the button and the QR code; checked against the listed origins
	Code    string    // matching code, two digits; "" in the scope auth, which has no place for one
	File    string    // name of the file that the application shows; "" in the scope auth
	Expires time.Time // of the request, in UTC
	Message string    // code of the message to show: REMOTE_EXPIRED, REMOTE_CANCELLED; else ""
	Down    bool      // the service is left alone after failures: «тимчасово недоступно»
}

// An Index finds logins by the id of a request. Only the scope auth needs it: there the id is the digest of the challenge
// and cannot name the login. What it keeps is no secret and no right to anything.
type Index interface {
	Put(ctx context.Context, requestID, login string, until time.Time) error
	Get(ctx context.Context, requestID string) (login string, err error)
}

// Config is what the connector needs.
type Config struct {
	Client   *Client          // required
	Verifier signing.Verifier // required
	Branch   string           // _id of the branch, required
	Offer    string           // _id of the offer, required
	// Scope is that of the offer; "" means HashedFilesSigning. Auth gives up the matching code and needs an Index.
	Scope Scope
	// Algorithm is the kind of signature that is asked for; "" means DSTU.
	Algorithm Algorithm
	Index     Index
	// Life is how long a request can be signed; 0 means 180 s, as long as links are known to live.
	Life time.Duration
	// MaxLevel lowers what the policy gives; "" leaves it.
	MaxLevel connectors.LoA
	// Issuers adds providers whose certificates are taken besides Diia's own, by EDRPOU: for a double.
	Issuers []string
	// Location is whose time the name of the file shows; nil is Europe/Kyiv.
	Location *time.Location
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
}

var (
	_ connectors.Connector = (*Connector)(nil)
	_ connectors.Notified  = (*Connector)(nil)
)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	if c.Scope == "" {
		c.Scope = HashedFilesSigning
	}
	if c.Algorithm == "" {
		c.Algorithm = DSTU
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Life == 0 {
		c.Life = life
	}
	switch {
	case c.Life < 0 || c.Life > life:
		return nil, fmt.Errorf("diia: a request lives %v at most", life)
	case c.Client == nil:
		return nil, errors.New("diia: a client of the partner API is needed")
	case !validID(c.Branch) || !validID(c.Offer):
		return nil, errors.New("diia: branch and offer are named by their _id (brama diia setup makes them)")
	case c.Scope != HashedFilesSigning && c.Scope != Auth:
		return nil, fmt.Errorf("diia: unknown scope %q", c.Scope)
	case c.Algorithm != DSTU && c.Algorithm != ECDSA:
		return nil, fmt.Errorf("diia: unknown algorithm %q", c.Algorithm)
	case c.Scope == Auth && c.Index == nil:
		return nil, errors.New("diia: the scope auth needs an index of its requests")
	}
	switch c.MaxLevel {
	case "", connectors.Low, connectors.Substantial, connectors.High:
	default:
		return nil, fmt.Errorf("diia: unknown level %q", c.MaxLevel)
	}
	if c.Location == nil {
		var err error
		if c.Location, err = time.LoadLocation("Europe/Kyiv"); err != nil {
			return nil, fmt.Errorf("diia: %w", err)
		}
	}
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels, RemoteIssuers: c.Issuers, Cap: c.MaxLevel})
	if err != nil {
		return nil, fmt.Errorf("diia: %w", err)
	}
	return &Connector{cfg: c, checker: checker}, nil
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: "diia", Data: PageData{Phase: Idle, Down: c.Down()}}
}

// Immediate says that the press of the form needs no challenge made before it.
func (c *Connector) Immediate() bool { return true }

// Down reports whether the service is left alone after repeated failures.
func (c *Connector) Down() bool { return c.cfg.Client.Paused() }

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA {
	return c.checker.MaxLoA()
}

// Begin returns the page with the button. Nothing is asked for before it is pressed: a code made earlier would expire
// unread, and be bait for those who send codes to others (threat T6).
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance takes the forms of the page (a field "action"), its polls, and notifications.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	r, err := readState(login.State)
	if err != nil {
		return nil, &connectors.Refusal{Code: codeInternal, Err: err}
	}
	switch ev.Via {
	case connectors.ViaNotify:
		return c.notified(ctx, login, r, ev)
	case connectors.ViaPoll:
		return c.show(r)
	case connectors.ViaForm:
		switch ev.Values.Get("action") {
		case ActionRequest:
			return c.press(ctx, login, r)
		case ActionCheck:
			return c.show(r)
		case ActionCancel:
			return c.cancel(r)
		}
	}
	return nil, connectors.Retry(codeUnknown, errors.New("event of another kind"))
}

// show returns the page of r: a wait while a result may come.
func (c *Connector) show(r *request) (connectors.Step, error) {
	if r == nil {
		return nil, connectors.Retry(codeUnknown, errors.New("nothing waits"))
	}
	now := c.cfg.Now()
	state, err := r.write()
	if err != nil {
		return nil, &connectors.Refusal{Code: codeInternal, Err: err}
	}
	page := connectors.Page{Name: "diia", State: state}
	switch {
	case r.Cancelled:
		page.Data = PageData{Phase: Cancelled, Message: CodeCancelled, Down: c.Down()}
		return page, nil
	case r.live(now):
		page.Data = PageData{Phase: Waiting, Link: r.Link, Code: r.Code, File: r.File, Expires: r.Expires}
	default:
		page.Data = PageData{Phase: Expired, Message: CodeExpired, Expires: r.Expires, Down: c.Down()}
		if !r.open(now) {
			return page, nil
		}
	}
	return connectors.Wait{Page: page, Every: every}, nil
}

// cancel ends the request: a result of it counts no more.
func (c *Connector) cancel(r *request) (connectors.Step, error) {
	if r == nil {
		return c.Idle(), nil
	}
	ended := *r
	ended.Cancelled, ended.Link, ended.Code, ended.File = true, "", "", ""
	return c.show(&ended)
}

// press asks for a request, unless one is live: two presses, or two windows, share it. A newer one takes the place of the
// older, whose result counts no more.
func (c *Connector) press(ctx context.Context, login connectors.Login, r *request) (connectors.Step, error) {
	now := c.cfg.Now()
	if r.live(now) {
		return c.show(r)
	}
	if len(login.Challenge) == 0 || !now.Before(login.Expires) {
		return nil, connectors.Retry("CHALLENGE_EXPIRED", nil)
	}
	next, asked, err := c.prepare(login, now)
	if err != nil {
		return nil, &connectors.Refusal{Code: codeInternal, Err: err}
	}
	if c.cfg.Scope == Auth {
		if err := c.cfg.Index.Put(ctx, next.ID, login.ID, next.Expires.Add(grace)); err != nil {
			return nil, &connectors.Refusal{Code: codeInternal, Err: fmt.Errorf("diia: keeping the id of a request: %w", err)}
		}
	}
	if next.Link, err = c.cfg.Client.CreateRequest(ctx, asked); err != nil {
		return nil, &connectors.Refusal{Code: CodeDown, Values: map[string]string{"name": "Дія.Підпис"}, Err: fmt.Errorf("%w: %w", connectors.ErrRetry, err)}
	}
	return c.show(next)
}

// prepare makes the request of a login, as we keep it and as it is asked for.
func (c *Connector) prepare(login connectors.Login, now time.Time) (*request, SigningRequest, error) {
	hash := c.cfg.Algorithm.Digest(login.Challenge)
	r := &request{Scope: c.cfg.Scope, Expires: now.Add(c.cfg.Life).UTC().Truncate(time.Second)}
	if login.Expires.Before(r.Expires) {
		r.Expires = login.Expires // what is signed later would be refused
	}
	asked := SigningRequest{Branch: c.cfg.Branch, Offer: c.cfg.Offer, Scope: r.Scope, Algorithm: c.cfg.Algorithm, ReturnLink: returnLink(login.ReturnURL)}
	if r.Scope == Auth {
		// The application signs the digest that the id is [V php, js, java SDKs]; what is hashed is ours to choose.
		r.ID = base64.StdEncoding.EncodeToString(hash)
		asked.ID = r.ID
		return r, asked, nil
	}
	var err error
	if r.ID, err = newID(login.ID, random); err != nil {
		return nil, asked, err
	}
	if r.Code, err = newCode(random); err != nil {
		return nil, asked, err
	}
	portal := login.Portal
	if portal == "" {
		if text, err := challenge.Parse(login.Challenge); err == nil {
			portal = text.Host
		}
	}
	r.File = fileName(portal, r.Code, now.In(c.cfg.Location))
	asked.ID, asked.FileName, asked.Hash = r.ID, r.File, hash
	return r, asked, nil
}

// returnLink is where the application sends the browser of the telephone; only a web address of ours is given.
func returnLink(s string) string {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}

// indexTime bounds one look into the index.
const indexTime = 2 * time.Second

// LoginOf returns which login a notification claims, by its trace id alone: nothing of the body is read (threat T43). The
// address with its secret segment and the method were checked by the caller.
func (c *Connector) LoginOf(ev connectors.Event) (string, error) {
	switch {
	case len(ev.Body) > connectors.MaxEventBody:
		return "", malformed("too large")
	case boundary(ev.Header.Get("Content-Type")) == "":
		return "", malformed("not multipart")
	}
	trace := header(ev.Header, headerTrace)
	if !printable(trace, maxTrace) {
		return "", malformed("no trace id")
	}
	if c.cfg.Scope == Auth {
		if b, err := base64.StdEncoding.Strict().DecodeString(trace); err != nil || len(b) != 32 {
			return "", malformed("trace id of another form")
		}
		ctx, cancel := context.WithTimeout(context.Background(), indexTime)
		defer cancel()
		login, err := c.cfg.Index.Get(ctx, trace)
		if err != nil {
			return "", fmt.Errorf("diia: looking for a request: %w", err)
		}
		return login, nil
	}
	login, ok := loginIn(trace)
	if !ok {
		return "", malformed("trace id of another form")
	}
	return login, nil
}

// notified judges a notification. The order is that of threat T43: what costs nothing first, the signature last. Whatever
// fails here changes nothing (threat T44).
func (c *Connector) notified(ctx context.Context, login connectors.Login, r *request, ev connectors.Event) (connectors.Step, error) {
	trace := header(ev.Header, headerTrace)
	switch {
	case len(ev.Body) > connectors.MaxEventBody:
		return nil, connectors.Retry(codeUnknown, malformed("too large"))
	case r == nil:
		return nil, connectors.Retry(codeUnknown, errors.New("diia: nothing waits"))
	case subtle.ConstantTimeCompare([]byte(trace), []byte(r.ID)) != 1:
		return nil, connectors.Retry(codeUnknown, errors.New("diia: notification of another request")) // an older one, or a guess
	case r.Cancelled:
		return nil, connectors.Retry(CodeCancelled, nil)
	case !r.open(c.cfg.Now()):
		return nil, connectors.Retry(CodeExpired, nil)
	case header(ev.Header, headerAction) != string(r.Scope):
		return nil, connectors.Retry(codeUnknown, malformed("another action"))
	}
	signature, err := signatureIn(r.Scope, r.ID, ev.Header.Get("Content-Type"), ev.Body)
	if err != nil {
		return nil, connectors.Retry("CMS_MALFORMED", err)
	}
	id, err := c.checker.Identify(ctx, login, signature)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// Reply is what Diia wants to hear: {"success":true}, or false with a word [V java UploadErrorHandler; python api.py]. The
// word is always the same: whoever sends false notifications learns nothing.
func (c *Connector) Reply(err error) (contentType string, body []byte) {
	answer := struct {
		Success bool   `json:"success"`
		Error   string `json:"error,omitempty"`
	}{Success: err == nil}
	if err != nil {
		answer.Error = http.StatusText(http.StatusUnprocessableEntity)
	}
	body, _ = json.Marshal(answer) // of a bool and a word
	return "application/json; charset=utf-8", body
}
