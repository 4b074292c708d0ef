package authflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"brama/connectors"
	"brama/provider/web"
	"brama/storage"
)

// Limits of the methods whose proof is made elsewhere.
const (
	// maxPresses bounds the requests and departures of one login: none is sent without a press (threat T52).
	maxPresses = 12
	// grace is how much longer than its request a result is taken; the page asks so long (ux.md 3).
	grace = 30 * time.Second
)

// shown is the page of a connector's last step. Its data are kept in JSON: the page must look the same after a reload, at
// another server and after a restart.
type shown struct {
	Name  string
	Data  json.RawMessage
	Every time.Duration `json:",omitempty"` // of a wait; 0 for a page
	Told  string        `json:",omitempty"` // code of what it tells, as the audit has it
}

// A failure ended a wait; the tab says why until the next press.
type failure struct {
	Code   string
	Values map[string]string `json:",omitempty"`
}

// isRemote reports whether the proof of c is made elsewhere: at another system, or on a telephone.
func isRemote(c connectors.Connector) bool {
	i, ok := c.(idler)
	return ok && web.IsRemote(i.Idle().Name)
}

// isImmediate reports whether a form of c is the press that makes a challenge.
func isImmediate(c connectors.Connector) bool {
	i, ok := c.(immediate)
	return ok && i.Immediate() || isRemote(c)
}

// A downer knows that its provider failed again and again and is left alone for a while.
type downer interface{ Down() bool }

func isDown(c connectors.Connector) bool {
	d, ok := c.(downer)
	return ok && d.Down()
}

// count counts a press of a method whose proof is made elsewhere. A person who lets a code expire, or takes it back, has
// done nothing wrong: the limit is only for what is sent, and it keeps the login.
func (f *Flow) count(r *http.Request, s *state, values url.Values) error {
	s.Failed, s.Browser = nil, browserName(r.UserAgent())
	if values.Has("cancel") || values.Get("action") == "cancel" || values.Get("action") == "check" {
		return nil
	}
	limited := &connectors.Refusal{Code: codeLimited, Values: map[string]string{"n": "10"}, Err: connectors.ErrRetry}
	if s.Presses++; s.Presses > maxPresses {
		return limited
	}
	for _, field := range []string{"identifier", "number"} { // by which a provider finds the telephone
		if id := values.Get(field); id != "" && !f.prompts.allow(f.Now(), id, remoteAddress(r)) {
			return limited
		}
	}
	return nil
}

// take answers with what a connector's step asks for.
func (f *Flow) take(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, step connectors.Step) {
	var to string
	var err error
	if done, ok := step.(connectors.Done); ok {
		err = f.prove(r, l, &done.Identity)
	} else {
		if to, err = f.keep(r.Context(), l, c, step); err == nil && to == "" {
			err = f.tell(r, l, l.Method)
		}
	}
	switch {
	case err != nil:
		f.refuse(w, r, l, c, l.Method, err)
	case to != "":
		f.depart(w, r, l, c, to)
	default:
		f.dispatch(w, r, l)
	}
}

// keep stores what a step leaves behind: the connector's state, and the page to show. It returns where the browser is to be
// sent, "" if it stays. A step that changes nothing is not written.
func (f *Flow) keep(ctx context.Context, l *login, c connectors.Connector, step connectors.Step) (to string, err error) {
	s := l.state
	var page connectors.Page
	var every time.Duration
	switch step := step.(type) {
	case connectors.Redirect:
		s.Connector, s.Shown = step.State, nil
		return step.URL, f.save(ctx, l, s, nil)
	case connectors.Wait:
		page, every = step.Page, step.Every
	case connectors.Page:
		page = step
		if !isRemote(c) { // its page is the one that the tab shows anyway
			if len(page.State) == 0 {
				return "", nil
			}
			s.Connector = page.State
			return "", f.save(ctx, l, s, nil)
		}
	default:
		return "", fmt.Errorf("method %s answers with %T", l.Method, step)
	}
	data, err := json.Marshal(page.Data)
	if err != nil {
		return "", fmt.Errorf("keeping a page of method %s: %w", l.Method, err)
	}
	if s.Shown != nil && s.Shown.Name == page.Name && s.Shown.Every == every && bytes.Equal(s.Shown.Data, data) && bytes.Equal(s.Connector, page.State) {
		return "", nil
	}
	told := ""
	if s.Shown != nil && every > 0 && s.Shown.Every > 0 { // the same wait, a little later
		told = s.Shown.Told
	}
	s.Connector, s.Shown, s.Failed = page.State, &shown{Name: page.Name, Data: data, Every: every, Told: told}, nil
	return "", f.save(ctx, l, s, nil)
}

