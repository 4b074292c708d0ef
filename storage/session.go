package storage

import (
	"errors"
	"slices"
	"time"
)

// KindSession is the kind of browser sessions.
const KindSession Kind = "session"

// Bounds of one session.
const (
	MaxSessionLogins = 16 // portals, or groups of them, at which one browser is signed in
	maxLoginRetired  = 32
)

// A Session is a browser in which one person is signed in. It holds a login for each realm: a portal, or the portals that
// share one sign-in. The level and time of a login never change: a stronger one takes its place and has another SID.
type Session struct {
	ID       string // HashSecret of the cookie
	Person   string // the record is in this group
	Revision uint64
	Logins   []SessionLogin
	Expires  time.Time // moved by every use; no login lives beyond its own end
}

// A SessionLogin is one login of a session.
type SessionLogin struct {
	SID      string // random; in ID tokens and logout tokens
	Realm    string
	ACR      string
	AMR      []string
	AuthTime time.Time
	Method   string
	Ends     time.Time // whatever is done in it
	Clients  []SessionClient
	Retired  []string // SIDs of the logins of the realm that it has taken the place of
	Sealed   []byte   // the identity, sealed by its owner
}

// A SessionClient is a portal that was told of the person in a session.
type SessionClient struct {
	ID   string
	SID  string // that it was told
	Role string // that the person chose there
}

// Login returns the login of a realm that has not ended at now, nil if there is none.
func (s *Session) Login(realm string, now time.Time) *SessionLogin {
	for i := range s.Logins {
		if l := &s.Logins[i]; l.Realm == realm && now.Before(l.Ends) {
			return l
		}
	}
	return nil
}

// Client returns what the login told a client, nil if it told it nothing.
func (l *SessionLogin) Client(id string) *SessionClient {
	for i := range l.Clients {
		if l.Clients[i].ID == id {
			return &l.Clients[i]
		}
	}
	return nil
}

// Tell notes that a client was told of the person by this login.
func (l *SessionLogin) Tell(client, role string) {
	told := SessionClient{ID: client, SID: l.SID, Role: role}
	if c := l.Client(client); c != nil {
		*c = told
		return
	}
	l.Clients = append(l.Clients, told)
}

// SIDs returns every id under which tokens of the session may be known.
func (s *Session) SIDs() []string {
	var sids []string
	for _, l := range s.Logins {
		sids = append(append(sids, l.SID), l.Retired...)
		for _, c := range l.Clients {
			sids = append(sids, c.SID)
		}
	}
	slices.Sort(sids)
	return slices.Compact(sids)
}

// Add puts a new login into the session. One of the same realm goes, but not the knowledge of whom it told, and under which
// SIDs: they must hear of the end. It returns what had to make room: whole logins, and a SID that the login can remember no more,
// as a login that told nobody. What was granted under them must end.
func (s *Session) Add(login SessionLogin) (dropped []SessionLogin) {
	if i := slices.IndexFunc(s.Logins, func(l SessionLogin) bool { return l.Realm == login.Realm }); i >= 0 {
		old := s.Logins[i]
		login.Retired = append(slices.Clone(old.Retired), old.SID)
		if len(login.Retired) > maxLoginRetired {
			dropped = append(dropped, SessionLogin{SID: login.Retired[0]})
			login.Retired = login.Retired[1:]
		}
		for _, c := range old.Clients {
			if login.Client(c.ID) == nil {
				login.Clients = append(login.Clients, c)
			}
		}
		s.Logins = slices.Delete(s.Logins, i, i+1)
	}
	if n := len(s.Logins) + 1 - MaxSessionLogins; n > 0 {
		dropped = append(dropped, s.Logins[:n]...)
		s.Logins = slices.Delete(s.Logins, 0, n)
	}
	s.Logins = append(s.Logins, login)
	return dropped
}

// InsertSession stores a new session at revision 1. ErrExists.
func InsertSession(tx Tx, s Session) error {
	s.Revision = 1
	return tx.Insert(s.record())
}

// GetSession returns a session. ErrNotFound, also once expired.
func GetSession(tx Tx, id string) (Session, error) {
	r, err := tx.Get(KindSession, id)
	if err != nil {
		return Session{}, err
	}
	s := Session{ID: id, Person: r.Group, Expires: r.Expires}
	return s, s.unpack(r.Body)
}

// UpdateSession stores s if the stored session is still at s.Revision. ErrConflict if another request was faster,
// ErrNotFound.
func UpdateSession(tx Tx, s Session) error {
	stored, err := GetSession(tx, s.ID)
	if err != nil {
		return err
	}
	if stored.Revision != s.Revision || stored.Person != s.Person {
		return ErrConflict
	}
	s.Revision++
	return tx.Put(s.record())
}

func (s *Session) record() Record {
	return Record{Kind: KindSession, ID: s.ID, Group: s.Person, Expires: s.Expires, Body: s.pack()}
}

// EndSession takes a session out of the store and returns it as it was: of several who end it, one gets it and can tell the
// portals. ErrNotFound.
func EndSession(tx Tx, id string) (Session, error) {
	s, err := GetSession(tx, id)
	if err != nil {
		return Session{}, err
	}
	return s, tx.Delete(KindSession, id)
}

// SessionsOf returns the live sessions of a person.
func SessionsOf(tx Tx, person string) ([]Session, error) {
	if person == "" {
		return nil, errors.New("storage: sessions of nobody")
	}
	var ids []string
	for r, err := range tx.Scan(KindSession, person) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	var list []Session
	for _, id := range ids {
		s, err := GetSession(tx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
