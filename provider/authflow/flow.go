package authflow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/oauth"
	"brama/provider/session"
	"brama/provider/web"
	"brama/storage"
)

// Limits of one login.
const (
	loginLife     = 30 * time.Minute // from the portal's request
	challengeLife = 15 * time.Minute
	longerLife    = 10 * time.Minute // what one press of «Продовжити» adds
	maxLonger     = 10
	// recordLife is longer than any ticket of the login: what is over must not be begun again with an old one.
	recordLife  = loginLife + maxLonger*longerLife + time.Minute
	maxAttempts = 5
	maxSearches = 3
	advanceTime = 30 * time.Second
)

// An OAuth reads requests and answers them. *oauth.Provider implements it.
type OAuth interface {
	ReadAuthorize(r *http.Request) (*oauth.AuthorizeRequest, error)
	// ReadPushed reads a pushed request again.
	ReadPushed(ctx context.Context, clientID, handle string, at time.Time) (*oauth.AuthorizeRequest, error)
	Grant(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizeRequest, s oauth.Subject) error
	Deny(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizeRequest, code, description string)
	Client(ctx context.Context, id string) (*oauth.Client, error)
	SubjectOf(c *oauth.Client, person string) (string, error)
	ReadHint(token, clientID string) (oauth.Hint, error)
	// EndSession ends in tx what was granted in the session called sid.
	EndSession(tx storage.Tx, sid string) error
}

var _ OAuth = (*oauth.Provider)(nil)

// Config is what a Flow needs. Everything is required but where it says otherwise.
type Config struct {
	Issuer     string
	OAuth      OAuth
	Store      storage.Store
	Vault      *storage.Vault
	Seal       storage.Sealer // for the bodies of stored logins
	Sealer     *session.Sealer
	Cookies    *session.Cookies
	Audit      audit.Log
	Site       *web.Site
	Connectors map[string]connectors.Connector // by method id
	// Blocked are persons, by the id of their record, who do not sign in; nil is nobody. Call EndBlocked before serving.
	Blocked map[string]bool
	// NotifyKey makes the secret segment of the addresses of notifications: at least 32 bytes. Nil, and nobody is heard.
	NotifyKey []byte
	// Farewell says that messages to portals are waiting (package backchannel); nil means that they are found by themselves.
	Farewell func()
	// Event returns the event number of a request; the page shows it and the log has it.
	Event func(context.Context) string
	// Report tells the operator's log how a request ended, once; code and err may be empty.
	Report func(ctx context.Context, code string, err error)
	Now    func() time.Time // nil means time.Now
}

// A Flow serves the steps of logins. Safe for concurrent use.
type Flow struct {
	Config
	// slots bounds the work for each method at one time: arithmetic, or a system that answers slowly. A flood of one must not
	// stop the others (threats T94, T96).
	slots   map[string]chan struct{}
	notices chan struct{} // the same for notifications, which anybody may send
	gates   gates         // one event of a login at a time
	prompts prompts
	posted  posted
}

// New checks cfg and returns a Flow.
func New(cfg Config) (*Flow, error) {
	switch {
	case cfg.OAuth == nil, cfg.Store == nil, cfg.Vault == nil, cfg.Seal == nil, cfg.Sealer == nil, cfg.Cookies == nil,
		cfg.Audit == nil, cfg.Site == nil, cfg.Event == nil, cfg.Report == nil:
		return nil, errors.New("authflow: incomplete configuration")
	case len(cfg.Connectors) == 0:
		return nil, errors.New("authflow: no connector")
	}
	for method := range cfg.Connectors {
		if !isMethod(method) {
			return nil, fmt.Errorf("authflow: %q is no method", method)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Issuer = strings.TrimRight(cfg.Issuer, "/")
	f := &Flow{Config: cfg, slots: map[string]chan struct{}{}, notices: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
	for method := range cfg.Connectors {
		f.slots[method] = make(chan struct{}, 16*runtime.GOMAXPROCS(0))
	}
	_, _ = rand.Read(f.prompts.key[:]) // never fails
	return f, nil
}

// path returns the address of a step of a login below the issuer.
func (f *Flow) path(id string, step ...string) string {
	const login = "/login/"
	n := len(f.Site.Base()) + len(login) + len(id)
	for _, s := range step {
		n += 1 + len(s)
	}
	var b strings.Builder
	b.Grow(n)
	b.WriteString(f.Site.Base())
	b.WriteString(login)
	b.WriteString(id)
	for _, s := range step {
		b.WriteByte('/')
		b.WriteString(s)
	}
	return b.String()
}

// audit records an act before it takes effect.
func (f *Flow) audit(r *http.Request, l *login, e audit.Event) error {
	e.Login, e.Client, e.Address = l.ID, l.request.ClientID, remoteAddress(r)
	if e.Connector == "" {
		e.Connector = l.Method
	}
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	e.Detail["event"] = f.Event(r.Context())
	// The browser may have gone; what happened is recorded all the same.
	ctx, cancel := context.WithTimeout(detached(r.Context()), 10*time.Second)
	defer cancel()
	if err := f.Audit.Record(ctx, e); err != nil {
		return fmt.Errorf("recording %s: %w", e.Action, err)
	}
	return nil
}

// remoteAddress is the address of the connection, without its port.
func remoteAddress(r *http.Request) string {
	address := r.RemoteAddr
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		address = address[:i]
	}
	return strings.Trim(address, "[]")
}
