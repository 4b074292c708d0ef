package serve

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/systems"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/levels"
	"brama/connectors/upload"
	"brama/internal/fetch"
	"brama/internal/qes/trustlist"
	"brama/provider"
	"brama/provider/keys"
	"brama/provider/oauth"
	"brama/storage"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Run runs the verb until ctx ends and returns the exit code.
func Run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("brama serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", "", "configuration `file` (required)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitUsage
	}
	if *file == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "usage: brama serve --config FILE")
		return exitUsage
	}
	c, err := config.Load(*file)
	if err != nil {
		fmt.Fprintf(stderr, "brama serve: the configuration cannot be used:\n%v\n", err)
		return exitUsage
	}
	inTokens := c.Connectors.InTokens()
	if c.HSM() != nil {
		inTokens = append(inTokens, "keys.pkcs11")
	}
	if err := wiring.HSMBuilt(); err != nil && len(inTokens) > 0 {
		fmt.Fprintf(stderr, "brama serve: the configuration cannot be used:\n%s: %s: %v\n", *file, strings.Join(inTokens, ", "), err)
		return exitUsage
	}
	log := wiring.NewLog(stderr)
	if err := run(ctx, c, log); err != nil {
		fmt.Fprintf(stderr, "brama serve: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func run(ctx context.Context, c *config.Config, log *slog.Logger) error {
	wiring.CollectOften()
	secret, err := c.Secret()
	if err != nil {
		return fmt.Errorf("reading the secret: %w", err)
	}
	trust, err := loadTrust(c)
	if err != nil {
		return fmt.Errorf("reading the trusted bundles: %w", err)
	}
	if trust.Levels, err = c.Levels(); err != nil {
		return err
	}
	engine, err := wiring.NewEngine(trust)
	if err != nil {
		return err
	}
	if err := engine.Ready(ctx); err != nil {
		log.Warn("not ready for logins", "err", err)
	}
	clients, err := clientsOf(c)
	if err != nil {
		return err
	}
	hsm, err := openHSM(c)
	if err != nil {
		return err
	}
	defer func() {
		if err := hsm.Close(); err != nil {
			log.Error("closing the token", "err", err)
		}
	}()
	ready := func(ctx context.Context) error { return errors.Join(engine.Ready(ctx), hsm.Ready(ctx)) }
	data := c.Path(c.Data)
	// Persons and sessions in there were proven by test trust (threat T92).
	if _, err := os.Lstat(filepath.Join(data, wiring.DevMarker)); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("data: %s is a folder of brama dev", c.Data)
	}
	state, err := wiring.OpenState(data, secret)
	if err != nil {
		return err
	}
	defer func() {
		if err := state.Close(); err != nil {
			log.Error("closing the state", "err", err)
		}
	}()
	methods, err := methodsOf(c, engine, trust.Levels, hsm, secret, state.Store)
	if err != nil {
		return err
	}
	mtls, registration, err := c.Access()
	if err != nil {
		return err
	}
	portals, err := systems.Portals(c)
	if err != nil {
		return err
	}
	var life config.Keys // of the signing keys
	if c.Keys != nil {
		life = *c.Keys
	}
	handler, err := provider.New(provider.Config{
		Issuer: c.Issuer, Store: state.Store, Secret: secret, Clients: clients, Connectors: methods, Audit: state.Audit,
		Signers: hsm.Signers, NextSigners: hsm.NextSigners, KeyAlgorithms: life.Algorithms, RotateKeysEvery: time.Duration(life.RotateEvery), RevokedKeys: life.Revoked, Ready: ready, Operator: provider.Operator{Name: c.Operator.Name, Contact: c.Operator.Contact}, Log: log,
		CertificateStatus: engine.CertificateStatus,
		TokenRules:        c.OAuthTokens.Rules(), RequirePAR: c.RequirePAR, Fetch: portals.Do, MTLS: mtls, Registration: registration,
		TrustedProxies: c.Proxies(), BlockedPersons: c.BlockedPersons,
	})
	if err != nil {
		return err
	}
	background, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { handler.Run(background) })
	defer func() { // before the state is closed
		stop()
		running.Wait()
	}()
	listener, err := listen(c)
	if err != nil {
		return err
	}
	log.Info("serving", "issuer", c.Issuer, "listen", listener.Addr().String(), "clients", len(clients))
	go wiring.KeepMemory(background)
	return wiring.Serve(ctx, log, wiring.Site{Listener: listener, Handler: handler})
}

