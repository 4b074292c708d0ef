package provider_test

import (
	"strings"
	"testing"

	"brama/connectors"
	"brama/provider"
	"brama/provider/oauth"
)

// A method of another strength: the demo persons behind another highest level.
type strength struct {
	connectors.Connector
	most connectors.LoA
}

func (m strength) MaxLoA() connectors.LoA { return m.most }
func (strength) Immediate() bool          { return true }
func (m strength) Idle() connectors.Page {
	return m.Connector.(interface{ Idle() connectors.Page }).Idle() //nolint:forcetypeassert // it is demo
}

// TestBankIDCannotServeHighClient: the least level of a portal's registration counts for the methods that are offered, for what
// a method gave, for the session of another portal and for a silent request, and no request takes it back (threat T78).
func TestBankIDCannotServeHighClient(t *testing.T) {
	s := newStack(t, func(o *options) {
		o.client = func(c *oauth.Client) { c.SSOGroup = "city" }
		o.config = func(c *provider.Config) { c.Clients[1].MinLevel = "high" }
		o.method = func(m map[string]connectors.Connector) {
			m["bankid"], m["token"] = strength{m["demo"], connectors.Substantial}, strength{m["demo"], connectors.High}
		}
	})
	b := s.browser()
	b.authorize("idp_hint", "bankid")
	b.submit("bankid", "person", "valid")
	b.submit("/confirm")
	if claims := b.exchange(); claims["acr"] != "substantial" {
		t.Fatalf("signed in as %v", claims["acr"])
	}
	for name, more := range map[string][]string{
		"session": nil, "hint": {"idp_hint", "bankid"}, "acr_values": {"acr_values", "low substantial"},
		"claims": {"claims", `{"id_token":{"acr":{"essential":true,"values":["substantial","low"]}}}`},
	} {
		b.authorize(append([]string{"client_id", "other"}, more...)...)
		if b.portal != nil || !strings.HasSuffix(b.url.Path, "/token") {
			t.Fatalf("%s: at %s, %v", name, b.url, b.portal)
		}
		b.authorize(append([]string{"client_id", "other", "prompt", "none"}, more...)...)
		if b.refusal() != "login_required" {
			t.Errorf("silently, %s: %v", name, b.portal)
		}
	}
	b.authorize("client_id", "other")
	login := "/login/" + loginID(b.url)
	b.get(login + "/bankid")
	if b.code() != "NOT_FOUND" {
		t.Errorf("the method that is not offered: %s", b.code())
	}
	b.authorize("client_id", "other")
	b.submit("token", "person", "valid") // it gives less than it could
	if b.code() != "LEVEL_TOO_LOW" || b.portal != nil {
		t.Errorf("a proof below the level: %s %v", b.code(), b.portal)
	}
}

// A portal to which nobody could ever sign in is a mistake in the configuration, found before the first person is.
func TestLevelThatNoMethodGives(t *testing.T) {
	var problem error
	newStack(t, func(o *options) {
		o.config = func(c *provider.Config) {
			stricter := *c
			stricter.Clients = append([]oauth.Client(nil), c.Clients...)
			stricter.Clients[0].MinLevel = "high"
			_, problem = provider.New(stricter)
		}
	})
	if problem == nil || !strings.Contains(problem.Error(), `"cabinet"`) || !strings.Contains(problem.Error(), `"high"`) {
		t.Errorf("the provider starts: %v", problem)
	}
}
