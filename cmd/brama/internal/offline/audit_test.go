package offline

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brama/cmd/brama/internal/wiring"
	"brama/internal/audit"
)

// TestAuditVerify: an operator can see that nobody changed the log or cut its end, of the data folder and of a copy (threat T89).
func TestAuditVerify(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("brama.yaml", []byte("issuer: https://id.example.gov.ua\ndata: data\nsecret_file: secret\ntrust: {bundles: [{file: b.p7b}]}\n"))
	secret := bytes.Repeat([]byte{9}, 32)
	write("secret", []byte(base64.StdEncoding.EncodeToString(secret)))
	state, err := wiring.OpenState(filepath.Join(dir, "data"), secret)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := state.Audit.Record(t.Context(), audit.Event{Action: "login.verified", Outcome: audit.Passed}); err != nil {
			t.Fatal(err)
		}
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(more ...string) (int, string) {
		var out, errs bytes.Buffer
		v, args, ok := Find(append([]string{"audit", "verify", filepath.Join(dir, "brama.yaml")}, more...))
		if !ok {
			t.Fatal("there is no such verb")
		}
		return v.Run(args, nil, &out, &errs), out.String() + errs.String()
	}
	if code, out := run(); code != ExitOK || !strings.HasPrefix(out, "3 lines") {
		t.Errorf("as it was written: %d %s", code, out)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "data", "audit"))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy")
	if err := os.Mkdir(copied, 0o700); err != nil {
		t.Fatal(err)
	}
	var log string
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "data", "audit", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "login.verified") {
			log = e.Name()
		}
		write("copy/"+e.Name(), b)
	}
	whole, err := os.ReadFile(filepath.Join(copied, log))
	if err != nil {
		t.Fatal(err)
	}
	if code, out := run("--dir", copied); code != ExitOK {
		t.Errorf("a copy: %d %s", code, out)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, b := range map[string][]byte{
		"changed": bytes.Replace(whole, []byte("passed"), []byte("failed"), 1), "cut": bytes.Join(lines[:2], nil), "a line less": bytes.Join(lines[1:], nil),
	} {
		write("copy/"+log, b)
		if code, out := run("--dir", copied); code != ExitFailed || !strings.Contains(out, "changed") {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	if code, _ := run("--dir", filepath.Join(dir, "absent")); code != ExitUsage {
		t.Errorf("a folder that is not there: %d", code)
	}
	write("secret", []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))))
	if code, _ := run(); code != ExitFailed {
		t.Errorf("another secret: %d", code)
	}
}
