package cms_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// keyOf opens a key container of the vectors and returns its keys.
func keysOf(t testing.TB, name, password string) []*dstu4145.PrivateKey {
	t.Helper()
	c, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, name), []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	var keys []*dstu4145.PrivateKey
	for _, k := range c.Keys {
		if k.DSTU != nil {
			keys = append(keys, k.DSTU)
		}
	}
	return keys
}

func certificate(t testing.TB, name string) *tbs.Certificate {
	t.Helper()
	c, err := tbs.Parse(vectors.Read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// keyFor returns the key of the container that fits the certificate.
func keyFor(t testing.TB, c *tbs.Certificate, name, password string) *dstu4145.PrivateKey {
	t.Helper()
	for _, k := range keysOf(t, name, password) {
		if c.PublicKey.DSTU.Equal(k.Public()) {
			return k
		}
	}
	t.Fatalf("%s has no key for the certificate", name)
	return nil
}

var (
	diia = func(t testing.TB) (*dstu4145.PrivateKey, *tbs.Certificate) {
		c := certificate(t, "certs/diia-test-kep.cer")
		return keyFor(t, c, "keys/diia-test.p12", "testpassword"), c
	}
	enc40a0 = func(t testing.TB) (*dstu4145.PrivateKey, *tbs.Certificate) {
		c := certificate(t, "certs/selfsigned-enc-40a0.cer")
		return keyFor(t, c, "keys/pkcs8-m257-40a0.der", ""), c
	}
)

func parse(t testing.TB, b []byte) *cms.EnvelopedData {
	t.Helper()
	e, err := cms.ParseEnveloped(b, cms.AnswerLimits)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRealEnvelopes opens every envelope of the vectors; the one that was damaged is TestNegEnvelope's.
func TestRealEnvelopes(t *testing.T) {
	files := []struct {
		name, want string
		recipient  func(testing.TB) (*dstu4145.PrivateKey, *tbs.Certificate)
		sender     string
	}{
		{"cms/env-ephemeral.p7e", "The quick brown fox jumps over the lazy dog", diia, ""},
		{"cms/env-kalyna-kupyna.p7e", string(vectors.Read(t, "cms/secret.txt")), diia, ""},
		{"cms/env-jkurwa.p7e", "123", enc40a0, "certs/selfsigned-enc-6929.cer"},
	}
	known := []string{"neg-env-wrap.p7e"}
	for _, v := range files {
		known = append(known, filepath.Base(v.name))
	}
	for _, file := range vectors.Glob(t, "cms/*.p7e") {
		if !slices.Contains(known, filepath.Base(file)) {
			t.Errorf("%s is not opened", file)
		}
	}
	for _, v := range files {
		t.Run(v.name, func(t *testing.T) {
			key, own := v.recipient(t)
			e := parse(t, vectors.Read(t, v.name))
			o := cms.OpenOptions{Key: key, Certificates: []*tbs.Certificate{own}}
			if v.sender != "" {
				if _, err := e.Open(o); err != cms.ErrSenderUnknown {
					t.Errorf("without the sender's certificate: %v", err)
				}
				o.Senders = []*tbs.Certificate{own, certificate(t, v.sender)}
			}
			for _, own := range [][]*tbs.Certificate{o.Certificates, nil} { // with the own certificate, and by trying
				o.Certificates = own
				opened, err := e.Open(o)
				if err != nil {
					t.Fatal(err)
				}
				if string(opened.Content) != v.want || opened.ContentType != cms.OIDData {
					t.Errorf("got %q, want %q", opened.Content, v.want)
				}
				if (opened.UnverifiedSender != nil) != (v.sender != "") || opened.Recipient.Ephemeral != (v.sender == "") {
					t.Errorf("sender: %v, ephemeral: %v", opened.UnverifiedSender != nil, opened.Recipient.Ephemeral)
				}
			}
			other, _ := enc40a0(t)
			if v.sender != "" {
				other, _ = diia(t)
			}
			o.Key = other
			if _, err := e.Open(o); err != cms.ErrEnvelope {
				t.Errorf("with another key: %v", err)
			}
		})
	}
}

func TestNegEnvelope(t *testing.T) {
	key, own := diia(t)
	e := parse(t, vectors.Read(t, "cms/neg-env-wrap.p7e"))
	if opened, err := e.Open(cms.OpenOptions{Key: key, Certificates: []*tbs.Certificate{own}}); err != cms.ErrEnvelope || opened != nil {
		t.Errorf("got %v, %v", opened, err)
	}
}

func TestNotEnvelopes(t *testing.T) {
	for name, want := range map[string]error{
		"cms/bes-attached.p7s": cms.ErrNotEnveloped,
		"cms/fox.txt":          cms.ErrNotCMS,
		"keys/diia-test.p12":   cms.ErrNotCMS,
	} {
		if _, err := cms.ParseEnveloped(vectors.Read(t, name), cms.AnswerLimits); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}
