package authflow

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/oauth"
	"brama/provider/web"
	"brama/storage"
)

// expiringSoon is when S8 says that the certificate ends.
const expiringSoon = 30 * 24 * time.Hour

// The steps at which the person decides.
const (
	stepConfirm  = "confirm"  // S8, after a signature
	stepContinue = "continue" // S9, in a session
)

// A release is what S8 and S9 ask about: who somebody is here, and what the portal gets of it.
type release struct {
	step     string
	mac      string // what the form's MAC is of: on S9 also the login that is shown, which another tab may have changed
	person   string
	identity *connectors.Identity
	method   string
	have     *found // S9: the login of the session
	ask      agreement
	role     string
}

// Confirm shows S8: what was read, what the portal gets, the tick and «Увійти».
func (f *Flow) Confirm(w http.ResponseWriter, r *http.Request, id string) {
	f.ask(w, r, id, stepConfirm)
}

// Continue shows S9: who is signed in here, what the portal gets, «Продовжити» and "other person".
func (f *Flow) Continue(w http.ResponseWriter, r *http.Request, id string) {
	f.ask(w, r, id, stepContinue)
}

func (f *Flow) ask(w http.ResponseWriter, r *http.Request, id, step string) {
	l, rel, err := f.loadRelease(r, id, step)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if f.switchLanguage(w, r, l) {
		return
	}
	f.showRelease(w, r, l, rel, "")
}

// loadRelease loads a login that waits for the person's decision at step; a login that waits for something else is stale.
func (f *Flow) loadRelease(r *http.Request, id, step string) (*login, *release, error) {
	l, err := f.load(r, id)
	if err != nil {
		return l, nil, err
	}
	rel := &release{step: step, mac: step}
	switch {
	case step == stepConfirm && l.Phase == confirmable && l.Identity != nil:
		rel.person, rel.identity, rel.method = l.Person, l.Identity, l.Method
	case step == stepContinue && l.Phase == sealed && !l.Other:
		if rel.have, _, err = f.suits(r, l); err != nil {
			return l, nil, err
		}
		if rel.have == nil {
			return l, nil, errRevision
		}
		rel.person, rel.identity, rel.method = rel.have.person, rel.have.identity, rel.have.login.Method
		rel.mac = step + " " + rel.have.login.SID
	default:
		return l, nil, errRevision
	}
	if rel.ask, err = f.agreement(r.Context(), l, rel.person, rel.identity); err != nil {
		return l, nil, err
	}
	if offered := roles(l, rel.identity); len(offered) > 0 {
		rel.role = offered[0].ID
	}
	if rel.have != nil && rel.have.told != nil && hasRole(l, rel.identity, rel.have.told.Role) {
		rel.role = rel.have.told.Role
	}
	return l, rel, nil
}

func (f *Flow) showRelease(w http.ResponseWriter, r *http.Request, l *login, rel *release, code string) {
	id := rel.identity
	page := f.page(r, l)
	page.Template, page.Title, page.Self = "confirm", rel.step+".heading", f.path(l.ID, rel.step)
	data := web.Confirm{
		Action: page.Self, Other: f.path(l.ID, "other"), Revision: l.revision, Session: rel.have != nil,
		MAC:  f.Sealer.StepMAC(l.ID, l.revision, rel.mac),
		Name: id.Name, RNOKPP: id.Identifier(connectors.RNOKPP), UNZR: id.Identifier(connectors.UNZR),
		Issuer: id.Certificate.Issuer, AuthTime: id.AuthTime,
		Method: rel.method, Email: id.Email, Consent: rel.ask.tick, ConsentWrong: code == codeConsent,
		Version: noticeDate(l.client.NoticeVersion), Policy: safeAddress(l.client.PolicyURI), Purpose: l.client.Purpose[string(page.Lang)],
	}
	if data.OtherMAC = data.MAC; rel.mac != rel.step {
		data.OtherMAC = f.Sealer.StepMAC(l.ID, l.revision, rel.step)
	}
	if at := id.Certificate.NotAfter; !at.IsZero() {
		data.NotAfter = web.FormatDate(at)
	}
	if at := id.Certificate.CheckedAt; !at.IsZero() {
		data.CheckedAt = web.FormatTime(at)
	}
	if rel.ask.tick {
		data.Notice, data.NoticeLang = notice(l.client, page.Lang)
	}
	for _, claim := range rel.ask.given {
		if slices.Contains(roleClaims, claim) {
			data.GetsInRole = append(data.GetsInRole, claim)
		} else {
			data.Gets = append(data.Gets, claim)
		}
	}
	for _, claim := range rel.ask.optional {
		data.Optional = append(data.Optional, web.Choice{Claim: claim, Chosen: rel.ask.chosen(claim)})
	}
	if !id.BirthDate.IsZero() {
		data.BirthDate = id.BirthDate.Format("02.01.2006")
	}
	if left := id.Certificate.NotAfter.Sub(f.Now()); left < expiringSoon && !id.Certificate.NotAfter.IsZero() {
		data.ExpiresInDays = int(left/(24*time.Hour)) + 1
	}
	offered := roles(l, id)
	data.Alone = len(offered) == 1 && offered[0].ID == "person"
	for _, x := range offered {
		data.Roles = append(data.Roles, web.Role{ID: x.ID, Title: x.Title, Organization: x.Organization, EDRPOU: x.EDRPOU, Chosen: x.ID == rel.role})
	}
	if code != "" {
		message := f.Site.Message(page.Lang, code, nil)
		page.Problem, page.Status, page.Field = &message, statusOf(code), "consent"
	}
	f.Report(r.Context(), code, nil)
	page.Data = data
	f.render(w, r, page)
}

