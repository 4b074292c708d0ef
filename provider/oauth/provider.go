package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ory/fosite"

	"brama/internal/audit"
	"brama/provider/keys"
	"brama/storage"
	"brama/storage/seal"
)

// Paths of the endpoints below the issuer.
const (
	PathAuthorize  = "/authorize"
	PathToken      = "/token"
	PathUserInfo   = "/userinfo"
	PathRevoke     = "/revoke"
	PathIntrospect = "/introspect"
	PathJWKS       = "/jwks"
	PathDiscovery  = "/.well-known/openid-configuration"
)

// Config is what a Provider needs.
type Config struct {
	Issuer  string // exactly as in tokens: https, or http on this computer in dev; no trailing slash
	Store   storage.Store
	Sealer  storage.Sealer // seals what grants say of persons; its keys stand outside the store
	Keys    *keys.Keys
	Clients Clients

	// Fetch asks the servers of clients for their keys, sectors and request objects (fetch.Client.Do); nil fetches nothing, and
	// clients with a jwks_uri cannot prove themselves.
	Fetch FetchFunc
	// MTLSBase is the address below which connections may bring client certificates (RFC 8705, 5): the issuer, or another
	// host of it; "" if none does.
	MTLSBase string
	// ClientCAs issue the certificates of tls_client_auth; nil has no such clients.
	ClientCAs *x509.CertPool
	// Registration lets clients register themselves; nil has no such endpoint.
	Registration *RegistrationConfig

	// TokenSecrets make and check codes and access tokens: at least 32 random bytes each, the first makes, all check.
	TokenSecrets [][]byte
	// SubjectSecret makes pairwise subjects: at least 32 random bytes, never changed, or every portal loses its people.
	SubjectSecret []byte

	CodeLifetime    time.Duration // 0 means 60 s
	IDTokenLifetime time.Duration // 0 means 10 min

	TokenRules

	// PersonAlive reports, inside a transaction, whether a person may still have tokens: nil, or storage.ErrNotFound. It is
	// asked whenever a code or a token is used; nil asks nobody.
	PersonAlive func(tx storage.Tx, person string) error

	// CertificateStatus is asked at a refresh about the certificate of a login whose last answer is older than 12 hours; nil asks
	// nobody.
	CertificateStatus StatusFunc

	// Documentation is where people read how to connect a portal, for the metadata; may be empty.
	Documentation string

	// RequirePAR takes requests from nobody but by PAR (RFC 9126, 5); a client may be registered for that by itself.
	RequirePAR bool

	// Stranger reports whether one more request is taken of a sender who proved nothing; nil takes all.
	Stranger func(*http.Request) bool

	// FormPost writes the page of response_mode form_post: a form with the fields, hidden, that a script sends and a visible
	// button too. nil offers no such mode.
	FormPost func(http.ResponseWriter, *http.Request, FormPost)

	Audit audit.Log        // records codes that were misused; nil means nowhere
	Log   *slog.Logger     // nil means slog.Default
	Now   func() time.Time // the clock; nil means time.Now. fosite has its own, time.Now
}

// TokenRules say how long tokens live and what their holders must show. The zero value is good.
type TokenRules struct {
	AccessTokenLifetime time.Duration // 0 means 10 min
	// RefreshLifetime is the absolute limit of refresh tokens with offline_access, SessionRefreshLifetime that of those which
	// die with the browser session; RefreshIdle is how long either may lie unused.
	RefreshLifetime        time.Duration // 0 means 90 days
	SessionRefreshLifetime time.Duration // 0 means 8 h
	RefreshIdle            time.Duration // 0 means 14 days
	// RefreshGrace is how long a refresh token that was used may come again, its answer having been lost, and RefreshRetries
	// how often.
	RefreshGrace   time.Duration // 0 means 20 s
	RefreshRetries int           // 0 means 2, a negative number never

	// DPoPNonce demands a nonce of ours in every DPoP proof (RFC 9449, 8): a proof then cannot have been made long before it
	// is used, at the cost of one more request now and then. Without it a nonce that comes must be ours all the same.
	DPoPNonce bool
}

