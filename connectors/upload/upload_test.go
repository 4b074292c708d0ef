package upload

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/vectors"
)

func file(b []byte) connectors.Event { return connectors.Event{Via: connectors.ViaForm, Body: b} }

func TestContract(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person := a.Person(t, nil)
	pair, err := qestest.NewKey(qestest.P256)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PKCS8()
	if err != nil {
		t.Fatal(err)
	}
	connectortest.Run(t, func(t *testing.T) connectortest.Setup {
		c, err := New(Config{Verifier: a.Validator})
		if err != nil {
			t.Fatal(err)
		}
		login := connectortest.Login(t, Method)
		return connectortest.Setup{Connector: c, Login: login, Name: connectortest.PersonName, Bound: true,
			Good: file(connectortest.Sign(t, person, login.Challenge, "")),
			Retry: map[string]connectors.Event{
				"UPLOAD_MISSING":    file(nil),
				"UPLOAD_TOO_BIG":    file(make([]byte, connectors.MaxSignature+1)),
				"UPLOAD_NOT_SIGNED": file(append(bytes.Clone(login.Challenge), '\n')),
				"UPLOAD_IS_KEY":     file(bytes.Clone(key)),
				"CMS_MALFORMED":     file([]byte{0x30, 0x80, 1}),
				"SIG_INVALID":       file(connectortest.Sign(t, person, []byte("інший текст"), "")),
			}}
	})
}

// TestForms: programs save the same bytes in several ways.
func TestForms(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person := a.Person(t, nil)
	c, err := New(Config{Verifier: a.Validator})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	der := connectortest.Sign(t, person, login.Challenge, "")
	attached, err := cms.Sign(person.Key, cms.Options{Certificate: person.Certificate.Raw, Content: login.Challenge})
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(der)
	for name, b := range map[string][]byte{
		"attached":     attached,
		"base64":       []byte(text),
		"base64 lines": []byte(text[:64] + "\r\n" + text[64:128] + "\r\n" + text[128:] + "\r\n"),
		"PEM":          pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der}),
		"own programs": connectortest.Sign(t, person, login.Challenge, cms.PurposeLogin),
	} {
		if step, err := c.Advance(t.Context(), login, file(b)); err != nil {
			t.Errorf("%s: %T %v", name, step, err)
		}
	}
	for name, b := range map[string][]byte{
		"two blocks":        append(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der})...),
		"certificate block": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		"trailing byte":     append(bytes.Clone(der), 0),
	} {
		if _, err := c.Advance(t.Context(), login, file(b)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestDiiaSignatureByUploadRefused: a certificate whose key is used by telephone is not taken here, since its owner sees a
// digest and not the text (threat T3).
func TestDiiaSignatureByUploadRefused(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person := a.Person(t, nil)
	c, err := New(Config{Verifier: a.Validator, RemoteIssuers: []string{qestest.MainEDRPOU}})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	_, err = c.Advance(t.Context(), login, file(connectortest.Sign(t, person, login.Challenge, "")))
	var r *connectors.Refusal
	if !errors.As(err, &r) || r.Code != "CERT_REMOTE_KEY" || r.Values["issuer"] == "" || !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("%v", err)
	}
	other := a.Person(t, func(r *qestest.Request) { r.Authority = qestest.Second })
	if _, err = c.Advance(t.Context(), login, file(connectortest.Sign(t, other, login.Challenge, ""))); err != nil {
		t.Errorf("a certificate of another provider: %v", err)
	}
}

// TestRealContainersAreKeys: no real key container gets past this door (threat T36). A public key and the bare octets of a
// private one have no form by which to know them; they are no signature either.
func TestRealContainersAreKeys(t *testing.T) {
	formless := []string{"pkcs8-enc-aes-public2.pem", "raw-userfiz.bin"}
	for _, name := range vectors.Glob(t, "keys/*") {
		b := vectors.Read(t, "keys/"+filepath.Base(name))
		if len(b) > connectors.MaxSignature || slices.Contains(formless, filepath.Base(name)) {
			continue
		}
		if !isKey(b) {
			t.Errorf("%s would be taken for a signature", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Add([]byte("MAA="))
	f.Add([]byte("-----BEGIN CMS-----\nMAA=\n-----END CMS-----\n"))
	for _, name := range []string{"cms/bes-attached.p7s"} {
		f.Add(vectors.Read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		if der, err := decode(b); err == nil && len(der) == 0 {
			t.Error("nothing was decoded without an error")
		}
		if signed, err := read(b, []byte("brama-login-v1\n")); err == nil && len(signed.Signature) == 0 && len(b) > 30 && b[0] != 'P' {
			t.Error("nothing was read without an error")
		}
	})
}
