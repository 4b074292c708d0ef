package layers

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestModuleList: what is linked into our programs, and in which version, is a list that somebody has read: a module that comes
// in behind another one is seen in the change that brings it (threat T102). After such a change, and a look at the module:
//
//	BRAMA_WRITE_MODULES=1 go test -run TestModuleList ./internal/layers
func TestModuleList(t *testing.T) {
	const golden = "testdata/modules.txt"
	var found []string
	for _, build := range [][]string{{"linux"}, {"linux", "-tags=pkcs11"}, {"windows"}} {
		args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}}{{end}}"}, build[1:]...)
		cmd := exec.Command("go", append(args, "./cmd/...")...)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "GOOS="+build[0], "CGO_ENABLED=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", build, err, &stderr)
		}
		for line := range strings.Lines(string(out)) {
			line = strings.TrimSpace(line)
			if line != "" && line != module && !slices.Contains(found, line) {
				found = append(found, line)
			}
		}
	}
	slices.Sort(found)
	if len(found) < 5 {
		t.Fatalf("only %d modules: the test looks at nothing", len(found))
	}
	if os.Getenv("BRAMA_WRITE_MODULES") != "" {
		if err := os.WriteFile(golden, []byte(strings.Join(found, "\n")+"\n"), 0o644); err != nil { //nolint:gosec // a list that everybody may read
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(strings.TrimSpace(string(b)), "\n")
	for _, m := range found {
		if !slices.Contains(known, m) {
			t.Errorf("%s is linked and not in %s", m, golden)
		}
	}
	for _, m := range known {
		if !slices.Contains(found, m) {
			t.Errorf("%s is in %s and linked no more", m, golden)
		}
	}
}
