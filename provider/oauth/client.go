package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"brama/provider/keys"
)

// Methods of client authentication (RFC 7591, 2; OpenID Connect Core, 9; RFC 8705, 2).
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
	AuthTLS           = "tls_client_auth"
	AuthSelfSignedTLS = "self_signed_tls_client_auth"
	AuthNone          = "none"
)

// Subject types.
const (
	Pairwise = "pairwise"
	Public   = "public"
)

// Grant types.
const (
	GrantCode              = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
)

// Profiles of Client.Profile: FAPI 2.0 Security Profile, and FAPI 2.0 Message Signing on top of it.
const (
	ProfileFAPI2               = "fapi2"
	ProfileFAPI2MessageSigning = "fapi2-message-signing"
)

// Whom the assertions of Client.AssertionAudience are made for.
const (
	AudienceIssuer        = "issuer"
	AudienceTokenEndpoint = "token_endpoint"
)

// When Client.Consent asks the person.
const (
	ConsentNever  = "never"
	ConsentFirst  = "first"
	ConsentAlways = "always"
)

// A Client is a registered portal as the rest of the provider sees it. It is plain data and is not changed once it was
// registered: one value serves all requests, and whoever has it may keep it for the length of one. What Validate refuses is never registered, so that
// the rules there hold wherever a Client is read.
type Client struct {
	ID          string
	Name        map[string]string // by language, "uk" and "en"
	Institution string
	Logo        []byte // a PNG that provider/web has made; nil without one
	Home        string // the portal's address; its host is shown and signed
	Native      bool   // an application on the person's device: any port of a registered loopback address

	// How it proves itself. AuthMethod "" is client_secret_basic or client_secret_post where there is a secret, none where
	// there is not.
	AuthMethod string
	AuthAlg    string // algorithm of private_key_jwt assertions; "" is any of AssertionAlgorithms
	// AssertionAudience is whom assertions are made for: "issuer" (default), or "token_endpoint" too, for libraries that know no
	// better (threat T73).
	AssertionAudience string
	SecretHash        []byte          // SHA-256 of the secret, see HashSecret; nil if it has none
	JWKS              json.RawMessage // its public keys (RFC 7517), for assertions, request objects and encryption; not beside JWKSURI
	JWKSURI           string          // where its public keys are
	// The one thing in its certificate that names it, for tls_client_auth (RFC 8705, 2.1.2).
	TLSSubjectDN string // RFC 4514
	TLSSANDNS    string
	TLSSANURI    string
	TLSSANIP     string
	TLSSANEmail  string

	// What it may ask.
	RedirectURIs           []string // compared byte by byte
	GrantTypes             []string // nil is authorization_code
	ResponseTypes          []string // nil is code; the words of each in alphabetical order
	InitiateLogin          string   // where a login begins that somebody else started (OpenID Connect Core, 4)
	Methods                []string // allowed connectors; nil is all
	Scopes                 []string // nil is all; what they release is a matter of Claims
	APIScopes              []string // scopes of its own interfaces, which client_credentials tokens carry
	Claims                 []string // claims the client may receive beyond names
	RequiredClaims         []string // e.g. "rnokpp": without it the login is refused
	CertificateClaims      bool     // the right ua.certificate: issuer, serial, validity and time of the status check
	VerifiedClaims         bool     // it may ask for verified_claims; with CertificateClaims for their evidence too
	IntrospectionRight     bool     // it may ask what a token meant for it is worth (RFC 7662)
	PostLogoutRedirectURIs []string // compared byte by byte

	// How strictly. Ask FAPI, NeedsPAR and NeedsSignedRequest instead of these fields: a profile implies them.
	Profile              string // "", "fapi2", "fapi2-message-signing"
	PKCEOptional         bool   // confidential clients only: a request without code_challenge needs a nonce
	NonceOptional        bool   // with PKCEOptional: not even that
	RequirePAR           bool   // requests come by PAR only (RFC 9126, 6)
	RequireSignedRequest bool   // requests come as signed request objects only (RFC 9101, 10.5)
	RequestObjectAlg     string // their algorithm; "" is any of AssertionAlgorithms
	// RequestURIs are where its signed requests may lie (OpenID Connect Core, 6.2), compared byte by byte, fragments too.
	RequestURIs      []string
	DPoPBound        bool // its tokens are bound to a DPoP key, always (RFC 9449, 5.2)
	CertificateBound bool // its tokens are bound to its TLS certificate (RFC 8705, 3.4)

	// Subjects and tokens.
	SubjectType            string // "pairwise" (default) or "public"
	Sector                 string // host; "" means that of SectorIdentifierURI, or else of the redirect URIs
	SectorIdentifierURI    string // lists the redirect URIs of one sector (OpenID Connect Core, 8.1); verified at registration
	IDTokenAlg             string // "ES256" (default) or another of keys.Algorithms
	IDTokenEncAlg          string // key management of encrypted ID tokens; "" is not encrypted
	IDTokenEncEnc          string // their content encryption; "" is A128CBC-HS256
	UserInfoSignedAlg      string // "" is JSON
	UserInfoEncAlg         string
	UserInfoEncEnc         string
	AuthorizationSignedAlg string // algorithm of JWT responses (JARM); "" is that of ID tokens

	// Sessions and logout.
	DefaultMaxAge               *int // seconds; nil is no limit
	RequireAuthTime             bool
	DefaultACR                  []string
	MinLevel                    string // least level of a login that it takes, whatever a request asks; "" is none (threat T78)
	SSOGroup                    string // clients of one group share a session; "" shares with nobody
	BackchannelLogoutURI        string
	BackchannelSessionRequired  bool
	FrontchannelLogoutURI       string
	FrontchannelSessionRequired bool

	// What the person reads and agrees to.
	NoticeRequired bool                         // personal-data tick on S8
	NoticeVersion  string                       // of the personal-data notice
	NoticeText     map[string]string            // the notice itself, by language; empty where it stands at PolicyURI
	Consent        string                       // "never" (default), "first", "always"
	Purpose        map[string]string            // why the portal wants the data, by language
	Labels         map[string]map[string]string // the portal's own words on pages, by language and key
	ClientURI      string                       // the rest is shown nowhere before somebody looked at it (RFC 7591, 2)
	LogoURI        string
	PolicyURI      string
	TosURI         string
	Contacts       []string

	host string // the sector, where it is known already; see knownSector
}