// methodsOf makes the methods: those that need nobody else, and those with settings.
func methodsOf(c *config.Config, engine *wiring.Engine, policy *levels.Policy, hsm *wiring.HSM, secret []byte, store storage.Store) (map[string]connectors.Connector, error) {
	own := wiring.Tokens{AgentPort: c.Token.AgentPort, WithoutDevice: connectors.LoA(c.Token.WithoutDevice)}
	for _, k := range c.Upload.RemoteKeys {
		own.RemoteKeys = append(own.RemoteKeys, upload.RemoteProfile(k))
	}
	methods, err := engine.Connectors(own)
	if err != nil {
		return nil, err
	}
	outbound, err := systems.Outbound(c)
	if err != nil {
		return nil, err
	}
	remote, err := systems.New(systems.Config{Settings: c, Engine: engine, Levels: policy, Outbound: outbound, Secret: secret, Store: store,
		Agreement: hsm.Agreement})
	if err != nil {
		return nil, err
	}
	maps.Copy(methods, remote)
	return methods, nil
}

// openHSM opens the token of the configuration; without one nothing is asked of what it returns.
func openHSM(c *config.Config) (*wiring.HSM, error) {
	p := c.HSM()
	if p == nil {
		return &wiring.HSM{}, nil
	}
	return wiring.OpenHSM(wiring.HSMConfig{Module: p.Module, Token: p.Token, PIN: c.PIN,
		Signing: byAlgorithm(p.Signing), Next: byAlgorithm(p.Next)})
}

func byAlgorithm(l config.Labels) map[string]string {
	labels := map[string]string{keys.ES256: l.ES256, keys.RS256: l.RS256}
	maps.DeleteFunc(labels, func(_, label string) bool { return label == "" })
	return labels
}

func listen(c *config.Config) (net.Listener, error) {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	listener = wiring.WholeListener(listener)
	if c.TLS == nil {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Path(c.TLS.Certificate), c.Path(c.TLS.Key))
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	return tls.NewListener(listener, tlsConfig(c, pair)), nil
}

// tlsConfig asks for client certificates at the address for them alone: a browser that comes to the issuer would show its
// person a choice of certificates.
func tlsConfig(c *config.Config, pair tls.Certificate) *tls.Config {
	plain := wiring.ServerTLS(pair)
	if c.MTLS == nil {
		return plain
	}
	asking := plain.Clone()
	asking.ClientAuth = tls.RequestClientCert // none is needed, and which one is good is decided for each client
	host := hostOf(c.MTLS.Address)
	if host == "" || host == hostOf(c.Issuer) {
		return asking
	}
	plain.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if strings.EqualFold(hello.ServerName, host) {
			return asking, nil
		}
		return nil, nil //nolint:nilnil // the config as it is
	}
	return plain
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// loadTrust reads the bundles under the national pins. Test roots are refused by the store, whoever puts them there.
func loadTrust(c *config.Config) (wiring.Trust, error) {
	var sources []trustlist.Source
	version := sha256.New()
	for _, b := range c.Trust.Bundles {
		path := c.Path(b.File)
		next := b.NextUpdate
		if next.IsZero() {
			info, err := os.Stat(path)
			if err != nil {
				return wiring.Trust{}, err
			}
			next = info.ModTime().Add(time.Duration(c.Trust.MaxAge))
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return wiring.Trust{}, err
		}
		digest := sha256.Sum256(raw)
		version.Write(digest[:])
		sources = append(sources, trustlist.Source{Path: path, SHA256: b.SHA256, NextUpdate: next})
	}
	candidates, next, err := trustlist.Load(sources)
	if err != nil {
		return wiring.Trust{}, err
	}
	store, err := trustlist.New(trustlist.Config{Pins: trustlist.NationalPins(), Candidates: candidates, Directory: trustlist.Directory(), NextUpdate: next})
	if err != nil {
		return wiring.Trust{}, err
	}
	client, err := fetch.New(fetch.Config{})
	if err != nil {
		return wiring.Trust{}, err
	}
	return wiring.Trust{Store: store, Version: "sha256:" + hex.EncodeToString(version.Sum(nil)), Fetch: client}, nil
}

func clientsOf(c *config.Config) ([]oauth.Client, error) {
	var clients []oauth.Client
	for _, k := range c.Clients {
		client, err := c.ClientOf(k)
		if err != nil {
			return nil, fmt.Errorf("client %q: %w", k.ClientID, err)
		}
		clients = append(clients, client)
	}
	return clients, nil
}
