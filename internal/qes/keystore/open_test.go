package keystore_test

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

type wantKey struct {
	id, alg, curve string
	usage          keystore.Usage
}

// containers are the real ones with what their README says.
var containers = []struct {
	file, password string
	format         keystore.Format
	keys           []wantKey
	certificates   int
}{
	{"iit-test4-Key-6.dat", "tect4", keystore.Key6, []wantKey{
		{"7E9E345DD2CFD91EBADBE23C22EB9FAC6BEF65552ED42F56F9BAC4AAC5CB2D06", "DSTU4145", "M257", keystore.UsageSigning},
		{"7CEBCD9412612324209F4CD81CD16A7A9A0BA05A75AD05D38BAE9A7483D8F719", "DSTU4145", "M431", keystore.UsageAgreement}}, 0},
	{"testplat2021.pfx", "testplat2021", keystore.PKCS12, []wantKey{
		{"0A1BF83EB0797DE1AF95D4495B89E7BD9532DC8624E053242EE6427EFEE5C033", "DSTU4145", "M257", keystore.UsageSigning},
		{"CA3E804B68E2B60DC3AF1EB60220C4C9B0E48FA87BD0E3377D2AD9294F4A5651", "DSTU4145", "M431", keystore.UsageAgreement}}, 0},
	{"diia-test.p12", "testpassword", keystore.PKCS12, []wantKey{
		{"5BC6C06EE1E00C1700E92AA7A9AD75F82D3CB7A9B66E3A98023209B24513315C", "DSTU4145", "M257", keystore.UsageSigning},
		{"6B1B77C0D1A1B60473A98DD6D4FE5302742AEDE101DAA21F2C83A67CCDEDB782", "DSTU4145", "M431", keystore.UsageAgreement}}, 0},
	{"privatbank-test-boss.jks", "1111111111", keystore.JKS, []wantKey{
		{"216CE9787D97DAC71005EA66A0E44B300CB8A9A333D24730A0C8C75D8ACFF962", "DSTU4145", "M257", keystore.UsageSigning},
		{"", "DSTU4145", "M431", keystore.UsageAgreement},
		{"B9D397AD69168FA9A3010C935E9F199FDD6194796C3666B5AF03730DE059FEDE", "DSTU4145", "M257", keystore.UsageSigning},
		{"", "DSTU4145", "M431", keystore.UsageAgreement}}, 6},
	{"rsa-one-key.jks", "testpassword", keystore.JKS, []wantKey{{"", "RSA", "", ""}}, 0},
	{"ecdsa-sha1-3des.pfx", "123456", keystore.PKCS12, []wantKey{{"", "ECDSA", "", ""}}, 1},
	{"GovAuction-Key-6.dat", "12345677", keystore.PKCS12, []wantKey{
		{"070A497710C0EDCAEBEC1651EBE7052123DD86E1857DAD17F094A8F66EACFA08", "DSTU4145", "M191", keystore.UsageSigning},
		{"2056984636C63F714C079B92114F6F6BADF3C05C8B74F35CBE67BBA080361761", "DSTU4145", "M257", keystore.UsageAgreement}}, 0},
	{"pkcs8-m257-40a0.der", "", keystore.PKCS8, []wantKey{{"", "DSTU4145", "M257", ""}}, 0},
	{"pkcs8-m431-e54b.der", "", keystore.PKCS8, []wantKey{{"", "DSTU4145", "M431", ""}}, 0},
	{"pkcs8-priv1.der", "", keystore.PKCS8, []wantKey{{"", "DSTU4145", "M257", ""}}, 0},
	{"pkcs8-enc-a040.der", "password", keystore.PKCS8Encrypted, []wantKey{
		{"55AF7E791487B790028ED158E13474B9D1E9A2BD19CC4FEA71FECBCDF8C884EC", "DSTU4145", "M257", ""}}, 0},
	{"pkcs8-enc-aes-private2.pem", "123456", keystore.PKCS8Encrypted, []wantKey{{"", "DSTU4145", "M431", ""}}, 0},
}

// noContainers stand in the folder of keys and are none.
var noContainers = []string{"pkcs8-enc-aes-public2.pem", "raw-userfiz.bin"}

