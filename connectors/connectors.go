package connectors

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// ErrRetry is wrapped by an error of Advance that leaves the login where it was: the person may try again.
var ErrRetry = errors.New("connectors: try again")

// ErrOver is wrapped beside ErrRetry by an error of a poll after which the same request can bring nothing any more, whatever
// its code: the wait ends.
var ErrOver = errors.New("connectors: the request is over")

// ErrAuthentic is wrapped beside ErrRetry by an error of an event without a browser whose signature is genuine, over this
// login and with a certificate of the provider, and whose signer is refused all the same: the page says why, and goes on
// waiting. Nobody without such a certificate can make one, and who has one could as well sign in.
var ErrAuthentic = errors.New("connectors: authentic")

// MaxEventBody bounds the body of an event; a login signature posted by a page is at most MaxSignature.
const (
	MaxEventBody = 256 << 10
	MaxSignature = 64 << 10
)

// A Connector carries one login from its first step to an Identity. It keeps no state between calls: what it must
// remember it returns in a Step and receives again in Login.State. Safe for concurrent use.
type Connector interface {
	// Begin returns the first step of login.
	Begin(ctx context.Context, login Login) (Step, error)
	// Advance consumes one event and returns the step that follows. An error wrapping ErrRetry
	// leaves the login where it was; any other error ends it, unless ev.Via is ViaNotify: an event
	// without a browser that fails changes nothing, not even a counter; only one that wraps
	// ErrAuthentic is told to the person.
	Advance(ctx context.Context, login Login, ev Event) (Step, error)
}

// Notified is implemented by connectors whose provider also calls back out of band (Diia, cloud, MobileID).
type Notified interface {
	LoginOf(ev Event) (loginID string, err error)      // which login the notification claims; it proves nothing
	Reply(err error) (contentType string, body []byte) // what the provider wants to hear, err being Advance's outcome
}

// Searcher is implemented by connectors whose page may need a certificate for a key (filekey, token). Issuer "" means all;
// authflow holds the budget: three searches a login.
type Searcher interface {
	FindCertificates(ctx context.Context, issuer string, keyIDs [][]byte) ([][]byte, error)
}

// A Login is what a connector may know of the login it serves.
type Login struct {
	ID        string
	Portal    string // the portal's name as the page shows it, for what a provider shows to the person; "" if unknown
	Challenge []byte // the exact bytes a signature must cover (internal/challenge); redirect connectors ignore it
	ReturnURL string // where a redirect must come back to
	Expires   time.Time
	State     []byte // the connector's own, opaque to everyone else
}

// Via tells how an event came. The zero value is invalid.
type Via int

// Ways of an event.
const (
	ViaForm   Via = iota + 1 // a form of our page
	ViaReturn                // a redirect came back
	ViaNotify                // the provider called us, without a browser
	ViaPoll                  // the waiting page asks
)

// An Event is something that happened to a login.
type Event struct {
	Via    Via
	Header http.Header // none with ViaForm
	Values url.Values
	Body   []byte // raw, at most MaxEventBody; a login signature by a page at most MaxSignature
}

// A Step is what comes next: Redirect, Page, Wait or Done.
type Step interface{ step() }

// Redirect sends the browser to URL.
type Redirect struct {
	URL   string
	State []byte
}

// Page shows the page called Name.
type Page struct {
	Name  string
	Data  any // a pointer with a method Fixed() points to what never changes: its part of the page is printed once
	State []byte
}

// Wait shows a page that asks again every Every.
type Wait struct {
	Page  Page
	Every time.Duration
}

// Done ends the connector's part.
type Done struct{ Identity Identity }

func (Redirect) step() {}
func (Page) step()     {}
func (Wait) step()     {}
func (Done) step()     {}
