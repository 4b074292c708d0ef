package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// module is the path of this project; packages below are named without it.
const module = "brama"

// A pkg is what `go list` says of one package.
type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	CgoFiles     []string
	Dir          string
	GoFiles      []string
}

// ranks order the packages: an import goes from a higher rank to a lower one, or between the packages of one line that
// ends in "/*" where the rule says so. A pattern names a package, or with "/*" everything below it; the first match counts.
var ranks = []struct {
	pattern string
	rank    int
	within  bool // packages under this pattern may import one another
}{
	{"cmd/brama", 92, false},
	{"cmd/brama/internal/dev", 91, false},
	{"cmd/brama/internal/*", 90, true},
	{"cmd/*", 90, true},
	{"internal/e2e", 99, false},
	{"internal/interop", 99, false},
	{"internal/interop/*", 99, false},
	{"internal/tools/*", 99, true},
	{"internal/layers", 99, false},
	{"internal/demoportal", 80, false}, // an ordinary client: knows nothing of the provider
	{"internal/demokeys", 39, false},
	{"provider", 75, false},
	{"provider/admin", 74, false},
	{"provider/authflow", 73, false},
	{"provider/oauth", 72, false},
	{"provider/backchannel", 72, false},
	{"provider/session", 72, false},
	{"provider/keys", 71, false},
	{"provider/web", 71, false},
	{"provider/web/markdown", 70, false},
	{"provider/web/plate", 70, false},
	{"connectors/internal/returntest", 67, false}, // support for tests
	{"connectors/connectortest", 66, false},
	{"connectors/internal/upstreamtest", 62, false},
	{"connectors/internal/upstream", 61, false},
	{"connectors/internal/signing", 60, false},
	{"connectors/levels", 55, false},
	{"connectors", 50, false},
	{"connectors/*", 65, false},
	{"storage", 10, false},
	{"storage/*", 30, true},
	{"internal/qes/qestest", 38, false},
	{"internal/qes/trustlist", 37, false},
	{"internal/qes/revocation", 37, false},
	{"internal/qes/cmp", 37, false},
	{"internal/qes", 36, false},
	{"internal/qes/cert", 35, false},
	{"internal/qes/keystore", 34, false},
	{"internal/qes/cms", 33, false},
	{"internal/qes/asic", 33, false},
	{"internal/qes/tbs", 32, false},
	{"internal/qes/spki", 31, false},
	{"internal/dstu/internal/gf2m", 18, false},
	{"internal/dstu/*", 19, true},
	{"internal/challenge", 15, false},
	{"internal/audit", 15, false},
	{"internal/fetch", 15, false},
	{"internal/pkcs11", 15, false},
	{"internal/der", 14, false},
	{"internal/batch", 5, false},
	{"internal/disk", 5, false},
	{"internal/pack", 5, false},
	{"internal/vectors", 1, false}, // support for tests
}

// homes: one library, one home.
var homes = map[string][]string{
	"github.com/ory/":               {"provider/oauth"},
	"github.com/gorilla/mux":        {"provider"},
	"github.com/go-jose/go-jose/v4": {"provider/keys", "provider/oauth"},
	"github.com/go-jose/go-jose/v3": {"provider/oauth"},
	"github.com/boombuler/barcode":  {"provider/web"},
	"go.etcd.io/bbolt":              {"storage/boltstore"},
	"github.com/jackc/pgx":          {"storage/pgstore"},
	"github.com/coreos/go-oidc":     {"internal/demoportal"},
	"golang.org/x/oauth2":           {"internal/demoportal"},
	"github.com/goccy/go-yaml":      {"cmd/brama/internal/config", "cmd/brama-agent/internal/config", "provider/web"},
	"github.com/chromedp/":          {},
	"github.com/miekg/pkcs11":       {"internal/pkcs11"},
	"github.com/andybalholm/brotli": {"internal/tools/compress"},
}

// stdOnly are packages that import the standard library alone, and internal/pack, which does; those of internal/dstu import
// one another too.
var stdOnly = []string{"connectors", "storage", "internal/der", "internal/pack"}

// doubles serve as other people's systems, or sign with keys that everyone may have. Only the dev wiring reaches them.
var doubles = []string{"internal/qes/qestest", "internal/demokeys", "internal/demoportal", "connectors/demo"}

// devWiring are the packages that may import a double: the wiring of dev, and support for tests.
var devWiring = []string{"cmd/brama/internal/dev", "internal/demokeys", "connectors/connectortest"}

func match(pattern, name string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(name, dir+"/")
	}
	return pattern == name
}

func rankOf(name string) (rank int, within bool, pattern string) {
	for _, r := range ranks {
		if !strings.HasSuffix(r.pattern, "/*") && match(r.pattern, name) {
			return r.rank, r.within, r.pattern
		}
	}
	for _, r := range ranks {
		if match(r.pattern, name) {
			return r.rank, r.within, r.pattern
		}
	}
	return 0, false, ""
}

