package serve

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/wiring"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

const good = `issuer: https://id.example.gov.ua
listen: 127.0.0.1:0
data: data
secret_file: secret
trust: {bundles: [{file: bundle.pem}]}
clients:
  - id: cabinet
    name: {uk: Кабінет, en: Cabinet}
    home: https://cabinet.example.gov.ua
    redirect_uris: [https://cabinet.example.gov.ua/cb]
    auth: {secret_file: client}
`

// folder makes a folder with a configuration, whose bundle holds the certificates of a test provider, and starts that.
func folder(t *testing.T, text string) (name string, services *qestest.Provider) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	services, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = services.Handler()
	server.Start()
	t.Cleanup(server.Close)
	var bundle []byte
	for _, c := range services.Candidates() {
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c})...)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"brama.yaml": []byte(text), "bundle.pem": bundle,
		"secret": []byte("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"), "client": []byte(strings.Repeat("s", 43) + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "brama.yaml"), services
}

// TestServeRefusesDev: nothing of dev starts here: its folder, its addresses without TLS, its settings (threat T92). That its
// keys are refused is TestServeRefusesDemoKeys, that no double is even linked is TestServeReachesNoDouble.
func TestServeRefusesDev(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		prepare        func(dir string) error
		code           int
		want           string
	}{
		{name: "nothing of it", code: exitOK, want: `"msg":"serving"`},
		{name: "its folder", code: exitFailed, want: "brama dev", prepare: func(dir string) error {
			if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "data", wiring.DevMarker), nil, 0o600)
		}},
		{name: "http issuer", old: "https://id.", new: "http://id.", code: exitUsage, want: "issuer"},
		{name: "http issuer on loopback", old: "https://id.example.gov.ua", new: "http://127.0.0.1:8080", code: exitUsage, want: "issuer"},
		{name: "http portal", old: "[https://cabinet", new: "[http://cabinet", code: exitUsage, want: "redirect_uris"},
		{name: "portal on loopback", old: "[https://cabinet.example.gov.ua/cb]", new: "[http://127.0.0.1:8081/callback]", code: exitUsage, want: "redirect_uris"},
		{name: "listening to all without TLS", old: "127.0.0.1:0", new: "0.0.0.0:0", code: exitUsage, want: "listen"},
		{name: "the switch", old: "data: data", new: "dev: true\ndata: data", code: exitUsage, want: "dev"},
		{name: "anchors of one's own", old: "trust: {", new: "trust: {anchors: [root.pem], ", code: exitUsage, want: "anchors"},
		{name: "a responder of one's own", old: "data: data", new: "ocsp: http://127.0.0.1:8082/ocsp\ndata: data", code: exitUsage, want: "ocsp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(good, test.old, test.new, 1)
			if text == good && test.prepare == nil && test.code != exitOK {
				t.Fatal("the case changes nothing")
			}
			name, _ := folder(t, text)
			if test.prepare != nil {
				if err := test.prepare(filepath.Dir(name)); err != nil {
					t.Fatal(err)
				}
			}
			stopped, stop := context.WithCancel(t.Context())
			stop() // what starts all the same, stops at once
			var log bytes.Buffer
			if code := Run(stopped, []string{"--config", name}, &log); code != test.code || !strings.Contains(log.String(), test.want) {
				t.Errorf("exit code %d, want %d and a word of %q:\n%s", code, test.code, test.want, &log)
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(name), "data", "brama.db"))
			if made := err == nil; made != (test.code == exitOK) {
				t.Errorf("a store was made: %v", made)
			}
		})
	}
}

// TestServeRefusesTestRoots: test certificates in the bundle vouch for nobody, their issuers are not asked anything, and
// there is no method of dev (threats T17, T92).
func TestServeRefusesTestRoots(t *testing.T) {
	name, services := folder(t, good)
	c, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := loadTrust(c)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wiring.NewEngine(trust)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Ready(t.Context()); err == nil {
		t.Error("ready for logins with the certificates of a test provider alone")
	}
	who, err := services.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "1234567899"})
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("brama-login-v1\nof this test\n")
	b, err := cms.Sign(who.Key, cms.Options{Certificate: who.Certificate.Raw, Content: content, Purpose: cms.PurposeLogin})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Validator.Verify(t.Context(), b, content); !errors.Is(err, qes.KeyIssuerUntrusted) {
		t.Errorf("a login with a test key: %v", err)
	}
	for _, service := range []string{qestest.ServiceOCSP, qestest.ServiceCMP} {
		address, err := services.Address(qestest.Main, service)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := trust.Fetch.Do(t.Context(), fetch.Request{URL: address, PlainHTTP: true, Timeout: time.Second, MaxBody: 1 << 10}); err == nil {
			t.Errorf("%s of the test provider was asked: %d", service, res.Status)
		}
		if n := services.Asked(service); n != 0 {
			t.Errorf("%s of the test provider was asked %d times", service, n)
		}
	}
	methods, err := engine.Connectors(wiring.Tokens{})
	if err != nil {
		t.Fatal(err)
	}
	if _, there := methods["demo"]; there || len(methods) == 0 {
		t.Errorf("the methods are %v", methods)
	}
}
