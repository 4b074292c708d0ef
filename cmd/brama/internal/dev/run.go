package dev

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/demo"
	"brama/connectors/diia"
	"brama/connectors/upload"
	"brama/internal/demokeys"
	"brama/internal/demoportal"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/qestest"
	"brama/internal/qes/trustlist"
	"brama/provider"
	"brama/provider/oauth"
)

// portalID is the demo portal's client.
const portalID = "demo-portal"

// Run runs the verb until ctx ends and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "brama dev:", err)
		return 2
	}
	if err := run(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "brama dev:", err)
		return 1
	}
	return 0
}

// A ready is the line of --json.
type ready struct {
	Issuer       string      `json:"issuer"`
	Portal       string      `json:"portal"`
	KeysDir      string      `json:"keys_dir"`
	KeysPassword string      `json:"keys_password"`
	Clients      []announced `json:"clients"`
	OCSP         string      `json:"ocsp"`
	TSP          string      `json:"tsp"`
	CMP          string      `json:"cmp"`
	// TrustDir holds the roots of the test provider and a bundle of its certificates.
	TrustDir string  `json:"trust_dir"`
	Doubles  Doubles `json:"doubles"`
	// TLS is the file of the self-signed certificate, with --tls.
	TLS string `json:"tls_certificate,omitempty"`
}

type announced struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret,omitempty"`
	RedirectURIs []string `json:"redirect_uris"`
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	wiring.CollectOften()
	log := wiring.NewLog(stderr)
	data, clean, err := openData(o.data)
	if err != nil {
		return err
	}
	defer clean()
	listeners, err := listen(o.port)
	if err != nil {
		return err
	}
	listeners[0] = wiring.WholeListener(listeners[0])
	scheme, client := "http", (*http.Client)(nil)
	r := ready{KeysDir: filepath.Join(data, "keys"), KeysPassword: demokeys.Password}
	if o.tls {
		certificate, pool, err := selfSigned(data)
		if err != nil {
			return err
		}
		scheme = "https"
		r.TLS = filepath.Join(data, "tls.pem")
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
		speak := wiring.ServerTLS(certificate)
		speak.ClientAuth = tls.RequestClientCert
		listeners[0] = tls.NewListener(listeners[0], speak)
	}
	r.Issuer = scheme + "://" + listeners[0].Addr().String()
	r.Portal = "http://" + listeners[1].Addr().String()

	services, err := qestest.New(qestest.Config{BaseURL: "http://" + listeners[2].Addr().String(), Diia: true})
	if err != nil {
		return err
	}
	if r.OCSP, err = services.Address(qestest.Main, qestest.ServiceOCSP); err != nil {
		return err
	}
	if r.TSP, err = services.Address(qestest.Main, qestest.ServiceTSP); err != nil {
		return err
	}
	if r.CMP, err = services.Address(qestest.Main, qestest.ServiceCMP); err != nil {
		return err
	}
	keys, err := demokeys.New(services)
	if err != nil {
		return err
	}
	if err := keys.WriteTokens(filepath.Join(r.KeysDir, "token")); err != nil {
		return err
	}
	if err := keys.Write(r.KeysDir); err != nil {
		return err
	}
	r.TrustDir = filepath.Join(data, "trust")
	if err := writeTrust(r.TrustDir, services); err != nil {
		return err
	}

	portalSecret := rand.Text()
	registrations := []oauth.Registration{{ClientID: portalID, ClientSecret: portalSecret, RedirectURIs: []string{r.Portal + "/callback"},
		ClientName: "Електронний кабінет", ClientURI: r.Portal}}
	registrations[0].Home, registrations[0].Claims, registrations[0].Certificate = r.Portal, claims, true
	registrations[0].RequiredClaims = []string{"name", "rnokpp"}
	for _, name := range o.clients {
		more, err := readClients(name)
		if err != nil {
			return err
		}
		registrations = append(registrations, more...)
	}
	var clients []oauth.Client
	for _, c := range registrations {
		client, err := c.Client()
		if err != nil {
			return fmt.Errorf("client %q: %w", c.ClientID, err)
		}
		clients = append(clients, client)
		r.Clients = append(r.Clients, announced{c.ClientID, c.ClientSecret, c.RedirectURIs})
	}

	clients[0].PostLogoutRedirectURIs = []string{r.Portal + "/signed-out"}
	clients[0].BackchannelLogoutURI = r.Portal + "/session-ended"

	serving, stop := context.WithCancel(ctx)
	defer stop()
	others := &doubles{issuer: r.Issuer, services: services, wait: o.wait, scope: diia.Scope(o.diiaScope)}
	defer others.stop()
	access, err := o.access(r.Issuer)
	if err != nil {
		return err
	}
	handler, closeAll, err := newProvider(serving, r.Issuer, data, clients, services, keys, o.agent, access, others, listeners[3:], log)
	if err != nil {
		return err
	}
	defer closeAll()
	r.Doubles = others.where
	portal, err := demoportal.New(demoportal.Config{Issuer: r.Issuer, ClientID: portalID, ClientSecret: portalSecret, BaseURL: r.Portal,
		Scopes: []string{"openid", "profile", "ua.person", "ua.organization", "ua.certificate"}, Client: client})
	if err != nil {
		return err
	}
	if err := announce(stdout, o.json, r); err != nil {
		return err
	}
	go wiring.KeepMemory(serving)
	return wiring.Serve(ctx, log,
		wiring.Site{Listener: listeners[0], Handler: handler},
		wiring.Site{Listener: listeners[1], Handler: portal.Handler()},
		wiring.Site{Listener: listeners[2], Handler: services.Handler()})
}

