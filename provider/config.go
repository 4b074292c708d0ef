package provider

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/provider/keys"
	"brama/provider/oauth"
	"brama/storage"
)

// Config is what a Provider needs. Everything is required but where it says otherwise.
type Config struct {
	// Issuer is the public address, exactly as in tokens: https, or http on a loopback address with Dev; no slash at the
	// end. All routes but /healthz and /readyz stand below its path.
	Issuer string
	Store  storage.Store
	// Secret is the root of all keys that stand outside the store: at least 32 random bytes. Without it what is stored
	// cannot be read, and with another one every pairwise subject is another.
	Secret []byte
	// Clients are the portals.
	Clients []oauth.Client
	// Connectors are the methods by id: "file", "upload", "demo" (with Dev only).
	Connectors map[string]connectors.Connector
	Audit      audit.Log
	// Fetch asks and tells the servers of portals (fetch.Client.Do); nil means that none is reached.
	Fetch oauth.FetchFunc
	// CertificateStatus asks again about certificates that have signed persons in, while refresh tokens live; nil asks nobody.
	CertificateStatus oauth.StatusFunc
	// TokenRules say how long tokens live; the zero value is good.
	TokenRules oauth.TokenRules
	// Keys sign tokens; nil opens those of the store, and makes them if there are none.
	Keys *keys.Keys
	// Signers sign tokens in place of keys in the store, by algorithm (keys.Config.External); may be nil.
	Signers map[string]crypto.Signer
	// NextSigners are published to take the place of Signers later (keys.Config.ExternalNext); may be nil.
	NextSigners map[string]crypto.Signer
	// RotateKeysEvery is how long a key of the store signs; 0 means 90 days.
	RotateKeysEvery time.Duration
	// KeyAlgorithms are those of which there is a key; nil means every one that keys knows. ES256 has to be one of them.
	KeyAlgorithms []string
	// RevokedKeys are ids of signing keys that are known to somebody else (keys.Config.Revoked).
	RevokedKeys []string
	// Ready tells what keeps the server from its work (a stale trusted list), nil if nothing; may be nil.
	Ready func(context.Context) error
	// MTLS says where client certificates come from; the zero value takes none.
	MTLS MTLS
	// TrustedProxies say for whom they ask; the zero value believes nobody.
	TrustedProxies TrustedProxies
	// Registration lets clients register themselves; nil has no such endpoint.
	Registration *oauth.RegistrationConfig
	// BlockedPersons are ids of persons (as in the audit) who do not sign in, and who lose what they have when the provider is made.
	BlockedPersons []string
	// RequirePAR takes requests from nobody but by PAR (RFC 9126, 5); a client may be registered for that by itself.
	RequirePAR bool
	// Operator is named on the pages; may be empty.
	Operator Operator
	// Dev shows the yellow bar and takes an issuer on loopback over http.
	Dev bool
	// Log gets one line a request; nil means slog.Default.
	Log *slog.Logger
	// Now is the clock, nil meaning time.Now.
	Now func() time.Time
}

// An Operator is who runs this server.
type Operator struct{ Name, Contact string }

const minSecret = 32 // bytes

func (c *Config) check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(c.Issuer, "/"):
		return fmt.Errorf("provider: issuer %q is not an address without query, fragment and slash at the end", c.Issuer)
	case u.Scheme != "https" && !c.Dev:
		return fmt.Errorf("provider: issuer %q is not https", c.Issuer)
	case c.Store == nil, c.Audit == nil:
		return errors.New("provider: store and audit are needed")
	case len(c.Secret) < minSecret:
		return fmt.Errorf("provider: secret of %d bytes, want at least %d", len(c.Secret), minSecret)
	case len(c.Connectors) == 0:
		return errors.New("provider: no connector")
	}
	// The demo persons' keys are everybody's (threat T92).
	if _, demo := c.Connectors["demo"]; demo && !c.Dev {
		return errors.New("provider: the method demo exists in dev only")
	}
	if c.Registration != nil && c.Registration.Open && !c.Dev {
		return errors.New("provider: registration without a token exists in dev only")
	}
	return errors.Join(c.MTLS.check(), c.TrustedProxies.check())
}
