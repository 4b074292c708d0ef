//go:build !js

package main

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/qes/keystore"
	"brama/internal/vectors"
)

type task struct {
	Containers []taskContainer `json:"containers"`
	Own        string          `json:"own"`
	Foreign    string          `json:"foreign"`
}

type taskContainer struct {
	name     string
	Data     string `json:"data"`
	Password string `json:"password"`
}

type chromiumAnswer struct {
	answer
	Refused string
	Signed  octets
}

// TestContainersInChromium: every real container opens in a browser's worker, under the policy that the worker is served
// with, to what the native code finds; a wrong password has its code; the director's key signs for our origin alone.
func TestContainersInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	wasm := program(t)
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var work task
	for _, path := range vectors.Glob(t, "keys/*") {
		name := filepath.Base(path)
		data := hex.EncodeToString(vectors.Read(t, "keys/"+name))
		work.Containers = append(work.Containers, taskContainer{name, data, passwords[name]}, taskContainer{name, data, "пароль"})
	}
	results := make(chan []byte, 1)
	mux := http.NewServeMux()
	static := func(path, file, kind, policy string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Security-Policy", policy)
			http.ServeFile(w, r, file)
		})
	}
	static("/page.js", "testdata/page.js", "text/javascript", "")
	static("/static/worker.js", "../../provider/web/static/worker.js", "text/javascript", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'")
	static("/static/wasm_exec.js", filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm/wasm_exec.js"), "text/javascript", "")
	static("/static/brama.wasm", wasm, "application/wasm", "")
	mux.HandleFunc("/task", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(work) })
	mux.HandleFunc("/result", func(_ http.ResponseWriter, r *http.Request) {
		var b json.RawMessage
		if json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<20)).Decode(&b) == nil {
			results <- b
		}
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'")
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><script src="/page.js"></script>`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	work.Own = hex.EncodeToString(text(t, server.URL))
	work.Foreign = hex.EncodeToString(text(t, "https://evil.example"))

	cmd := exec.Command(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+t.TempDir(), server.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		cmd.Process.Kill()
		<-ended
		time.Sleep(200 * time.Millisecond) // its children let go of the profile
	}()
	var raw []byte
	select {
	case raw = <-results:
	case <-time.After(2 * time.Minute):
		t.Fatal("no answer from Chromium")
	}
	var got struct {
		Error   string
		Answers []chromiumAnswer
	}
	if err := json.Unmarshal(raw, &got); err != nil || got.Error != "" || len(got.Answers) != len(work.Containers) {
		t.Fatalf("%v, %q, %d answers", err, got.Error, len(got.Answers))
	}
	signatures := 0
	for i, c := range work.Containers {
		a := got.Answers[i]
		data, _ := hex.DecodeString(c.Data)
		want, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte(c.Password))
		if err != nil {
			if code, kind := codeOf(err); a.OK || a.Code != string(code) || a.Kind != kind {
				t.Errorf("%s, %q: %s %s, want %s", c.name, c.Password, a.Code, a.Kind, code)
			}
			continue
		}
		if !a.OK || len(a.Keys) != len(want.Keys) {
			t.Errorf("%s: %+v", c.name, a)
			continue
		}
		t.Logf("%s: %.0f ms", c.name, a.MS)
		for j, k := range want.Keys {
			if a.Keys[j].KeyID != hex.EncodeToString(k.ID) {
				t.Errorf("%s, key %d: %s", c.name, j, a.Keys[j].KeyID)
			}
		}
		if a.Suggested == nil {
			continue
		}
		if a.Certificates[*a.Suggested].Reason == string(codeUsage) {
			if len(a.Signed) != 0 {
				t.Errorf("%s: signs with a certificate that is not for signing", c.name)
			}
			continue
		}
		signatures++
		if a.Refused != string(codeForeignIssuer) || len(a.Signed) == 0 {
			t.Errorf("%s: refused with %q, signature of %d octets", c.name, a.Refused, len(a.Signed))
		}
	}
	if signatures != 1 {
		t.Errorf("%d containers signed, want the director's alone", signatures)
	}
}
