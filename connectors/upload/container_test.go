package upload

import (
	"bytes"
	"errors"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/qes/asic"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// container packs documents as a program of the person's does.
func container(t *testing.T, person *qestest.Issued, documents ...asic.Document) []byte {
	t.Helper()
	b, err := asic.Pack(documents, func(manifest []byte) ([]byte, error) { return connectortest.Sign(t, person, manifest, ""), nil })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codeOf(err error) string {
	var r *connectors.Refusal
	if !errors.As(err, &r) {
		return ""
	}
	return r.Code
}

// TestContainer: an ASiC-E container with the request alone signs in, and its evidence is the whole container.
func TestContainer(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person := a.Person(t, nil)
	c, err := New(Config{Verifier: a.Validator})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	b := container(t, person, asic.Document{Name: "request.txt", Content: login.Challenge})
	step, err := c.Advance(t.Context(), login, file(bytes.Clone(b)))
	if err != nil {
		t.Fatal(err)
	}
	id := step.(connectors.Done).Identity
	if id.Name != connectortest.PersonName || !bytes.Equal(id.Evidence.Signature, b) || !bytes.Equal(id.Evidence.Content, login.Challenge) {
		t.Errorf("%q, evidence of %d and %d octets", id.Name, len(id.Evidence.Signature), len(id.Evidence.Content))
	}
	attached, err := asic.Pack([]asic.Document{{Name: "a.txt", Content: login.Challenge}}, func(manifest []byte) ([]byte, error) {
		return cms.Sign(person.Key, cms.Options{Certificate: person.Certificate.Raw, Content: manifest})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Advance(t.Context(), login, file(attached)); err != nil {
		t.Errorf("the manifest inside the signature: %v", err)
	}
}

// TestContainerBindsTheChallenge: whatever else is in a container, or is signed in it, is no login (threats T1, T65).
func TestContainerBindsTheChallenge(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person := a.Person(t, nil)
	c, err := New(Config{Verifier: a.Validator})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	request := asic.Document{Name: "request.txt", Content: login.Challenge}
	other := connectortest.Login(t, Method)
	pack := func(sign func([]byte) ([]byte, error)) []byte {
		b, err := asic.Pack([]asic.Document{request}, sign)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c2 := range map[string]struct {
		b    []byte
		want string
	}{
		"a contract beside it":       {container(t, person, request, asic.Document{Name: "contract.txt", Content: []byte("x")}), "UPLOAD_OTHER_CONTENT"},
		"a contract":                 {container(t, person, asic.Document{Name: "request.txt", Content: []byte("contract")}), "UPLOAD_OTHER_CONTENT"},
		"one octet more":             {container(t, person, asic.Document{Name: "request.txt", Content: append(bytes.Clone(login.Challenge), '\n')}), "UPLOAD_OTHER_CONTENT"},
		"another login":              {container(t, person, asic.Document{Name: "request.txt", Content: append(bytes.Clone(other.Challenge), 'x')}), "UPLOAD_OTHER_CONTENT"},
		"signature over the request": {pack(func([]byte) ([]byte, error) { return connectortest.Sign(t, person, login.Challenge, ""), nil }), "SIG_INVALID"},
		"signature over another":     {pack(func([]byte) ([]byte, error) { return connectortest.Sign(t, person, []byte("<x/>"), ""), nil }), "SIG_INVALID"},
		"no signature":               {pack(func([]byte) ([]byte, error) { return []byte{0x30, 0}, nil }), "CMS_MALFORMED"},
		"a plain zip":                {[]byte("PK\x03\x04 and no more"), "CMS_MALFORMED"},
		"XAdES":                      {[]byte("<?xml version='1.0'?><ds:Signature/>"), "FORMAT_UNSUPPORTED"},
		"PAdES":                      {[]byte("%PDF-1.7"), "FORMAT_UNSUPPORTED"},
	} {
		step, err := c.Advance(t.Context(), login, file(c2.b))
		if codeOf(err) != c2.want || step != nil || !errors.Is(err, connectors.ErrRetry) {
			t.Errorf("%s: %v, want %s", name, err, c2.want)
		}
	}
}

// TestDiiaContainerByUploadRefused: the container changes nothing about whose key it may be (threat T3).
func TestDiiaContainerByUploadRefused(t *testing.T) {
	a := connectortest.NewAuthority(t)
	c, err := New(Config{Verifier: a.Validator, RemoteIssuers: []string{qestest.MainEDRPOU}})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	_, err = c.Advance(t.Context(), login, file(container(t, a.Person(t, nil), asic.Document{Name: "request.txt", Content: login.Challenge})))
	if codeOf(err) != "CERT_REMOTE_KEY" {
		t.Errorf("%v", err)
	}
}

// TestCloudCertificateByUploadRefused: of a provider that gives out files and keeps keys for others, only the certificates of
// the kept ones are refused, and a profile that would be every certificate is no profile (threat T3).
func TestCloudCertificateByUploadRefused(t *testing.T) {
	a := connectortest.NewAuthority(t)
	c, err := New(Config{Verifier: a.Validator, RemoteProfiles: []RemoteProfile{{Issuer: qestest.MainEDRPOU, Device: true}}})
	if err != nil {
		t.Fatal(err)
	}
	login := connectortest.Login(t, Method)
	for device, want := range map[bool]string{true: "CERT_REMOTE_KEY", false: ""} {
		person := a.Person(t, func(r *qestest.Request) { r.Device = device })
		_, err := c.Advance(t.Context(), login, file(connectortest.Sign(t, person, login.Challenge, "")))
		if codeOf(err) != want {
			t.Errorf("key in a device %v: %v, want %q", device, err, want)
		}
	}
	if _, err := New(Config{Verifier: a.Validator, RemoteProfiles: []RemoteProfile{{Device: true}}}); err == nil {
		t.Error("a profile of everything was taken")
	}
	policy := a.Person(t, nil).Certificate.Policies()
	if len(policy) == 0 {
		t.Fatal("the test certificates have no policy")
	}
	if c, err = New(Config{Verifier: a.Validator, RemoteProfiles: []RemoteProfile{{Policy: policy[0].String()}}}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Advance(t.Context(), login, file(connectortest.Sign(t, a.Person(t, nil), login.Challenge, ""))); codeOf(err) != "CERT_REMOTE_KEY" {
		t.Errorf("by policy: %v", err)
	}
}
