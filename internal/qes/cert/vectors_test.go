package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brama/internal/qes/cms"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

func vector(t testing.TB, name string) *Certificate {
	t.Helper()
	c, err := Parse(vectors.Read(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// bundle reads a PKCS #7 of the trust folder, indexed by subject.
func bundle(t testing.TB, name string) (all []*Certificate, bySubject map[string][]*Certificate) {
	t.Helper()
	sd, err := cms.Parse(vectors.ReadTrust(t, name), cms.BundleLimits)
	if err != nil {
		t.Fatal(err)
	}
	bySubject = make(map[string][]*Certificate)
	for i, b := range sd.UnverifiedCertificates {
		c, err := Parse(b)
		if err != nil {
			t.Errorf("%s: certificate %d: %v", name, i, err)
			continue
		}
		all = append(all, c)
		bySubject[string(c.RawSubject)] = append(bySubject[string(c.RawSubject)], c)
	}
	return all, bySubject
}

// TestRealIssuers: the signatures that the README calls good.
func TestRealIssuers(t *testing.T) {
	root, ca := vector(t, "certs/cao-root.cer"), vector(t, "certs/diia-ca.cer")
	made := vector(t, "certs/pki-root.cer")
	for name, issuer := range map[string]*Certificate{
		"cao-root.cer": root, "diia-ca.cer": root, "diia-tsp-2023.cer": root, "diia-ocsp.cer": ca, "diia-test-sign.cer": ca,
		"diia-test-kep.cer": ca, "pki-root.cer": made, "pki-userfiz.cer": made,
	} {
		c := vector(t, "certs/"+name)
		if err := c.CheckSignatureFrom(issuer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.CheckSignatureFrom(vector(t, "certs/selfsigned1.cer")) == nil {
			t.Errorf("%s: good by a stranger's key", name)
		}
	}
	_, bySubject := bundle(t, "CACertificates.p7b")
	for _, file := range vectors.Glob(t, "certs/kupyna-*.cer") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if !signedByOneOf(c, bySubject[string(c.RawIssuer)]) {
			t.Errorf("%s: no issuer in the bundle", filepath.Base(file))
		}
	}
}

func signedByOneOf(c *Certificate, issuers []*Certificate) bool {
	for _, i := range issuers {
		if c.CheckSignatureFrom(i) == nil {
			return true
		}
	}
	return false
}

// TestBundle: all certificates of the national bundle are read, by Go as well, and verify against an issuer inside, but for
// the old root that signed itself with SHA-1.
func TestBundle(t *testing.T) {
	all, bySubject := bundle(t, "CACertificates.p7b")
	if len(all) != 827 {
		t.Fatalf("%d certificates", len(all))
	}
	step := 1
	if testing.Short() {
		step = 20
	}
	refused, unsupported := 0, 0
	for i := 0; i < len(all); i += step {
		c := all[i]
		if warning := c.Warning(); warning != "" {
			t.Errorf("certificate %d: %s", i, warning)
		}
		if _, err := c.Key(); err != nil {
			unsupported++
		}
		if len(c.Unresolved()) > 0 {
			t.Errorf("certificate %d: %v", i, c.Unresolved())
		}
		if c.SignatureAlgorithm.OID.String() == "1.2.840.113549.1.1.5" {
			refused++
			continue
		}
		if !signedByOneOf(c, bySubject[string(c.RawIssuer)]) {
			t.Errorf("certificate %d (%s): no issuer inside", i, c.SubjectAttribute(tbs.OIDCommonName))
		}
	}
	// Two hold ДСТУ keys with big-endian fields, one an RSA key out of bounds.
	if refused > 2 || unsupported > 3 {
		t.Errorf("%d certificates with SHA-1, %d with keys that are not taken", refused, unsupported)
	}
}

// TestRealSubjects: what the README says of the persons.
func TestRealSubjects(t *testing.T) {
	for name, want := range map[string]struct {
		kind                    Kind
		cn, rnokpp, edrpou, ser string
		qualified               bool
	}{
		"diia-test-sign.cer": {KindSeal, "ДП ДІЯ (Тестування)", "", "43395033", "3ed5083160dbc59b04000000a91e060073a57600", true},
		"diia-test-kep.cer":  {KindEncryption, "ДП ДІЯ (Тестування)", "", "43395033", "3ed5083160dbc59b04000000a91e060074a57600", true},
		"tax-received.cer":   {KindSeal, "Державна фіскальна служба України. ОТРИМАНО", "", "39292197", "33b6cb7bf721b9ce040000009162200086e34a00", true},
		"xlong-signer.cer":   {KindPerson, "ТЕСТ Фізична Особа", "1122334455", "", "59ce495c3eb0222304000000000e000007600100", true},
		"augusto.cer":        {KindPerson, "Serpen Augusto", "2020082600", "", "157791b9508857ed04000000350000005c000000", true},
		"pki-userfiz.cer":    {KindUnknown, "Петров В.О.", "", "", "123456789abcdeff0000123456789abcdeff02", true},
		"diia-ocsp.cer":      {KindService, "*", "", "*", "*", true},
		"diia-tsp-2023.cer":  {KindService, "*", "", "*", "*", true},
		"cao-root.cer":       {KindService, "*", "", "*", "*", true},
	} {
		c := vector(t, "certs/"+name)
		s, err := c.Subject()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Kind() != want.kind {
			t.Errorf("%s: kind %v, want %v", name, c.Kind(), want.kind)
		}
		if want.cn != "*" && s.CommonName != want.cn {
			t.Errorf("%s: common name %q", name, s.CommonName)
		}
		if got := s.Identifier(RNOKPP); got != want.rnokpp {
			t.Errorf("%s: tax number %q", name, got)
		}
		if got := s.Identifier(EDRPOU); want.edrpou != "*" && got != want.edrpou {
			t.Errorf("%s: code %q", name, got)
		}
		if got := hex.EncodeToString(c.Serial); want.ser != "*" && got != want.ser {
			t.Errorf("%s: serial %s", name, got)
		}
		if c.Qualified() != want.qualified {
			t.Errorf("%s: statements %+v", name, c.QCStatements())
		}
	}
	c := vector(t, "certs/xlong-signer.cer")
	if got := c.OCSPAddresses(); len(got) != 1 || got[0] != "http://ca-test.czo.gov.ua/services/ocsp/" {
		t.Errorf("OCSP %q", got)
	}
	if got := c.TSPAddresses(); len(got) != 1 || got[0] != "http://ca-test.czo.gov.ua/services/tsp/" {
		t.Errorf("TSP %q", got)
	}
	if got := c.CRLAddresses(); len(got) != 1 || !strings.HasSuffix(got[0], "TestCSK-2024-Full.crl") {
		t.Errorf("CRL %q", got)
	}
	if got := c.IssuerName(); got != "Адміністратор ІТС ЦЗО (CA TEST)" {
		t.Errorf("issuer %q", got)
	}
}

// TestGoRefuses: five old certificates that only our reader takes, with a warning.
func TestGoRefuses(t *testing.T) {
	for _, name := range []string{"selfsigned1.cer", "selfsigned-enc-40a0.cer", "selfsigned-enc-6929.cer", "selfsigned-enc-e54b.cer", "pki-root.cer"} {
		c := vector(t, "certs/"+name)
		if c.Warning() == "" {
			t.Errorf("%s: no warning", name)
		}
	}
}

// sameAsGo compares every field that the two have.
func sameAsGo(t *testing.T, c *Certificate, x *x509.Certificate) {
	t.Helper()
	serial := new(big.Int).SetBytes(c.Serial)
	if c.Serial[0] >= 0x80 {
		serial.Sub(serial, new(big.Int).Lsh(big.NewInt(1), uint(8*len(c.Serial))))
	}
	usage, _ := c.KeyUsage()
	isCA, pathLen := c.BasicConstraints()
	mail := c.EmailAddresses()
	for field, same := range map[string]bool{
		"signed part": bytes.Equal(c.RawTBS, x.RawTBSCertificate),
		"issuer":      bytes.Equal(c.RawIssuer, x.RawIssuer),
		"subject":     bytes.Equal(c.RawSubject, x.RawSubject),
		"key":         bytes.Equal(c.PublicKey.Raw, x.RawSubjectPublicKeyInfo),
		"signature":   bytes.Equal(c.Signature, x.Signature),
		"serial":      serial.Cmp(x.SerialNumber) == 0,
		"validity":    c.NotBefore.Equal(x.NotBefore) && c.NotAfter.Equal(x.NotAfter),
		"version":     c.Version == x.Version,
		"extensions":  len(c.Extensions) == len(x.Extensions),
		"usage":       usage == uint16(x.KeyUsage),
		"constraints": isCA == x.IsCA && (!isCA || pathLen == x.MaxPathLen || x.MaxPathLen == 0 && !x.MaxPathLenZero && pathLen == -1),
		"mail":        mail == nil || slices.Equal(mail, x.EmailAddresses), // ours reads less
	} {
		if !same {
			t.Errorf("%s: crypto/x509 reads something else", field)
		}
	}
	for i := range min(len(c.Extensions), len(x.Extensions)) {
		ours, theirs := c.Extensions[i], x.Extensions[i]
		if ours.OID.String() != theirs.Id.String() || ours.Critical != theirs.Critical || !bytes.Equal(ours.Value, theirs.Value) {
			t.Errorf("extension %s: crypto/x509 reads something else", ours.OID)
		}
	}
}

// TestSameAsGo: every certificate of the national bundle.
func TestSameAsGo(t *testing.T) {
	all, _ := bundle(t, "CACertificates.p7b")
	mails := 0
	for _, c := range all {
		x, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			t.Fatal(err)
		}
		sameAsGo(t, c, x)
		if len(c.EmailAddresses()) != len(x.EmailAddresses) {
			t.Errorf("%d addresses, want %d", len(c.EmailAddresses()), len(x.EmailAddresses))
		}
		mails += len(x.EmailAddresses)
	}
	if mails == 0 {
		t.Error("no certificate has an address")
	}
}

// FuzzCertificate compares our reader with crypto/x509 (T26): what both take, both read alike, or it is refused.
func FuzzCertificate(f *testing.F) {
	for _, file := range vectors.Glob(f, "certs/*.cer") {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	all, _ := bundle(f, "CACertificates.p7b")
	for i := 0; i < len(all); i += 40 {
		f.Add(all[i].Raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if (c == nil) == (err == nil) {
			t.Fatalf("certificate %v with error %v", c, err)
		}
		if err != nil {
			return
		}
		x, err := x509.ParseCertificate(b)
		if (err == nil) != (c.Warning() == "") {
			t.Fatalf("a warning %q with %v", c.Warning(), err)
		}
		if err == nil {
			sameAsGo(t, c, x)
		}
		kind := c.Kind()
		s, err := c.Subject()
		if err != nil && len(s.Identifiers) > 0 {
			t.Fatal("a choice among identifiers that disagree")
		}
		types := make(map[string]bool)
		for _, id := range s.Identifiers {
			if types[id.Type] {
				t.Fatal("two identifiers of one type")
			}
			types[id.Type] = true
		}
		if len([]rune(s.CommonName)) > maxText {
			t.Fatal("long name")
		}
		if kind == KindPerson && types[EDRPOU] {
			t.Fatal("a person with a code")
		}
		c.Unresolved()
		c.Policies()
		c.OCSPAddresses()
		c.TSPAddresses()
		c.CRLAddresses()
		c.SubjectKeyID()
		c.AuthorityKeyID()
		c.IssuerName()
		_ = c.CheckSignatureFrom(c)
	})
}
