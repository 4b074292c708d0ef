// Package pkcs11dstu is support for tests: it builds a PKCS#11 module of ours, in C, whose tokens sign with ДСТУ 4145 and open
// envelopes by the mechanisms of the national vendors, and lays out the folders that are its tokens. Such a token counts every login,
// locks, can be pulled out, and crashes, hangs or talks nonsense when told to (module/token.c says how).
//
// It makes no certificates: a test has those issued by its own provider for the public point that it gives.
package pkcs11dstu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Env names the variable with the folder of tokens.
const Env = "BRAMA_TEST_TOKENS"

// Build compiles the module into dir and returns its path. Without a C compiler the test is skipped, or fails where CI is
// set.
func Build(t testing.TB, dir string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS == "windows" {
		if os.Getenv("CI") != "" {
			t.Fatal("no C compiler to build the PKCS#11 module of the tests")
		}
		t.Skip("no C compiler to build the PKCS#11 module of the tests")
	}
	_, here, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(here), "module")
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/miekg/pkcs11")
	list.Dir = source
	headers, err := list.Output()
	if err != nil {
		t.Fatalf("finding the headers of PKCS#11: %v", err)
	}
	for _, name := range []string{"token.c", "m257.c", "m257.h", "gost.c", "gost.h"} {
		// What a test reads itself, and the compiler for it does not count, makes its result stale when it changes.
		if _, err := os.ReadFile(filepath.Join(source, name)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "pkcs11-dstu.so")
	out, err := exec.Command(cc, "-Wall", "-Wextra", "-O1", "-shared", "-fPIC", "-I"+strings.TrimSpace(string(headers)),
		"-o", path, filepath.Join(source, "token.c"), filepath.Join(source, "m257.c"), filepath.Join(source, "gost.c")).CombinedOutput()
	if err != nil {
		t.Fatalf("compiling the PKCS#11 module: %v\n%s", err, out)
	}
	return path
}

// Tokens is a folder of tokens.
type Tokens struct {
	t   testing.TB
	dir string
}

// New makes an empty folder of tokens and sets Env for this process and its children.
func New(t testing.TB) *Tokens {
	tokens := &Tokens{t: t, dir: t.TempDir()}
	t.Setenv(Env, tokens.dir)
	return tokens
}

// Dir is the folder.
func (s *Tokens) Dir() string { return s.dir }

// Fault tells the module to do what at function: crash, hang, exit, garbage, print or fail. "" makes it well again.
func (s *Tokens) Fault(what, function string) {
	if what == "" {
		_ = os.Remove(filepath.Join(s.dir, "fault"))
		return
	}
	s.write("fault", []byte(what+" "+function))
}

// A Token is one token of a folder.
type Token struct {
	tokens *Tokens
	slot   int
	keys   int
}

// Add puts a token into slot, 0 to 3, with so many attempts at its PIN.
func (s *Tokens) Add(slot int, label, serial, pin string, attempts int) *Token {
	if err := os.Mkdir(filepath.Join(s.dir, strconv.Itoa(slot)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	token := &Token{tokens: s, slot: slot}
	for name, text := range map[string]string{"label": label, "serial": serial, "pin": pin,
		"left": strconv.Itoa(attempts), "max": strconv.Itoa(attempts)} {
		token.write(name, []byte(text))
	}
	return token
}

// AddKey gives the token a key on M257: d, 32 octets, little-endian, and its compressed public point, 33 octets.
// certificate may be nil. It returns the number of the key.
func (k *Token) AddKey(d, point, certificate []byte) int {
	if len(d) != 32 || len(point) != 33 {
		k.tokens.t.Fatalf("pkcs11dstu: key of %d and point of %d octets", len(d), len(point))
	}
	n := k.keys
	k.keys++
	k.write(fmt.Sprintf("key-%d", n), d)
	k.write(fmt.Sprintf("point-%d", n), point)
	if certificate != nil {
		k.write(fmt.Sprintf("cert-%d", n), certificate)
	}
	return n
}

// AlwaysAuthenticate makes key n ask for a login at each signature.
func (k *Token) AlwaysAuthenticate(n int) { k.write(fmt.Sprintf("always-%d", n), nil) }

// ForAgreement makes key n one for key agreement: it does not sign.
func (k *Token) ForAgreement(n int) { k.write(fmt.Sprintf("agree-%d", n), nil) }

// PINPad makes the token take the PIN from its reader, where pin is typed, and not from the program.
func (k *Token) PINPad(pin string) { k.write("pinpad", []byte(pin)) }

// Remove pulls the token out, Insert puts it back.
func (k *Token) Remove() { k.write("removed", nil) }

// Insert puts the token back.
func (k *Token) Insert() {
	if err := os.Remove(k.path("removed")); err != nil {
		k.tokens.t.Fatal(err)
	}
}

// Calls returns what was asked of the token, in order: "login right", "login wrong", "login locked", "login again" (for
// one signature), "sign", "derive", "unwrap" and "destroy".
func (k *Token) Calls() []string {
	b, err := os.ReadFile(k.path("calls"))
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		k.tokens.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// Left returns how many attempts are left.
func (k *Token) Left() int {
	b, err := os.ReadFile(k.path("left"))
	if err != nil {
		k.tokens.t.Fatal(err)
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		k.tokens.t.Fatal(err)
	}
	return n
}

func (k *Token) path(name string) string {
	return filepath.Join(k.tokens.dir, strconv.Itoa(k.slot), name)
}

func (k *Token) write(name string, b []byte) {
	k.tokens.write(filepath.Join(strconv.Itoa(k.slot), name), b)
}

func (s *Tokens) write(name string, b []byte) {
	if err := os.WriteFile(filepath.Join(s.dir, name), b, 0o600); err != nil {
		s.t.Fatal(err)
	}
}
