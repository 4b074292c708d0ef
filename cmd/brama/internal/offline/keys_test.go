package offline

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/vectors"
)

func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func base64Lines(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(s) > 64 {
		out.WriteString(s[:64] + "\n")
		s = s[64:]
	}
	return out.String() + s + "\n"
}

func inspect(t *testing.T, args ...string) (containerReport, int) {
	t.Helper()
	stdout, stderr, code := run(t, "", append([]string{"container", "inspect", "--json"}, args...)...)
	var r containerReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %q %q", err, stdout, stderr)
	}
	return r, code
}

// TestInspect: every real container opens, with the key identifiers of the README.
func TestInspect(t *testing.T) {
	for _, test := range []struct {
		file, password, format string
		keys                   int
		ids                    []string
	}{
		{"iit-test4-Key-6.dat", "tect4", "key-6.dat", 2, []string{"7E9E345DD2CFD91EBADBE23C22EB9FAC6BEF65552ED42F56F9BAC4AAC5CB2D06", "7CEBCD9412612324209F4CD81CD16A7A9A0BA05A75AD05D38BAE9A7483D8F719"}},
		{"testplat2021.pfx", "testplat2021", "pkcs12", 2, []string{"0A1BF83EB0797DE1AF95D4495B89E7BD9532DC8624E053242EE6427EFEE5C033", "CA3E804B68E2B60DC3AF1EB60220C4C9B0E48FA87BD0E3377D2AD9294F4A5651"}},
		{"diia-test.p12", "testpassword", "pkcs12", 2, []string{"5BC6C06EE1E00C1700E92AA7A9AD75F82D3CB7A9B66E3A98023209B24513315C", "6B1B77C0D1A1B60473A98DD6D4FE5302742AEDE101DAA21F2C83A67CCDEDB782"}},
		{"privatbank-test-boss.jks", "1111111111", "jks", 4, []string{"216CE9787D97DAC71005EA66A0E44B300CB8A9A333D24730A0C8C75D8ACFF962", "B9D397AD69168FA9A3010C935E9F199FDD6194796C3666B5AF03730DE059FEDE"}},
		{"rsa-one-key.jks", "testpassword", "jks", 1, nil},
		{"ecdsa-sha1-3des.pfx", "123456", "pkcs12", 1, nil},
		{"GovAuction-Key-6.dat", "12345677", "pkcs12", 2, []string{"070A497710C0EDCAEBEC1651EBE7052123DD86E1857DAD17F094A8F66EACFA08", "2056984636C63F714C079B92114F6F6BADF3C05C8B74F35CBE67BBA080361761"}},
		{"pkcs8-m257-40a0.der", "", "pkcs8", 1, nil},
		{"pkcs8-enc-a040.der", "password", "pkcs8-encrypted", 1, []string{"55AF7E791487B790028ED158E13474B9D1E9A2BD19CC4FEA71FECBCDF8C884EC"}},
		{"pkcs8-enc-aes-private2.pem", "123456", "pkcs8-encrypted", 1, nil},
	} {
		t.Run(test.file, func(t *testing.T) {
			args := []string{vector(t, "keys/"+test.file)}
			if test.password != "" {
				args = append(args, "--password-file", write(t, []byte(test.password+"\n")))
			}
			r, code := inspect(t, args...)
			if code != ExitOK || r.Format != test.format || len(r.Keys) != test.keys || r.Code != "" {
				t.Fatalf("exit %d, %s, %d keys, %s", code, r.Format, len(r.Keys), r.Code)
			}
			all := ""
			for _, k := range r.Keys {
				all += k.KeyID + " "
				if k.Algorithm == "DSTU4145" {
					if k.Curve == "" || len(k.PublicKey) == 0 || k.KeyIDKupyna == "" {
						t.Errorf("key %+v", k)
					}
				}
			}
			for _, id := range test.ids {
				if !strings.Contains(all, id) {
					t.Errorf("no key %s in %s", id, all)
				}
			}
			if test.password == "" {
				return
			}
			r, code = inspect(t, vector(t, "keys/"+test.file), "--password-file", write(t, []byte("wrong password")))
			if code != ExitFailed || r.Code != "KEY_PASSWORD_WRONG" || len(r.Keys) != 0 {
				t.Errorf("wrong password: exit %d, %s", code, r.Code)
			}
			r, code = inspect(t, vector(t, "keys/"+test.file))
			if code != ExitIndeterminate || r.Format != test.format || len(r.Keys) != 0 {
				t.Errorf("without a password: exit %d, %s", code, r.Format)
			}
		})
	}
	for name, want := range map[string]string{"certs/diia-ca.cer": "KEY_NOT_A_KEY", "cms/bes-attached.p7s": "KEY_NOT_A_KEY", "cms/fox.txt": "KEY_NOT_A_KEY"} {
		if r, code := inspect(t, vector(t, name)); code != ExitFailed || r.Code != want {
			t.Errorf("%s: exit %d, %s", name, code, r.Code)
		}
	}
	damaged := vectors.Read(t, "keys/diia-test.p12")
	if r, code := inspect(t, write(t, damaged[:len(damaged)/2]), "--password-file", write(t, []byte("x"))); code != ExitFailed || r.Code != "KEY_DAMAGED" {
		t.Errorf("truncated: exit %d, %s", code, r.Code)
	}
}

