package config

import (
	"bytes"
	"image"
	"image/png"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"brama/provider/oauth"
)

const oneClient = `  - id: a
    name: {uk: А, en: A}
    home: https://a.example.gov.ua
    redirect_uris: [https://a.example.gov.ua/cb]
    auth: {secret_file: client}
`

// A client of the file can say everything that a registration can, and in the file's own words the same.
func TestClientWords(t *testing.T) {
	key := `{kty: EC, crv: P-256, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0}` // RFC 7517, A.1
	text := strings.Replace(valid, oneClient, `  - id: a
    name: {uk: А, en: A}
    home: https://a.example.gov.ua
    redirect_uris: [https://a.example.gov.ua/cb]
    auth: {method: private_key_jwt, alg: ES256, jwks: {keys: [`+key+`]}}
    claims: {required: [name, rnokpp], optional: [unzr]}
    notice: {required: true, version: "2026-1"}
    profile: fapi2-message-signing
    dpop_bound_access_tokens: true
    grant_types: [authorization_code, refresh_token]
    scope: openid profile
    default_max_age: 600
    default_acr_values: [high]
    post_logout_redirect_uris: [https://a.example.gov.ua/bye]
    backchannel_logout_uri: https://a.example.gov.ua/logout
    backchannel_logout_session_required: true
    labels: {uk: {file: "Файл"}}
    purpose: {uk: "Щоб впізнати вас", en: "To know you"}
    consent: first
    sso_group: gov
    level: {minimum: substantial}
    introspection: true
    contacts: [it@example.gov.ua]
`, 1)
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.ClientOf(c.Clients[0])
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case k.ID != "a", k.Name["uk"] != "А", k.Name["en"] != "A", k.AuthMethod != oauth.AuthPrivateKeyJWT, k.AuthAlg != "ES256", len(k.JWKS) == 0,
		!k.MessageSigning(), !k.DPoPBound, *k.DefaultMaxAge != 600, k.NoticeVersion != "2026-1", !k.NoticeRequired, len(k.Claims) != 3, len(k.RequiredClaims) != 2,
		k.Labels["uk"]["file"] != "Файл", k.Consent != oauth.ConsentFirst, k.SSOGroup != "gov", k.MinLevel != "substantial", !k.IntrospectionRight, len(k.SecretHash) != 0, k.BackchannelLogoutURI == "":
		t.Errorf("%+v", k)
	}
}

