package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const valid = `issuer: https://id.example.gov.ua
data: data
secret_file: secret
trust: {bundles: [{file: b.p7b}], max_age: 30d}
clients:
  - id: a
    name: {uk: А, en: A}
    home: https://a.example.gov.ua
    redirect_uris: [https://a.example.gov.ua/cb]
    auth: {secret_file: client}
`

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "brama.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(name)
}

func TestLoad(t *testing.T) {
	c, err := load(t, valid)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:8080" || time.Duration(c.Trust.MaxAge) != 30*24*time.Hour {
		t.Errorf("got listen %q, max age %v", c.Listen, time.Duration(c.Trust.MaxAge))
	}
}

func TestProxies(t *testing.T) {
	c, err := load(t, valid+"trusted_proxies: {from: [127.0.0.1/32, 'fd00::/8']}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Proxies(); got.Header != "X-Forwarded-For" || len(got.From) != 2 || got.From[1].String() != "fd00::/8" {
		t.Errorf("got %+v", got)
	}
	if c, err = load(t, valid); err != nil || len(c.Proxies().From) != 0 || c.Proxies().Header != "" {
		t.Errorf("without the section somebody is believed (%v)", err)
	}
}

func TestSampleLoads(t *testing.T) {
	if _, err := Load("../../../../deploy/brama.example.yaml"); err != nil {
		t.Fatal(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "data: data", "dta: data", "dta"},
		{"http issuer", "https://id.example", "http://id.example", "issuer"},
		{"slash at the end", "id.example.gov.ua\n", "id.example.gov.ua/\n", "issuer"},
		{"open listener without TLS", "data: data", "data: data\nlisten: 0.0.0.0:80", "needs tls"},
		{"a number is no person", "data: data", "data: data\nblocked_persons: ['1234567899']", "blocked_persons"},
		{"proxies without networks", "data: data", "data: data\ntrusted_proxies: {header: Forwarded}", "trusted_proxies.from"},
		{"everybody is a proxy", "data: data", "data: data\ntrusted_proxies: {from: [0.0.0.0/0]}", "trusted_proxies.from[0]"},
		{"an address is no network", "data: data", "data: data\ntrusted_proxies: {from: [127.0.0.1/32, 10.0.0.1]}", "trusted_proxies.from[1]"},
		{"a header of two words", "data: data", "data: data\ntrusted_proxies: {from: [127.0.0.1/32], header: 'a b'}", "trusted_proxies.header"},
		{"no data folder", "data: data\n", "", "data"},
		{"no secret", "secret_file: secret\n", "", "secret_file"},
		{"no bundle", "bundles: [{file: b.p7b}], ", "", "trust.bundles"},
		{"bad digest", "{file: b.p7b}", "{file: b.p7b, sha256: abc}", "trust.bundles[0]"},
		{"bad duration", "30d", "soon", "duration"},
		{"http redirect", "[https://a.example.gov.ua/cb]", "[http://a.example.gov.ua/cb]", "redirect_uris"},
		{"loopback redirect", "[https://a.example.gov.ua/cb]", "[https://127.0.0.1/cb]", "redirect_uris"},
		{"wildcard redirect", "[https://a.example.gov.ua/cb]", "['https://*.gov.ua/cb']", "redirect_uris"},
		{"no secret of the client", "{secret_file: client}", "{}", "exactly one"},
		{"public client without PKCE", "auth: {secret_file: client}", "auth: {method: none}\n    pkce: optional", "PKCE"},
		{"unknown algorithm", "auth:", "id_token_signed_response_alg: none\n    auth:", "ID token"},
		{"remote keys of everybody", "data: data", "data: data\nupload: {remote_keys: [{device: true}]}", "upload.remote_keys"},
		{"remote keys of no EDRPOU", "data: data", "data: data\nupload: {remote_keys: [{issuer: Дія}]}", "upload.remote_keys"},
		{"remote keys of no policy", "data: data", "data: data\nupload: {remote_keys: [{policy: 1.2.x}]}", "upload.remote_keys"},
		{"high without a device", "data: data", "data: data\ntoken: {level_without_device: high}", "level_without_device"},
		{"port of the agent", "data: data", "data: data\ntoken: {agent_port: 80}", "agent_port"},
		{"missing English name", ", en: A", "", "name.en"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(valid, tt.old, tt.new, 1)
			if text == valid {
				t.Fatal("the case changes nothing")
			}
			if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func TestSecretFiles(t *testing.T) {
	c, err := load(t, valid)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(c.Path(name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.Path(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("secret", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", 0o600)
	if s, err := c.Secret(); err != nil || len(s) != 32 {
		t.Errorf("got %d bytes, %v", len(s), err)
	}
	write("secret", "c2hvcnQ=", 0o600)
	if _, err := c.Secret(); err == nil {
		t.Error("a short secret was taken")
	}
	write("client", strings.Repeat("s", 40), 0o604)
	if _, err := c.SecretHash(c.Clients[0]); err == nil || !strings.Contains(err.Error(), "everyone") {
		t.Errorf("a secret that everyone may read was taken: %v", err)
	}
	write("client", strings.Repeat("s", 40), 0o600)
	if h, err := c.SecretHash(c.Clients[0]); err != nil || len(h) != 32 {
		t.Errorf("got %x, %v", h, err)
	}
}
