// Package softhsm is support for tests: it lays out tokens of SoftHSM 2, an implementation of PKCS#11 that is not ours, with
// given keys and certificates. It uses the command-line tools of Debian's softhsm2 and opensc.
package softhsm

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Module is where Debian has it.
const Module = "/usr/lib/softhsm/libsofthsm2.so"

// A Store is a folder of tokens, which SOFTHSM2_CONF of this process and its children leads to.
type Store struct {
	t   testing.TB
	dir string
}

// New makes an empty Store. Without SoftHSM 2 the test is skipped, or fails where CI is set. A process has the module loaded
// once, with the Store of that moment.
func New(t testing.TB) *Store {
	t.Helper()
	for _, file := range []string{Module, "/usr/bin/softhsm2-util", "/usr/bin/pkcs11-tool"} {
		if _, err := os.Stat(file); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: install softhsm2 and opensc", file)
			}
			t.Skipf("%s is missing: install softhsm2 and opensc", file)
		}
	}
	s := &Store{t: t, dir: t.TempDir()}
	config := filepath.Join(s.dir, "softhsm2.conf")
	text := "directories.tokendir = " + s.dir + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", config)
	return s
}

// A Token is one token of a Store.
type Token struct {
	store      *Store
	label, pin string
	keys       int
}

// Add makes a token.
func (s *Store) Add(label, pin string) *Token {
	s.t.Helper()
	s.run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "73217321")
	return &Token{store: s, label: label, pin: pin}
}

// AddKey puts a private key (PKCS#8, DER) with its public half onto the token, and a certificate (DER) unless that is nil.
func (k *Token) AddKey(pkcs8, certificate []byte) {
	k.store.t.Helper()
	k.keys++
	id := fmt.Sprintf("%02d", k.keys)
	file := filepath.Join(k.store.dir, "import")
	write := func(b []byte) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			k.store.t.Fatal(err)
		}
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	k.store.run("softhsm2-util", "--import", file, "--token", k.label, "--label", "key "+id, "--id", id, "--pin", k.pin)
	if certificate != nil {
		write(certificate)
		k.store.run("pkcs11-tool", "--module", Module, "--token-label", k.label, "--login", "--pin", k.pin,
			"--write-object", file, "--type", "cert", "--id", id, "--label", "certificate "+id)
	}
	if err := os.Remove(file); err != nil {
		k.store.t.Fatal(err)
	}
}

func (s *Store) run(name string, args ...string) {
	s.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}
