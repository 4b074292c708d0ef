package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Defaults of [Config].
const (
	DefaultTimeout = 3 * time.Second
	DefaultMaxBody = 64 << 10

	maxRedirects   = 3
	maxHeader      = 16 << 10
	maxConnections = 8 // to one host: a slow upstream holds no more than these
)

// Errors of this package (errors.Is). A refused dial wraps ErrAddress, so that it can be told from an outage.
var (
	ErrAddress  = errors.New("fetch: address is not allowed")
	ErrScheme   = errors.New("fetch: only https is allowed here")
	ErrURL      = errors.New("fetch: not a usable URL")
	ErrTooBig   = errors.New("fetch: answer is too large")
	ErrRedirect = errors.New("fetch: redirect is not allowed")
)

// A Config says where and how much. The zero value is usable and the strictest.
type Config struct {
	// Timeout bounds the whole exchange, body included; 0 is DefaultTimeout. A Request may ask for less or more.
	Timeout time.Duration
	// MaxBody bounds an answer, in bytes; 0 is DefaultMaxBody. A Request may ask for less or more.
	MaxBody int64
	// AllowLoopback lets requests go to this computer. It is for `brama dev` and tests.
	AllowLoopback bool
	// AllowNetworks are further networks, otherwise refused as private, where an operator keeps a service.
	AllowNetworks []netip.Prefix
	// AllowHosts, if not empty, are the only host names (without port, lower case) that may be asked.
	AllowHosts []string
	// TLS is cloned; nil is the system's roots. The least version is raised to TLS 1.2.
	TLS *tls.Config
	// Resolve finds the addresses of a host name; nil is the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client
}

// New returns a client. cfg is copied.
func New(cfg Config) (*Client, error) {
	if cfg.Timeout < 0 || cfg.MaxBody < 0 {
		return nil, errors.New("fetch: negative limit")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	if cfg.Resolve == nil {
		cfg.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	cfg.AllowNetworks = slices.Clone(cfg.AllowNetworks)
	cfg.AllowHosts = slices.Clone(cfg.AllowHosts)
	tlsConfig := cfg.TLS.Clone()
	if tlsConfig == nil {
		tlsConfig = &tls.Config{}
	}
	tlsConfig.MinVersion = max(tlsConfig.MinVersion, tls.VersionTLS12)
	c := &Client{cfg: cfg}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // never from the environment: a proxy would dial for us, unchecked
			DialContext:            c.dial,
			TLSClientConfig:        tlsConfig,
			TLSHandshakeTimeout:    cfg.Timeout,
			DisableCompression:     true, // the size limit counts what was sent
			MaxResponseHeaderBytes: maxHeader,
			MaxConnsPerHost:        maxConnections,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
		},
		// Redirects are walked by Do itself, which checks each.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// A Request is one question.
type Request struct {
	Method      string // "" is GET, or POST if Body is not nil
	URL         string // absolute, http or https, without user information
	ContentType string
	Accept      string
	Header      http.Header // further headers
	Body        []byte

	// PlainHTTP allows the scheme http: for objects that are signed in themselves.
	PlainHTTP bool
	// Timeout and MaxBody replace those of the client if not 0.
	Timeout time.Duration
	MaxBody int64
	// RedirectHosts are host names to which a GET may be redirected; the scheme never falls from https to http.
	RedirectHosts []string
}

// A Response is the whole answer, whatever its status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends req and reads the answer. Any status is an answer; err tells that there was none: the network, a rule of this
// package, or the limits (ErrTooBig; context.DeadlineExceeded). Errors name the host and path only.
func (c *Client) Do(ctx context.Context, req Request) (*Response, error) {
	timeout, limit := c.cfg.Timeout, c.cfg.MaxBody
	if req.Timeout > 0 {
		timeout = req.Timeout
	}
	if req.MaxBody > 0 {
		limit = req.MaxBody
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	target, err := c.parse(req.URL, req.PlainHTTP)
	if err != nil {
		return nil, err
	}
	for range maxRedirects + 1 {
		res, err := c.once(ctx, req, target, limit)
		if err != nil {
			return nil, fmt.Errorf("asking %s: %w", place(target), err)
		}
		location := res.Header.Get("Location")
		if res.Status < 300 || res.Status > 399 || location == "" || len(req.RedirectHosts) == 0 {
			return res, nil
		}
		if target, err = c.follow(req, target, location); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("asking %s: %w: too many", place(target), ErrRedirect)
}

func (c *Client) once(ctx context.Context, req Request, target *url.URL, limit int64) (*Response, error) {
	method := req.Method
	if method == "" {
		method = http.MethodGet
		if req.Body != nil {
			method = http.MethodPost
		}
	}
	var body io.Reader
	if req.Body != nil {
		body = bytes.NewReader(req.Body)
	}
	r, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, ErrURL
	}
	for name, values := range req.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	if req.ContentType != "" {
		r.Header.Set("Content-Type", req.ContentType)
	}
	if req.Accept != "" {
		r.Header.Set("Accept", req.Accept)
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "brama")
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, bare(err)
	}
	defer res.Body.Close()
	if res.ContentLength > limit {
		return nil, ErrTooBig
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(b)) > limit {
		return nil, ErrTooBig
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: b}, nil
}

// parse applies the rules that need no network.
func (c *Client) parse(raw string, plain bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, ErrURL // url's own error quotes the whole string, secrets of the query included
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && plain:
	case u.Scheme == "http":
		return nil, fmt.Errorf("asking %s: %w", place(u), ErrScheme)
	default:
		return nil, ErrURL
	}
	if len(c.cfg.AllowHosts) > 0 && !slices.Contains(c.cfg.AllowHosts, strings.ToLower(u.Hostname())) {
		return nil, fmt.Errorf("asking %s: %w: host is not listed", place(u), ErrAddress)
	}
	return u, nil
}

func (c *Client) follow(req Request, from *url.URL, location string) (*url.URL, error) {
	if req.Body != nil || req.Method != "" && req.Method != http.MethodGet {
		return nil, fmt.Errorf("asking %s: %w: not a GET", place(from), ErrRedirect)
	}
	ref, err := from.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w: unreadable location", place(from), ErrRedirect)
	}
	if !slices.Contains(req.RedirectHosts, strings.ToLower(ref.Hostname())) {
		return nil, fmt.Errorf("asking %s: %w: host is not listed", place(from), ErrRedirect)
	}
	return c.parse(ref.String(), req.PlainHTTP && from.Scheme == "http")
}

// place is what an error may say of a URL: the query may hold codes and personal data.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// bare takes off *url.Error, whose text holds the whole URL.
func bare(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
