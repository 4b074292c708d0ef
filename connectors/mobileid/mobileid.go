// Package mobileid is the method "mobileid": a key on the SIM of a telephone, reached through the mobile signature service
// of its operator by ETSI TS 102 204. It asks asynchronously (asynchClientServer): one request for a signature at a press of
// the person, then questions for its status. What the service returns is a whole SignedData over the challenge, which
// package signing judges as any other signature.
//
// It does not know the pages (provider/web), nor how often a number may be tried (provider/authflow, threat T52). MobileID
// through ID.GOV.UA is connectors/idgov.
package mobileid

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
	"brama/internal/challenge"
	"brama/internal/fetch"
)

// Method is the id of this method.
const Method = "mobileid"

// Times of one request.
const (
	// DefaultWait is how long a telephone may take.
	DefaultWait = 120 * time.Second
	// DefaultFirstPoll is when the status is asked first: the guideline for services of this kind says ten seconds.
	DefaultFirstPoll = 10 * time.Second
	grace            = 30 * time.Second
	pollEvery        = 2 * time.Second
	callTime         = 8 * time.Second
	maxAnswer        = 256 << 10
)

// An Operator is one entry of the configuration: a mobile signature service.
type Operator struct {
	ID   string // a–z 0–9 _ -, stable
	Name string // for people
	URL  string // of the SOAP service
	// APID and Password are ours; Password is asked for at each use, so that it can come from a file.
	APID     string
	Password func() (string, error)
	// MSSP is the URI of the service, "" leaves MSSP_Info with an empty one.
	MSSP string
	// Profile is the URI of the signature profile, "" leaves it out.
	Profile string
	// SOAP11 speaks SOAP 1.1 instead of 1.2.
	SOAP11 bool
}

// Config is what the connector needs.
type Config struct {
	Verifier  signing.Verifier // required
	Operators []Operator       // at least one; shown in this order
	// Do sends a request; (*fetch.Client).Do.
	Do func(context.Context, fetch.Request) (*fetch.Response, error)
	// Breaker leaves an operator alone that fails again and again, by its id; nil is one of its own.
	Breaker *fetch.Breaker
	// MaxLevel lowers what the policy gives; "" leaves it.
	MaxLevel connectors.LoA
	// Wait and FirstPoll; 0 means the defaults, a negative FirstPoll none.
	Wait, FirstPoll time.Duration
	// AllowHTTP lets addresses be http. It is for `brama dev` and tests.
	AllowHTTP bool
	// Levels is the policy that gives levels; nil is the one in the program.
	Levels *levels.Policy
	// TrustList names the version of the trusted list for the evidence; may be nil.
	TrustList func() string
	Now       func() time.Time // nil means time.Now
}

// Connector implements connectors.Connector.
type Connector struct {
	cfg     Config
	checker *signing.Checker
}

var _ connectors.Connector = (*Connector)(nil)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	switch {
	case c.Do == nil:
		return nil, errors.New("mobileid: Do is needed")
	case len(c.Operators) == 0:
		return nil, errors.New("mobileid: no operator")
	case c.Wait < 0:
		return nil, errors.New("mobileid: negative time")
	}
	if c.MaxLevel != "" && signing.Least(c.MaxLevel, connectors.Low) != connectors.Low {
		return nil, fmt.Errorf("mobileid: %q is no level", c.MaxLevel)
	}
	if c.Wait == 0 {
		c.Wait = DefaultWait
	}
	if c.FirstPoll == 0 {
		c.FirstPoll = DefaultFirstPoll
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Breaker == nil {
		c.Breaker = &fetch.Breaker{Now: c.Now}
	}
	c.Operators = slices.Clone(c.Operators)
	for i, o := range c.Operators {
		u, err := url.Parse(o.URL)
		switch {
		case o.ID == "" || strings.Trim(o.ID, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "", o.Name == "":
			return nil, fmt.Errorf("mobileid: operator %q: id and name are needed", o.ID)
		case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(c.AllowHTTP && u.Scheme == "http"):
			return nil, fmt.Errorf("mobileid: operator %q: bad address", o.ID)
		case o.APID == "" || o.Password == nil:
			return nil, fmt.Errorf("mobileid: operator %q: id and password of ours are needed", o.ID)
		case slices.ContainsFunc(c.Operators[:i], func(other Operator) bool { return other.ID == o.ID }):
			return nil, fmt.Errorf("mobileid: operator %q stands twice", o.ID)
		}
	}
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels, Cap: c.MaxLevel})
	if err != nil {
		return nil, fmt.Errorf("mobileid: %w", err)
	}
	return &Connector{cfg: c, checker: checker}, nil
}

// MaxLoA is the highest level this method gives here.
func (c *Connector) MaxLoA() connectors.LoA { return c.checker.MaxLoA() }

