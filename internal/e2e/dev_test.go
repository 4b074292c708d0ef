package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A dev is a running `brama dev`.
type dev struct {
	Issuer       string `json:"issuer"`
	Portal       string `json:"portal"`
	KeysDir      string `json:"keys_dir"`
	KeysPassword string `json:"keys_password"`
	Clients      []struct {
		ClientID     string   `json:"client_id"`
		ClientSecret string   `json:"client_secret"`
		RedirectURIs []string `json:"redirect_uris"`
	} `json:"clients"`
	OCSP string `json:"ocsp"`
	TSP  string `json:"tsp"`
	CMP  string `json:"cmp"`
	// Doubles are the pages of other people's systems.
	Doubles struct {
		Diia     string   `json:"diia"`
		IDGov    string   `json:"idgov"`
		BankID   string   `json:"bankid"`
		Cloud    string   `json:"cloud"`
		Async    string   `json:"async"`
		Smart    string   `json:"smart"`
		MobileID string   `json:"mobileid"`
		Number   string   `json:"number"`
		Numbers  []string `json:"numbers"`
		Email    string   `json:"email"`
	} `json:"doubles"`
	TrustDir string `json:"trust_dir"`
	// data is the folder of the store and the audit log.
	data string

	log *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// binary is the program that `make build` left; BRAMA_BIN names another.
func binary(t testing.TB) string {
	t.Helper()
	if name := os.Getenv("BRAMA_BIN"); name != "" {
		return name
	}
	name, err := filepath.Abs("../../bin/brama")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err != nil {
		missing(t, "bin/brama is not there: run make build")
	}
	return name
}

// missing skips, and with CI set fails: a journey that was not walked proves nothing.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// shared is one `brama dev` for tests that only sign in at its portal, until the last test has ended: starting one takes as
// long as a walk.
var shared sharing

type sharing struct {
	mu   sync.Mutex
	dev  *dev
	dir  string
	stop func() error
}

// sharedDev is for tests that need no flags, no doubles and no log of their own: numbers and addresses of the doubles may be
// asked only so often.
func sharedDev(t testing.TB) *dev {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.dev == nil {
		dir, err := os.MkdirTemp("", "brama-e2e-")
		if err != nil {
			t.Fatal(err)
		}
		shared.dir = dir
		shared.dev, shared.stop = launch(t, filepath.Join(dir, "dev"))
	}
	d := shared.dev
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of brama dev, which other tests share:\n%s", d.log)
		}
	})
	return d
}

func (s *sharing) end() {
	if s.stop != nil {
		if err := s.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

// startDev runs `brama dev` on free ports until the test ends.
func startDev(t testing.TB, args ...string) *dev {
	t.Helper()
	d, stop := launch(t, filepath.Join(t.TempDir(), "dev"), args...)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of brama dev:\n%s", d.log)
		}
	})
	return d
}

// launch runs `brama dev` on free ports until stop is called; where it does not get ready it is stopped here.
func launch(t testing.TB, data string, args ...string) (d *dev, stop func() error) {
	t.Helper()
	d = &dev{log: new(syncBuffer), data: data}
	cmd := exec.Command(binary(t), append([]string{"dev", "--json", "--port", "0", "--data", d.data}, args...)...)
	cmd.Stderr = d.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() error {
		cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
			return nil
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
			return errors.New("brama dev did not stop within 10 s of SIGTERM")
		}
	}
	ready := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, d)
		}
		ready <- err
	}()
	select {
	case err := <-ready:
		if err != nil {
			stop()
			t.Fatalf("brama dev was not ready: %v\n%s", err, d.log)
		}
	case <-time.After(60 * time.Second):
		stop()
		t.Fatalf("brama dev was not ready within 60 s\n%s", d.log)
	}
	return d, stop
}

// key returns the file of a demo key, which must exist.
func (d *dev) key(t testing.TB, outcome, format string) string {
	t.Helper()
	name := filepath.Join(d.KeysDir, fmt.Sprintf("%s.%s", outcome, format))
	if _, err := os.Stat(name); err != nil {
		t.Fatal(err)
	}
	return name
}