// HashSecret returns the SHA-256 of a client secret, as Client.SecretHash wants it. Secrets are generated, with at least
// 128 random bits: a slow hash would protect nothing and cost 60 ms a request.
func HashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Clients is where registered clients come from. Client returns ErrUnknownClient for an id that is not registered; nobody changes
// what it returns.
type Clients interface {
	Client(ctx context.Context, id string) (*Client, error)
}

// A Registry is a fixed set of clients, as a configuration file gives them. Safe for concurrent use.
type Registry struct {
	clients map[string]*Client
	origins map[string]bool // of the redirect URIs of public clients
}

var _ Clients = (*Registry)(nil)

// NewRegistry returns the registry of clients that Validate accepts.
func NewRegistry(clients ...Client) (*Registry, error) {
	r := &Registry{clients: map[string]*Client{}, origins: map[string]bool{}}
	for _, c := range clients {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if _, ok := r.clients[c.ID]; ok {
			return nil, fmt.Errorf("oauth: client %q is registered twice", c.ID)
		}
		if c.SubjectType != Public {
			c.host, _ = c.sector() // Validate has found no error in it
		}
		r.clients[c.ID] = &c
		for _, o := range c.origins() {
			r.origins[o] = true
		}
	}
	return r, nil
}

// Client implements Clients.
func (r *Registry) Client(_ context.Context, id string) (*Client, error) {
	c, ok := r.clients[id]
	if !ok {
		return nil, ErrUnknownClient
	}
	return c, nil
}

// Public reports whether c cannot keep a secret.
func (c *Client) Public() bool { return c.Method() == AuthNone }

// Method returns how c authenticates: AuthMethod, or if that is "", "" for a client with a secret (Basic or POST) and none
// for one without.
func (c *Client) Method() string {
	if c.AuthMethod == "" && len(c.SecretHash) == 0 {
		return AuthNone
	}
	return c.AuthMethod
}

// TakesLevel reports whether c takes a login of this level: "low", "substantial" or "high". A request can ask for more than
// the registration does, never for less.
func (c *Client) TakesLevel(level string) bool {
	return slices.Index(acrs, level) >= max(slices.Index(acrs, c.MinLevel), 0)
}

