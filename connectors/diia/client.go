package diia

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"brama/internal/fetch"
)

// Addresses of the partner API.
const (
	ProductionURL = "https://api2.diia.gov.ua"
	TestURL       = "https://api2s.diia.gov.ua" // takes a test build of the application [I]
)

// A Secret hides itself in logs and messages.
type Secret string

// String, GoString and LogValue show that there is a secret, and nothing of it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Doer sends one request; *fetch.Client implements it.
type Doer interface {
	Do(ctx context.Context, r fetch.Request) (*fetch.Response, error)
}

// ClientConfig is what the client of the partner API needs.
type ClientConfig struct {
	// BaseURL is ProductionURL or TestURL, or that of a double: an origin, without a path.
	BaseURL string
	// AcquirerToken stands in the path of the session call, AuthToken is what follows "Basic" in its header, as Diia gives
	// it out (base64 already). Both are secrets.
	AcquirerToken, AuthToken Secret
	Do                       Doer // required
	// PlainHTTP allows a BaseURL of http: for a double on this computer.
	PlainHTTP bool
	// LinkOrigins are the origins that a deep link may have; nil is https://diia.app.
	LinkOrigins []string
	// Timeout bounds one call; 0 is 5 seconds. A press takes two calls, four at the most.
	Timeout time.Duration
	// Breaker is shared by nobody; nil makes one with the defaults of package fetch.
	Breaker *fetch.Breaker
	Now     func() time.Time // nil means time.Now
}

// A Client talks to the partner API. It is safe for concurrent use. It keeps the session token in memory and nothing else.
type Client struct {
	cfg     ClientConfig
	session session
}

// defaultTimeout of one call: the person looks at the page meanwhile.
const defaultTimeout = 5 * time.Second

// breakerKey: there is one service.
const breakerKey = "diia"

// Errors of the client.
var (
	// ErrAnswer is an answer that is not what the API gives.
	ErrAnswer = errors.New("diia: unusable answer")
	// ErrLink is a deep link of an origin that is not listed.
	ErrLink = errors.New("diia: deep link of an unlisted origin")
)

// An APIError is a refusal by the partner API: 400 validation, 401 token, 403 scope not granted, 404 branch or offer, 5xx.
// Its message is not kept: it is free text that could repeat what we sent.
type APIError struct {
	Status int    // of HTTP
	Name   string // "NotFoundError"; letters only, may be empty
}

// Error returns the status and the name.
func (e *APIError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("diia: the API answers %d %s", e.Status, e.Name))
}

// NewClient checks cfg.
func NewClient(cfg ClientConfig) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("diia: the address of the API is an origin, as " + ProductionURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !cfg.PlainHTTP):
		return nil, errors.New("diia: the address of the API begins with https")
	case cfg.Do == nil:
		return nil, errors.New("diia: a client for requests is needed")
	case !printable(string(cfg.AcquirerToken), maxToken) || !printable(string(cfg.AuthToken), maxToken):
		return nil, errors.New("diia: acquirer token and its authorization are needed, without spaces or line ends")
	case strings.HasPrefix(string(cfg.AuthToken), "Basic"):
		return nil, errors.New("diia: the authorization is given without the word Basic")
	}
	if cfg.LinkOrigins == nil {
		cfg.LinkOrigins = []string{"https://diia.app"}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Breaker == nil {
		cfg.Breaker = &fetch.Breaker{Now: cfg.Now}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{cfg: cfg, session: session{lock: make(chan struct{}, 1)}}, nil
}

// Paused reports whether the API is left alone after repeated failures.
func (c *Client) Paused() bool { return c.cfg.Breaker.Paused(breakerKey) }

// A session is the session token and the right to renew it.
type session struct {
	lock  chan struct{} // one holder; a channel, so that whoever waits can give up
	token Secret
	until time.Time
}

// sessionLife: the server keeps a token two hours [V be-auth-service]; careful clients 110 minutes [V grinchenkoedu/diia-php].
const sessionLife = 110 * time.Minute

// token returns the session token. A token equal to spent, which the API has just refused, is replaced. One caller asks,
// the others wait for its outcome.
func (c *Client) token(ctx context.Context, spent Secret) (Secret, error) {
	select {
	case c.session.lock <- struct{}{}:
		defer func() { <-c.session.lock }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if c.session.token != "" && c.session.token != spent && c.cfg.Now().Before(c.session.until) {
		return c.session.token, nil
	}
	c.session.token = ""
	asked := c.cfg.Now()
	res, err := c.cfg.Do.Do(ctx, fetch.Request{
		Method: http.MethodGet, URL: c.cfg.BaseURL + "/api/v1/auth/acquirer/" + url.PathEscape(string(c.cfg.AcquirerToken)),
		Accept: "application/json", Header: http.Header{"Authorization": {"Basic " + string(c.cfg.AuthToken)}},
		PlainHTTP: c.cfg.PlainHTTP, Timeout: c.cfg.Timeout, MaxBody: maxAnswer,
	})
	if err != nil {
		return "", fmt.Errorf("opening a session: %w", nowhere(err))
	}
	if res.Status != http.StatusOK {
		return "", fmt.Errorf("opening a session: %w", parseError(res.Status, res.Body))
	}
	t, err := parseToken(res.Body)
	if err != nil {
		return "", fmt.Errorf("opening a session: %w", err)
	}
	c.session.token, c.session.until = t, asked.Add(sessionLife)
	return t, nil
}

// nowhere takes the address off an error of package fetch: the path of the session call is a secret.
func nowhere(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// call sends one request with the session token, which is renewed once if the API does not take it. Answers of the 2xx
// family are returned.
func (c *Client) call(ctx context.Context, method, path string, body any) (answer []byte, err error) {
	var sent []byte
	if body != nil {
		if sent, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("diia: writing a request: %w", err)
		}
	}
	var tried error
	paused := c.cfg.Breaker.Do(breakerKey, func() error {
		answer, tried = c.try(ctx, method, path, sent)
		return outage(tried)
	})
	if tried == nil {
		tried = paused
	}
	if tried != nil {
		return nil, tried
	}
	return answer, nil
}

// outage returns err unless the service works and refuses our request or our rights.
func outage(err error) error {
	var api *APIError
	if errors.As(err, &api) && api.Status < 500 {
		return nil
	}
	return err
}

func (c *Client) try(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	var spent Secret
	for attempt := 0; ; attempt++ {
		token, err := c.token(ctx, spent)
		if err != nil {
			return nil, err
		}
		r := fetch.Request{
			Method: method, URL: c.cfg.BaseURL + path, Accept: "application/json", Body: body,
			Header:    http.Header{"Authorization": {"Bearer " + string(token)}},
			PlainHTTP: c.cfg.PlainHTTP, Timeout: c.cfg.Timeout, MaxBody: maxAnswer,
		}
		if body != nil {
			r.ContentType = "application/json"
		}
		res, err := c.cfg.Do.Do(ctx, r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("diia: %w", err)
		case res.Status == http.StatusUnauthorized && attempt == 0:
			spent = token
		case res.Status < 200 || res.Status > 299:
			return nil, parseError(res.Status, res.Body)
		default:
			return res.Body, nil
		}
	}
}
