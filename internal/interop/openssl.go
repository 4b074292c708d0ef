package interop

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// VerifyWithOpenSSL has `openssl cms -verify` verify message (ECDSA or RSA). The path of the certificate is not looked at. content is nil for an attached one.
func VerifyWithOpenSSL(t testing.TB, message, content []byte) Verdict {
	t.Helper()
	args := []string{"cms", "-verify", "-binary", "-noverify", "-inform", "DER", "-in", file(t, "message", message), "-out", filepath.Join(t.TempDir(), "content")}
	if content != nil {
		args = append(args, "-content", file(t, "content", content))
	}
	out, err := exec.Command(tool(t, "openssl"), args...).CombinedOutput()
	return Verdict{err == nil, string(out)}
}

// SignWithOpenSSL has `openssl cms -sign -cades` sign content with a key in PKCS #8 (DER), SHA-256. more are further
// arguments, e.g. for PSS.
func SignWithOpenSSL(t testing.TB, pkcs8, certificate, content []byte, detached bool, more ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"cms", "-sign", "-cades", "-binary", "-md", "sha256", "-outform", "DER", "-in", file(t, "content", content), "-out", out,
		"-signer", file(t, "certificate", armour("CERTIFICATE", certificate)), "-inkey", file(t, "key", armour("PRIVATE KEY", pkcs8))}
	if !detached {
		args = append(args, "-nodetach")
	}
	output, err := exec.Command(tool(t, "openssl"), append(args, more...)...).CombinedOutput()
	return written(t, err == nil, string(output), out)
}
