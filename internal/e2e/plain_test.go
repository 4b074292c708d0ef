package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brama/internal/vectors"
)

// A walker is a browser without JavaScript: cookies, redirects, forms.
type walker struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	body   string
}

// newWalker returns a walker. If address is not "", every host is reached there (the names of `serve` do not resolve).
func newWalker(t *testing.T, address string) *walker {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the test's own certificate
	if address != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &walker{t: t, client: &http.Client{Jar: jar, Transport: transport, Timeout: 30 * time.Second}}
}

func (w *walker) do(r *http.Request) {
	w.t.Helper()
	r.Header.Set("Accept", "text/html,*/*;q=0.8") // without it mod_auth_openidc takes the walker for a program
	resp, err := w.client.Do(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.at, w.status, w.body = resp.Request.URL, resp.StatusCode, string(body)
}

func (w *walker) get(address string) {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.resolve(address), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(r)
}

func (w *walker) resolve(address string) string {
	if w.at == nil {
		return address
	}
	u, err := w.at.Parse(strings.ReplaceAll(address, "&amp;", "&"))
	if err != nil {
		w.t.Fatal(err)
	}
	return u.String()
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form(?:[^>]*action="([^"]*)")?[^>]*>(.*?)</form>`)
	inputPattern = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"`)
)

// form finds the form of the page that holds mark, with its hidden fields.
func (w *walker) form(mark string) (action string, fields url.Values) {
	w.t.Helper()
	for _, m := range formPattern.FindAllStringSubmatch(w.body, -1) {
		if !strings.Contains(m[0], mark) {
			continue
		}
		fields = url.Values{}
		for _, in := range inputPattern.FindAllStringSubmatch(m[2], -1) {
			fields.Set(in[1], in[2])
		}
		return m[1], fields
	}
	w.t.Fatalf("at %s (%d): no form with %q in\n%s", w.at, w.status, mark, w.body)
	return "", nil
}

