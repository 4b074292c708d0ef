//go:build !js

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/vectors"
)

// opened is a browser with the director's key in it, and the index of his certificate.
func opened(t testing.TB) (*browser, int) {
	t.Helper()
	b := start(t)
	a := b.open(vectors.Read(t, "keys/privatbank-test-boss.jks"), "1111111111")
	if !a.OK || len(a.Certificates) != 4 || a.Suggested == nil {
		t.Fatalf("%+v", a)
	}
	// It expired in 2018, by any clock of today; the director's is the certificate to hear the server's verdict on.
	c := a.Certificates[*a.Suggested]
	if c.Serial != "0d84eda1bb9381e80400000077f31e00dfd36000" || c.Usable || c.Reason != "CERT_EXPIRED" || c.Kind != "employee" || c.KeyIndex != 0 {
		t.Errorf("suggested %+v", c)
	}
	return b, *a.Suggested
}

func command(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	return string(out), err
}

func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "message.p7s")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSignatureVerifiesElsewhere: what the browser program signs with a real key is good for an implementation that is
// not ours, and no longer once a byte of it changes.
func TestSignatureVerifiesElsewhere(t *testing.T) {
	jars := []string{"/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"}
	if _, err := os.Stat(jars[0]); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("Bouncy Castle is not installed")
	}
	b, i := opened(t)
	want := text(t, origin)
	a := b.send(message{"cmd": "sign", "certificate": i, "challenge": octets(want)})
	if !a.OK || len(a.Signature) == 0 {
		t.Fatalf("%+v", a)
	}
	t.Logf("signed in %.1f ms, %d octets", a.MS, len(a.Signature))
	verify := []string{"-cp", strings.Join(jars, ":"), "testdata/Verify.java"}
	out, err := command(t, "java", append(verify, write(t, a.Signature))...)
	if err != nil || !strings.HasPrefix(out, string(want)) {
		t.Fatalf("%v\n%s", err, out)
	}
	// commitment-type-indication holds the purpose.
	for _, oid := range []string{"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.16.2.47", "1.2.840.113549.1.9.16.2.16"} {
		if strings.Count(out, oid+"\n") != 1 {
			t.Errorf("attribute %s: %s", oid, out)
		}
	}
	changed := bytes.Replace(a.Signature, []byte("client: cabinet"), []byte("client: cabinit"), 1)
	if out, err := command(t, "java", append(verify, write(t, changed))...); err == nil {
		t.Errorf("a changed message verifies:\n%s", out)
	}
}

func TestForeignIssuerUnderNode(t *testing.T) {
	b, i := opened(t)
	for name, f := range foreign(t) {
		// An origin that the page names counts for nothing.
		a := b.send(message{"cmd": "sign", "certificate": i, "challenge": octets(f.text), "origin": "https://evil.example"})
		if a.OK || a.Code != string(f.want) || a.Signature != nil {
			t.Errorf("%s: %+v, want %s", name, a, f.want)
		}
	}
	for _, m := range []message{{"cmd": "sign"}, {"cmd": "sign", "certificate": 99, "challenge": octets(text(t, origin))},
		{"cmd": "steal"}, {}, {"cmd": "addCertificates", "data": "x"}, {"cmd": "open"}} {
		if a := b.send(m); a.OK {
			t.Errorf("%v: %+v", m, a)
		}
	}
}

// TestNoRandomnessNoSignature: there is no fallback when the browser's source fails (T40).
func TestNoRandomnessNoSignature(t *testing.T) {
	b, i := opened(t)
	a := b.send(message{"cmd": "sign", "certificate": i, "challenge": octets(text(t, origin)), "breakRandom": true})
	if a.OK || a.Code != "RANDOM_UNAVAILABLE" {
		t.Errorf("%+v", a)
	}
}

