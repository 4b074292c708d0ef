package provider

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"brama/provider/authflow"
	"brama/provider/backchannel"
	"brama/provider/keys"
	"brama/provider/oauth"
	"brama/provider/session"
	"brama/provider/web"
	"brama/storage"
	"brama/storage/seal"
)

// A Provider serves the whole public listener. Safe for concurrent use.
type Provider struct {
	cfg     Config
	site    *web.Site
	cookies *session.Cookies
	limit   *limiter
	keys    *keys.Keys
	handler http.Handler
	blocked map[string]bool     // persons
	sender  *backchannel.Sender // nil if no portal can be reached
}

var _ http.Handler = (*Provider)(nil)

// New checks cfg and puts the provider together. Signing keys are made in the store if it has none.
func New(cfg Config) (*Provider, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	p := &Provider{cfg: cfg, limit: newLimiter(cfg.Now), blocked: map[string]bool{}}
	for _, person := range cfg.BlockedPersons {
		p.blocked[person] = true
	}
	var err error
	p.site, err = web.New(web.Config{Issuer: cfg.Issuer, Dev: cfg.Dev, Operator: cfg.Operator.Name, Contact: cfg.Operator.Contact, Logos: logosOf(cfg.Clients)})
	if err != nil {
		return nil, err
	}
	if p.cookies, err = session.NewCookies(cfg.Issuer); err != nil {
		return nil, err
	}
	// One root, a key for each purpose: none can be used for another's.
	sealer, err := seal.New(seal.Derive(cfg.Secret, "store"))
	if err != nil {
		return nil, err
	}
	if p.keys, err = openKeys(cfg, sealer); err != nil {
		return nil, fmt.Errorf("opening the signing keys: %w", err)
	}
	engine, err := p.newEngine(sealer)
	if err != nil {
		return nil, err
	}
	steps, err := session.NewSealer(cfg.Now, seal.Derive(cfg.Secret, "browser"))
	if err != nil {
		return nil, err
	}
	vault, err := storage.NewVault(sealer, seal.Derive(cfg.Secret, "identifier index"))
	if err != nil {
		return nil, err
	}
	if p.sender, err = p.newSender(engine); err != nil {
		return nil, err
	}
	flow, err := authflow.New(authflow.Config{
		Farewell: p.farewell, Blocked: p.blocked,
		Issuer: cfg.Issuer, OAuth: engine, Store: cfg.Store, Vault: vault, Seal: sealer, Sealer: steps, Cookies: p.cookies,
		Audit: cfg.Audit, Site: p.site, Connectors: cfg.Connectors, NotifyKey: notifyKey(cfg.Secret), Event: eventOf, Report: report, Now: cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	for _, client := range cfg.Clients {
		if err := flow.Serves(&client); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := flow.EndBlocked(ctx); err != nil {
		return nil, err
	}
	router := p.routes(flow, engine)
	table := newRouteTable(router)
	table.mark(machinePaths(p.site.Base())...)
	p.handler = p.guard(table, p.withPeer(p.withAddress(dispatch(router))))
	return p, nil
}

func logosOf(clients []oauth.Client) map[string][]byte {
	logos := map[string][]byte{}
	for i := range clients {
		if logo := clients[i].Logo; logo != nil {
			logos[clients[i].ID] = logo
		}
	}
	return logos
}

// notifyKey makes the secret segments of the addresses of notifications.
func notifyKey(secret []byte) []byte { return seal.Derive(secret, "notify") }

// NotifyURL is where the provider behind a method sends its notifications: an address with a secret segment, which is given
// to that provider and to nobody else. It stays the same as long as issuer and secret do.
func NotifyURL(issuer string, secret []byte, method string) string {
	return issuer + "/notify/" + method + "/" + authflow.NotifySegment(notifyKey(secret), method)
}

// ReturnURL is the address of return that is registered with the system behind a method, letter for letter.
func ReturnURL(issuer, method string) string { return issuer + "/return/" + method }

// openKeys opens the signing keys, and makes those that the store has not.
func openKeys(cfg Config, sealer *seal.Sealer) (*keys.Keys, error) {
	if cfg.Keys != nil {
		return cfg.Keys, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return keys.Open(ctx, keys.Config{Store: cfg.Store, Sealer: sealer, External: cfg.Signers, ExternalNext: cfg.NextSigners,
		Algorithms: cfg.KeyAlgorithms, RotateEvery: cfg.RotateKeysEvery, Revoked: cfg.RevokedKeys, Log: cfg.Log, Now: cfg.Now})
}

// newEngine makes the OAuth half.
func (p *Provider) newEngine(sealer *seal.Sealer) (*oauth.Provider, error) {
	cfg, signing := p.cfg, p.keys
	registry, err := oauth.NewRegistry(cfg.Clients...)
	if err != nil {
		return nil, err
	}
	engine, err := oauth.New(oauth.Config{
		Issuer: cfg.Issuer, Store: cfg.Store, Sealer: sealer, Keys: signing, Clients: registry,
		TokenSecrets:  [][]byte{seal.Derive(cfg.Secret, "token")},
		SubjectSecret: seal.Derive(cfg.Secret, "subject"),
		TokenRules:    cfg.TokenRules,
		PersonAlive: func(tx storage.Tx, person string) error {
			if p.blocked[person] {
				return storage.ErrNotFound
			}
			_, err := tx.Get(storage.KindPerson, person)
			return err
		},
		CertificateStatus: cfg.CertificateStatus,
		FormPost:          p.formPost, RequirePAR: cfg.RequirePAR, Documentation: cfg.Issuer + web.DocsPath,
		Stranger: func(r *http.Request) bool { return p.limit.allow(r.RemoteAddr) },
		Fetch:    cfg.Fetch, MTLSBase: cfg.MTLS.Base, ClientCAs: cfg.MTLS.CAs, Registration: cfg.Registration,
		Audit: cfg.Audit, Log: cfg.Log, Now: cfg.Now,
	})
	if err != nil {
		return nil, err
	}
	for i := range cfg.Clients {
		if err := engine.Offers(&cfg.Clients[i]); err != nil {
			return nil, err
		}
	}
	return engine, nil
}

// farewell says that messages to portals are waiting.
func (p *Provider) farewell() {
	if p.sender != nil {
		p.sender.Wake()
	}
}

// Run does what is to be done without a request, until ctx ends: it keeps the signing keys fresh, and tells portals of the end of sessions. Whoever serves a provider
// runs it too.
func (p *Provider) Run(ctx context.Context) {
	var wg sync.WaitGroup
	if p.sender != nil {
		wg.Go(func() { p.sender.Run(ctx) })
	}
	p.keys.Run(ctx)
	wg.Wait()
}

// RotateKeys publishes the next signing keys now, before their time.
func (p *Provider) RotateKeys(ctx context.Context) error { return p.keys.Rotate(ctx) }

// ServeHTTP implements http.Handler.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// docPattern is the name of a guide, the one thing in an address that may hold a slash.
const docPattern = "{doc:[a-z0-9-]+(?:/[a-z0-9-]+)?}"

// routes is the one table of routes.
func (p *Provider) routes(flow *authflow.Flow, engine *oauth.Provider) *mux.Router {
	root := mux.NewRouter()
	get := []string{http.MethodGet, http.MethodHead}
	root.HandleFunc("/healthz", p.healthz).Methods(get...)
	root.HandleFunc("/readyz", p.readyz).Methods(get...)

	r := root
	if base := p.site.Base(); base != "" {
		r = root.PathPrefix(base).Subrouter()
	}
	byID := func(h func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { h(w, r, variable(r, "id")) }
	}
	byMethod := func(h func(http.ResponseWriter, *http.Request, string, string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { h(w, r, variable(r, "id"), variable(r, "method")) }
	}
	r.HandleFunc(oauth.PathDiscovery, engine.Discovery).Methods(get...)
	root.HandleFunc(oauth.PathMetadata+p.site.Base(), engine.Discovery).Methods(get...)
	r.HandleFunc(oauth.PathJWKS, engine.JWKS).Methods(get...)
	r.HandleFunc(oauth.PathAuthorize, p.limited(flow.Authorize)).Methods(http.MethodGet, http.MethodPost)
	r.HandleFunc(oauth.PathPAR, engine.Push).Methods(http.MethodPost)
	r.HandleFunc(oauth.PathToken, engine.Token).Methods(http.MethodPost, http.MethodOptions)
	r.HandleFunc(oauth.PathRevoke, engine.Revoke).Methods(http.MethodPost, http.MethodOptions)
	r.HandleFunc(oauth.PathIntrospect, engine.Introspect).Methods(http.MethodPost)
	r.HandleFunc(oauth.PathUserInfo, engine.UserInfo).Methods(http.MethodGet, http.MethodPost, http.MethodOptions)

	r.HandleFunc(oauth.PathLogout, p.limited(flow.Logout)).Methods(http.MethodGet, http.MethodPost)
	r.HandleFunc(oauth.PathLogout+"/confirm", p.limited(flow.ConfirmLogout)).Methods(http.MethodPost)

	if p.cfg.Registration != nil {
		r.HandleFunc(oauth.PathRegister, p.limited(engine.Register)).Methods(http.MethodPost)
		r.HandleFunc(oauth.PathRegister+"/{client}", p.limited(func(w http.ResponseWriter, r *http.Request) {
			engine.ManageClient(w, r, variable(r, "client"))
		})).Methods(http.MethodGet, http.MethodPut, http.MethodDelete)
	}

	login := "/login/{id}"
	r.HandleFunc(login, byID(flow.Resume)).Methods(http.MethodGet)
	r.HandleFunc(login+"/leave", byID(flow.Leave)).Methods(http.MethodGet)
	r.HandleFunc(login+"/restart", byID(flow.Restart)).Methods(http.MethodGet)
	r.HandleFunc(login+"/longer", byID(flow.Longer)).Methods(http.MethodPost)
	r.HandleFunc(login+"/other", byID(flow.Other)).Methods(http.MethodPost)
	r.HandleFunc(login+"/confirm", byID(flow.Confirm)).Methods(http.MethodGet)
	r.HandleFunc(login+"/confirm", byID(flow.Enter)).Methods(http.MethodPost)
	r.HandleFunc(login+"/continue", byID(flow.Continue)).Methods(http.MethodGet)
	r.HandleFunc(login+"/continue", byID(flow.EnterAgain)).Methods(http.MethodPost)
	r.HandleFunc(login+"/upload/request.txt", byID(flow.Download)).Methods(http.MethodGet)
	r.HandleFunc(login+"/{method}", byMethod(flow.Tab)).Methods(http.MethodGet)
	r.HandleFunc(login+"/{method}", p.limited(byMethod(flow.Submit))).Methods(http.MethodPost)
	r.HandleFunc(login+"/{method}/request", p.limited(byMethod(flow.Ask))).Methods(http.MethodPost)
	r.HandleFunc(login+"/{method}/certificates", p.limited(byMethod(flow.Search))).Methods(http.MethodPost)

	r.HandleFunc(login+"/{method}/poll", byMethod(flow.Poll)).Methods(http.MethodPost)

	// What other systems and telephones know. None of it is a right: that is the ticket in the browser's cookie.
	named := func(h func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { h(w, r, variable(r, "method")) }
	}
	r.HandleFunc("/return/{method}", p.limited(named(flow.Return))).Methods(http.MethodGet)
	r.HandleFunc("/return/{method}", p.limited(named(flow.ReturnPost))).Methods(http.MethodPost)
	r.HandleFunc("/return/{method}/not-me", p.limited(named(flow.NotMe))).Methods(http.MethodPost)
	r.HandleFunc("/return/{method}/{handle}", p.limited(func(w http.ResponseWriter, r *http.Request) {
		flow.Link(w, r, variable(r, "method"), variable(r, "handle"))
	})).Methods(http.MethodGet)
	r.HandleFunc("/notify/{method}/{secret}", func(w http.ResponseWriter, r *http.Request) {
		flow.Notify(w, r, variable(r, "method"), variable(r, "secret"))
	}).Methods(http.MethodPost)

	for _, page := range []string{"help", "accessibility", "privacy", "feedback"} {
		r.HandleFunc("/"+page, p.info(page)).Methods(get...)
	}
	r.HandleFunc(web.DocsPath, func(w http.ResponseWriter, r *http.Request) { p.docs(w, r, "") }).Methods(get...)
	r.HandleFunc(web.KitPath+"/{file:[a-z]+\\.[a-z]+}", p.kit).Methods(get...)
	r.HandleFunc(web.DocsPath+"/"+docPattern, func(w http.ResponseWriter, r *http.Request) { p.docs(w, r, variable(r, "doc")) }).Methods(get...)
	r.HandleFunc(web.LogoPath+"/{file:[0-9a-f]{64}\\.png}", p.logo).Methods(get...)
	r.PathPrefix("/static/").Handler(p.site.Assets())
	r.HandleFunc("/favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		icon, _ := p.site.Assets().URL("icon.svg") // it is there: the templates use it
		http.Redirect(w, r, icon, http.StatusSeeOther)
	}).Methods(get...)

	root.Use(nameRoute, p.shaped)
	root.NotFoundHandler = p.notFound(http.StatusNotFound)
	root.MethodNotAllowedHandler = p.notFound(http.StatusMethodNotAllowed)
	return root
}

// nameRoute gives the log the pattern of the address: an address itself may hold what a log must not.
func nameRoute(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e := entryOf(r.Context()); e != nil && e.found.handler == nil {
			if route := mux.CurrentRoute(r); route != nil {
				template, err := route.GetPathTemplate()
				if err == nil {
					e.route = routeName(template)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}