// notice is the portal's notice as the page shows it, and its language where that is another one than the page's.
func notice(c *oauth.Client, lang web.Lang) ([]web.NoticePart, web.Lang) {
	for _, l := range []web.Lang{lang, web.Ukrainian, web.English} {
		if text := c.NoticeText[string(l)]; text != "" {
			if l == lang {
				return web.ReadNotice(text), ""
			}
			return web.ReadNotice(text), l
		}
	}
	return nil, ""
}

// noticeDate is a version as people read it: most are dates.
func noticeDate(version string) string {
	if version == "" {
		return ""
	}
	if at, err := time.Parse(time.DateOnly, version); err == nil {
		return at.Format("02.01.2006")
	}
	return version
}

// roles are what the person may choose from: those of the certificate, or only those in an organisation where the portal
// cannot do without it.
func roles(l *login, id *connectors.Identity) []connectors.Role {
	if !slices.ContainsFunc(roleClaims, func(c string) bool { return slices.Contains(l.client.RequiredClaims, c) }) {
		return id.Roles
	}
	return slices.DeleteFunc(slices.Clone(id.Roles), func(r connectors.Role) bool { return r.ID == "person" })
}

// hasRole reports whether somebody may choose a role: what the certificate does not give is nobody's mistake (threat T32).
func hasRole(l *login, id *connectors.Identity, role string) bool {
	return slices.ContainsFunc(roles(l, id), func(x connectors.Role) bool { return x.ID == role })
}

// Enter is «Увійти» on S8: the login is confirmed, the browser gets a new session, and the portal its code.
func (f *Flow) Enter(w http.ResponseWriter, r *http.Request, id string) {
	f.enter(w, r, id, stepConfirm)
}

// EnterAgain is «Продовжити» on S9.
func (f *Flow) EnterAgain(w http.ResponseWriter, r *http.Request, id string) {
	f.enter(w, r, id, stepContinue)
}

