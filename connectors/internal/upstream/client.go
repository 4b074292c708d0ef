package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"brama/connectors/levels"
	"brama/internal/fetch"
)

// Config says where a system is and how it is asked.
type Config struct {
	// Name is what people call the system.
	Name string
	// BaseURL is its address without a slash at the end: https, or with PlainHTTP http on this computer.
	BaseURL   string
	PlainHTTP bool
	// Do sends requests: the method of a *fetch.Client.
	Do func(context.Context, fetch.Request) (*fetch.Response, error)
	// Breaker leaves the system alone while it is down; nil is one of its own.
	Breaker *fetch.Breaker
}

// A Client asks one system.
type Client struct {
	cfg  Config
	host string
}

// A System is where a system is and how an institution asks it: what the settings of every client have in common.
type System struct {
	// BaseURL is its address without a slash at the end: https, or with PlainHTTP http on this computer.
	BaseURL   string
	PlainHTTP bool
	// ClientID and ClientSecret come with the contract or the registration. Required.
	ClientID, ClientSecret string
	// Keys are for key agreement, the newest first. Required.
	Keys []Key
	// Documents validates what answers are signed with. Required: a signature that is there is never passed over.
	Documents Documents
	// Do sends requests: the method of a *fetch.Client. Required.
	Do        func(context.Context, fetch.Request) (*fetch.Response, error)
	Breaker   *fetch.Breaker   // nil is one of its own
	Levels    *levels.Policy   // gives levels; nil is the policy in the program
	TrustList func() string    // names the version of the trusted list for the evidence; may be nil
	Now       func() time.Time // nil means time.Now, and Open sets it
}

// Open checks s, which people call name.
func Open(name string, s *System) (*Client, *Keys, error) {
	client, err := NewClient(Config{Name: name, BaseURL: s.BaseURL, PlainHTTP: s.PlainHTTP, Do: s.Do, Breaker: s.Breaker})
	if err != nil {
		return nil, nil, err
	}
	keys, err := NewKeys(s.Keys)
	switch {
	case err != nil:
		return nil, nil, err
	case s.ClientID == "" || s.ClientSecret == "":
		return nil, nil, errors.New("client_id and client_secret are needed")
	case s.Documents == nil:
		return nil, nil, errors.New("a validator of signatures is needed")
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return client, keys, nil
}

// NewClient checks cfg.
func NewClient(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.RawQuery != "", u.Fragment != "", strings.HasSuffix(cfg.BaseURL, "/"):
		return nil, errors.New("upstream: the address is not usable")
	case u.Scheme == "https":
	case u.Scheme == "http" && cfg.PlainHTTP && loopback(u.Hostname()):
	default:
		return nil, errors.New("upstream: the address is not https")
	}
	if cfg.Do == nil {
		return nil, errors.New("upstream: something that sends requests is needed")
	}
	if cfg.Breaker == nil {
		cfg.Breaker = new(fetch.Breaker)
	}
	return &Client{cfg: cfg, host: u.Scheme + "://" + u.Host}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Page returns the address at the system to which the browser is sent. It is always below BaseURL (threat T54).
func (c *Client) Page(path string, query url.Values) string {
	return c.cfg.BaseURL + path + "?" + query.Encode()
}

// Origin is the scheme and host of Page, for the policy of the page that sends a form there.
func (c *Client) Origin() string { return c.host }

// Down reports whether one of the calls at paths is left alone now because it failed again and again.
func (c *Client) Down(paths ...string) bool {
	for _, p := range paths {
		if c.cfg.Breaker.Paused(c.host + p) {
			return true
		}
	}
	return false
}

// RefuseDown refuses to send the browser to a system whose calls are left alone: it would come back in vain.
func (c *Client) RefuseDown(paths ...string) error {
	if c.Down(paths...) {
		return c.down(fetch.ErrPaused)
	}
	return nil
}

// A Call is one question. No secret stands in Path: everything goes in the body or a header (threat T46).
type Call struct {
	Path        string
	Form        url.Values // the body, or
	JSON        []byte     // the body
	Bearer      string     // "" sends none
	Timeout     time.Duration
	MaxBody     int64
	Unimportant bool // its failure says nothing of the system
}

// Ask sends q and returns the object that the body holds, whatever the status: both systems answer errors with 200 and
// answers with 401. Every error is a refusal.
func (c *Client) Ask(ctx context.Context, q Call) (Object, error) {
	res, err := c.call(ctx, q)
	if err != nil {
		return nil, err
	}
	o, err := ParseObject(res.Body)
	switch {
	case err != nil && (res.Status < 200 || res.Status > 299):
		return nil, c.Invalid(fmt.Errorf("status %d without an object", res.Status))
	case err != nil:
		return nil, c.Invalid(err)
	}
	return o, nil
}

// AskList sends q and returns the objects of the list that the body holds.
func (c *Client) AskList(ctx context.Context, q Call) ([]Object, error) {
	res, err := c.call(ctx, q)
	if err != nil {
		return nil, err
	}
	list, err := ParseList(res.Body)
	if err != nil {
		return nil, c.Invalid(err)
	}
	return list, nil
}

func (c *Client) call(ctx context.Context, q Call) (*fetch.Response, error) {
	req := fetch.Request{
		Method: http.MethodPost, URL: c.cfg.BaseURL + q.Path, PlainHTTP: c.cfg.PlainHTTP, Accept: "application/json",
		ContentType: "application/json", Body: q.JSON, Timeout: q.Timeout, MaxBody: q.MaxBody, Header: http.Header{},
	}
	if q.Form != nil {
		req.ContentType, req.Body = "application/x-www-form-urlencoded", []byte(q.Form.Encode())
	}
	if q.Form == nil && q.JSON == nil {
		req.Method, req.ContentType = http.MethodGet, ""
	}
	if q.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+q.Bearer)
	}
	return c.send(ctx, req, c.host+q.Path, q.Unimportant)
}

// errStatus is an answer by which a system says that it is down.
var errStatus = errors.New("upstream: the system answers with an error of its own")

// send asks under the breaker of one call: the calls of a system fail apart, and a good one must not hide another's outage.
func (c *Client) send(ctx context.Context, req fetch.Request, key string, unimportant bool) (*fetch.Response, error) {
	var res *fetch.Response
	ask := func() error {
		var err error
		if res, err = c.cfg.Do(ctx, req); err != nil {
			return err
		}
		if res.Status >= 500 {
			return fmt.Errorf("%w: status %d", errStatus, res.Status)
		}
		return nil
	}
	var err error
	if unimportant {
		err = ask()
	} else {
		err = c.cfg.Breaker.Do(key, ask)
	}
	if err != nil {
		return nil, c.down(err)
	}
	return res, nil
}
