// Package door is the agent's listener: who may ask, and what. It takes connections of this computer and this user, with a
// literal Host and an Origin from the administrator's list (threats T56, T57); it knows three verbs and no other (T60), and
// opens at most three windows a minute (T58). What a login is, package login knows.
package door

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"brama/cmd/brama-agent/internal/login"
	"brama/cmd/brama-agent/internal/peer"
)

// Protocol is the version of what is spoken here; a page needs at least the one it was written for.
const Protocol = 1

// Codes that the door itself answers with; the others are package login's.
const (
	codeBadRequest = "AGENT_BAD_REQUEST"
	codeChallenge  = "AGENT_CHALLENGE" // not a challenge, or of another site or method
	codeOtherUser  = "AGENT_OTHER_USER"
	codeBusy       = "AGENT_BUSY" // a window is open
	codeLimited    = "RATE_LIMITED"
	codeUnknown    = "AGENT_UNKNOWN_SEARCH" // the search is over, or is another site's
)

// Limits on windows and on waiting.
const (
	windowsPerMinute = 3
	loginLimit       = 10 * time.Minute // a person may have to look for the token
	searchLimit      = time.Minute      // for the page to find certificates
)

// A LoginFunc takes a person through one login.
type LoginFunc func(ctx context.Context, r login.Request) ([]byte, error)

// Config is what a Door needs; all but Now and Language is required.
type Config struct {
	Origins  []string // exactly as browsers write them
	Port     int
	Version  string
	Language string // of the windows; "" takes the page's
	Login    LoginFunc
	// CheckPeer tells whether a connection is of this user; nil means peer.Check.
	CheckPeer func(net.Conn) error
	Log       *slog.Logger
	Now       func() time.Time // nil means time.Now
}

// A Door answers pages.
type Door struct {
	c     Config
	hosts []string
	mu    sync.Mutex
	shown []time.Time // when the last windows were opened
	busy  bool
	find  map[string]*search
}

// New checks c and returns the Door.
func New(c Config) (*Door, error) {
	if c.Login == nil || c.Log == nil || c.Port <= 0 || c.Port > 65535 {
		return nil, errors.New("door: the login, the log and the port are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.CheckPeer == nil {
		c.CheckPeer = peer.Check
	}
	c.Origins = slices.Clone(c.Origins)
	port := strconv.Itoa(c.Port)
	return &Door{c: c, hosts: []string{"127.0.0.1:" + port, "[::1]:" + port}, find: map[string]*search{}}, nil
}

// Serve answers on the loopback addresses until ctx ends. That of IPv6 may be missing; that of IPv4 may not.
func (d *Door) Serve(ctx context.Context) error {
	four, err := net.Listen("tcp4", d.hosts[0])
	if err != nil {
		return err
	}
	listeners := []net.Listener{four}
	if six, err := net.Listen("tcp6", d.hosts[1]); err == nil {
		listeners = append(listeners, six)
	}
	server := &http.Server{
		Handler:           d,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(d.c.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		_ = server.Close()
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

type connKey struct{}

// checkPeer looks at the connection of r.
func (d *Door) checkPeer(r *http.Request) error {
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok {
		return peer.ErrUnknown
	}
	return d.c.CheckPeer(conn)
}

// window takes the right to open one, or says why not.
func (d *Door) window() (code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.c.Now()
	d.shown = slices.DeleteFunc(d.shown, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	switch {
	case d.busy:
		return codeBusy
	case len(d.shown) >= windowsPerMinute:
		return codeLimited
	}
	d.shown = append(d.shown, now)
	d.busy = true
	return ""
}

func (d *Door) windowClosed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
}

// A search is a login that waits for the page to find certificates. It belongs to the site that began it.
type search struct {
	id           string
	origin       string
	certificates chan [][]byte
	outcome      <-chan outcome
	stop         context.CancelFunc // ends the login
}

func newSearchID() string { return rand.Text() }
