//go:build pkcs11 && cgo

package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brama/internal/tools/softhsm"
)

// TestServeWithToken starts with keys in a token, and does not start where the PIN cannot be had.
func TestServeWithToken(t *testing.T) {
	token := softhsm.New(t).Add("brama", "48151623")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []any{ec, r} {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		token.AddKey(der, nil)
	}
	text := good + "keys: {pkcs11: {module: " + softhsm.Module + ", token: brama, pin_file: pin, signing: {ES256: key 01, RS256: key 02}}}\n"
	for _, c := range []struct {
		name, pin, want string
		mode            os.FileMode
		code            int
	}{
		{"starts", "48151623\n", `"msg":"serving"`, 0o600, exitOK},
		{"no PIN file", "", "keys.pkcs11.pin_file", 0, exitFailed},
		{"PIN file for everyone", "48151623\n", "everyone", 0o604, exitFailed},
		{"wrong PIN", "00000000\n", "wrong PIN", 0o600, exitFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, _ := folder(t, text)
			dir := filepath.Dir(name)
			if c.pin != "" {
				if err := os.WriteFile(filepath.Join(dir, "pin"), []byte(c.pin), c.mode); err != nil {
					t.Fatal(err)
				}
			}
			stopped, stop := context.WithCancel(t.Context())
			stop()
			var log bytes.Buffer
			if code := Run(stopped, []string{"--config", name}, &log); code != c.code || !strings.Contains(log.String(), c.want) {
				t.Errorf("exit code %d, want %d and a word of %q:\n%s", code, c.code, c.want, &log)
			}
			if _, err := os.Stat(filepath.Join(dir, "data", "brama.db")); (err == nil) != (c.code == exitOK) {
				t.Errorf("a store was made: %v", err == nil)
			}
			if strings.Contains(log.String(), "48151623") || strings.Contains(log.String(), "00000000") {
				t.Errorf("the log tells the PIN:\n%s", &log)
			}
		})
	}
}
