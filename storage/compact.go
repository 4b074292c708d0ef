package storage

import (
	"fmt"
	"strings"
	"time"

	"brama/internal/pack"
)

// What every sign-in reads and writes is packed field after field, behind a version that no JSON begins with: JSON was half of
// what a request for a token cost.
const compactVersion = 1

// newPacked begins a record that will have about size bytes.
func newPacked(size int) []byte { return append(make([]byte, 0, size), compactVersion) }

// openPacked begins to read one.
func openPacked(body []byte) (*pack.Reader, error) {
	if len(body) == 0 || body[0] != compactVersion {
		return nil, pack.ErrPacked
	}
	return pack.NewReader(body[1:]), nil
}

// damaged is the error of reading a record of kind k, nil for nil.
func damaged(k Kind, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("storage: damaged record of kind %s: %w", k, err)
}

// readBytes reads what pack.AppendString wrote of bytes.
func readBytes(r *pack.Reader) []byte { return r.Bytes(r.Count()) }

func (g *Grant) pack() []byte {
	b := newPacked(256 + len(g.Sealed))
	b = pack.AppendUint(b, g.Revision)
	for _, s := range g.words() {
		b = pack.AppendString(b, *s)
	}
	b = pack.AppendString(b, strings.Join(g.Scopes, " "))
	for _, t := range g.times() {
		b = pack.AppendTime(b, *t)
	}
	b = pack.AppendBool(b, g.Offline)
	return pack.AppendString(b, g.Sealed)
}

func (g *Grant) unpack(body []byte) error {
	r, err := openPacked(body)
	if err != nil {
		return damaged(KindGrant, err)
	}
	g.Revision = r.Uint()
	for _, s := range g.words() {
		*s = r.String()
	}
	g.Scopes = strings.Fields(r.String())
	for _, t := range g.times() {
		*t = r.Time()
	}
	g.Offline = r.Bool()
	g.Sealed = readBytes(r)
	return damaged(KindGrant, r.End())
}

// words and times are the fields of g that are a string and a time each, in the order of the record.
func (g *Grant) words() [7]*string {
	return [...]*string{&g.Client, &g.Person, &g.Login, &g.Session, &g.RedirectURI, &g.Challenge, &g.JKT}
}

func (g *Grant) times() [4]*time.Time {
	return [...]*time.Time{&g.RequestedAt, &g.CodeExpires, &g.Spent, &g.Revoked}
}

func (f *RefreshFamily) pack() []byte {
	b := pack.AppendUint(newPacked(96), f.Generation)
	b = pack.AppendTime(pack.AppendTime(b, f.Rotated), f.Used)
	b = pack.AppendUint(b, uint64(f.Retries))
	return pack.AppendString(b, f.Bound)
}

func (f *RefreshFamily) unpack(body []byte) error {
	r, err := openPacked(body)
	if err != nil {
		return damaged(KindRefresh, err)
	}
	f.Generation = r.Uint()
	f.Rotated, f.Used = r.Time(), r.Time()
	f.Retries = int(r.Uint())
	f.Bound = r.String()
	return damaged(KindRefresh, r.End())
}

func (s *Session) pack() []byte {
	size := 16
	for i := range s.Logins {
		size += 256 + len(s.Logins[i].Sealed) + 128*len(s.Logins[i].Clients)
	}
	b := pack.AppendUint(newPacked(size), s.Revision)
	b = pack.AppendUint(b, uint64(len(s.Logins)))
	for i := range s.Logins {
		l := &s.Logins[i]
		for _, t := range l.words() {
			b = pack.AppendString(b, *t)
		}
		b = pack.AppendStrings(b, l.AMR)
		b = pack.AppendStrings(b, l.Retired)
		b = pack.AppendTime(pack.AppendTime(b, l.AuthTime), l.Ends)
		b = pack.AppendString(b, l.Sealed)
		b = pack.AppendUint(b, uint64(len(l.Clients)))
		for _, c := range l.Clients {
			b = pack.AppendString(pack.AppendString(pack.AppendString(b, c.ID), c.SID), c.Role)
		}
	}
	return b
}

func (s *Session) unpack(body []byte) error {
	r, err := openPacked(body)
	if err != nil {
		return damaged(KindSession, err)
	}
	s.Revision = r.Uint()
	for range r.Count() {
		var l SessionLogin
		for _, t := range l.words() {
			*t = r.String()
		}
		l.AMR, l.Retired = r.Strings(), r.Strings()
		l.AuthTime, l.Ends = r.Time(), r.Time()
		l.Sealed = readBytes(r)
		for range r.Count() {
			l.Clients = append(l.Clients, SessionClient{ID: r.String(), SID: r.String(), Role: r.String()})
		}
		s.Logins = append(s.Logins, l)
	}
	return damaged(KindSession, r.End())
}

func (l *SessionLogin) words() [4]*string { return [...]*string{&l.SID, &l.Realm, &l.ACR, &l.Method} }

func (c *Consent) pack() []byte {
	b := pack.AppendString(newPacked(256), c.Client)
	b = pack.AppendStrings(b, c.Claims)
	b = pack.AppendString(b, c.Version)
	return pack.AppendTime(pack.AppendTime(b, c.Agreed), c.Last)
}

func (c *Consent) unpack(body []byte) error {
	r, err := openPacked(body)
	if err != nil {
		return damaged(KindConsent, err)
	}
	c.Client = r.String()
	c.Claims = r.Strings()
	c.Version = r.String()
	c.Agreed, c.Last = r.Time(), r.Time()
	return damaged(KindConsent, r.End())
}

func (p *Person) pack() []byte {
	b := newPacked(512)
	for _, t := range p.words() {
		b = pack.AppendString(b, *t)
	}
	b = pack.AppendTime(pack.AppendTime(b, p.Created), p.LastLogin)
	b = pack.AppendUint(b, uint64(len(p.Identifiers)))
	for _, i := range p.Identifiers {
		b = pack.AppendString(pack.AppendString(pack.AppendString(b, i.Type), i.Country), i.Value)
	}
	return b
}

func (p *Person) unpack(body []byte) error {
	r, err := openPacked(body)
	if err != nil {
		return damaged(KindPerson, err)
	}
	for _, t := range p.words() {
		*t = r.String()
	}
	p.Created, p.LastLogin = r.Time(), r.Time()
	for range r.Count() {
		p.Identifiers = append(p.Identifiers, Identifier{Type: r.String(), Country: r.String(), Value: r.String()})
	}
	return damaged(KindPerson, r.End())
}

func (p *Person) words() [5]*string {
	return [...]*string{&p.Name, &p.FamilyName, &p.GivenName, &p.MiddleName, &p.BirthDate}
}
