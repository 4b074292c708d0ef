package cms

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/vectors"
)

func message(t testing.TB, name string) []byte {
	t.Helper()
	b := vectors.Read(t, name)
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes
	}
	return b
}

func TestParseVectors(t *testing.T) {
	type want struct {
		level    string
		detached bool
		content  string
		time     string
		serial   string
		inOrder  bool
		certs    int
	}
	const fox = "The quick brown fox jumps over the lazy dog"
	const diia = "3ED5083160DBC59B04000000A91E060073A57600"
	wants := map[string]want{
		"bes-attached.p7s":             {LevelBES, false, fox, "2023-09-19T18:17:18Z", diia, true, 1},
		"bes-detached.p7s":             {LevelBES, true, "", "2023-09-19T18:17:18Z", diia, true, 1},
		"t-attached.p7s":               {LevelT, false, fox, "2023-09-19T18:17:18Z", diia, true, 1},
		"xlong-attached.p7s":           {LevelXLong, false, "*", "2025-06-12T09:50:35Z", "59CE495C3EB0222304000000000E000007600100", true, 1},
		"jkurwa-detached.p7s":          {LevelBES, true, "", "2018-10-22T19:25:05Z", "5F14F000", false, 1},
		"bes-tax-doublewrap.pem":       {LevelBES, false, "*", "2020-11-09T11:27:01Z", "58E2D9E7F900307B0400000003AB25001BA07B00", true, 1},
		"ts-privatbank-attached.p7s":   {LevelBES, false, "test data", "", "290539EC60662BE8040000007100000089060000", true, 1},
		"ecdsa-attached.p7s":           {LevelBES, false, "*", "", "00F616935517EA8EA8", true, 1},
		"kupyna-contentunknown.p7s":    {LevelBES, true, "", "", "157791B9508857ED04000000350000005C000000", true, 0},
		"kupyna256-detached.p7s":       {LevelBES, true, "", "2023-09-20T12:00:01Z", diia, true, 1},
		"kupyna512-attached.p7s":       {LevelBES, false, "*", "*", diia, true, 1},
		"neg-bes-attached-content.p7s": {LevelBES, false, "*", "2023-09-19T18:17:18Z", diia, true, 1},
		"neg-bes-attached-sig.p7s":     {LevelBES, false, fox, "2023-09-19T18:17:18Z", diia, true, 1},
		"rsa-detached.p7s":             {LevelBES, true, "", "*", "*", true, 1},
		"p256-detached.p7s":            {LevelBES, true, "", "*", "*", true, 1},
	}
	for name, w := range wants {
		t.Run(name, func(t *testing.T) {
			sd, err := Parse(message(t, "cms/"+name), UploadLimits)
			if err != nil {
				t.Fatal(err)
			}
			if sd.Detached != w.detached || w.content != "*" && string(sd.Content) != w.content {
				t.Errorf("content %q, detached %v", sd.Content, sd.Detached)
			}
			if len(sd.Signers) != 1 || len(sd.UnverifiedCertificates) != w.certs {
				t.Fatalf("%d signers, %d certificates", len(sd.Signers), len(sd.UnverifiedCertificates))
			}
			si := &sd.Signers[0]
			if got := strings.ToUpper(hex.EncodeToString(si.Serial)); w.serial != "*" && got != w.serial {
				t.Errorf("serial %s, want %s", got, w.serial)
			}
			a, err := si.SignedAttributes()
			if err != nil {
				t.Fatal(err)
			}
			u, err := si.UnsignedAttributes()
			if err != nil {
				t.Fatal(err)
			}
			if got := Level(a, u); got != w.level {
				t.Errorf("level %s, want %s", got, w.level)
			}
			if a.InOrder != w.inOrder || !a.Single {
				t.Errorf("in order %v, single %v", a.InOrder, a.Single)
			}
			got := ""
			if !a.SigningTime.IsZero() {
				got = a.SigningTime.Format(time.RFC3339)
			}
			if w.time != "*" && got != w.time {
				t.Errorf("signing time %s, want %s", got, w.time)
			}
			if a.ContentType != OIDData || len(a.MessageDigest) == 0 || a.Purpose != "" {
				t.Errorf("content type %v, digest %x, purpose %q", a.ContentType, a.MessageDigest, a.Purpose)
			}
			id := a.SigningCertificates[0]
			if !bytes.Equal(id.Serial, si.Serial) || !bytes.Equal(id.RawIssuer, si.RawIssuer) {
				if name != "rsa-detached.p7s" && id.Serial != nil {
					t.Errorf("signing certificate is %x, signer %x", id.Serial, si.Serial)
				}
			}
		})
	}
}

