package offline

import (
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brama/internal/vectors"
)

// TestEnvelopeOpen: what the README says of every encrypted file.
func TestEnvelopeOpen(t *testing.T) {
	diia := []string{"--key", vector(t, "keys/diia-test.p12"), "--password-file", write(t, []byte("testpassword\n"))}
	bare := []string{"--key", vector(t, "keys/pkcs8-m257-40a0.der"), "--password-file", write(t, nil)}
	sender := []string{"--cert", vector(t, "certs/selfsigned-enc-6929.cer")}
	own := []string{"--cert", vector(t, "certs/diia-test-kep.cer")}
	fox := "The quick brown fox jumps over the lazy dog"
	for _, v := range []struct {
		name, want string
		args       []string
		code       int
		says       string
	}{
		{"cms/env-ephemeral.p7e", fox, diia, ExitOK, ""},
		{"cms/env-ephemeral.p7e", fox, append(own, diia...), ExitOK, ""},
		{"cms/env-kalyna-kupyna.p7e", string(vectors.Read(t, "cms/secret.txt")), diia, ExitOK, ""},
		{"cms/env-jkurwa.p7e", "123", append(sender, bare...), ExitOK, "5BE47000"},
		{"cms/env-jkurwa.p7e", "", bare, ExitFailed, "sender"},
		{"cms/env-ephemeral.p7e", "", bare, ExitFailed, "cannot be opened"},
		{"cms/neg-env-wrap.p7e", "", diia, ExitFailed, "cannot be opened"},
		{"cms/bes-attached.p7s", "", diia, ExitFailed, "not an encrypted message"},
		{"cms/fox.txt", "", diia, ExitFailed, "not a CMS"},
		{"cms/env-ephemeral.p7e", "", []string{"--key", vector(t, "keys/diia-test.p12"), "--password-file", write(t, []byte("wrong"))}, ExitFailed, "password"},
	} {
		stdout, stderr, code := run(t, "", append([]string{"envelope", "open", vector(t, v.name)}, v.args...)...)
		if code != v.code || stdout != v.want || !strings.Contains(stderr, v.says) || v.says == "" && stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", v.name, code, stdout, stderr)
		}
	}

	b := vectors.Read(t, "cms/env-ephemeral.p7e")
	for name, form := range map[string][]byte{
		"PEM":    pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: b}),
		"base64": []byte(base64.StdEncoding.EncodeToString(b)),
	} {
		out := filepath.Join(t.TempDir(), "plain")
		stdout, stderr, code := run(t, string(form), append([]string{"envelope", "open", "--out", out, "-"}, diia...)...)
		got, err := os.ReadFile(out)
		if code != ExitOK || stdout != "" || err != nil || string(got) != fox {
			t.Errorf("%s: exit %d, %q, %v", name, code, stderr, err)
		}
		if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the plain text can be read by others: %v", name, info.Mode())
		}
	}
}

// TestEnvelopeSeal: what is sealed opens, with every cipher, from an ephemeral key and from a static one.
func TestEnvelopeSeal(t *testing.T) {
	to := vector(t, "certs/selfsigned-enc-40a0.cer")
	key := []string{"--key", vector(t, "keys/pkcs8-m257-40a0.der"), "--password-file", write(t, nil)}
	for _, cipher := range []string{"gost28147-cfb", "gost28147-ctr", "kalyna256-cfb", "kalyna256-ctr"} {
		for _, more := range [][]string{nil, {"--by-key-id"}, append([]string{"--attach", "--cert", to}, key...)} {
			out := filepath.Join(t.TempDir(), "sealed")
			_, stderr, code := run(t, "таємно", append([]string{"envelope", "seal", "--to", to, "--cipher", cipher, "--out", out, "-"}, more...)...)
			if code != ExitOK {
				t.Fatalf("%s %q: exit %d, %q", cipher, more, code, stderr)
			}
			stdout, stderr, code := run(t, "", append([]string{"envelope", "open", out}, key...)...)
			if code != ExitOK || stdout != "таємно" || strings.Contains(stderr, "made with") != (len(more) > 1) {
				t.Errorf("%s %q: exit %d, %q, %q", cipher, more, code, stdout, stderr)
			}
		}
	}
}

func TestEnvelopeSealRefused(t *testing.T) {
	to, other := vector(t, "certs/selfsigned-enc-40a0.cer"), vector(t, "certs/selfsigned-enc-e54b.cer")
	key := []string{"--key", vector(t, "keys/pkcs8-m257-40a0.der"), "--password-file", write(t, nil)}
	for _, v := range []struct {
		args []string
		says string
	}{
		{[]string{"--to", vector(t, "certs/diia-test-sign.cer")}, "no certificate for key agreement"},
		{append([]string{"--to", to}, key...), "--cert"},
		{append([]string{"--to", to, "--cert", other}, key...), "--cert"},
		{append([]string{"--to", other, "--cert", to}, key...), "another curve"},
	} {
		stdout, stderr, code := run(t, "1", append([]string{"envelope", "seal", "-"}, v.args...)...)
		if code != ExitFailed || stdout != "" || !strings.Contains(stderr, v.says) {
			t.Errorf("%q: exit %d, %q", v.args, code, stderr)
		}
	}
	for _, args := range [][]string{
		{"open", to}, {"open", "--key", to, to}, {"open", "--key", "/does/not/exist", "--password-file", to, to},
		{"open", "--cert", "/does/not/exist", key[0], key[1], key[2], key[3], to},
		{"open", key[0], key[1], key[2], key[3], "/does/not/exist"},
		{"seal", to}, {"seal", "--to", "/does/not/exist", to}, {"seal", "--to", to, "--cipher", "aes", to},
		{"seal", "--to", to, "--key", to, to}, {"seal", "--to", to, "--attach", to}, {"seal", "--to", to, "/does/not/exist"},
	} {
		if stdout, stderr, code := run(t, "", append([]string{"envelope"}, args...)...); code != ExitUsage || stdout != "" || stderr == "" {
			t.Errorf("%q: exit %d, %q", args, code, stderr)
		}
	}
}
