//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const softhsmPIN = "48151623"

// softhsm makes a token of SoftHSM 2 with the given private key under id 01 and returns the module's path. A process can
// have SoftHSM initialised once, with the configuration of that moment, so each test that needs it is its own process.
func softhsm(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	if _, err := os.Stat(module); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("SoftHSM 2 is not installed")
		}
		t.Skip("SoftHSM 2 is not installed")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(config, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", config)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--init-token", "--free", "--label", "Токен А", "--pin", softhsmPIN, "--so-pin", "73217321"},
		{"--import", file, "--token", "Токен А", "--label", "key", "--id", "01", "--pin", softhsmPIN},
	} {
		if out, err := exec.Command("softhsm2-util", args...).CombinedOutput(); err != nil {
			t.Fatalf("softhsm2-util %s: %v\n%s", args[0], err, out)
		}
	}
	return module
}

// open returns a session with the only token of the module.
func open(t *testing.T, path string) (*Module, *Session, Token) {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	tokens, err := m.Tokens()
	if err != nil || len(tokens) != 1 {
		t.Fatalf("Tokens = %v, %v; want one", tokens, err)
	}
	s, err := m.Session(tokens[0].Slot)
	if err != nil {
		t.Fatal(err)
	}
	return m, s, tokens[0]
}

func TestSoftHSM(t *testing.T) {
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("content"))
	in := Input{Hash: SHA256, Digest: digest[:], Message: []byte("content")}
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		want   KeyType
		verify func(sig []byte) bool
	}{
		{"ECDSA", ecKey, ECDSA, func(sig []byte) bool { return ecdsa.VerifyASN1(&ecKey.PublicKey, digest[:], sig) }},
		{"RSA", rsaKey, RSA, func(sig []byte) bool {
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], sig) == nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, s, token := open(t, softhsm(t, c.key))
			if token.Label != "Токен А" || !token.LoginRequired {
				t.Errorf("token is %+v", token)
			}
			if keys, err := s.Keys(); err != nil || len(keys) != 0 {
				t.Errorf("before the login: keys %v, %v; want none", keys, err)
			}
			if err := s.Login([]byte("00000000")); !errors.Is(err, ErrPINWrong) {
				t.Fatalf("Login with a wrong PIN = %v", err)
			}
			if token, err := s.Token(); err != nil || !token.PINCountLow {
				t.Errorf("after a wrong PIN: %+v, %v; want PINCountLow", token, err)
			}
			if err := s.Login([]byte(softhsmPIN)); err != nil {
				t.Fatal(err)
			}
			keys, err := s.Keys()
			if err != nil || len(keys) != 1 || keys[0].Type != c.want || hex.EncodeToString(keys[0].ID) != "01" {
				t.Fatalf("Keys = %+v, %v", keys, err)
			}
			if c.want == ECDSA && !strings.HasSuffix(string(keys[0].Point), string(public(t, ecKey))) {
				t.Errorf("point is %x", keys[0].Point)
			}
			if c.want == RSA && string(keys[0].Modulus) != string(rsaKey.N.Bytes()) {
				t.Errorf("modulus is %x", keys[0].Modulus)
			}
			sig, err := s.Sign(keys[0], in, nil)
			if err != nil || !c.verify(sig) {
				t.Errorf("Sign = %x, %v", sig, err)
			}
			if _, err := s.Sign(keys[0], Input{Hash: GOST34311, Digest: digest[:]}, nil); !errors.Is(err, ErrUnsupported) {
				t.Errorf("Sign with a national hash = %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func public(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	b, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNoModule(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "absent.so")); !errors.Is(err, ErrNoModule) {
		t.Errorf("Open of no file = %v", err)
	}
	file := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(file, []byte("no machine code"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); !errors.Is(err, ErrNoModule) {
		t.Errorf("Open of a text = %v", err)
	}
}
