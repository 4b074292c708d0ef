package provider_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"brama/connectors"
)

// A phone is a connector that waits for a telephone: what the contract says, and nothing of any real system.
type phone struct {
	now      func() time.Time
	verified atomic.Int32 // how often a proof was looked at
	down     atomic.Bool
	failing  atomic.Pointer[connectors.Refusal] // what every poll ends with
}

type phoneData struct {
	Phase, Link, Code, Message string
	Expires                    time.Time
}

func (p *phone) Idle() connectors.Page {
	return connectors.Page{Name: "diia", Data: phoneData{Phase: "idle"}}
}
func (p *phone) Immediate() bool        { return true }
func (p *phone) Down() bool             { return p.down.Load() }
func (p *phone) MaxLoA() connectors.LoA { return connectors.High }
func (p *phone) Reply(err error) (string, []byte) {
	if err != nil {
		return "text/plain", []byte("no")
	}
	return "text/plain", []byte("yes")
}

func (p *phone) LoginOf(ev connectors.Event) (string, error) {
	id, _, ok := strings.Cut(ev.Header.Get("X-Trace"), ".")
	if !ok {
		return "", errors.New("no trace")
	}
	return id, nil
}

func (p *phone) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return p.Idle(), nil
}

func (p *phone) Advance(_ context.Context, l connectors.Login, ev connectors.Event) (connectors.Step, error) {
	trace, until, _ := strings.Cut(string(l.State), " ")
	expires, _ := time.Parse(time.RFC3339, until)
	wait := func() connectors.Step {
		return connectors.Wait{Every: 2 * time.Second, Page: connectors.Page{Name: "diia", State: []byte(trace + " " + expires.Format(time.RFC3339)),
			Data: phoneData{Phase: "waiting", Link: l.ReturnURL, Code: "47", Expires: expires}}}
	}
	switch {
	case ev.Via == connectors.ViaForm && ev.Values.Get("action") == "cancel":
		return connectors.Page{Name: "diia", State: []byte("gone x"), Data: phoneData{Phase: "cancelled", Message: "REMOTE_CANCELLED"}}, nil
	case ev.Via == connectors.ViaForm:
		trace, expires = l.ID+"."+rand.Text(), p.now().Add(3*time.Minute).UTC()
		return wait(), nil
	case trace == "" || trace == "gone":
		return nil, &connectors.Refusal{Code: "TX_UNKNOWN", Err: connectors.ErrRetry}
	case ev.Via == connectors.ViaPoll && p.failing.Load() != nil:
		return nil, p.failing.Load()
	case ev.Via == connectors.ViaPoll:
		if !p.now().Before(expires.Add(30 * time.Second)) {
			return nil, &connectors.Refusal{Code: "REMOTE_EXPIRED", Err: connectors.ErrRetry}
		}
		return wait(), nil
	case ev.Via == connectors.ViaNotify:
		if ev.Header.Get("X-Trace") != trace {
			return nil, &connectors.Refusal{Code: "TX_UNKNOWN", Err: connectors.ErrRetry}
		}
		p.verified.Add(1)
		switch string(ev.Body) {
		case "signed":
			return connectors.Done{Identity: somebody(p.now(), "diia")}, nil
		case "revoked":
			return nil, &connectors.Refusal{Code: "CERT_REVOKED", Values: map[string]string{"date": "2026-10-02T09:00:00Z"}, Err: errors.Join(connectors.ErrRetry, connectors.ErrAuthentic)}
		case "nameless":
			id := somebody(p.now(), "diia")
			id.Identifiers = nil
			return connectors.Done{Identity: id}, nil
		case "fatal":
			return nil, &connectors.Refusal{Code: "CERT_REVOKED"}
		}
		return nil, &connectors.Refusal{Code: "SIG_INVALID", Err: connectors.ErrRetry}
	}
	return nil, &connectors.Refusal{Code: "TX_UNKNOWN", Err: connectors.ErrRetry}
}

func somebody(now time.Time, method string) connectors.Identity {
	return connectors.Identity{Name: "Тестенко Олена Петрівна", FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна",
		Identifiers: []connectors.Identifier{{Type: connectors.RNOKPP, Country: "UA", Value: "3184710691"}},
		Roles:       []connectors.Role{{ID: "person"}}, LoA: connectors.Substantial, AMR: []string{method}, AuthTime: now,
		Evidence: connectors.Evidence{Signature: []byte("proof " + rand.Text()), Content: []byte("said")}}
}

// An away is a connector that sends the browser to another system.
type away struct {
	method string
	now    func() time.Time
	taken  atomic.Int32 // codes that reached it
}

func (a *away) Idle() connectors.Page {
	return connectors.Page{Name: "idgov", Data: struct{ Origin string }{"https://" + a.method + ".example"}}
}
func (a *away) MaxLoA() connectors.LoA { return connectors.High }

func (a *away) Begin(_ context.Context, l connectors.Login) (connectors.Step, error) {
	state := l.ID + "." + rand.Text()
	return connectors.Redirect{URL: "https://" + a.method + ".example/?" + url.Values{"state": {state}, "redirect_uri": {l.ReturnURL}}.Encode(), State: []byte(state)}, nil
}

func (a *away) Spends(l connectors.Login, ev connectors.Event) bool {
	return ev.Via == connectors.ViaReturn && len(l.State) > 0 && ev.Values.Get("state") == string(l.State)
}

func (a *away) Advance(_ context.Context, l connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if !a.Spends(l, ev) {
		return nil, &connectors.Refusal{Code: "TX_UNKNOWN", Err: connectors.ErrRetry}
	}
	a.taken.Add(1)
	switch ev.Values.Get("code") {
	case "good":
		return connectors.Done{Identity: somebody(a.now(), a.method)}, nil
	case "":
		return nil, &connectors.Refusal{Code: "UPSTREAM_CANCELLED", Err: connectors.ErrRetry}
	}
	return nil, &connectors.Refusal{Code: "UPSTREAM_INVALID", Values: map[string]string{"name": a.method}, Err: connectors.ErrRetry}
}

// remote is a stack with the methods diia, idgov and bankid of this file.
type remote struct {
	*stack
	phone         *phone
	idgov, bankid *away
}

func newRemote(s func(...func(*options)) *stack) *remote {
	r := &remote{}
	now := func() time.Time { return r.stack.now() }
	r.phone, r.idgov, r.bankid = &phone{now: now}, &away{method: "idgov", now: now}, &away{method: "bankid", now: now}
	r.stack = s(func(o *options) {
		o.method = func(m map[string]connectors.Connector) {
			m["diia"], m["idgov"], m["bankid"] = r.phone, r.idgov, r.bankid
		}
	})
	return r
}

// notify posts a notification and returns its status.
func (r *remote) notify(address, trace, body string) int {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if trace != "" {
		req.Header.Set("X-Trace", trace)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
