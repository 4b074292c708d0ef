package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/web"
)

// pollStep names the form by which a waiting page asks.
const pollStep = "poll"

// minPoll is the shortest time between two questions to a provider for one login.
const minPoll = time.Second

// Poll answers a waiting page: by JSON for its script, and by a page for «Перевірити». The browser needs the ticket, and
// the form the code of its step; the id of a request gives nobody anything (threat T45).
func (f *Flow) Poll(w http.ResponseWriter, r *http.Request, id, method string) {
	l, c, err := f.openMethod(r, id, method)
	if err == nil {
		_, err = f.form(r, l, pollStep+"/"+method)
	}
	if err == nil && (l.Method != method || l.Shown == nil || l.Shown.Every == 0) {
		err = errRevision // nothing waits any more: the answer is where the login is
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	leave, ok := f.gates.try(l.ID, f.Now())
	if !ok { // another event of this login is being looked at, or the last poll was just now
		f.waiting(w, r, l, method)
		return
	}
	defer leave()
	text, err := f.forConnector(l)
	var step connectors.Step
	if err == nil {
		step, err = f.work(r.Context(), f.slots[method], func(ctx context.Context) (connectors.Step, error) {
			return c.Advance(ctx, text, connectors.Event{Via: connectors.ViaPoll})
		})
	}
	if err != nil {
		f.pollFailed(w, r, l, c, method, err)
		return
	}
	if _, still := step.(connectors.Wait); !still {
		f.take(w, r, l, c, step)
		return
	}
	if _, err := f.keep(r.Context(), l, c, step); err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.waiting(w, r, l, method)
}

// waiting tells the page how its request is.
func (f *Flow) waiting(w http.ResponseWriter, r *http.Request, l *login, method string) {
	if !wantsJSON(r) {
		f.dispatch(w, r, l)
		return
	}
	panel, err := web.ReadPanel(l.Shown.Name, l.Shown.Data, f.Now())
	p, ok := panel.(*web.Remote)
	if err != nil || !ok {
		f.fail(w, r, l, fmt.Errorf("page %s of method %s waits for nothing: %w", l.Shown.Name, method, err))
		return
	}
	f.Report(r.Context(), "", nil)
	f.answer(w, r, http.StatusOK, answer{Phase: p.Phase, Seconds: max(0, int(p.Expires.Sub(f.Now())/time.Second)),
		Revision: l.revision, MAC: f.Sealer.StepMAC(l.ID, l.revision, pollStep+"/"+method)})
}

// pollFailed sorts the errors of a poll: a provider that does not answer now may answer the next one; any other refusal
// ends the wait, and the tab says why.
func (f *Flow) pollFailed(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, method string, err error) {
	p := asProblem(err)
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	retry := errors.Is(err, connectors.ErrRetry) || interrupted
	switch {
	case retry && (p.code == codeDown || p.code == codeInternal || interrupted):
		f.Report(r.Context(), p.code, err)
		f.waiting(w, r, l, method)
		return
	case !retry:
		f.refuse(w, r, l, c, method, err)
		return
	}
	f.halt(w, r, l, method, p, err)
}

// halt records a refusal, ends the wait and shows the tab with the reason.
func (f *Flow) halt(w http.ResponseWriter, r *http.Request, l *login, method string, p *problem, err error) {
	if f.Site.Message("uk", p.code, nil).Code != p.code {
		p = &problem{code: codeInternal, err: fmt.Errorf("code %q has no text: %w", p.code, err)}
	}
	if line := f.audit(r, l, audit.Event{Action: "login.refused", Outcome: outcome(p.code), Code: p.code, Connector: method}); line != nil {
		f.fail(w, r, l, errors.Join(err, line))
		return
	}
	if err := f.stop(r.Context(), l, p); err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.Report(r.Context(), p.code, err)
	f.dispatch(w, r, l)
}

// gates let one event of a login in at a time.
type gates struct {
	mu sync.Mutex
	m  map[string]*gate
	// polled is when a login was last polled; swept now and then.
	polled map[string]time.Time
	swept  time.Time
}

type gate struct {
	inside  chan struct{}
	waiting int
}

// maxAtGate bounds the events that wait for one login.
const maxAtGate = 4

// enter waits until no other event of a login is looked at. False means that too many wait, or ctx ended.
func (g *gates) enter(ctx context.Context, id string) (leave func(), ok bool) {
	one := g.join(id, maxAtGate)
	if one == nil {
		return nil, false
	}
	select {
	case one.inside <- struct{}{}:
		return func() { <-one.inside; g.part(id, one) }, true
	case <-ctx.Done():
		g.part(id, one)
		return nil, false
	}
}

// try is enter for a poll: it does not wait, and comes at most every minPoll.
func (g *gates) try(id string, now time.Time) (leave func(), ok bool) {
	one := g.join(id, maxAtGate+1)
	if one == nil {
		return nil, false
	}
	select {
	case one.inside <- struct{}{}:
	default:
		g.part(id, one)
		return nil, false
	}
	g.mu.Lock()
	last, known := g.polled[id]
	early := known && now.Sub(last) < minPoll && !now.Before(last)
	if !early {
		if g.polled == nil || now.Sub(g.swept) > time.Minute {
			g.sweep(now)
		}
		g.polled[id] = now
	}
	g.mu.Unlock()
	if early {
		<-one.inside
		g.part(id, one)
		return nil, false
	}
	return func() { <-one.inside; g.part(id, one) }, true
}

func (g *gates) sweep(now time.Time) {
	kept := map[string]time.Time{}
	for id, at := range g.polled {
		if now.Sub(at) < minPoll {
			kept[id] = at
		}
	}
	g.polled, g.swept = kept, now
}

func (g *gates) join(id string, limit int) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.m == nil {
		g.m = map[string]*gate{}
	}
	one := g.m[id]
	if one == nil {
		one = &gate{inside: make(chan struct{}, 1)}
		g.m[id] = one
	}
	if one.waiting >= limit {
		return nil
	}
	one.waiting++
	return one
}

func (g *gates) part(id string, one *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one.waiting--; one.waiting == 0 {
		delete(g.m, id)
	}
}
