package revocation

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/trustlist"
	"brama/internal/vectors"
)

func readCertificate(t testing.TB, name string) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(vectors.Read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bundle returns the certificates of the public bundle.
func bundle(t testing.TB) []*cert.Certificate {
	t.Helper()
	list, err := trustlist.ParseBundle(vectors.ReadTrust(t, "CACertificates.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*cert.Certificate
	for _, der := range list {
		c, err := cert.Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// issuerOf finds the issuer of c by its signature.
func issuerOf(t testing.TB, c *cert.Certificate, candidates []*cert.Certificate) *cert.Certificate {
	t.Helper()
	for _, p := range candidates {
		if bytes.Equal(p.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(p) == nil {
			return p
		}
	}
	t.Fatal("the bundle has no issuer")
	return nil
}

// The response inside a CAdES-X-Long signature of June 2025: ДСТУ, no certificate inside, responder by name.
func TestJudgeRealResponse(t *testing.T) {
	all := bundle(t)
	leaf := readCertificate(t, "certs/xlong-signer.cer")
	issuer := issuerOf(t, leaf, all)
	basic := vectors.Read(t, "ocsp/xlong-basic.der")
	made := time.Date(2025, 6, 12, 9, 50, 35, 0, time.UTC)
	for name, test := range map[string]struct {
		at   time.Time
		want error
	}{
		"when it was made":  {made, nil},
		"a month before":    {made.AddDate(0, -1, 0), nil}, // made later, it speaks for then too
		"9 minutes later":   {made.Add(9 * time.Minute), nil},
		"11 minutes later":  {made.Add(11 * time.Minute), ErrNotFresh},
		"when this is read": {time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), ErrNotFresh},
	} {
		got, err := Judge(basic, leaf, issuer, all, test.at)
		if !errors.Is(err, test.want) || (err == nil) != (got.Status == qes.StatusGood) {
			t.Errorf("%s: got %v, %v, want %v", name, got.Status, err, test.want)
		}
		if err == nil && !got.ThisUpdate.Equal(made) {
			t.Errorf("%s: thisUpdate %s", name, got.ThisUpdate)
		}
	}
	if _, err := Judge(basic, leaf, issuer, nil, made); !errors.Is(err, ErrResponder) {
		t.Errorf("without candidates: got %v, want ErrResponder", err)
	}
	if _, err := Judge(basic, readCertificate(t, "certs/diia-test-sign.cer"), issuer, all, made); !errors.Is(err, ErrCertID) {
		t.Errorf("about another certificate: got %v, want ErrCertID", err)
	}
	whole, err := parseResponse(vectors.Read(t, "ocsp/xlong-response.der"))
	if err != nil || !bytes.Equal(whole.raw, basic) {
		t.Errorf("whole response: %v", err)
	}
	broken, err := parseResponse(vectors.Read(t, "ocsp/neg-xlong-response-sig.der"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Judge(broken.raw, leaf, issuer, all, made); !errors.Is(err, ErrResponder) {
		t.Errorf("signature byte flipped: got %v, want ErrResponder", err)
	}
	// The request that we would send names the certificate by the very same CertID.
	id, err := newCertID(leaf, issuer, defaultCertID(leaf))
	if err != nil || !whole.single[0].id.equal(id) {
		t.Errorf("our CertID differs from the responder's: %v", err)
	}
}

// ECDSA, 2023: CertID by SHA-1, the responder's certificate inside.
func TestJudgeRealECDSAResponse(t *testing.T) {
	basic := vectors.Read(t, "ocsp/ecdsa-basic.der")
	r, err := parseBasic(basic)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(r.single[0].id.serial); got != "6669243d2b04331d04000000253e7d00d4dceb00" || r.single[0].id.hash != oidSHA1 || len(r.certificates) != 1 {
		t.Fatalf("got serial %s, hash %s, %d certificates", got, r.single[0].id.hash, len(r.certificates))
	}
	responder, err := cert.Parse(r.certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	issuer := issuerOf(t, responder, bundle(t))
	if err := r.verifyResponder(issuer, nil); err != nil {
		t.Errorf("got %v", err)
	}
	if err := r.verify(r.single[0].id, issuer, nil); err != nil {
		t.Errorf("got %v", err)
	}
	for _, other := range bundle(t)[:100] {
		if !bytes.Equal(other.PublicKey.Raw, issuer.PublicKey.Raw) && r.verifyResponder(other, nil) == nil {
			t.Errorf("authorised by %s", other.String())
		}
	}
}

func TestRealRequest(t *testing.T) {
	// Made by other software: our writer gives the same CertID for the same values.
	b := vectors.Read(t, "ocsp/request.der")
	if !bytes.Contains(b, []byte{0x06, 0x0a, 0x2a, 0x86, 0x24, 0x02, 0x01, 0x01, 0x01, 0x01, 0x02, 0x01}) {
		t.Fatal("no GOST 34.311 in the request")
	}
	serial, _ := hex.DecodeString("0D84EDA1BB9381E804000000209E0200D68B0700")
	nameHash, _ := hex.DecodeString("305A35E24820678A3F6879A95734C98C654C31200315DD0D8D341EDC928CE287")
	keyHash, _ := hex.DecodeString("8D84EDA1BB9381E8C31190A8AC92853FC4D8C784C64A01B8371157D85D185557")
	id := certID{hash: "\x2a\x86\x24\x02\x01\x01\x01\x01\x02\x01", nameHash: nameHash, keyHash: keyHash, serial: serial}
	if !bytes.Contains(b, id.encode()) {
		t.Error("our CertID is written otherwise")
	}
	nonce, _ := hex.DecodeString("94E533F8225EC8421B46828880C7A8D3279F8061")
	if !bytes.Contains(encodeRequest(id, nonce), id.encode()) || !bytes.Contains(encodeRequest(id, nonce), nonce) {
		t.Error("our request lacks what it should have")
	}
}

func TestRealCRLs(t *testing.T) {
	root := readCertificate(t, "certs/pki-root.cer")
	leaf := readCertificate(t, "certs/pki-userfiz.cer")
	full := vectors.Read(t, "crl/pki-full.crl")
	c, err := parseCRL(full)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.index(); err != nil || len(c.entries.lines) != 5 || !c.thisUpdate.Equal(time.Date(2016, 9, 26, 14, 18, 54, 0, time.UTC)) {
		t.Errorf("got %v of %s, %v", c.entries, c.thisUpdate, err)
	}
	if err := root.VerifySignature(c.algorithm, c.tbs, c.signature); err != nil {
		t.Errorf("signature: %v", err)
	}
	// The key usage of that made-up root is written wrongly and says nothing, so it may not sign a list either.
	if _, err := JudgeCRL(full, leaf, root, c.thisUpdate.Add(time.Minute)); !errors.Is(err, ErrResponder) {
		t.Errorf("got %v, want ErrResponder", err)
	}

	c, err = parseCRL(vectors.Read(t, "crl/czo-full-2016.crl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.index(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, l := range c.entries.lines {
		if e := c.entries.find(c.entries.serial(l)); e != nil && (e.revoked || e.held) {
			lines++
		}
	}
	if lines < 35 || lines != len(c.entries.lines) || len(c.freshest) != 1 || c.freshest[0] != "http://czo.gov.ua/download/crls/CZO-Delta.crl" || len(c.number) == 0 {
		t.Errorf("got %d of %d entries, delta at %v", lines, len(c.entries.lines), c.freshest)
	}
	// A serial number that stands there twice: held first, superseded later.
	serial, _ := hex.DecodeString("3004751DEF2C78AE010000000100000017000000")
	if e := c.entries.find(serial); e == nil || !e.revoked || !e.held || e.last != 4 {
		t.Errorf("got %+v", e)
	}
	signed := false
	for _, candidate := range bundle(t) {
		if bytes.Equal(candidate.RawSubject, c.issuer) && candidate.VerifySignature(c.algorithm, c.tbs, c.signature) == nil {
			signed = true
		}
	}
	if !signed {
		t.Error("nobody in the bundle has signed the list of the root")
	}
}

// T24: the real delta of "Дія", which is empty: nobody is revoked, if one reads it as a full list.
func TestDeltaAloneIsIndeterminate(t *testing.T) {
	delta := vectors.Read(t, "crl/diia-delta-2023.crl")
	ca, leaf := readCertificate(t, "certs/diia-ca.cer"), readCertificate(t, "certs/diia-test-sign.cer")
	c, err := parseCRL(delta)
	if err != nil || c.index() != nil || len(c.entries.lines) != 0 || c.base == nil {
		t.Fatalf("got base %x, %v", c.base, err)
	}
	if err := c.verify(leaf, ca); err != nil {
		t.Errorf("signature and scope: %v", err)
	}
	got, err := JudgeCRL(delta, leaf, ca, c.thisUpdate.Add(time.Minute))
	if !errors.Is(err, ErrScope) || got.Status != qes.StatusUnknown {
		t.Errorf("got %v, %v, want ErrScope", got.Status, err)
	}
}

func FuzzOCSP(f *testing.F) {
	for _, name := range vectors.Glob(f, "ocsp/*.der") {
		f.Add(vectors.Read(f, "ocsp/"+name[len(vectors.Dir(f))+len("/ocsp/"):]))
	}
	leaf, issuer := readCertificate(f, "certs/xlong-signer.cer"), readCertificate(f, "certs/diia-ca.cer")
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := parseResponse(b); err != nil && r != nil {
			t.Fatal("a response beside an error")
		}
		r, err := parseBasic(b)
		if err != nil {
			return
		}
		for _, s := range r.single {
			if s.status == statusGood && (s.thisUpdate.IsZero() || len(s.id.serial) == 0) {
				t.Fatalf("good without a time or a serial number: %+v", s)
			}
		}
		if got, err := Judge(b, leaf, issuer, nil, time.Now()); err == nil {
			t.Fatalf("judged %v with nobody to sign it", got.Status)
		}
	})
}

func FuzzCRL(f *testing.F) {
	for _, name := range []string{"crl/pki-full.crl", "crl/czo-full-2016.crl", "crl/diia-delta-2023.crl"} {
		f.Add(vectors.Read(f, name))
	}
	leaf := readCertificate(f, "certs/diia-test-sign.cer")
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCRL(b)
		if err != nil {
			if c != nil {
				t.Fatal("a list beside an error")
			}
			return
		}
		if got := c.revocation(leaf, nil); got.Status != qes.StatusUnknown {
			t.Fatal("a list that was not read through says something")
		}
		c.covers(nil)
		if c.index() == nil {
			sameAsMap(t, c)
		}
		if err := c.inForce(time.Now()); err == nil && c.nextUpdate.IsZero() {
			t.Fatal("a list without an end is in force")
		}
	})
}
