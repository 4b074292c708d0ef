package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// The folder wasm holds the browser program and wasm_exec.js once make has built them; a placeholder keeps it in a clean clone.
//
//go:embed static
var staticFiles embed.FS

// An asset is one file as it is served.
type asset struct {
	name        string
	contentType string
	body        []byte
	gzip        func() ([]byte, error) // made at the first use
	csp         string
}

// Assets are the static files under names that hold their content, so that a browser may keep them for ever and never
// mixes two versions.
type Assets struct {
	base  string // "/static/" below the issuer's path
	hash  string // of all files but the program
	files map[string]*asset
	wasm  *program // nil if it was not built
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
}

func loadAssets(files fs.FS, base string) (*Assets, error) {
	a := &Assets{base: base, files: map[string]*asset{}}
	sum := sha256.New()
	err := fs.WalkDir(files, "static", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := path.Base(p)
		if name == programFile+".gz" {
			a.wasm = newProgram(files, strings.TrimSuffix(p, ".gz"))
			return nil
		}
		kind, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil // another form of the program, placeholder
		}
		body, err := fs.ReadFile(files, p)
		if err != nil {
			return err
		}
		f := &asset{name: name, contentType: kind, body: body}
		f.gzip = sync.OnceValues(func() ([]byte, error) { return compress(body) })
		if name == "worker.js" {
			f.csp = workerCSP
		}
		if _, twice := a.files[name]; twice {
			return fmt.Errorf("two static files are called %s", name)
		}
		a.files[name] = f
		fmt.Fprintf(sum, "%s %d\n", name, len(body))
		sum.Write(body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading static files: %w", err)
	}
	a.hash = hex.EncodeToString(sum.Sum(nil)[:10])
	return a, nil
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil { // what is buffered comes out only now
		return nil, err
	}
	return out.Bytes(), nil
}

// URL returns the path of a static file; an unknown one is an error, so that a template cannot name what is not there.
func (a *Assets) URL(name string) (string, error) {
	if _, ok := a.files[name]; !ok {
		return "", fmt.Errorf("web: no static file %q", name)
	}
	return a.base + a.hash + "/" + name, nil
}

// WasmURL returns the path of the browser program, "" if it was not built.
func (a *Assets) WasmURL() string {
	if a.wasm == nil || a.files["wasm_exec.js"] == nil || a.files["worker.js"] == nil {
		return ""
	}
	name := a.wasm.name()
	if name == "" {
		return ""
	}
	return a.base + name
}

// WasmIntegrity returns "sha384-…" of the browser program, which the page gives to fetch; "" if it was not built.
func (a *Assets) WasmIntegrity() string {
	if a.wasm == nil {
		return ""
	}
	return a.wasm.integrity()
}

// ServeHTTP serves /static/{hash}/{name} and /static/brama-{hash}.wasm; anything else, an old hash too, is not found.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, a.base)
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	if a.wasm != nil && strings.HasPrefix(name, "brama-") && name == a.wasm.name() {
		setStatic(h, "application/wasm")
		if err := a.wasm.serve(w, r); err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		}
		return
	}
	var f *asset
	if rest, ok := strings.CutPrefix(name, a.hash+"/"); ok {
		f = a.files[rest]
	}
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if f.csp != "" {
		h.Set("Content-Security-Policy", f.csp)
	}
	setStatic(h, f.contentType)
	body := f.body
	if accepts(r, "gzip") {
		if z, err := f.gzip(); err == nil && len(z) < len(body) {
			h.Set("Content-Encoding", "gzip")
			body = z
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a browser that went away is nobody's error
}

// setStatic sets the headers of every static file.
func setStatic(h http.Header, contentType string) {
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
}

// accepts reports whether the browser takes the encoding; a weight of zero is a refusal.
func accepts(r *http.Request, encoding string) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(header, ",") {
			name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.EqualFold(strings.TrimSpace(name), encoding) {
				weight = strings.ReplaceAll(weight, " ", "")
				return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
			}
		}
	}
	return false
}
