package cms_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// skipOrFail skips where another program is missing, and fails with CI set.
func skipOrFail(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// jkurwa runs testdata/jkurwa/envelope.cjs with the packages that its lock file pins, which are installed once, outside the
// project.
func jkurwa(t *testing.T) func(stdin []byte, args ...string) []byte {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			skipOrFail(t, "%s is not installed", tool)
		}
	}
	source := filepath.Join("testdata", "jkurwa")
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, "brama-test", "jkurwa-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		// Made beside and renamed, so that two test runs do not meet in a half-made folder.
		if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
			t.Fatal(err)
		}
		fresh, err := os.MkdirTemp(filepath.Dir(folder), "jkurwa-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(fresh)
		copyTo(t, fresh, source, "package.json", "package-lock.json")
		cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		cmd.Dir = fresh
		if out, err := cmd.CombinedOutput(); err != nil {
			skipOrFail(t, "npm ci: %v\n%s", err, out)
		}
		if err := os.Rename(fresh, folder); err != nil && !errors.Is(err, os.ErrExist) {
			t.Log(err) // another run was faster
		}
	}
	copyTo(t, folder, source, "envelope.cjs")
	return func(stdin []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.Command("node", append([]string{filepath.Join(folder, "envelope.cjs")}, args...)...)
		cmd.Stdin = bytes.NewReader(stdin)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		return stdout.Bytes()
	}
}

func copyTo(t *testing.T, target, source string, names ...string) {
	t.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		save(t, filepath.Join(target, name), b)
	}
}

func save(t *testing.T, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// files writes the key and the certificate where another program can read them.
func (p party) files(t *testing.T) (key, cert string) {
	t.Helper()
	dir := t.TempDir()
	return save(t, filepath.Join(dir, "key"), keystore.EncodePKCS8(p.key, nil)), save(t, filepath.Join(dir, "cert"), p.cert.Raw)
}

// TestEnvelopesOfJkurwa: npm's jkurwa opens what we make from a static key, and the other way round, on both curves.
func TestEnvelopesOfJkurwa(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another program for seconds")
	}
	run := jkurwa(t)
	content := []byte(`{"auth_type":"dig_sign","lastname":"ПЕТРЕНКО"}`)
	// Every second secret of M257 begins with a zero octet, which counts.
	for _, curve := range []*dstu4145.Curve{dstu4145.M257(), dstu4145.M257(), dstu4145.M431()} {
		ours, theirs := newParty(t, curve, agreementOnly), newParty(t, curve, agreementOnly)
		for { // of several zero octets this program drops one and others all: 1 pair in 512 cannot agree, whoever is right
			z, err := ours.key.CofactorECDH(theirs.key.PublicKey())
			if err != nil {
				t.Fatal(err)
			}
			if z[0] != 0 || z[1] != 0 {
				break
			}
			theirs = newParty(t, curve, agreementOnly)
		}
		_, ourCert := ours.files(t)
		theirKey, _ := theirs.files(t)

		b := seal(t, cms.SealOptions{Content: content, Recipients: []*tbs.Certificate{theirs.cert}, Sender: &cms.Sender{Key: ours.key, Certificate: ours.cert}})
		if got := run(b, "open", theirKey, ourCert); !bytes.Equal(got, content) {
			t.Errorf("%s: theirs reads %q", curve.Name(), got)
		}

		var made struct{ IV, WCEK, Data, UKM []byte }
		if err := json.Unmarshal(run(content, "seal", theirKey, ourCert), &made); err != nil {
			t.Fatal(err)
		}
		wrap := spki.Algorithm{OID: cms.OIDGOST28147Wrap, Parameters: der.EncodeNull()}
		name := func(c *tbs.Certificate) []byte {
			return der.EncodeSequence(c.RawIssuer, der.Element(der.Integer, c.Serial))
		}
		message := der.EncodeSequence(der.EncodeOID(cms.OIDEnvelopedData), der.Element(der.Constructed(0), der.EncodeSequence(
			der.EncodeInt(2),
			der.Element(der.Set, der.Element(der.Constructed(1),
				der.EncodeInt(3),
				der.Element(der.Constructed(0), name(theirs.cert)),
				der.Element(der.Constructed(1), der.EncodeOctetString(made.UKM)),
				spki.Algorithm{OID: cms.OIDCofactorDHWithGOST34311, Parameters: wrap.Encode()}.Encode(),
				der.EncodeSequence(der.EncodeSequence(name(ours.cert), der.EncodeOctetString(made.WCEK))))),
			der.EncodeSequence(der.EncodeOID(cms.OIDData),
				spki.Algorithm{OID: cms.OIDGOST28147CFB, Parameters: der.EncodeSequence(der.EncodeOctetString(made.IV))}.Encode(),
				der.Element(der.Context(0), made.Data)))))
		got := open(t, message, cms.OpenOptions{Key: ours.key, Certificates: []*tbs.Certificate{ours.cert}, Senders: []*tbs.Certificate{theirs.cert}})
		if !bytes.Equal(got.Content, content) {
			t.Errorf("%s: ours reads %q", curve.Name(), got.Content)
		}
	}
}

