package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"brama/internal/demokeys"
	"brama/internal/qes"
	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
	"brama/internal/vectors"
)

// outcomes is what the validator says to a signature with the key of each person; "" is passed. It is asked for no
// purpose, which only our own programs write.
var outcomes = map[string]qes.Code{
	demokeys.Valid: "", demokeys.ValidOfficial: "", demokeys.OtherIssuer: "", demokeys.Multi: "",
	demokeys.Seal: qes.CertSeal, demokeys.Expired: qes.CertExpired, demokeys.NotYetValid: qes.CertNotYetValid,
	demokeys.Revoked: qes.CertRevoked, demokeys.Suspended: qes.CertSuspended, demokeys.Unknown: qes.CertStatusUnknown,
	demokeys.NoTaxNo: qes.CertNoTaxNo,
}

// keyIDs are the identifiers of the keys of a container, as our own reader finds them.
func keyIDs(t *testing.T, name string, b []byte) (list []string) {
	t.Helper()
	c, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(demokeys.Password))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, k := range c.Keys {
		list = append(list, hex.EncodeToString(k.ID))
	}
	return list
}

// demoFiles are containers of brama dev: in every format those that differ in what is inside and in who is asked for a
// certificate, each of the other persons, who are no different before the validator, in one.
func demoFiles(t *testing.T, p *qestest.Provider) map[string][]byte {
	t.Helper()
	set, err := demokeys.New(p)
	if err != nil {
		t.Fatal(err)
	}
	files, err := set.Files()
	if err != nil {
		t.Fatal(err)
	}
	chosen := make(map[string][]byte)
	for i, outcome := range set.Persons() {
		for j, format := range qestest.Formats() {
			name := outcome + "." + format
			b, ok := files[name]
			every := slices.Contains([]string{demokeys.Valid, demokeys.OtherIssuer, demokeys.Multi, demokeys.NoCert, demokeys.Damaged}, outcome)
			if ok && (every || i%len(qestest.Formats()) == j) {
				chosen[name] = b
			}
		}
	}
	return chosen
}

// TestJkurwaOpensDemoKeys: jkurwa opens the containers of brama dev, finds the certificate of a key that has none inside
// at the issuer's CMP service, and what it signs is judged as what we sign.
func TestJkurwaOpensDemoKeys(t *testing.T) {
	p, v := site(t)
	files := demoFiles(t, p)
	var services []string
	for _, authority := range []string{qestest.Main, qestest.Second} {
		address, err := p.Address(authority, qestest.ServiceCMP)
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, address)
	}
	opened := OpenWithJkurwa(t, files, demokeys.Password, content, true, services...)
	if len(files) != 4*4+2+8 || len(opened) != len(files) {
		t.Fatalf("%d containers, %d opened", len(files), len(opened))
	}
	for name, o := range opened {
		outcome, format, _ := strings.Cut(name, ".")
		if outcome == demokeys.Damaged {
			if len(o.Keys) != 0 || o.Error == "" {
				t.Errorf("%s: %d keys of a damaged container", name, len(o.Keys))
			}
			continue
		}
		if want := keyIDs(t, name, files[name]); len(want) == 0 || !slices.Equal(o.Keys, want) {
			t.Errorf("%s: jkurwa finds the keys %v, we %v: %s", name, o.Keys, want, o.Error)
			continue
		}
		if outcome == demokeys.NoCert {
			if o.Certificates != 0 || !o.Searched || o.Message != nil {
				t.Errorf("%s: signed without a certificate", name)
			}
			continue
		}
		inside := format == qestest.FormatPKCS12 || format == qestest.FormatJKS
		if o.Message == nil || o.Searched == inside || (o.Certificates > 0) != inside {
			t.Errorf("%s: %d certificates inside, searched %v: %s", name, o.Certificates, o.Searched, o.Error)
			continue
		}
		res, err := v.Verify(t.Context(), o.Message, content)
		if want, known := outcomes[outcome]; !known || (err == nil) != (want == "") || err != nil && qes.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %q", name, err, want)
		} else if err == nil && res.SignatureAlgorithm != "DSTU4145-GOST34311" {
			t.Errorf("%s: signed with %s", name, res.SignatureAlgorithm)
		}
		if _, err := v.Verify(t.Context(), o.Message, append(slices.Clone(content), 'x')); err == nil {
			t.Errorf("%s: taken for another content", name)
		}
	}
	// A wrong password opens none of them.
	one := map[string][]byte{"valid.dat": files["valid.dat"], "valid.pfx": files["valid.pfx"], "valid.jks": files["valid.jks"], "valid.pk8": files["valid.pk8"]}
	for name, o := range OpenWithJkurwa(t, one, "brama-demO", content, true, services...) {
		if o.Message != nil {
			t.Errorf("%s: signed with a wrong password", name)
		}
	}
}

