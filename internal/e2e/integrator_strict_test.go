package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestStrictOpenIDClient: a portal of npm's openid-client registers itself at `brama dev` with the profile FAPI 2.0 Message
// Signing and walks a sign-in, a refresh and a sign-out, after which its refresh token is dead.
func TestStrictOpenIDClient(t *testing.T) {
	if _, err := os.Stat("testdata/portals/node_modules/.package-lock.json"); err != nil {
		missing(t, "packages of testdata/portals are not installed: run make setup")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: run make setup")
	}
	d := startDev(t, "--registration", "open")
	const home = "https://portal.example.ua/cb" // never reached
	cmd := exec.Command(node, filepath.Join("testdata", "portals", "strict.mjs"), d.Issuer, home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log := new(syncBuffer)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		stop.Stop()
		cmd.Process.Kill()
		cmd.Wait() // it was killed, or has ended
	})
	type told struct {
		URL, Name, Type string
		Error           *string
		Renewed         bool
		Answer          []string
	}
	answers := json.NewDecoder(bufio.NewReader(out))
	read := func() (m told) {
		t.Helper()
		if err := answers.Decode(&m); err != nil {
			t.Fatalf("%v\n%s", err, log)
		}
		return m
	}

	var back *url.URL
	w := newWalker(t, "")
	w.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "portal.example.ua" {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	w.get(read().URL)
	w.follow("tab-demo")
	w.press(`id="demo-valid"`, "person", "valid")
	w.press(`id="confirm"`, "consent", "yes")
	if back == nil {
		t.Fatalf("at %s (%d): %s", w.at, w.status, w.problem())
	}
	io.WriteString(in, back.String()+"\n")
	m := read()
	if m.Name != "Тестенко Олена Петрівна" || m.Type != "dpop" || !m.Renewed || !slices.Equal(m.Answer, []string{"response"}) {
		t.Errorf("%+v", m)
	}
	back = nil
	w.get(m.URL)
	if back == nil || back.Query().Get("state") != "out" {
		t.Fatalf("signed out to %v, at %s (%d): %s", back, w.at, w.status, w.problem())
	}
	io.WriteString(in, "out\n")
	if m := read(); m.Error == nil || *m.Error != "invalid_grant" {
		t.Errorf("after the sign-out a refresh gives %+v\n%s", m, log)
	}
}
