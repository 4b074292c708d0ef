//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

// childrenOf returns the command lines of the children of a process.
func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(b)) {
			if line, err := os.ReadFile("/proc/" + child + "/cmdline"); err == nil && len(line) > 0 {
				list = append(list, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
			}
		}
	}
	return list
}

// A spy reads the command line and the environment of every process, over and over.
type spy struct {
	mu   sync.Mutex
	seen map[string]bool
	n    int
}

func (s *spy) watch(ctx context.Context) {
	for ctx.Err() == nil {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			line, _ := os.ReadFile(f)
			environment, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "environ"))
			s.mu.Lock()
			s.n++
			s.seen[string(line)] = true
			s.seen[string(environment)] = true
			s.mu.Unlock()
		}
		time.Sleep(time.Millisecond)
	}
}

// TestPINNowhere: the PIN is in no log, in no request or answer, in no command line or environment, and in no file that is
// left behind, after right and wrong PINs, crashes and a lock.
func TestPINNowhere(t *testing.T) {
	const secret, wrong = "9048151623", "7710203040"
	w := newWorld(t)
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "Токен А", "UA00004821", secret, 9)
	put(token, w.issue(olena()), true)
	a := start(t, pkcs11dstu.Build(t, adminDir(t)))

	ctx, stop := context.WithCancel(t.Context())
	s := &spy{seen: map[string]bool{}}
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx) })
	wire := record(t)

	challenge := text(t)
	login := func() <-chan agenttest.Reply {
		reply := a.Login(t.Context(), site, challenge)
		a.Press(a.Window("confirm"))
		return reply
	}
	reply := login()
	a.Type(a.Window("pin"), wrong)
	ask := a.Window("pin")
	time.Sleep(100 * time.Millisecond)
	a.Type(ask, secret)
	w.signedBy(<-reply, challenge, olenaName)
	reply = login()
	ask = a.Window("pin")
	tokens.Fault("crash", "C_Sign")
	a.Type(ask, secret)
	<-reply
	tokens.Fault("fail", "C_Login")
	reply = login()
	a.Type(a.Window("pin"), secret)
	<-reply
	stop()
	watching.Wait()

	if s.n < 100 || !seenAny(s, "pkcs11-module") {
		t.Errorf("the spy saw %d processes and no child", s.n)
	}
	for _, pin := range []string{secret, wrong} {
		for what := range s.seen {
			if strings.Contains(what, pin) {
				t.Errorf("a process shows the PIN: %q", what)
			}
		}
		if strings.Contains(a.Log(), pin) {
			t.Errorf("the log holds the PIN:\n%s", a.Log())
		}
		if bytes.Contains(wire.bytes(), []byte(pin)) {
			t.Error("the PIN is on the wire")
		}
	}
	if !bytes.Contains(wire.bytes(), []byte("challenge")) {
		t.Error("the wire was not recorded")
	}
	if dumps, _ := filepath.Glob("core*"); len(dumps) > 0 {
		t.Errorf("core dumps: %v", dumps)
	}
}

func seenAny(s *spy, text string) bool {
	for what := range s.seen {
		if strings.Contains(what, text) {
			return true
		}
	}
	return false
}

// A wireRecord is everything that goes between pages and the agent.
type wireRecord struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *wireRecord) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(b)
}

func (r *wireRecord) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.b.Bytes())
}

// record makes the requests of this test go through a recorder.
func record(t *testing.T) *wireRecord {
	r := &wireRecord{}
	before := http.DefaultTransport
	transport := before.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &recordedConn{Conn: conn, to: r}, nil
	}
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = before })
	return r
}

type recordedConn struct {
	net.Conn
	to io.Writer
}

func (c *recordedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	_, _ = c.to.Write(b[:n])
	return n, err
}

func (c *recordedConn) Write(b []byte) (int, error) {
	_, _ = c.to.Write(b)
	return c.Conn.Write(b)
}
