package dev

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"brama/cmd/brama/internal/wiring"
)

// defaultPort is the provider's; the portal, the trust services and the doubles follow.
const defaultPort = 8080

type options struct {
	data    string
	port    int
	json    bool
	tls     bool
	clients multi
	agent   int
	wait    time.Duration
}

type multi []string

func (m *multi) String() string     { return fmt.Sprint([]string(*m)) }
func (m *multi) Set(v string) error { *m = append(*m, v); return nil }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("brama dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.data, "data", "", "`folder` for the store, the audit log and the demo keys (default: a temporary one, removed at the end)")
	flags.IntVar(&o.port, "port", defaultPort, "port of the provider; the portal, the trust services and the doubles take the next ones; 0 takes free ones")
	flags.BoolVar(&o.json, "json", false, "print one line of JSON when ready")
	flags.BoolVar(&o.tls, "tls", false, "https issuer with a self-signed certificate")
	flags.Var(&o.clients, "client", "JSON `file` with further clients: one, a list, or {\"clients\": […]} (may be given more than once)")
	flags.IntVar(&o.agent, "agent-port", 0, "`port` where brama-agent listens (default: its usual one)")
	flags.DurationVar(&o.wait, "wait", 0, "`time` that a request to a telephone lives, to see it run out (default: as in serve)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.port < 0 || o.port > 65528 {
		return o, fmt.Errorf("port %d is out of range", o.port)
	}
	if o.wait != 0 && (o.wait < time.Second || o.wait > 2*time.Minute) {
		return o, fmt.Errorf("wait %v is out of range", o.wait)
	}
	return o, nil
}

// listen opens the loopback listeners: provider, portal, trust services, and the five doubles of other people's systems. If the default ports are taken, it says so
// rather than moving: addresses are in people's bookmarks and in clients.
func listen(port int) (ls [8]net.Listener, err error) {
	for i := range ls {
		p := port
		if port != 0 {
			p = port + i
		}
		if ls[i], err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p))); err != nil {
			for _, l := range ls[:i] {
				l.Close()
			}
			return ls, fmt.Errorf("port %d cannot be used (choose another with --port, or --port 0): %w", p, err)
		}
	}
	return ls, nil
}

// openData opens a folder of dev or a new one, refusing one with anything else in it. It returns the folder and what removes
// it at the end.
func openData(dir string) (string, func(), error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "brama-dev-")
		if err != nil {
			return "", nil, err
		}
		return tmp, func() { os.RemoveAll(tmp) }, os.WriteFile(filepath.Join(tmp, wiring.DevMarker), nil, 0o600)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, wiring.DevMarker)); len(entries) > 0 && err != nil {
		return "", nil, fmt.Errorf("%s is not empty and was not made by brama dev", dir)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	return dir, func() {}, os.WriteFile(filepath.Join(dir, wiring.DevMarker), nil, 0o600)
}

// A registration is a client of --client, in the words of RFC 7591; pkce and nonce are "required" or "optional". A field
// that is not known is left out, as RFC 7591 section 2 asks.
type registration struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	ClientName   string   `json:"client_name"`
	ClientURI    string   `json:"client_uri"`
	RedirectURIs []string `json:"redirect_uris"`
	AuthMethod   string   `json:"token_endpoint_auth_method"`
	Scope        string   `json:"scope"`
	SubjectType  string   `json:"subject_type"`
	IDTokenAlg   string   `json:"id_token_signed_response_alg"`
	PKCE         string   `json:"pkce"`
	Nonce        string   `json:"nonce"`
	// Claims of the registration; all there are if absent. RequiredClaims refuse a login that cannot give them.
	Claims         []string `json:"claims"`
	RequiredClaims []string `json:"required_claims"`
	Methods        []string `json:"methods"`
	Notice         bool     `json:"notice"`
	Certificate    bool     `json:"certificate"`
	// Labels are the client's own names of methods, by language and method.
	Labels map[string]map[string]string `json:"labels"`
}

// readClients reads a --client file.
func readClients(name string) ([]registration, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(b) > 1<<20 {
		return nil, fmt.Errorf("%s is larger than 1 MiB", name)
	}
	var list []registration
	if json.Unmarshal(b, &list) != nil {
		var file struct {
			Clients []registration `json:"clients"`
			registration
		}
		if err := json.Unmarshal(b, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if list = file.Clients; list == nil {
			list = []registration{file.registration}
		}
	}
	for i, c := range list {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: client %d: %w", name, i+1, err)
		}
	}
	return list, nil
}

func (c registration) check() error {
	switch {
	case c.ClientID == "":
		return errors.New("client_id is required")
	case len(c.RedirectURIs) == 0:
		return errors.New("redirect_uris: at least one is required")
	case c.ClientSecret == "" && c.AuthMethod != "none":
		return errors.New(`client_secret is required, or token_endpoint_auth_method "none"`)
	case c.AuthMethod == "none" && c.PKCE == "optional":
		return errors.New("pkce: optional is for confidential clients only")
	}
	return nil
}