func sum256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sameAsOurs compares what Bouncy Castle found in a container with what our reader finds. firstOnly is for JKS, where the
// second key of each pair stays hidden.
func sameAsOurs(t *testing.T, name, password string, b []byte, keys []Key, certificates []string, firstOnly bool) {
	t.Helper()
	c, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(password))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var want []Key
	for _, k := range c.Keys {
		if firstOnly && k.Usage == keystore.UsageAgreement {
			continue
		}
		d := k.DSTU.Bytes()
		slices.Reverse(d)
		want = append(want, Key{M: k.DSTU.Curve().FieldBits(), D: strings.TrimLeft(hex.EncodeToString(d), "0")})
	}
	got := slices.Clone(keys)
	for i := range got {
		got[i].Signs = ""
	}
	for _, list := range [][]Key{got, want} { // Java has the entries of a JKS in an order of its own
		slices.SortFunc(list, func(a, b Key) int { return strings.Compare(a.D, b.D) })
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s: other keys: %d, not %d", name, len(got), len(want))
	}
	for _, raw := range c.Certificates {
		if !slices.Contains(certificates, sum256(raw)) {
			t.Errorf("%s: a certificate is missing", name)
		}
	}
	if len(c.Certificates) == 0 && len(certificates) != 0 {
		t.Errorf("%s: %d certificates that we do not see", name, len(certificates))
	}
}

// TestBouncyCastleOpensDemoKeys: Bouncy Castle opens PKCS#12, JKS and PKCS#8 of brama dev, finds the keys that we find, and each
// signs so that the person's certificate verifies it.
func TestBouncyCastleOpensDemoKeys(t *testing.T) {
	p, _ := site(t)
	set, err := demokeys.New(p)
	if err != nil {
		t.Fatal(err)
	}
	files, err := set.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, outcome := range []string{demokeys.Valid, demokeys.Multi, demokeys.NoCert} {
		for _, format := range []string{qestest.FormatPKCS12, qestest.FormatJKS, qestest.FormatPKCS8} {
			name := outcome + "." + format
			if files[name] == nil || format == qestest.FormatPKCS8 && outcome != demokeys.Valid {
				continue
			}
			keys, certificates, ok := OpenWithBouncyCastle(t, format, files[name], demokeys.Password)
			if !ok {
				t.Errorf("%s: refused", name)
				continue
			}
			sameAsOurs(t, name, demokeys.Password, files[name], keys, certificates, format == qestest.FormatJKS)
			if format == qestest.FormatPKCS8 {
				continue // no certificates inside
			}
			for _, k := range keys {
				if (k.Signs == "-") != (outcome == demokeys.NoCert) {
					t.Errorf("%s: no certificate verifies what a key signed", name)
				}
			}
			for _, c := range set.Certificates(outcome) {
				if outcome != demokeys.NoCert && !slices.ContainsFunc(keys, func(k Key) bool { return k.Signs == sum256(c.Raw) }) {
					t.Errorf("%s: no key of the person signs", name)
				}
			}
		}
	}
	for _, format := range []string{qestest.FormatPKCS12, qestest.FormatJKS, qestest.FormatPKCS8} {
		if _, _, ok := OpenWithBouncyCastle(t, format, files["valid."+format], "brama-demO"); ok {
			t.Errorf("%s: opens with a wrong password", format)
		}
	}
}

// TestBouncyCastleOpensRealKeys: the same program on containers that are not ours, so that it is known to read what
// providers write and not only what we do.
func TestBouncyCastleOpensRealKeys(t *testing.T) {
	for _, test := range []struct{ format, name, password string }{
		{qestest.FormatPKCS12, "keys/diia-test.p12", "testpassword"},
		{qestest.FormatPKCS12, "keys/testplat2021.pfx", "testplat2021"},
		{qestest.FormatJKS, "keys/privatbank-test-boss.jks", "1111111111"},
		{qestest.FormatPKCS8, "keys/pkcs8-enc-a040.der", "password"},
	} {
		b := vectors.Read(t, test.name)
		keys, certificates, ok := OpenWithBouncyCastle(t, test.format, b, test.password)
		if !ok {
			t.Errorf("%s: refused", test.name)
			continue
		}
		sameAsOurs(t, test.name, test.password, b, keys, certificates, test.format == qestest.FormatJKS)
	}
}