// TestCreate: what is made here is verified here, attached and detached, and nothing is left of a failure.
func TestCreate(t *testing.T) {
	content := write(t, []byte("договір"))
	for _, test := range []struct{ key, password, cert string }{
		{"diia-test.p12", "testpassword", "certs/diia-test-sign.cer"},
		{"pkcs8-priv1.der", "", "certs/selfsigned1.cer"},
		{"ecdsa-sha1-3des.pfx", "123456", ""},
	} {
		t.Run(test.key, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.p7s")
			args := []string{"signature", "create", "--key", vector(t, "keys/"+test.key), "--password-file", write(t, []byte(test.password)), "--out", out, content}
			if test.cert != "" {
				args = append(args, "--cert", vector(t, test.cert))
			}
			if _, stderr, code := run(t, "", args...); code != ExitOK {
				t.Fatalf("exit %d, %s", code, stderr)
			}
			if r, code := verify(t, out); code != ExitIndeterminate || r.Signatures[0].SignatureValue != "valid" || r.Signatures[0].ClaimedSigningTime != "2026-06-01T00:00:00Z" {
				t.Errorf("exit %d, %+v", code, r)
			}
			if _, stderr, code := run(t, "", append(args, "--detached")...); code != ExitOK {
				t.Fatalf("exit %d, %s", code, stderr)
			}
			if r, code := verify(t, out, "--content", content); code != ExitIndeterminate || r.Signatures[0].SignatureValue != "valid" || r.SubIndication == "SIGNED_DATA_NOT_FOUND" {
				t.Errorf("detached: exit %d, %+v", code, r)
			}
			if r, code := verify(t, out, "--content", write(t, []byte("інший"))); code != ExitFailed || r.SubIndication != "HASH_FAILURE" {
				t.Errorf("other content: exit %d, %+v", code, r)
			}
		})
	}
	key, password := vector(t, "keys/diia-test.p12"), write(t, []byte("testpassword"))
	for name, args := range map[string][]string{
		"no certificate":       {"--key", key, "--password-file", password, content},
		"another certificate":  {"--key", key, "--password-file", password, "--cert", vector(t, "certs/augusto.cer"), content},
		"agreement":            {"--key", key, "--password-file", password, "--cert", vector(t, "certs/diia-test-kep.cer"), content},
		"wrong password":       {"--key", key, "--password-file", content, content},
		"nothing to sign":      {"--key", key, "--password-file", password, "--cert", vector(t, "certs/diia-test-sign.cer"), write(t, nil)},
		"a certificate as key": {"--key", vector(t, "certs/diia-ca.cer"), "--password-file", password, content},
	} {
		dir := t.TempDir()
		_, stderr, code := run(t, "", append([]string{"signature", "create", "--out", filepath.Join(dir, "out")}, args...)...)
		left, err := os.ReadDir(dir)
		if code != ExitFailed || stderr == "" || err != nil || len(left) != 0 {
			t.Errorf("%s: exit %d, %q, %d files", name, code, stderr, len(left))
		}
	}
	// The text of a login is signed for the person's own upload, with a word about what it is.
	_, stderr, code := run(t, "", "signature", "create", "--key", key, "--password-file", password, "--cert", vector(t, "certs/diia-test-sign.cer"),
		"--out", filepath.Join(t.TempDir(), "out"), write(t, []byte("brama-login-v1\nx")))
	if code != ExitOK || !strings.Contains(stderr, "sign-in") {
		t.Errorf("the text of a login: exit %d, %q", code, stderr)
	}
}

// TestLoginSignatureIsNotDocument: a login signature is no document, with our mark or by its text alone (T1).
func TestLoginSignatureIsNotDocument(t *testing.T) {
	container, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/diia-test.p12"), []byte("testpassword"))
	if err != nil {
		t.Fatal(err)
	}
	certificate := vectors.Read(t, "certs/diia-test-sign.cer")
	var signer cms.Signer
	for i := range container.Keys {
		if container.Keys[i].Curve == "M257" {
			if signer, err = qes.NewSigner(container.Keys[i].DSTU); err != nil {
				t.Fatal(err)
			}
		}
	}
	login := []byte("brama-login-v1\nлише для входу, не є документом\n")
	for name, test := range map[string]struct {
		o       cms.Options
		content []byte
		code    int
	}{
		"attached":                 {cms.Options{Content: login, Purpose: cms.PurposeLogin}, nil, 1},
		"detached":                 {cms.Options{Content: login, Purpose: cms.PurposeLogin, Detached: true}, login, 1},
		"detached, without it":     {cms.Options{Content: login, Purpose: cms.PurposeLogin, Detached: true}, nil, 1},
		"without the mark":         {cms.Options{Content: login}, nil, 1},
		"without the mark, beside": {cms.Options{Content: login, Detached: true}, login, 1},
		"the mark on a document":   {cms.Options{Content: []byte("договір"), Purpose: cms.PurposeLogin}, nil, 1},
		"a document":               {cms.Options{Content: []byte("договір")}, nil, 3},
		"a document about it":      {cms.Options{Content: []byte("угода про brama-login")}, nil, 3},
	} {
		test.o.Certificate = certificate
		b, err := cms.Sign(signer, test.o)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{write(t, b)}
		if test.content != nil {
			args = append(args, "--content", write(t, test.content))
		}
		r, code := verify(t, args...)
		if code != test.code || code == 1 && (r.SubIndication != "SIG_CONSTRAINTS_FAILURE" || r.Code != "SIG_INVALID") {
			t.Errorf("%s: exit %d, %s %s", name, code, r.SubIndication, r.Code)
		}
	}
}