func TestClientFiles(t *testing.T) {
	c, err := load(t, strings.Replace(valid, "{secret_file: client}", "{method: private_key_jwt, jwks_file: keys.json}", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ClientOf(c.Clients[0]); err == nil {
		t.Error("a file that is not there")
	}
	if err := os.WriteFile(c.Path("keys.json"), []byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := c.ClientOf(c.Clients[0]); err != nil || len(k.JWKS) == 0 {
		t.Errorf("%+v %v", k, err)
	}
}

func TestNoticeFiles(t *testing.T) {
	for form, want := range map[string]map[string]string{
		"notice.txt":                       {"uk": "Навіщо:\n- облік"},
		"{uk: notice.txt, en: notice.txt}": {"uk": "Навіщо:\n- облік", "en": "Навіщо:\n- облік"},
	} {
		c, err := load(t, strings.Replace(valid, "auth: {secret_file: client}", `notice: {version: "1", text_file: `+form+`}
    auth: {secret_sha256: "`+strings.Repeat("ab", 32)+`"}`, 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ClientOf(c.Clients[0]); err == nil {
			t.Error("a file that is not there")
		}
		if err := os.WriteFile(c.Path("notice.txt"), []byte("Навіщо:\r\n- облік"), 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := c.ClientOf(c.Clients[0]); err != nil || !maps.Equal(k.NoticeText, want) {
			t.Errorf("%s: %v %v", form, k.NoticeText, err)
		}
		if err := os.WriteFile(c.Path("notice.txt"), []byte("\x1b[2J"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ClientOf(c.Clients[0]); err == nil || !strings.Contains(err.Error(), "notice") {
			t.Errorf("a notice with a control character: %v", err)
		}
	}
}

func TestLogoFile(t *testing.T) {
	c, err := load(t, strings.Replace(valid, "auth: {secret_file: client}", `logo_file: logo.png
    auth: {secret_sha256: "`+strings.Repeat("ab", 32)+`"}`, 1))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file []byte
		good bool
	}{{nil, false}, {[]byte("<svg/>"), false}, {b.Bytes(), true}} {
		if tt.file != nil {
			if err := os.WriteFile(c.Path("logo.png"), tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if k, err := c.ClientOf(c.Clients[0]); (err == nil && k.Logo != nil) != tt.good {
			t.Errorf("%.10q: %d bytes, %v", tt.file, len(k.Logo), err)
		}
	}
}

func TestClientWordsRefused(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown word", "auth:", "redirect_urls: []\n    auth:", "redirect_urls"},
		{"unknown word of auth", "{secret_file: client}", "{secret_file: client, secret: x}", "auth.secret"},
		{"unknown word of level", "auth:", "level: {least: low}\n    auth:", "level.least"},
		{"unknown level", "auth:", "level: {minimum: top}\n    auth:", "minimum level"},
		{"notice without its version", "auth:", "notice: {text_file: a.txt}\n    auth:", "version"},
		{"notice of an unknown language", "auth:", "notice: {version: \"1\", text_file: {pl: a.txt}}\n    auth:", "pl"},
		{"notice twice", "auth:", "notice: {version: \"1\", text_file: a.txt}\n    notice_text: {uk: a}\n    auth:", "exclude"},
		{"notice that is a list", "auth:", "notice: {version: \"1\", text_file: [a.txt]}\n    auth:", "text_file"},
		{"secret in the file", "auth: {secret_file: client}", "client_secret: abcdefgh", "client_secret"},
		{"secret twice", "{secret_file: client}", "{secret_file: client, secret_sha256: \"00\"}", "exactly one"},
		{"id twice", "  - id: a\n", "  - id: a\n    client_id: b\n", "say the same"},
		{"secret beside keys", "{secret_file: client}", "{method: private_key_jwt, secret_file: client, jwks_uri: https://a.ua/}", "beside"},
		{"keys over http", "{secret_file: client}", "{method: private_key_jwt, jwks_uri: http://127.0.0.1/}", "jwks_uri"},
		{"requests over http", "auth:", "request_uris: [\"http://127.0.0.1/\"]\n    auth:", "request_uris"},
		{"text for a list", "[https://a.example.gov.ua/cb]", "{a: b}", "redirect_uris"},
		{"claims of no list", "auth:", "claims: {required: a}\n    auth:", "list"},
		{"rule of the provider", "auth:", "grant_types: [password]\n    auth:", "grant type"},
		{"certificates without TLS", "data: data", "data: data\nmtls: {}", "mtls"},
		{"header of anybody", "data: data", "data: data\nmtls: {proxy: {header: X}}", "mtls.proxy.from"},
		{"address of certificates", "data: data", "data: data\nmtls: {address: \"http://a\", proxy: {from: [127.0.0.1/32]}}", "mtls.address"},
		{"registration of anybody", "data: data", "data: data\nregistration: {}", "registration.tokens"},
		{"token in the file", "data: data", "data: data\nregistration: {tokens: [{name: a, token: b}]}", "token"},
		{"loopback servers", "data: data", "data: data\nclient_servers: {networks: [127.0.0.0/8]}", "client_servers.networks"},
	} {
		text := strings.Replace(valid, tt.old, tt.new, 1)
		if text == valid {
			t.Fatalf("%s: the case changes nothing", tt.name)
		}
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error about %q", tt.name, err, tt.want)
		}
	}
}

func TestAccess(t *testing.T) {
	c, err := load(t, strings.Replace(valid, "data: data", `data: data
mtls: {address: "https://mtls.example.gov.ua", proxy: {from: [127.0.0.1/32]}}
registration: {tokens: [{name: ministry, sha256: "`+strings.Repeat("ab", 32)+`"}], claims: [birthdate], unused: 3d}
client_servers: {networks: [10.1.0.0/16]}`, 1))
	if err != nil {
		t.Fatal(err)
	}
	m, r, err := c.Access()
	if err != nil || m.Base != "https://mtls.example.gov.ua" || m.Header != "Client-Cert" || len(m.Proxies) != 1 || m.CAs != nil {
		t.Errorf("%+v %v", m, err)
	}
	if r == nil || r.Open || len(r.Tokens) != 1 || len(r.Tokens[0].Hash) != 32 || r.Unused != 72*time.Hour || len(c.ClientServers.Prefixes()) != 1 {
		t.Errorf("%+v", r)
	}
	if c, err = load(t, valid); err != nil {
		t.Fatal(err)
	}
	if m, r, err := c.Access(); err != nil || m.Base != "" || r != nil {
		t.Errorf("off by default: %+v %+v %v", m, r, err)
	}
}