// A Provider reads authorization requests, issues codes and tokens and describes itself. Safe for concurrent use.
type Provider struct {
	cfg      Config
	fosite   fosite.OAuth2Provider
	tokens   *seal.Sealer
	nonces   nonces
	metadata *document
	jwks     atomic.Pointer[document] // of the set as it was last served
	fixed    Clients                  // of the configuration
	sources  *keySource
	objects  *objectSource
	parsed   parsedSets
	sectors  sectorProofs
	verdicts verdicts
	subjects sync.Pool // of hash.Hash: what HMAC computes from SubjectSecret alone is kept
}

const minSecret = 32 // bytes

// New returns a Provider.
func New(cfg Config) (*Provider, error) {
	if err := checkIssuer(cfg.Issuer); err != nil {
		return nil, err
	}
	if cfg.Store == nil || cfg.Sealer == nil || cfg.Keys == nil || cfg.Clients == nil {
		return nil, errors.New("oauth: store, sealer, keys and clients are needed")
	}
	if len(cfg.TokenSecrets) == 0 || len(cfg.SubjectSecret) < minSecret {
		return nil, errors.New("oauth: secrets of tokens and subjects of at least 32 bytes are needed")
	}
	var secrets [][]byte
	for _, s := range cfg.TokenSecrets {
		if len(s) < minSecret {
			return nil, errors.New("oauth: token secret is shorter than 32 bytes")
		}
		secrets = append(secrets, append([]byte(nil), s...))
	}
	cfg.TokenSecrets = secrets
	cfg.SubjectSecret = append([]byte(nil), cfg.SubjectSecret...)
	for lifetime, fallback := range map[*time.Duration]time.Duration{
		&cfg.CodeLifetime:        time.Minute,
		&cfg.AccessTokenLifetime: 10 * time.Minute,
		&cfg.IDTokenLifetime:     10 * time.Minute,

		&cfg.RefreshLifetime:        90 * 24 * time.Hour,
		&cfg.SessionRefreshLifetime: 8 * time.Hour,
		&cfg.RefreshIdle:            14 * 24 * time.Hour,
		&cfg.RefreshGrace:           20 * time.Second,
	} {
		if *lifetime < 0 {
			return nil, errors.New("oauth: negative lifetime")
		}
		if *lifetime == 0 {
			*lifetime = fallback
		}
	}
	if cfg.Keys.KeptFor() < cfg.IDTokenLifetime {
		return nil, fmt.Errorf("oauth: ID tokens live %s and their keys are published for %s", cfg.IDTokenLifetime, cfg.Keys.KeptFor())
	}
	if cfg.RefreshRetries == 0 {
		cfg.RefreshRetries = 2
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	fixed := cfg.Clients
	if cfg.Registration != nil {
		registration := *cfg.Registration
		if err := registration.fill(); err != nil {
			return nil, err
		}
		cfg.Registration = &registration
		cfg.Clients = &registeredClients{fixed: fixed, store: cfg.Store}
	}
	p := &Provider{cfg: cfg, fixed: fixed, sources: newKeySource(cfg.Fetch, cfg.Now), objects: newObjectSource(cfg.Fetch, cfg.Now)}
	var err error
	p.nonces = nonces{seal.Derive(cfg.TokenSecrets[0], "dpop nonce")}
	if p.tokens, err = tokenSealer(cfg.TokenSecrets); err != nil {
		return nil, err
	}
	p.fosite = p.engine(cfg)
	p.subjects.New = func() any { return hmac.New(sha256.New, cfg.SubjectSecret) }
	metadata, err := describeProvider(&cfg)
	if err != nil {
		return nil, err
	}
	p.metadata = newDocument(metadata)
	return p, nil
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(issuer, "/") {
		return fmt.Errorf("oauth: issuer %q is not an address without query, fragment and trailing slash", issuer)
	}
	host := u.Hostname()
	a, err := netip.ParseAddr(host)
	local := err == nil && a.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return fmt.Errorf("oauth: issuer %q is neither https nor on this computer", issuer)
	}
	return nil
}

// Client returns a registered client, or ErrUnknownClient.
func (p *Provider) Client(ctx context.Context, id string) (*Client, error) {
	return p.cfg.Clients.Client(ctx, id)
}
