package returntest

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

var (
	codeOf = connectortest.CodeOf
	set    = connectortest.Set
)

// Contract runs the contract of a connector. The double's codes and tokens must be reusable. internal is an error of the
// system by which our own side is at fault.
func (b *Bench[D, C, S]) Contract(t *testing.T, internal string) {
	connectortest.Run(t, func(*testing.T) connectortest.Setup {
		l, good := b.Walk(b.Login(), nil)
		spoilt := func(name, value string) connectors.Event {
			ev := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{}}
			for k, v := range good.Values {
				ev.Values[k] = v
			}
			ev.Values[name] = []string{value}
			return ev
		}
		return connectortest.Setup{Connector: b.Client, Login: l, Good: good, Name: connectortest.PersonName, Answered: true, Retry: map[string]connectors.Event{
			"TX_UNKNOWN":         spoilt("state", "x"+good.Values.Get("state")[1:]),
			"REMOTE_EXPIRED":     spoilt("code", strings.Repeat("0", 40)),
			"UPSTREAM_CANCELLED": spoilt("error", "access_denied"),
			"REMOTE_DOWN":        spoilt("error", "temporarily_unavailable"),
			"UPSTREAM_INVALID":   spoilt("error", "<script>"),
			"INTERNAL":           spoilt("error", internal),
		}}
	})
}

// Refusals checks that the double's answers to each of the choices are a refusal with their code, which can be tried again and
// gives nobody.
func (b *Bench[D, C, S]) Refusals(t *testing.T, codes map[string][]url.Values) {
	t.Helper()
	for code, list := range codes {
		for _, choices := range list {
			id, err := b.Try(choices)
			if codeOf(err) != code || !errors.Is(err, connectors.ErrRetry) || id.Name != "" {
				t.Errorf("%v: %v, want %s", choices, err, code)
			}
		}
	}
}

// Invalid checks that no outcome of these is an answer.
func (b *Bench[D, C, S]) Invalid(t *testing.T, outcomes ...string) {
	t.Helper()
	for _, outcome := range outcomes {
		if id, err := b.Try(set("outcome", outcome)); codeOf(err) != "UPSTREAM_INVALID" || id.Name != "" {
			t.Errorf("%s: %v", outcome, err)
		}
	}
}

// Down checks that a system that hangs, drips, floods or says so is down, and is left alone after three times. Each of the
// four faults has a bench of its own.
func Down[D Double, C Connector, S any](t *testing.T, open func() *Bench[D, C, S]) {
	for _, v := range []url.Values{
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown, "stage", "token"),
		set("outcome", upstreamtest.FaultHang), set("outcome", upstreamtest.FaultSlow, "stage", "token"),
	} {
		b := open()
		call := b.system.Answer
		if v.Get("stage") == "token" {
			call = b.system.Token
		}
		*call.Timeout(b.Client) = 150 * time.Millisecond
		l, ev := b.Walk(b.Login(), nil)
		for range 3 {
			if _, err := b.Try(v); codeOf(err) != "REMOTE_DOWN" {
				t.Errorf("%v: %v", v, err)
			}
		}
		if _, err := b.Advance(t.Context(), l, ev); codeOf(err) != "REMOTE_DOWN" || b.Double.Asked(call.Path) != 3 {
			t.Errorf("%v: asked again after three failures: %v", v, err)
		}
		if _, err := b.Client.Begin(t.Context(), b.Login()); codeOf(err) != "REMOTE_DOWN" || !b.Client.Down() {
			t.Errorf("%v: the browser is sent to a system that is down: %v", v, err)
		}
	}
}

// SignerStatus checks that an answer whose signer was revoked is refused, and that one whose status cannot be had is neither
// good nor bad. status changes the signer's; meanwhile runs while it is revoked.
func (b *Bench[D, C, S]) SignerStatus(t *testing.T, status func(qestest.Status), meanwhile func()) {
	status(qestest.Revoked)
	if _, err := b.Try(nil); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("revoked: %v", err)
	}
	meanwhile()
	status(qestest.Good)
	for _, service := range []string{qestest.ServiceOCSP, qestest.ServiceCRL, qestest.ServiceDelta} {
		b.Authority.SetDown(service, true)
	}
	if _, err := b.Try(nil); codeOf(err) != "CERT_STATUS_UNREACHABLE" {
		t.Errorf("unreachable: %v", err)
	}
}

// NewRefuses checks that no client is made of the settings after any of the changes.
func (b *Bench[D, C, S]) NewRefuses(t *testing.T, changes map[string]func(*S)) {
	t.Helper()
	for what, change := range changes {
		c := b.Config
		change(&c)
		if _, err := b.open(c); err == nil {
			t.Errorf("%s: made", what)
		}
	}
}
