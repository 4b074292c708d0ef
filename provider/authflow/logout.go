package authflow

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"brama/internal/audit"
	"brama/provider/oauth"
	"brama/provider/web"
	"brama/storage"
)

// Limits of a request to sign out.
const (
	logoutPurpose  = "logout"
	logoutTime     = 10 * time.Minute // for the person to answer
	maxLogoutState = 2 << 10
	maxLogoutForm  = 32 << 10 // an ID token and a few addresses
	stepLogout     = "logout"
	signOutFailed  = "signout.failed.heading"
)

// A logout is a portal's request to sign out, read and checked. While the person answers it travels sealed through the page.
type logout struct {
	Client   string   `json:",omitempty"`
	Subject  string   `json:",omitempty"` // of the hint
	SID      string   `json:",omitempty"` // of the hint
	Hint     bool     `json:",omitempty"` // the portal proved that it knows a session
	Redirect string   `json:",omitempty"` // registered by Client
	State    string   `json:",omitempty"`
	Locales  []string `json:",omitempty"`
	Done     bool     `json:",omitempty"` // what the portal asked for is done; the rest is the person's choice
}

// Logout is the end_session_endpoint (OpenID Connect RP-Initiated Logout 1.0), by GET and POST. The session that the hint
// names ends at once; any other request, and there may be nobody behind it but a picture on a foreign page, is asked about
// (threat T79).
func (f *Flow) Logout(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	if sealed := r.URL.Query().Get("request"); r.Method == http.MethodGet && sealed != "" {
		var req logout
		if err := f.Sealer.Open(logoutPurpose, sealed, &req); err != nil {
			f.fail(w, r, nil, &problem{code: codeUnknown, err: err, title: signOutFailed})
			return
		}
		f.signOut(w, r, req)
		return
	}
	form, err := logoutForm(r)
	var req logout
	if err == nil {
		req, err = f.readLogout(r.Context(), form)
	}
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	if r.Method == http.MethodPost {
		// A portal's form arrives without our cookie, which is SameSite=Lax: the browser comes again by itself, and the
		// address holds no ID token.
		sealed, err := f.sealLogout(req)
		if err != nil {
			f.fail(w, r, nil, err)
			return
		}
		f.Report(r.Context(), "", nil)
		http.Redirect(w, r, f.Site.Base()+oauth.PathLogout+"?request="+sealed, http.StatusSeeOther)
		return
	}
	f.signOut(w, r, req)
}

func (f *Flow) sealLogout(req logout) (string, error) {
	return f.Sealer.Seal(logoutPurpose, req, f.Now().Add(logoutTime))
}

// logoutForm reads the parameters, each of which stands once.
func logoutForm(r *http.Request) (url.Values, error) {
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost {
		if raw != "" {
			return nil, badLogout("parameters in both address and body")
		}
		if kind := r.Header.Get("Content-Type"); !isForm(kind) {
			return nil, badLogout("content type is not taken here")
		}
		b, err := readLimited(r.Body, maxLogoutForm)
		if err != nil {
			return nil, err
		}
		raw = string(b)
	}
	form, err := url.ParseQuery(raw)
	if err != nil {
		return nil, badLogout("parameters do not parse")
	}
	for _, v := range form {
		if len(v) != 1 {
			return nil, badLogout("a parameter stands twice")
		}
	}
	return form, nil
}

func badLogout(why string) error {
	return &problem{code: codeBadClient, err: errors.New(why), title: signOutFailed}
}

// isForm reports whether kind is the content type of a plain form.
func isForm(kind string) bool {
	t, _, err := mime.ParseMediaType(kind)
	return err == nil && t == "application/x-www-form-urlencoded"
}

