package bankid

import (
	"cmp"
	"context"
	"net/http/httptest"
	"net/url"
	"testing"

	"brama/connectors"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/connectortest"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
)

const (
	returnURL = "https://id.example.gov.ua/return/bankid"
	secret    = "5f6c7365637265742d6f662d62616e6b"
)

// A bench is a client beside its double.
type bench struct {
	t      testing.TB
	double *bankidtest.Server
	client *Connector
	config Config
	tsp    *qestest.Provider
}

// newBench starts the provider of certificates and the double, and makes the client; change may be nil.
func newBench(t testing.TB, change func(*bankidtest.Config, *Config)) *bench {
	t.Helper()
	a := connectortest.NewAuthority(t)
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	do, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	ours := a.Person(t, func(r *qestest.Request) { r.Kind, r.Organization = qestest.Encryption, "Надавач послуг" })
	dc := bankidtest.Config{BaseURL: base, ClientID: "0123456789abcdef0123456789abcdef", ClientSecret: secret, RedirectURIs: []string{returnURL}, Provider: a.Provider}
	cc := Config{
		BaseURL: base, PlainHTTP: true, ClientID: dc.ClientID, ClientSecret: secret, Documents: a.Documents, Do: do.Do,
		Keys:      []Key{{Private: ours.Key.DSTU, Certificate: ours.Certificate.Certificate}},
		TrustList: func() string { return "test" }, DataSet: "61",
	}
	if change != nil {
		change(&dc, &cc)
	}
	b := &bench{t: t, tsp: a.Provider}
	if b.double, err = bankidtest.New(dc); err != nil {
		t.Fatal(err)
	}
	for _, bank := range b.double.Banks() {
		cc.Banks = append(cc.Banks, Bank{ID: bank.ID, MemberID: bank.MemberID, Name: bank.Name, EDRPOU: bank.EDRPOU})
	}
	srv.Config.Handler = b.double.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	b.setClient(cc)
	return b
}

func (b *bench) setClient(c Config) {
	b.t.Helper()
	client, err := New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.config, b.client = c, client
}

func login(t testing.TB) connectors.Login {
	l := connectortest.Login(t, Method)
	l.ReturnURL = returnURL
	return l
}

// walk goes to the double as a browser does, chooses, and returns the login as it is then and the event of the return.
func (b *bench) walk(l connectors.Login, choices url.Values) (connectors.Login, connectors.Event) {
	b.t.Helper()
	step, err := b.client.Begin(b.t.Context(), l)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(l, step, choices)
}

func (b *bench) follow(l connectors.Login, step connectors.Step, choices url.Values) (connectors.Login, connectors.Event) {
	b.t.Helper()
	to := step.(connectors.Redirect)
	l.State = to.State
	return l, connectors.Event{Via: connectors.ViaReturn, Values: choose(b.t, to.URL, choices)}
}

// choose presses a button on the page of the double and returns the parameters of the way back.
func choose(t testing.TB, page string, choices url.Values) url.Values {
	t.Helper()
	return connectortest.Choose(t, page, returnURL, func(q url.Values) url.Values {
		return set("bank", cmp.Or(q.Get("bank_id"), "kalyna"), "state", q.Get("state"), "redirect_uri", q.Get("redirect_uri"), "dataset", q.Get("dataset"))
	}, choices)
}

// try walks and returns the identity or the error.
func (b *bench) try(choices url.Values) (connectors.Identity, error) {
	b.t.Helper()
	l, ev := b.walk(login(b.t), choices)
	return b.advance(b.t.Context(), l, ev)
}

func (b *bench) advance(ctx context.Context, l connectors.Login, ev connectors.Event) (connectors.Identity, error) {
	step, err := b.client.Advance(ctx, l, ev)
	if err != nil {
		return connectors.Identity{}, err
	}
	return step.(connectors.Done).Identity, nil
}

var (
	codeOf = connectortest.CodeOf
	set    = connectortest.Set
)
