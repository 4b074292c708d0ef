package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"brama/internal/audit"
	"brama/storage"
)

// PathRegister is the registration endpoint (RFC 7591); a client is managed below it (RFC 7592).
const PathRegister = "/register"

// A RegistrationConfig lets clients register themselves.
type RegistrationConfig struct {
	// Open lets anyone register, with every right that metadata can ask for, the implicit flow among them. It is for `brama dev`
	// and tests.
	Open bool
	// Tokens open the endpoint. Without Open and tokens nobody registers.
	Tokens []InitialToken
	// Claims are those that a registered client may receive beyond names, if it asks; without Open.
	Claims []string
	// MaxClients bounds the registered clients; 0 means 1000.
	MaxClients int
	// Unused is how long a client stays that never proved itself; 0 means 48 hours. Idle is how long after it last did; 0 means
	// a year.
	Unused, Idle time.Duration
}

// An InitialToken is an initial access token (RFC 7591, 1.2), of at least 128 random bits.
type InitialToken struct {
	Name    string    // who has it, for the record
	Hash    []byte    // HashSecret of it
	Expires time.Time // zero means never
}

func (c *RegistrationConfig) fill() error {
	if c.MaxClients < 0 || c.Unused < 0 || c.Idle < 0 {
		return errors.New("oauth: negative limit of registration")
	}
	if c.MaxClients == 0 {
		c.MaxClients = 1000
	}
	if c.Unused == 0 {
		c.Unused = 48 * time.Hour
	}
	if c.Idle == 0 {
		c.Idle = 365 * 24 * time.Hour
	}
	for _, t := range c.Tokens {
		if len(t.Hash) != sha256.Size || !validID(t.Name) {
			return fmt.Errorf("oauth: initial access token %q needs a plain name and a SHA-256", t.Name)
		}
	}
	for _, n := range c.Claims {
		if !slices.Contains(optionalClaims, n) && !slices.Contains(nameClaims, n) {
			return fmt.Errorf("oauth: unknown claim %q of registered clients", n)
		}
	}
	return nil
}

func registrationEndpoint(cfg *Config) string {
	if cfg.Registration == nil {
		return ""
	}
	return cfg.Issuer + PathRegister
}

// Register is the registration endpoint (RFC 7591, 3). It is served only where Config has a RegistrationConfig.
func (p *Provider) Register(w http.ResponseWriter, r *http.Request) {
	answer, err := p.register(r)
	if err != nil {
		p.refuseRegistration(w, r, "registration refused", err)
		return
	}
	writeJSON(w, http.StatusCreated, answer)
}

// A registered is the answer to a registration (RFC 7591, 3.2.1; RFC 7592, 3).
type registered struct {
	Registration
	IssuedAt      int64  `json:"client_id_issued_at"`
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"` // 0 means never; there is one if there is a secret
	URI           string `json:"registration_client_uri"`
	Token         string `json:"registration_access_token"`
}

func (p *Provider) register(r *http.Request) (*registered, error) {
	by, err := p.initialToken(r)
	if err != nil {
		return nil, err
	}
	m, _, err := readRegistration(r)
	if err != nil {
		return nil, err
	}
	if m.ClientID != "" || m.ClientSecret != "" {
		return nil, faulty("client_id and client_secret are not for the client to choose")
	}
	m.ClientID = "dyn-" + newSecret()[:22]
	secret, hash, err := p.admit(r.Context(), m, nil)
	if err != nil {
		return nil, err
	}
	token := newSecret()
	now := p.cfg.Now().UTC()
	stored := storage.RegisteredClient{ID: m.ClientID, Secret: hash, Token: HashSecret(token), By: by, Created: now, Expires: now.Add(p.cfg.Registration.Unused)}
	if stored.Metadata, err = json.Marshal(m); err != nil {
		return nil, err
	}
	if err := p.auditClient(r.Context(), "client.registered", m.ClientID); err != nil {
		return nil, err
	}
	err = p.cfg.Store.Update(r.Context(), func(tx storage.Tx) error {
		n, err := storage.CountClients(tx, p.cfg.Registration.MaxClients)
		if err != nil {
			return err
		}
		if n >= p.cfg.Registration.MaxClients {
			return errTooManyClients
		}
		return storage.InsertClient(tx, stored)
	})
	if err != nil {
		return nil, err
	}
	p.forgetOrigins()
	m.ClientSecret = secret
	return p.registeredAnswer(m, &stored, token), nil
}

var errTooManyClients = &Error{Code: "temporarily_unavailable", Description: "no more clients can be registered now", Status: http.StatusServiceUnavailable}

// newSecret returns 256 random bits.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (p *Provider) auditClient(ctx context.Context, action, id string) error {
	if p.cfg.Audit == nil {
		return nil
	}
	return p.cfg.Audit.Record(ctx, audit.Event{Action: action, Outcome: audit.Passed, Client: id})
}

// initialToken returns the name of the initial access token of a request.
func (p *Provider) initialToken(r *http.Request) (string, error) {
	token, ok := bearerToken(r)
	if ok {
		hash := HashSecret(token)
		found := ""
		for _, t := range p.cfg.Registration.Tokens {
			// Every one is compared, whichever fits.
			if subtle.ConstantTimeCompare(hash, t.Hash) == 1 && (t.Expires.IsZero() || p.cfg.Now().Before(t.Expires)) {
				found = t.Name
			}
		}
		if found != "" {
			return found, nil
		}
	}
	if p.cfg.Registration.Open && !ok {
		return "", nil
	}
	return "", errBadToken
}

var errBadToken = &Error{Code: "invalid_token", Description: "the access token is missing or not good here", Status: http.StatusUnauthorized}