// readLogout checks a request. Every fault is a page: until the address is proven nobody is sent anywhere.
func (f *Flow) readLogout(ctx context.Context, form url.Values) (logout, error) {
	req := logout{Client: form.Get("client_id"), State: form.Get("state"), Redirect: form.Get("post_logout_redirect_uri")}
	if locales := form.Get("ui_locales"); len(locales) <= 512 {
		req.Locales = strings.Fields(locales)
	}
	if token := form.Get("id_token_hint"); token != "" {
		hint, err := f.OAuth.ReadHint(token, req.Client)
		if err != nil {
			return logout{}, &problem{code: codeBadClient, err: err, title: signOutFailed}
		}
		if req.Client == "" && len(hint.Audience) == 1 {
			req.Client = hint.Audience[0]
		}
		req.Hint, req.Subject, req.SID = true, hint.Subject, hint.SID
	}
	if len(req.State) > maxLogoutState {
		return logout{}, badLogout("state is too long")
	}
	if req.Client == "" {
		// Nobody to go back to: the spoken wish is heard, the address is not looked at.
		req.Redirect, req.State = "", ""
		return req, nil
	}
	client, err := f.OAuth.Client(ctx, req.Client)
	if errors.Is(err, oauth.ErrUnknownClient) {
		return logout{}, badLogout("client is not registered")
	}
	if err != nil {
		return logout{}, err
	}
	// Byte by byte, as with redirect_uri.
	if req.Redirect != "" && !slices.Contains(client.PostLogoutRedirectURIs, req.Redirect) {
		return logout{}, badLogout("post_logout_redirect_uri is not registered")
	}
	return req, nil
}

// signOut does what a request asks for, or asks the person.
func (f *Flow) signOut(w http.ResponseWriter, r *http.Request, req logout) {
	s, err := f.browserSession(r)
	switch {
	case err != nil:
		f.fail(w, r, nil, err)
		return
	case s == nil || len(s.Logins) == 0:
		f.Cookies.Clear(w, sessionCookie)
		f.signedOut(w, r, req, nil)
		return
	}
	named, err := f.named(r.Context(), s, req)
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	if named == "" {
		f.askLogout(w, r, s, req)
		return
	}
	left, ended, err := f.endSession(r, s, named)
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	if left != nil {
		req.Done = true
		f.askLogout(w, r, left, req)
		return
	}
	f.Cookies.Clear(w, sessionCookie)
	f.signedOut(w, r, req, ended)
}

// named returns the realm of the login of s that the hint of a request names, "" if it names none: a hint of another browser,
// of another person, or none at all.
func (f *Flow) named(ctx context.Context, s *storage.Session, req logout) (string, error) {
	if !req.Hint || req.Client == "" {
		return "", nil
	}
	client, err := f.OAuth.Client(ctx, req.Client)
	if err != nil {
		return "", err
	}
	sub, err := f.OAuth.SubjectOf(client, s.Person)
	if err != nil || sub != req.Subject {
		return "", err
	}
	for _, l := range s.Logins {
		if c := l.Client(req.Client); c != nil && (req.SID == "" || req.SID == c.SID || slices.Contains(l.Retired, req.SID)) {
			return l.Realm, nil
		}
	}
	return "", nil
}

