package dev

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brama/cmd/brama/internal/wiring"
	"brama/connectors/diia"
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

	registration, clientCA, trust, diiaScope string
	algorithms                               []string
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
	flags.BoolVar(&o.tls, "tls", false, "https issuer with a self-signed certificate; clients may bring theirs (RFC 8705)")
	flags.Var(&o.clients, "client", "JSON `file` with further clients: one, a list, or {\"clients\": […]} (may be given more than once)")
	flags.StringVar(&o.registration, "registration", "", "\"open\" lets any client register itself (RFC 7591), for conformance tools")
	flags.StringVar(&o.clientCA, "client-ca", "", "PEM `file` of authorities for tls_client_auth (with --tls)")
	flags.StringVar(&o.trust, "trust", "", "PEM `file` of further certificates that servers of clients may have (jwks_uri, sector_identifier_uri, logout)")
	flags.Func("algorithms", "`list` of signing algorithms, by commas: ES256 and any of RS256, PS256, EdDSA (default: all)", func(v string) error {
		o.algorithms = strings.Split(v, ",")
		return nil
	})
	flags.IntVar(&o.agent, "agent-port", 0, "`port` where brama-agent listens (default: its usual one)")
	flags.DurationVar(&o.wait, "wait", 0, "`time` that a request to a telephone lives, to see it run out (default: as in serve)")
	flags.StringVar(&o.diiaScope, "diia-scope", string(diia.HashedFilesSigning), "`scope` of the offer at the double of Дія: hashedFilesSigning, or auth, which has no place for a matching code")
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
	if s := diia.Scope(o.diiaScope); s != diia.HashedFilesSigning && s != diia.Auth {
		return o, fmt.Errorf("unknown scope %q of Дія", s)
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
