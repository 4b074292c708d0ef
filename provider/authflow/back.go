package authflow

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"brama/connectors"
	"brama/provider/session"
	"brama/provider/web"
	"brama/storage"
)

// A spender is a connector whose journey is good for one return.
type spender interface {
	Spends(login connectors.Login, ev connectors.Event) bool
}

// returnURL is where the browser of l comes back to. A system to which a browser is sent knows one address for a method,
// letter for letter, and the parameter state names the login: it begins with the login's id and a full stop. Where only a
// telephone comes back, the address is of the one login.
func (f *Flow) returnURL(l *login) string {
	address := f.Issuer + "/return/" + l.Method
	if slices.Contains(linked, l.Method) {
		address += "/" + l.ID + "." + f.Sealer.StepMAC(l.ID, 0, backStep+l.Method)
	}
	return address
}

// Steps whose code does not depend on the revision of a login.
const (
	backStep  = "return/"
	notMeStep = "not-me/"
)

// Link takes a person who opened the return link of a request on a telephone. In the browser that began it leads to the
// login; anywhere else it says whose login this is (threat T6).
func (f *Flow) Link(w http.ResponseWriter, r *http.Request, method, handle string) {
	id, mac, _ := strings.Cut(handle, ".")
	if !isID(id) || !f.Sealer.CheckStepMAC(mac, id, 0, backStep+method) {
		f.fail(w, r, nil, &problem{code: codeUnknown, err: errors.New("return link is not ours")})
		return
	}
	l, err := f.load(r, id)
	switch {
	case l != nil && err == nil:
		f.dispatch(w, r, l)
	case l != nil:
		f.fail(w, r, l, err)
	default:
		f.elsewhere(w, r, id, method, nil)
	}
}

// Return takes a browser that comes back from another system.
func (f *Flow) Return(w http.ResponseWriter, r *http.Request, method string) {
	values := r.URL.Query()
	if handle := values.Get("handle"); handle != "" && len(values) == 1 {
		var ok bool
		if values, ok = f.posted.peek(handle, method, f.Now()); !ok {
			f.fail(w, r, nil, &problem{code: codeUnknown, err: errors.New("no such handle")})
			return
		}
	}
	id, ok := loginOf(values)
	if !ok {
		f.fail(w, r, nil, &problem{code: codeUnknown, err: errors.New("return names no login")})
		return
	}
	ev := connectors.Event{Via: connectors.ViaReturn, Header: r.Header.Clone(), Values: values}
	ev.Header.Del("Cookie")
	l, err := f.load(r, id)
	if l == nil {
		f.elsewhere(w, r, id, method, &ev)
		return
	}
	f.posted.drop(r.URL.Query().Get("handle"))
	if err == nil {
		err = f.cameBack(w, r, l, method, ev)
	}
	if err != nil {
		f.fail(w, r, l, err)
	}
}

// cameBack hands a return to the connector of the login that waits for it. An error is the answer; nil means that the
// answer is given.
func (f *Flow) cameBack(w http.ResponseWriter, r *http.Request, l *login, method string, ev connectors.Event) error {
	c := f.Connectors[method]
	// A code of one system never reaches the connector of another (threat T50).
	if l.Method != method || c == nil {
		return &problem{code: codeUnknown, err: errors.New("the login waits for another system")}
	}
	if l.Phase != open || len(l.Connector) == 0 {
		return errRevision
	}
	text, err := f.forConnector(l)
	if err != nil {
		return err
	}
	if s, ok := c.(spender); ok {
		if !s.Spends(text, ev) {
			return &problem{code: codeUnknown, err: errors.New("the return is of another journey")}
		}
		s := l.state
		s.Connector, s.Shown = nil, nil // it comes once, whatever it brings
		if err := f.save(r.Context(), l, s, nil); err != nil {
			return err
		}
	}
	step, err := f.work(r.Context(), f.slots[method], func(ctx context.Context) (connectors.Step, error) { return c.Advance(ctx, text, ev) })
	if err == nil {
		if done, ok := step.(connectors.Done); ok {
			if err = f.prove(r, l, &done.Identity); err == nil {
				f.dispatch(w, r, l)
				return nil
			}
		}
	}
	switch {
	case err == nil:
		f.take(w, r, l, c, step)
	case stale(err):
		return err
	case errors.Is(err, connectors.ErrRetry) && l.Phase == open && !asProblem(err).again:
		f.halt(w, r, l, method, asProblem(err), err)
	default:
		f.refuse(w, r, l, c, method, err)
	}
	return nil
}

