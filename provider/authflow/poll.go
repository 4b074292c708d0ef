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

const (
	// minPoll is the shortest time between two questions to a provider for one login.
	minPoll = time.Second
	// maxFailing is how long a wait goes on while the provider cannot be asked.
	maxFailing = 20 * time.Second
)

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
	f.gates.answered(l.ID)
	_, err = f.keep(r.Context(), l, c, step)
	if err == nil {
		err = f.tell(r, l, method)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.waiting(w, r, l, method)
}

// tell records, once, what a page of a method tells the person that is no refusal by a connector: the request ran out, or
// was taken back.
func (f *Flow) tell(r *http.Request, l *login, method string) error {
	if l.Shown == nil {
		return nil
	}
	panel, err := web.ReadPanel(l.Shown.Name, l.Shown.Data, f.Now())
	p, ok := panel.(*web.Remote)
	if err != nil || !ok || p.Message == l.Shown.Told {
		return err
	}
	if p.Message != "" {
		if err := f.audit(r, l, audit.Event{Action: "login.refused", Outcome: outcome(p.Message), Code: p.Message, Connector: method}); err != nil {
			return err
		}
	}
	s, once := l.state, *l.Shown
	once.Told = p.Message
	s.Shown = &once
	return f.step(r.Context(), l, s, nil)
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

// pollFailed sorts the errors of a poll: a provider that does not answer now may answer the next one, for a while; any other
// refusal, and one that says that the request is over, ends the wait, and the tab says why.
func (f *Flow) pollFailed(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, method string, err error) {
	p := asProblem(err)
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	retry := errors.Is(err, connectors.ErrRetry) || interrupted
	switch {
	case retry && !errors.Is(err, connectors.ErrOver) && (p.code == codeDown || p.code == codeInternal || interrupted) && !f.gates.failing(l.ID, f.Now()):
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
	if l.Shown == nil || l.Shown.Told != p.code {
		if line := f.audit(r, l, audit.Event{Action: "login.refused", Outcome: outcome(p.code), Code: p.code, Connector: method}); line != nil {
			f.fail(w, r, l, errors.Join(err, line))
			return
		}
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
	polled map[string]polled
	swept  time.Time
}

type polled struct {
	at     time.Time
	failed time.Time // since when no poll has brought an answer; zero if the last one did
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
	early := known && now.Sub(last.at) < minPoll && !now.Before(last.at)
	if !early {
		if g.polled == nil || now.Sub(g.swept) > time.Minute {
			g.sweep(now)
		}
		last.at = now
		g.polled[id] = last
	}
	g.mu.Unlock()
	if early {
		<-one.inside
		g.part(id, one)
		return nil, false
	}
	return func() { <-one.inside; g.part(id, one) }, true
}

// sweep forgets logins that are not polled any more.
func (g *gates) sweep(now time.Time) {
	kept := map[string]polled{}
	for id, p := range g.polled {
		if now.Sub(p.at) < maxFailing {
			kept[id] = p
		}
	}
	g.polled, g.swept = kept, now
}

// answered says that a poll of a login brought an answer.
func (g *gates) answered(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p, ok := g.polled[id]; ok {
		p.failed = time.Time{}
		g.polled[id] = p
	}
}

// failing says that a poll of a login brought none, and reports whether that has gone on for too long.
func (g *gates) failing(id string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.polled[id]
	if p.failed.IsZero() {
		p.failed = now
		g.polled[id] = p
	}
	return now.Sub(p.failed) >= maxFailing
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
