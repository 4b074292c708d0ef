//go:build !js

package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const origin = "https://id.example.gov.ua"

var built struct {
	sync.Once
	dir string
	err error
}

// program builds the browser program once and returns its path.
func program(t testing.TB) string {
	t.Helper()
	for _, tool := range []string{"go", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "brama-wasm-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(built.dir, "brama.wasm"), ".")
		build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = err
			os.Stderr.Write(out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "brama.wasm")
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// A browser is worker.js with the program in it, under node.
type browser struct {
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

// octets travel as {"hex": …}.
type octets []byte

func (b octets) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"hex": hex.EncodeToString(b)})
}

func (b *octets) UnmarshalJSON(text []byte) error {
	var v struct{ Hex string }
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	var err error
	*b, err = hex.DecodeString(v.Hex)
	return err
}

type message map[string]any

type answer struct {
	OK           bool
	Code, Kind   string
	MS           float64
	Wiped        bool
	Version      int
	Format       string
	Keys         []keyAnswer
	Certificates []certificateAnswer
	Suggested    *int
	Signature    octets
}

type keyAnswer struct {
	Index                          int
	Alias, Algorithm, Curve, Usage string
	KeyID                          string `json:"keyId"`
	KeyIDKupyna                    string `json:"keyIdKupyna"`
}

type certificateAnswer struct {
	Index, KeyIndex                          int
	CommonName, Organization, Issuer, Serial string
	Kind, Reason                             string
	Usable                                   bool
	NotBefore, NotAfter                      float64
}

func start(t testing.TB) *browser {
	t.Helper()
	wasm := program(t)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/worker.mjs", "../../provider/web/static/worker.js",
		filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm/wasm_exec.js"), wasm, origin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
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
	t.Cleanup(func() {
		in.Close()
		io.Copy(io.Discard, out)
		cmd.Wait()
		if stderr.Len() > 0 {
			t.Errorf("node says:\n%s", &stderr)
		}
	})
	b := &browser{t, in, bufio.NewReaderSize(out, 1<<20)}
	if a := b.send(message{"cmd": "start"}); !a.OK || a.Version != 1 {
		t.Fatalf("start: %+v", a)
	}
	return b
}

func (b *browser) send(m message) answer {
	b.t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, '\n')); err != nil {
		b.t.Fatal(err)
	}
	line, err := b.out.ReadBytes('\n')
	if err != nil {
		b.t.Fatalf("no answer to %v: %v", m["cmd"], err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		b.t.Fatalf("%s: %v", line, err)
	}
	return a
}

func (b *browser) open(data []byte, password string) answer {
	b.t.Helper()
	a := b.send(message{"cmd": "open", "data": octets(data), "password": octets(password)})
	if !a.Wiped {
		b.t.Error("key and password were not overwritten")
	}
	return a
}