// PageData is the data of the page "mobileid".
type PageData struct {
	Operators []Choice
	Operator  string // id of the one in use, "" before a press
	Notice    string // code of something to tell that is no error: REMOTE_CANCELLED
	// Wait is there while the person is to approve; the page then asks again and again.
	Wait *WaitData
}

// A Choice is an operator as the page shows it. Numbers move between operators, so that the person chooses.
type Choice struct {
	ID, Name string
	Down     bool
}

// WaitData is what the waiting page shows.
type WaitData struct {
	Operator string // name
	Code     string // two digits, the same as on the telephone
	Until    time.Time
}

// Idle is what the tab shows before the person presses anything.
func (c *Connector) Idle() connectors.Page {
	return connectors.Page{Name: "mobileid", Data: c.pageData()}
}

func (c *Connector) pageData() PageData {
	var d PageData
	for _, o := range c.cfg.Operators {
		d.Operators = append(d.Operators, Choice{ID: o.ID, Name: o.Name, Down: c.cfg.Breaker.Paused(o.ID)})
	}
	return d
}

// Immediate says that the press of the form needs no challenge made before it.
func (c *Connector) Immediate() bool { return true }

// Down reports whether every operator is left alone after repeated failures.
func (c *Connector) Down() bool {
	return !slices.ContainsFunc(c.cfg.Operators, func(o Operator) bool { return !c.cfg.Breaker.Paused(o.ID) })
}

// Begin returns the page that asks for the number. Nothing is requested before a press.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// state is the connector's own part of a login. The number is not in it.
type state struct {
	Operator  string    `json:"operator,omitempty"`
	Trans     string    `json:"trans,omitempty"` // MSSP_TransID
	Code      string    `json:"code,omitempty"`
	Challenge []byte    `json:"challenge,omitempty"`
	Asked     time.Time `json:"asked,omitzero"`
	Until     time.Time `json:"until,omitzero"`
}

// Advance takes, of a form, "cancel", or "operator" (which may be left out if there is one) with "number", which begins a
// request anew. A poll asks for the status, and sends nothing to the telephone.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if !c.cfg.Now().Before(login.Expires) {
		return nil, connectors.Retry("CHALLENGE_EXPIRED", nil)
	}
	var st state
	if len(login.State) > 0 {
		if err := json.Unmarshal(login.State, &st); err != nil {
			return nil, &connectors.Refusal{Code: "INTERNAL", Err: errors.New("mobileid: state of a login does not parse")}
		}
	}
	switch ev.Via {
	case connectors.ViaForm:
		if ev.Values.Get("cancel") != "" {
			d := c.pageData()
			d.Operator, d.Notice = st.Operator, "REMOTE_CANCELLED"
			return connectors.Page{Name: "mobileid", Data: d, State: (&state{Operator: st.Operator}).bytes()}, nil
		}
		return c.press(ctx, login, ev.Values)
	case connectors.ViaPoll:
		return c.poll(ctx, login, st)
	}
	return nil, connectors.Retry("TX_UNKNOWN", errors.New("event of another kind"))
}

func (st *state) bytes() []byte {
	b, err := json.Marshal(st)
	if err != nil {
		panic("mobileid: internal error: " + err.Error())
	}
	return b
}

func (c *Connector) operator(id string) *Operator {
	for i := range c.cfg.Operators {
		if c.cfg.Operators[i].ID == id {
			return &c.cfg.Operators[i]
		}
	}
	return nil
}

// press sends the one request for a signature.
func (c *Connector) press(ctx context.Context, login connectors.Login, v url.Values) (connectors.Step, error) {
	id := v.Get("operator")
	if id == "" && len(c.cfg.Operators) == 1 && v.Has("number") {
		id = c.cfg.Operators[0].ID
	}
	o := c.operator(id)
	if o == nil {
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("no such operator"))
	}
	number, ok := e164(v.Get("number"))
	if !ok {
		return nil, o.refuse("REMOTE_NO_ACCOUNT", errors.New("not a Ukrainian number"))
	}
	now := c.cfg.Now()
	st := state{Operator: o.ID, Code: signing.MatchingCode(), Challenge: digest(login.Challenge), Asked: now.UTC().Truncate(time.Second),
		Until: now.Add(c.cfg.Wait).UTC().Truncate(time.Second)}
	if login.Expires.Before(st.Until) {
		st.Until = login.Expires
	}
	text, err := display(login, st.Code)
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	a, err := c.ask(ctx, o, "MSS_Signature", func(ap string) []byte {
		return signatureRequest(o, ap, c.cfg.Wait, number, login.Challenge, text)
	})
	if err != nil {
		return nil, o.answered(err)
	}
	if a.signature != nil {
		// Asked to be asynchronous, some services have the answer at once.
		return c.judge(ctx, login, o, st, a)
	}
	if !plain(a.trans) {
		return nil, o.answered(ErrAnswer)
	}
	if err := a.pending(); err != nil {
		return nil, o.answered(err)
	}
	st.Trans = a.trans
	return c.wait(&st, o, nil), nil
}

