package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// maxFile bounds every file that is read here.
const maxFile = 1 << 20

// minSecret is the least length of the root secret, in bytes.
const minSecret = 32

// A Config is the configuration of `brama serve`. Paths are relative to the folder of the file.
type Config struct {
	// Issuer is the public https address, without a slash at the end.
	Issuer string `yaml:"issuer"`
	// Listen is the address of the public listener; 127.0.0.1:8080 if empty.
	Listen string `yaml:"listen"`
	// TLS is the certificate of the public listener. Without it a reverse proxy on this machine ends TLS.
	TLS *TLS `yaml:"tls"`
	// Data is the folder of the store and the audit log.
	Data string `yaml:"data"`
	// SecretFile holds at least 32 random bytes in base64: every key of the server is derived from it or sealed by it.
	SecretFile string `yaml:"secret_file"`
	// Keys says where the signing keys are; they are in the store, sealed by the secret, if it is left out.
	Keys *Keys `yaml:"keys"`
	// Trust says where certificates of trust service providers come from. The anchors are in the program.
	Trust Trust `yaml:"trust"`
	// Token is the method token.
	Token Token `yaml:"token"`
	// Upload is the method upload.
	Upload Upload `yaml:"upload"`
	// LevelsFile is the policy of levels (package levels); the one in the program if it is left out.
	LevelsFile string `yaml:"levels_file"`
	// Connectors are systems of others by which people may sign in.
	Connectors Connectors `yaml:"connectors"`
	// Operator is shown on the pages S17.
	Operator Operator `yaml:"operator"`
	// Clients are the portals.
	Clients []Client `yaml:"clients"`
	// OAuthTokens say how long tokens live.
	OAuthTokens OAuthTokens `yaml:"oauth_tokens"`
	// BlockedPersons do not sign in: ids of persons as they stand in the log of events.
	BlockedPersons []string `yaml:"blocked_persons"`
	// RequirePAR takes requests to sign in from no portal but pushed ones (RFC 9126).
	RequirePAR bool `yaml:"require_pushed_requests"`
	// MTLS lets portals prove themselves by client certificates.
	MTLS *MTLS `yaml:"mtls"`
	// TrustedProxies are reverse proxies that say from which address a request came.
	TrustedProxies *TrustedProxies `yaml:"trusted_proxies"`
	// Registration lets portals register themselves.
	Registration *Registration `yaml:"registration"`
	// ClientServers are the servers of portals that are asked.
	ClientServers ClientServers `yaml:"client_servers"`

	dir string
}

// TLS names the files of a certificate chain and its key, PEM.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Trust names the sources of candidates.
type Trust struct {
	// Bundles hold certificates of providers (the form of CACertificates.p7b): candidates, never anchors.
	Bundles []Bundle `yaml:"bundles"`
	// MaxAge is how old the file of a bundle without next_update may be before logins stop with TRUST_LIST_STALE; 45 days
	// if zero.
	MaxAge Duration `yaml:"max_age"`
}

// Token is what the method token needs. All of it may be left out.
type Token struct {
	// AgentPort is where the agents of all workplaces listen; 0 means their usual port.
	AgentPort int `yaml:"agent_port"`
	// WithoutDevice is the level of a certificate that does not say its key is in a qualified device: substantial (also if
	// empty) or low. It is never high.
	WithoutDevice string `yaml:"level_without_device"`
}

// Upload is what the method upload needs. All of it may be left out.
type Upload struct {
	// RemoteKeys are certificates whose key is used by telephone, besides those that the program knows: they are refused there.
	RemoteKeys []RemoteKeys `yaml:"remote_keys"`
}

// RemoteKeys describe such certificates; all that is given must fit, and one of the first two must be.
type RemoteKeys struct {
	Issuer string `yaml:"issuer"` // EDRPOU of the provider
	Policy string `yaml:"policy"` // OID of a certificate policy
	Device bool   `yaml:"device"` // only those that name a qualified device
}

var (
	personID     = regexp.MustCompile(`^[A-Z2-7]{26}$`)
	remoteIssuer = regexp.MustCompile(`^[0-9]{8}$`)
	remotePolicy = regexp.MustCompile(`^[0-2](\.[0-9]{1,10}){2,20}$`)
)

// A Bundle is one PKCS#7 file.
type Bundle struct {
	File string `yaml:"file"`
	// SHA256 is the digest of the file as it was reviewed, in hex; a file with another digest stops the start.
	SHA256 string `yaml:"sha256"`
	// NextUpdate is the time after which the file counts as stale.
	NextUpdate time.Time `yaml:"next_update"`
}

// Operator is who runs this server.
type Operator struct {
	Name    string `yaml:"name"`
	Contact string `yaml:"contact"`
}

// Duration reads Go durations ("1h30m") and whole days ("45d").
type Duration time.Duration

