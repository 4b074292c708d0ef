package authflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"brama/connectors"
	"brama/internal/challenge"
	"brama/provider/oauth"
	"brama/provider/session"
	"brama/provider/web"
	"brama/storage"
)

// A phase is how far a stored login has come; see the package comment. The zero value is a login that is only a ticket.
type phase string

const (
	sealed      phase = ""
	open        phase = "open"
	verified    phase = "verified"
	confirmable phase = "confirmable"
	confirmed   phase = "confirmed"
	ended       phase = "ended"
)

// state is the body of a stored login. It is sealed: between the signature and the code it holds a person's data.
type state struct {
	Phase     phase
	Request   oauth.AuthorizeRequest
	Method    string                    // of the live challenge
	Nonce     [challenge.NonceSize]byte // of the live challenge; all zero if there is none
	Until     time.Time                 // the end of the live challenge, which stands in its text
	Connector []byte                    // the connector's own
	Attempts  int
	Searches  int
	Identity  *connectors.Identity // from verified until confirmed
	Person    string
	Shown     *shown   // the page of the connector's last step, nil for its first
	Failed    *failure // why a wait ended without a result
	Presses   int      // requests to a telephone, departures to another system
	Browser   string   // which began, in words; for a return link opened elsewhere
	Reason    string   // code by which somebody ended the login
	SID       string   // of the session that was made when it was confirmed
}

// A login is one login as a request sees it.
type login struct {
	ticket
	state
	revision uint64 // 0 if it is not stored
	client   *oauth.Client
	request  *oauth.AuthorizeRequest
	methods  []string
}

func (l *login) stored() bool { return l.revision > 0 }

// A problem ends a request with a code. It is made where the cause is known and shown in one place, fail.
type problem struct {
	code   string
	values map[string]string
	err    error
	again  bool   // the same request may begin anew
	title  string // key of the heading, where it is not that of a failed login
}

func (p *problem) Error() string {
	if p.err == nil {
		return p.code
	}
	return p.code + ": " + p.err.Error()
}
func (p *problem) Unwrap() error { return p.err }

// Codes that are made here. Those of connectors pass through.
const (
	codeUnknown   = "TX_UNKNOWN"
	codeExpired   = "TX_EXPIRED"
	codeBadClient = "CLIENT_BAD_REQUEST"
	codeLimited   = "RATE_LIMITED"
	codeInternal  = "INTERNAL"
	codeTooLate   = "CHALLENGE_EXPIRED"
	codeReplayed  = "CHALLENGE_REPLAYED"
	codeConsent   = "CONSENT_NEEDED"
	codeConflict  = "PERSON_CONFLICT"
	codeBlocked   = "PERSON_BLOCKED"
	codeOther     = "PERSON_NOT_EXPECTED"
	codeLevel     = "LEVEL_TOO_LOW"
	codeNoTaxNo   = "CERT_NO_TAXNO"
	codeNoData    = "CERT_DATA_MISSING"
	codeTooBig    = "UPLOAD_TOO_BIG"
	codeElsewhere = "RETURN_OTHER_BROWSER"
	codeNotMe     = "RETURN_NOT_ME"
	codeRunOut    = "REMOTE_EXPIRED"
	codeDown      = "REMOTE_DOWN"
)

// load returns the login called id if this browser has its ticket.
func (f *Flow) load(r *http.Request, id string) (*login, error) {
	value, err := f.Cookies.Get(r, cookieName(id))
	if err != nil {
		return nil, &problem{code: codeUnknown, err: err}
	}
	t, err := f.openTicket(value)
	switch {
	case errors.Is(err, session.ErrExpired):
		return nil, &problem{code: codeExpired, err: err}
	case err != nil:
		return nil, &problem{code: codeUnknown, err: err}
	case t.ID != id:
		return nil, &problem{code: codeUnknown, err: errors.New("ticket of another login")}
	}
	l := &login{ticket: t}
	if l.client, err = f.OAuth.Client(r.Context(), t.Client); err != nil {
		return nil, &problem{code: codeBadClient, err: err}
	}
	if !f.Now().Before(t.Expires) {
		return l, &problem{code: codeExpired}
	}
	if err := f.read(r.Context(), l); err != nil {
		return l, err
	}
	if f.Blocked[l.Person] { // since the login began
		return l, &problem{code: codeBlocked, err: errBlocked}
	}
	l.methods = f.methods(l.client, l.request)
	return l, nil
}

// read brings l to what is stored.
func (f *Flow) read(ctx context.Context, l *login) error {
	var stored storage.Login
	err := f.Store.View(ctx, func(tx storage.Tx) (err error) {
		stored, err = storage.GetLogin(tx, l.ID)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound) && l.ticket.Request != nil:
		l.request = l.ticket.Request
		return nil
	case errors.Is(err, storage.ErrNotFound) && l.ticket.Pushed != "":
		if l.request, err = f.OAuth.ReadPushed(ctx, l.ticket.Client, l.ticket.Pushed, l.ticket.At); err != nil {
			return &problem{code: codeExpired, err: err} // spent by another login meanwhile
		}
		return nil
	case errors.Is(err, storage.ErrNotFound):
		return &problem{code: codeExpired, err: err}
	case err != nil:
		return fmt.Errorf("reading a login: %w", err)
	}
	return f.unseal(l, stored)
}