// bearerToken reads the one Authorization header of a request (RFC 6750, 2.1).
func bearerToken(r *http.Request) (string, bool) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", len(headers) != 0
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(token), true
}

func readRegistration(r *http.Request) (*Registration, []byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, nil, &Error{Code: "invalid_request", Description: "body is not application/json", Status: http.StatusBadRequest}
	}
	if r.URL.RawQuery != "" {
		return nil, nil, &Error{Code: "invalid_request", Description: "parameters belong into the body", Status: http.StatusBadRequest}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRegistration+1))
	if err != nil {
		return nil, nil, &Error{Code: "invalid_request", Description: "body cannot be read", Status: http.StatusBadRequest}
	}
	m, err := ParseRegistration(body)
	return m, body, err
}

// checkPublicURI keeps addresses of portals outside dev to https and a name: whatever runs on a person's computer is an application
// of the native kind, and an address of a host is nobody's name.
func checkPublicURI(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(u.Hostname()); u.Scheme != "https" || err == nil || loopbackName(u.Hostname()) {
		return errors.New("is not https with the name of a host")
	}
	return nil
}

// admit decides whether metadata can be registered, fills in what was left out, and returns the secret if the client needs a
// new one, and the hash of the one it has. old is the client as it was, nil for a new one.
func (p *Provider) admit(ctx context.Context, m *Registration, old *storage.RegisteredClient) (secret string, hash []byte, err error) {
	policy := p.cfg.Registration
	if !policy.Open {
		asked := m.OperatorMetadata
		for _, c := range asked.Claims {
			if !slices.Contains(policy.Claims, c) {
				return "", nil, faulty("claim %q is not for clients that register themselves", c)
			}
		}
		asked.Claims, asked.RequiredClaims = nil, nil
		if asked.Consent == ConsentFirst { // what we said ourselves comes back in a change
			asked.Consent = ""
		}
		if !reflect.ValueOf(asked).IsZero() {
			return "", nil, faulty("a member is set that only the operator sets")
		}
		if slices.Contains(m.GrantTypes, GrantClientCredentials) {
			return "", nil, faulty("grant type %s is not for clients that register themselves", GrantClientCredentials)
		}
		if m.ApplicationType != "native" && checkPublicURI(p.cfg.Issuer) == nil {
			for _, u := range slices.Concat(m.RedirectURIs, m.PostLogoutRedirectURIs) {
				if err := checkPublicURI(u); err != nil {
					return "", nil, &invalid{invalidRedirectURI, fmt.Errorf("redirect_uri %q: %w", u, err)}
				}
			}
		}
		// Nobody looked at it yet: the person decides.
		m.Consent = ConsentFirst
	} else {
		p.openDefaults(m)
	}
	m.SecretSHA256 = ""
	m.fillDynamic()
	needs := m.AuthMethod == AuthBasic || m.AuthMethod == AuthPost
	switch {
	case needs && old != nil && len(old.Secret) != 0:
		hash = old.Secret
	case needs:
		secret = newSecret()
		hash = HashSecret(secret)
	}
	c, err := m.Client()
	if err != nil {
		return "", nil, err
	}
	c.SecretHash = hash
	if err := c.Validate(); err != nil {
		return "", nil, err
	}
	if err := c.offeredBy(&p.cfg); err != nil {
		return "", nil, err
	}
	if err := p.proveSectorAnew(ctx, &c); err != nil {
		if !errors.Is(err, errSector) {
			return "", nil, err
		}
		return "", nil, faulty("%w", err)
	}
	return secret, hash, nil
}

// openDefaults gives clients of the open endpoint what tools for tests need and cannot ask for: they know PKCE as an option
// only, want to see claims, and make assertions for the token endpoint.
func (p *Provider) openDefaults(m *Registration) {
	public := m.AuthMethod == AuthNone
	if m.PKCE == "" && !public && m.Profile == "" {
		m.PKCE = "optional"
		if m.Nonce == "" {
			m.Nonce = "optional"
		}
	}
	if m.Claims == nil {
		m.Claims = slices.Clone(optionalClaims)
	}
	if m.SubjectType == "" && m.SectorIdentifierURI == "" && m.Sector == "" && slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return hostname(uri) != hostname(m.RedirectURIs[0]) }) {
		m.SubjectType = Public // it did not ask for a choice, and there is no sector to make pairwise ones for
	}
	if m.AuthMethod == AuthPrivateKeyJWT && m.AssertionAudience == "" && m.Profile == "" {
		m.AssertionAudience = AudienceTokenEndpoint
	}
}

func (p *Provider) registeredAnswer(m *Registration, c *storage.RegisteredClient, token string) *registered {
	a := &registered{Registration: *m, IssuedAt: c.Created.Unix(), URI: p.cfg.Issuer + PathRegister + "/" + c.ID, Token: token}
	if len(c.Secret) != 0 {
		a.SecretExpires = new(int64)
	}
	return a
}

// refuseRegistration answers by RFC 7591, 3.2.2, and where a token was wrong by RFC 6750, 3.
func (p *Provider) refuseRegistration(w http.ResponseWriter, r *http.Request, message string, err error) {
	var e *Error
	var bad *invalid
	switch {
	case errors.As(err, &bad):
		e = &Error{Code: bad.kind, Description: bad.Error(), Status: http.StatusBadRequest, Err: err}
	case errors.Is(err, storage.ErrConflict):
		e = &Error{Code: "temporarily_unavailable", Description: "another request changes the same client", Status: http.StatusServiceUnavailable, Err: err}
	default:
		e = publicError(err)
	}
	p.logRefusal(r.Context(), message, "", e)
	if e.Code == "invalid_token" {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	writeError(w, e)
}

func hostname(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
