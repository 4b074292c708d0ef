package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"brama/provider/keys"
)

// Methods of client authentication at the token endpoint.
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthNone  = "none"
)

// Subject types.
const (
	Pairwise = "pairwise"
	Public   = "public"
)

// HashSecret returns the SHA-256 of a client secret, as Client.SecretHash wants it. Secrets are generated, with at least
// 128 random bits: a slow hash would protect nothing and cost 60 ms a request.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Clients is where registered clients come from. Client returns ErrUnknownClient for an id that is not registered.
type Clients interface {
	Client(ctx context.Context, id string) (Client, error)
}

// A Registry is a fixed set of clients, as a configuration file gives them. Safe for concurrent use.
type Registry struct {
	clients map[string]Client
}

var _ Clients = (*Registry)(nil)

// NewRegistry returns the registry of clients that Validate accepts.
func NewRegistry(clients ...Client) (*Registry, error) {
	r := &Registry{clients: map[string]Client{}}
	for _, c := range clients {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if _, ok := r.clients[c.ID]; ok {
			return nil, fmt.Errorf("oauth: client %q is registered twice", c.ID)
		}
		r.clients[c.ID] = c
	}
	return r, nil
}

// Client implements Clients.
func (r *Registry) Client(_ context.Context, id string) (Client, error) {
	c, ok := r.clients[id]
	if !ok {
		return Client{}, ErrUnknownClient
	}
	return c, nil
}

// Public reports whether c cannot keep a secret.
func (c *Client) Public() bool { return len(c.SecretHash) == 0 }

// Validate says what is wrong with a registration, nil if nothing.
func (c *Client) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("oauth: client %q: %w", c.ID, fmt.Errorf(format, args...))
	}
	if !validID(c.ID) {
		return fmt.Errorf("oauth: client id %q is not 1 to 128 of A-Z a-z 0-9 . _ ~ : / -", c.ID)
	}
	for language, name := range c.Name {
		if err := checkName(name); err != nil {
			return bad("name in %s %w", language, err)
		}
	}
	if err := checkName(c.Institution); err != nil {
		return bad("institution %w", err)
	}
	if c.Home != "" {
		if err := checkHome(c.Home, c.Native); err != nil {
			return bad("home %q: %w", c.Home, err)
		}
	}
	if n := len(c.SecretHash); n != 0 && n != sha256.Size {
		return bad("secret hash of %d bytes, want the 32 of SHA-256", n)
	}
	switch c.AuthMethod {
	case "":
	case AuthBasic, AuthPost:
		if c.Public() {
			return bad("%s without a secret", c.AuthMethod)
		}
	case AuthNone:
		if !c.Public() {
			return bad("a secret beside method none")
		}
	default:
		return bad("unknown authentication method %q", c.AuthMethod)
	}
	if len(c.RedirectURIs) == 0 {
		return bad("no redirect_uri")
	}
	for _, u := range c.RedirectURIs {
		if err := checkRegisteredURI(u, c.Native); err != nil {
			return bad("redirect_uri %q: %w", u, err)
		}
	}
	if c.PKCEOptional && c.Public() {
		return bad("PKCE cannot be optional for a public client")
	}
	if c.NonceOptional && !c.PKCEOptional {
		return bad("nonce is optional only where PKCE is")
	}
	switch c.SubjectType {
	case "", Pairwise:
		if _, err := c.sector(); err != nil {
			return bad("%w", err)
		}
	case Public:
	default:
		return bad("unknown subject type %q", c.SubjectType)
	}
	if c.IDTokenAlg != "" && !slices.Contains(keys.Algorithms(), c.IDTokenAlg) {
		return bad("unknown ID token algorithm %q", c.IDTokenAlg)
	}
	for _, s := range c.Scopes {
		if !slices.Contains(scopes, s) {
			return bad("unknown scope %q", s)
		}
	}
	for _, n := range c.Claims {
		if !slices.Contains(optionalClaims, n) && !slices.Contains(nameClaims, n) {
			return bad("unknown claim %q", n)
		}
	}
	for _, n := range c.RequiredClaims {
		if !slices.Contains(c.Claims, n) && !slices.Contains(nameClaims, n) {
			return bad("claim %q is required but not among those it may receive", n)
		}
	}
	return nil
}

