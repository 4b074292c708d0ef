package keystore_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
)

func generate(t testing.TB, c *dstu4145.Curve) *dstu4145.PrivateKey {
	t.Helper()
	k, err := dstu4145.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// std makes a key of the standard library's and a certificate for it.
func std(t testing.TB, algorithm string) (pkcs8, certificate []byte) {
	t.Helper()
	var public, private any
	if algorithm == "RSA" {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		public, private = k.Public(), k
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, private = k.Public(), k
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Тестенко"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err = x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pkcs8, certificate
}

const password = "Пароль-1 ґ"

func TestKey6RoundTrip(t *testing.T) {
	for _, c := range dstu4145.Curves() {
		signing, agreement := generate(t, c), generate(t, dstu4145.M431())
		for _, second := range []*dstu4145.PrivateKey{nil, agreement} {
			b, err := keystore.WriteKey6([]byte(password), signing, second)
			if err != nil {
				t.Fatal(err)
			}
			got, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(password))
			if err != nil {
				t.Fatalf("%s: %v", c.Name(), err)
			}
			if !bytes.Equal(got.Keys[0].DSTU.Bytes(), signing.Bytes()) || got.Keys[0].Curve != c.Name() {
				t.Errorf("%s: another signing key", c.Name())
			}
			if second != nil && (len(got.Keys) != 2 || !bytes.Equal(got.Keys[1].DSTU.Bytes(), second.Bytes())) {
				t.Errorf("%s: another agreement key", c.Name())
			}
		}
	}
}

// writers are every form that is written, around one ДСТУ key or one of the standard library's.
var writers = []struct {
	name  string
	write func(entries []keystore.Entry, password []byte) ([]byte, error)
}{
	{"pkcs12-gost", func(e []keystore.Entry, p []byte) ([]byte, error) {
		return keystore.WritePKCS12(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, p, e)
	}},
	{"pkcs12-aes", func(e []keystore.Entry, p []byte) ([]byte, error) {
		return keystore.WritePKCS12(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeAES, p, e)
	}},
	{"jks", func(e []keystore.Entry, p []byte) ([]byte, error) {
		return keystore.WriteJKS(keystore.NewStdPrimitives(), rand.Reader, p, p, e)
	}},
	{"pkcs8-gost", func(e []keystore.Entry, p []byte) ([]byte, error) {
		return keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, e[0].PKCS8, p)
	}},
	{"pkcs8-aes", func(e []keystore.Entry, p []byte) ([]byte, error) {
		return keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeAES, e[0].PKCS8, p)
	}},
}

func TestWritersRoundTrip(t *testing.T) {
	ec, ecCert := std(t, "ECDSA")
	rsaKey, rsaCert := std(t, "RSA")
	dstu := keystore.EncodePKCS8(generate(t, dstu4145.M257()), generate(t, dstu4145.M431()))
	entries := []keystore.Entry{
		{Alias: "sign", PKCS8: dstu, Time: time.Now()},
		{Alias: "підпис", PKCS8: ec, Chain: [][]byte{ecCert, rsaCert}},
		{Alias: "rsa", PKCS8: rsaKey, Chain: [][]byte{rsaCert}},
	}
	for _, w := range writers {
		for _, list := range [][]keystore.Entry{entries, entries[1:2], entries[2:]} {
			b, err := w.write(list, []byte(password))
			if err != nil {
				t.Fatal(err)
			}
			got, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(password))
			if err != nil {
				t.Errorf("%s: %v", w.name, err)
				continue
			}
			i := 0
			for _, e := range list {
				if strings.HasPrefix(w.name, "pkcs8") && i > 0 && got.Keys[0].DSTU == nil {
					break
				}
				if i >= len(got.Keys) {
					if !strings.HasPrefix(w.name, "pkcs8") {
						t.Errorf("%s: only %d keys", w.name, len(got.Keys))
					}
					break
				}
				k := got.Keys[i]
				if k.DSTU == nil && !bytes.Equal(k.PKCS8, e.PKCS8) {
					t.Errorf("%s: another key", w.name)
				}
				if !strings.HasPrefix(w.name, "pkcs8") && k.Alias != e.Alias {
					t.Errorf("%s: alias %q, want %q", w.name, k.Alias, e.Alias)
				}
				if i++; k.DSTU != nil {
					i++ // its second key
				}
			}
			wrong, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("Пароль-1 г"))
			if err == nil {
				t.Errorf("%s: opens with a wrong password: %v", w.name, wrong.Keys)
			}
		}
	}
}