func (f *Flow) enter(w http.ResponseWriter, r *http.Request, id, step string) {
	// The release is recorded before the login is spent: a second press waits, and finds it spent.
	leave, ok := f.gates.enter(r.Context(), id)
	if !ok {
		f.fail(w, r, nil, &problem{code: codeLimited, values: map[string]string{"n": "1"}})
		return
	}
	defer leave()
	l, rel, err := f.loadRelease(r, id, step)
	var in *input
	if err == nil {
		in, err = f.form(r, l, rel.mac)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if role := in.values.Get("role"); role != "" {
		rel.role = role
	}
	if !hasRole(l, rel.identity, rel.role) {
		f.fail(w, r, l, &problem{code: codeUnknown, err: errors.New("role is not of the certificate")})
		return
	}
	rel.ask.choose(in.values)
	agreed := rel.ask.agreed()
	if rel.ask.tick {
		if in.values.Get("consent") != "yes" {
			f.showRelease(w, r, l, rel, codeConsent)
			return
		}
		agreed = f.Now().UTC().Truncate(time.Second)
	}
	f.confirm(w, r, l, rel, agreed)
}

// confirm records the release, then spends the login, makes or uses the session, keeps what the person agreed to and stores
// the code, all in one transaction: one press gives one code, and what is not given was never signed in.
func (f *Flow) confirm(w http.ResponseWriter, r *http.Request, l *login, rel *release, agreed time.Time) {
	s := l.state
	s.Phase, s.Identity, s.Request, s.Person = confirmed, nil, *l.request, rel.person
	in, old := newSignedIn(), ""
	sid, action := in.sid, "login.confirmed"
	if rel.have != nil {
		sid, action = rel.have.login.SID, "login.continued"
	} else {
		s.SID = sid
	}
	if value, err := f.Cookies.Get(r, sessionCookie); err == nil && len(value) == sessionCookieSize {
		old = storage.HashSecret(value)
	}
	now := f.Now().UTC().Truncate(time.Second)
	given := storage.Consent{Person: rel.person, Client: l.client.ID, Claims: rel.ask.keep(l.client.NoticeVersion), Agreed: agreed, Last: now}
	detail := map[string]string{"role": rel.role, "claims": strings.Join(rel.ask.claims(), " ")}
	if !agreed.IsZero() {
		given.Version = l.client.NoticeVersion
		detail["consent"], detail["notice"] = agreed.Format(time.RFC3339), given.Version
	}
	// Its line goes to the disk while the code does; the browser is told when both are there.
	var durable audit.Durable
	err := f.audit(r, l, audit.Event{Action: action, Outcome: audit.Passed, Durable: &durable, Person: rel.person, Connector: rel.method, Detail: detail})
	if err != nil {
		f.fail(w, r, l, err)
		return
	}

	subject := f.subject(l, rel.person, rel.identity, sid)
	subject.Role, subject.Consent, subject.ConsentVersion, subject.Withheld = rel.role, agreed, given.Version, rel.ask.withheld(rel.ask.ticked)
	subject.Together = func(tx storage.Tx) error {
		_, err := f.put(tx, l, &s)
		if err == nil && rel.have != nil {
			err = f.touch(tx, rel.have, l.client.ID, rel.role)
		} else if err == nil {
			err = f.signIn(tx, l, old, rel.role, &in)
		}
		if err != nil {
			return err
		}
		return storage.PutConsent(tx, given)
	}
	subject.Stored = durable.Wait
	noStore(w)
	before := slices.Clone(w.Header()["Set-Cookie"])
	f.Cookies.Clear(w, cookieName(l.ID))
	if rel.have == nil {
		f.Cookies.Set(w, sessionCookie, in.cookie, 0)
	}
	if err = f.OAuth.Grant(w, r, l.request, subject); err == nil {
		f.Report(r.Context(), "", nil)
		if in.told && f.Farewell != nil {
			f.Farewell()
		}
		return
	}
	w.Header()["Set-Cookie"] = before // nobody is told of a session
	if errors.Is(err, oauth.ErrTogether) {
		f.fail(w, r, l, err)
		return
	}
	l.Person = rel.person
	f.notGranted(w, r, l, err)
}

// grant sends the browser back to the portal with a code, for a login in whose session nobody has to press anything.
func (f *Flow) grant(w http.ResponseWriter, r *http.Request, l *login, s oauth.Subject) {
	if err := f.OAuth.Grant(w, r, l.request, s); err != nil {
		f.notGranted(w, r, l, err)
		return
	}
	f.Report(r.Context(), "", nil)
}

// notGranted answers when no code could be issued, and ends the login: it was refused for good.
func (f *Flow) notGranted(w http.ResponseWriter, r *http.Request, l *login, err error) {
	req := *l.request
	if end := f.notGrantedLine(r, l); end != nil {
		err = errors.Join(err, end)
	}
	var e *oauth.Error
	if errors.As(err, &e) && !e.Page {
		code := codeInternal
		switch {
		case e.Code == "unmet_authentication_requirements":
			code = codeLevel
		case e.Status < http.StatusInternalServerError:
			code = "" // the portal's affair: another person than it asked for, a pushed request that is spent
		}
		f.Report(r.Context(), code, err)
		f.OAuth.Deny(w, r, &req, e.Code, code)
		return
	}
	f.fail(w, r, l, &problem{code: codeInternal, err: err})
}

func (f *Flow) notGrantedLine(r *http.Request, l *login) error {
	if l.stored() {
		return f.endWith(r, l, "login.granted", &problem{code: codeInternal})
	}
	return f.audit(r, l, audit.Event{Action: "login.granted", Outcome: audit.Fault, Code: codeInternal, Person: l.Person})
}