func TestOpen(t *testing.T) {
	known := map[string]bool{}
	for _, c := range containers {
		known[c.file] = true
		t.Run(c.file, func(t *testing.T) {
			data := vectors.Read(t, "keys/"+c.file)
			before := bytes.Clone(data)
			got, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte(c.password))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(data, before) {
				t.Error("the file's bytes were changed")
			}
			if got.Format != c.format || got.Partial || len(got.Certificates) != c.certificates {
				t.Errorf("format %s, partial %v, %d certificates", got.Format, got.Partial, len(got.Certificates))
			}
			if len(got.Keys) != len(c.keys) {
				t.Fatalf("%d keys, want %d", len(got.Keys), len(c.keys))
			}
			for i, want := range c.keys {
				k := got.Keys[i]
				id := strings.ToUpper(hex.EncodeToString(k.ID))
				if want.id != "" && id != want.id || k.Algorithm != want.alg || want.curve != "" && k.Curve != want.curve || k.Usage != want.usage {
					t.Errorf("key %d: %s %s %q %s", i, k.Algorithm, k.Curve, k.Usage, id)
				}
			}
		})
	}
	for _, name := range noContainers {
		known[name] = true
	}
	for _, file := range vectors.Glob(t, "keys/*") {
		if !known[filepath.Base(file)] {
			t.Errorf("%s is not in the table", filepath.Base(file))
		}
	}
}

func TestWrongPassword(t *testing.T) {
	for _, c := range containers {
		if c.format == keystore.PKCS8 {
			continue
		}
		for _, password := range []string{c.password + "x", "wrongpassword", "пароль", "", strings.ToUpper(c.password) + "я"} {
			_, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/"+c.file), []byte(password))
			if !errors.Is(err, keystore.ErrPassword) {
				t.Errorf("%s, %q: %v", c.file, password, err)
			}
		}
	}
}

// TestPairs: keys whose certificates are known from elsewhere fit them and no other.
func TestPairs(t *testing.T) {
	for _, p := range []struct {
		file, password string
		key            int
		certificate    string
	}{
		{"diia-test.p12", "testpassword", 0, "diia-test-sign.cer"},
		{"diia-test.p12", "testpassword", 1, "diia-test-kep.cer"},
		{"pkcs8-m257-40a0.der", "", 0, "selfsigned-enc-40a0.cer"},
		{"pkcs8-m431-e54b.der", "", 0, "selfsigned-enc-e54b.cer"},
		{"pkcs8-priv1.der", "", 0, "selfsigned1.cer"},
	} {
		c := open(t, p.file, p.password)
		for _, file := range vectors.Glob(t, "certs/*.cer") {
			cert, err := tbs.Parse(vectors.Read(t, "certs/"+filepath.Base(file)))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := c.Keys[p.key].Fits(cert), filepath.Base(file) == p.certificate; got != want {
				t.Errorf("%s key %d, %s: %v", p.file, p.key, filepath.Base(file), got)
			}
		}
	}
}

func open(t testing.TB, file, password string) *keystore.Container {
	t.Helper()
	c, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/"+file), []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPrivatBank: position in the chain says nothing, key and usage decide (S7).
func TestPrivatBank(t *testing.T) {
	c := open(t, "privatbank-test-boss.jks", "1111111111")
	if c.Keys[0].Alias != "sign" || c.Keys[2].Alias != "stamp" {
		t.Errorf("aliases %q, %q", c.Keys[0].Alias, c.Keys[2].Alias)
	}
	var certs []*tbs.Certificate
	for _, raw := range c.Certificates {
		cert, err := tbs.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert)
	}
	inside := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
	found := keystore.Match(c.Keys, certs, inside)
	reasons := map[int]keystore.Reason{}
	for _, f := range found {
		reasons[f.Key] = f.Reason
	}
	want := map[int]keystore.Reason{0: "", 1: keystore.ReasonUsage, 2: keystore.ReasonSeal, 3: keystore.ReasonUsage}
	if len(found) != 4 || len(reasons) != 4 {
		t.Fatalf("%d candidates: %v", len(found), reasons)
	}
	for k, r := range want {
		if reasons[k] != r {
			t.Errorf("key %d: %q, want %q", k, reasons[k], r)
		}
	}
	i := keystore.Suggest(found)
	if i < 0 || found[i].Key != 0 || hex.EncodeToString(found[i].Certificate.Serial) != "0d84eda1bb9381e80400000077f31e00dfd36000" {
		t.Errorf("suggested %d", i)
	}
	// A year later nothing is usable, and the director's certificate is still the one to hear the verdict on.
	late := keystore.Match(c.Keys, certs, inside.AddDate(2, 0, 0))
	if i := keystore.Suggest(late); i < 0 || late[i].Key != 0 || late[i].Reason != keystore.ReasonExpired {
		t.Errorf("late: suggested %d", i)
	}
}

func TestPublicHalf(t *testing.T) {
	k := open(t, "pkcs8-enc-aes-private2.pem", "123456").Keys[0]
	b := vectors.Read(t, "keys/pkcs8-enc-aes-public2.pem")
	if _, err := keystore.Recognise(b); !errors.Is(err, keystore.ErrUnknown) {
		t.Errorf("a public key is %v", err)
	}
	public := k.DSTU.Public().(*dstu4145.PublicKey)
	if !bytes.Contains(decodePEM(t, b), public.Bytes()) {
		t.Error("the public half is another one")
	}
}

func decodePEM(t *testing.T, b []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Bytes
}
