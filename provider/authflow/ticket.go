package authflow

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"brama/internal/pack"
	"brama/provider/oauth"
)

// A ticket is what the browser carries of a login, sealed, in a cookie of the login's own. It is the right to take its
// steps: who has the address of a step but not the ticket gets nothing (threat T68). Request is there until the login is
// stored, so that an anonymous request writes nothing (threat T93).
type ticket struct {
	ID      string
	Client  string
	Created time.Time
	Expires time.Time // of the login
	Lang    string    // the person switched to it
	Longer  int       // how often the person asked for more time
	Other   bool      // the person is not the one of the session
	Request *oauth.AuthorizeRequest
	// Pushed stands in place of a Request that is too long for a cookie and that the portal has pushed: it is in the store.
	Pushed string
	At     time.Time // when it came, with Pushed
}

const (
	ticketPurpose = "login 2"
	// ticketGrace is how much longer than the login the ticket lives, so that the page can say "time is up" and name the
	// portal where to start again.
	ticketGrace = 2 * time.Hour
	// maxTicket bounds the cookie: browsers drop one of more than 4096 bytes with its name and attributes.
	maxTicket = 3700
	// longTicket is from where a ticket is compressed. What a portal usually asks is shorter, and goes with few requests.
	longTicket = 1 << 10
	// maxTickets bounds the cookies of one browser, for they all come with every request.
	maxTickets = 5
)

// TicketLife is the longest that a ticket stays in a browser: of a login that was made longer as often as it can be.
const TicketLife = loginLife + maxLonger*longerLife + ticketGrace

var errTicketTooLong = errors.New("authflow: request does not fit into a cookie")

// newID returns a fresh login id of 128 random bits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// cookieName is short, for it travels with every request; the ticket inside holds the whole id.
func cookieName(id string) string { return "login-" + id[:min(len(id), 8)] }

// packers and unpackers are kept: a new packer takes 800 KB.
var (
	packers     = packersOf(flate.BestSpeed)
	bestPackers = packersOf(flate.BestCompression)
	unpackers   = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

func packersOf(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		z, err := flate.NewWriter(nil, level)
		if err != nil {
			panic("authflow: internal error: " + err.Error())
		}
		return z
	}}
}

// The first byte of a ticket says how the rest is written.
const (
	ticketPlain    = 1
	ticketDeflated = 2
)

// pack writes t.
func (t *ticket) pack() ([]byte, error) {
	b := append(make([]byte, 0, longTicket), ticketPlain)
	b = pack.AppendString(b, t.ID)
	b = pack.AppendString(b, t.Client)
	b = pack.AppendTime(b, t.Created)
	b = pack.AppendTime(b, t.Expires)
	b = pack.AppendString(b, t.Lang)
	b = pack.AppendInt(b, int64(t.Longer))
	b = pack.AppendBool(b, t.Other)
	b = pack.AppendBool(b, t.Request != nil)
	if t.Request != nil {
		return t.Request.AppendTo(b)
	}
	if b = pack.AppendBool(b, t.Pushed != ""); t.Pushed != "" {
		b = pack.AppendTime(pack.AppendString(b, t.Pushed), t.At)
	}
	return b, nil
}

// unpack reads what pack wrote, without its first byte.
func (t *ticket) unpack(b []byte) error {
	r := pack.NewReader(b)
	t.ID, t.Client, t.Created, t.Expires = r.String(), r.String(), r.Time(), r.Time()
	t.Lang, t.Longer, t.Other = r.String(), int(r.Int()), r.Bool()
	if r.Bool() {
		t.Request = &oauth.AuthorizeRequest{}
		if err := t.Request.ReadPacked(r); err != nil {
			return err
		}
	} else if r.Bool() {
		t.Pushed, t.At = r.String(), r.Time()
	}
	return r.End()
}

