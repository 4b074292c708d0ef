package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Grants, families and logins are read at every request, and JSON was half of what such a request cost. They are written
// field after field: a version that no JSON begins with, then numbers as uvarints, times as nanoseconds of Unix time (0 is the
// zero time), texts behind their length.
const compactVersion = 1

var errCompact = errors.New("storage: damaged record")

type packer struct{ b []byte }

func (p *packer) number(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) text(s string)   { p.number(uint64(len(s))); p.b = append(p.b, s...) }

func (p *packer) time(t time.Time) {
	n := uint64(0)
	if !t.IsZero() {
		n = uint64(t.UnixNano())
	}
	p.b = binary.BigEndian.AppendUint64(p.b, n)
}

// An unpacker reads what a packer wrote. After the first error everything is zero.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) take(n uint64) []byte {
	if u.bad || n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return nil
	}
	out := u.b[:n]
	u.b = u.b[n:]
	return out
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.b)
	if u.bad || size <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[size:]
	return n
}

func (u *unpacker) text() string { return string(u.take(u.number())) }

func (u *unpacker) time() time.Time {
	b := u.take(8)
	if b == nil {
		return time.Time{}
	}
	n := int64(binary.BigEndian.Uint64(b))
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// done returns an error unless exactly everything was read.
func (u *unpacker) done(k Kind) error {
	if u.bad || len(u.b) != 0 {
		return fmt.Errorf("%w of kind %s", errCompact, k)
	}
	return nil
}

func (g *Grant) pack() []byte {
	p := packer{make([]byte, 0, 256+len(g.Sealed))}
	p.b = append(p.b, compactVersion)
	p.number(g.Revision)
	for _, s := range []string{g.Client, g.Person, g.Login, g.Session, g.RedirectURI, g.Challenge, strings.Join(g.Scopes, " "), g.JKT} {
		p.text(s)
	}
	for _, t := range []time.Time{g.RequestedAt, g.CodeExpires, g.Spent, g.Revoked} {
		p.time(t)
	}
	offline := uint64(0)
	if g.Offline {
		offline = 1
	}
	p.number(offline)
	p.text(string(g.Sealed))
	return p.b
}

func (g *Grant) unpack(body []byte) error {
	u := unpacker{b: body}
	u.bad = u.bad || len(u.take(1)) == 0 || body[0] != compactVersion
	g.Revision = u.number()
	scopes := ""
	for _, s := range []*string{&g.Client, &g.Person, &g.Login, &g.Session, &g.RedirectURI, &g.Challenge, &scopes, &g.JKT} {
		*s = u.text()
	}
	g.Scopes = strings.Fields(scopes)
	for _, t := range []*time.Time{&g.RequestedAt, &g.CodeExpires, &g.Spent, &g.Revoked} {
		*t = u.time()
	}
	g.Offline = u.number() == 1
	g.Sealed = u.take(u.number())
	return u.done(KindGrant)
}

func (f *RefreshFamily) pack() []byte {
	p := packer{make([]byte, 0, 96)}
	p.b = append(p.b, compactVersion)
	p.number(f.Generation)
	p.time(f.Rotated)
	p.time(f.Used)
	p.number(uint64(f.Retries))
	p.text(f.Bound)
	return p.b
}

func (f *RefreshFamily) unpack(body []byte) error {
	u := unpacker{b: body}
	u.bad = u.bad || len(u.take(1)) == 0 || body[0] != compactVersion
	f.Generation = u.number()
	f.Rotated, f.Used = u.time(), u.time()
	f.Retries = int(u.number())
	f.Bound = u.text()
	return u.done(KindRefresh)
}
