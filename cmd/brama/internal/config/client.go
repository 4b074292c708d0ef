package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"brama/provider/oauth"
	"brama/provider/web"
)

// A Client is one portal: everything that oauth.Registration can say, by its names (RFC 7591), and some of it in the shorter
// words of this file: id, name by language, auth, claims, notice.
type Client struct {
	oauth.Registration
	SecretFile string // of auth.secret_file; or the registration has the SHA-256
	JWKSFile   string // of auth.jwks_file; or the registration has jwks or jwks_uri
	LogoFile   string // of logo_file: PNG or JPEG
	// NoticeFiles hold the personal-data notice by language, of notice.text_file; or the registration has notice_text.
	NoticeFiles map[string]string
}

// UnmarshalYAML implements the decoder's interface. A key that nobody knows is an error, as everywhere in this file.
func (c *Client) UnmarshalYAML(unmarshal func(any) error) error {
	var words map[string]any
	if err := unmarshal(&words); err != nil {
		return err
	}
	if err := c.translate(words); err != nil {
		return err
	}
	raw, err := json.Marshal(words)
	if err != nil {
		return fmt.Errorf("a value is not of this file: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.Registration); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	// What is in this file more people read than may know a secret.
	if c.ClientSecret != "" {
		return errors.New("client_secret does not belong here: use auth.secret_file or auth.secret_sha256")
	}
	return nil
}

// translate turns the shorter words into those of RFC 7591.
func (c *Client) translate(words map[string]any) error {
	rename := func(from map[string]any, old, name string) error {
		v, ok := from[old]
		if !ok {
			return nil
		}
		delete(from, old)
		if _, twice := words[name]; twice {
			return fmt.Errorf("%s and %s say the same", old, name)
		}
		words[name] = v
		return nil
	}
	if err := rename(words, "id", "client_id"); err != nil {
		return err
	}
	var err error
	if c.LogoFile, err = text(words, "logo_file"); err != nil {
		return err
	}
	delete(words, "logo_file")
	for _, group := range []struct {
		key   string
		names map[string]string
	}{
		{"name", map[string]string{"uk": "client_name#uk", "en": "client_name#en"}},
		{"auth", map[string]string{"method": "token_endpoint_auth_method", "alg": "token_endpoint_auth_signing_alg", "secret_sha256": "client_secret_sha256",
			"secret_file": "", "jwks_file": "", "jwks_uri": "jwks_uri", "jwks": "jwks", "audience": "assertion_audience"}},
		{"claims", map[string]string{"required": "required_claims", "optional": ""}},
		{"level", map[string]string{"minimum": "minimum_acr"}},
		{"notice", map[string]string{"required": "notice", "version": "notice_version", "text_file": ""}},
	} {
		inner, ok := words[group.key].(map[string]any)
		if !ok {
			continue // absent, or a word of RFC 7591 of the same name
		}
		delete(words, group.key)
		for key := range inner {
			name, known := group.names[key]
			if !known {
				return fmt.Errorf("unknown key %s.%s", group.key, key)
			}
			if name == "" {
				continue
			}
			if err := rename(inner, key, name); err != nil {
				return err
			}
		}
		var err error
		switch group.key {
		case "auth":
			if c.SecretFile, err = text(inner, "secret_file"); err == nil {
				c.JWKSFile, err = text(inner, "jwks_file")
			}
		case "notice":
			c.NoticeFiles, err = files(inner, "text_file")
		case "claims":
			err = joinClaims(words, inner["optional"])
		}
		if err != nil {
			return fmt.Errorf("%s.%w", group.key, err)
		}
	}
	if words["token_endpoint_auth_method"] == "client_secret" {
		delete(words, "token_endpoint_auth_method") // both ways to bring it
	}
	return nil
}

func text(from map[string]any, key string) (string, error) {
	v, ok := from[key]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s is not text", key)
	}
	return s, nil
}

// files reads the name of one file, which is in Ukrainian, or names by language.
func files(from map[string]any, key string) (map[string]string, error) {
	switch v := from[key].(type) {
	case nil:
		return nil, nil //nolint:nilnil // there are none
	case string:
		return map[string]string{"uk": v}, nil
	case map[string]any:
		names := map[string]string{}
		for language, name := range v {
			s, ok := name.(string)
			if !ok {
				return nil, fmt.Errorf("%s.%s is not text", key, language)
			}
			names[language] = s
		}
		return names, nil
	}
	return nil, fmt.Errorf("%s is neither a file nor files by language", key)
}

// joinClaims makes the list of all claims: the required ones, and the optional ones.
func joinClaims(words map[string]any, optional any) error {
	all := []any{}
	for key, v := range map[string]any{"required": words["required_claims"], "optional": optional} {
		if v == nil {
			continue
		}
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is not a list", key)
		}
		all = append(all, list...)
	}
	words["claims"] = all
	return nil
}

