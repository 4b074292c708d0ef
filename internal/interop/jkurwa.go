package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
)

// jkurwaFolder installs jkurwa once a process, below .cache of the project, and returns the folder; "" with the reason.
var jkurwaFolder = sync.OnceValues(func() (string, string) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", "npm is not installed"
	}
	dir, err := projectFolder()
	if err != nil {
		return "", err.Error()
	}
	target := filepath.Join(dir, ".cache", "jkurwa")
	source := filepath.Join(dir, "internal", "interop", "testdata", "jkurwa")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return "", err.Error()
	}
	for _, name := range []string{"package.json", "cms.js"} {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(target, name), b, 0o644)
		}
		if err != nil {
			return "", err.Error()
		}
	}
	if _, err := os.Stat(filepath.Join(target, "node_modules", "jkurwa", "package.json")); err == nil {
		return target, ""
	}
	cmd := exec.Command(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
	cmd.Dir = target
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "npm cannot install jkurwa: " + string(out)
	}
	return target, ""
})

func jkurwa(t testing.TB, args ...string) (bool, string) {
	t.Helper()
	node := tool(t, "node")
	dir, why := jkurwaFolder()
	if dir == "" {
		missing(t, why)
	}
	return run(t, dir, node, append([]string{"cms.js"}, args...)...)
}

// VerifyWithJkurwa has jkurwa verify message (ДСТУ 4145 with ГОСТ 34.311 only): messageDigest over content, the signature
// value by the certificate in the message, and that signingTime lies in its validity. content is nil for an attached one.
func VerifyWithJkurwa(t testing.TB, message, content []byte) Verdict {
	t.Helper()
	args := []string{"verify", file(t, "message", message)}
	if content != nil {
		args = append(args, file(t, "content", content))
	}
	ok, output := jkurwa(t, args...)
	return Verdict{ok, output}
}

// SignWithJkurwa has jkurwa sign content. It leaves the signed attributes in an order of its own.
func SignWithJkurwa(t testing.TB, key *dstu4145.PrivateKey, certificate, content []byte, detached bool) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	ok, output := jkurwa(t, "sign", file(t, "key", keystore.EncodePKCS8(key, nil)), file(t, "certificate", certificate), file(t, "content", content), out, mode(detached))
	return written(t, ok, output, out)
}

// An Opened is what jkurwa made of a container: the identifiers of the keys in hex, how many certificates are inside,
// whether it had to search one, and the message that it signed, nil with the reason in Error.
type Opened struct {
	Keys         []string `json:"keys"`
	Certificates int      `json:"certificates"`
	Searched     bool     `json:"searched"`
	Error        string   `json:"error"`
	Message      []byte   `json:"-"`
}

// OpenWithJkurwa has jkurwa open containers by name and sign content with each, as its users do: with the first key that
// has a certificate for it, inside or at one of the CMP services. What is not opened or signed is no failure of the test.
func OpenWithJkurwa(t testing.TB, containers map[string][]byte, password string, content []byte, detached bool, services ...string) map[string]Opened {
	t.Helper()
	dir := t.TempDir()
	args := []string{"open", password, file(t, "content", content), mode(detached), strings.Join(services, ",")}
	for name, b := range containers {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	ok, output := jkurwa(t, args...)
	results := make(map[string]Opened)
	// What it complains of stands before the last line.
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &results); !ok || err != nil {
		t.Fatalf("jkurwa: %v\n%s", err, output)
	}
	opened := make(map[string]Opened)
	for path, o := range results {
		if o.Error == "" {
			var err error
			if o.Message, err = os.ReadFile(path + ".p7s"); err != nil {
				t.Fatal(err)
			}
		}
		opened[filepath.Base(path)] = o
	}
	return opened
}
