package authflow

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/oauth"
	"brama/storage"
)

// Limits of a session (threat T77). Its cookie ends with the browser.
const (
	sessionIdle   = 30 * time.Minute
	sessionLife   = 8 * time.Hour // of a login in it, whatever is done
	sessionCookie = "session"
	// farewellLife is how long a portal can be out of reach and still hear of the end of a session.
	farewellLife = 24 * time.Hour
)

// realm is within what one login serves: the portals of one group, or one portal. Without a group nobody else's sign-in
// opens a portal.
func realm(c *oauth.Client) string {
	if c.SSOGroup != "" {
		return "group:" + c.SSOGroup
	}
	return "client:" + c.ID
}

// A found login is one of this browser's session that answers a request.
type found struct {
	session  string // its id
	person   string
	login    storage.SessionLogin
	identity *connectors.Identity
	told     *storage.SessionClient // nil if the portal is new to the login
}

// browserSession returns the session of this browser, nil if there is none.
func (f *Flow) browserSession(r *http.Request) (*storage.Session, error) {
	cookie, _ := f.Cookies.Get(r, sessionCookie)
	if len(cookie) != sessionCookieSize {
		return nil, nil // no session is no error
	}
	var s storage.Session
	err := f.Store.View(r.Context(), func(tx storage.Tx) (err error) {
		if s, err = storage.GetSession(tx, storage.HashSecret(cookie)); err != nil {
			return err
		}
		_, err = tx.Get(storage.KindPerson, s.Person) // who was erased has no session (threat T80)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading a session: %w", err)
	case f.Blocked[s.Person]:
		return nil, nil
	case !f.Now().Before(s.Expires): // a store that is slow to forget must not matter
		return nil, nil
	}
	return &s, nil
}

// suits returns the login of this browser's session that answers the request of l. If there is none, code is what a
// silent request is told.
func (f *Flow) suits(r *http.Request, l *login) (have *found, code string, err error) {
	code = "login_required"
	s, err := f.browserSession(r)
	if err != nil || s == nil {
		return nil, code, err
	}
	held := s.Login(realm(l.client), f.Now())
	if held == nil {
		return nil, code, nil
	}
	sub, err := f.OAuth.SubjectOf(l.client, s.Person)
	if err != nil {
		return nil, code, err
	}
	req := l.request
	switch {
	case slices.Contains(req.Prompt, "login"), slices.Contains(req.Prompt, "create"):
		return nil, code, nil
	case req.HintSubject != "" && req.HintSubject != sub:
		return nil, code, nil
	case tooOld(req, held.AuthTime), !slices.Contains(l.methods, held.Method):
		return nil, code, nil
	}
	plain, err := f.Seal.Open("session:"+held.SID, held.Sealed)
	if err != nil {
		return nil, code, fmt.Errorf("opening a session: %w", err)
	}
	identity := &connectors.Identity{}
	if err := unpackIdentity(plain, identity); err != nil {
		return nil, code, fmt.Errorf("decoding a session: %w", err)
	}
	// What is asked of a proof is asked of this one too: its level above all (threat T78).
	if end := identity.Certificate.NotAfter; !end.IsZero() && !f.Now().Before(end) || demands(l, identity) != nil {
		return nil, code, nil //nolint:nilerr // another proof is asked for
	}
	if ended, err := f.certificateEnded(r.Context(), identity); err != nil || ended {
		return nil, code, err
	}
	have = &found{session: s.ID, person: s.Person, login: *held, identity: identity, told: held.Client(l.client.ID)}
	// A hint that is a subject of ours names a person; any other is the portal's words.
	if namesSubject(req.LoginHint) && req.LoginHint != sub {
		if have.told != nil {
			code = "account_selection_required"
		}
		return nil, code, nil
	}
	return have, "", nil
}

// certificateEnded reports whether the certificate that somebody signed in with is known to be good no more (threat T80): it was
// asked about for another of its logins meanwhile.
func (f *Flow) certificateEnded(ctx context.Context, id *connectors.Identity) (ended bool, err error) {
	if id.Certificate.ID == "" {
		return false, nil
	}
	err = f.Store.View(ctx, func(tx storage.Tx) error {
		c, err := storage.GetCertificate(tx, id.Certificate.ID)
		ended = c.Ended != ""
		return err
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return false, fmt.Errorf("reading a certificate: %w", err)
	}
	return ended, nil
}

// tooOld reports whether a login of that time is older than the request allows.
func tooOld(req *oauth.AuthorizeRequest, at time.Time) bool {
	return req.MaxAge != nil && (*req.MaxAge == 0 || at.Add(time.Duration(*req.MaxAge)*time.Second).Before(req.RequestedAt))
}

// namesSubject reports whether a login hint has the form of a sub.
func namesSubject(hint string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(hint)
	return err == nil && len(raw) == 32
}

// silent decides about a request with prompt=none: a subject, or the error for the portal. A portal at which the person has
// never been learns nothing: not even that there is a session (threat T101).
func (f *Flow) silent(r *http.Request, l *login) (*oauth.Subject, string, error) {
	have, code, err := f.suits(r, l)
	if err != nil || have == nil {
		return nil, code, err
	}
	ask, err := f.agreement(r.Context(), l, have.person, have.identity)
	if err != nil {
		return nil, "", err
	}
	switch {
	case ask.stored == nil:
		return nil, "login_required", nil
	case have.told == nil: // S9 is never skipped for a portal that is new to the login
		return nil, "interaction_required", nil
	case ask.tick:
		return nil, "consent_required", nil
	}
	role := have.told.Role
	if !hasRole(l, have.identity, role) {
		return nil, "interaction_required", nil
	}
	s := f.subject(l, have.person, have.identity, have.login.SID)
	s.Role, s.Withheld = role, ask.withheld(ask.stored.Claims)
	if s.Consent = ask.agreed(); !s.Consent.IsZero() {
		s.ConsentVersion = ask.stored.Version
	}
	return &s, "", f.useSilently(r, l, have, role)
}

// useSilently notes the use of a session that nothing else is written with.
func (f *Flow) useSilently(r *http.Request, l *login, have *found, role string) error {
	err := f.Store.Update(r.Context(), func(tx storage.Tx) error { return f.touch(tx, have, l.client.ID, role) })
	if err != nil {
		return fmt.Errorf("using a session: %w", err)
	}
	return f.audit(r, l, audit.Event{Action: "session.used", Outcome: audit.Passed, Person: have.person, Connector: have.login.Method})
}

// subject is what the portal is told of a person, but for what the person decides.
func (f *Flow) subject(l *login, person string, id *connectors.Identity, sid string) oauth.Subject {
	return oauth.Subject{PersonID: person, Identity: *id, LoginID: l.ID, SID: sid}
}

// touch notes in tx that a client was told of the person by a login of the session as it is now, and that it is in use.
// storage.ErrConflict says that this login is no more.
func (f *Flow) touch(tx storage.Tx, have *found, client, role string) error {
	s, err := storage.GetSession(tx, have.session)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("%w: %w", storage.ErrConflict, err)
	}
	if err != nil {
		return err
	}
	held := s.Login(have.login.Realm, f.Now())
	if held == nil || held.SID != have.login.SID || s.Person != have.person {
		return storage.ErrConflict
	}
	held.Tell(client, role)
	f.move(&s)
	return storage.UpdateSession(tx, s)
}

// move sets the end of a session: idle from now, never beyond the last of its logins.
func (f *Flow) move(s *storage.Session) {
	var last time.Time
	for _, l := range s.Logins {
		if l.Ends.After(last) {
			last = l.Ends
		}
	}
	s.Expires = f.Now().Add(sessionIdle)
	if last.Before(s.Expires) {
		s.Expires = last
	}
}

// sessionCookieSize is the length of 32 bytes in base64url.
const sessionCookieSize = 43

// A signedIn is what became of the browser's session by a login.
type signedIn struct {
	cookie string
	sid    string
	told   bool // messages to portals are waiting
}

// newSignedIn draws the names of a session: none is ever used again, so that a cookie that somebody planted before the
// sign-in opens nothing after it (threat T76).
func newSignedIn() signedIn {
	var cookie [32]byte
	_, _ = rand.Read(cookie[:]) // never fails
	return signedIn{cookie: base64.RawURLEncoding.EncodeToString(cookie[:]), sid: newID()}
}

// signIn puts in tx a login into the browser's session under a new cookie; old is the hash of the cookie that came with the
// request, "" if none did. The session of another person ends with all that was made of it (threat T78).
func (f *Flow) signIn(tx storage.Tx, l *login, old, role string, in *signedIn) error {
	in.told = false
	now := f.Now().UTC()
	entry := storage.SessionLogin{SID: in.sid, Realm: realm(l.client), ACR: string(l.Identity.LoA), AMR: l.Identity.AMR,
		AuthTime: l.Identity.AuthTime, Method: l.Method, Ends: now.Add(sessionLife), Sealed: f.Seal.Seal("session:"+in.sid, packIdentity(l.Identity))}
	entry.Tell(l.client.ID, role)
	s := storage.Session{Person: l.Person}
	if old != "" {
		before, err := storage.EndSession(tx, old)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return err
		case before.Person != l.Person:
			if err := f.farewell(tx, before.Person, before.Logins); err != nil {
				return err
			}
			if err := f.endGrants(tx, &before); err != nil {
				return err
			}
			in.told = true
		default:
			s.Logins = before.Logins
		}
	}
	dropped := s.Add(entry)
	in.told = in.told || len(dropped) > 0
	if err := f.endGrants(tx, &storage.Session{Logins: dropped}); err != nil {
		return err
	}
	if err := f.farewell(tx, s.Person, dropped); err != nil {
		return err
	}
	s.ID = storage.HashSecret(in.cookie)
	f.move(&s)
	return storage.InsertSession(tx, s)
}

// farewell writes in tx the messages to the portals that logins told of a person.
func (f *Flow) farewell(tx storage.Tx, person string, logins []storage.SessionLogin) error {
	now := f.Now().UTC()
	for _, l := range logins {
		for _, c := range l.Clients {
			if err := storage.InsertFarewell(tx, storage.Farewell{ID: newID(), Client: c.ID, Person: person, SID: c.SID,
				Next: now, Expires: now.Add(farewellLife)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// endGrants ends in tx what was granted in a session.
func (f *Flow) endGrants(tx storage.Tx, s *storage.Session) error {
	for _, sid := range s.SIDs() {
		if err := f.OAuth.EndSession(tx, sid); err != nil {
			return err
		}
	}
	return nil
}