func TestXLongValues(t *testing.T) {
	sd, err := Parse(message(t, "cms/xlong-attached.p7s"), UploadLimits)
	if err != nil {
		t.Fatal(err)
	}
	u, err := sd.Signers[0].UnsignedAttributes()
	if err != nil {
		t.Fatal(err)
	}
	if len(u.OCSPValues) != 1 || !bytes.Equal(u.OCSPValues[0], vectors.Read(t, "ocsp/xlong-basic.der")) {
		t.Errorf("%d OCSP values, the first not the one cut out", len(u.OCSPValues))
	}
	if len(u.SignatureTimeStamps) != 1 || len(u.CertificateValues) == 0 {
		t.Errorf("%d time-stamps, %d certificates", len(u.SignatureTimeStamps), len(u.CertificateValues))
	}
}

func TestParseTimeStamp(t *testing.T) {
	for name, want := range map[string]struct{ time, imprint string }{
		"tsp/diia-content-token.der":    {"2023-09-19T18:17:19Z", "0f1355130b4a820a1e4e3f6474f6bdecc718a4a73345595edc1c1809832b2333"},
		"tsp/diia-signature-token.der":  {"2023-09-19T18:17:19Z", "97406f252101a36d0d6cca63a9b6ed163a4ea7a51c3362222b47d32d1ba73ba2"},
		"tsp/ecdsa-signature-token.der": {"2023-07-13T15:25:16Z", "d86b40aebbabb42bddcaeab4d0b38c4d84fc778f6f23c1dc3390fc629698b638"},
	} {
		ts, err := ParseTimeStamp(vectors.Read(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := ts.Time.Format(time.RFC3339Nano); got != want.time {
			t.Errorf("%s: time %s, want %s", name, got, want.time)
		}
		if got := hex.EncodeToString(ts.Imprint); got != want.imprint {
			t.Errorf("%s: imprint %s", name, got)
		}
	}
	if _, err := ParseTimeStamp(vectors.Read(t, "cms/bes-attached.p7s")); err == nil {
		t.Error("a document taken for a time-stamp")
	}
}

func TestParseGenTime(t *testing.T) {
	for s, want := range map[string]string{
		"20230919181719Z":      "2023-09-19T18:17:19Z",
		"20230919181719.5Z":    "2023-09-19T18:17:19.5Z",
		"20230919181719.034Z":  "2023-09-19T18:17:19.034Z",
		"20230919181719.50Z":   "",
		"20230919181719.Z":     "",
		"20230919181719":       "",
		"20230919181719.5x1Z":  "",
		"202309191817Z":        "",
		"20231319181719Z":      "",
		"20230919181719+0200Z": "",
	} {
		got, err := parseGenTime(s)
		if want == "" && err == nil || want != "" && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := message(t, "cms/bes-attached.p7s")
	data := der.EncodeSequence(der.EncodeOID(OIDData), der.Element(der.Constructed(0), der.EncodeOctetString([]byte("x"))))
	for name, test := range map[string]struct {
		in   []byte
		want error
	}{
		"nothing":       {nil, ErrNotCMS},
		"text":          {[]byte("just text"), ErrNotCMS},
		"pdf":           {[]byte("%PDF-1.7"), ErrNotCMS},
		"truncated":     {good[:len(good)-1], ErrMalformed},
		"trailing":      {append(bytes.Clone(good), 0), ErrMalformed},
		"data":          {data, ErrNotSignedData},
		"enveloped":     {message(t, "cms/env-ephemeral.p7e"), ErrEnveloped},
		"a certificate": {vectors.Read(t, "certs/diia-ca.cer"), ErrNotCMS},
	} {
		if _, err := Parse(test.in, LoginLimits); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := Parse(make([]byte, LoginLimits.Size+1), LoginLimits); !errors.Is(err, ErrTooBig) {
		t.Errorf("too big: %v", err)
	}
	small := LoginLimits
	small.Certificates = 0
	if _, err := Parse(good, small); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many certificates: %v", err)
	}
	small = LoginLimits
	small.Signers = 0
	if _, err := Parse(good, small); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many signers: %v", err)
	}
}

// TestRawSignatureStarting043E: r may begin with the octets of a header (T14); the length alone decides.
func TestRawSignatureStarting043E(t *testing.T) {
	raw := append([]byte{0x04, 0x3e}, bytes.Repeat([]byte{7}, 62)...)
	if got, ok := DSTUSignature(raw, 64); !ok || !bytes.Equal(got, raw) {
		t.Errorf("raw: %x, %v", got, ok)
	}
	nested := append([]byte{0x04, 0x40}, raw...)
	if got, ok := DSTUSignature(nested, 64); !ok || !bytes.Equal(got, raw) {
		t.Errorf("nested: %x, %v", got, ok)
	}
	for _, bad := range [][]byte{nil, raw[:62], raw[:63], append([]byte{0x04, 0x3f}, raw...), append([]byte{0x24, 0x40}, raw...), append(nested, 0), raw[2:]} {
		if _, ok := DSTUSignature(bad, 64); ok {
			t.Errorf("%d octets taken: %x", len(bad), bad)
		}
	}
}

// TestAttributesTwice: an attribute that decides something stands once, in every message (T11).
func TestAttributesTwice(t *testing.T) {
	for name, a := range map[string][]byte{
		"contentType":   attribute(oidContentType, der.EncodeOID(OIDData)),
		"messageDigest": attribute(oidMessageDigest, der.EncodeOctetString([]byte{1})),
		"signingTime":   attribute(oidSigningTime, der.EncodeString(der.UTCTime, "230919181718Z")),
	} {
		si := SignerInfo{RawSignedAttributes: der.Element(der.Set, a, a)}
		if _, err := si.SignedAttributes(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s twice: %v", name, err)
		}
		si.RawSignedAttributes = der.Element(der.Set, a)
		if got, err := si.SignedAttributes(); err != nil || !got.Single {
			t.Errorf("%s once: %v", name, err)
		}
	}
	other := attribute(der.NewOID("1.2.3.4"), der.EncodeNull())
	si := SignerInfo{RawSignedAttributes: der.Element(der.Set, other, other)}
	if got, err := si.SignedAttributes(); err != nil || got.Single {
		t.Errorf("an unknown one twice: %+v, %v", got, err)
	}
	two := der.EncodeSequence(der.EncodeOID(oidMessageDigest), der.Element(der.Set, der.EncodeOctetString([]byte{1}), der.EncodeOctetString([]byte{2})))
	si = SignerInfo{RawSignedAttributes: der.Element(der.Set, two)}
	if _, err := si.SignedAttributes(); err == nil {
		t.Error("messageDigest with two values taken")
	}
}

func FuzzCMS(f *testing.F) {
	for _, file := range vectors.Glob(f, "cms/*.p*") {
		f.Add(message(f, "cms/"+filepath.Base(file)))
	}
	for _, file := range vectors.Glob(f, "tsp/*token.der") {
		f.Add(message(f, "tsp/"+filepath.Base(file)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		sd, err := Parse(b, DocumentLimits)
		if (sd == nil) == (err == nil) {
			t.Fatalf("%v with error %v", sd, err)
		}
		if !bytes.Equal(b, before) {
			t.Fatal("input was changed")
		}
		if err != nil {
			return
		}
		for i := range sd.Signers {
			si := &sd.Signers[i]
			a, err := si.SignedAttributes()
			if a != nil && err != nil {
				t.Fatal("attributes with an error")
			}
			u, _ := si.UnsignedAttributes()
			Level(a, u)
			for _, token := range u.SignatureTimeStamps {
				_, _ = ParseTimeStamp(token)
			}
		}
		_, _ = ParseTimeStamp(b)
	})
}
