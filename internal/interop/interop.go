package interop

import (
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"testing"
)

// missing skips a test whose tool is not there, or fails it where everything must be.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and CI is set", what)
	}
	t.Skip(what)
}

func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

// projectFolder is the folder of go.mod, above the test that runs: what the tools need is kept below its .cache.
func projectFolder() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the project's folder was not found")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

func file(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a tool. Its exit code 1 is "no"; any other but 0 fails the test.
func run(t testing.TB, dir, name string, args ...string) (yes bool, output string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return true, string(out)
	}
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
	return false, string(out)
}

func mode(detached bool) string {
	if detached {
		return "detached"
	}
	return "attached"
}

// A Verdict is what an implementation says of a message.
type Verdict struct {
	OK     bool
	Output string
}

// Accept fails the test unless the message was accepted.
func (v Verdict) Accept(t testing.TB) {
	t.Helper()
	if !v.OK {
		t.Errorf("refused: %s", v.Output)
	}
}

// Refuse fails the test if the message was accepted.
func (v Verdict) Refuse(t testing.TB) {
	t.Helper()
	if v.OK {
		t.Errorf("accepted: %s", v.Output)
	}
}

// armour writes a PEM block of type kind.
func armour(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}