// checkRegisteredURI accepts https, and http on a loopback address or localhost; nothing that a browser could read
// otherwise than we do.
func checkRegisteredURI(raw string, native bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return err
	case len(raw) > maxURI:
		return errors.New("is longer than 2048 bytes")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return errors.New("not an http or https address")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return errors.New("has a fragment")
	case u.User != nil:
		return errors.New("has user information")
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>^`{|}", r) }):
		return errors.New("has a character that does not belong into an address")
	case strings.ToLower(u.Host) != u.Host || strings.HasSuffix(u.Hostname(), "."):
		return errors.New("host is not in its usual form")
	case u.Scheme == "http" && !loopbackIP(u.Hostname()) && u.Hostname() != "localhost" && !strings.HasSuffix(u.Hostname(), ".localhost"):
		return errors.New("http is allowed on this computer only")
	case native && u.Scheme == "http" && !loopbackIP(u.Hostname()):
		return errors.New("a native application uses a loopback address, not a name")
	}
	for _, name := range []string{"code", "state", "iss", "error"} {
		if u.Query().Has(name) {
			return fmt.Errorf("its query has our parameter %q", name)
		}
	}
	return nil
}

func loopbackIP(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// allows reports whether uri is a redirect_uri of c: byte by byte equal to a registered one (RFC 9700, 2.1), or, for a
// native application, a registered http loopback address with another port (RFC 8252, 7.3).
func (c *Client) allows(uri string) bool {
	for _, registered := range c.RedirectURIs {
		if uri == registered || c.Native && samePortApart(uri, registered) {
			return true
		}
	}
	return false
}

func samePortApart(uri, registered string) bool {
	u, err := url.Parse(uri)
	if err != nil || checkRegisteredURI(uri, true) != nil {
		return false
	}
	r, err := url.Parse(registered)
	if err != nil || r.Scheme != "http" || !loopbackIP(r.Hostname()) {
		return false
	}
	// What is left after the ports are taken away must again be the same bytes.
	return u.Scheme == r.Scheme && strings.Replace(uri, u.Host, u.Hostname(), 1) == strings.Replace(registered, r.Host, r.Hostname(), 1)
}

// sector returns the host under which pairwise subjects are made: the registered one, or that of all redirect URIs.
func (c *Client) sector() (string, error) {
	var hosts []string
	for _, raw := range c.RedirectURIs {
		u, err := url.Parse(raw)
		if err != nil {
			return "", err
		}
		if !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	if c.Sector == "" {
		if len(hosts) != 1 {
			return "", errors.New("redirect URIs on several hosts need a sector")
		}
		return hosts[0], nil
	}
	if !slices.Contains(hosts, c.Sector) {
		return "", fmt.Errorf("sector %q is not the host of any redirect_uri", c.Sector)
	}
	for _, h := range hosts {
		if h != c.Sector && !strings.HasSuffix(h, "."+c.Sector) {
			return "", fmt.Errorf("host %q is outside sector %q", h, c.Sector)
		}
	}
	return c.Sector, nil
}

// authenticates reports whether secret is the client's, in constant time.
func (c *Client) authenticates(secret string) bool {
	return !c.Public() && subtle.ConstantTimeCompare(HashSecret(secret), c.SecretHash) == 1
}

func (c *Client) idTokenAlg() string {
	if c.IDTokenAlg == "" {
		return keys.ES256
	}
	return c.IDTokenAlg
}

func (c *Client) allowedScopes() []string {
	if len(c.Scopes) == 0 {
		return scopes
	}
	return c.Scopes
}
