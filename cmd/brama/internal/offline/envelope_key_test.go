package offline

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost34311"
	"brama/internal/interop"
	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
)

// requested makes a key and its request in a folder.
func requested(t *testing.T) (dir string, key *dstu4145.PrivateKey, request []byte) {
	t.Helper()
	dir = t.TempDir()
	save(t, dir, "password", []byte("a password of some length\n"))
	stdout, stderr, code := run(t, "", "envelope-key", "request", "--key", filepath.Join(dir, "key.p8"), "--password-file", filepath.Join(dir, "password"),
		"--organization", "Установа «Приклад»", "--edrpou", "12345678", "--locality", "Київ", filepath.Join(dir, "request.p10"))
	if code != ExitOK || !strings.Contains(stdout, "request.p10") {
		t.Fatalf("exit %d, %q, %q", code, stdout, stderr)
	}
	container, err := keystore.Open(keystore.NewStdPrimitives(), load(t, dir, "key.p8"), []byte("a password of some length"))
	if err != nil || len(container.Keys) != 1 || container.Keys[0].DSTU == nil {
		t.Fatalf("%+v, %v", container, err)
	}
	return dir, container.Keys[0].DSTU, load(t, dir, "request.p10")
}

func save(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEnvelopeKeyRequest: the request is one that others read, is signed by the key in the container, and asks for key
// agreement and nothing else.
func TestEnvelopeKeyRequest(t *testing.T) {
	dir, key, request := requested(t)
	r, err := x509.ParseCertificateRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	if r.Subject.CommonName != "Установа «Приклад»" || r.Subject.Organization[0] != "Установа «Приклад»" || r.Subject.Country[0] != "UA" ||
		!strings.Contains(r.Subject.String(), "NTRUA-12345678") && !strings.Contains(string(r.RawSubject), "NTRUA-12345678") {
		t.Errorf("the subject is %s", r.Subject)
	}
	var usage []byte
	for _, e := range r.Extensions {
		if e.Id.String() == "2.5.29.15" && e.Critical {
			usage = e.Value
		}
	}
	if string(usage) != "\x03\x02\x03\x08" {
		t.Errorf("the usage is %x", usage)
	}
	reader := der.NewReader(r.Signature)
	value := reader.OctetString()
	digest := gost34311.Sum(r.RawTBSCertificateRequest)
	if reader.Done() != nil || !key.PublicKey().Verify(digest[:], value) {
		t.Error("the request is not signed by its key")
	}
	if info, err := os.Stat(filepath.Join(dir, "key.p8")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the container can be read by others: %v", info.Mode())
	}
	// A second run never writes over a key.
	before := load(t, dir, "key.p8")
	_, stderr, code := run(t, "", "envelope-key", "request", "--key", filepath.Join(dir, "key.p8"), "--password-file", filepath.Join(dir, "password"),
		"--organization", "Інша", "--pem", filepath.Join(dir, "request.p10"))
	if code != ExitFailed || string(load(t, dir, "key.p8")) != string(before) || string(load(t, dir, "request.p10")) != string(request) {
		t.Errorf("exit %d, %q: a key was written over", code, stderr)
	}
	_, stderr, code = run(t, "", "envelope-key", "request", "--key", filepath.Join(dir, "key2.p8"), "--password-file", filepath.Join(dir, "password"),
		"--organization", "Інша", "--pem", filepath.Join(dir, "request2.pem"))
	if block, _ := pem.Decode(load(t, dir, "request2.pem")); code != ExitOK || block == nil || block.Type != "CERTIFICATE REQUEST" {
		t.Errorf("PEM: exit %d, %q", code, stderr)
	}
}

// TestEnvelopeKeyRequestInterop: Bouncy Castle verifies the request.
func TestEnvelopeKeyRequestInterop(t *testing.T) {
	_, _, request := requested(t)
	if v := interop.VerifyRequestWithBouncyCastle(t, request); !v.OK || !strings.Contains(v.Output, "usage 8") {
		t.Errorf("%v %s", v.OK, v.Output)
	}
	request[len(request)-1] ^= 1
	if v := interop.VerifyRequestWithBouncyCastle(t, request); v.OK {
		t.Error("a changed request verifies")
	}
}

func TestEnvelopeKeyRequestRefuses(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, "password", []byte("a password of some length\n"))
	save(t, dir, "short", []byte("short\n"))
	for name, args := range map[string][]string{
		"no organization": {"--key", "k", "--password-file", "password"},
		"short password":  {"--key", "k", "--password-file", "short", "--organization", "O"},
		"ЄДРПОУ":          {"--key", "k", "--password-file", "password", "--organization", "O", "--edrpou", "123"},
		"country":         {"--key", "k", "--password-file", "password", "--organization", "O", "--country", "Україна"},
		"line feed":       {"--key", "k", "--password-file", "password", "--organization", "O\nCN=other"},
		"no password":     {"--key", "k", "--password-file", "nothing", "--organization", "O"},
		"unknown flag":    {"--password", "secret"},
	} {
		for i, a := range args {
			if a == "k" || a == "password" || a == "short" || a == "nothing" {
				args[i] = filepath.Join(dir, a)
			}
		}
		_, stderr, code := run(t, "", append(append([]string{"envelope-key", "request"}, args...), filepath.Join(dir, "r"))...)
		if code != ExitUsage || !strings.Contains(stderr, "usage: brama envelope-key request") {
			t.Errorf("%s: exit %d, %q", name, code, stderr)
		}
		for _, left := range []string{"k", "r"} {
			if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
				t.Errorf("%s: left a file", name)
			}
		}
	}
}

