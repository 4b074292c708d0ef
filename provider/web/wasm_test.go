package web

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// TestWasmHashPinned: the page names the program by its content and holds the SHA-384 of the very bytes that are served under
// that name; another program is at another address, and the old address is gone (threat T41). That a browser obeys is
// TestWasmHashPinned of internal/e2e.
func TestWasmHashPinned(t *testing.T) {
	seen := map[string]bool{}
	var old string
	for _, program := range []string{"program of yesterday", "program of today"} {
		s := site(t, false)
		assets, err := loadAssets(withProgram(t, program), s.assets.base)
		if err != nil {
			t.Fatal(err)
		}
		*s.assets = *assets
		body := renderPage(t, s, "filekey", Ukrainian).Body.String()
		address := regexp.MustCompile(`data-wasm="([^"]+)"`).FindStringSubmatch(body)
		digest := regexp.MustCompile(`data-integrity="sha384-([^"]+)"`).FindStringSubmatch(body)
		if address == nil || digest == nil {
			t.Fatalf("the page names no program:\n%s", body)
		}
		if seen[address[1]] || seen[digest[1]] {
			t.Errorf("two programs at %s under %s", address[1], digest[1])
		}
		seen[address[1]], seen[digest[1]] = true, true
		w := httptest.NewRecorder()
		s.assets.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address[1], nil))
		served, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		want := sha512.Sum384(served)
		if got, err := base64.StdEncoding.DecodeString(strings.NewReplacer("&#43;", "+").Replace(digest[1])); err != nil || !bytes.Equal(got, want[:]) || string(served) != program {
			t.Errorf("the page pins %s, served is %q", digest[1], served)
		}
		if old != "" {
			w := httptest.NewRecorder()
			s.assets.ServeHTTP(w, httptest.NewRequest(http.MethodGet, old, nil))
			if w.Code != http.StatusNotFound {
				t.Errorf("the address of another program gives %d", w.Code)
			}
		}
		old = address[1]
	}
}

// withProgram is the folder of static files with this as the browser program.
func withProgram(t *testing.T, program string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(staticFiles, "static", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(p, "static/wasm/") {
			return err
		}
		b, err := staticFiles.ReadFile(p)
		files[p] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := compress([]byte(program))
	if err != nil {
		t.Fatal(err)
	}
	files["static/wasm/brama.wasm.gz"] = &fstest.MapFile{Data: packed}
	files["static/wasm/wasm_exec.js"] = &fstest.MapFile{Data: []byte("go")}
	return files
}