// TestJKSPasswordsDiffer: the password of the keys opens them though the store has another one; the store's password
// alone gets an answer that says so.
func TestJKSPasswordsDiffer(t *testing.T) {
	key, _ := std(t, "ECDSA")
	b, err := keystore.WriteJKS(keystore.NewStdPrimitives(), rand.Reader, []byte("store"), []byte("key"), []keystore.Entry{{Alias: "a", PKCS8: key}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("key")); err != nil {
		t.Errorf("password of the key: %v", err)
	}
	for password, narrow := range map[string]bool{"store": true, "other": false} {
		_, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(password))
		if !errors.Is(err, keystore.ErrPassword) || errors.Is(err, keystore.ErrKeyPassword) != narrow {
			t.Errorf("%s: %v", password, err)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func file(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenSSLReadsOurs: programs that know nothing of us read the forms with AES.
func TestOpenSSLReadsOurs(t *testing.T) {
	for _, algorithm := range []string{"ECDSA", "RSA"} {
		key, cert := std(t, algorithm)
		entry := []keystore.Entry{{Alias: "key", PKCS8: key, Chain: [][]byte{cert}}}
		want := strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
		for _, w := range []int{1, 4} {
			b, err := writers[w].write(entry, []byte("secret"))
			if err != nil {
				t.Fatal(err)
			}
			path := file(t, "key", b)
			if writers[w].name == "pkcs12-aes" {
				out := run(t, "openssl", "pkcs12", "-in", path, "-passin", "pass:secret", "-nodes")
				if !strings.Contains(out, want) || !strings.Contains(out, "BEGIN CERTIFICATE") {
					t.Errorf("%s, %s: openssl reads\n%s", algorithm, writers[w].name, out)
				}
				continue
			}
			if out := run(t, "openssl", "pkcs8", "-in", path, "-inform", "DER", "-passin", "pass:secret"); !strings.Contains(out, want) {
				t.Errorf("%s, %s: openssl reads\n%s", algorithm, writers[w].name, out)
			}
		}
	}
}

func TestKeytoolReadsOurs(t *testing.T) {
	ec, ecCert := std(t, "ECDSA")
	rsaKey, rsaCert := std(t, "RSA")
	entries := []keystore.Entry{
		{Alias: "sign", PKCS8: ec, Chain: [][]byte{ecCert}, Time: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)},
		{Alias: "stamp", PKCS8: rsaKey, Chain: [][]byte{rsaCert}},
	}
	for _, w := range writers[1:3] {
		b, err := w.write(entries, []byte("secret1"))
		if err != nil {
			t.Fatal(err)
		}
		out := run(t, "keytool", "-J-Duser.language=en", "-list", "-keystore", file(t, "store", b), "-storepass", "secret1")
		if !strings.Contains(out, "sign") || !strings.Contains(out, "stamp") || strings.Count(out, "PrivateKeyEntry") != 2 {
			t.Errorf("%s: keytool reads\n%s", w.name, out)
		}
		// The key itself: taken out into a PKCS#12 of Java's own making, which we then read (BER, other algorithms).
		target := filepath.Join(t.TempDir(), "out.p12")
		source := file(t, "store", b)
		kind := map[string]string{"jks": "JKS", "pkcs12-aes": "PKCS12"}[w.name]
		run(t, "keytool", "-importkeystore", "-noprompt", "-srckeystore", source, "-srcstoretype", kind, "-srcstorepass", "secret1",
			"-destkeystore", target, "-deststoretype", "PKCS12", "-deststorepass", "secret2")
		java, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		got, err := keystore.Open(keystore.NewStdPrimitives(), java, []byte("secret2"))
		if err != nil {
			t.Fatalf("%s: what Java wrote: %v", w.name, err)
		}
		if len(got.Keys) != 2 || len(got.Certificates) != 2 || !bytes.Equal(got.Certificates[0], ecCert) {
			t.Errorf("%s: what Java wrote has %d keys, %d certificates", w.name, len(got.Keys), len(got.Certificates))
		}
	}
}

// TestOpenSSLWrites: the forms that OpenSSL writes, old and new.
func TestOpenSSLWrites(t *testing.T) {
	key, cert := std(t, "ECDSA")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	source := file(t, "both.pem", text)
	for _, args := range [][]string{
		{"pkcs12", "-export"},
		{"pkcs12", "-export", "-legacy"},
		{"pkcs12", "-export", "-legacy", "-descert"},
		{"pkcs12", "-export", "-certpbe", "NONE", "-keypbe", "NONE"},
		{"pkcs12", "-export", "-nomac"},
		{"pkcs12", "-export", "-keypbe", "aes-128-cbc", "-macalg", "sha512", "-iter", "3000"},
		{"pkcs12", "-export", "-keypbe", "AES-192-CBC", "-certpbe", "PBE-SHA1-2DES", "-provider", "legacy", "-provider", "default", "-macalg", "sha384"},
		{"pkcs12", "-export", "-keypbe", "PBE-SHA1-RC2-128", "-provider", "legacy", "-provider", "default"},
		{"pkcs8", "-topk8"},
		{"pkcs8", "-topk8", "-v2", "des3"},
		{"pkcs8", "-topk8", "-v2", "aes192", "-v2prf", "hmacWithSHA512"},
		{"pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"},
		{"pkcs8", "-topk8", "-outform", "DER"},
		{"pkcs8", "-topk8", "-nocrypt"},
	} {
		name := strings.Join(args, " ")
		target := filepath.Join(t.TempDir(), "out")
		run(t, "openssl", append(args, "-in", source, "-out", target, "-passout", "pass:пароль")...)
		b, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		got, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("пароль"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(got.Keys[0].PKCS8, key) {
			t.Errorf("%s: another key", name)
		}
		if args[0] == "pkcs12" && (len(got.Certificates) != 1 || got.Keys[0].Usage != keystore.UsageSigning) {
			t.Errorf("%s: %d certificates, usage %q", name, len(got.Certificates), got.Keys[0].Usage)
		}
		if strings.Contains(name, "NONE") || strings.Contains(name, "nocrypt") {
			continue
		}
		if _, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("parol")); err == nil {
			t.Errorf("%s: opens with a wrong password", name)
		}
	}
}
