package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brama/connectors/levels"
)

var sample = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestSamplesOfDocs: every sample of the pages for administrators is read by the same parser as the server's file, with the
// same checks.
func TestSamplesOfDocs(t *testing.T) {
	pages, err := filepath.Glob("../../../../provider/web/docs/connectors/*.md")
	if err != nil || len(pages) < 12 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	methods := map[string]int{}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := sample.FindAllStringSubmatch(string(b), -1)
		if len(found) == 0 {
			t.Errorf("%s has no sample", filepath.Base(page))
		}
		for i, s := range found {
			if strings.HasPrefix(s[1], "# PLAN") || strings.HasPrefix(s[1], "# ОПИС") {
				if _, err := ParsePlan([]byte(s[1])); err != nil {
					t.Errorf("%s, sample %d: %v", filepath.Base(page), i+1, err)
				}
				continue
			}
			c, err := load(t, strings.Replace(valid, "id: a", "id: cabinet", 1)+s[1]) // the portal that the samples speak of
			if err != nil {
				t.Errorf("%s, sample %d: %v", filepath.Base(page), i+1, err)
				continue
			}
			for name, there := range map[string]bool{"diia": c.Connectors.Diia != nil, "idgov": c.Connectors.IDGov != nil, "bankid": c.Connectors.BankID != nil,
				"cloud": c.Connectors.Cloud != nil, "mobileid": c.Connectors.MobileID != nil, "levels": c.LevelsFile != ""} {
				if there {
					methods[name+strings.TrimPrefix(filepath.Base(page), name)]++
				}
			}
		}
	}
	for _, name := range []string{"diia", "idgov", "bankid", "cloud", "mobileid", "levels"} {
		for _, lang := range []string{".uk.md", ".en.md"} {
			if methods[name+lang] == 0 {
				t.Errorf("%s%s shows no settings of its own", name, lang)
			}
		}
	}
}

