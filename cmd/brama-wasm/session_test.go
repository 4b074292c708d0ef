//go:build !js

package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"brama/internal/challenge"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

func text(t testing.TB, issuer string) []byte {
	t.Helper()
	b, err := challenge.Challenge{Issuer: issuer, Client: "cabinet", Host: "cabinet.example.gov.ua", Method: "file", Login: "5b0e1c9a",
		Nonce: [32]byte{1, 2, 3}, Expires: time.Date(2026, 11, 21, 18, 40, 0, 0, time.UTC)}.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// boss is a session with the director's key opened.
func boss(t testing.TB) *session {
	t.Helper()
	s := &session{primitives: keystore.NewStdPrimitives(), rand: rand.Reader,
		now: func() time.Time { return time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC) },
		newSigner: func(*keystore.Key, *tbs.Certificate) (cms.Signer, error) {
			t.Error("asked for a signer of another algorithm")
			return nil, codeInternal
		}}
	if err := s.open(vectors.Read(t, "keys/privatbank-test-boss.jks"), []byte("1111111111")); err != nil {
		t.Fatal(err)
	}
	return s
}

// foreign are challenges that a page must not get signed, with the answer to each.
func foreign(t testing.TB) map[string]struct {
	text []byte
	want code
} {
	good := text(t, origin)
	return map[string]struct {
		text []byte
		want code
	}{
		"other host":    {text(t, "https://evil.example"), codeForeignIssuer},
		"other scheme":  {text(t, "http://id.example.gov.ua"), codeForeignIssuer},
		"other port":    {text(t, origin+":8443"), codeForeignIssuer},
		"longer host":   {text(t, origin+".evil.example"), codeForeignIssuer},
		"other version": {bytes.Replace(good, []byte("v1"), []byte("v2"), 1), codeChallengeMalformed},
		"document":      {[]byte("Договір позики"), codeChallengeMalformed},
		"trailing":      {append(bytes.Clone(good), '\n'), codeChallengeMalformed},
		"empty":         {nil, codeChallengeMalformed},
	}
}

func TestWasmRefusesForeignIssuer(t *testing.T) {
	s := boss(t)
	i := keystore.Suggest(s.candidates)
	for name, f := range foreign(t) {
		if b, err := s.sign(i, f.text, origin); b != nil || !errors.Is(err, f.want) {
			t.Errorf("%s: %x, %v, want %s", name, b, err, f.want)
		}
	}
	for _, issuer := range []string{origin, origin + "/", origin + "/realm/a"} {
		if _, err := s.sign(i, text(t, issuer), origin); err != nil {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// TestGarbageKeyNeverSigns: a container without a check value can open to a key that is another one than the certificate's
// (T39), and a list that says otherwise must not help.
func TestGarbageKeyNeverSigns(t *testing.T) {
	s := boss(t)
	i := keystore.Suggest(s.candidates)
	other, err := dstu4145.GenerateKey(dstu4145.M257(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := &s.container.Keys[s.candidates[i].Key]
	good := key.DSTU
	key.DSTU = other
	if b, err := s.sign(i, text(t, origin), origin); b != nil || !errors.Is(err, codeMismatch) {
		t.Errorf("%x, %v", b, err)
	}
	key.DSTU = good
	if _, err := s.sign(i, text(t, origin), origin); err != nil {
		t.Errorf("the right key: %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	s := boss(t)
	for i, c := range s.candidates {
		_, err := s.sign(i, text(t, origin), origin)
		want := error(nil)
		if c.Reason == keystore.ReasonUsage {
			want = codeUsage
		}
		if !errors.Is(err, want) {
			t.Errorf("certificate %d (%s): %v, want %v", i, c.Reason, err, want)
		}
	}
	for _, i := range []int{-1, len(s.candidates)} {
		if _, err := s.sign(i, text(t, origin), origin); !errors.Is(err, codeNoCertificate) {
			t.Errorf("certificate %d: %v", i, err)
		}
	}
	i := keystore.Suggest(s.candidates)
	s.rand = bytes.NewReader(nil)
	if b, err := s.sign(i, text(t, origin), origin); b != nil || err == nil {
		t.Error("signs without randomness")
	}
	s.rand = rand.Reader
	s.close()
	if _, err := s.sign(i, text(t, origin), origin); !errors.Is(err, codeNoCertificate) {
		t.Errorf("closed: %v", err)
	}
	if err := s.addCertificates([][]byte{vectors.Read(t, "certs/cao-root.cer")}); err == nil {
		t.Error("closed: takes certificates")
	}
}

// TestKupynaCertificate: a certificate signed with Купина gets a signature with Купина.
func TestKupynaCertificate(t *testing.T) {
	s := boss(t)
	i := keystore.Suggest(s.candidates)
	c := *s.candidates[i].Certificate
	c.SignatureAlgorithm = spki.Algorithm{OID: cms.OIDDSTUWithKupyna256}
	signer, err := s.signer(&s.container.Keys[s.candidates[i].Key], &c)
	if err != nil || signer.DigestAlgorithm().OID != spki.OIDKupyna256 {
		t.Errorf("%v, %v", signer, err)
	}
}

func TestAddCertificates(t *testing.T) {
	s := boss(t)
	certificates := s.container.Certificates
	pem := vectors.Read(t, "keys/privatbank-test-boss.jks")
	s.certificates, s.candidates = nil, nil
	if err := s.addCertificates([][]byte{vectors.Read(t, "certs/cao-root.cer"), pem, nil, []byte("x")}); !errors.Is(err, codeNoCertificate) {
		t.Errorf("none fits: %v", err)
	}
	if err := s.addCertificates([][]byte{vectors.ReadTrust(t, "CACertificates.p7b")}); !errors.Is(err, codeNoCertificate) {
		t.Errorf("a bundle of strangers: %v", err)
	}
	for _, raw := range certificates {
		s.addCertificates([][]byte{raw, raw})
	}
	if len(s.candidates) != 4 {
		t.Errorf("%d candidates, want 4", len(s.candidates))
	}
}

// TestDescribe: what S7 lists. The sets of keys and values are the page's protocol.
func TestDescribe(t *testing.T) {
	s := boss(t)
	answer := s.describe()
	if answer["format"] != "jks" || len(answer["keys"].([]any)) != 4 || answer["suggested"] != keystore.Suggest(s.candidates) {
		t.Errorf("%v", answer)
	}
	kinds := map[string]int{}
	for i, v := range answer["certificates"].([]any) {
		c := v.(map[string]any)
		kinds[c["kind"].(string)]++
		if c["index"] != i || c["commonName"] == "" || c["issuer"] == "" || len(c["serial"].(string)) != 40 ||
			c["notBefore"].(float64) >= c["notAfter"].(float64) || c["usable"] != (c["reason"] == "") {
			t.Errorf("certificate %d: %v", i, c)
		}
	}
	if kinds["employee"] != 1 || kinds["seal"] != 1 || kinds["encryption"] != 2 {
		t.Errorf("kinds %v", kinds)
	}
	for name, want := range map[string]string{"certs/xlong-signer.cer": "person",
		"certs/diia-test-sign.cer": "seal", "certs/diia-test-kep.cer": "encryption", "certs/cao-root.cer": "other"} {
		c, err := tbs.Parse(vectors.Read(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := kindOf(c); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