// sealTicket seals t. Requests repeat themselves, so compression halves a long one; the best compression, which costs more than
// all else that is done with a ticket, is for those that do not fit without.
func (f *Flow) sealTicket(t ticket) (string, error) {
	plain, err := t.pack()
	if err != nil {
		return "", fmt.Errorf("packing a ticket: %w", err)
	}
	if len(plain) <= longTicket {
		return f.Sealer.SealBytes(ticketPurpose, plain, t.Expires.Add(ticketGrace)), nil
	}
	for _, packers := range []*sync.Pool{packers, bestPackers} {
		b, err := deflated(plain, packers)
		if err != nil {
			return "", fmt.Errorf("packing a ticket: %w", err)
		}
		if value := f.Sealer.SealBytes(ticketPurpose, b, t.Expires.Add(ticketGrace)); len(value) <= maxTicket {
			return value, nil
		}
	}
	return "", errTicketTooLong
}

// deflated compresses what follows the first byte.
func deflated(plain []byte, packers *sync.Pool) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(ticketDeflated)
	z := packers.Get().(*flate.Writer) //nolint:forcetypeassert // nothing else is put there
	defer packers.Put(z)
	z.Reset(&b)
	if _, err := z.Write(plain[1:]); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

func (f *Flow) openTicket(value string) (ticket, error) {
	packed, err := f.Sealer.OpenBytes(ticketPurpose, value)
	if err != nil {
		return ticket{}, err
	}
	if len(packed) == 0 {
		return ticket{}, pack.ErrPacked
	}
	plain := packed[1:]
	switch packed[0] {
	case ticketPlain:
	case ticketDeflated:
		if plain, err = inflated(plain); err != nil {
			return ticket{}, fmt.Errorf("unpacking a ticket: %w", err)
		}
	default:
		return ticket{}, pack.ErrPacked // of another version of ours
	}
	var t ticket
	if err := t.unpack(plain); err != nil {
		return ticket{}, fmt.Errorf("unpacking a ticket: %w", err)
	}
	return t, nil
}

func inflated(packed []byte) ([]byte, error) {
	const maxPlain = 64 << 10            // it is our own, but a limit costs nothing
	z := unpackers.Get().(io.ReadCloser) //nolint:forcetypeassert // nothing else is put there
	defer unpackers.Put(z)
	if err := z.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil { //nolint:forcetypeassert // flate says so
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, maxPlain))
}

// shorten takes the request out of t where it is in the store too, and reports whether it could.
func (t *ticket) shorten() bool {
	if t.Request == nil || t.Request.RequestURI == "" {
		return false
	}
	t.Pushed, t.At, t.Request = t.Request.RequestURI, t.Request.RequestedAt, nil
	return true
}

// setTicket gives the browser the ticket.
func (f *Flow) setTicket(w http.ResponseWriter, t ticket) error {
	value, err := f.sealTicket(t)
	if errors.Is(err, errTicketTooLong) && t.shorten() {
		value, err = f.sealTicket(t)
	}
	if err != nil {
		return err
	}
	f.Cookies.Set(w, cookieName(t.ID), value, t.Expires.Add(ticketGrace).Sub(f.Now()))
	return nil
}

// dropTickets clears the oldest tickets of this browser, and those that do not open, so that there is room for one more.
func (f *Flow) dropTickets(w http.ResponseWriter, r *http.Request) {
	prefix := f.Cookies.Name("login-")
	type held struct {
		short   string
		expires time.Time
	}
	var all []held
	for _, c := range r.Cookies() {
		id, ok := strings.CutPrefix(c.Name, prefix)
		if !ok {
			continue
		}
		h := held{short: "login-" + id}
		if t, err := f.openTicket(c.Value); err == nil && f.Now().Before(t.Expires) {
			h.expires = t.Expires
		}
		all = append(all, h)
	}
	for len(all) >= maxTickets {
		oldest := 0
		for i := range all {
			if all[i].expires.Before(all[oldest].expires) {
				oldest = i
			}
		}
		f.Cookies.Clear(w, all[oldest].short)
		all = append(all[:oldest], all[oldest+1:]...)
	}
}