// loginOf is the login that a return claims to be of. It proves nothing.
func loginOf(values url.Values) (string, bool) {
	state := values["state"]
	if len(state) != 1 || len(state[0]) > 512 {
		return "", false
	}
	id, rest, ok := strings.Cut(state[0], ".")
	return id, ok && rest != "" && isID(id)
}

// elsewhere answers a return in a browser that did not begin the login: nothing completes here. It says whose login it is,
// and lets the person end it. ev is nil for a link whose code was checked.
func (f *Flow) elsewhere(w http.ResponseWriter, r *http.Request, id, method string, ev *connectors.Event) {
	l, err := f.stored(r.Context(), id)
	if err == nil && (l.Method != method || l.Phase == ended || l.Browser == "") {
		err = errNotWaiting
	}
	if err == nil && ev != nil {
		// Whoever only knows an id is told nothing: the return must be the one that the login waits for.
		err = f.expected(l, method, *ev)
	}
	if err != nil {
		f.fail(w, r, nil, &problem{code: codeUnknown, err: err})
		return
	}
	page := web.Page{Lang: f.lang(r, nil), Event: f.Event(r.Context()), Template: "elsewhere", Title: "elsewhere.heading"}
	page.Portal = f.shown(l, page.Lang)
	message := f.Site.Message(page.Lang, codeElsewhere, map[string]string{"portal": page.Portal.Name,
		"time": web.FormatTime(l.Created), "browser": l.Browser})
	page.Data = web.Elsewhere{Text: message.Text, Next: message.Next, Code: message.Code, Action: f.Site.Base() + "/return/" + method + "/not-me",
		Login: id, MAC: f.Sealer.StepMAC(id, 0, notMeStep+method)}
	f.Report(r.Context(), codeElsewhere, nil)
	f.render(w, r, page)
}

func (f *Flow) expected(l *login, method string, ev connectors.Event) error {
	s, ok := f.Connectors[method].(spender)
	if !ok {
		return nil
	}
	text, err := f.forConnector(l)
	if err == nil && !s.Spends(text, ev) {
		err = errNotWaiting
	}
	return err
}

// NotMe is «Це не я»: it ends the login, and everything that the portal got by it. Who may press it has the return link of
// the request, or came back from the system that the login went to.
func (f *Flow) NotMe(w http.ResponseWriter, r *http.Request, method string) {
	in, err := readInput(r, false)
	switch {
	case err != nil:
	case session.OriginOf(r, f.Issuer) == session.OriginForeign:
		err = &problem{code: codeUnknown, err: errors.New("posted from another origin")}
	case !isID(in.values.Get("login")) || !f.Sealer.CheckStepMAC(in.values.Get("mac"), in.values.Get("login"), 0, notMeStep+method):
		err = &problem{code: codeUnknown, err: errors.New("step MAC does not fit")}
	default:
		err = f.disown(r, in.values.Get("login"))
	}
	if err == nil {
		err = &problem{code: codeNotMe}
	}
	f.fail(w, r, nil, err)
}