// Allows reports whether c may use a grant type.
func (c *Client) Allows(grantType string) bool {
	if len(c.GrantTypes) == 0 {
		return grantType == GrantCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// FAPI reports whether c is held to the FAPI 2.0 Security Profile.
func (c *Client) FAPI() bool { return c.Profile != "" }

// MessageSigning reports whether c is held to FAPI 2.0 Message Signing: signed requests, and signed answers if it is
// registered for them (authorization_signed_response_alg): the profile lets each be used without the other.
func (c *Client) MessageSigning() bool { return c.Profile == ProfileFAPI2MessageSigning }

// NeedsPAR reports whether requests of c are taken by PAR only.
func (c *Client) NeedsPAR() bool { return c.RequirePAR || c.FAPI() }

// NeedsSignedRequest reports whether requests of c are taken as signed request objects only.
func (c *Client) NeedsSignedRequest() bool { return c.RequireSignedRequest || c.MessageSigning() }

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
	case strings.Contains(raw, "*"):
		return errors.New("has a wildcard, and is compared letter for letter")
	case strings.ToLower(u.Host) != u.Host || strings.HasSuffix(u.Hostname(), "."):
		return errors.New("host is not in its usual form")
	case u.Scheme == "http" && !loopbackName(u.Hostname()):
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

// loopbackName reports whether host means this computer to everybody: a loopback address, localhost, or below it (RFC 6761, 6.3).
func loopbackName(host string) bool {
	return loopbackIP(host) || host == "localhost" || strings.HasSuffix(host, ".localhost")
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

// sector returns the host under which pairwise subjects are made: that of sector_identifier_uri, the registered one, or that
// of all redirect URIs (OpenID Connect Core, 8.1).
func (c *Client) sector() (string, error) {
	if c.SectorIdentifierURI != "" {
		u, err := url.Parse(c.SectorIdentifierURI)
		if err != nil {
			return "", err
		}
		if c.Sector != "" && c.Sector != u.Hostname() {
			return "", fmt.Errorf("sector %q is not the host of sector_identifier_uri", c.Sector)
		}
		return u.Hostname(), nil
	}
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
	if len(hosts) == 0 && c.Sector == "" {
		return "", nil // nobody signs in to it
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

// knownSector is sector, found out once for a client of a Registry.
func (c *Client) knownSector() (string, error) {
	if c.host != "" {
		return c.host, nil
	}
	return c.sector()
}

// authenticates reports whether secret is the client's, in constant time.
func (c *Client) authenticates(secret string) bool {
	var scratch [128]byte // the usual secret stays off the heap
	sum := sha256.Sum256(append(scratch[:0], secret...))
	return len(c.SecretHash) != 0 && subtle.ConstantTimeCompare(sum[:], c.SecretHash) == 1
}

func (c *Client) idTokenAlg() string {
	if c.IDTokenAlg == "" {
		return keys.ES256
	}
	return c.IDTokenAlg
}

// offeredBy says why a client that Validate accepts cannot work with a provider: it proves itself, or is bound, by certificates
// where none come, its keys are where nothing is fetched, or there is no key of ours for what it wants signed. nil if it can.
func (c *Client) offeredBy(cfg *Config) error {
	m := c.Method()
	switch {
	case m != "" && !slices.Contains(authMethods(cfg), m):
		return faulty("token_endpoint_auth_method %q is not offered", m)
	case c.Allows(GrantImplicit) && !cfg.implicit():
		return faulty("grant type %s is not offered", GrantImplicit)
	case c.CertificateBound && cfg.MTLSBase == "":
		return faulty("tokens bound to certificates are not offered")
	case (c.JWKSURI != "" || c.SectorIdentifierURI != "") && cfg.Fetch == nil:
		return faulty("nothing is fetched here: neither jwks_uri nor sector_identifier_uri can be used")
	case len(c.RequestURIs) != 0 && !cfg.byReference():
		return faulty("requests by reference (request_uris) are not taken here")
	}
	for _, alg := range c.SigningAlgorithms() {
		if !slices.Contains(cfg.Keys.Algorithms(), alg) {
			return faulty("there is no key for %s", alg)
		}
	}
	return nil
}

// Offers says why a client of the configuration cannot work with p, nil if it can.
func (p *Provider) Offers(c *Client) error {
	if err := c.offeredBy(&p.cfg); err != nil {
		return fmt.Errorf("oauth: client %q: %w", c.ID, err)
	}
	return nil
}

// SigningAlgorithms lists the algorithms in which this provider signs for c.
func (c *Client) SigningAlgorithms() []string {
	list := []string{c.idTokenAlg()}
	for _, alg := range []string{c.UserInfoSignedAlg, c.AuthorizationSignedAlg} {
		if alg != "" && !slices.Contains(list, alg) {
			list = append(list, alg)
		}
	}
	return list
}
