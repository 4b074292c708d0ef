package interop

import (
	"os"
	"os/exec"
	"path/filepath"
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
