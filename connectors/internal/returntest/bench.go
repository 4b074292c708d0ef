package returntest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/internal/upstream"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
)

// ClientID and Secret are the registration of every client at its double.
const (
	ClientID = "0123456789abcdef0123456789abcdef"
	Secret   = "5f6c7365637265742d6f662d636c69656e74"
)

// A Connector is a client of another system.
type Connector interface {
	connectors.Connector
	Down() bool
	LoginOf(ev connectors.Event) (string, error)
	Spends(login connectors.Login, ev connectors.Event) bool
}

// A Double stands for the system.
type Double interface {
	Handler() http.Handler
	// Asked returns how often a path was asked.
	Asked(path string) int
}

// A System says what of it the way there and back and the calls need.
type System[C any] struct {
	Method string
	// Fixed are the fields of the form that the double's page would have, made of the page's own parameters.
	Fixed func(page url.Values) url.Values
	// Token spends a code, Answer asks for the person.
	Token, Answer Call[C]
}

// A Call is one question of a client.
type Call[C any] struct {
	Path    string
	Timeout func(client C) *time.Duration
}

// A Bench is a client beside its double: D, made of the settings S.
type Bench[D Double, C Connector, S any] struct {
	Double D
	Client C
	Config S // of Client

	ReturnURL string                   // of the client
	Authority *connectortest.Authority // issues the certificates
	// System is what the client's settings say of the double.
	System upstream.System

	t      testing.TB
	system System[C]
	open   func(S) (C, error)
	server *httptest.Server
}

// Open starts the provider of certificates and keeps an address for the double. Serve and SetClient make the rest.
func Open[D Double, C Connector, S any](t testing.TB, system System[C], open func(S) (C, error)) *Bench[D, C, S] {
	t.Helper()
	a := connectortest.NewAuthority(t)
	srv := httptest.NewUnstartedServer(nil)
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	ours := a.Person(t, func(r *qestest.Request) { r.Kind, r.Organization = qestest.Encryption, "Надавач послуг" })
	return &Bench[D, C, S]{
		ReturnURL: "https://id.example.gov.ua/return/" + system.Method, Authority: a,
		System: upstream.System{
			BaseURL: "http://" + srv.Listener.Addr().String(), PlainHTTP: true, ClientID: ClientID, ClientSecret: Secret,
			Keys:      []upstream.Key{{Private: ours.Key.DSTU, Certificate: ours.Certificate.Certificate}},
			Documents: a.Documents, Do: client.Do, TrustList: func() string { return "test" },
		},
		t: t, system: system, open: open, server: srv,
	}
}

// Serve starts double at its address; it ends with the test.
func (b *Bench[D, C, S]) Serve(double D, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	b.Double = double
	b.server.Config.Handler = double.Handler()
	b.server.Start()
	b.t.Cleanup(b.server.Close)
}

// SetClient makes the client anew.
func (b *Bench[D, C, S]) SetClient(config S) {
	b.t.Helper()
	client, err := b.open(config)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Config, b.Client = config, client
}

// Login is one that has not begun.
func (b *Bench[D, C, S]) Login() connectors.Login {
	b.t.Helper()
	l := connectortest.Login(b.t, b.system.Method)
	l.ReturnURL = b.ReturnURL
	return l
}

// Walk goes to the double as a browser does, chooses, and returns the login as it is then and the event of the return.
func (b *Bench[D, C, S]) Walk(l connectors.Login, choices url.Values) (connectors.Login, connectors.Event) {
	b.t.Helper()
	step, err := b.Client.Begin(b.t.Context(), l)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.Follow(l, step, choices)
}

// Follow is Walk from a step that leads to the double: it presses a button there.
func (b *Bench[D, C, S]) Follow(l connectors.Login, step connectors.Step, choices url.Values) (connectors.Login, connectors.Event) {
	b.t.Helper()
	to := step.(connectors.Redirect)
	l.State = to.State
	return l, connectors.Event{Via: connectors.ViaReturn, Values: connectortest.Choose(b.t, to.URL, b.ReturnURL, b.system.Fixed, choices)}
}

// Try walks and returns the identity or the error.
func (b *Bench[D, C, S]) Try(choices url.Values) (connectors.Identity, error) {
	b.t.Helper()
	l, ev := b.Walk(b.Login(), choices)
	return b.Advance(b.t.Context(), l, ev)
}

// Advance ends a way that Walk or Follow began.
func (b *Bench[D, C, S]) Advance(ctx context.Context, l connectors.Login, ev connectors.Event) (connectors.Identity, error) {
	step, err := b.Client.Advance(ctx, l, ev)
	if err != nil {
		return connectors.Identity{}, err
	}
	return step.(connectors.Done).Identity, nil
}