// unseal takes what is stored into l.
func (f *Flow) unseal(l *login, stored storage.Login) error {
	plain, err := f.Seal.Open("login:"+l.ID, stored.Body)
	if err != nil {
		return fmt.Errorf("opening a login: %w", err)
	}
	var s state
	if err := s.unpack(plain); err != nil {
		return fmt.Errorf("decoding a login: %w", err)
	}
	l.state, l.revision = s, stored.Revision
	l.request = &l.state.Request
	return nil
}

// save stores s as the next revision of l, together with what also does in the same transaction (nil for nothing).
// storage.ErrConflict means that another event was faster: nothing was written, and l is as it was.
func (f *Flow) save(ctx context.Context, l *login, s state, also func(storage.Tx, *state) error) error {
	return f.saveBy(f.Store.Update, ctx, l, s, also)
}

// step is a save that does not wait for the disk, on the way to a code. If the machine stops before the code is stored, the
// person begins anew; the code is not stored before all of them are.
func (f *Flow) step(ctx context.Context, l *login, s state, also func(storage.Tx, *state) error) error {
	return f.saveBy(f.Store.UpdateUnsynced, ctx, l, s, also)
}

func (f *Flow) saveBy(update func(context.Context, func(storage.Tx) error) error, ctx context.Context, l *login, s state, also func(storage.Tx, *state) error) error {
	// A browser that goes away between the proof and its record must not decide what is stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var written state
	var revision uint64
	err := update(ctx, func(tx storage.Tx) (err error) {
		written = s // the function may run more than once
		if also != nil {
			if err := also(tx, &written); err != nil {
				return err
			}
		}
		revision, err = f.put(tx, l, &written)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a login: %w", err)
	}
	l.state, l.revision = written, revision
	l.request = &l.state.Request
	return nil
}

// put stores in tx s as the next revision of l and returns it. storage.ErrConflict means that another event was faster.
func (f *Flow) put(tx storage.Tx, l *login, s *state) (uint64, error) {
	plain, err := s.pack()
	if err != nil {
		return 0, err
	}
	defer dropPacked(plain)
	record := storage.Login{ID: l.ID, Revision: l.revision, Expires: l.Created.Add(recordLife), Body: f.Seal.Seal("login:"+l.ID, plain)}
	revision := uint64(1)
	if l.revision == 0 {
		err = storage.InsertLogin(tx, record)
	} else {
		revision, err = storage.UpdateLogin(tx, record)
	}
	if errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("%w: %w", storage.ErrConflict, err)
	}
	return revision, err
}

// begin returns the state of l with a fresh challenge for method. The nonce is never that of an earlier one.
func (f *Flow) begin(l *login, method string) state {
	s := l.state
	s.Phase, s.Method, s.Connector, s.Shown, s.Failed = open, method, nil, nil, nil
	// It does not outlive the login.
	s.Until = f.Now().Add(challengeLife)
	if l.Expires.Before(s.Until) {
		s.Until = l.Expires
	}
	s.Until = s.Until.UTC().Truncate(time.Second)
	s.Request = *l.request
	_, _ = rand.Read(s.Nonce[:]) // never fails
	return s
}

// live reports whether a challenge for method can still be answered.
func (f *Flow) live(l *login, method string) bool {
	return l.Phase == open && l.Method == method && l.Nonce != [challenge.NonceSize]byte{} && f.Now().Before(l.Until)
}

// forConnector is l as its connector sees it. The challenge is rebuilt from what is stored: what a page says of it counts
// for nothing (threat T4).
func (f *Flow) forConnector(l *login) (connectors.Login, error) {
	text, err := challenge.Challenge{
		Issuer: f.Issuer, Client: l.client.ID, Host: portalHost(l.client), Method: l.Method, Login: l.ID,
		Nonce: l.Nonce, Expires: l.Until,
	}.Write()
	if err != nil {
		return connectors.Login{}, fmt.Errorf("writing the challenge of client %q: %w", l.client.ID, err)
	}
	return connectors.Login{ID: l.ID, Portal: portal(l, web.Ukrainian).Name, Challenge: text, ReturnURL: f.returnURL(l),
		Expires: l.Until, State: l.Connector}, nil
}

// portalHost is the host that the person sees and signs: of the portal's address, else of its first redirect URI.
func portalHost(c *oauth.Client) string {
	for i := range len(c.RedirectURIs) + 1 {
		address := c.Home
		if i > 0 {
			address = c.RedirectURIs[i-1]
		}
		if host := hostOf(address); host != "" {
			return host
		}
	}
	return "localhost"
}

// hostOf is the host of a web address in small letters, with its port if that is not the usual one; "" if there is none.
func hostOf(address string) string {
	if host, ok := plainHost(address); ok {
		return host
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

// plainHost is hostOf for addresses as nearly all are: a name in small letters, perhaps a port, a path of plain characters. It is
// asked for with every page.
func plainHost(address string) (string, bool) {
	rest, usual := strings.TrimPrefix(address, "https://"), "443"
	if len(rest) == len(address) {
		rest, usual = strings.TrimPrefix(address, "http://"), "80"
	}
	if len(rest) == len(address) {
		return "", false
	}
	host, path, _ := strings.Cut(rest, "/")
	for i := range len(path) {
		if c := path[i]; !(isPlain(c) || c >= 'A' && c <= 'Z' || c == '_' || c == '/') {
			return "", false
		}
	}
	name, port, hasPort := strings.Cut(host, ":")
	for i := range len(name) {
		if !isPlain(name[i]) {
			return "", false
		}
	}
	if _, err := strconv.ParseUint(port, 10, 16); hasPort && (err != nil || port == usual) {
		return "", false
	}
	return host, name != ""
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.'
}
