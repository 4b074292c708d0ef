package authflow

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

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
	Lang    string    `json:",omitempty"` // the person switched to it
	Longer  int       `json:",omitempty"` // how often the person asked for more time
	Other   bool      `json:",omitempty"` // the person is not the one of the session
	Request *oauth.AuthorizeRequest
}

const (
	ticketPurpose = "login"
	// ticketGrace is how much longer than the login the ticket lives, so that the page can say "time is up" and name the
	// portal where to start again.
	ticketGrace = 2 * time.Hour
	// maxTicket bounds the cookie: browsers drop one of more than 4096 bytes with its name and attributes.
	maxTicket = 3700
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

// sealTicket packs t: requests repeat themselves, so compression halves the cookie. The best compression costs more than all
// else that is done with a ticket: it is for those that do not fit without.
func (f *Flow) sealTicket(t ticket) (string, error) {
	value, err := f.packTicket(t, packers)
	if errors.Is(err, errTicketTooLong) {
		return f.packTicket(t, bestPackers)
	}
	return value, err
}

func (f *Flow) packTicket(t ticket, packers *sync.Pool) (string, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("packing a ticket: %w", err)
	}
	var packed bytes.Buffer
	z := packers.Get().(*flate.Writer)
	defer packers.Put(z)
	z.Reset(&packed)
	if _, err := z.Write(plain); err != nil {
		return "", fmt.Errorf("packing a ticket: %w", err)
	}
	if err := z.Close(); err != nil {
		return "", fmt.Errorf("packing a ticket: %w", err)
	}
	value, err := f.Sealer.Seal(ticketPurpose, packed.Bytes(), t.Expires.Add(ticketGrace))
	if err != nil {
		return "", err
	}
	if len(value) > maxTicket {
		return "", errTicketTooLong
	}
	return value, nil
}

func (f *Flow) openTicket(value string) (ticket, error) {
	var packed []byte
	if err := f.Sealer.Open(ticketPurpose, value, &packed); err != nil {
		return ticket{}, err
	}
	const maxPlain = 64 << 10 // it is our own, but a limit costs nothing
	z := unpackers.Get().(io.ReadCloser)
	defer unpackers.Put(z)
	if err := z.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
		return ticket{}, fmt.Errorf("unpacking a ticket: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxPlain))
	if err != nil {
		return ticket{}, fmt.Errorf("unpacking a ticket: %w", err)
	}
	var t ticket
	if err := json.Unmarshal(plain, &t); err != nil {
		return ticket{}, fmt.Errorf("unpacking a ticket: %w", err)
	}
	return t, nil
}

// setTicket gives the browser the ticket.
func (f *Flow) setTicket(w http.ResponseWriter, t ticket) error {
	value, err := f.sealTicket(t)
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
