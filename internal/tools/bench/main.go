// Command bench measures internal/dstu against its peers and prints one table: what is to be reached, what was, from one
// run. Run it by `go run ./internal/tools/bench` in the root of the repository.
//
// All times are the shortest of many short rounds, so that other work on the machine disturbs less; ratios are what
// counts. Peers that are
// not installed are left out with a note: Bouncy Castle (javac, java and Debian's libbcprov-java) and jkurwa with gost89
// (node and npm, which fetches them into the cache of the user). -short measures ours only.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const here = "internal/tools/bench"

// times are nanoseconds by the name of the operation.
type times map[string]float64

// A row compares a.of(op) with b.of(op): as a fraction of its time, or as how many times faster.
type row struct {
	what        string
	a, b        string // columns
	opA, opB    string
	most, least float64 // bound of a/b, or of b/a
}

var rows = []row{
	{"verify M257, new key, assembler / Go P-256 (aim 0.30)", "go", "go", "verify-M257", "verify-P256", 0.40, 0},
	{"verify M257, new key, portable / Go P-256", "purego", "go", "verify-M257", "verify-P256", 4.5, 0},
	{"verify M257, known key, assembler / Go P-256", "go", "go", "known-M257", "verify-P256", 0.15, 0},
	{"verify M431, assembler, against Bouncy Castle", "go", "java", "verify-M431", "verify-M431", 0, 8},
	{"verify M431, portable, against Bouncy Castle", "purego", "java", "verify-M431", "verify-M431", 0, 1},
	{"verify M257, new key, against Bouncy Castle (aim 20)", "go", "java", "verify-M257", "verify-M257", 0, 12},
	{"sign M257, assembler / Go P-256", "go", "go", "sign-M257", "sign-P256", 0.6, 0},
	{"sign M257, portable / Go P-256", "purego", "go", "sign-M257", "sign-P256", 2.5, 0},
	{"verify M257, wasm, against jkurwa", "wasm", "node", "verify-M257", "verify-M257", 0, 25},
	{"sign M257, wasm, against jkurwa", "wasm", "node", "sign-M257", "sign-M257", 0, 40},
	{"GOST 34.311, against Bouncy Castle", "purego", "java", "gost34311", "gost34311", 0, 10},
	{"Kupyna-256, against Bouncy Castle", "purego", "java", "kupyna256", "kupyna256", 0, 2.8},
	{"GOST 28147 CFB, opening, against Bouncy Castle", "purego", "java", "cfb-decrypt", "cfb-decrypt", 0, 4.5},
	{"GOST 28147 CFB, closing, against Bouncy Castle (one chain)", "purego", "java", "cfb-encrypt", "cfb-encrypt", 0, 0},
	{"PBKDF2, 10,000 iterations, against Bouncy Castle", "purego", "java", "pbkdf2", "pbkdf2", 0, 10},
	{"Key-6.dat derivation, against Bouncy Castle", "purego", "java", "container-key", "container-key", 0, 10},
	{"PBKDF2, 10,000 iterations, wasm, against gost89", "wasm", "node", "pbkdf2", "pbkdf2", 0, 8},
	{"Key-6.dat derivation, wasm, against gost89", "wasm", "node", "container-key", "container-key", 0, 6},
}

func main() {
	short := flag.Bool("short", false, "measure ours only")
	flag.Parse()
	if err := run(*short); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(short bool) error {
	if _, err := os.Stat(here); err != nil {
		return errors.New("run this in the root of the repository")
	}
	tmp, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	columns := map[string]func(dir string) (times, error){"go": ours, "purego": portable, "wasm": wasm}
	order := []string{"go", "purego", "wasm"}
	if !short {
		columns["java"], columns["node"] = bouncyCastle, jkurwa
		order = append(order, "java", "node")
	}
	results := map[string]times{}
	// Ours are run once more after the peers, in case that the machine was busy the first time.
	for i, name := range slices.Concat(order, []string{"go", "purego", "wasm"}) {
		t, err := columns[name](tmp)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", name, err)
			continue
		}
		if i >= len(order) {
			for op, v := range results[name] {
				t[op] = min(t[op], v)
			}
		}
		results[name] = t
	}
	fmt.Printf("%s/%s, %s, the shortest of many rounds\n\n", runtime.GOOS, runtime.GOARCH, runtime.Version())
	printTimes(order, results)
	fmt.Println()
	printRows(results)
	printSize()
	return nil
}

