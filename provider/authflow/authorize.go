package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"brama/provider/oauth"
)

// Authorize takes the portal's request and sends the browser to the first step. Nothing is stored (threat T93).
func (f *Flow) Authorize(w http.ResponseWriter, r *http.Request) {
	req, err := f.OAuth.ReadAuthorize(r)
	if err != nil {
		f.badRequest(w, r, req, err)
		return
	}
	client, err := f.OAuth.Client(r.Context(), req.ClientID)
	if err != nil {
		f.fail(w, r, nil, &problem{code: codeBadClient, err: err})
		return
	}
	t := ticket{ID: newID(), Client: client.ID, Created: f.Now(), Expires: f.Now().Add(loginLife), Request: req}
	l := &login{ticket: t, client: client, request: req, methods: f.methods(client, req)}
	f.dispatch(w, r, l)
}

// start gives the browser a new ticket and sends it to a step.
func (f *Flow) start(w http.ResponseWriter, r *http.Request, t ticket, to string) {
	f.dropTickets(w, r)
	if err := f.setTicket(w, t); err != nil {
		if errors.Is(err, errTicketTooLong) {
			f.Report(r.Context(), codeBadClient, err)
			f.OAuth.Deny(w, r, t.Request, "invalid_request", codeBadClient)
			return
		}
		f.fail(w, r, nil, err)
		return
	}
	noStore(w)
	seeOther(w, to)
}

// seeOther sends the browser to a step of ours. http.Redirect would take the path apart and write a page that no browser shows.
func seeOther(w http.ResponseWriter, path string) {
	w.Header()["Location"] = []string{path}
	w.WriteHeader(http.StatusSeeOther)
}

// fresh reports whether this request began the login, so that the browser has no ticket of it yet.
func (l *login) fresh(r *http.Request, f *Flow) bool {
	_, err := f.Cookies.Get(r, cookieName(l.ID))
	return err != nil
}

// badRequest answers a request that oauth refuses: by a redirect only where the redirect address is proven.
func (f *Flow) badRequest(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizeRequest, err error) {
	var e *oauth.Error
	if errors.As(err, &e) && !e.Page && req != nil {
		f.Report(r.Context(), reason(e), err)
		f.OAuth.Deny(w, r, req, e.Code, reason(e))
		return
	}
	if e == nil || e.Status >= http.StatusInternalServerError {
		f.fail(w, r, nil, err)
		return
	}
	f.fail(w, r, nil, &problem{code: reason(e), err: err})
}

// reason is the message code that a refused request takes back to the portal in error_description. What was wrong
// with it stands in the log: texts of a library may quote what came from outside, and they go through a browser.
func reason(e *oauth.Error) string {
	switch {
	case e.Code == "unmet_authentication_requirements":
		return codeLevel
	case e.Status >= http.StatusInternalServerError:
		return codeInternal
	case e.Status == http.StatusTooManyRequests:
		return codeLimited
	}
	return codeBadClient
}

// Resume sends the browser to the step that its login is at.
func (f *Flow) Resume(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.dispatch(w, r, l)
}

// A decision is what comes next. One of its fields is set, or to with begin.
type decision struct {
	to     string         // the address of a step
	answer *oauth.Subject // the portal is told of the person, who is shown nothing
	deny   string         // the portal gets this error
	code   string         // with deny: what the log and the portal's error_description say
	begin  bool           // the browser gets a ticket to go there with
}

