package authflow

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/oauth"
	"brama/provider/web"
)

// expiringSoon is when S8 says that the certificate ends.
const expiringSoon = 30 * 24 * time.Hour

// Confirm shows S8: what was read, what the portal gets, the tick and «Увійти».
func (f *Flow) Confirm(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.loadConfirmable(r, id)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if f.switchLanguage(w, r, l) {
		return
	}
	f.showConfirm(w, r, l, defaultRole(l), "")
}

// loadConfirmable loads a login that waits for «Увійти».
func (f *Flow) loadConfirmable(r *http.Request, id string) (*login, error) {
	l, err := f.load(r, id)
	if err != nil {
		return l, err
	}
	if l.Phase != confirmable || l.Identity == nil {
		return l, errRevision
	}
	return l, nil
}

func (f *Flow) showConfirm(w http.ResponseWriter, r *http.Request, l *login, role, code string) {
	id := l.Identity
	page := f.page(r, l)
	page.Template, page.Title, page.Self = "confirm", "confirm.heading", f.path(l.ID, "confirm")
	data := web.Confirm{
		Action: page.Self, Other: f.path(l.ID, "other"), Revision: l.revision,
		MAC:  f.Sealer.StepMAC(l.ID, l.revision, "confirm"),
		Name: id.Name, RNOKPP: id.Identifier(connectors.RNOKPP), UNZR: id.Identifier(connectors.UNZR),
		Issuer: id.Certificate.Issuer, NotAfter: id.Certificate.NotAfter, CheckedAt: id.Certificate.CheckedAt,
		Method: l.Method, Gets: gets(l), Consent: l.client.NoticeRequired, ConsentWrong: code == codeConsent,
	}
	if !id.BirthDate.IsZero() {
		data.BirthDate = id.BirthDate.Format("02.01.2006")
	}
	if left := id.Certificate.NotAfter.Sub(f.Now()); left < expiringSoon && !id.Certificate.NotAfter.IsZero() {
		data.ExpiresInDays = int(left/(24*time.Hour)) + 1
	}
	for _, x := range id.Roles {
		data.Roles = append(data.Roles, web.Role{ID: x.ID, Title: x.Title, Organization: x.Organization, EDRPOU: x.EDRPOU, Chosen: x.ID == role})
	}
	if code != "" {
		message := f.Site.Message(page.Lang, code, nil)
		page.Problem, page.Status, page.Field = &message, statusOf(code), "consent"
	}
	f.Report(r.Context(), code, nil)
	page.Data = data
	f.render(w, r, page)
}

// defaultRole is the person, or the organisation where the portal demands one.
func defaultRole(l *login) string {
	if slices.Contains(l.client.RequiredClaims, "edrpou") && len(l.Identity.Roles) > 1 {
		return l.Identity.Roles[1].ID
	}
	return l.Identity.Roles[0].ID
}

// Enter is «Увійти»: the login is confirmed, and the portal gets its code.
func (f *Flow) Enter(w http.ResponseWriter, r *http.Request, id string) {
	l, err := f.loadConfirmable(r, id)
	var in *input
	if err == nil {
		in, err = f.form(r, l, "confirm")
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	role := in.values.Get("role")
	if role == "" {
		role = defaultRole(l)
	}
	// A role that the certificate does not give is nobody's mistake (threat T32).
	if !slices.ContainsFunc(l.Identity.Roles, func(x connectors.Role) bool { return x.ID == role }) {
		f.fail(w, r, l, &problem{code: codeUnknown, err: errors.New("role is not of the certificate")})
		return
	}
	var consent time.Time
	if l.client.NoticeRequired {
		if in.values.Get("consent") != "yes" {
			f.showConfirm(w, r, l, role, codeConsent)
			return
		}
		consent = f.Now().UTC().Truncate(time.Second)
	}
	subject := oauth.Subject{PersonID: l.Person, Identity: *l.Identity, Role: role, Consent: consent, LoginID: l.ID}
	req := *l.request
	if err := f.confirm(r, l, subject); err != nil {
		f.fail(w, r, l, err)
		return
	}
	f.Cookies.Clear(w, cookieName(l.ID))
	noStore(w)
	if err := f.OAuth.Grant(w, r, &req, subject); err != nil {
		f.notGranted(w, r, l, &req, err)
		return
	}
	f.Report(r.Context(), "", nil)
}

// confirm spends the login, so that one press gives one code, and records the release before it happens.
func (f *Flow) confirm(r *http.Request, l *login, subject oauth.Subject) error {
	s := l.state
	s.Phase, s.Identity = confirmed, nil
	if err := f.save(r.Context(), l, s, nil); err != nil {
		return err
	}
	detail := map[string]string{"role": subject.Role}
	if !subject.Consent.IsZero() {
		detail["consent"] = subject.Consent.Format(time.RFC3339)
	}
	return f.audit(r, l, audit.Event{Action: "login.confirmed", Outcome: audit.Passed, Person: subject.PersonID, Detail: detail})
}

// notGranted answers when no code could be issued.
func (f *Flow) notGranted(w http.ResponseWriter, r *http.Request, l *login, req *oauth.AuthorizeRequest, err error) {
	if line := f.audit(r, l, audit.Event{Action: "login.granted", Outcome: audit.Fault, Code: codeInternal, Person: l.Person}); line != nil {
		err = errors.Join(err, line)
	}
	var e *oauth.Error
	if errors.As(err, &e) && !e.Page {
		f.Report(r.Context(), codeInternal, err)
		f.OAuth.Deny(w, r, req, e.Code, codeInternal)
		return
	}
	f.fail(w, r, l, &problem{code: codeInternal, err: err})
}

// claims that a client may be registered for, beyond names, in the order in which S8 tells them.
var claims = []string{"rnokpp", "unzr", "birthdate", "edrpou", "organization", "title"}

func knownClaim(c string) bool { return slices.Contains(claims, c) }

// provides lists the claims that id has a value for.
func provides(id *connectors.Identity) []string {
	var list []string
	add := func(claim string, has bool) {
		if has {
			list = append(list, claim)
		}
	}
	add("rnokpp", id.Identifier(connectors.RNOKPP) != "")
	add("unzr", id.Identifier(connectors.UNZR) != "")
	add("birthdate", !id.BirthDate.IsZero())
	for _, role := range id.Roles {
		if role.ID != "person" {
			add("edrpou", role.EDRPOU != "")
			add("organization", role.Organization != "")
			add("title", role.Title != "")
		}
	}
	return list
}

// gets is what the portal will receive of this identity: registered for it, and there.
func gets(l *login) []string {
	list := []string{"name"}
	for _, claim := range provides(l.Identity) {
		if slices.Contains(l.client.Claims, claim) || slices.Contains(l.client.RequiredClaims, claim) {
			list = append(list, claim)
		}
	}
	if l.client.CertificateClaims {
		list = append(list, "certificate")
	}
	return list
}