// TestStandardKeysUnderNode: RSA and ECDSA through WebCrypto, from containers that we write, verified by openssl; and a
// private key that only claims to be the certificate's signs nothing.
func TestStandardKeysUnderNode(t *testing.T) {
	b := start(t)
	p := keystore.NewStdPrimitives()
	for name, generate := range map[string]func() (public, private any, err error){
		"P-256": func() (any, any, error) {
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			return k.Public(), k, err
		},
		"P-384": func() (any, any, error) {
			k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			return k.Public(), k, err
		},
		"P-521": func() (any, any, error) {
			k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			return k.Public(), k, err
		},
		"RSA": func() (any, any, error) { k, err := rsa.GenerateKey(rand.Reader, 2048); return k.Public(), k, err },
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			public, private, err := generate()
			if err != nil {
				t.Fatal(err)
			}
			template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Тестенко Олена"},
				NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
				KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
			certificate, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
			if err != nil {
				t.Fatal(err)
			}
			pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
			if err != nil {
				t.Fatal(err)
			}
			pfx, err := keystore.WritePKCS12(p, rand.Reader, keystore.SchemeAES, []byte("пароль"),
				[]keystore.Entry{{Alias: "key", PKCS8: pkcs8, Chain: [][]byte{certificate}}})
			if err != nil {
				t.Fatal(err)
			}
			a := same(t, b, pfx, "пароль")
			if !a.OK || a.Suggested == nil || !a.Certificates[0].Usable || a.Certificates[0].CommonName != "Тестенко Олена" {
				t.Fatalf("%+v", a)
			}
			signed := b.send(message{"cmd": "sign", "certificate": 0, "challenge": octets(text(t, origin))})
			if !signed.OK {
				t.Fatalf("%+v", signed)
			}
			out, err := command(t, "openssl", "cms", "-verify", "-inform", "DER", "-in", write(t, signed.Signature), "-noverify", "-binary")
			if err != nil || !strings.Contains(out, string(text(t, origin))) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestLyingKeyUnderNode: the public half inside a PKCS#8 is the certificate's, the private one is not. What WebCrypto
// believes of it differs; a signature is held against the certificate before it leaves (T39).
func TestLyingKeyUnderNode(t *testing.T) {
	b := start(t)
	honest, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageContentCommitment}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, honest.Public(), honest)
	if err != nil {
		t.Fatal(err)
	}
	number := func(n *big.Int) []byte { return der.EncodeUnsigned(n.Bytes()) }
	private := der.EncodeSequence(der.EncodeInt(0), number(honest.N), der.EncodeInt(honest.E), number(other.D), number(other.Primes[0]),
		number(other.Primes[1]), number(other.Precomputed.Dp), number(other.Precomputed.Dq), number(other.Precomputed.Qinv))
	algorithm := spki.Algorithm{OID: spki.OIDRSA, Parameters: der.EncodeNull()}
	pkcs8 := der.EncodeSequence(der.EncodeInt(0), algorithm.Encode(), der.EncodeOctetString(private))
	jks, err := keystore.WriteJKS(keystore.NewStdPrimitives(), rand.Reader, []byte("p"), []byte("p"),
		[]keystore.Entry{{Alias: "a", PKCS8: pkcs8, Chain: [][]byte{certificate}}})
	if err != nil {
		t.Fatal(err)
	}
	if a := b.open(jks, "p"); !a.OK || len(a.Certificates) != 1 {
		t.Fatalf("%+v", a)
	}
	a := b.send(message{"cmd": "sign", "certificate": 0, "challenge": octets(text(t, origin))})
	if a.OK || a.Signature != nil || a.Code != string(codeMismatch) && a.Code != "FORMAT_UNSUPPORTED" {
		t.Errorf("%+v", a)
	}
	t.Log(a.Code)
}

// TestBudget: the program stays a download of under 700 KB, compressed as it is served.
func TestBudget(t *testing.T) {
	const limit = 700_000
	out, err := command(t, "brotli", "-q", "11", "-c", program(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d octets", len(out))
	if len(out) > limit {
		t.Errorf("%d octets, limit %d", len(out), limit)
	}
}