// dispatch is the one function that decides what comes next.
func (f *Flow) dispatch(w http.ResponseWriter, r *http.Request, l *login) {
	err := f.settle(r.Context(), l)
	var next decision
	if err == nil {
		next, err = f.next(r, l)
	}
	if err == nil && next.deny != "" && l.stored() {
		err = f.end(r, l, "login.refused", next.code)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	noStore(w)
	if l.Phase == confirmable {
		f.remember(w, l.Method)
	}
	switch {
	case next.begin:
		f.start(w, r, l.ticket, next.to)
	case next.deny != "":
		f.Report(r.Context(), next.code, nil)
		f.Cookies.Clear(w, cookieName(l.ID))
		f.OAuth.Deny(w, r, l.request, next.deny, next.code)
	case next.answer != nil:
		f.grant(w, r, l, *next.answer)
	case wantsJSON(r):
		f.answer(w, r, http.StatusOK, answer{URL: next.to})
	default:
		seeOther(w, next.to)
	}
}

// settle gives another request of the same login, whose proof is being recorded now, a moment to be done with it: a second
// press must not be told that the login has failed.
func (f *Flow) settle(ctx context.Context, l *login) error {
	const wait, tries = 100 * time.Millisecond, 15
	for range tries {
		if l.Phase != verified {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a login: %w", ctx.Err())
		case <-time.After(wait):
		}
		if err := f.read(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// next decides: by what the portal asks, what the browser's session holds, and where the login is.
func (f *Flow) next(r *http.Request, l *login) (decision, error) {
	if l.Phase == sealed || l.Phase == open {
		if len(l.methods) == 0 {
			// The level cannot be met here: an error, never silently a lower one (threat T33).
			return decision{deny: "unmet_authentication_requirements", code: codeLevel}, nil
		}
	}
	switch l.Phase {
	case sealed:
		return f.beginning(r, l)
	case open:
		if slices.Contains(l.methods, l.Method) {
			return decision{to: f.path(l.ID, l.Method)}, nil
		}
		return decision{to: f.path(l.ID, first(l.methods, l.request, f.last(r, l)))}, nil
	case verified:
		// The audit has no record of the proof: the login fails (threat T89).
		return decision{}, &problem{code: codeInternal, err: errors.New("login stayed at verified"), again: true}
	case confirmable:
		if l.request.HintSubject != "" {
			if sub, err := f.OAuth.SubjectOf(l.client, l.Person); err != nil || sub != l.request.HintSubject {
				return decision{deny: "login_required", code: codeOther}, err
			}
		}
		return decision{to: f.path(l.ID, stepConfirm)}, nil
	default:
		if l.Reason != "" {
			return decision{}, &problem{code: l.Reason, err: errors.New("login was ended from elsewhere")}
		}
		return decision{}, &problem{code: codeUnknown, err: errors.New("login is over")}
	}
}

// beginning decides about a login in which nothing was pressed yet.
func (f *Flow) beginning(r *http.Request, l *login) (decision, error) {
	if slices.Contains(l.request.Prompt, "none") {
		subject, code, err := f.silent(r, l)
		return decision{answer: subject, deny: code}, err
	}
	fresh := l.fresh(r, f)
	if fresh && r.Method != http.MethodGet {
		// A form that another site posts comes without our cookies: only the browser's next request shows its session.
		return decision{to: f.path(l.ID), begin: true}, nil
	}
	if !l.Other {
		have, _, err := f.suits(r, l)
		if err != nil {
			return decision{}, err
		}
		if have != nil {
			return decision{to: f.path(l.ID, stepContinue), begin: fresh}, nil
		}
	}
	return decision{to: f.path(l.ID, first(l.methods, l.request, f.last(r, l))), begin: fresh}, nil
}

// Leave takes the person back to the portal without sign-in.
func (f *Flow) Leave(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if l.Phase == confirmed || l.Phase == ended {
		f.fail(w, r, l, &problem{code: codeUnknown, err: errors.New("login is over")})
		return
	}
	req := *l.request
	if l.stored() {
		if err := f.end(r, l, "login.left", ""); err != nil {
			f.fail(w, r, l, err)
			return
		}
	}
	f.Cookies.Clear(w, cookieName(l.ID))
	f.Report(r.Context(), "", nil)
	noStore(w)
	f.OAuth.Deny(w, r, &req, "access_denied", "")
}

// Restart begins anew with the same request, as another login (threat T68), within the time of the first. It serves S8
// ("choose another signature") and a login that failed by a fault of ours.
func (f *Flow) Restart(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if l.Phase != verified && l.Phase != confirmable {
		f.dispatch(w, r, l)
		return
	}
	req := *l.request
	if err := f.end(r, l, "login.abandoned", ""); err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.Cookies.Clear(w, cookieName(l.ID))
	id = newID()
	f.start(w, r, ticket{ID: id, Client: l.client.ID, Created: l.Created, Expires: l.Expires, Longer: l.Longer,
		Lang: l.Lang, Other: true, Request: &req}, f.path(id))
}

// Other is the other signature of S8, which is Restart, and the other person of S9.
func (f *Flow) Other(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	step := stepConfirm
	if err == nil && l.Phase == sealed {
		step = stepContinue
	}
	if err == nil {
		_, err = f.form(r, l, step)
	}
	if err == nil && step == stepContinue {
		l.ticket.Other = true
		err = f.setTicket(w, l.ticket)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if step == stepContinue {
		f.dispatch(w, r, l)
		return
	}
	f.Restart(w, r, id)
}

// detached is the context of what must be finished though the browser has gone.
func detached(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
