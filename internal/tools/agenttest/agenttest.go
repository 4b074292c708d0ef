// Package agenttest is support for tests that need brama-agent as a person has it: the program itself, built and started
// with a configuration file, and windows that the test answers. The windows are a real dialog program: the test's own
// binary, which [Main] makes into one when the agent starts it.
package agenttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// dialogEnv names the folder where the windows are laid down; with it set the test's binary is a dialog program.
const dialogEnv = "BRAMA_AGENT_TEST_WINDOWS"

// Main is called first by TestMain; after is what ends when all tests have.
func Main(m *testing.M, after ...func()) {
	if dir := os.Getenv(dialogEnv); dir != "" {
		os.Exit(dialog(dir))
	}
	code := m.Run()
	for _, end := range after {
		end()
	}
	os.Exit(code)
}

// A Window is what the agent shows.
type Window struct {
	Kind    string   `json:"kind"`
	Title   string   `json:"title"`
	Lines   []string `json:"lines"`
	Choices []string `json:"choices"`
	OK      string   `json:"ok"`
	Cancel  string   `json:"cancel"`

	answer string
}

// Text is everything in the window.
func (w Window) Text() string { return strings.Join(append(w.Lines, w.Choices...), "\n") }

// dialog lays down the window that it is given and waits for its answer.
func dialog(dir string) int {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 2
	}
	for n := 1; ; n++ {
		name := filepath.Join(dir, strconv.Itoa(n))
		f, err := os.OpenFile(name+".claim", os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			continue
		}
		_ = f.Close()
		if os.WriteFile(name+".tmp", in, 0o600) != nil || os.Rename(name+".tmp", name+".window") != nil {
			return 2
		}
		for {
			if b, err := os.ReadFile(name + ".answer"); err == nil {
				_, _ = os.Stdout.Write(b)
				return 0
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// build builds the agent once for all tests of a process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "brama-agent")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	_, here, _, _ := runtime.Caller(0)
	path := filepath.Join(dir, "brama-agent")
	// Whoever runs the tests is the administrator for them: the program has no switch for that.
	flags := "-X main.version=1.0.0 -X brama/cmd/brama-agent/internal/adminonly.administrator=" + strconv.Itoa(os.Getuid())
	cmd := exec.Command("go", "build", "-o", path, "-ldflags", flags, "brama/cmd/brama-agent")
	cmd.Dir = filepath.Dir(here)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the agent: %w\n%s", err, out)
	}
	return path, nil
})

// Options are what an administrator sets.
type Options struct {
	Origins []string
	Modules []string
	Port    int    // 0 takes a free one
	Binary  string // an installed agent; "" builds one
	Config  string // file to write the configuration to; "" takes one of its own
	Shipped []byte // a configuration that is taken as it is, but for the port and the dialog program
	// Phrase is chosen beforehand, and Origins are known, so that the first window is that of a login. "" leaves the agent
	// as after the installation.
	Phrase string
}

// An Agent is a running agent.
type Agent struct {
	Port int

	t       testing.TB
	windows string
	next    int
	cmd     *exec.Cmd
	log     lockedBuffer
	done    chan struct{}
}

// URL is where pages find it.
func (a *Agent) URL() string { return "http://127.0.0.1:" + strconv.Itoa(a.Port) }

// PID is the process.
func (a *Agent) PID() int { return a.cmd.Process.Pid }

// Start starts an agent and waits until it is ready.
func Start(t testing.TB, o Options) *Agent {
	t.Helper()
	a := New(t, o)
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-a.done:
			t.Fatalf("the agent has stopped:\n%s", a.Log())
		default:
		}
		if conn, err := net.Dial("tcp4", "127.0.0.1:"+strconv.Itoa(a.Port)); err == nil {
			_ = conn.Close()
			return a
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the agent is not ready:\n%s", a.Log())
	return nil
}

// New starts an agent and does not wait.
func New(t testing.TB, o Options) *Agent {
	t.Helper()
	if o.Binary == "" {
		path, err := build()
		if err != nil {
			t.Fatal(err)
		}
		o.Binary = path
	}
	home := t.TempDir()
	a := &Agent{t: t, Port: o.Port, windows: filepath.Join(home, "windows"), done: make(chan struct{})}
	if a.Port == 0 {
		a.Port = freePort(t)
	}
	if o.Config == "" {
		o.Config = filepath.Join(home, "agent.yaml")
	}
	dialog, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a.must(os.Chmod(filepath.Dir(dialog), 0o755))
	a.must(os.Chmod(home, 0o755))
	a.must(os.Mkdir(a.windows, 0o755))
	config, err := json.Marshal(map[string]any{ // JSON is YAML
		"origins": o.Origins, "port": a.Port, "modules": o.Modules, "platform_modules": false, "dialog": dialog,
	})
	a.must(err)
	if o.Shipped != nil {
		config = fmt.Appendf(o.Shipped, "port: %d\ndialog: %s\n", a.Port, dialog)
	}
	a.must(os.WriteFile(o.Config, config, 0o644))
	person := filepath.Join(home, "config", "brama-agent")
	if o.Phrase != "" {
		b, err := json.Marshal(map[string]any{"phrase": o.Phrase, "origins": o.Origins})
		a.must(err)
		a.must(os.MkdirAll(person, 0o700))
		a.must(os.WriteFile(filepath.Join(person, "person.json"), b, 0o600))
	}
	a.cmd = exec.Command(o.Binary, "--config", o.Config)
	a.cmd.Env = append(os.Environ(), dialogEnv+"="+a.windows, "XDG_CONFIG_HOME="+filepath.Join(home, "config"))
	a.cmd.Stderr = &a.log
	a.cmd.Stdout = &a.log
	a.must(a.cmd.Start())
	go func() { _ = a.cmd.Wait(); close(a.done) }()
	t.Cleanup(a.Stop)
	return a
}