// press submits the form that holds mark, with more fields.
func (w *walker) press(mark string, more ...string) {
	w.t.Helper()
	action, fields := w.form(mark)
	for i := 0; i < len(more); i += 2 {
		fields.Set(more[i], more[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, w.resolve(action), strings.NewReader(fields.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", w.at.Scheme+"://"+w.at.Host)
	w.do(r)
}

// upload submits a file as S16 does.
func (w *walker) upload(name string, content []byte) {
	w.t.Helper()
	action, fields := w.form(`id="send"`)
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for k := range fields {
		form.WriteField(k, fields.Get(k))
	}
	part, err := form.CreateFormFile("signed", name)
	if err != nil {
		w.t.Fatal(err)
	}
	part.Write(content)
	form.Close()
	r, err := http.NewRequest(http.MethodPost, w.resolve(action), &b)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", w.at.Scheme+"://"+w.at.Host)
	w.do(r)
}

var codePattern = regexp.MustCompile(`data-code="([A-Z_]+)"`)

// problem returns the code of the message on the page, "" if there is none.
func (w *walker) problem() string {
	at := strings.Index(w.body, `id="problem"`)
	if at < 0 {
		return ""
	}
	if m := codePattern.FindStringSubmatch(w.body[at:]); m != nil {
		return m[1]
	}
	return ""
}

var linkPattern = regexp.MustCompile(`<a[^>]*id="([^"]*)"[^>]*href="([^"]*)"`)

func (w *walker) follow(id string) {
	w.t.Helper()
	for _, m := range linkPattern.FindAllStringSubmatch(w.body, -1) {
		if m[1] == id {
			w.get(m[2])
			return
		}
	}
	w.t.Fatalf("at %s: no link %q in\n%s", w.at, id, w.body)
}

// TestDemoMethod signs every demo person in, or is refused, by plain forms.
func TestDemoMethod(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	want := map[string]string{"valid": "", "valid-official": "", "other-issuer": "", "multi": ""}
	for outcome, code := range refusals {
		want[outcome] = code
	}
	for outcome, code := range want {
		t.Run(outcome, func(t *testing.T) {
			w := newWalker(t, "")
			w.get(d.Portal + "/login?idp_hint=demo")
			if action, _ := w.form(`id="demo-valid"`); !strings.Contains(action, "demo") {
				t.Errorf("the form's action is %q", action)
			}
			if first := strings.Index(w.body, `id="demo-`); !strings.HasPrefix(w.body[first:], `id="demo-valid"`) {
				t.Error("valid is not the first person")
			}
			w.press(`id="demo-`+outcome+`"`, "person", outcome)
			if code != "" {
				if got := w.problem(); got != code {
					t.Fatalf("got %q, want %q at %s", got, code, w.at)
				}
				return
			}
			w.press(`id="confirm"`)
			if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") {
				t.Fatalf("ended at %s (%d): %s", w.at, w.status, w.problem())
			}
		})
	}
}

// noticed registers a client that asks for the personal-data tick and returns the file.
func noticed(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "clients.json")
	if err := os.WriteFile(name, []byte(`{"client_id":"noticed","client_secret":"a secret of a client that asks","client_name":"Портал із згодою",
		"client_uri":"http://127.0.0.1:9","redirect_uris":["http://127.0.0.1:9/cb"],"notice":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// authorizeNoticed is an authorization request of that client.
func authorizeNoticed(d *dev, more ...string) string {
	q := url.Values{"client_id": {"noticed"}, "redirect_uri": {"http://127.0.0.1:9/cb"}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"0123456789"}, "nonce": {"0123456789"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return d.Issuer + "/authorize?" + q.Encode()
}

// TestConsentNeeded: a client that asks for the tick gets nobody without it.
func TestConsentNeeded(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--client", noticed(t))
	w := newWalker(t, "")
	var returned *url.URL
	w.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "127.0.0.1:9" {
			returned = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	w.get(authorizeNoticed(d, "idp_hint", "demo"))
	w.press(`id="demo-valid"`, "person", "valid")
	w.press(`id="confirm"`)
	if got := w.problem(); got != "CONSENT_NEEDED" || returned != nil {
		t.Fatalf("got %q, returned to %v", got, returned)
	}
	w.press(`id="confirm"`, "consent", "yes")
	if returned == nil || returned.Query().Get("code") == "" || returned.Query().Get("iss") != d.Issuer {
		t.Fatalf("returned to %v", returned)
	}
}

// TestLeave returns without a sign-in.
func TestLeave(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	w := newWalker(t, "")
	w.get(d.Portal + "/login")
	w.follow("leave")
	if w.at.Host != strings.TrimPrefix(d.Portal, "http://") || !strings.Contains(w.body, "access_denied") {
		t.Fatalf("ended at %s\n%s", w.at, w.body)
	}
}

// create signs a file with the program's own verb, as somebody's own program would.
func create(t *testing.T, key, password string, content []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	out := filepath.Join(dir, "request.txt.p7s")
	cmd := exec.Command(binary(t), "signature", "create", "--key", key, "--password-file", write("password", []byte(password)), "--out", out, write("request.txt", content))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("signature create: %v\n%s", err, text)
	}
	signed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// toRequest walks to S16 and returns request.txt.
func (w *walker) toRequest() []byte {
	w.t.Helper()
	w.follow("to-upload")
	w.press(`id="ask"`)
	page := w.at
	body := w.body
	w.follow("download")
	request := []byte(w.body)
	w.at, w.body = page, body
	return request
}

// TestOwnProgram is S16 by plain forms: download, sign elsewhere, upload.
func TestOwnProgram(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	w := newWalker(t, "")
	w.get(d.Portal + "/login")
	request := w.toRequest()
	if !bytes.HasPrefix(request, []byte("brama-login-v1\n")) {
		t.Fatalf("request.txt begins %q", request[:min(40, len(request))])
	}
	t.Run("not a signature", func(t *testing.T) {
		w.upload("photo.jpg", []byte("\xff\xd8\xff\xe0 not a signature"))
		if w.problem() != "CMS_MALFORMED" || w.status != http.StatusBadRequest && w.status != http.StatusUnprocessableEntity {
			t.Errorf("got %q, status %d", w.problem(), w.status)
		}
	})
	t.Run("other text", func(t *testing.T) {
		w.upload("x.p7s", create(t, d.key(t, "valid", "pfx"), d.KeysPassword, []byte("договір")))
		if w.problem() != "SIG_INVALID" {
			t.Errorf("got %q", w.problem())
		}
	})
	w.upload("request.txt.p7s", create(t, d.key(t, "valid", "pfx"), d.KeysPassword, request))
	w.press(`id="confirm"`)
	if !strings.HasPrefix(w.at.String(), d.Portal+"/profile") || !strings.Contains(w.body, "Тестенко") {
		t.Fatalf("ended at %s: %s\n%s", w.at, w.problem(), w.body)
	}
}

// TestServeRefusesDemoKeys: the same program under the national pins takes none of the demo keys, whatever else is wrong
// with them.
func TestServeRefusesDemoKeys(t *testing.T) {
	t.Parallel()
	bundle := filepath.Join(vectors.Trust(t), "CACertificates.p7b")
	d := sharedDev(t)
	address := startServe(t, bundle)
	for _, outcome := range []string{"valid", "valid-official", "seal", "expired", "not-yet-valid", "revoked", "suspended", "unknown", "no-taxno", "other-issuer"} {
		t.Run(outcome, func(t *testing.T) {
			w := newWalker(t, address)
			w.get("https://id.example.gov.ua/authorize?" + url.Values{
				"client_id": {"cabinet"}, "redirect_uri": {"https://cabinet.example.gov.ua/cb"}, "response_type": {"code"}, "scope": {"openid"},
				"state": {"0123456789"}, "nonce": {"0123456789"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
			}.Encode())
			if strings.Contains(w.body, "demo-valid") || strings.Contains(w.body, "devbar") {
				t.Fatal("serve shows something of dev")
			}
			request := w.toRequest()
			w.upload("request.txt.p7s", create(t, d.key(t, outcome, "pfx"), d.KeysPassword, request))
			if got := w.problem(); got != "KEY_ISSUER_UNTRUSTED" {
				t.Errorf("got %q, want KEY_ISSUER_UNTRUSTED (status %d)", got, w.status)
			}
		})
	}
}

// startServe runs `brama serve` with one client and returns the address it listens at.
func startServe(t *testing.T, bundle string) string {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	for name, text := range map[string]string{
		"secret": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n",
		"client": strings.Repeat("s", 43) + "\n",
		"brama.yaml": `issuer: https://id.example.gov.ua
listen: ` + address + `
tls: {certificate: tls.pem, key: tls.key}
data: data
secret_file: secret
trust: {bundles: [{file: ` + bundle + `, next_update: ` + time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339) + `}]}
clients:
  - id: cabinet
    name: {uk: Кабінет, en: Cabinet}
    home: https://cabinet.example.gov.ua
    redirect_uris: [https://cabinet.example.gov.ua/cb]
    auth: {secret_file: client}
    claims: {required: [rnokpp]}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=id.example.gov.ua",
		"-keyout", filepath.Join(dir, "tls.key"), "-out", filepath.Join(dir, "tls.pem"), "-days", "2").CombinedOutput()
	if err != nil {
		missing(t, "openssl cannot make a certificate: "+string(text))
	}
	log := new(syncBuffer)
	cmd := exec.Command(binary(t), "serve", "--config", filepath.Join(dir, "brama.yaml"))
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				t.Errorf("brama serve ended with %v\n%s", err, log)
			}
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			t.Error("brama serve did not stop within 10 s")
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("brama serve ended: %v\n%s", err, log)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("brama serve does not listen\n%s", log)
		}
	}
}

// TestVerifyDemoSignature: a document signed with a demo key passes under the root of the test provider, online, and is
// undecided without the network.
func TestVerifyDemoSignature(t *testing.T) {
	t.Parallel()
	d := sharedDev(t)
	file := filepath.Join(t.TempDir(), "signed.p7s")
	if err := os.WriteFile(file, create(t, d.key(t, "valid", "jks"), d.KeysPassword, []byte("заява")), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(more ...string) (int, string) {
		args := append([]string{"signature", "verify", "--trust", filepath.Join(d.TrustDir, "root-main.cer"), "--trust", filepath.Join(d.TrustDir, "certificates.p7b")}, more...)
		cmd := exec.Command(binary(t), append(args, file)...)
		text, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), string(text)
	}
	if code, text := verify(); code != 0 {
		t.Errorf("online: exit %d\n%s", code, text)
	}
	if code, text := verify("--offline"); code != 3 {
		t.Errorf("offline: exit %d\n%s", code, text)
	}
}