// UnmarshalYAML implements the decoder's interface.
func (d *Duration) UnmarshalYAML(b []byte) error {
	s := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		v, err := time.ParseDuration(days + "h")
		if err != nil {
			return fmt.Errorf("%q is no duration", s)
		}
		*d = Duration(24 * v)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is no duration", s)
	}
	*d = Duration(v)
	return nil
}

// Load reads and checks a file.
func Load(name string) (*Config, error) {
	b, err := readFile(name)
	if err != nil {
		return nil, err
	}
	var c Config
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, withoutSource(err))
	}
	if c.dir, err = filepath.Abs(filepath.Dir(name)); err != nil {
		return nil, err
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.Trust.MaxAge == 0 {
		c.Trust.MaxAge = Duration(45 * 24 * time.Hour)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &c, nil
}

// withoutSource leaves the lines of the file out of an error of the decoder: somebody may have written a secret there.
func withoutSource(err error) error {
	return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
}

// check finds every fault, so that an administrator mends them in one go.
func (c *Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if u, err := url.Parse(c.Issuer); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(c.Issuer, "/") {
		fault("issuer: %q is not an https address without a slash at the end, query and fragment", c.Issuer)
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		fault("listen: %q is not host:port", c.Listen)
	} else if ip := net.ParseIP(host); c.TLS == nil && (ip == nil || !ip.IsLoopback()) && host != "localhost" {
		fault("listen: %s is reachable from outside, so it needs tls (or listen on 127.0.0.1 behind a reverse proxy)", c.Listen)
	}
	if c.Data == "" {
		fault("data: the folder of the store is required")
	}
	if c.SecretFile == "" {
		fault("secret_file is required (make one: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE)")
	}
	if len(c.Trust.Bundles) == 0 {
		fault("trust.bundles: at least one file with certificates of providers is required")
	}
	for i, b := range c.Trust.Bundles {
		if h, err := hex.DecodeString(b.SHA256); b.File == "" || err != nil || len(h) != 0 && len(h) != sha256.Size {
			fault("trust.bundles[%d]: file is required, and sha256 is 64 hexadecimal digits if given", i)
		}
	}
	seen := map[string]bool{}
	for i := range c.Clients {
		client := &c.Clients[i]
		if seen[client.ClientID] {
			fault("clients: %q stands twice", client.ClientID)
		}
		seen[client.ClientID] = true
		if err := client.check(); err != nil {
			fault("clients[%d] %q: %w", i, client.ClientID, err)
		}
	}
	for _, id := range c.BlockedPersons {
		if !personID.MatchString(id) {
			fault("blocked_persons: %q is no id of a person (26 of A-Z and 2-7, from the log of events)", id)
		}
	}
	faults = append(faults, c.checkAccess()...)
	if p := c.Token.AgentPort; p != 0 && (p < 1024 || p > 65535) {
		fault("token.agent_port: %d is not between 1024 and 65535", p)
	}
	for _, k := range c.Upload.RemoteKeys {
		if k.Issuer == "" && k.Policy == "" {
			fault("upload.remote_keys: an entry has neither issuer nor policy, and would be every certificate")
		}
		if k.Issuer != "" && !remoteIssuer.MatchString(k.Issuer) || k.Policy != "" && !remotePolicy.MatchString(k.Policy) {
			fault("upload.remote_keys: issuer is the eight digits of an EDRPOU, policy an OID in dots")
		}
	}
	if l := c.Token.WithoutDevice; l != "" && l != "low" && l != "substantial" {
		fault("token.level_without_device: %q is neither low nor substantial", l)
	}
	if err := c.OAuthTokens.check(); err != nil {
		faults = append(faults, err)
	}
	if c.Keys != nil {
		faults = append(faults, c.Keys.check()...)
	}
	faults = append(faults, c.Connectors.check()...)
	if c.Connectors.IDGov != nil {
		for _, name := range slices.Sorted(maps.Keys(c.Connectors.IDGov.Clients)) {
			// A limit that is nobody's is one that somebody misses. Clients that registered themselves are not in this file.
			if !seen[name] && !(c.Registration != nil && strings.HasPrefix(name, "dyn-")) {
				fault("connectors.idgov.clients.%s: there is no such client", name)
			}
		}
	}
	return errors.Join(faults...)
}

// Secret reads the root secret.
func (c *Config) Secret() ([]byte, error) {
	b, err := c.readSecretFile(c.SecretFile)
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil || len(secret) < minSecret {
		return nil, fmt.Errorf("%s: not base64 of at least %d bytes", c.SecretFile, minSecret)
	}
	return secret, nil
}

// Path resolves a path of the file.
func (c *Config) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// readSecretFile refuses a file that others on this machine may read.
func (c *Config) readSecretFile(name string) ([]byte, error) {
	full := c.Path(name)
	info, err := os.Stat(full)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("%s: everyone on this machine may read it (chmod 600)", name)
	}
	return readFile(full)
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return b, nil
}