// poll asks for the status.
func (c *Connector) poll(ctx context.Context, login connectors.Login, st state) (connectors.Step, error) {
	o := c.operator(st.Operator)
	now := c.cfg.Now()
	switch {
	case o == nil || st.Trans == "":
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("no request is under way"))
	case subtle.ConstantTimeCompare(st.Challenge, digest(login.Challenge)) != 1:
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("the request was made for another challenge"))
	case !now.Before(st.Until.Add(grace)):
		return nil, o.refuse("REMOTE_EXPIRED", nil)
	case now.Before(st.Asked.Add(c.cfg.FirstPoll)):
		return c.wait(&st, o, login.State), nil
	}
	a, err := c.ask(ctx, o, "MSS_StatusQuery", func(ap string) []byte { return statusRequest(o, ap, st.Trans) })
	if err != nil {
		return nil, o.answered(err)
	}
	return c.judge(ctx, login, o, st, a)
}

// judge takes the presence of a signature as the criterion: services disagree about what 500 means.
func (c *Connector) judge(ctx context.Context, login connectors.Login, o *Operator, st state, a *answer) (connectors.Step, error) {
	if a.signature == nil {
		if err := a.pending(); err != nil {
			return nil, o.answered(err)
		}
		return c.wait(&st, o, login.State), nil
	}
	if a.status != statusSignature && a.status != statusValid {
		return nil, o.answered(&statusError{a.status})
	}
	id, err := c.checker.Identify(ctx, login, a.signature)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// wait shows the waiting page; before is the state that is stored, if it is to stay.
func (c *Connector) wait(st *state, o *Operator, before []byte) connectors.Step {
	if before == nil {
		before = st.bytes()
	}
	d := c.pageData()
	d.Operator, d.Wait = o.ID, &WaitData{Operator: o.Name, Code: st.Code, Until: st.Until}
	return connectors.Wait{Every: pollEvery, Page: connectors.Page{Name: "mobileid", State: before, Data: d}}
}

// ask sends one request, made for a fresh AP_Info, under the operator's breaker. A fault of the service is a *faultError.
func (c *Connector) ask(ctx context.Context, o *Operator, action string, body func(ap string) []byte) (*answer, error) {
	password, err := o.Password()
	if err != nil {
		return nil, fmt.Errorf("reading the password: %w", err)
	}
	trans := transaction()
	envelope, contentType := o.envelope(body(o.apInfo(trans, password, c.cfg.Now())), action)
	req := fetch.Request{URL: o.URL, Body: envelope, ContentType: contentType, Timeout: callTime, MaxBody: maxAnswer, PlainHTTP: c.cfg.AllowHTTP,
		Header: map[string][]string{"Soapaction": {`"` + action + `"`}}}
	var a *answer
	var fault *faultError
	err = c.cfg.Breaker.Do(o.ID, func() error {
		res, err := c.cfg.Do(ctx, req)
		if err != nil {
			return err
		}
		a, err = parseAnswer(res.Body, action, trans)
		if errors.As(err, &fault) {
			return nil // it answers: that is no failure of the service
		}
		if err == nil && res.Status != 200 {
			return ErrAnswer
		}
		return err
	})
	if err == nil && fault != nil {
		err = fault
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	return a, nil
}

// transaction returns an AP_TransID: unique for ever, since it is random.
func transaction() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails
	return "A" + hex.EncodeToString(b)
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// maxDisplay is what a telephone shows: Cyrillic goes as UCS-2, two octets a character.
const maxDisplay = 119

// display is the text on the telephone: the code first, for the end may be cut.
func display(login connectors.Login, code string) (string, error) {
	ch, err := challenge.Parse(login.Challenge)
	if err != nil {
		return "", err
	}
	portal := login.Portal
	if portal == "" {
		portal = ch.Host
	}
	text := []rune("Вхід: код " + code + ", " + portal)
	return string(text[:min(len(text), maxDisplay)]), nil
}

// e164 takes a Ukrainian number as people write it.
func e164(s string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	digits = strings.TrimPrefix(digits, "+")
	if len(digits) == 10 && digits[0] == '0' {
		digits = "38" + digits
	}
	if len(digits) != 12 || !strings.HasPrefix(digits, "380") || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return "+" + digits, true
}

// plain takes 1 to 256 visible ASCII characters.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= 256
}

// refuse names the operator in the message.
func (o *Operator) refuse(code string, err error) *connectors.Refusal {
	return connectors.Retry(code, err, "name", o.Name)
}
