package offline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/trustlist"
	"brama/internal/vectors"
)

// run runs a verb as cmd/brama does, at a fixed time.
func run(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	v, rest, ok := Find(args)
	if !ok {
		t.Fatalf("no verb %q", args)
	}
	var out, errs bytes.Buffer
	e := &env{verb: v, stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs,
		now: func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }}
	code = v.run(e, rest)
	return out.String(), errs.String(), code
}

func verify(t *testing.T, args ...string) (report, int) {
	t.Helper()
	stdout, stderr, code := run(t, "", append([]string{"signature", "verify", "--json", "--offline"}, args...)...)
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %q %q", err, stdout, stderr)
	}
	return r, code
}

func vector(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(vectors.Dir(t), filepath.FromSlash(name))
}

func trustFile(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(vectors.Trust(t), name)
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestRealSignatures: what the README says of every signed file.
func TestRealSignatures(t *testing.T) {
	fox := []string{"--content", "cms/fox.txt"}
	diia := signatureReport{CommonName: "ДП ДІЯ (Тестування)", EDRPOU: "43395033", Serial: "3ED5083160DBC59B04000000A91E060073A57600",
		Issuer: "\"Дія\". Кваліфікований надавач електронних довірчих послуг", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311",
		ClaimedSigningTime: "2023-09-19T18:17:18Z", Level: "CAdES-BES", SignatureValue: "valid"}
	with := func(change func(*signatureReport)) signatureReport {
		r := diia
		change(&r)
		return r
	}
	for _, test := range []struct {
		file string
		args []string
		want signatureReport
		code int
		sub  string
	}{
		{"bes-attached.p7s", nil, diia, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"bes-detached.p7s", fox, diia, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"bes-detached.p7s", nil, diia, 3, "SIGNED_DATA_NOT_FOUND"},
		{"bes-detached.p7s", []string{"--content", "cms/fox-bad.txt"}, with(func(r *signatureReport) { r.SignatureValue = "invalid" }), 1, "HASH_FAILURE"},
		{"bes-attached.p7s", []string{"--content", "cms/fox-bad.txt"}, with(func(r *signatureReport) { r.SignatureValue = "invalid" }), 1, "HASH_FAILURE"},
		{"bes-attached.p7s", fox, diia, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"neg-bes-attached-content.p7s", nil, with(func(r *signatureReport) { r.SignatureValue = "invalid" }), 1, "HASH_FAILURE"},
		{"neg-bes-attached-sig.p7s", nil, with(func(r *signatureReport) { r.SignatureValue = "invalid" }), 1, "SIG_CRYPTO_FAILURE"},
		{"t-attached.p7s", nil, with(func(r *signatureReport) { r.Level = "CAdES-T" }), 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"xlong-attached.p7s", nil, signatureReport{CommonName: "ТЕСТ Фізична Особа", RNOKPP: "1122334455", Serial: "59CE495C3EB0222304000000000E000007600100",
			Issuer: "Адміністратор ІТС ЦЗО (CA TEST)", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311",
			ClaimedSigningTime: "2025-06-12T09:50:35Z", Level: "CAdES-X-Long", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"jkurwa-detached.p7s", []string{"--content", "123"}, signatureReport{Serial: "5F14F000", Issuer: "Very Much CA", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311",
			ClaimedSigningTime: "2018-10-22T19:25:05Z", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"jkurwa-message.transport", nil, signatureReport{Serial: "5F14F000", Issuer: "Very Much CA", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311",
			ClaimedSigningTime: "*", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"bes-tax-doublewrap.pem", nil, signatureReport{CommonName: "Нестеренко Володимир Борисович (Тест)", EDRPOU: "34554363", Serial: "58E2D9E7F900307B0400000003AB25001BA07B00",
			Issuer: "*", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311",
			ClaimedSigningTime: "2020-11-09T11:27:01Z", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"ts-privatbank-attached.p7s", nil, signatureReport{CommonName: "Ivanov0 Ivan Ivanovich0", EDRPOU: "11111111", Serial: "290539EC60662BE8040000007100000089060000",
			Issuer: "*", SignatureAlgorithm: "DSTU4145-GOST34311", DigestAlgorithm: "gost34311", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"ecdsa-attached.p7s", nil, signatureReport{Serial: "F616935517EA8EA8", SignatureAlgorithm: "ECDSA-SHA256", DigestAlgorithm: "sha256", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"kupyna-contentunknown.p7s", []string{"--trust", "certs/augusto.cer"}, signatureReport{CommonName: "Serpen Augusto", RNOKPP: "2020082600", Serial: "157791B9508857ED04000000350000005C000000",
			Issuer: "Центр сертифікації ключів \"3DA\"", SignatureAlgorithm: "DSTU4145-KUPYNA256", DigestAlgorithm: "kupyna256", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "SIGNED_DATA_NOT_FOUND"},
		{"kupyna-contentunknown.p7s", nil, signatureReport{Serial: "157791B9508857ED04000000350000005C000000",
			Issuer: "Центр сертифікації ключів \"3DA\"", SignatureAlgorithm: "DSTU4145-KUPYNA256", DigestAlgorithm: "kupyna256", Level: "CAdES-BES", SignatureValue: "not_checked"}, 3, "NO_SIGNING_CERTIFICATE_FOUND"},
		{"kupyna-contentunknown.p7s", []string{"--trust", "certs/augusto.cer", "--content", "cms/fox.txt"}, signatureReport{CommonName: "Serpen Augusto", RNOKPP: "2020082600", Serial: "157791B9508857ED04000000350000005C000000",
			Issuer: "*", SignatureAlgorithm: "DSTU4145-KUPYNA256", DigestAlgorithm: "kupyna256", Level: "CAdES-BES", SignatureValue: "invalid"}, 1, "HASH_FAILURE"},
		{"kupyna256-detached.p7s", []string{"--content", "cms/login.bin"}, with(func(r *signatureReport) {
			r.SignatureAlgorithm, r.DigestAlgorithm, r.ClaimedSigningTime = "DSTU4145-KUPYNA256", "kupyna256", "2023-09-20T12:00:01Z"
		}), 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"kupyna512-attached.p7s", nil, with(func(r *signatureReport) {
			r.SignatureAlgorithm, r.DigestAlgorithm, r.ClaimedSigningTime = "DSTU4145-KUPYNA512", "kupyna512", "*"
		}), 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"rsa-detached.p7s", fox, signatureReport{Serial: "CA05F12B45F2667F", Issuer: "Test", SignatureAlgorithm: "RSA-SHA256", DigestAlgorithm: "sha256", ClaimedSigningTime: "*", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
		{"p256-detached.p7s", fox, signatureReport{CommonName: "ТЕСТ Р-256 a", RNOKPP: "0000000001", Serial: "*", Issuer: "*", SignatureAlgorithm: "ECDSA-SHA256", DigestAlgorithm: "sha256", ClaimedSigningTime: "*", Level: "CAdES-BES", SignatureValue: "valid"}, 3, "NO_CERTIFICATE_CHAIN_FOUND"},
	} {
		t.Run(test.file+strings.Join(test.args, " "), func(t *testing.T) {
			args := []string{vector(t, "cms/"+test.file)}
			for _, a := range test.args {
				switch {
				case a == "123":
					a = write(t, []byte("123"))
				case strings.Contains(a, "/"):
					a = vector(t, a)
				}
				args = append(args, a)
			}
			r, code := verify(t, args...)
			if code != test.code || len(r.Signatures) != 1 || r.SubIndication != test.sub {
				t.Fatalf("exit %d, %s %s, %d signatures; want %d %s", code, r.Indication, r.SubIndication, len(r.Signatures), test.code, test.sub)
			}
			got := r.Signatures[0]
			for _, f := range []struct{ name, got, want string }{
				{"common name", got.CommonName, test.want.CommonName}, {"rnokpp", got.RNOKPP, test.want.RNOKPP}, {"edrpou", got.EDRPOU, test.want.EDRPOU},
				{"issuer", got.Issuer, test.want.Issuer}, {"serial", got.Serial, test.want.Serial}, {"signature algorithm", got.SignatureAlgorithm, test.want.SignatureAlgorithm},
				{"digest algorithm", got.DigestAlgorithm, test.want.DigestAlgorithm}, {"time", got.ClaimedSigningTime, test.want.ClaimedSigningTime},
				{"level", got.Level, test.want.Level}, {"value", got.SignatureValue, test.want.SignatureValue},
			} {
				if f.want != "*" && f.got != f.want {
					t.Errorf("%s %q, want %q", f.name, f.got, f.want)
				}
			}
		})
	}
}

// TestEverySignedFile: no file of the folder is forgotten, and none gives another exit than its kind allows.
func TestEverySignedFile(t *testing.T) {
	for _, file := range vectors.Glob(t, "cms/*") {
		name := filepath.Base(file)
		r, code := verify(t, file)
		want := code == ExitOK || code == ExitIndeterminate
		switch ext := filepath.Ext(name); {
		case strings.HasPrefix(name, "neg-"), ext == ".p7e", ext == ".txt", ext == ".bin":
			want = code == ExitFailed
		}
		if !want {
			t.Errorf("%s: exit %d, %s %s %s", name, code, r.Indication, r.SubIndication, r.Code)
		}
		if code == ExitFailed && r.Code == "" {
			t.Errorf("%s: no code", name)
		}
	}
}

// testRoot is the certificate of the test root inside the bundle, alone.
func testRoot(t *testing.T) string {
	t.Helper()
	sd, err := cms.Parse(vectors.ReadTrust(t, "CACertificates.p7b"), cms.BundleLimits)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range sd.UnverifiedCertificates {
		if fingerprint(b) == "7b09a37f4e3dc61340b74050b51d3bba301c6f465de0fc15de3307e5a28d901c" {
			return write(t, b)
		}
	}
	t.Fatal("no test root in the bundle")
	return ""
}

// TestVerdicts: with the right trust and time, the stated verdict.
func TestVerdicts(t *testing.T) {
	bundle, root := trustFile(t, "CACertificates.p7b"), testRoot(t)
	tsp := vector(t, "certs/diia-tsp-2023.cer")
	for _, test := range []struct {
		name, file string
		args       []string
		code       int
		sub, cause string
	}{
		{"X-Long, all inside", "xlong-attached.p7s", []string{"--trust", bundle, "--trust", root}, 0, "", ""},
		{"X-Long, at its day", "xlong-attached.p7s", []string{"--trust", bundle, "--trust", root, "--at", "2025-06-12T10:00:00Z"}, 0, "", ""},
		{"X-Long, before its certificate", "xlong-attached.p7s", []string{"--trust", bundle, "--trust", root, "--at", "2025-01-01T10:00:00Z"}, 1, "NOT_YET_VALID", "CERT_NOT_YET_VALID"},
		{"X-Long, the bundle gives no anchor", "xlong-attached.p7s", []string{"--trust", bundle}, 3, "NO_CERTIFICATE_CHAIN_FOUND", "KEY_ISSUER_UNTRUSTED"},
		{"X-Long, another anchor", "xlong-attached.p7s", []string{"--trust", bundle, "--trust", vector(t, "certs/pki-root.cer")}, 3, "NO_CERTIFICATE_CHAIN_FOUND", "KEY_ISSUER_UNTRUSTED"},
		{"T, national root", "t-attached.p7s", []string{"--trust", bundle, "--trust", tsp}, 3, "TRY_LATER", "CERT_STATUS_UNREACHABLE"},
		{"BES inside its validity", "bes-attached.p7s", []string{"--trust", bundle, "--at", "2023-09-20T00:00:00Z"}, 3, "TRY_LATER", "CERT_STATUS_UNREACHABLE"},
		{"BES now", "bes-attached.p7s", []string{"--trust", bundle}, 3, "OUT_OF_BOUNDS_NO_POE", "CERT_EXPIRED"},
		{"BES before its certificate", "bes-attached.p7s", []string{"--trust", bundle, "--at", "2021-01-01T00:00:00Z"}, 1, "NOT_YET_VALID", "CERT_NOT_YET_VALID"},
		{"BES, the CA as anchor", "bes-attached.p7s", []string{"--trust", vector(t, "certs/diia-ca.cer"), "--at", "2023-09-20T00:00:00Z"}, 3, "TRY_LATER", "CERT_STATUS_UNREACHABLE"},
		{"BES, a list alone", "bes-attached.p7s", []string{"--trust", trustFile(t, "CAs.json"), "--at", "2023-09-20T00:00:00Z"}, 3, "NO_CERTIFICATE_CHAIN_FOUND", "CHAIN_NOT_FOUND"},
		{"tampered, with all trust", "neg-bes-attached-sig.p7s", []string{"--trust", bundle, "--at", "2023-09-20T00:00:00Z"}, 1, "SIG_CRYPTO_FAILURE", "SIG_INVALID"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, code := verify(t, append(test.args, vector(t, "cms/"+test.file))...)
			if code != test.code || r.SubIndication != test.sub || r.Code != test.cause {
				t.Errorf("exit %d, %s %s %s; want %d %s %s", code, r.Indication, r.SubIndication, r.Code, test.code, test.sub, test.cause)
			}
		})
	}
	r, _ := verify(t, "--trust", bundle, "--trust", tsp, vector(t, "cms/t-attached.p7s"))
	if got := r.Signatures[0].BestSignatureTime; got != "2023-09-19T18:17:19Z" {
		t.Errorf("proven time %s", got)
	}
	if len(r.Signatures[0].Warnings) != 0 {
		t.Errorf("warnings %q", r.Signatures[0].Warnings)
	}
}

// TestForms: the same signature in every wrapping, and things that are none.
func TestForms(t *testing.T) {
	raw := vectors.Read(t, "cms/bes-attached.p7s")
	lines := base64Lines(raw)
	transport := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	part := func(tag string, body []byte) []byte {
		n := len(body)
		return append(append([]byte(tag), 0, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), body...)
	}
	for name, test := range map[string]struct {
		in   []byte
		code int
	}{
		"DER":                 {raw, 3},
		"PEM":                 {[]byte("-----BEGIN CMS-----\n" + lines + "-----END CMS-----\n"), 3},
		"PEM of PKCS7":        {[]byte("\n-----BEGIN PKCS7-----\n" + lines + "-----END PKCS7-----\n"), 3},
		"base64":              {[]byte(lines), 3},
		"base64 with a mark":  {append([]byte("\ufeff"), lines...), 3},
		"transport":           {transport(part("TRANSPORTABLE", []byte("DOC_TYPE=3\r\n\x00")), part("UA1_SIGN", raw)), 3},
		"transport alone":     {part("UA1_SIGN", raw), 3},
		"transport with cert": {transport(part("CERTCRYPT", []byte{1}), part("UA1_SIGN", raw)), 3},
		"encrypted transport": {part("UA1_CRYPT", raw), 1},
		"cut transport":       {part("UA1_SIGN", raw)[:100], 1},
		"empty transport":     {[]byte("UA1_SIGN\x00"), 1},
		"two PEM blocks":      {[]byte(strings.Repeat("-----BEGIN CMS-----\n"+lines+"-----END CMS-----\n", 2)), 1},
		"BER":                 {indefinite(t, raw), 3},
		"truncated":           {raw[:len(raw)/2], 1},
		"trailing":            {append(bytes.Clone(raw), 'x'), 1},
		"nothing":             {nil, 1},
		"zip":                 {[]byte("PK\x03\x04xxxx"), 1},
		"PDF":                 {[]byte("%PDF-1.7 xxxx"), 1},
		"XML":                 {[]byte("<?xml version='1.0'?><x/>"), 1},
		"a certificate":       {vectors.Read(t, "certs/diia-ca.cer"), 1},
		"a bundle":            {vectors.ReadTrust(t, "CACertificates.Test.p7b"), 1},
		"a key container":     {vectors.Read(t, "keys/diia-test.p12"), 1},
	} {
		r, code := verify(t, write(t, test.in))
		if code != test.code || code == 1 && (r.SubIndication != "FORMAT_FAILURE" || r.Code == "" || len(r.Signatures) != 0) {
			t.Errorf("%s: exit %d, %s %s %s", name, code, r.Indication, r.SubIndication, r.Code)
		}
	}
}

// indefinite rewrites the outer SEQUENCE with an indefinite length (X.690 8.1.3.6).
func indefinite(t *testing.T, b []byte) []byte {
	t.Helper()
	v, err := der.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return append(append([]byte{0x30, 0x80}, v.Bytes...), 0, 0)
}

func TestUsage(t *testing.T) {
	file := vector(t, "cms/bes-attached.p7s")
	for _, args := range [][]string{
		{"signature", "verify"},
		{"signature", "verify", file, file},
		{"signature", "verify", "--at", "yesterday", file},
		{"signature", "verify", "--nonsense", file},
		{"signature", "verify", "--trust", "/does/not/exist", file},
		{"signature", "verify", "--trust", file + ".none", file},
		{"signature", "verify", "--trust", vector(t, "cms/fox.txt"), file},
		{"signature", "verify", "--content", "/does/not/exist", file},
		{"signature", "verify", "/does/not/exist"},
		{"signature", "create", file},
		{"signature", "create", "--key", "/does/not/exist", "--password-file", file, file},
		{"container", "inspect"},
		{"container", "inspect", "/does/not/exist"},
		{"container", "inspect", "--password-file", "/does/not/exist", file},
		{"digest", file},
		{"digest", "--algorithm", "md5", file},
		{"digest", "--algorithm", "gost34311", "/does/not/exist"},
	} {
		stdout, stderr, code := run(t, "", args...)
		if code != ExitUsage || stderr == "" || stdout != "" {
			t.Errorf("%q: exit %d, %q", args, code, stderr)
		}
	}
	if stdout, _, code := run(t, "", "digest", "--help"); code != ExitOK || !strings.Contains(stdout, "usage: brama digest") {
		t.Errorf("help: exit %d, %q", code, stdout)
	}
	if _, _, ok := Find([]string{"signature"}); ok {
		t.Error("half a verb found")
	}
}

func TestDigest(t *testing.T) {
	file := vector(t, "cms/fox.txt")
	stdout, _, code := run(t, "", "digest", "--algorithm", "gost34311", file)
	if code != ExitOK || stdout != "0f1355130b4a820a1e4e3f6474f6bdecc718a4a73345595edc1c1809832b2333\n" {
		t.Errorf("exit %d, %q", code, stdout) // the imprint of tsp/diia-content-token.der
	}
	for algorithm, n := range map[string]int{"gost34311": 64, "kupyna256": 64, "kupyna384": 96, "kupyna512": 128} {
		fromFile, _, _ := run(t, "", "digest", "--algorithm", algorithm, file)
		fromStdin, _, code := run(t, string(vectors.Read(t, "cms/fox.txt")), "digest", "--algorithm", algorithm, "-")
		if code != ExitOK || len(fromFile) != n+1 || fromFile != fromStdin {
			t.Errorf("%s: exit %d, %q and %q", algorithm, code, fromFile, fromStdin)
		}
	}
}

// TestHumanOutput: what people read says the same and cannot move their cursor.
func TestHumanOutput(t *testing.T) {
	stdout, _, code := run(t, "", "signature", "verify", "--offline", vector(t, "cms/bes-attached.p7s"))
	if code != ExitIndeterminate {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{"INDETERMINATE", "ДП ДІЯ (Тестування)", "43395033", "3ED5083160DBC59B04000000A91E060073A57600", "CAdES-BES", "valid"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in %q", want, stdout)
		}
	}
	if got := printable("a\x1b[2Jb\u202ec\r\u009b"); got != "a?[2Jb?c??" {
		t.Errorf("%q", got)
	}
}

// TestBundleGivesNoAnchors: a CA certificate is an anchor only by itself: in a bundle, even alone there, and beside another
// in PEM it is a candidate (T17).
func TestBundleGivesNoAnchors(t *testing.T) {
	root, ca := vectors.Read(t, "certs/cao-root.cer"), vectors.Read(t, "certs/diia-ca.cer")
	pemOf := func(b []byte) string {
		return "-----BEGIN CERTIFICATE-----\n" + base64Lines(b) + "-----END CERTIFICATE-----\n"
	}
	for name, test := range map[string]struct {
		file    []byte
		anchors int
	}{
		"certificate":           {ca, 1},
		"certificate in PEM":    {[]byte(pemOf(ca)), 1},
		"certificate in base64": {[]byte(base64Lines(ca)), 1},
		"two in PEM":            {[]byte(pemOf(root) + pemOf(ca)), 0},
		"bundle of one":         {trustlist.EncodeBundle([][]byte{ca}), 0},
		"bundle of one in PEM":  {[]byte("-----BEGIN PKCS7-----\n" + base64Lines(trustlist.EncodeBundle([][]byte{ca})) + "-----END PKCS7-----\n"), 0},
		"bundle":                {trustlist.EncodeBundle([][]byte{root, ca}), 0},
		"the national bundle":   {vectors.ReadTrust(t, "CACertificates.p7b"), 0},
		"a list":                {vectors.ReadTrust(t, "CAs.json"), 0},
		"an end entity":         {vectors.Read(t, "certs/augusto.cer"), 0},
	} {
		trusted := newTrust()
		before := len(trusted.pins)
		if err := trusted.add(test.file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := len(trusted.pins) - before; got != test.anchors || trusted.own != (test.anchors > 0) {
			t.Errorf("%s: %d anchors, want %d", name, got, test.anchors)
		}
	}
}
