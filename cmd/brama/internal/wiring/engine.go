package wiring

import (
	"context"
	"errors"
	"time"

	"brama/connectors"
	"brama/connectors/filekey"
	"brama/connectors/levels"
	"brama/connectors/token"
	"brama/connectors/upload"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cmp"
	"brama/internal/qes/cms"
	"brama/internal/qes/revocation"
	"brama/internal/qes/trustlist"
	"brama/provider/oauth"
)

// Trust is what the engine believes, and how it reaches the providers of trust services.
type Trust struct {
	Store *trustlist.Store
	// Version names what the store was made from, for the evidence.
	Version string
	Fetch   *fetch.Client
	// Levels is the policy that gives levels; nil is the one in the program.
	Levels *levels.Policy
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// An Engine validates signatures and finds certificates.
type Engine struct {
	trust Trust
	clock *revocation.Clock
	// Validator takes signatures with the attribute purpose=login, as our own programs make them.
	Validator *qes.Validator
	// Remote takes signatures of other people's systems: without the attribute, which they cannot add.
	Remote *qes.Validator
	// Documents judges what other systems have signed themselves.
	Documents *qes.DocumentValidator
	own       *qes.Validator // of other programs: without the attribute, and larger
	Search    *cmp.Client
}

// NewEngine puts the engine together.
func NewEngine(t Trust) (*Engine, error) {
	if t.Store == nil || t.Fetch == nil {
		return nil, errors.New("wiring: trust store and outbound client are needed")
	}
	if t.Now == nil {
		t.Now = time.Now
	}
	clock := new(revocation.Clock)
	status, err := revocation.New(revocation.Config{
		Do:         t.Fetch.Do,
		Responders: t.Store.Responders,
		AllowsHost: t.Store.AllowsHost,
		CertID:     t.Store.CertID,
		Clock:      clock,
		Now:        t.Now,
	})
	if err != nil {
		return nil, err
	}
	validator, err := qes.New(qes.Config{Trust: t.Store, Revocation: status, Now: t.Now, Policy: qes.Policy{RequirePurpose: true}})
	if err != nil {
		return nil, err
	}
	remote, err := qes.New(qes.Config{Trust: t.Store, Revocation: status, Now: t.Now})
	if err != nil {
		return nil, err
	}
	documents, err := qes.NewDocumentValidator(qes.DocumentConfig{Trust: t.Store, Revocation: status, Now: t.Now})
	if err != nil {
		return nil, err
	}
	own, err := qes.New(qes.Config{Trust: t.Store, Revocation: status, Now: t.Now, Policy: qes.Policy{Limits: cms.UploadLimits}})
	if err != nil {
		return nil, err
	}
	search, err := cmp.New(cmp.Config{Do: t.Fetch.Do, Now: t.Now, Services: func() []cmp.Service {
		var services []cmp.Service
		for _, p := range t.Store.Providers(t.Now()) {
			if p.CMP != "" {
				services = append(services, cmp.Service{Issuer: p.ID(), URL: p.CMP})
			}
		}
		return services
	}})
	if err != nil {
		return nil, err
	}
	return &Engine{trust: t, clock: clock, Validator: validator, Remote: remote, Documents: documents, own: own, Search: search}, nil
}

// TrustList names the version of the trusted list, for the evidence.
func (e *Engine) TrustList() string { return e.trust.Version }

// Ready tells why nobody can sign in: the trusted list cannot be used, or our clock is wrong. nil if neither.
func (e *Engine) Ready(context.Context) error {
	if len(e.trust.Store.Providers(e.trust.Now())) == 0 {
		return errors.New("no provider of the directory has a proven certificate in the trusted bundles")
	}
	return e.clock.Err(e.trust.Now())
}

// CertificateStatus asks about a certificate that has signed somebody in before.
func (e *Engine) CertificateStatus(ctx context.Context, certificate []byte) error {
	res, err := e.Remote.Standing(ctx, certificate)
	if err == nil {
		return nil
	}
	return &oauth.StatusError{Code: string(qes.CodeOf(err)), Ended: res.Indication == qes.Failed, Err: err}
}

// Tokens are the settings of the methods token and upload. The zero value is the usual one.
type Tokens struct {
	AgentPort     int            // where the agents listen; 0 means token.AgentPort
	WithoutDevice connectors.LoA // of certificates that do not name a qualified device; "" means substantial
	// RemoteKeys are certificates that upload refuses besides those that it knows (threat T3).
	RemoteKeys []upload.RemoteProfile
}

// Connectors returns the methods that both serve and dev offer.
func (e *Engine) Connectors(t Tokens) (map[string]connectors.Connector, error) {
	var issuers []filekey.Issuer
	var tokenIssuers []token.Issuer
	for _, p := range e.trust.Store.Providers(e.trust.Now()) {
		issuers = append(issuers, filekey.Issuer{ID: p.ID(), Name: p.Name(), Names: p.IssuerCNs})
		tokenIssuers = append(tokenIssuers, token.Issuer{ID: p.ID(), Name: p.Name()})
	}
	version := func() string { return e.trust.Version }
	file, err := filekey.New(filekey.Config{Verifier: e.Validator, Issuers: issuers, Search: e.Search.FindCertificates, Levels: e.trust.Levels, TrustList: version, Now: e.trust.Now})
	if err != nil {
		return nil, err
	}
	own, err := upload.New(upload.Config{Verifier: e.own, RemoteProfiles: t.RemoteKeys, Levels: e.trust.Levels, TrustList: version, Now: e.trust.Now})
	if err != nil {
		return nil, err
	}
	hardware, err := token.New(token.Config{Verifier: e.Validator, Levels: e.trust.Levels, WithoutDevice: t.WithoutDevice, Issuers: tokenIssuers,
		Search: e.Search.FindCertificates, AgentPort: t.AgentPort, TrustList: version, Now: e.trust.Now})
	if err != nil {
		return nil, err
	}
	return map[string]connectors.Connector{filekey.Method: file, token.Method: hardware, upload.Method: own}, nil
}
