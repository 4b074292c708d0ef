package upload

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"brama/connectors/connectortest"
	"brama/internal/qes/qestest"
)

// TestForeignProgram: what OpenSSL signs as CAdES with a national profile's ECDSA certificate signs in: attached, detached, in
// PEM, and in a container whose manifest is written in another way than ours.
func TestForeignProgram(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is not installed: run make setup")
		}
		t.Skip("openssl is not installed")
	}
	a := connectortest.NewAuthority(t)
	person := a.Person(t, func(r *qestest.Request) { r.Authority, r.Algorithm = qestest.ECDSA, qestest.P256 })
	der, err := person.Key.PKCS8()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		full := filepath.Join(dir, name)
		if err := os.WriteFile(full, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	key := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	certificate := write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: person.Certificate.Raw}))
	c, err := New(Config{Verifier: a.Validator})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	openssl := func(content []byte, more ...string) []byte {
		out := filepath.Join(dir, "out")
		args := append([]string{"cms", "-sign", "-cades", "-binary", "-md", "sha256", "-signer", certificate, "-inkey", key, "-in", write("in", content), "-out", out}, more...)
		if text, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl: %v\n%s", err, text)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sum := sha256.Sum256(login.Challenge)
	manifest := fmt.Appendf(nil, `<ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#"><SigReference URI="META-INF/signature-1.p7s"/>
 <DataObjectReference MimeType="text/plain" URI="./request%%2Etxt"><DigestMethod xmlns="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>
  <ds:DigestValue xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
   %s
  </ds:DigestValue></DataObjectReference></ASiCManifest>`, base64.StdEncoding.EncodeToString(sum[:]))
	var container bytes.Buffer
	z := zip.NewWriter(&container)
	for _, e := range []struct {
		name    string
		content []byte
	}{{"META-INF/signature-1.p7s", openssl(manifest, "-outform", "DER")}, {"META-INF/ASiCManifest.xml", manifest}, {"request.txt", login.Challenge}} {
		f, err := z.Create(e.name)
		if err == nil {
			_, err = f.Write(e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"detached":  openssl(login.Challenge, "-outform", "DER"),
		"attached":  openssl(login.Challenge, "-outform", "DER", "-nodetach"),
		"PEM":       openssl(login.Challenge, "-outform", "PEM", "-nodetach"),
		"streamed":  openssl(login.Challenge, "-outform", "DER", "-nodetach", "-stream"),
		"container": container.Bytes(),
	} {
		if _, err := c.Advance(t.Context(), login, file(b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
