package acquirer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brama/cmd/brama/internal/config"
	"brama/connectors/diia/diiatest"
	"brama/internal/fetch"
	"brama/internal/qes/qestest"
)

// A world is a folder with a configuration, and a double behind TLS.
type world struct {
	t      *testing.T
	dir    string
	double *diiatest.Server
	client *fetch.Client
	url    string
}

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

const plan = `branch: {name: Brama, full_name: Установа, address: "01001, Київ", email: a@example.org, region: м. Київ, district: Київ, location: Київ, street: Прикладна, house: "1"}
offer: Вхід
return_link: https://id.example.gov.ua/
`

func newWorld(t *testing.T) *world {
	t.Helper()
	p, err := qestest.New(qestest.Config{BaseURL: "http://127.0.0.1:1", Diia: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	w := &world{t: t, dir: t.TempDir()}
	here := server.Listener.Addr().String()
	if w.double, err = diiatest.New(diiatest.Config{BaseURL: "https://" + here, Callback: "https://" + here + "/nowhere", Provider: p}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.double.Close)
	server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Host = here // it takes no other
		w.double.Handler().ServeHTTP(rw, r)
	})
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	if w.client, err = fetch.New(fetch.Config{AllowLoopback: true, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}}); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(here)
	if err != nil {
		t.Fatal(err)
	}
	w.url = "https://" + net.JoinHostPort("example.com", port)
	w.write("secret", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	w.write("acquirer", diiatest.AcquirerToken)
	w.write("auth", diiatest.AuthToken)
	w.write("plan.yaml", plan)
	w.configure("")
	return w
}

func (w *world) configure(more string) {
	w.write("brama.yaml", `issuer: https://id.example.gov.ua
data: data
secret_file: secret
trust: {bundles: [{file: b.p7b}]}
connectors:
  diia: {url: `+w.url+`, acquirer_token_file: acquirer, auth_token_file: auth`+more+`}
`)
}

func (w *world) run(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	v := &verb{stdout: &out, stderr: &errs, outbound: func(*config.Config) (*fetch.Client, error) { return w.client, nil }}
	args = slices.Clone(args)
	for i, a := range args {
		if strings.HasSuffix(a, ".yaml") {
			args[i] = filepath.Join(w.dir, a)
		}
	}
	code = v.run(w.t.Context(), args)
	for _, s := range []string{diiatest.AcquirerToken, diiatest.AuthToken} {
		if strings.Contains(out.String()+errs.String(), s) {
			w.t.Errorf("a token is told: %s%s", &out, &errs)
		}
	}
	return out.String(), errs.String(), code
}

// TestSetup: what is absent is made once, and a second run finds it; a dry run makes nothing.
func TestSetup(t *testing.T) {
	w := newWorld(t)
	setup := []string{"setup", "--config", "brama.yaml", "--plan", "plan.yaml"}
	if stdout, stderr, code := w.run(append(setup, "--dry-run")...); code != exitOK || strings.Count(stdout, "would be made") != 2 {
		t.Errorf("dry run: exit %d, %q, %q", code, stdout, stderr)
	}
	stdout, stderr, code := w.run(append(setup, "--json")...)
	var first, second made
	if err := json.Unmarshal([]byte(stdout), &first); err != nil || code != exitOK || first.Branch == "" || first.Offer == "" || !first.BranchCreated || !first.OfferCreated {
		t.Fatalf("exit %d, %q, %q", code, stdout, stderr)
	}
	stdout, _, code = w.run(append(setup, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &second); err != nil || code != exitOK || second.Branch != first.Branch || second.Offer != first.Offer || second.BranchCreated || second.OfferCreated {
		t.Errorf("exit %d, %q", code, stdout)
	}
	stdout, _, _ = w.run(setup...)
	if !strings.Contains(stdout, "branch: \""+first.Branch+"\"") || strings.Count(stdout, "found") != 2 {
		t.Errorf("%q", stdout)
	}

	// With what it printed, everything is ready.
	w.configure(`, branch: "` + first.Branch + `", offer: "` + first.Offer + `"`)
	stdout, stderr, code = w.run("status", "--config", "brama.yaml")
	if code != exitOK || strings.Count(stdout, "yes") != 4 || !strings.Contains(stdout, "https://id.example.gov.ua/notify/diia/") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	w.configure(`, branch: "` + first.Branch + `", offer: nothing`)
	stdout, _, code = w.run("status", "--config", "brama.yaml", "--json")
	var s state
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || code != exitFailed || !s.Session || !s.Branch || !s.Scope || s.Offer || s.Ready {
		t.Errorf("exit %d, %q", code, stdout)
	}
	w.configure(`, scope: auth, branch: "` + first.Branch + `", offer: "` + first.Offer + `"`)
	if stdout, stderr, code := w.run(setup...); code != exitFailed || !strings.Contains(stderr, "without the scope") {
		t.Errorf("another scope: exit %d, %q, %q", code, stdout, stderr)
	}
}

// TestRefuses: wrong tokens and arguments end with their own exit code, and no token is told.
func TestRefuses(t *testing.T) {
	w := newWorld(t)
	w.write("bad-plan.yaml", strings.Replace(plan, "offer: Вхід\n", "", 1))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, exitUsage, "usage:"},
		{"no verb", []string{"delete"}, exitUsage, "no verb"},
		{"no config", []string{"status"}, exitUsage, "--config"},
		{"no plan", []string{"setup", "--config", "brama.yaml"}, exitUsage, "--plan"},
		{"token by a flag", []string{"status", "--token", "x"}, exitUsage, "flag provided but not defined"},
		{"plan without an offer", []string{"setup", "--config", "brama.yaml", "--plan", "bad-plan.yaml"}, exitUsage, "offer: is required"},
		{"not set up", []string{"status", "--config", "brama.yaml"}, exitUsage, "connectors.diia.branch"},
		{"no such file", []string{"status", "--config", "none.yaml"}, exitUsage, "none.yaml"},
	} {
		if stdout, stderr, code := w.run(c.args...); code != c.code || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%s: exit %d, %q, %q", c.name, code, stdout, stderr)
		}
	}
	if stdout, _, code := w.run("setup", "--help"); code != exitOK || !strings.Contains(stdout, "Exit codes") {
		t.Errorf("help: exit %d, %q", code, stdout)
	}
	w.configure(", branch: b, offer: o")
	w.write("auth", "d3Jvbmc=")
	if stdout, stderr, code := w.run("status", "--config", "brama.yaml"); code != exitFailed || !strings.Contains(stdout, "no   tokens") || !strings.Contains(stderr, "401") {
		t.Errorf("wrong token: exit %d, %q, %q", code, stdout, stderr)
	}
}
