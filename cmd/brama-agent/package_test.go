//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
)

// packages builds the packages as `make agent-packages` does, for an administrator who is whoever runs the tests.
func packages(t *testing.T) (deb, rpm string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds packages")
	}
	out := t.TempDir()
	flags := "-X main.version=1.0.0 -X brama/cmd/brama-agent/internal/adminonly.administrator=" + strconv.Itoa(os.Getuid())
	cmd := exec.Command("make", "-f", "deploy/agent/agent.mk", "agent-packages", "AGENT_OUT="+out, "AGENT_LDFLAGS="+flags, "AGENT_VERSION=1.0.0")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "MAKEFLAGS=")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the packages: %v\n%s", err, b)
	}
	find := func(pattern string) string {
		list, err := filepath.Glob(filepath.Join(out, pattern))
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %v, %v", pattern, list, err)
		}
		return list[0]
	}
	return find("brama-agent_1.0.0_*.deb"), find("brama-agent-1.0.0*.rpm")
}

// TestPackages: the deb is installed by dpkg into a folder of its own, and the installed agent serves a sign-in, listening
// for the sites of its configuration file; it starts by itself, and neither package brings a certificate or a script (T61).
func TestPackages(t *testing.T) {
	deb, rpm := packages(t)
	root := adminDir(t)
	if os.Getuid() == 0 {
		for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
			if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{"var/lib/dpkg/status", "var/lib/dpkg/available"} {
			if err := os.WriteFile(filepath.Join(root, file), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		output(t, "dpkg", "--root="+root, "--force-depends", "--force-script-chrootless", "-i", deb)
	} else {
		output(t, "dpkg-deb", "-x", deb, root)
	}
	want := []string{"/usr/bin/brama-agent", "/etc/brama-agent/agent.yaml", "/etc/xdg/autostart/brama-agent.desktop", "/usr/share/doc/brama-agent/README.md"}
	for _, file := range want {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	desktop, err := os.ReadFile(filepath.Join(root, want[2]))
	if err != nil || !bytes.Contains(desktop, []byte("Exec=/usr/bin/brama-agent\n")) {
		t.Errorf("autostart: %q, %v", desktop, err)
	}
	contents := output(t, "dpkg-deb", "-c", deb) + output(t, "dpkg-deb", "-e", deb, filepath.Join(root, "control"))
	scripts, _ := filepath.Glob(filepath.Join(root, "control", "p*"))
	if strings.Contains(contents, "ca-certificates") || strings.Contains(contents, ".crt") || strings.Contains(contents, ".pem") || len(scripts) > 0 {
		t.Errorf("the package brings more than a program: %v\n%s", scripts, contents)
	}
	if _, err := exec.LookPath("rpm"); err == nil {
		list := output(t, "rpm", "-qlp", rpm)
		for _, file := range want {
			if !strings.Contains(list, file+"\n") {
				t.Errorf("the rpm lacks %s", file)
			}
		}
	}

	w := newWorld(t)
	put(pkcs11dstu.New(t).Add(0, "Токен А", "UA00004821", pin, 5), w.issue(olena()), true)
	a := agenttest.Start(t, agenttest.Options{Origins: []string{site}, Modules: []string{pkcs11dstu.Build(t, adminDir(t))}, Phrase: phrase,
		Binary: filepath.Join(root, want[0]), Config: filepath.Join(root, want[1])})
	challenge := text(t)
	reply := a.Login(t.Context(), site, challenge)
	a.Press(a.Window("confirm"))
	a.Type(a.Window("pin"), pin)
	w.signedBy(<-reply, challenge, olenaName)
}

// TestShippedConfig: the configuration as it is installed lets nobody in.
func TestShippedConfig(t *testing.T) {
	b, err := os.ReadFile("../../deploy/agent/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a := agenttest.Start(t, agenttest.Options{Shipped: b})
	if r := a.Call(t.Context(), site, "version", nil); r.Status != 403 || r.Body != "" {
		t.Errorf("the agent says %d %s", r.Status, r.Body)
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}
