package serve

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
)

// remote are settings of every method behind which another system stands.
const remote = `connectors:
  networks: [10.20.0.0/16]
  diia: {url: https://api2.diia.gov.ua, acquirer_token_file: acquirer, auth_token_env: DIIA_AUTH_OF_THE_TEST, scope: auth, branch: branch1, offer: offer1}
  idgov:
    url: https://id.gov.ua
    client_id: 0123456789abcdef0123456789abcdef
    client_secret_file: upstream
    keys: [{container: key.dat, password_file: password, certificate: key.cer}]
    auth_types: [dig_sign, diia_id]
    clients: {cabinet: [dig_sign]}
    signers: [key.cer]
  bankid:
    url: https://id.bank.gov.ua
    client_id: 3f2b6c1e-0000-4000-8000-000000000000
    client_secret_file: upstream
    keys: [{container: key.dat, password_file: password, certificate: key.cer}]
    banks: [{id: kalyna, member_id: "300001", name: Калина, edrpou: "10000201"}]
  cloud: {providers: [{id: a, name: Хмара, kind: csc2, url: https://10.20.1.2/csc/v2, identifier: phone, client_id: brama, client_secret_file: upstream}]}
  mobileid: {max_level: substantial, operators: [{id: a, name: Оператор, url: https://mss.example.org/soap, ap_id: brama, password_file: upstream}]}
`

// TestServeConnectors: the server starts with every method configured, and not with one whose files or settings are wrong; no
// secret gets into its log, whatever happens.
func TestServeConnectors(t *testing.T) {
	const upstreamSecret, password, token = "secret-of-an-upstream-5f6c", "the-words-of-the-container", "token-of-the-acquirer"
	t.Setenv("DIIA_AUTH_OF_THE_TEST", "YXV0aC1vZi10aGUtYWNxdWlyZXI=")
	for _, test := range []struct {
		name, old, new string
		code           int
		want           string
	}{
		{name: "all of them", code: exitOK, want: `"msg":"serving"`},
		{name: "wrong password", old: "password_file: password", new: "password_file: upstream", code: exitFailed, want: "connectors.idgov.keys[0].container"},
		{name: "a double", old: "https://id.gov.ua", new: "https://127.0.0.1:8084", code: exitUsage, want: "connectors.idgov.url: 127.0.0.1 is this computer"},
		{name: "without TLS", old: "https://id.gov.ua", new: "http://id.gov.ua", code: exitUsage, want: "connectors.idgov.url"},
		{name: "private", old: "[10.20.0.0/16]", new: "[10.30.0.0/16]", code: exitUsage, want: "connectors.cloud.providers[0].url: 10.20.1.2 is private"},
		{name: "a switch of dev", old: "scope: auth", new: "plain_http: true, scope: auth", code: exitUsage, want: "plain_http"},
		{name: "secret in the file", old: "client_secret_file: upstream\n    keys", new: "client_secret: " + upstreamSecret + "\n    keys", code: exitUsage, want: `unknown field "client_secret"`},
		{name: "no variable", old: "DIIA_AUTH_OF_THE_TEST", new: "NOTHING_OF_THE_KIND", code: exitFailed, want: "connectors.diia.auth_token_env"},
		{name: "policy that is none", old: "connectors:", new: "levels_file: password\nconnectors:", code: exitFailed, want: "levels_file: password: levels: line 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(good+remote, test.old, test.new, 1)
			if text == good+remote && test.old != "" {
				t.Fatal("the case changes nothing")
			}
			name, services := folder(t, text)
			ours, err := services.Issue(qestest.Request{Kind: qestest.Encryption, Organization: "Brama", EDRPOU: "12345678"})
			if err != nil {
				t.Fatal(err)
			}
			container, err := keystore.WriteKey6([]byte(password), ours.Key.DSTU, ours.Key.DSTU)
			if err != nil {
				t.Fatal(err)
			}
			for file, b := range map[string][]byte{"key.dat": container, "key.cer": ours.Certificate.Raw, "password": []byte(password + "\n"),
				"upstream": []byte(upstreamSecret + "\n"), "acquirer": []byte(token + "\n")} {
				if err := os.WriteFile(filepath.Join(filepath.Dir(name), file), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			stopped, stop := context.WithCancel(t.Context())
			stop()
			var log bytes.Buffer
			if code := Run(stopped, []string{"--config", name}, &log); code != test.code || !strings.Contains(log.String(), test.want) {
				t.Errorf("exit code %d, want %d and a word of %q:\n%s", code, test.code, test.want, &log)
			}
			for _, s := range []string{password, token, upstreamSecret, "YXV0aC1vZi10aGUtYWNxdWlyZXI="} {
				if strings.Contains(log.String(), s) {
					t.Errorf("the log tells a secret:\n%s", &log)
				}
			}
		})
	}
}
