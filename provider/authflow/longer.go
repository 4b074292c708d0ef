package authflow

import (
	"errors"
	"net/http"
	"time"
)

// longerStep names the form that asks for more time. It is the same on every page of a login, whatever its revision: asking
// twice does no harm, and there is a limit.
const longerStep = "longer"

// Longer gives a login ten more minutes, ten times at most (ux.md 3; WCAG 2.2.1). The end of a login stands in its ticket
// alone: nothing is stored, so that no form of an open page becomes one of an earlier step.
func (f *Flow) Longer(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.load(r, id)
	if err == nil {
		_, err = f.formAt(r, l, longerStep, 0)
	}
	if err == nil && (l.Phase == confirmed || l.Phase == ended) {
		err = &problem{code: codeUnknown, err: errors.New("login is over")}
	}
	if err == nil && l.Longer >= maxLonger {
		err = &problem{code: codeLimited, err: errors.New("asked for more time too often")}
	}
	if err == nil {
		l.ticket.Expires = l.ticket.Expires.Add(longerLife)
		l.ticket.Longer++
	}
	if err == nil {
		err = f.setTicket(w, l.ticket)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if wantsJSON(r) {
		f.answer(w, r, http.StatusOK, answer{Seconds: f.seconds(l)})
		return
	}
	f.dispatch(w, r, l)
}

// seconds is how long the login still lives.
func (f *Flow) seconds(l *login) int { return int(l.Expires.Sub(f.Now()) / time.Second) }