// TestSamplesOfClients: the same of the guide to clients.
func TestSamplesOfClients(t *testing.T) {
	for _, lang := range []string{"uk", "en"} {
		b, err := os.ReadFile("../../../../provider/web/docs/clients." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		found := sample.FindAllStringSubmatch(string(b), -1)
		if len(found) < 4 {
			t.Errorf("%s: %d samples", lang, len(found))
		}
		for i, s := range found {
			text := valid + s[1]
			if strings.HasPrefix(s[1], "clients:") {
				text = valid + strings.TrimPrefix(s[1], "clients:\n")
			}
			if strings.Contains(text, "client_ca:") { // without a proxy, the server itself ends TLS
				text += "\ntls: {certificate: c.pem, key: k.pem}\n"
			}
			// A digest is not written out in a guide.
			text = strings.ReplaceAll(text, `sha256: "…"`, `sha256: "`+strings.Repeat("0a", 32)+`"`)
			if _, err := load(t, text); err != nil {
				t.Errorf("%s, sample %d: %v", lang, i+1, err)
			}
		}
	}
}

// TestLevelsFile: the file that administrators begin with is the policy in the program, and a fault in theirs names the line.
func TestLevelsFile(t *testing.T) {
	b, err := os.ReadFile("../../../../deploy/levels.txt")
	if err != nil || string(b) != levels.Text() {
		t.Errorf("deploy/levels.txt is not connectors/levels/default.txt (%v)", err)
	}
	c, err := load(t, valid+"levels_file: levels.txt\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Levels(); err == nil {
		t.Error("a policy that is not there")
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(c.Path("levels.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("brama-levels-v1\nfile device high we want it\n")
	if _, err := c.Levels(); err == nil || !strings.Contains(err.Error(), "levels_file: levels.txt: levels: line 2") {
		t.Errorf("%v", err)
	}
	write(levels.Text())
	if p, err := c.Levels(); err != nil || p == nil {
		t.Errorf("%v, %v", p, err)
	}
}

const systems = `connectors:
  diia: {url: https://api2.diia.gov.ua, acquirer_token_file: a, auth_token_file: b, branch: x, offer: y}
  idgov:
    url: https://id.gov.ua
    client_id: i
    client_secret_file: s
    keys: [{container: k, password_file: p, certificate: c}]
  bankid:
    url: https://id.bank.gov.ua
    client_id: i
    client_secret_env: BANKID_SECRET
    keys: [{container: k, password_env: KEY_PASSWORD, certificate: c}]
    banks: [{id: a, member_id: m, name: N, edrpou: "1"}]
  cloud: {providers: [{id: a, name: N, kind: csc2, url: https://cloud.example.org/csc/v2, identifier: phone, client_id: i, client_secret_file: s}]}
  mobileid: {operators: [{id: a, name: N, url: https://mss.example.org/soap, ap_id: i, password_file: p}]}
`

// TestConnectorsRefuse: a wrong setting stops the start, and the message names its field. Nothing of dev is taken: no address
// of this computer, no http (threat T92).
func TestConnectorsRefuse(t *testing.T) {
	if _, err := load(t, valid+systems); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"secret in the file", "client_secret_file: s\n", "client_secret: s3cret\n", "client_secret"},
		{"unknown key", "branch: x", "brnach: x", "brnach"},
		{"no secret", "    client_secret_file: s\n", "", "connectors.idgov.client_secret"},
		{"two secrets", "client_secret_env: BANKID_SECRET", "client_secret_env: X\n    client_secret_file: y", "connectors.bankid.client_secret"},
		{"name of a variable", "BANKID_SECRET", "bankid-secret", "connectors.bankid.client_secret_env"},
		{"http", "https://id.gov.ua", "http://id.gov.ua", "connectors.idgov.url"},
		{"this computer", "https://id.gov.ua", "https://127.0.0.1:8084", "connectors.idgov.url: 127.0.0.1 is this computer"},
		{"this computer by name", "https://id.gov.ua", "https://LocalHost.:8084", "is this computer"},
		{"this computer, IPv6", "https://id.gov.ua", "https://[::1]:8084", "is this computer"},
		{"this computer, mapped", "https://id.gov.ua", "https://[::ffff:127.0.0.1]", "is this computer"},
		{"private", "https://id.gov.ua", "https://10.1.2.3", "connectors.networks"},
		{"metadata", "https://id.gov.ua", "https://169.254.169.254", "no address of a system"},
		{"user in the address", "https://id.gov.ua", "https://me:pass@id.gov.ua", "connectors.idgov.url"},
		{"path", "https://api2.diia.gov.ua", "https://api2.diia.gov.ua/api", "has a path"},
		{"slash", "https://id.gov.ua", "https://id.gov.ua/", "connectors.idgov.url"},
		{"network", "connectors:\n", "connectors:\n  networks: [10.0.0.0]\n", "connectors.networks[0]"},
		{"network of this computer", "connectors:\n", "connectors:\n  networks: [127.0.0.0/8]\n", "connectors.networks[0]"},
		{"every network", "connectors:\n", "connectors:\n  networks: [0.0.0.0/0]\n", "connectors.networks[0]"},
		{"link-local network", "connectors:\n", "connectors:\n  networks: [169.254.0.0/16]\n", "connectors.networks[0]"},
		{"offer alone", "branch: x, ", "", "connectors.diia.offer"},
		{"scope", "branch: x", "scope: sharing, branch: x", "connectors.diia.scope"},
		{"algorithm", "branch: x", "algorithm: RSA, branch: x", "connectors.diia.algorithm"},
		{"level", "branch: x", "max_level: highest, branch: x", "connectors.diia.max_level"},
		{"no keys", "    keys: [{container: k, password_file: p, certificate: c}]\n", "", "connectors.idgov.keys"},
		{"key without certificate", "password_file: p, certificate: c}", "password_file: p}", "connectors.idgov.keys[0].certificate"},
		{"key in two places", "password_file: p, ", "password_file: p, pkcs11: {module: /m, token: t, pin_file: p, key: k}, ", "connectors.idgov.keys[0].pkcs11"},
		{"module by name", "container: k, password_file: p, ", "pkcs11: {module: m.so, token: t, pin_file: p, key: k}, ", "connectors.idgov.keys[0].pkcs11.module"},
		{"means", "    client_id: i\n    client_secret_file", "    auth_types: [password]\n    client_id: i\n    client_secret_file", "connectors.idgov.auth_types[0]"},
		{"mobile_id is off", "    client_id: i\n    client_secret_file", "    auth_types: [mobile_id]\n    client_id: i\n    client_secret_file", "not switched on"},
		{"nothing for a client", "    client_id: i\n    client_secret_file", "    clients: {a: []}\n    client_id: i\n    client_secret_file", "connectors.idgov.clients.a"},
		{"limit of nobody", "    client_id: i\n    client_secret_file", "    clients: {b: [dig_sign]}\n    client_id: i\n    client_secret_file", "connectors.idgov.clients.b: there is no such client"},
		{"no banks", "    banks: [{id: a, member_id: m, name: N, edrpou: \"1\"}]\n", "", "connectors.bankid.banks"},
		{"bank without a code", `, edrpou: "1"`, "", "connectors.bankid.banks[0].edrpou"},
		{"SmartID", "kind: csc2", "kind: smartid", "connectors.cloud.providers[0].kind: smartid is switched off"},
		{"kind", "kind: csc2", "kind: csc3", "connectors.cloud.providers[0].kind"},
		{"nobody finds the keys", "identifier: phone, ", "", "connectors.cloud.providers[0].identifier"},
		{"page on this computer", "identifier: phone", "hosts: [localhost], identifier: phone", "connectors.cloud.providers[0].hosts[0]"},
		{"bad id", "{id: a, name: N, kind", "{id: A, name: N, kind", "connectors.cloud.providers[0].id"},
		{"SOAP", "ap_id: i", "soap: \"2\", ap_id: i", "connectors.mobileid.operators[0].soap"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(systems, test.old, test.new, 1)
			if text == systems {
				t.Fatal("the case changes nothing")
			}
			_, err := load(t, valid+text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error about %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "pass@") {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
	if _, err := load(t, valid+strings.Replace(systems, "connectors:\n", "connectors:\n  networks: [10.1.0.0/16]\n", 1)+""); err != nil {
		t.Error(err)
	}
	inside := strings.Replace(strings.Replace(systems, "connectors:\n", "connectors:\n  networks: [10.1.0.0/16]\n", 1), "https://id.gov.ua", "https://10.1.2.3", 1)
	if _, err := load(t, valid+inside); err != nil {
		t.Errorf("a private address in a network that is named: %v", err)
	}
}

// TestCredential: from a file or the environment, one line, and never in an error.
func TestCredential(t *testing.T) {
	c, err := load(t, valid)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(c.Path("s"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.Path("s"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("A_SECRET", "by-environment")
	t.Setenv("A_LONG_SECRET", "two\nlines-of-secret")
	if s, err := c.Credential("x", "", "A_SECRET"); err != nil || s != "by-environment" {
		t.Errorf("%q, %v", s, err)
	}
	write("by-file\r\n", 0o640)
	if s, err := c.Credential("x", "s", ""); err != nil || s != "by-file" {
		t.Errorf("%q, %v", s, err)
	}
	for name, call := range map[string]func() (string, error){
		"not there":       func() (string, error) { return c.Credential("f", "none", "") },
		"no variable":     func() (string, error) { return c.Credential("f", "", "NOT_THERE_AT_ALL") },
		"lines":           func() (string, error) { return c.Credential("f", "", "A_LONG_SECRET") },
		"two lines":       func() (string, error) { write("one-secret\ntwo", 0o600); return c.Credential("f", "s", "") },
		"nothing":         func() (string, error) { write("\n", 0o600); return c.Credential("f", "s", "") },
		"for all to read": func() (string, error) { write("a-secret", 0o604); return c.Credential("f", "s", "") },
	} {
		s, err := call()
		if err == nil || s != "" || !strings.HasPrefix(err.Error(), "f_") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", name, s, err)
		}
	}
}
