package keystore_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
)

// modules finds npm's jkurwa where the tests of package cms have it.
func modules(t *testing.T) string {
	t.Helper()
	source := filepath.Join("..", "cms", "testdata", "jkurwa")
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	folders := []string{filepath.Join(source, "node_modules")}
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "brama-test", "jkurwa-"+hex.EncodeToString(sum[:8]), "node_modules"))
	}
	for _, f := range folders {
		if _, err := os.Stat(filepath.Join(f, "jkurwa")); err == nil {
			if f, err = filepath.Abs(f); err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("jkurwa is not installed")
	}
	t.Skip("jkurwa is not installed: make setup")
	return ""
}

// TestJkurwaReadsOurs: an implementation of others opens the national forms as we write them, and finds the same keys.
// Its passwords are ASCII: it knows no other encoding. What it does with whole demo containers is in package interop.
func TestJkurwaReadsOurs(t *testing.T) {
	path := modules(t)
	signing, agreement := generate(t, dstu4145.M257()), generate(t, dstu4145.M431())
	line := func(k *dstu4145.PrivateKey) string {
		d := k.Bytes()
		slices.Reverse(d)
		return strconv.Itoa(k.Public().(*dstu4145.PublicKey).Curve().FieldBits()) + " " + strings.TrimLeft(hex.EncodeToString(d), "0")
	}
	both := keystore.EncodePKCS8(signing, agreement)
	p := keystore.NewStdPrimitives()
	for name, write := range map[string]func() ([]byte, error){
		"key6": func() ([]byte, error) { return keystore.WriteKey6([]byte("secret-1"), signing, agreement) },
		"pkcs12": func() ([]byte, error) {
			return keystore.WritePKCS12(p, rand.Reader, keystore.SchemeGOST, []byte("secret-1"),
				[]keystore.Entry{{Alias: "sign", PKCS8: keystore.EncodePKCS8(signing, nil)}, {PKCS8: keystore.EncodePKCS8(agreement, nil)}})
		},
		"jks": func() ([]byte, error) {
			return keystore.WriteJKS(p, rand.Reader, []byte("secret-1"), []byte("secret-1"), []keystore.Entry{
				{Alias: "sign", PKCS8: keystore.EncodePKCS8(signing, nil)}, {Alias: "agree", PKCS8: keystore.EncodePKCS8(agreement, nil)}})
		},
		"pkcs8": func() ([]byte, error) {
			return keystore.WritePKCS8(p, rand.Reader, keystore.SchemeGOST, both, []byte("secret-1"))
		},
	} {
		b, err := write()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "testdata/open.cjs", file(t, name, b), "secret-1")
		cmd.Env = append(os.Environ(), "NODE_PATH="+path)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, &stderr)
			continue
		}
		if got := strings.Fields(strings.ReplaceAll(string(out), " ", "_")); len(got) != 2 ||
			!slices.Contains(got, strings.ReplaceAll(line(signing), " ", "_")) || !slices.Contains(got, strings.ReplaceAll(line(agreement), " ", "_")) {
			t.Errorf("%s: jkurwa finds other keys (%d)\n%s", name, len(got), &stderr)
		}
	}
}