func isDouble(name string) bool {
	base := path.Base(name)
	return slices.Contains(doubles, name) || strings.HasPrefix(name, "connectors/") && strings.HasSuffix(base, "test") && base != "connectortest"
}

// listed remembers what `go list` said: it takes seconds.
var listed = map[string][]pkg{}

func list(t *testing.T, env []string, args ...string) []pkg {
	t.Helper()
	key := strings.Join(append(slices.Clone(env), args...), " ")
	if pkgs, ok := listed[key]; ok {
		return pkgs
	}
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,TestImports,XTestImports,CgoFiles,Dir,GoFiles"}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			listed[key] = pkgs
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func local(importPath string) (string, bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// TestRules holds every package to every rule.
func TestRules(t *testing.T) {
	pkgs := list(t, nil, "./...")
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages found", len(pkgs))
	}
	for _, p := range pkgs {
		for _, r := range rules {
			for _, complaint := range r.check(p) {
				t.Errorf("%s: %s", r.name, complaint)
			}
		}
	}
}

// TestServerWithoutCgo: the server reaches PKCS#11 under its build tag only, and is then still held to one home of cgo.
func TestServerWithoutCgo(t *testing.T) {
	reaches := func(args ...string) (found bool) {
		for _, p := range list(t, nil, append(args, "-deps", "./cmd/brama")...) {
			name, ours := local(p.ImportPath)
			if ours && len(p.CgoFiles) > 0 && name != "internal/pkcs11" {
				t.Errorf("%s uses cgo", name)
			}
			found = found || ours && name == "internal/pkcs11"
		}
		return found
	}
	if reaches() {
		t.Error("brama reaches internal/pkcs11 without the build tag pkcs11")
	}
	if !reaches("-tags=pkcs11") {
		t.Error("brama does not reach internal/pkcs11 with the build tag pkcs11")
	}
}

// TestNoOwnClients: an http.Client or Server anywhere else would go round the rules of internal/fetch and of cmd.
func TestNoOwnClients(t *testing.T) {
	words := []string{"http.Client", "http.DefaultClient", "http.Get(", "http.Post(", "http.Head(", "http.PostForm(", "http.Server{", "http.ListenAndServe", "http.DefaultTransport", "net.Dial", "net.Listen"}
	for _, p := range list(t, nil, "./...") {
		name, _ := local(p.ImportPath)
		if name == "internal/fetch" || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "internal/tools/") || name == "storage/pgstore" || name == "connectors/connectortest" || isDouble(name) {
			continue // connectortest walks to doubles as a browser, and imports testing
		}
		for _, file := range p.GoFiles {
			src, err := os.ReadFile(p.Dir + "/" + file)
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range strings.Split(string(src), "\n") {
				code, _, _ := strings.Cut(line, "//")
				for _, w := range words {
					if strings.Contains(code, w) {
						t.Errorf("%s/%s:%d uses %s", name, file, n+1, strings.TrimSuffix(w, "("))
					}
				}
			}
		}
	}
}

// TestServeReachesNoDouble walks the whole closure of what `brama serve` is made of (T92).
func TestServeReachesNoDouble(t *testing.T) {
	for _, p := range list(t, nil, "-deps", "./cmd/brama/internal/serve", "./provider/...") {
		if name, ok := local(p.ImportPath); ok && isDouble(name) {
			t.Errorf("serve reaches the double %s", name)
		}
	}
}

// TestBrowserProgramIsLight: the browser program carries nothing that the browser has, or that costs a download.
func TestBrowserProgramIsLight(t *testing.T) {
	heavy := []string{"net/http", "crypto/x509", "crypto/rsa", "crypto/ecdsa", "encoding/asn1", "encoding/json", "fmt", "math/big", "golang.org/x/crypto/cryptobyte", "crypto/rand"}
	pkgs := list(t, []string{"GOOS=js", "GOARCH=wasm"}, "-deps", "./cmd/brama-wasm")
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages found", len(pkgs))
	}
	for _, p := range pkgs {
		if slices.Contains(heavy, p.ImportPath) {
			t.Errorf("the browser program links %s", p.ImportPath)
		}
		if name, ok := local(p.ImportPath); ok {
			if rank, _, _ := rankOf(name); rank > 34 && !strings.HasPrefix(name, "cmd/brama-wasm") {
				t.Errorf("the browser program links %s, a package of the server", name)
			}
		}
	}
}

// TestNoProfilers: no program of a server links what shows its memory to whoever asks (threat T91).
func TestNoProfilers(t *testing.T) {
	pkgs := list(t, nil, "-deps", "./cmd/brama", "./cmd/brama-agent")
	if len(pkgs) < 100 {
		t.Fatalf("only %d packages found", len(pkgs))
	}
	for _, p := range pkgs {
		if slices.Contains([]string{"net/http/pprof", "expvar"}, p.ImportPath) {
			t.Errorf("a program links %s", p.ImportPath)
		}
	}
}