func printTimes(order []string, results map[string]times) {
	fmt.Printf("%-16s", "ns (bytes: ns/B)")
	for _, c := range order {
		fmt.Printf("%14s", c)
	}
	fmt.Println()
	for _, op := range []string{"parse-M257", "verify-M257", "known-M257", "sign-M257", "parse-M431", "verify-M431", "known-M431", "sign-M431",
		"verify-P256", "sign-P256", "gost34311", "kupyna256", "cfb-encrypt", "cfb-decrypt", "pbkdf2", "container-key"} {
		fmt.Printf("%-16s", op)
		for _, c := range order {
			if t, ok := results[c][op]; ok {
				fmt.Printf("%14.2f", t)
			} else {
				fmt.Printf("%14s", "-")
			}
		}
		fmt.Println()
	}
}

func printRows(results map[string]times) {
	for _, r := range rows {
		a, okA := results[r.a][r.opA]
		b, okB := results[r.b][r.opB]
		value, bound, met := "not measured", "", ""
		if okA && okB {
			var ok bool
			if r.most > 0 {
				value, ok = fmt.Sprintf("%.3f", a/b), a/b <= r.most
			} else {
				value, ok = fmt.Sprintf("%.1f times", b/a), b/a >= r.least
			}
			met = map[bool]string{true: "reached", false: "MISSED"}[ok]
		}
		switch {
		case r.most > 0:
			bound = fmt.Sprintf("at most %g", r.most)
		case r.least > 0:
			bound = fmt.Sprintf("at least %g", r.least)
		default:
			met = ""
		}
		fmt.Printf("%-60s %12s  %-13s %s\n", r.what, value, bound, met)
	}
}

// The program of the browser, compressed, as `make wasm` leaves it.
const (
	wasmFile = "provider/web/static/wasm/brama.wasm.br"
	wasmMost = 700 << 10
)

func printSize() {
	value, met := "not built", "make wasm"
	if i, err := os.Stat(wasmFile); err == nil {
		value = fmt.Sprintf("%.0f KB", float64(i.Size())/1024)
		met = map[bool]string{true: "reached", false: "MISSED"}[i.Size() <= wasmMost]
	}
	fmt.Printf("%-60s %12s  %-13s %s\n", "brama.wasm, brotli, everything included (aim 600)", value, "at most 700", met)
}

func ours(dir string) (times, error)     { return measure(dir, "ours", nil) }
func portable(dir string) (times, error) { return measure(dir, "portable", nil, "-tags", "purego") }

func measure(dir, name string, env []string, flags ...string) (times, error) {
	bin, err := build(dir, name, env, flags...)
	if err != nil {
		return nil, err
	}
	return read(exec.Command(bin))
}

func build(dir, name string, env []string, flags ...string) (string, error) {
	bin := filepath.Join(dir, name)
	cmd := exec.Command("go", append(append([]string{"build", "-o", bin}, flags...), "./"+here+"/measure")...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
}

func wasm(dir string) (times, error) {
	bin, err := build(dir, "ours.wasm", []string{"GOOS=js", "GOARCH=wasm"})
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	return read(exec.Command("node", "--stack-size=8192", filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js"), bin))
}

func bouncyCastle(dir string) (times, error) {
	const jar = "/usr/share/java/bcprov.jar"
	if _, err := os.Stat(jar); err != nil {
		return nil, err
	}
	cmd := exec.Command("javac", "-cp", jar, "-d", dir, here+"/Peers.java")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return read(exec.Command("java", "-cp", jar+string(filepath.ListSeparator)+dir, "Peers"))
}

// jkurwa installs the two packages once, in the cache.
func jkurwa(string) (times, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "brama-bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "peers.js"} {
		b, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "jkurwa")); err != nil {
		cmd := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("node", "peers.js")
	cmd.Dir = dir
	return read(cmd)
}

// read runs cmd and reads its "name nanoseconds" lines.
func read(cmd *exec.Cmd) (times, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	t := times{}
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		name, value, ok := strings.Cut(s.Text(), " ")
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("unexpected line %q", s.Text())
		}
		t[name] = v
	}
	return t, nil
}