// depart sends the browser to another system. The answer of a form may be redirected only to addresses that the page with
// the form named; to any other one the browser goes by a page of ours.
func (f *Flow) depart(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, to string) {
	f.Report(r.Context(), "", nil)
	if wantsJSON(r) {
		f.answer(w, r, http.StatusOK, answer{URL: to})
		return
	}
	noStore(w)
	if i, ok := c.(idler); ok {
		idle := i.Idle()
		if panel, err := web.ReadPanel(idle.Name, idle.Data, f.Now()); err == nil {
			if p, ok := panel.(*web.Remote); ok && p.Origin != "" && strings.HasPrefix(to, p.Origin+"/") {
				http.Redirect(w, r, to, http.StatusSeeOther)
				return
			}
		}
	}
	page := f.page(r, l)
	page.Template, page.Title = "leaving", "leaving.heading"
	page.Data = web.Leaving{URL: to}
	f.render(w, r, page)
}

// remotePage adds what a page of a method needs whose proof is made elsewhere. tell is false when the page has a problem
// of its own to tell.
func (f *Flow) remotePage(page *web.Page, data *web.Method, l *login, method string, p, resting *web.Remote, tell bool) {
	page.FormOrigin = resting.Origin
	p.Down = p.Down || isDown(f.Connectors[method])
	if len(p.Providers) > 0 { // what is down is known now, not when the page was kept
		p.Providers = resting.Providers
	}
	if len(p.Operators) > 0 {
		p.Operators = resting.Operators
	}
	waits := l.Phase == open && l.Method == method && l.Shown != nil && l.Shown.Every > 0
	if waits {
		data.Poll, data.PollMAC = f.path(l.ID, method, pollStep), f.Sealer.StepMAC(l.ID, l.revision, pollStep+"/"+method)
		data.Every, data.PollSeconds = int(l.Shown.Every/time.Millisecond), int(p.Expires.Add(grace).Sub(f.Now())/time.Second)
	}
	var code string
	var values map[string]string
	switch {
	case !tell:
	case l.Phase == open && l.Method == method && l.Failed != nil:
		code, values = l.Failed.Code, l.Failed.Values
	default:
		code = p.Message
	}
	if code != "" {
		message := f.Site.Message(page.Lang, code, values)
		page.Problem, data.Failed = &message, message.Code
	}
}

// stop ends a wait: the request counts no more, and the tab says why.
func (f *Flow) stop(ctx context.Context, l *login, p *problem) error {
	s := l.state
	s.Connector, s.Shown, s.Failed = nil, nil, &failure{Code: p.code, Values: p.values}
	return f.save(ctx, l, s, nil)
}

// stored reads a login of which the caller has the id and no ticket: a notification, or a return in another browser. What
// it returns is no right to take a step.
func (f *Flow) stored(ctx context.Context, id string) (*login, error) {
	l := &login{ticket: ticket{ID: id}}
	var stored storage.Login
	err := f.Store.View(ctx, func(tx storage.Tx) (err error) {
		stored, err = storage.GetLogin(tx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a login: %w", err)
	}
	if err := f.unseal(l, stored); err != nil {
		return nil, err
	}
	l.ticket.Client, l.ticket.Created = l.request.ClientID, stored.Expires.Add(-recordLife)
	l.ticket.Expires = l.Until
	if l.client, err = f.OAuth.Client(ctx, l.request.ClientID); err != nil {
		return nil, fmt.Errorf("client of a login: %w", err)
	}
	return l, nil
}

var errNotWaiting = errors.New("the login does not wait for this")