// newProvider is the provider of serve with the test trust service provider in place of the national pins, and the method
// demo beside the others.
func newProvider(ctx context.Context, issuer, data string, clients []oauth.Client, services *qestest.Provider, keys *demokeys.Set, agentPort int, access clientAccess, others *doubles, listeners []net.Listener, log *slog.Logger) (http.Handler, func(), error) {
	trust := services.TrustConfig()
	store, err := trustlist.New(trust)
	if err != nil {
		return nil, nil, err
	}
	outbound, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		return nil, nil, err
	}
	engine, err := wiring.NewEngine(wiring.Trust{Store: store, Version: "brama dev", Fetch: outbound})
	if err != nil {
		return nil, nil, err
	}
	methods, err := engine.Connectors(wiring.Tokens{AgentPort: agentPort, RemoteKeys: []upload.RemoteProfile{{Issuer: qestest.DiiaEDRPOU}}})
	if err != nil {
		return nil, nil, err
	}
	if methods[demo.Method], err = demo.New(demo.Config{Verifier: engine.Validator, Persons: keys.Persons(), Sign: demoSigner(keys)}); err != nil {
		return nil, nil, err
	}
	secret, err := rootSecret(data)
	if err != nil {
		return nil, nil, err
	}
	state, err := wiring.OpenState(data, secret)
	if err != nil {
		return nil, nil, err
	}
	others.secret, others.engine, others.outbound, others.store = secret, engine, outbound, state.Store
	if err := others.start(ctx, log, listeners); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting the doubles: %w", err), state.Close())
	}
	maps.Copy(methods, others.methods)
	handler, err := provider.New(provider.Config{
		Issuer: issuer, Store: state.Store, Secret: secret, Clients: clients, Connectors: methods, Audit: state.Audit, Ready: engine.Ready,
		CertificateStatus: engine.CertificateStatus,
		Operator:          provider.Operator{Name: "brama dev"}, Dev: true, Log: log,
		Fetch: access.fetch.Do, MTLS: access.mtls, Registration: access.registration, KeyAlgorithms: access.algorithms,
	})
	if err != nil {
		return nil, nil, errors.Join(err, state.Close())
	}
	others.provider.Store(handler)
	background, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { handler.Run(background) })
	running.Go(func() { rotateWhenAsked(background, handler, log) })
	return handler, func() {
		stop()
		running.Wait()
		if err := state.Close(); err != nil {
			log.Error("closing the state", "err", err)
		}
	}, nil
}

// rotateWhenAsked publishes the next signing keys at each SIGUSR1, so that a portal's library can be seen to live through it.
func rotateWhenAsked(ctx context.Context, p *provider.Provider, log *slog.Logger) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			if err := p.RotateKeys(ctx); err != nil {
				log.Error("rotating the signing keys", "err", err)
			}
		}
	}
}

// demoSigner turns what a demo key cannot do into the refusal that the browser program would show.
func demoSigner(keys *demokeys.Set) demo.SignFunc {
	return func(ctx context.Context, person string, challenge []byte) ([]byte, error) {
		signature, err := keys.Sign(ctx, person, challenge)
		var cause *qes.Error
		if errors.As(err, &cause) {
			return nil, &connectors.Refusal{Code: string(cause.Code), Values: cause.Values, Err: err}
		}
		return signature, err
	}
}

// rootSecret is made at the first start of a data folder and kept there: it is worth as little as the folder.
func rootSecret(data string) ([]byte, error) {
	name := filepath.Join(data, "secret")
	if b, err := os.ReadFile(name); err == nil && len(b) == 32 {
		return b, nil
	}
	b := make([]byte, 32)
	rand.Read(b)
	return b, os.WriteFile(name, b, 0o600)
}

// announce prints where everything is: one line of JSON, or words.
func announce(w io.Writer, asJSON bool, r ready) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, `
  ТЕСТОВЕ СЕРЕДОВИЩЕ / TEST ENVIRONMENT (loopback only; Ctrl+C stops it)

  Портал / portal        %s
  Брама / issuer         %s
  Ключі / key folder     %s
  Пароль / password      %s
  OCSP                   %s
  TSP                    %s
  CMP                    %s
  Довіра / trust         %s
  Дія / Diia             %s
  Хмара / cloud          %s  %s
  MobileID               %s  %s
`, r.Portal, r.Issuer, r.KeysDir, r.KeysPassword, r.OCSP, r.TSP, r.CMP, r.TrustDir, r.Doubles.Diia, r.Doubles.Cloud, r.Doubles.Number, r.Doubles.MobileID, r.Doubles.Number)
	for _, c := range r.Clients {
		fmt.Fprintf(w, "  client                 %s  %s  %v\n", c.ClientID, c.ClientSecret, c.RedirectURIs)
	}
	fmt.Fprintln(w)
	return err
}
