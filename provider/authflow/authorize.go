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
	// There is no session yet that a silent request could continue.
	if slices.Contains(req.Prompt, "none") {
		f.Report(r.Context(), "", nil)
		f.OAuth.Deny(w, r, req, "login_required", "")
		return
	}
	if len(f.methods(client, req)) == 0 {
		// The level cannot be met here: an error, never silently a lower one (threat T33).
		f.Report(r.Context(), codeLevel, nil)
		f.OAuth.Deny(w, r, req, "unmet_authentication_requirements", codeLevel)
		return
	}
	t := ticket{ID: newID(), Client: client.ID, Created: f.Now(), Expires: f.Now().Add(loginLife), Request: req}
	f.start(w, r, t)
}

// start gives the browser a new ticket and sends it to the first step.
func (f *Flow) start(w http.ResponseWriter, r *http.Request, t ticket) {
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
	http.Redirect(w, r, f.path(t.ID), http.StatusSeeOther)
}

// badRequest answers a request that oauth refuses: by a redirect only where the redirect address is proven.
func (f *Flow) badRequest(w http.ResponseWriter, r *http.Request, req *oauth.AuthorizeRequest, err error) {
	var e *oauth.Error
	if errors.As(err, &e) && !e.Page && req != nil {
		f.Report(r.Context(), codeBadClient, err)
		f.OAuth.Deny(w, r, req, e.Code, e.Description)
		return
	}
	if e == nil || e.Status >= http.StatusInternalServerError {
		f.fail(w, r, nil, err)
		return
	}
	f.fail(w, r, nil, &problem{code: codeBadClient, err: err})
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

// dispatch is the one function that decides what comes next.
func (f *Flow) dispatch(w http.ResponseWriter, r *http.Request, l *login) {
	err := f.settle(r.Context(), l)
	var next string
	if err == nil {
		next, err = f.next(l)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	noStore(w)
	if wantsJSON(r) {
		f.answer(w, r, http.StatusOK, answer{URL: next})
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
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

// next is the address of the step that l is at.
func (f *Flow) next(l *login) (string, error) {
	switch l.Phase {
	case sealed:
		return f.path(l.ID, first(l.methods, l.request)), nil
	case open:
		if slices.Contains(l.methods, l.Method) {
			return f.path(l.ID, l.Method), nil
		}
		return f.path(l.ID, first(l.methods, l.request)), nil
	case verified:
		// The audit has no record of the proof: the login fails (threat T89).
		return "", &problem{code: codeInternal, err: errors.New("login stayed at verified"), again: true}
	case confirmable:
		return f.path(l.ID, "confirm"), nil
	default:
		if l.Reason != "" {
			return "", &problem{code: l.Reason, err: errors.New("login was ended from elsewhere")}
		}
		return "", &problem{code: codeUnknown, err: errors.New("login is over")}
	}
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
	f.start(w, r, ticket{ID: newID(), Client: l.client.ID, Created: l.Created, Expires: l.Expires, Longer: l.Longer,
		Lang: l.Lang, Request: &req})
}

// Other is Restart by the form of S8.
func (f *Flow) Other(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	if err == nil {
		_, err = f.form(r, l, "confirm")
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.Restart(w, r, id)
}

// detached is the context of what must be finished though the browser has gone.
func detached(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
