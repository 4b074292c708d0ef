// Package config reads what the administrator of this computer has decided for the agent: which sites may ask, which
// PKCS#11 modules there are, by which program windows are shown. The file is taken only if nobody else can change it
// (package adminonly). What the person chooses for themselves is kept by package login.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"brama/cmd/brama-agent/internal/adminonly"
)

// Port is where the agent listens unless the administrator says otherwise; pages know it.
const Port = 24145

// maxSize bounds the file; a long list of sites and modules has a few kilobytes.
const maxSize = 64 << 10

// A Config is the file.
type Config struct {
	// Origins are the sites that may ask, each as a browser writes it: https://host, or with a port that is not 443.
	// http is taken for this computer only, for tests. Without any the agent answers nobody.
	Origins []string `yaml:"origins"`
	// Port on the loopback addresses; 0 means Port.
	Port int `yaml:"port"`
	// Modules are further PKCS#11 modules, by absolute path.
	Modules []string `yaml:"modules"`
	// PlatformModules tells whether the modules known for this system are looked for; absent means yes.
	PlatformModules *bool `yaml:"platform_modules"`
	// Dialog is a program that shows the windows, by absolute path (package window has its protocol); "" means what the
	// system offers.
	Dialog string `yaml:"dialog"`
	// Language of the windows, uk or en; "" means the language of the page that asks.
	Language string `yaml:"language"`
}

// Load reads the file at path. Every fault is told at once.
func Load(path string) (*Config, error) {
	if err := adminonly.Check(path); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func parse(b []byte) (*Config, error) {
	if len(b) > maxSize {
		return nil, errors.New("too large")
	}
	var c Config
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.DisallowUnknownField()).Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var faults []error
	for _, o := range c.Origins {
		if err := checkOrigin(o); err != nil {
			faults = append(faults, fmt.Errorf("origin %q: %w", o, err))
		}
	}
	if c.Port == 0 {
		c.Port = Port
	}
	if c.Port < 1024 || c.Port > 65535 {
		faults = append(faults, fmt.Errorf("port %d: not between 1024 and 65535", c.Port))
	}
	if c.Language != "" && c.Language != "uk" && c.Language != "en" {
		faults = append(faults, fmt.Errorf("language %q: not uk or en", c.Language))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &c, nil
}

// checkOrigin takes an origin in exactly the form that browsers send, so that it can be compared octet by octet.
func checkOrigin(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	host := u.Hostname()
	local := host == "127.0.0.1" || host == "::1" || host == "localhost"
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return errors.New("not https")
	case host == "" || s != u.Scheme+"://"+u.Host || s != strings.ToLower(s):
		return errors.New("not scheme://host[:port] in lower case and nothing else")
	case strings.HasSuffix(u.Host, ":") || u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80":
		return errors.New("the default port must be left out")
	case strings.ContainsAny(host, "*_ "):
		return errors.New("not a host")
	}
	for _, r := range host {
		if r > 0x7e {
			return errors.New("a host of other letters is written in its xn-- form")
		}
	}
	return nil
}
