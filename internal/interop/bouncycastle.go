package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"brama/internal/dstu/dstu4145"
)

// javaLibraries is where Debian puts jars.
const javaLibraries = "/usr/share/java"

// bouncyCastleClasses compiles the programs of testdata once a version, below .cache of the project, and returns the class
// path; "" with the reason.
var bouncyCastleClasses = sync.OnceValues(func() (string, string) {
	var jars []string
	for _, name := range []string{"bcprov", "bcpkix", "bcutil"} {
		jar := filepath.Join(javaLibraries, name+".jar")
		if _, err := os.Stat(jar); err != nil && name != "bcutil" { // a part of bcprov in old releases
			return "", "lib" + name + "-java is not installed"
		}
		jars = append(jars, jar)
	}
	javac, err := exec.LookPath("javac")
	if err != nil {
		return "", "javac is not installed"
	}
	root, err := projectFolder()
	if err != nil {
		return "", err.Error()
	}
	var sources []string
	sum := sha256.New()
	for _, name := range []string{"BouncyCastle.java", "Containers.java", "Enveloped.java"} {
		source := filepath.Join(root, "internal", "interop", "testdata", name)
		b, err := os.ReadFile(source)
		if err != nil {
			return "", err.Error()
		}
		sources = append(sources, source)
		sum.Write(b)
	}
	classes := filepath.Join(root, ".cache", "bouncycastle-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	path := strings.Join(append(jars, classes), ":")
	if _, err := os.Stat(classes); err == nil {
		return path, ""
	}
	// Packages are tested side by side: what is half written must not be seen.
	if err := os.MkdirAll(filepath.Dir(classes), 0o755); err != nil {
		return "", err.Error()
	}
	target, err := os.MkdirTemp(filepath.Dir(classes), "javac-")
	if err != nil {
		return "", err.Error()
	}
	defer os.RemoveAll(target)
	args := append([]string{"-encoding", "UTF-8", "-nowarn", "-cp", path, "-d", target}, sources...)
	if out, err := exec.Command(javac, args...).CombinedOutput(); err != nil {
		return "", "javac: " + string(out)
	}
	if err := os.Rename(target, classes); err != nil {
		if _, other := os.Stat(classes); other != nil { // else another test was first
			return "", err.Error()
		}
	}
	return path, ""
})

// bouncyCastle runs one of the programs.
func bouncyCastle(t testing.TB, program string, args ...string) (bool, string) {
	t.Helper()
	java := tool(t, "java")
	path, why := bouncyCastleClasses()
	if path == "" {
		missing(t, why)
	}
	return run(t, "", java, append([]string{"-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", path, program}, args...)...)
}

// VerifyWithBouncyCastle has Bouncy Castle verify message, a SignedData of one signer with signed attributes: messageDigest
// over content, the signature value, and for ДСТУ 4145 signing-certificate-v2. content is nil for an attached one,
// certificate (DER) nil for the first in the message.
func VerifyWithBouncyCastle(t testing.TB, message, content, certificate []byte) Verdict {
	t.Helper()
	args := []string{"verify", file(t, "message", message), "-"}
	if certificate != nil {
		args[2] = file(t, "certificate", certificate)
	}
	if content != nil {
		args = append(args, file(t, "content", content))
	}
	ok, output := bouncyCastle(t, "BouncyCastle", args...)
	return Verdict{ok, output}
}

// VerifyRequestWithBouncyCastle has Bouncy Castle verify a PKCS#10 request for a certificate of a ДСТУ 4145 key. The output is
// the subject, and the key usage that is asked for.
func VerifyRequestWithBouncyCastle(t testing.TB, request []byte) Verdict {
	t.Helper()
	ok, output := bouncyCastle(t, "BouncyCastle", "request", file(t, "request", request))
	return Verdict{ok, output}
}

// SignWithBouncyCastle has Bouncy Castle sign content with a ДСТУ 4145 key and ГОСТ 34.311.
func SignWithBouncyCastle(t testing.TB, key *dstu4145.PrivateKey, certificate, content []byte, detached bool) []byte {
	t.Helper()
	return signWithBouncyCastle(t, scalar(t, key), certificate, content, detached)
}

// SignPKCS8WithBouncyCastle has Bouncy Castle sign with an ECDSA or RSA key and SHA-256.
func SignPKCS8WithBouncyCastle(t testing.TB, pkcs8, certificate, content []byte, detached bool) []byte {
	t.Helper()
	return signWithBouncyCastle(t, file(t, "key", pkcs8), certificate, content, detached)
}

func signWithBouncyCastle(t testing.TB, key string, certificate, content []byte, detached bool) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	ok, output := bouncyCastle(t, "BouncyCastle", "sign", key, file(t, "certificate", certificate), file(t, "content", content), out, mode(detached))
	return written(t, ok, output, out)
}

func written(t testing.TB, ok bool, output, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if !ok || err != nil {
		t.Fatalf("nothing was signed: %v %s", err, output)
	}
	return b
}

// A Key is a private key that Bouncy Castle found in a container.
type Key struct {
	M     int    // of the curve
	D     string // hex, without leading zeros
	Signs string // SHA-256 of the certificate inside by which its signature verifies, hex; "-" if there is none
}

// OpenWithBouncyCastle has a container of ДСТУ keys opened by Bouncy Castle (format "pfx" a PKCS#12, its MAC checked,
// "pk8" an encrypted PKCS#8) or by Java with the key read by Bouncy Castle ("jks"; Java drops the second key of a pair with the attributes). certificates are
// SHA-256 of them, hex, in their order. ok is false if the password does not fit.
func OpenWithBouncyCastle(t testing.TB, format string, container []byte, password string) (keys []Key, certificates []string, ok bool) {
	t.Helper()
	ok, output := bouncyCastle(t, "Containers", format, file(t, "container", container), password)
	if !ok {
		return nil, nil, false
	}
	for line := range strings.Lines(output) {
		var k Key
		var certificate string
		if _, err := fmt.Sscanf(line, "key %d %s %s", &k.M, &k.D, &k.Signs); err == nil {
			keys = append(keys, k)
		} else if _, err := fmt.Sscanf(line, "certificate %s", &certificate); err == nil {
			certificates = append(certificates, certificate)
		} else {
			t.Fatalf("interop: %s", output)
		}
	}
	return keys, certificates, true
}
