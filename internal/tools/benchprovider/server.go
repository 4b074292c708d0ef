package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	clientID = "bench"
	secret   = "secret of the measured client, 32 bytes"
	callback = "http://127.0.0.1:9/cb" // nobody listens: the driver stops at the redirect
)

// A server is a process under measurement.
type server struct {
	name   string
	cmd    *exec.Cmd
	portal *portal
}

// pinned returns a command that runs on the first core only, where the system has taskset.
func pinned(name string, args ...string) *exec.Cmd {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		return exec.Command(taskset, append([]string{"-c", "0", name}, args...)...)
	}
	return exec.Command(name, args...)
}

func startBrama(bin, dir string) (*server, error) {
	registration, err := json.Marshal(map[string]any{
		"client_id": clientID, "client_secret": secret, "client_name": "Measured", "client_uri": "http://127.0.0.1:9",
		"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token", "client_credentials"},
		"scope": "openid profile offline_access", "methods": []string{"demo"}, "token_endpoint_auth_method": "client_secret_basic",
		"introspection": true, "api_scopes": []string{"api"},
	})
	if err != nil {
		return nil, err
	}
	clients := filepath.Join(dir, "clients.json")
	if err := os.WriteFile(clients, registration, 0o600); err != nil {
		return nil, err
	}
	cmd := pinned(bin, "dev", "--json", "--port", "0", "--client", clients)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	line, err := start(cmd)
	if err != nil {
		return nil, err
	}
	var ready struct{ Issuer string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return nil, err
	}
	return &server{name: "brama", cmd: cmd, portal: newPortal(ready.Issuer, bramaPages)}, nil
}

// startPeer starts oidc-provider, fetched from npm into the user's cache at its first run.
func startPeer() (*server, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "brama", "bench-provider")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "peer.mjs"} {
		b, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return nil, err
		}
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	install.Dir, install.Stderr = dir, os.Stderr
	if err := install.Run(); err != nil {
		return nil, fmt.Errorf("npm install: %w", err)
	}
	node := "node"
	if found, _ := filepath.Glob(filepath.Join(dir, "node_modules", "node-linux-*", "bin", "node")); len(found) > 0 {
		node = found[0]
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := pinned(node, "peer.mjs", strconv.Itoa(port), callback)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "NODE_ENV=production")
	for line := ""; line != "ready"; {
		if line, err = start(cmd); err != nil {
			return nil, err
		}
	}
	return &server{name: "oidc-provider", cmd: cmd, portal: newPortal(fmt.Sprintf("http://127.0.0.1:%d", port), peerPages)}, nil
}

// start runs cmd and returns the first line that it prints.
func start(cmd *exec.Cmd) (string, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := launch(cmd); err != nil {
		return "", err
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		return "", fmt.Errorf("%s did not start: %w", cmd.Path, errors.Join(err, cmd.Wait()))
	}
	go func() {
		for err == nil {
			_, err = r.ReadString('\n')
		}
	}()
	return strings.TrimSpace(line), nil
}

func (s *server) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		s.cmd.Process.Kill()
	}
}

// round runs op until the server spent least of processor time, and adds what it saw to got.
func (s *server) round(op operation, least time.Duration, got *sample) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	for n := 0; ; {
		for range 50 {
			asked := time.Now()
			if err := op.run(s.portal); err != nil {
				return err
			}
			got.answers = append(got.answers, time.Since(asked))
			n++
		}
		now, err := s.cpu()
		if err != nil {
			return err
		}
		if now-before >= least {
			got.perOperation = append(got.perOperation, (now-before)/time.Duration(n))
			return nil
		}
	}
}

// tick is the unit of /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu returns the processor time of the process, proc(5): utime and stime.
func (s *server) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

// memory returns the resident memory of the process in bytes, proc(5): VmRSS.
func (s *server) memory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}