// disown ends a login whatever it has come to.
func (f *Flow) disown(r *http.Request, id string) error {
	const tries, pause = 5, 100 * time.Millisecond
	for range tries {
		l, err := f.stored(detached(r.Context()), id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && l.Reason == codeNotMe {
			return nil
		}
		if err != nil {
			return err
		}
		person, sid := l.Person, l.SID
		err = f.endWith(r, l, "login.disowned", &problem{code: codeNotMe})
		if errors.Is(err, storage.ErrConflict) {
			time.Sleep(pause)
			continue
		}
		if err == nil && person != "" {
			// Whatever was stored before the login ended is there now, and nothing more can come: a code is stored only while
			// its login stands.
			err = f.withdraw(r, person, id, sid)
		}
		return err
	}
	return storage.ErrConflict
}

// withdraw takes back what a login of a person gave: its code and the tokens made from it, and the session of the browser that
// it signed in, with everything that was granted there.
func (f *Flow) withdraw(r *http.Request, person, id, sid string) error {
	told := false
	err := f.Store.Update(detached(r.Context()), func(tx storage.Tx) error {
		told = false
		var grants []string
		for record, err := range tx.Scan(storage.KindGrant, person) {
			if err != nil {
				return err
			}
			grants = append(grants, record.ID)
		}
		for _, grant := range grants {
			g, err := storage.GetGrant(tx, grant)
			if errors.Is(err, storage.ErrNotFound) || err == nil && g.Login != id {
				continue
			}
			if err == nil {
				err = storage.RevokeGrant(tx, grant, f.Now())
			}
			if err != nil {
				return err
			}
		}
		if sid == "" {
			return nil
		}
		sessions, err := storage.SessionsOf(tx, person)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			if !slices.Contains(s.SIDs(), sid) {
				continue
			}
			told = true
			if _, err := storage.EndSession(tx, s.ID); err != nil {
				return err
			}
			if err := errors.Join(f.farewell(tx, person, s.Logins), f.endGrants(tx, &s)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("taking back what a login gave: %w", err)
	}
	if told && f.Farewell != nil {
		f.Farewell()
	}
	return nil
}

// ReturnPost takes a system that brings the browser back by a POST, which arrives without cookies: what it brings is kept
// under a handle that is good once and for a minute, and the browser comes again with its cookies. Nothing completes here
// (threat T51).
func (f *Flow) ReturnPost(w http.ResponseWriter, r *http.Request, method string) {
	in, err := readInput(r, false)
	var handle string
	if err == nil {
		err = &problem{code: codeUnknown, err: errors.New("return names no login")}
		if id, ok := loginOf(in.values); ok {
			// A stranger's bytes are not kept: the login must be there, and wait for this method.
			if l, known := f.stored(r.Context(), id); known == nil && l.Phase == open && l.Method == method && len(l.Connector) > 0 {
				handle, err = f.posted.keep(in.values, method, f.Now())
			}
		}
	}
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	noStore(w)
	http.Redirect(w, r, f.Site.Base()+"/return/"+method+"?handle="+handle, http.StatusSeeOther)
}

// posted keeps what came by POST until the browser comes again.
type posted struct {
	mu sync.Mutex
	m  map[string]postedReturn
}

type postedReturn struct {
	values  url.Values
	method  string
	expires time.Time
}

const (
	postedLife = time.Minute
	maxPosted  = 200
)

func (p *posted) keep(values url.Values, method string, now time.Time) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[string]postedReturn{}
	}
	for handle, one := range p.m {
		if !now.Before(one.expires) {
			delete(p.m, handle)
		}
	}
	if len(p.m) >= maxPosted {
		return "", &problem{code: codeLimited, values: map[string]string{"n": "1"}}
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	handle := base64.RawURLEncoding.EncodeToString(b[:])
	p.m[handle] = postedReturn{values: values, method: method, expires: now.Add(postedLife)}
	return handle, nil
}

// peek returns what a handle stands for; whoever has it drops it.
func (p *posted) peek(handle, method string, now time.Time) (url.Values, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.m[handle]
	return one.values, ok && one.method == method && now.Before(one.expires)
}

func (p *posted) drop(handle string) { p.mu.Lock(); delete(p.m, handle); p.mu.Unlock() }