func (a *Agent) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// Stop ends the agent.
func (a *Agent) Stop() {
	_ = a.cmd.Process.Kill()
	<-a.done
}

// Wait returns what the agent has said once it has stopped by itself.
func (a *Agent) Wait() string {
	a.t.Helper()
	select {
	case <-a.done:
	case <-time.After(20 * time.Second):
		a.t.Fatalf("the agent does not stop:\n%s", a.Log())
	}
	return a.Log()
}

// Log is what the agent has written.
func (a *Agent) Log() string { return a.log.String() }

// Window waits for the next window, which must be of the given kind.
func (a *Agent) Window(kind string) Window {
	a.t.Helper()
	a.next++
	name := filepath.Join(a.windows, strconv.Itoa(a.next))
	deadline := time.Now().Add(60 * time.Second)
	for time.Now().Before(deadline) {
		b, err := os.ReadFile(name + ".window")
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		w := Window{answer: name + ".answer"}
		a.must(json.Unmarshal(b, &w))
		if w.Kind != kind {
			a.t.Fatalf("window %d is of the kind %s, want %s:\n%s", a.next, w.Kind, kind, w.Text())
		}
		return w
	}
	a.t.Fatalf("no window %d (%s)\n%s", a.next, kind, a.Log())
	return Window{}
}

// Windows is how many windows the agent has opened.
func (a *Agent) Windows() int {
	list, err := filepath.Glob(filepath.Join(a.windows, "*.window"))
	a.must(err)
	return len(list)
}

// Press answers a window: its first button.
func (a *Agent) Press(w Window) { a.answer(w, `{"ok":true}`) }

// Refuse answers a window: its other button.
func (a *Agent) Refuse(w Window) { a.answer(w, `{"ok":false}`) }

// Type answers a window with text.
func (a *Agent) Type(w Window, text string) {
	b, err := json.Marshal(map[string]any{"ok": true, "value": text})
	a.must(err)
	a.answer(w, string(b))
}

// Pick answers a window with the choice that has text in it.
func (a *Agent) Pick(w Window, text string) {
	a.t.Helper()
	for i, c := range w.Choices {
		if strings.Contains(c, text) {
			a.answer(w, fmt.Sprintf(`{"ok":true,"choice":%d}`, i))
			return
		}
	}
	a.t.Fatalf("no choice with %q:\n%s", text, w.Text())
}

func (a *Agent) answer(w Window, text string) {
	a.t.Helper()
	a.must(os.WriteFile(w.answer+".tmp", []byte(text), 0o600))
	a.must(os.Rename(w.answer+".tmp", w.answer))
}

// A Reply is what the agent says to a page.
type Reply struct {
	Status    int
	Body      string
	Code      string            `json:"code"`
	Values    map[string]string `json:"values"`
	Signature []byte            `json:"signature"`
	Search    struct {
		ID     string   `json:"id"`
		KeyIDs []string `json:"key_ids"`
	} `json:"search"`
}

// Call is a request of a page at origin. body is encoded as JSON; nil makes it a GET.
func (a *Agent) Call(ctx context.Context, origin, verb string, body any) Reply {
	a.t.Helper()
	method, b := http.MethodGet, []byte(nil)
	if body != nil {
		var err error
		method = http.MethodPost
		b, err = json.Marshal(body)
		a.must(err)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.URL()+"/v1/"+verb, bytes.NewReader(b))
	a.must(err)
	r.Header.Set("Origin", origin)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return Reply{Body: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Reply{Body: err.Error()}
	}
	reply := Reply{Status: resp.StatusCode, Body: string(text)}
	_ = json.Unmarshal(text, &reply) // a refusal may be empty
	return reply
}

// Login asks for a login in the background.
func (a *Agent) Login(ctx context.Context, origin string, challenge []byte) <-chan Reply {
	got := make(chan Reply, 1)
	go func() {
		got <- a.Call(ctx, origin, "login", map[string]any{"challenge": challenge, "language": "uk"})
	}()
	return got
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// A lockedBuffer may be read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