// TestEnvelopeKeyInstall: a certificate of the key for agreement alone is put into its place, every other one is refused.
func TestEnvelopeKeyInstall(t *testing.T) {
	dir := t.TempDir()
	key, err := qestest.NewKey("")
	if err != nil {
		t.Fatal(err)
	}
	container, err := keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, keystore.EncodePKCS8(key.DSTU, nil), []byte("password"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, dir, "key.p8", container)
	save(t, dir, "password", []byte("password\n"))
	p, err := qestest.New(qestest.Config{BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) // as in run
	issue := func(name string, own bool, kind qestest.Kind, from, to time.Time) string {
		t.Helper()
		var k *qestest.Key
		if own {
			k = key
		}
		i, err := p.Issue(qestest.Request{Kind: kind, Organization: "Установа", EDRPOU: "12345678", Key: k, NotBefore: from, NotAfter: to})
		if err != nil {
			t.Fatal(err)
		}
		save(t, dir, name, i.Certificate.Raw)
		return filepath.Join(dir, name)
	}
	year := 365 * 24 * time.Hour
	out := filepath.Join(dir, "installed.cer")
	install := func(file string) (string, string, int) {
		return run(t, "", "envelope-key", "install", "--key", filepath.Join(dir, "key.p8"), "--password-file", filepath.Join(dir, "password"), "--out", out, file)
	}
	for _, c := range []struct{ name, file, want string }{
		{"another key", issue("other", false, qestest.Encryption, now.Add(-year), now.Add(year)), "no certificate of a key"},
		{"for signatures", issue("seal", true, qestest.Seal, now.Add(-year), now.Add(year)), "not for key agreement"},
		{"expired", issue("old", true, qestest.Encryption, now.Add(-2*year), now.Add(-year)), "is over since 2025-06-01"},
		{"not yet", issue("new", true, qestest.Encryption, now.Add(year), now.Add(2*year)), "not valid before 2027-06-01"},
		{"no certificate", filepath.Join(dir, "password"), "password"},
		{"absent", filepath.Join(dir, "absent"), "no such file"},
	} {
		if stdout, stderr, code := install(c.file); code != ExitFailed || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %q, %q", c.name, code, stdout, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s: installed", c.name)
		}
	}
	good := issue("good", true, qestest.Encryption, now.Add(-year), now.Add(20*24*time.Hour))
	stdout, stderr, code := install(good)
	if code != ExitOK || !strings.Contains(stdout, "valid until: 2026-06-21") || string(load(t, dir, "installed.cer")) != string(load(t, dir, "good")) {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}

	// The list names every key of the configuration, and warns by its exit code before it is too late.
	save(t, dir, "brama.yaml", []byte(`issuer: https://id.example.gov.ua
data: data
secret_file: secret
trust: {bundles: [{file: b.p7b}]}
connectors:
  idgov:
    url: https://id.gov.ua
    client_id: i
    client_secret_file: s
    keys: [{container: key.p8, password_file: password, certificate: installed.cer}, {container: key.p8, password_file: password, certificate: old}]
  bankid:
    url: https://id.bank.gov.ua
    client_id: i
    client_secret_file: s
    keys: [{pkcs11: {module: /m.so, token: t, pin_file: p, key: k}, certificate: absent.cer}]
    banks: [{id: a, member_id: m, name: N, edrpou: "1"}]
`))
	list := func(args ...string) (string, string, int) {
		return run(t, "", append([]string{"envelope-key", "list", filepath.Join(dir, "brama.yaml")}, args...)...)
	}
	stdout, stderr, code = list()
	if code != ExitFailed || !strings.Contains(stdout, "idgov   soon        2026-06-21") || !strings.Contains(stdout, "expired") ||
		!strings.Contains(stdout, "token t, key k") || !strings.Contains(stderr, "connectors.bankid.keys[0].certificate") || !strings.Contains(stderr, "connectors.idgov.keys: no certificate") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	stdout, _, _ = list("--json", "--within", "24h")
	var got []listed
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || len(got) != 3 || got[0].State != "valid" || got[1].State != "expired" || got[2].State != "unreadable" {
		t.Errorf("%v: %s", err, stdout)
	}
	save(t, dir, "brama.yaml", []byte(strings.Replace(string(load(t, dir, "brama.yaml")), "  bankid:", "  bankid2:", 1)))
	if _, stderr, code := list(); code != ExitUsage || !strings.Contains(stderr, "bankid2") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