// bouncyCastle runs testdata/Envelope.java on Debian's Bouncy Castle and returns the words that it prints.
func bouncyCastle(t *testing.T, args ...string) []string {
	t.Helper()
	const jar = "/usr/share/java/bcprov.jar"
	if _, err := exec.LookPath("java"); err != nil {
		skipOrFail(t, "java is not installed")
	}
	if _, err := os.Stat(jar); err != nil {
		skipOrFail(t, "Bouncy Castle is not installed")
	}
	cmd := exec.Command("java", append([]string{"-XX:TieredStopAtLevel=1", "-cp", jar, filepath.Join("testdata", "Envelope.java")}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return strings.Fields(string(out))
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEnvelopesOfBouncyCastle: agreement with and without cofactor, Купина-256, CMAC and CFB of Калина, and the wrap built on
// them, in both directions. Bouncy Castle has no such envelope whole, and ends CFB otherwise: the content is whole blocks.
func TestEnvelopesOfBouncyCastle(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another program for seconds")
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 4)
	for _, v := range []struct {
		curve     *dstu4145.Curve
		agreement der.OID
		name      string
	}{{dstu4145.M257(), cms.OIDDHWithKupyna256, "plain"}, {dstu4145.M431(), cms.OIDCofactorDHWithKupyna256, "cofactor"}} {
		p := newParty(t, v.curve, agreementOnly)
		b := seal(t, cms.SealOptions{Content: content, Recipients: []*tbs.Certificate{p.cert}, Cipher: cms.OIDKalyna256CFB, Agreement: v.agreement})
		bits := element(t, b, der.BitString, 3+v.curve.PointSize())
		wrapped, iv := element(t, b, der.OctetString, 96), element(t, b, der.OctetString, 32)
		data := element(t, b, der.Context(0), len(content))
		curve := strconv.Itoa(v.curve.Index())
		got := bouncyCastle(t, "open", v.name, curve, hex.EncodeToString(p.key.Bytes()), hex.EncodeToString(bits[5:]),
			hex.EncodeToString(wrapped[2:]), hex.EncodeToString(iv[2:]), hex.EncodeToString(data[2:]))
		if len(got) != 1 || !bytes.Equal(unhex(t, got[0]), content) {
			t.Errorf("%s: theirs reads %q", v.name, got)
		}

		made := bouncyCastle(t, "seal", v.name, curve, hex.EncodeToString(p.key.PublicKey().Bytes()), hex.EncodeToString(content))
		if len(made) != 4 {
			t.Fatalf("%q", made)
		}
		for i, old := range [][]byte{bits, wrapped, iv, data} {
			value := unhex(t, made[i])
			with := der.EncodeOctetString(value)
			switch i {
			case 0:
				with = der.EncodeBitString(with)
			case 3:
				with = der.Element(der.Context(0), value)
			}
			b = replace(t, b, old, with)
		}
		if opened := open(t, b, cms.OpenOptions{Key: p.key}); !bytes.Equal(opened.Content, content) {
			t.Errorf("%s: ours reads %q", v.name, opened.Content)
		}
	}
}
