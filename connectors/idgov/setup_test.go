package idgov

import (
	"net/url"
	"testing"
	"time"

	"brama/connectors/connectortest"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/internal/returntest"
)

// system is what the shared tests need to know of this one.
var system = returntest.System[*Connector]{
	Method: Method,
	Fixed: func(q url.Values) url.Values {
		return set("means", DigSign, "state", q.Get("state"), "redirect_uri", q.Get("redirect_uri"))
	},
	Token:  returntest.Call[*Connector]{Path: "/get-access-token", Timeout: func(c *Connector) *time.Duration { return &c.tokenTime }},
	Answer: returntest.Call[*Connector]{Path: "/get-user-info", Timeout: func(c *Connector) *time.Duration { return &c.userInfoTime }},
}

// A bench is a client beside its double.
type bench struct {
	*returntest.Bench[*idgovtest.Server, *Connector, Config]
}

// newBench starts the provider of certificates and the double, and makes the client; change may be nil.
func newBench(t testing.TB, change func(*idgovtest.Config, *Config)) *bench {
	t.Helper()
	b := &bench{returntest.Open[*idgovtest.Server](t, system, New)}
	dc := idgovtest.Config{BaseURL: b.System.BaseURL, ClientID: returntest.ClientID, ClientSecret: returntest.Secret, RedirectURIs: []string{b.ReturnURL}, Provider: b.Authority.Provider}
	cc := Config{System: b.System}
	if change != nil {
		change(&dc, &cc)
	}
	b.Serve(idgovtest.New(dc))
	b.SetClient(cc)
	return b
}

// pinned makes the double sign and the client know by what.
func (b *bench) pinned() {
	c := b.Config
	c.Signers = []Fingerprint{b.Double.Signer()}
	b.SetClient(c)
}

var (
	codeOf = connectortest.CodeOf
	set    = connectortest.Set
)
