package filekey

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

func form(signature []byte) connectors.Event {
	return connectors.Event{Via: connectors.ViaForm, Values: url.Values{"signature": {base64.StdEncoding.EncodeToString(signature)}}}
}

func TestContract(t *testing.T) {
	a := connectortest.NewAuthority(t)
	person, seal, stranger := a.Person(t, nil), a.Person(t, func(r *qestest.Request) { r.Kind, r.EDRPOU, r.RNOKPP = qestest.Seal, "12345678", "" }),
		a.Person(t, func(r *qestest.Request) { r.Authority = qestest.Stranger })
	connectortest.Run(t, func(t *testing.T) connectortest.Setup {
		c, err := New(Config{Verifier: a.Validator})
		if err != nil {
			t.Fatal(err)
		}
		login := connectortest.Login(t, Method)
		return connectortest.Setup{Connector: c, Login: login, Name: connectortest.PersonName, Bound: true,
			Good: form(connectortest.Sign(t, person, login.Challenge, cms.PurposeLogin)),
			Retry: map[string]connectors.Event{
				"SIG_INVALID":          form(connectortest.Sign(t, person, login.Challenge, "")), // threat T1
				"CERT_SEAL":            form(connectortest.Sign(t, seal, login.Challenge, cms.PurposeLogin)),
				"KEY_ISSUER_UNTRUSTED": form(connectortest.Sign(t, stranger, login.Challenge, cms.PurposeLogin)),
				"CMS_MALFORMED":        {Via: connectors.ViaForm, Values: url.Values{"signature": {"====", ""}}},
				"UPLOAD_TOO_BIG":       form(make([]byte, connectors.MaxSignature+1)),
			}}
	})
}

// TestSearch: the provider is given key ids of the right size, of a known issuer or of none, and nothing else.
func TestSearch(t *testing.T) {
	a := connectortest.NewAuthority(t)
	asked := 0
	c, err := New(Config{Verifier: a.Validator, Issuers: []Issuer{{ID: "1", Name: "Надавач"}},
		Search: func(_ context.Context, issuer string, ids [][]byte) ([][]byte, error) {
			asked++
			return ids, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := c.FindCertificates(t.Context(), "1", [][]byte{id}); err != nil || asked != 1 {
		t.Fatalf("%v, asked %d times", err, asked)
	}
	for name, q := range map[string]struct {
		issuer string
		ids    [][]byte
	}{
		"no ids":         {"1", nil},
		"short id":       {"1", [][]byte{id[:31]}},
		"too many":       {"1", make([][]byte, 17)},
		"unknown issuer": {"http://127.0.0.1/", [][]byte{id}},
	} {
		if _, err := c.FindCertificates(t.Context(), q.issuer, q.ids); err == nil {
			t.Errorf("%s: asked", name)
		}
	}
	if asked != 1 {
		t.Errorf("the provider was asked %d times", asked)
	}
	if c, err = New(Config{Verifier: a.Validator}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.FindCertificates(t.Context(), "", [][]byte{id}); !errors.Is(err, ErrNoSearch) {
		t.Errorf("without a search: %v", err)
	}
}

func TestNewNeedsVerifier(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a connector without a verifier")
	}
}