// endSession ends one login of a session, or all with realm "", and returns what is left: nil if nothing is. The portals'
// messages and the end of what they were granted are in the same transaction, and of several who end it one writes them.
func (f *Flow) endSession(r *http.Request, s *storage.Session, realm string) (left *storage.Session, ended []storage.SessionLogin, err error) {
	ctx, cancel := context.WithTimeout(detached(r.Context()), 10*time.Second)
	defer cancel()
	err = f.Audit.Record(ctx, audit.Event{Action: "session.ended", Outcome: audit.Passed, Person: s.Person, Address: remoteAddress(r),
		Detail: map[string]string{"event": f.Event(r.Context())}})
	if err != nil {
		return nil, nil, fmt.Errorf("recording session.ended: %w", err)
	}
	err = f.Store.Update(ctx, func(tx storage.Tx) error {
		left, ended = nil, nil
		now, err := storage.EndSession(tx, s.ID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil // somebody was faster
		}
		if err != nil {
			return err
		}
		rest := now
		rest.Logins = nil
		for _, l := range now.Logins {
			if realm != "" && l.Realm != realm {
				rest.Logins = append(rest.Logins, l)
				continue
			}
			ended = append(ended, l)
		}
		if len(rest.Logins) != 0 {
			if err := storage.InsertSession(tx, rest); err != nil {
				return err
			}
			left = &rest
		}
		if err := f.endGrants(tx, &storage.Session{Logins: ended}); err != nil {
			return err
		}
		return f.farewell(tx, now.Person, ended)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ending a session: %w", err)
	}
	if f.Farewell != nil && len(ended) > 0 {
		f.Farewell()
	}
	return left, ended, nil
}

// askLogout shows S13: the portals that are open in this browser, "end all" and "stay".
func (f *Flow) askLogout(w http.ResponseWriter, r *http.Request, s *storage.Session, req logout) {
	sealed, err := f.sealLogout(req)
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	page := f.logoutPage(r, req)
	data := web.SignOut{Action: f.Site.Base() + oauth.PathLogout + "/confirm", MAC: f.Sealer.StepMAC(s.ID, 0, stepLogout), Request: sealed, Done: req.Done}
	for _, l := range s.Logins {
		for _, c := range l.Clients {
			if client, err := f.OAuth.Client(r.Context(), c.ID); err == nil {
				data.Portals = append(data.Portals, portal(&login{client: client}, page.Lang).Name)
			}
		}
	}
	page.Template, page.Title, page.Data = "signout", "signout.heading", data
	if req.Done {
		page.Title = "signout.more.heading"
	}
	page.RedirectURI = req.Redirect
	f.Report(r.Context(), "", nil)
	f.render(w, r, page)
}

// ConfirmLogout is the answer to S13.
func (f *Flow) ConfirmLogout(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	s, err := f.browserSession(r)
	var in *input
	switch {
	case err != nil:
	case s == nil: // it ended meanwhile: nothing is left to protect
		in, err = readInput(r, false)
	default:
		in, err = f.formAt(r, &login{ticket: ticket{ID: s.ID}}, stepLogout, 0)
	}
	var req logout
	if err == nil {
		if err = f.Sealer.Open(logoutPurpose, in.values.Get("request"), &req); err != nil {
			err = &problem{code: codeUnknown, err: err, title: signOutFailed}
		}
	}
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	if s == nil {
		f.signedOut(w, r, req, nil)
		return
	}
	if in.values.Get("end") != "all" {
		if req.Done {
			f.signedOut(w, r, req, nil)
			return
		}
		page := f.logoutPage(r, req)
		page.Template, page.Title, page.Data = "signedout", "signout.stayed.heading", web.SignedOut{Stayed: true}
		f.Report(r.Context(), "", nil)
		f.render(w, r, page)
		return
	}
	_, ended, err := f.endSession(r, s, "")
	if err != nil {
		f.fail(w, r, nil, err)
		return
	}
	f.Cookies.Clear(w, sessionCookie)
	f.signedOut(w, r, req, ended)
}

// signedOut goes back to the portal, or says that it is done. Portals that want to be told in the browser are told on that
// page, by frames (OpenID Connect Front-Channel Logout 1.0); it then leads on by itself.
func (f *Flow) signedOut(w http.ResponseWriter, r *http.Request, req logout, ended []storage.SessionLogin) {
	f.Report(r.Context(), "", nil)
	back := ""
	if req.Redirect != "" {
		back = withQuery(req.Redirect, "state", req.State)
	}
	frames := f.frames(r.Context(), ended)
	if back != "" && len(frames) == 0 {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	page := f.logoutPage(r, req)
	page.Template, page.Title, page.Frames = "signedout", "signout.done.heading", frames
	page.Data = web.SignedOut{Back: back, Frames: frames}
	f.render(w, r, page)
}

// frames are the addresses that portals registered for being told in the browser.
func (f *Flow) frames(ctx context.Context, ended []storage.SessionLogin) (list []string) {
	for _, l := range ended {
		for _, c := range l.Clients {
			client, err := f.OAuth.Client(ctx, c.ID)
			if err != nil || client.FrontchannelLogoutURI == "" {
				continue
			}
			address := client.FrontchannelLogoutURI
			if client.FrontchannelSessionRequired {
				address = withQuery(withQuery(address, "iss", f.Issuer), "sid", c.SID)
			}
			list = append(list, address)
		}
	}
	return list
}

// withQuery adds a parameter behind a registered address, which stays as it is; an empty one is not added.
func withQuery(address, name, value string) string {
	if value == "" {
		return address
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + name + "=" + url.QueryEscape(value)
}

func (f *Flow) logoutPage(r *http.Request, req logout) web.Page {
	cookie, _ := f.Cookies.Get(r, web.LanguageCookie)
	return web.Page{Lang: web.Negotiate("", req.Locales, cookie, r.Header.Get("Accept-Language")), Event: f.Event(r.Context())}
}
