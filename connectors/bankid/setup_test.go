package bankid

import (
	"cmp"
	"net/url"
	"testing"
	"time"

	"brama/connectors/bankid/bankidtest"
	"brama/connectors/connectortest"
	"brama/connectors/internal/returntest"
)

// system is what the shared tests need to know of this one.
var system = returntest.System[*Connector]{
	Method: Method,
	Fixed: func(q url.Values) url.Values {
		return set("bank", cmp.Or(q.Get("bank_id"), "kalyna"), "state", q.Get("state"), "redirect_uri", q.Get("redirect_uri"), "dataset", q.Get("dataset"))
	},
	Token:  returntest.Call[*Connector]{Path: tokenPath, Timeout: func(c *Connector) *time.Duration { return &c.tokenTime }},
	Answer: returntest.Call[*Connector]{Path: resourcePath, Timeout: func(c *Connector) *time.Duration { return &c.resourceTime }},
}

// A bench is a client beside its double.
type bench struct {
	*returntest.Bench[*bankidtest.Server, *Connector, Config]
}

// newBench starts the provider of certificates and the double, and makes the client; change may be nil.
func newBench(t testing.TB, change func(*bankidtest.Config, *Config)) *bench {
	t.Helper()
	b := &bench{returntest.Open[*bankidtest.Server](t, system, New)}
	dc := bankidtest.Config{BaseURL: b.System.BaseURL, ClientID: returntest.ClientID, ClientSecret: returntest.Secret, RedirectURIs: []string{b.ReturnURL}, Provider: b.Authority.Provider}
	cc := Config{System: b.System, DataSet: "61"}
	if change != nil {
		change(&dc, &cc)
	}
	b.Serve(bankidtest.New(dc))
	for _, bank := range b.Double.Banks() {
		cc.Banks = append(cc.Banks, Bank{ID: bank.ID, MemberID: bank.MemberID, Name: bank.Name, EDRPOU: bank.EDRPOU})
	}
	b.SetClient(cc)
	return b
}

var (
	codeOf = connectortest.CodeOf
	set    = connectortest.Set
)