func (c *Client) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.ClientID == "" {
		fault("id is required")
	}
	for lang, name := range map[string]string{"uk": c.ClientNameUK, "en": c.ClientNameEN} {
		if name == "" && c.ClientName == "" {
			fault("name.%s is required", lang)
		}
	}
	for _, r := range c.RedirectURIs {
		u, err := url.Parse(r)
		if c.ApplicationType != "native" && (err != nil || u.Scheme != "https" || u.Host == "" || u.Fragment != "" || u.User != nil || strings.Contains(u.Host, "*") || net.ParseIP(u.Hostname()) != nil) {
			fault("redirect_uris: %q must be https with a host name, without wildcard, fragment and user info", r)
		}
	}
	if u, err := url.Parse(c.Home); err != nil || u.Scheme != "https" || u.Host == "" {
		fault("home: %q is not an https address", c.Home)
	}
	for name, raw := range map[string]string{"jwks_uri": c.JWKSURI, "sector_identifier_uri": c.SectorIdentifierURI, "backchannel_logout_uri": c.BackchannelLogoutURI} {
		if raw != "" && !strings.HasPrefix(raw, "https://") {
			fault("%s: %q is not an https address", name, raw)
		}
	}
	for _, raw := range c.RequestURIs {
		if !strings.HasPrefix(raw, "https://") {
			fault("request_uris: %q is not an https address", raw)
		}
	}
	sources := 0
	for _, s := range []string{c.SecretSHA256, c.SecretFile} {
		if s != "" {
			sources++
		}
	}
	secret := c.AuthMethod == "" || c.AuthMethod == oauth.AuthBasic || c.AuthMethod == oauth.AuthPost
	switch {
	case secret && sources != 1:
		fault("auth: exactly one of secret_sha256 and secret_file is required")
	case !secret && sources != 0:
		fault("auth: a secret beside method %s", c.AuthMethod)
	}
	if c.JWKSFile != "" && (len(c.JWKS) != 0 || c.JWKSURI != "") {
		fault("auth: jwks_file, jwks and jwks_uri exclude each other")
	}
	if len(c.NoticeFiles) != 0 && len(c.NoticeText) != 0 {
		fault("notice.text_file and notice_text exclude each other")
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	// The rest is the provider's to say; files are read when the server starts.
	trial := *c
	if trial.SecretFile != "" {
		trial.SecretSHA256 = strings.Repeat("00", sha256.Size)
	}
	if trial.JWKSFile != "" {
		trial.JWKSURI = "https://jwks.example/"
	}
	for language := range trial.NoticeFiles {
		if trial.NoticeText == nil {
			trial.NoticeText = map[string]string{}
		}
		trial.NoticeText[language] = "-"
	}
	_, err := trial.client()
	return err
}

func (c *Client) client() (oauth.Client, error) {
	client, err := c.Registration.Client()
	if err != nil {
		return oauth.Client{}, err
	}
	return client, client.Validate()
}

// ClientOf returns the client as the provider registers it, with what stands in its files.
func (c *Config) ClientOf(client Client) (oauth.Client, error) {
	hash, err := c.SecretHash(client)
	if err != nil {
		return oauth.Client{}, err
	}
	client.SecretSHA256 = hex.EncodeToString(hash)
	if client.JWKSFile != "" {
		if client.JWKS, err = readFile(c.Path(client.JWKSFile)); err != nil {
			return oauth.Client{}, err
		}
	}
	if client.NoticeText, err = c.noticeText(client); err != nil {
		return oauth.Client{}, err
	}
	made, err := client.client()
	if err != nil || client.LogoFile == "" {
		return made, err
	}
	file, err := readFile(c.Path(client.LogoFile))
	if err != nil {
		return oauth.Client{}, err
	}
	if made.Logo, err = web.ReadLogo(file); err != nil {
		return oauth.Client{}, fmt.Errorf("logo_file %s: %w", client.LogoFile, err)
	}
	return made, nil
}

// noticeText reads the notice from its files. A line end of Windows is a line end.
func (c *Config) noticeText(client Client) (map[string]string, error) {
	if len(client.NoticeFiles) == 0 {
		return client.NoticeText, nil
	}
	texts := map[string]string{}
	for language, name := range client.NoticeFiles {
		b, err := readFile(c.Path(name))
		if err != nil {
			return nil, err
		}
		texts[language] = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	return texts, nil
}

// SecretHash returns the SHA-256 of the client's secret; nil for a client that has none.
func (c *Config) SecretHash(client Client) ([]byte, error) {
	switch {
	case client.SecretSHA256 != "":
		return hex.DecodeString(client.SecretSHA256)
	case client.SecretFile == "":
		return nil, nil
	}
	b, err := c.readSecretFile(client.SecretFile)
	if err != nil {
		return nil, err
	}
	secret := bytes.TrimSpace(b)
	if len(secret) < minSecret {
		return nil, fmt.Errorf("%s: a client secret has at least %d characters", client.SecretFile, minSecret)
	}
	h := sha256.Sum256(secret)
	return h[:], nil
}
